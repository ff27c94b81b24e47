//! One request, whole: every body and every key of a query that is judged goes to its family here. What
//! has no family is nobody's: a write that stands in no arm is refused.

use super::Judge;
use super::{
    build, commit, copy, image, network_create, secret, service, start, target, update, volume,
};
use super::{create::create, exec::exec_create};
use crate::docker::body::Body;
use crate::docker::{ApiCall, CallHead, Resource, Verb};
use crate::policy::Reason;
use crate::policy::decision::Finding;
use crate::policy::model::Role;

/// Judges a request under a profile.
pub(in crate::policy) fn call(judge: &mut Judge<'_>, call: &ApiCall<'_>) {
    let head = call.head;
    judge.queries(head);
    if head.route.reserved {
        judge.nobody(head);
    }
    judge.add(images(judge.role, head));
    target::reach(judge, call);
    match &call.body {
        Body::ContainerCreate(body) => create(judge, head, body),
        Body::ContainerUpdate(body) => update::update(judge, head, body),
        Body::ExecCreate(body) => exec_create(judge, call, body),
        Body::ExecStart(_) => {} // judged by what the exec is
        Body::Commit(config) => commit::commit(judge, head, config.as_deref()),
        Body::Auth(auth) if head.route.verb == Verb::Login => judge.login(auth),
        Body::Auth(_) => {} // credentials for what is pushed, which is judged by name
        Body::VolumeCreate(body) => volume::create(judge, body),
        Body::NetworkCreate(body) => network_create::create(judge, body),
        Body::NetworkConnect(body) => {
            target::governs_connected(judge, body);
            judge.connect(head, body);
        }
        Body::NetworkDisconnect(body) => judge.disconnect(head, body),
        Body::Service(spec) => service::service(judge, head, spec),
        Body::Secret(spec) => secret::secret(judge, spec),
        Body::Config(spec) => secret::config(judge, spec),
        Body::Archive(beginning) => copy::copy_in(judge, head, *beginning),
        // each of these stands on a route that no profile opens
        Body::CheckpointCreate(_)
        | Body::VolumeUpdate(_)
        | Body::Node(_)
        | Body::SwarmInit(_)
        | Body::SwarmJoin(_)
        | Body::SwarmUpdate(_)
        | Body::SwarmUnlock(_)
        | Body::PluginPrivileges(_)
        | Body::PluginSet(_) => {}
        Body::Opaque | Body::None => bodiless(judge, call),
    }
}

/// Requests that say all they have to say in their head, and streams that are granted by name.
fn bodiless(judge: &mut Judge<'_>, call: &ApiCall<'_>) {
    let head = call.head;
    match (head.route.resource, head.route.verb) {
        (Resource::Container, Verb::Start | Verb::Restart) => start::start(judge, call),
        (Resource::Container, Verb::CopyOut) => copy::copy_out(judge, head),
        (Resource::Container, Verb::Rename) => judge.container_name(head),
        (Resource::Image, Verb::Commit) => commit::commit(judge, head, None),
        (Resource::Image, Verb::Import) => commit::import(judge, head),
        (Resource::Image, Verb::Tag) => judge.tag(head),
        (Resource::Build, Verb::Create) => build::build(judge, head),
        (Resource::Registry, Verb::Search) => {
            judge.search(head.query.text("term").unwrap_or_default());
        }
        // what the verb and its target say is all there is
        (
            Resource::Container,
            Verb::Stop
            | Verb::Kill
            | Verb::Pause
            | Verb::Unpause
            | Verb::Delete
            | Verb::Prune
            | Verb::Resize
            | Verb::Attach
            | Verb::Wait
            | Verb::Exec,
        )
        | (Resource::Image, Verb::Pull | Verb::Push | Verb::Load | Verb::Delete | Verb::Prune)
        | (Resource::Build, Verb::Cancel | Verb::Prune | Verb::Buildkit)
        | (
            Resource::Volume
            | Resource::Network
            | Resource::Service
            | Resource::Secret
            | Resource::Config,
            Verb::Delete | Verb::Prune,
        ) => {}
        _ if head.route.life.changes_state() && !head.route.reserved => judge.nobody(head),
        _ => {}
    }
}

/// The references that a route names outside of a body. They hold for an unrestricted role too.
#[must_use]
pub(in crate::policy) fn images(role: &Role, head: &CallHead) -> Option<Finding> {
    match (head.route.resource, head.route.verb) {
        (Resource::Image, Verb::Pull) => image::pull(role, head),
        (Resource::Image, Verb::Push) => image::push(role, head),
        (Resource::Registry, Verb::Resolve) => image::resolve(role, head),
        _ => None,
    }
}

impl Judge<'_> {
    /// Query keys of which no value is safe.
    fn queries(&mut self, head: &CallHead) {
        for param in head.query.guarded() {
            let value = head.query.text(param.name).unwrap_or_default();
            let what = format!("use query key {:?} of {}", param.name, head.route.operation);
            self.deny(Reason::QueryGuarded, format!("query {}", param.name), value, what);
            self.allowing(super::UNRESTRICTED_ALONE);
        }
        if let Some(signal) = head.query.text("signal") {
            self.signal("query signal", signal);
        }
        if let Some(arguments) = head.query.text("ps_args") {
            self.ps_args(arguments);
        }
        if let (Resource::Container, Some(seconds)) = (head.route.resource, head.query.int("t")) {
            self.stop_timeout("query t", seconds);
        }
    }

    /// Routes that no profile opens.
    fn nobody(&mut self, head: &CallHead) {
        let operation = head.route.operation;
        self.deny(Reason::Reserved, "", operation, format!("use {operation} under a profile"));
        self.allowing(super::UNRESTRICTED_ALONE);
    }

    /// `POST /images/{}/tag`.
    fn tag(&mut self, head: &CallHead) {
        let text = |key| head.query.text(key).unwrap_or_default();
        self.write_name("query repo", text("repo"), text("tag"));
    }
}
