//! What is made through the gate bears our labels, once a role of the policy means its own objects alone: written last, over
//! whatever the client wrote, and never by a client itself. Volumes that a container brings about are made with labels as
//! mounts, which is the one form in which the daemon takes some.

use super::admit;
use super::decision::Finding;
use super::facts::{Facts, Needs, Seen};
use super::model::Role;
use super::reason::Reason;
use super::redacted::REDACTED;
use super::scope::{MAKER, OWNER, is_reserved, kind_of};
use super::subject::Subject;
use super::terms::{Filled, PlannedVolume, Term};
use crate::docker::body::Body;
use crate::docker::body::create::{ContainerCreate, HostConfig, Mount, StringMap};
use crate::docker::{ApiCall, Object, Resource, Verb, query};
use crate::identity::IdentityName;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Labels of ours, by key.
pub(super) type OwnerLabels = BTreeMap<&'static str, String>;

/// What the object that a request makes or writes anew shall bear, where the policy knows owners of its kind: those of
/// who makes it, or those that it has. A role that keeps owners takes them from who asks.
pub(super) fn stamp(
    by: Subject<'_>,
    role: &Role,
    call: &ApiCall<'_>,
    facts: &Facts,
) -> Option<OwnerLabels> {
    let (resource, verb) = (call.head.route.resource, call.head.route.verb);
    let kind = kind_of(resource).filter(|kind| knows_owners(by, role, *kind))?;
    if verb == Verb::Update && kind != Resource::Container {
        let kept = updated(call).and_then(|of| facts.kept.get(&of)?.found())?;
        let ours = |key: &'static str| Some((key, kept.labels.get(key)?.clone()));
        return Some([OWNER, MAKER].into_iter().filter_map(ours).collect());
    }
    let makes = matches!(verb, Verb::Create | Verb::Commit | Verb::Import);
    let whose = || [(OWNER, &by.identity.owner), (MAKER, &by.identity.name)];
    let given = || match role.keeps_owner {
        true => given(call),
        false => None,
    };
    makes.then(|| {
        given().unwrap_or_else(|| whose().map(|(key, name)| (key, name.to_string())).into())
    })
}

/// The object of a swarm that a request writes anew.
pub(super) fn updated(call: &ApiCall<'_>) -> Option<(Resource, String)> {
    let kind = kind_of(call.head.route.resource)?;
    let kept = matches!(kind, Resource::Service | Resource::Secret | Resource::Config);
    let name = call.head.target().filter(|_| kept && call.head.route.verb == Verb::Update)?;
    Some((kind, name.to_owned()))
}

/// The owner that a client names, where both labels name somebody.
fn given(call: &ApiCall<'_>) -> Option<OwnerLabels> {
    let labels = written(call);
    let of = |ours: &'static str| {
        let value = labels.iter().find(|(_, key, _)| *key == ours).map(|(.., value)| value)?;
        value.parse::<IdentityName>().is_ok().then(|| (ours, value.clone()))
    };
    Some([of(OWNER)?, of(MAKER)?].into())
}

/// Labels that a client writes, each with its field.
fn written<'c>(call: &'c ApiCall<'_>) -> Vec<(&'static str, Cow<'c, str>, String)> {
    let mut found = Vec::new();
    let mut add = |field: &'static str, labels: &'c StringMap<'_>| {
        let entry =
            |(key, value): (&'c str, &Cow<'_, str>)| (field, Cow::Borrowed(key), value.to_string());
        found.extend(labels.entries().map(entry));
    };
    match &call.body {
        Body::ContainerCreate(body) => {
            add("Labels", &body.config.labels);
            let host = body.host_config.value();
            let mounts = host.map_or(&[][..], |host| host.mounts.items());
            for options in mounts.iter().filter_map(|mount| mount.volume_options.value()) {
                add("HostConfig.Mounts.VolumeOptions.Labels", &options.labels);
            }
        }
        Body::VolumeCreate(body) => add("Labels", &body.labels),
        Body::NetworkCreate(body) => add("Labels", &body.labels),
        Body::Secret(spec) => add("Labels", &spec.labels),
        Body::Config(spec) => add("Labels", &spec.labels),
        Body::Commit(Some(config)) => add("Labels", &config.labels),
        Body::Service(spec) => {
            add("Labels", &spec.labels);
            if let Some(container) = spec.container() {
                add("TaskTemplate.ContainerSpec.Labels", &container.labels);
                for options in
                    container.mounts.items().iter().filter_map(|mount| mount.volume_options.value())
                {
                    add("TaskTemplate.ContainerSpec.Mounts.VolumeOptions.Labels", &options.labels);
                }
            }
        }
        _ => {}
    }
    for text in call.head.query.all("labels") {
        let labels = query::text_map(text);
        let entry = |(key, value): (&str, &Cow<'_, str>)| {
            ("query labels", Cow::Owned(key.to_owned()), value.to_string())
        };
        found.extend(labels.iter().map(entry));
    }
    found
}

/// Labels of ours that a client writes: none, but those that the object will have in any case, as tools do that make one
/// anew from what `inspect` says.
pub(super) fn findings(
    by: Subject<'_>,
    role: &Role,
    call: &ApiCall<'_>,
    facts: &Facts,
) -> Vec<Finding> {
    let known = updated(call).filter(|(kind, _)| knows_owners(by, role, *kind));
    if let Some((kind, name)) = known.filter(|of| !facts.kept.contains_key(of)) {
        let what = format!("write {kind} {name:?} anew: it cannot be looked at");
        return vec![Finding::new(Reason::TargetUnseen, "path", &name, what)];
    }
    let stamp = stamp(by, role, call, facts).unwrap_or_default();
    let mut found = Vec::new();
    let refused = |field: &str, key: &str| {
        let what = format!("set label {key:?}, which the gate sets");
        Finding::new(Reason::LabelReserved, field, key, what)
    };
    for (field, key, value) in written(call).iter().filter(|(_, key, _)| is_reserved(key)) {
        if stamp.get(key.as_ref()) != Some(value) {
            found.push(refused(&format!("{field}.{key}"), key));
        }
    }
    for change in call.head.query.all("changes") {
        // whatever else stands in the line, none of it is ours to find out
        if !stamp.is_empty() && takes_along(change) {
            let what = "change an image by an instruction that could take the gate's own along";
            found.push(Finding::new(Reason::ImageChange, "query changes", change, what));
            continue;
        }
        let ours = stamp.iter().any(|(key, value)| *change == format!("LABEL {key}={value}"));
        if !ours && is_reserved_within(change) {
            found.push(refused("query changes", change));
        }
    }
    if let Body::NetworkCreate(body) = &call.body
        && is_reserved(body.name.text())
    {
        let what = "give a network a name that begins with dockward., as the gate's own do";
        found.push(Finding::new(Reason::Name, "Name", body.name.text(), what));
    }
    found.extend(unlabelled(by, role, call, facts));
    found.extend(sent_back(call));
    found
}

/// A value that was taken out of an answer, and comes back: whoever makes an object anew by what he was told of
/// it would lose what it had.
fn sent_back(call: &ApiCall<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut refuse = |field: String, name: &str| {
        let what = format!("set {name:?} to {REDACTED}, which stands for a value that is not told");
        found.push(
            Finding::new(Reason::RedactedValue, &field, name, what)
                .allowing("a role with reveal is told it"),
        );
    };
    let (env, at) = match &call.body {
        Body::ContainerCreate(body) => (body.config.env.items(), "Env"),
        Body::Service(spec) => {
            let env = spec.container().map_or(&[][..], |container| container.env.items());
            (env, "TaskTemplate.ContainerSpec.Env")
        }
        _ => (&[][..], ""),
    };
    for (i, entry) in env.iter().enumerate() {
        if let Some((name, REDACTED)) = entry.split_once('=') {
            refuse(format!("{at}[{i}]"), name);
        }
    }
    if let Body::VolumeCreate(body) = &call.body {
        for (name, _) in body.driver_opts.entries().filter(|(_, value)| *value == REDACTED) {
            refuse(format!("DriverOpts.{name}"), name);
        }
    }
    found
}

/// Whether an instruction could take the ones behind it along, ours among them: a line that goes on, a document that begins,
/// a trigger. What quotes and variables make of a label is written over by ours.
fn takes_along(change: &str) -> bool {
    let word = change.trim_start().split(char::is_whitespace).next().unwrap_or_default();
    word.eq_ignore_ascii_case("onbuild")
        || change.trim_end().ends_with(['\\', '`'])
        || change.contains("<<")
}

/// Whether the beginning of our keys stands anywhere in a line that sets labels.
fn is_reserved_within(change: &str) -> bool {
    let sets = change.trim_start().get(..5).is_some_and(|word| word.eq_ignore_ascii_case("label"));
    let starts = || change.char_indices().filter_map(|(at, _)| change.get(at..));
    sets && starts().any(is_reserved)
}

/// The terms by which what is made bears our labels.
pub(super) fn terms(by: Subject<'_>, role: &Role, call: &ApiCall<'_>, facts: &Facts) -> Vec<Term> {
    let Some(stamp) = stamp(by, role, call, facts) else { return Vec::new() };
    let builds =
        (call.head.route.resource, call.head.route.verb) == (Resource::Build, Verb::Create);
    let apart = builds && role.is_narrow(Resource::Image) && !call.head.query.flag("nocache");
    let keeps = builds && role.is_narrow(Resource::Container);
    let filled = [apart.then_some(Filled::NoCache), keeps.then_some(Filled::Removed)];
    let mut terms: Vec<Term> = filled.into_iter().flatten().map(Term::Fill).collect();
    terms.extend(stamp.iter().map(|(key, value)| Term::Label((*key).to_owned(), value.clone())));
    if role.is_narrow(Resource::Network) && role.admission.profile().is_none() {
        terms.extend(admit::checked(call)); // under a profile it is asked for in any case
    }
    let planned = match &call.body {
        _ if !stamps_volumes(by, role) => return terms,
        Body::ContainerCreate(body) => {
            let planned = planned(body, facts);
            let host = body.host_config.value();
            let mounts = host.map_or(&[][..], |host| host.mounts.items());
            (!planned.is_empty() || has_volume(mounts)).then_some(planned)
        }
        Body::Service(spec) => {
            let mounts = spec.container().map_or(&[][..], |container| container.mounts.items());
            has_volume(mounts).then(Vec::new)
        }
        _ => None,
    };
    if let Some(planned) = planned {
        let labels = stamp.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        terms.push(Term::Volumes { labels, planned });
    }
    terms
}

/// What must be looked up to write our labels.
pub(super) fn needs(by: Subject<'_>, roles: &[&Role], call: &ApiCall<'_>, needs: &mut Needs) {
    let known = |kind| roles.iter().any(|role| knows_owners(by, role, kind));
    needs.kept.extend(updated(call).filter(|(kind, _)| known(*kind)));
    if let Body::ContainerCreate(body) = &call.body
        && roles.iter().any(|role| stamps_volumes(by, role))
    {
        needs.images.insert(body.config.image.text().to_owned()); // it may bring some along
        // which of them there are, those under no limit are looked for by whose they are
        let volumes = call.mentions().into_iter().filter(|one| one.object == Object::Volume);
        let volumes = volumes.filter(|_| by.identity.limits.is_some()).map(|one| one.name);
        needs
            .volumes
            .extend(volumes.filter(|name| admit::is_volume_name(name)).map(Cow::into_owned));
    }
}

fn has_volume(mounts: &[Mount<'_>]) -> bool {
    mounts.iter().any(|mount| mount.kind.text() == "volume")
}

/// A bind as the daemon splits it: `target`, `source:target`, `source:target:modes`.
struct BindParts<'b> {
    source: &'b str,
    target: &'b str,
    modes: &'b str,
}

fn split(bind: &str) -> Option<BindParts<'_>> {
    let mut parts = bind.split(':');
    Some(match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(target), None, None, None) => BindParts { source: "", target, modes: "" },
        (Some(source), Some(target), modes, None) => {
            BindParts { source, target, modes: modes.unwrap_or_default() }
        }
        _ => return None,
    })
}

/// Whether a bind of a volume can be said as a mount.
fn takes_labels(modes: &str, host: &HostConfig<'_>) -> bool {
    modes.split(',').all(|mode| matches!(mode, "" | "ro" | "rw" | "nocopy"))
        && matches!(host.volume_driver.text(), "" | "local")
}

/// The volumes that the daemon would make without labels, as mounts.
fn planned(body: &ContainerCreate<'_>, facts: &Facts) -> Vec<PlannedVolume> {
    let empty = HostConfig::default();
    let host = body.host_config.value().unwrap_or(&empty);
    let mut planned = Vec::new();
    for bind in host.binds.items() {
        let Some(BindParts { source, target, modes }) = split(bind) else { continue };
        // one that is there may be gone when the daemon looks
        if !source.starts_with('/') && takes_labels(modes, host) {
            let has = |word: &str| modes.split(',').any(|mode| mode == word);
            planned.push(PlannedVolume {
                bind: Some(bind.to_string()),
                source: source.to_owned(),
                target: target.to_owned(),
                read_only: has("ro") && !has("rw"),
                no_copy: has("nocopy"),
            });
        }
    }
    let clean = |path: &str| path.trim_end_matches('/').to_owned();
    let binds = host.binds.items().iter().filter_map(|bind| Some(clean(split(bind)?.target)));
    let mounts = host.mounts.items().iter().map(|mount| clean(mount.target.text()));
    let tmpfs = host.tmpfs.entries().map(|(target, _)| clean(target));
    let from: BTreeSet<_> =
        host.volumes_from.items().iter().filter_map(|of| of.split(':').next()).collect();
    let from = from.into_iter();
    let from = from.filter_map(|name| facts.containers.get(name.trim_start_matches('/'))?.found());
    let from = from.flat_map(|container| &container.mounts).map(|mount| clean(&mount.target));
    let mut mounted: BTreeSet<String> = binds.chain(mounts).chain(tmpfs).chain(from).collect();
    let image = facts.images.get(body.config.image.text()).and_then(Seen::found);
    let of_image = image.into_iter().flat_map(|image| image.volumes.iter().map(String::as_str));
    for target in body.config.volumes.entries().map(|(target, _)| target).chain(of_image) {
        if mounted.insert(clean(target)) {
            let (source, target) = (String::new(), target.to_owned());
            planned.push(PlannedVolume { source, target, ..PlannedVolume::default() });
        }
    }
    planned
}

/// Volumes that the daemon would make, in a form that takes no labels: whose they are could not be told.
fn unlabelled(by: Subject<'_>, role: &Role, call: &ApiCall<'_>, facts: &Facts) -> Vec<Finding> {
    let Body::ContainerCreate(body) = &call.body else { return Vec::new() };
    let Some(host) = body.host_config.value() else { return Vec::new() };
    if !stamps_volumes(by, role) {
        return Vec::new();
    }
    let refused = |(i, bind): (usize, &Cow<'_, str>)| {
        let BindParts { source, modes, .. } = split(bind)?;
        let moved = takes_labels(modes, host);
        let field = format!("HostConfig.Binds[{i}]");
        let what =
            format!("have a volume made by {bind:?}, of which it could not be told whose it is");
        let finding = || Finding::new(Reason::OwnerVolume, &field, bind, what);
        let missing = || matches!(facts.volumes.get(source), Some(Seen::Missing));
        (!moved && (source.is_empty() || missing())).then(finding)
    };
    host.binds.items().iter().enumerate().filter_map(refused).collect()
}

/// Whether what is made of this kind bears labels: where somebody means his own alone, or this role does, which may be
/// held for a while.
fn knows_owners(by: Subject<'_>, role: &Role, kind: Resource) -> bool {
    by.policy.owned.contains(&kind) || role.is_narrow(kind)
}

/// Whether the volumes that a container brings about are labelled: those of roles that mean their own alone, and where they
/// are counted.
fn stamps_volumes(by: Subject<'_>, role: &Role) -> bool {
    role.is_narrow(Resource::Volume) || by.identity.limits.is_some()
}
