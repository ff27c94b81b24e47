//! Volumes: the local driver mounts whatever its options name, so that they are judged whole, when a
//! volume is made and again when one that is there is used.

use super::{Judge, key, listed};
use crate::docker::body::volume::{VolumeCreate, host_paths};
use crate::policy::Reason;
use crate::policy::facts::{Seen, Volume};
use crate::policy::glob::Glob;
use crate::policy::profile::VolumeOptions;

/// `POST /volumes/create`.
pub(super) fn create(judge: &mut Judge<'_>, body: &VolumeCreate<'_>) {
    let VolumeCreate { name, driver, driver_opts, labels, cluster_volume_spec, borrow: _ } = body;
    if !name.text().is_empty() {
        judge.volume_name("Name", name.text());
    }
    judge.volume_driver("Driver", driver.text());
    let options: Vec<_> = driver_opts.entries().map(|(k, v)| (k, v.as_ref())).collect();
    judge.driver_options("DriverOpts", &options);
    judge.label_keys("Labels", labels);
    if cluster_volume_spec.value().is_some() {
        let what = "make a volume of the cluster";
        judge.deny(Reason::Reserved, "ClusterVolumeSpec", "", what);
    }
}

/// Options of mounts that are told with their values; those of others may be passwords.
const TOLD_VALUES: [&str; 13] = [
    "addr",
    "clientaddr",
    "gid",
    "ip",
    "lowerdir",
    "mode",
    "nfsvers",
    "port",
    "size",
    "uid",
    "upperdir",
    "vers",
    "workdir",
];

/// Options of mounts that have no value and are told; other words may be what follows a comma in a
/// password.
const TOLD_WORDS: [&str; 19] = [
    "bind", "dev", "exec", "hard", "noatime", "nodev", "noexec", "nolock", "nosuid", "private",
    "rbind", "ro", "rprivate", "rshared", "rslave", "rw", "shared", "soft", "suid",
];

/// An option of a volume as it may be told: the refusal is logged, and goes to others than the one who
/// made the volume.
fn told(name: &str, value: &str) -> String {
    match name {
        "type" => format!("type={}", key(value)),
        "device" => match value.rsplit_once('@') {
            Some((_, host)) => format!("device=***@{}", key(host)),
            None => format!("device={}", key(value)),
        },
        "o" => {
            let options: Vec<_> = key(value).split(',').map(told_option).collect();
            format!("o={}", options.join(","))
        }
        name => format!("{}=***", key(name)),
    }
}

fn told_option(option: &str) -> String {
    match option.split_once('=') {
        Some((name, _)) if TOLD_VALUES.contains(&name) => option.to_owned(),
        Some((name, _)) => format!("{name}=***"),
        None if option.is_empty() || TOLD_WORDS.contains(&option) => option.to_owned(),
        None => "***".to_owned(),
    }
}

/// A device as listed. `..` would lead out of what a pattern holds together, `.` and nothing to the directory
/// that holds it.
fn device_matches(pattern: &Glob, device: &str) -> bool {
    let empty = |path: &str| path.split('/').filter(|part| part.is_empty()).count();
    let plain = || {
        let dots = device.split('/').any(|part| matches!(part, "." | ".."));
        !dots && empty(device) == empty(pattern.as_str())
    };
    pattern.matches(device) && (pattern.as_str() == device || plain())
}

/// `o` option by option, so that `*` stands for no comma and what comes after it.
fn each_matches(pattern: &Glob, options: &str) -> bool {
    if pattern.as_str().contains("**") {
        return pattern.matches(options);
    }
    let (wanted, given) = (pattern.as_str().split(','), options.split(','));
    wanted.clone().count() == given.clone().count()
        && wanted.zip(given).all(|(wanted, given)| Glob::new(wanted).matches(given))
}

impl Judge<'_> {
    /// Options of a volume: none, or exactly type, device and o as the profile lists them together.
    fn driver_options(&mut self, field: &str, options: &[(&str, &str)]) {
        let value = |name| options.iter().find(|(key, _)| *key == name).map_or("", |(_, v)| *v);
        let known = options.iter().all(|(key, _)| matches!(*key, "type" | "device" | "o"));
        let fits = |listed: &VolumeOptions| {
            let VolumeOptions { kind, device, options } = listed;
            kind == value("type")
                && device_matches(device, value("device"))
                && each_matches(options, value("o"))
        };
        let listed_whole = known && self.profile.volume_options().iter().any(fits);
        if !(options.is_empty() || listed_whole) {
            let shown: Vec<_> = options.iter().map(|(key, value)| told(key, value)).collect();
            let what = format!("have a volume with options {}", listed(&shown));
            return self.deny(Reason::VolumeOptions, field, shown.join(","), what);
        }
        for path in host_paths(options.iter().copied()) {
            self.shown_path(field, path);
        }
    }

    /// A volume that is there, or will be made plain.
    pub(super) fn volume_fact(&mut self, field: &str, name: &str) {
        let Volume { name: _, labels: _, driver, options } = match self.facts.volumes.get(name) {
            Some(Seen::Missing) => return,
            Some(Seen::Found(volume)) => volume,
            Some(Seen::Several) | None => {
                let what = format!("use volume {name:?}: it cannot be looked at");
                return self.deny(Reason::VolumeUnseen, field, name, what);
            }
        };
        self.volume_driver(field, driver);
        let options: Vec<_> = options.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        self.driver_options(field, &options);
    }
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn passwords_are_not_told() {
        for (name, value, shown) in [
            ("type", "cifs", "type=cifs"),
            ("device", "//10.0.0.9/share", "device=//10.0.0.9/share"),
            ("device", "me:hunter2@10.0.0.9:/x", "device=***@10.0.0.9:/x"),
            ("o", "rbind", "o=rbind"),
            ("o", "addr=10.0.0.9,rw,password=hun,ter2", "o=addr=10.0.0.9,rw,password=***,***"),
            ("o", "username=me,pass=hunter2,vers=3.0", "o=username=***,pass=***,vers=3.0"),
            ("o", "lowerdir=/etc:/usr", "o=lowerdir=/etc:/usr"),
            ("O", "hunter2", "O=***"),
            ("secret", "hunter2", "secret=***"),
        ] {
            assert_eq!(told(name, value), shown, "{name}={value}");
        }
    }
}
