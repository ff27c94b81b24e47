//! Mounts: binds, volumes, tmpfs, of every spelling.

use super::inside::MountPlace;
use super::names::is_plain;
use super::{Judge, StringMap};
use crate::docker::body::config::ContainerConfig;
use crate::docker::body::create::{
    BindOptions, Driver, HostConfig, ImageOptions, Mount, TmpfsOptions, VolumeMountOptions,
};
use crate::docker::body::field::{Empty, Field, Map};
use crate::policy::glob::Glob;
use crate::policy::{Reason, Seen};
use std::borrow::Cow;

/// What may stand behind the second colon of a bind. Propagation that is not private carries mounts
/// out of the container.
const BIND_MODES: [&str; 11] = [
    "ro",
    "rw",
    "z",
    "Z",
    "nocopy",
    "private",
    "rprivate",
    "consistent",
    "cached",
    "delegated",
    "default",
];

/// Options of a tmpfs that bring nothing in. `dev` and `suid` do.
const TMPFS_OPTIONS: [&str; 10] =
    ["ro", "rw", "exec", "noexec", "nosuid", "nodev", "noatime", "sync", "async", "dirsync"];

/// Options of a tmpfs with a value, a number with a unit: a comma in it would begin another option.
const TMPFS_VALUES: [&str; 6] = ["size", "mode", "uid", "gid", "nr_inodes", "nr_blocks"];

/// Whether it is a plain name, of which the daemon makes a volume.
pub(in crate::policy) fn is_volume_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && is_plain(name)
}

impl Judge<'_> {
    /// `HostConfig.Binds`, split as the daemon does (`volume/mounts/linux_parser.go`):
    /// `target`, `source:target`, `source:target:mode`.
    pub(super) fn binds(&mut self, binds: &[Cow<'_, str>]) {
        for (i, bind) in binds.iter().enumerate() {
            let field = self.host(&format!("Binds[{i}]"));
            let mut parts = bind.split(':');
            match (parts.next(), parts.next(), parts.next(), parts.next()) {
                (Some(target), None, None, None) => self.target(&field, target),
                (Some(source), Some(target), mode, None) => {
                    let read_only = self.bind_modes(&field, mode.unwrap_or_default());
                    self.source(&field, source, read_only);
                    self.target(&field, target);
                }
                _ => {
                    let what = format!("mount {bind:?}: it has more than two colons");
                    self.deny(Reason::MountPath, field, bind.as_ref(), what);
                }
            }
        }
    }

    /// Judges the modes, and says whether they make the mount read-only.
    fn bind_modes(&mut self, field: &str, modes: &str) -> bool {
        let given = || modes.split(',').filter(|mode| !mode.is_empty());
        if let Some(mode) = given().find(|mode| !BIND_MODES.contains(mode)) {
            let what = format!("mount with option {mode:?}");
            self.deny(Reason::MountOptions, field, modes, what);
        }
        given().any(|mode| mode == "ro") && !given().any(|mode| mode == "rw")
    }

    fn source(&mut self, field: &str, source: &str, read_only: bool) {
        if source.starts_with('/') {
            self.host_path(field, source, read_only);
        } else {
            self.named_volume(field, source);
        }
    }

    /// A named volume that is mounted: what is there already may be more than a volume.
    fn named_volume(&mut self, field: &str, name: &str) {
        if self.volume_name(field, name) {
            self.volume_fact(field, name);
        }
    }

    /// The name of a volume, and whether it may be used. The daemon makes one of any plain word, so a
    /// relative path is no path.
    pub(super) fn volume_name(&mut self, field: &str, name: &str) -> bool {
        if !is_volume_name(name) {
            let what =
                format!("mount {name:?}: it is neither an absolute path nor a volume's name");
            self.deny(Reason::MountPath, field, name, what);
        } else if !self.profile.volumes().fits(name) {
            self.refuse(Reason::VolumeName, field, name, "mount volume");
            let shown: Vec<_> = self.profile.volumes().iter().map(Glob::as_str).collect();
            self.allowing_listed("volumes", &shown);
        } else {
            return true;
        }
        false
    }

    /// `HostConfig.Mounts`, and a service's.
    pub(super) fn mounts(&mut self, mounts: &[Mount<'_>]) {
        for (i, mount) in mounts.iter().enumerate() {
            self.mount(&self.host(&format!("Mounts[{i}]")), mount);
        }
    }

    fn mount(&mut self, field: &str, mount: &Mount<'_>) {
        let Mount {
            kind,
            source,
            target,
            read_only,
            consistency: _,
            bind_options,
            volume_options,
            image_options,
            tmpfs_options,
            cluster_options: _, // of a type that is refused
            borrow: _,
        } = mount;
        let (kind, source) = (kind.text(), source.text());
        let at = format!("{field}.Source");
        match kind {
            "bind" => {
                let weak =
                    bind_options.value().is_some_and(|o| o.read_only_non_recursive.or_zero());
                self.host_path(&at, source, read_only.or_zero() && !weak);
            }
            "volume" if source.is_empty() => {}
            "volume" => self.named_volume(&at, source),
            "tmpfs" if source.is_empty() => {}
            _ => {
                let what = format!("mount {source:?} of type {kind:?}");
                self.deny(Reason::MountType, format!("{field}.Type"), kind, what);
                self.allowing("allowed types: bind, volume, tmpfs");
            }
        }
        self.target(&format!("{field}.Target"), target.text());
        self.bind_options(field, bind_options.value());
        self.volume_options(field, volume_options.value());
        self.image_options(field, image_options.value());
        self.tmpfs_options(field, tmpfs_options.value());
    }

    fn bind_options(&mut self, field: &str, options: Option<&BindOptions<'_>>) {
        let Some(BindOptions {
            propagation,
            non_recursive: _,             // mounts less
            create_mountpoint: _,         // makes a path that was judged
            read_only_non_recursive: _,   // judged with the mount: it counts as writable
            read_only_force_recursive: _, // mounts less writable
            borrow: _,
        }) = options
        else {
            return;
        };
        if !matches!(propagation.text(), "" | "private" | "rprivate") {
            let what = format!("mount with propagation {:?}", propagation.text());
            let field = format!("{field}.BindOptions.Propagation");
            self.deny(Reason::MountOptions, field, propagation.text(), what);
        }
    }

    fn volume_options(&mut self, field: &str, options: Option<&VolumeMountOptions<'_>>) {
        let Some(VolumeMountOptions { no_copy: _, labels, driver_config, subpath, borrow: _ }) =
            options
        else {
            return;
        };
        self.label_keys(&format!("{field}.VolumeOptions.Labels"), labels);
        self.subpath(&format!("{field}.VolumeOptions.Subpath"), subpath.text());
        let Some(Driver { name, options, borrow: _ }) = driver_config.value() else { return };
        let field = format!("{field}.VolumeOptions.DriverConfig");
        self.volume_driver(&format!("{field}.Name"), name.text());
        if options.entries().next().is_some() {
            let keys: Vec<_> = options.entries().map(|(key, _)| key).collect();
            let what = "give a volume driver options inside a mount";
            self.deny(Reason::MountDriver, format!("{field}.Options"), keys.join(","), what);
        }
    }

    fn image_options(&mut self, field: &str, options: Option<&ImageOptions<'_>>) {
        let Some(ImageOptions { subpath, borrow: _ }) = options else { return };
        self.subpath(&format!("{field}.ImageOptions.Subpath"), subpath.text());
    }

    fn subpath(&mut self, field: &str, subpath: &str) {
        let mut parts = subpath.split('/');
        if subpath.starts_with('/') || parts.any(|part| part == "..") {
            self.refuse(Reason::MountPath, field, subpath, "mount subpath");
        }
    }

    fn tmpfs_options(&mut self, field: &str, options: Option<&TmpfsOptions<'_>>) {
        // size and mode act inside the container's own mount and memory
        let Some(TmpfsOptions { size_bytes: _, mode: _, options, borrow: _ }) = options else {
            return;
        };
        for (i, words) in options.items().iter().enumerate() {
            let text = words.join("=");
            self.tmpfs_option(&format!("{field}.TmpfsOptions.Options[{i}]"), &text);
        }
    }

    /// `HostConfig.Tmpfs`: options by target.
    pub(super) fn tmpfs(&mut self, tmpfs: &StringMap<'_>) {
        for (target, options) in tmpfs.entries() {
            let field = self.host(&format!("Tmpfs.{}", super::key(target)));
            self.target(&field, target);
            for option in options.split(',').filter(|option| !option.is_empty()) {
                self.tmpfs_option(&field, option);
            }
        }
    }

    fn tmpfs_option(&mut self, field: &str, option: &str) {
        let known = match option.split_once('=') {
            Some((key, value)) => {
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'%';
                TMPFS_VALUES.contains(&key) && value.bytes().all(plain)
            }
            None => TMPFS_OPTIONS.contains(&option),
        };
        if !known {
            self.refuse(Reason::TmpfsOption, field, option, "mount a tmpfs with option");
        }
    }

    /// `Volumes` of the config: anonymous ones, by target alone. `"/a:/b"` is one odd target.
    pub(super) fn anonymous_volumes(&mut self, volumes: &Field<Map<'_, Empty>>) {
        for (target, _) in volumes.entries() {
            if target.contains(':') {
                let what = "make a volume at";
                self.refuse(Reason::MountPath, format!("Volumes.{target}"), target, what);
            } else {
                self.target(&format!("Volumes.{target}"), target);
            }
        }
    }

    /// Where all of that is mounted, of a container that is to be made: it and what its image brings along.
    pub(super) fn mount_places(
        &self,
        host: &HostConfig<'_>,
        config: &ContainerConfig<'_>,
    ) -> Vec<MountPlace> {
        let place = |field: String, target: &str, tmpfs| MountPlace {
            field,
            target: target.to_owned(),
            tmpfs,
        };
        let binds = host.binds.items().iter().enumerate().map(|(i, bind)| {
            let target = bind.split(':').nth(1).unwrap_or(bind);
            place(self.host(&format!("Binds[{i}]")), target, false)
        });
        let mounts = self.places_of(host.mounts.items());
        let tmpfs = host.tmpfs.entries();
        let tmpfs = tmpfs.map(|(target, _)| {
            place(self.host(&format!("Tmpfs.{}", super::key(target))), target, true)
        });
        let volumes = config.volumes.entries();
        let volumes = volumes
            .map(|(target, _)| place(format!("Volumes.{}", super::key(target)), target, false));
        let image = self.facts.images.get(config.image.text()).and_then(Seen::found);
        let brought = image.into_iter().flat_map(|image| &image.volumes);
        let brought = brought
            .map(|target| place(format!("Image.Volumes.{}", super::key(target)), target, false));
        let from = super::join::lenders(host, self.facts);
        let from = from.into_iter().flat_map(|container| &container.mounts).map(|mount| {
            let field = self.host(&format!("VolumesFrom.{}", super::key(&mount.target)));
            place(field, &mount.target, mount.tmpfs)
        });
        binds.chain(mounts).chain(tmpfs).chain(volumes).chain(brought).chain(from).collect()
    }

    /// Where `Mounts` are, of a container or a service.
    pub(super) fn places_of(&self, mounts: &[Mount<'_>]) -> Vec<MountPlace> {
        let place = |(i, mount): (usize, &Mount<'_>)| MountPlace {
            field: self.host(&format!("Mounts[{i}].Target")),
            target: mount.target.text().to_owned(),
            tmpfs: mount.kind.text() == "tmpfs",
        };
        mounts.iter().enumerate().map(place).collect()
    }

    /// A volume driver's name; empty is the daemon's `local`.
    pub(super) fn volume_driver(&mut self, field: &str, driver: &str) {
        let known = driver.is_empty() || self.profile.volume_drivers().has(driver);
        if !known {
            self.refuse(Reason::VolumeDriver, field, driver, "use volume driver");
            self.allowing_listed("drivers", self.profile.volume_drivers());
        }
    }
}
