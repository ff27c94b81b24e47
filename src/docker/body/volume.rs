//! The bodies of `POST /volumes/create` and `PUT /volumes/{}`.

use super::create::{StringMap, Text, Texts};
use super::field::{Empty, Field, body};

/// The paths of the host that a volume of the local driver shows, by its options: what it binds, and the layers of an
/// overlay (`volume/local/local_unix.go` of moby hands all of them to mount(2), which follows links).
#[must_use]
pub fn host_paths<'o>(options: impl Iterator<Item = (&'o str, &'o str)>) -> Vec<&'o str> {
    let (mut device, mut bound, mut paths) = ("", false, Vec::new());
    for (key, value) in options {
        match key {
            "device" => device = value,
            "o" => {
                for word in value.split(',') {
                    match word.split_once('=') {
                        Some(("lowerdir" | "upperdir" | "workdir", layers)) => {
                            paths.extend(layers.split(':'));
                        }
                        _ => bound |= matches!(word, "bind" | "rbind"),
                    }
                }
            }
            _ => {}
        }
    }
    paths.extend(bound.then_some(device));
    paths
}

body! {
    /// `volume.CreateOptions`.
    VolumeCreate<'a> {
        name: Text<'a> = "Name",
        driver: Text<'a> = "Driver",
        driver_opts: StringMap<'a> = "DriverOpts",
        labels: StringMap<'a> = "Labels",
        cluster_volume_spec: Field<ClusterVolumeSpec<'a>> = "ClusterVolumeSpec",
    }

    /// `volume.UpdateOptions`: cluster volumes alone.
    VolumeUpdate<'a> {
        spec: Field<ClusterVolumeSpec<'a>> = "Spec",
    }

    /// `volume.ClusterVolumeSpec`.
    ClusterVolumeSpec<'a> {
        group: Text<'a> = "Group",
        access_mode: Field<AccessMode<'a>> = "AccessMode",
        accessibility: Field<Topologies<'a>> = "AccessibilityRequirements",
        capacity_range: Field<CapacityRange<'a>> = "CapacityRange",
        secrets: Field<Vec<VolumeSecret<'a>>> = "Secrets",
        availability: Text<'a> = "Availability",
    }

    /// `volume.AccessMode`. The schema nests here what moby has one level up; both are read.
    AccessMode<'a> {
        scope: Text<'a> = "Scope",
        sharing: Text<'a> = "Sharing",
        mount_volume: Field<MountVolume<'a>> = "MountVolume",
        block_volume: Field<Empty> = "BlockVolume",
        accessibility: Field<Topologies<'a>> = "AccessibilityRequirements",
        capacity_range: Field<CapacityRange<'a>> = "CapacityRange",
        secrets: Field<Vec<VolumeSecret<'a>>> = "Secrets",
        availability: Text<'a> = "Availability",
    }

    /// `volume.TypeMount`.
    MountVolume<'a> {
        fs_type: Text<'a> = "FsType",
        mount_flags: Texts<'a> = "MountFlags",
    }

    /// `volume.TopologyRequirement`.
    Topologies<'a> {
        requisite: Field<Vec<Topology<'a>>> = "Requisite",
        preferred: Field<Vec<Topology<'a>>> = "Preferred",
    }

    /// `volume.Topology`.
    Topology<'a> {
        segments: StringMap<'a> = "Segments",
    }

    /// `volume.CapacityRange`, in bytes.
    CapacityRange<'a> {
        required_bytes: Field<i64> = "RequiredBytes",
        limit_bytes: Field<i64> = "LimitBytes",
    }

    /// `volume.Secret`.
    VolumeSecret<'a> {
        key: Text<'a> = "Key",
        secret: Text<'a> = "Secret",
    }
}
