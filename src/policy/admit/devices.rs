//! Devices of the host.

use super::Judge;
use crate::docker::body::create::{Device, DeviceRequest};
use crate::policy::Reason;
use std::borrow::Cow;

impl Judge<'_> {
    /// `Devices`: exactly the nodes listed (a directory maps all nodes below it, a CDI name is no
    /// path), to the same path inside, with permissions the daemon knows.
    pub(super) fn devices(&mut self, devices: &[Device<'_>]) {
        for (i, device) in devices.iter().enumerate() {
            let Device { path_on_host, path_in_container, cgroup_permissions, borrow: _ } = device;
            let (host, inside) = (path_on_host.text(), path_in_container.text());
            let known = self.profile.devices().has(host);
            let same = inside.is_empty() || inside == host;
            let plain = cgroup_permissions.text().chars().all(|c| "rwm".contains(c));
            if !(known && same && plain) {
                let field = self.host(&format!("Devices[{i}]"));
                self.refuse(Reason::Device, field, host, "use device");
                self.allowing_listed("devices", self.profile.devices());
            }
        }
    }

    /// `DeviceCgroupRules`: never.
    pub(super) fn device_rules(&mut self, rules: &[Cow<'_, str>]) {
        let what = "set device cgroup rules";
        self.deny_items(Reason::DeviceRule, &self.host("DeviceCgroupRules"), rules, what);
    }

    /// `DeviceRequests`: by driver.
    pub(super) fn device_requests(&mut self, requests: &[DeviceRequest<'_>]) {
        for (i, request) in requests.iter().enumerate() {
            // which and how many devices of a driver that is listed is not judged
            let DeviceRequest { driver, count: _, device_ids: _, capabilities, options, borrow: _ } =
                request;
            // `--gpus` names no driver and asks for the capability `gpu`, which nvidia serves; the
            // daemon may take any one of several sets, so each must ask for it
            let sets = capabilities.items();
            let gpu = || !sets.is_empty() && sets.iter().all(|set| set.iter().any(|c| c == "gpu"));
            let named = match driver.text() {
                "" if gpu() => "nvidia",
                named => named,
            };
            let known = self.profile.device_requests().has(named);
            if !known || options.entries().next().is_some() {
                let field = self.host(&format!("DeviceRequests[{i}]"));
                self.refuse(Reason::DeviceRequest, field, named, "request devices of driver");
                self.allowing_listed("drivers, without options", self.profile.device_requests());
            }
        }
    }
}
