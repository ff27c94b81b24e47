//! Volumes: the local driver mounts whatever its options name, so that they are judged whole, when a
//! volume is made and again when one that is there is used.

use super::{Judge, key, listed};
use crate::docker::body::volume::VolumeCreate;
use crate::policy::Reason;
use crate::policy::facts::{Seen, Volume};
use crate::policy::pattern::Pattern;
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

/// A device as listed. `..` would lead out of what a pattern holds together, `.` and nothing to the directory
/// that holds it.
fn device_matches(pattern: &Pattern, device: &str) -> bool {
    let empty = |path: &str| path.split('/').filter(|part| part.is_empty()).count();
    let plain = || {
        let dots = device.split('/').any(|part| matches!(part, "." | ".."));
        !dots && empty(device) == empty(pattern.as_str())
    };
    pattern.matches(device) && (pattern.as_str() == device || plain())
}

/// `o` option by option, so that `*` stands for no comma and what comes after it.
fn each_matches(pattern: &Pattern, options: &str) -> bool {
    if pattern.as_str().contains("**") {
        return pattern.matches(options);
    }
    let (wanted, given) = (pattern.as_str().split(','), options.split(','));
    wanted.clone().count() == given.clone().count()
        && wanted.zip(given).all(|(wanted, given)| Pattern::new(wanted).matches(given))
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
        let listed_whole = known && self.profile.volume_options.iter().any(fits);
        if !(options.is_empty() || listed_whole) {
            let shown: Vec<_> =
                options.iter().map(|(k, v)| format!("{}={}", key(k), key(v))).collect();
            let what = format!("have a volume with options {}", listed(&shown));
            self.deny(Reason::VolumeOptions, field, shown.join(","), what);
        }
    }

    /// A volume that is there, or will be made plain.
    pub(super) fn volume_fact(&mut self, field: &str, name: &str) {
        let Volume { driver, options } = match self.facts.volumes.get(name) {
            Some(Seen::Missing) => return,
            Some(Seen::Found(volume)) => volume,
            None => {
                let what = format!("use volume {name:?}: it cannot be looked at");
                return self.deny(Reason::VolumeUnseen, field, name, what);
            }
        };
        self.volume_driver(field, driver);
        let options: Vec<_> = options.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        self.driver_options(field, &options);
    }
}
