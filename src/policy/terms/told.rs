//! Terms in words: as they are recorded, and as the client hears of them.

use super::{Filled, Omitted, Term};
use crate::docker::credentials;
use crate::policy::shortened::shortened;
use std::fmt;

impl fmt::Display for Omitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Socket => "the daemon's socket",
            Self::MacAddress => "a MAC address",
        })
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fill(default) => default.fmt(f),
            Self::Resolve(id) => write!(f, "path={id}"),
            Self::Container { given, id } => write!(f, "container {given}={id}"),
            Self::Network { given, id } => write!(f, "network {given}={id}"),
            Self::Alias { network, given, told } => {
                let told = shortened(format!("{given}={told} on {network}"));
                write!(f, "alias {told}")
            }
            Self::Withhold(registries) => {
                let named = shortened(registries.join(", "));
                write!(f, "{} without {named}", credentials::CONFIG)
            }
            Self::Label(key, value) => write!(f, "label {key}={value}"),
            Self::Volumes { planned, .. } if planned.is_empty() => f.write_str("volumes labelled"),
            Self::Volumes { planned, .. } => {
                let targets = planned.iter().map(|volume| volume.target.as_str());
                let targets = targets.collect::<Vec<_>>().join(", ");
                write!(f, "volumes labelled: {}", shortened(targets))
            }
            Self::Filter(key, value) => write!(f, "filter {key}={value}"),
            Self::Omit(what, place) => write!(f, "without {what}: {place}"),
            Self::LeaveOut(place) => {
                write!(f, "left out: {}", shortened(place.clone()))
            }
        }
    }
}

impl fmt::Display for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(bytes) => write!(f, "HostConfig.Memory={bytes}"),
            Self::Pids(count) => write!(f, "HostConfig.PidsLimit={count}"),
            Self::Cpus(nanos) => write!(f, "HostConfig.NanoCpus={nanos}"),
            Self::Shm(bytes) => write!(f, "HostConfig.ShmSize={bytes}"),
            Self::Ipc(mode) => write!(f, "HostConfig.IpcMode={mode}"),
            Self::Cgroupns(mode) => write!(f, "HostConfig.CgroupnsMode={mode}"),
            Self::MaskedPaths => f.write_str("HostConfig.MaskedPaths=default"),
            Self::HostIp(address) => write!(f, "HostConfig.PortBindings.*.HostIp={address}"),
            Self::NoNewPrivileges => f.write_str("HostConfig.SecurityOpt=no-new-privileges"),
            Self::CapDrop => f.write_str("HostConfig.CapDrop=ALL"),
            Self::ReadOnlyRoot => f.write_str("HostConfig.ReadonlyRootfs=true"),
            Self::Init => f.write_str("HostConfig.Init=true"),
            Self::Restart(policy) => write!(f, "HostConfig.RestartPolicy.Name={policy}"),
            Self::User(user) => write!(f, "User={user}"),
            Self::Runtime(name) => write!(f, "HostConfig.Runtime={name}"),
            Self::NetworkMode(name) => write!(f, "HostConfig.NetworkMode={name}"),
            Self::Build(key, value) => write!(f, "{key}={value}"),
            Self::CheckDuplicate => f.write_str("CheckDuplicate=true"),
            Self::NoCache => f.write_str("nocache=1"),
            Self::Removed => f.write_str("rm=1 forcerm=1"),
        }
    }
}

/// What the client hears of the terms: what changes what runs as what, and where it may write.
pub(in crate::policy) fn told(terms: &[Term]) -> Vec<String> {
    let is_told = |filled: &Filled| {
        matches!(
            filled,
            Filled::NoNewPrivileges
                | Filled::CapDrop
                | Filled::ReadOnlyRoot
                | Filled::Init
                | Filled::Restart(_)
                | Filled::User(_)
        )
    };
    let set = terms.iter().filter_map(|term| match term {
        Term::Fill(filled) if is_told(filled) => {
            Some(format!("dockward set {filled}, as the profile of your role asks"))
        }
        Term::Omit(what, place) => Some(format!(
            "dockward left out {place}: the profile of your role gives no container {what}"
        )),
        _ => None,
    });
    set.collect()
}
