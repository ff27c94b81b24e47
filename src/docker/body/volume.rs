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
                        // two colons stand before layers of data alone (`fs/overlayfs/params.c` of Linux)
                        Some((
                            "lowerdir" | "upperdir" | "workdir" | "lowerdir+" | "datadir+",
                            layers,
                        )) => paths.extend(layers.split(':').filter(|path| !path.is_empty())),
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

#[cfg(test)]
mod tests {
    use super::host_paths;

    /// Options, and what they show.
    type Shown = (&'static [(&'static str, &'static str)], &'static [&'static str]);

    #[test]
    fn a_volume_shows_what_it_binds_and_the_layers_of_an_overlay() {
        let shown: [Shown; 9] = [
            (&[("type", "none"), ("o", "bind"), ("device", "/a")], &["/a"]),
            (&[("device", "/a"), ("o", "ro,rbind")], &["/a"]),
            (&[("o", "lowerdir=/a:/b,upperdir=/c,workdir=/d")], &["/a", "/b", "/c", "/d"]),
            (&[("o", "lowerdir=/a::/d")], &["/a", "/d"]),
            (&[("o", "lowerdir+=/a,datadir+=/d")], &["/a", "/d"]),
            (&[("o", "bind")], &[""]),
            (&[("type", "nfs"), ("o", "addr=10.0.0.9,ro"), ("device", ":/a")], &[]),
            (&[("type", "ext4"), ("o", "Bind,bind=1"), ("device", "/dev/sdb")], &[]),
            (&[], &[]),
        ];
        for (options, paths) in shown {
            assert_eq!(host_paths(options.iter().copied()), paths, "{options:?}");
        }
    }
}
