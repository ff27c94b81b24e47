//! The daemon's socket among the mounts of a container, where a profile leaves it out: some clients ask for it in every
//! container that they make, and have no switch for it.

use super::host_paths::clean;
use super::target::profile_of;
use crate::docker::ApiCall;
use crate::docker::body::Body;
use crate::docker::body::create::{HostConfig, Mount};
use crate::docker::body::field::Field;
use crate::policy::facts::Facts;
use crate::policy::model::Role;
use crate::policy::profile::SocketMounts;

/// Where clients take it to be.
const PLACES: [&str; 2] = ["/run/docker.sock", "/var/run/docker.sock"];

/// The request without its mounts of the daemon's socket, and the places of these, where the profile leaves them out. It
/// is judged, and goes on, as if the client had not asked for them.
pub(in crate::policy) fn without_socket<'c>(
    role: &Role,
    call: &ApiCall<'c>,
    facts: &Facts,
) -> Option<(ApiCall<'c>, Vec<String>)> {
    let Body::ContainerCreate(create) = &call.body else { return None };
    let profile = profile_of(role.admission.profile()?, call, facts);
    let omits = *profile.docker_socket() == SocketMounts::Omit;
    let host = create.host_config.value().filter(|_| omits)?;
    let places = places(host);
    if places.is_empty() {
        return None;
    }
    let mut create = create.clone();
    if let Field::Set(host) = &mut create.host_config {
        if let Field::Set(binds) = &mut host.binds {
            binds.retain(|bind| !is_bind_of_socket(bind));
        }
        if let Field::Set(mounts) = &mut host.mounts {
            mounts.retain(|mount| !is_mount_of_socket(mount));
        }
    }
    let left_out = call.left_out.clone();
    Some((ApiCall { head: call.head, body: Body::ContainerCreate(create), left_out }, places))
}

fn places(host: &HostConfig<'_>) -> Vec<String> {
    let binds = host.binds.items().iter().enumerate();
    let binds = binds.filter(|(_, bind)| is_bind_of_socket(bind));
    let mounts = host.mounts.items().iter().enumerate();
    let mounts = mounts.filter(|(_, mount)| is_mount_of_socket(mount));
    let binds = binds.map(|(i, _)| format!("HostConfig.Binds[{i}]"));
    binds.chain(mounts.map(|(i, _)| format!("HostConfig.Mounts[{i}]"))).collect()
}

fn is_bind_of_socket(bind: &str) -> bool {
    bind.split_once(':').is_some_and(|(source, _)| is_socket(source))
}

fn is_mount_of_socket(mount: &Mount<'_>) -> bool {
    mount.kind.text() == "bind" && is_socket(mount.source.text())
}

fn is_socket(source: &str) -> bool {
    clean(source).is_some_and(|path| PLACES.contains(&path.as_str()))
}
