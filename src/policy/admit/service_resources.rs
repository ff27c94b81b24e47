//! The resources of a service's tasks. Nothing is filled in: what must be bounded must be said.

use super::Judge;
use super::amount::{Unit, bytes};
use crate::docker::body::service::{
    DiscreteResource, GenericResource, NamedResource, ResourceLimit, TaskResources,
};
use crate::policy::Reason;

impl Judge<'_> {
    /// What the tasks may use, and what is kept free for them.
    pub(super) fn task_resources(&mut self, resources: Option<&TaskResources<'_>>) {
        let (none, empty) = (TaskResources::default(), ResourceLimit::default());
        let TaskResources { limits, reservations, swap_bytes, memory_swappiness: _, borrow: _ } =
            resources.unwrap_or(&none);
        let ResourceLimit { nano_cpus, memory_bytes, pids, generic_resources, borrow: _ } =
            limits.value().unwrap_or(&empty);
        let at = |name: &str| format!("TaskTemplate.Resources.{name}");
        let profile = self.profile;
        let rules = [
            (
                Reason::Memory,
                "Limits.MemoryBytes",
                memory_bytes,
                profile.memory(),
                Unit::Bytes("memory"),
            ),
            (Reason::Cpus, "Limits.NanoCPUs", nano_cpus, profile.cpus(), Unit::NanoCpus),
            (Reason::Pids, "Limits.Pids", pids, profile.pids(), Unit::Processes),
        ];
        for (reason, name, asked, limit, unit) in rules {
            self.bounded_exactly(reason, &at(name), asked.or_zero(), *limit, unit);
        }
        // on top of the memory, where that of a container is the sum of both
        let swap = swap_bytes.or_zero();
        let sum = memory_bytes.or_zero().saturating_add(swap);
        let beyond =
            profile.memory().max.is_some_and(|max| swap < 0 || sum > max.saturating_mul(2));
        if swap < -1 || (swap != 0 && beyond) {
            let what = format!("use swap up to {}", bytes(swap));
            self.deny(Reason::Swap, at("SwapBytes"), swap.to_string(), what);
        }
        // a reservation is kept free for the task, whether it uses it or not
        let ResourceLimit {
            nano_cpus,
            memory_bytes,
            pids: _, // nothing is reserved of them
            generic_resources: reserved,
            borrow: _,
        } = reservations.value().unwrap_or(&empty);
        let claims = [
            (Reason::Memory, "Reservations.MemoryBytes", memory_bytes, profile.memory()),
            (Reason::Cpus, "Reservations.NanoCPUs", nano_cpus, profile.cpus()),
        ];
        for (reason, name, claimed, limit) in claims {
            let claimed = claimed.or_zero();
            if let Some(max) = limit.max.filter(|max| claimed < 0 || claimed > *max) {
                self.deny(reason, at(name), claimed.to_string(), format!("reserve {claimed}"));
                self.allowing(format!("at most {max}"));
            }
        }
        for (name, list) in [("Limits", generic_resources), ("Reservations", reserved)] {
            for (i, resource) in list.items().iter().enumerate() {
                let kinds = generic_kinds(resource);
                if let Some(kind) = kinds.iter().find(|kind| !profile.device_requests().has(kind)) {
                    let field = at(&format!("{name}.GenericResources[{i}]"));
                    let what = format!("request the resource {kind:?}");
                    self.deny(Reason::DeviceRequest, field, *kind, what);
                }
            }
        }
    }
}

/// A resource may be given in both forms, of which the daemon takes the second.
fn generic_kinds<'b>(resource: &'b GenericResource<'_>) -> Vec<&'b str> {
    let GenericResource { named, discrete, borrow: _ } = resource;
    let named = named.value().map(|NamedResource { kind, value: _, borrow: _ }| kind.text());
    let discrete =
        discrete.value().map(|DiscreteResource { kind, value: _, borrow: _ }| kind.text());
    if named.is_none() && discrete.is_none() {
        return vec![""];
    }
    named.into_iter().chain(discrete).collect()
}
