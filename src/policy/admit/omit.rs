//! What a profile leaves out of a request, though no profile would let it pass: some clients ask for it in every container
//! that they make, and have no switch for it. The daemon's socket among the mounts; a MAC address, as updaters take it over
//! from the container that they replace.

use super::host_paths::clean;
use super::target::profile_of;
use crate::docker::ApiCall;
use crate::docker::body::Body;
use crate::docker::body::create::{ContainerCreate, HostConfig, Mount, Text};
use crate::docker::body::field::Field;
use crate::policy::facts::Facts;
use crate::policy::model::Role;
use crate::policy::profile::{Chosen, Profile};
use crate::policy::terms::Omitted;

/// Where clients take the socket to be.
const SOCKETS: [&str; 2] = ["/run/docker.sock", "/var/run/docker.sock"];

/// So much is left out of one request, at most; of more nothing is, and it is refused as it stands.
const MOST: usize = 64;

/// What is left out, by its place.
type OmittedPlaces = Vec<(Omitted, String)>;

/// The request without what the profile of a role leaves out of it, and the places of that; `None` where it is whole. It is
/// judged, and goes on, as if the client had not asked for it.
pub(in crate::policy) fn omitted<'c>(
    role: &Role,
    call: &ApiCall<'c>,
    facts: &Facts,
) -> Option<(ApiCall<'c>, OmittedPlaces)> {
    let profile = profile_of(role.admission.profile()?, call, facts);
    let omits = [profile.docker_socket(), profile.mac_address()].contains(&&Chosen::Omit);
    if !omits || !matches!(&call.body, Body::ContainerCreate(_) | Body::NetworkConnect(_)) {
        return None;
    }
    let (mut body, mut places) = (call.body.clone(), Vec::new());
    match &mut body {
        Body::ContainerCreate(create) => of_container(profile, create, &mut places),
        Body::NetworkConnect(connect) if *profile.mac_address() == Chosen::Omit => {
            if let Field::Set(endpoint) = &mut connect.endpoint_config {
                mac(&mut endpoint.mac_address, "EndpointConfig.MacAddress", &mut places);
            }
        }
        _ => {}
    }
    let left_out = call.left_out.clone();
    (1..=MOST)
        .contains(&places.len())
        .then_some((ApiCall { head: call.head, body, left_out }, places))
}

fn of_container(profile: &Profile, create: &mut ContainerCreate<'_>, places: &mut OmittedPlaces) {
    if let (Field::Set(host), Chosen::Omit) = (&mut create.host_config, profile.docker_socket()) {
        sockets(host, places);
    }
    if *profile.mac_address() != Chosen::Omit {
        return;
    }
    mac(&mut create.config.mac_address, "MacAddress", places);
    let Field::Set(networking) = &mut create.networking_config else { return };
    let Field::Set(endpoints) = &mut networking.endpoints_config else { return };
    for (name, endpoint) in &mut endpoints.0 {
        if let Some(endpoint) = endpoint {
            let place = format!("NetworkingConfig.EndpointsConfig.{}.MacAddress", super::key(name));
            mac(&mut endpoint.mac_address, &place, places);
        }
    }
}

fn mac(field: &mut Text<'_>, place: &str, places: &mut OmittedPlaces) {
    if !field.text().is_empty() {
        *field = Field::Absent;
        places.push((Omitted::MacAddress, place.to_owned()));
    }
}

fn sockets(host: &mut HostConfig<'_>, places: &mut OmittedPlaces) {
    let mut note = |place| places.push((Omitted::Socket, place));
    for (i, _) in host.binds.items().iter().enumerate().filter(|(_, bind)| is_bind_of_socket(bind))
    {
        note(format!("HostConfig.Binds[{i}]"));
    }
    for (i, _) in host.mounts.items().iter().enumerate().filter(|(_, of)| is_mount_of_socket(of)) {
        note(format!("HostConfig.Mounts[{i}]"));
    }
    if let Field::Set(binds) = &mut host.binds {
        binds.retain(|bind| !is_bind_of_socket(bind));
    }
    if let Field::Set(mounts) = &mut host.mounts {
        mounts.retain(|mount| !is_mount_of_socket(mount));
    }
}

fn is_bind_of_socket(bind: &str) -> bool {
    bind.split_once(':').is_some_and(|(source, _)| is_socket(source))
}

fn is_mount_of_socket(mount: &Mount<'_>) -> bool {
    mount.kind.text() == "bind" && is_socket(mount.source.text())
}

fn is_socket(source: &str) -> bool {
    clean(source).is_some_and(|path| SOCKETS.contains(&path.as_str()))
}
