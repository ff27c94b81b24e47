//! Environment that is read outside of the container. Drivers of devices, NVIDIA's for one, run hooks on the host as
//! root while a container is made, some of them with the container's own environment (CVE-2025-23266); and their
//! runtimes read in it which devices are wanted (`internal/config/image` of nvidia-container-toolkit).

use super::Judge;
use super::host_paths::{clean, is_under};
use crate::policy::Reason;
use std::borrow::Cow;

/// What a variable reaches outside of its container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReadBy {
    /// Which devices there are in it, where this vendor's runtime makes it, asked for by nothing else.
    Devices(&'static str),
    /// What a hook loads, reads or writes.
    Hook,
    /// Where a hook's libraries are looked for, which images of CUDA set to places that the host has too.
    Libraries,
}

/// The variables, by name or by how names begin (`*`); the first row that fits counts.
const REACHING: [(&str, ReadBy); 15] = [
    ("NVIDIA_VISIBLE_DEVICES", ReadBy::Devices("nvidia")),
    ("NVIDIA_IMEX_CHANNELS", ReadBy::Devices("nvidia")),
    ("NVIDIA_MIG_*", ReadBy::Devices("nvidia")),
    ("AMD_VISIBLE_DEVICES", ReadBy::Devices("amd")),
    ("HABANA_VISIBLE_DEVICES", ReadBy::Devices("habana")),
    ("ASCEND_VISIBLE_DEVICES", ReadBy::Devices("ascend")),
    ("NVIDIA_CTK_*", ReadBy::Hook), // where the toolkit reads its own configuration
    ("XDG_CONFIG_HOME", ReadBy::Hook), // the same, of older ones
    ("LD_LIBRARY_PATH", ReadBy::Libraries),
    ("LD_*", ReadBy::Hook), // LD_PRELOAD and LD_AUDIT run code before the hook's own
    ("GLIBC_TUNABLES", ReadBy::Hook), // how its libc works (CVE-2023-4911)
    ("GCONV_PATH", ReadBy::Hook), // modules that its libc loads
    ("GETCONF_DIR", ReadBy::Hook), // programs that it runs
    ("LOCPATH", ReadBy::Hook), // files that it reads
    ("MALLOC_TRACE", ReadBy::Hook), // a file that it writes
];

/// Directories of the host in which libraries are root's alone.
const LIBRARIES: [&str; 5] = ["/usr", "/lib", "/lib32", "/lib64", "/opt"];

fn reach(name: &str) -> Option<ReadBy> {
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    };
    REACHING.iter().find(|(pattern, _)| fits(pattern)).map(|(_, reach)| *reach)
}

/// Whether an entry of an environment is of those that are looked at, so that what is known of a container
/// need not hold the others, which may be secrets.
#[must_use]
pub fn is_read_outside(entry: &str) -> bool {
    reach(entry.split('=').next().unwrap_or_default()).is_some()
}

/// Whether the loader of a hook would find in these directories what the host has there, and nothing else.
/// An empty one is where it stands, which is the container.
fn are_the_hosts(directories: &str) -> bool {
    let sound = |directory: &str| {
        let plain = !directory.contains('$') && !directory.split('/').any(|part| part == "..");
        let known = |path: &str| LIBRARIES.iter().any(|root| is_under(path, root));
        plain && clean(directory).is_some_and(|path| known(&path))
    };
    directories.is_empty() || directories.split([':', ';']).all(sound)
}

impl Judge<'_> {
    /// `Env` of what is made; without `=` a variable is taken away.
    pub(super) fn environment(&mut self, field: &str, entries: &[Cow<'_, str>]) {
        for entry in entries {
            if let Some((name, value)) = entry.split_once('=') {
                self.variable(field, name, value);
            }
        }
    }

    /// `Env` of a container that is there. Which devices its image asks for is what its runtime was set up
    /// to give: a daemon whose default is such a runtime gives them to every image that asks.
    pub(super) fn started_environment(&mut self, field: &str, entries: &[String]) {
        for entry in entries {
            if let Some((name, value)) = entry.split_once('=')
                && !matches!(reach(name), Some(ReadBy::Devices(_)))
            {
                self.variable(field, name, value);
            }
        }
    }

    /// `ENV` as an instruction. Quotes are taken away as the daemon takes them away; what they keep together falls
    /// apart here, at whatever is white (`unicode.IsSpace` of Go), so that rather too much is taken for a variable.
    pub(super) fn env_instruction(&mut self, rest: &str) {
        let plain: String = rest.chars().filter(|c| !matches!(c, '"' | '\'' | '\\')).collect();
        let mut words = plain.split(char::is_whitespace).filter(|word| !word.is_empty()).peekable();
        if let Some(name) = words.next_if(|word| !word.contains('=')) {
            let value: Vec<_> = words.collect();
            return self.written_variable(name, &value.join(" "));
        }
        for word in words {
            if let Some((name, value)) = word.split_once('=') {
                self.written_variable(name, value);
            }
        }
    }

    /// A name that another variable is a part of is known to nobody.
    fn written_variable(&mut self, name: &str, value: &str) {
        if name.contains('$') {
            let what = "set a variable whose name is made of another";
            self.deny(Reason::ImageChange, "query changes", name, what);
        } else {
            self.variable("query changes", name, value);
        }
    }

    /// The value is not told: it may be a secret.
    fn variable(&mut self, field: &str, name: &str, value: &str) {
        let sound = match reach(name) {
            None => true,
            Some(ReadBy::Devices(vendor)) => {
                matches!(value, "" | "void" | "none") || self.gives_devices_of(vendor)
            }
            Some(ReadBy::Hook) => value.is_empty() || !self.has_hooks(),
            Some(ReadBy::Libraries) => are_the_hosts(value) || !self.has_hooks(),
        };
        if sound {
            return;
        }
        let field = if field.ends_with('.') { format!("{field}{name}") } else { field.to_owned() };
        if let Some(ReadBy::Devices(vendor)) = reach(name) {
            let what = format!("ask for devices by {name}");
            self.deny(Reason::DeviceRequest, field, name, what);
            self.allowing(format!(
                "{name}=void, or a profile that lists {vendor} under device_requests"
            ));
        } else {
            let what = format!("set {name}, which hooks of devices read on the host");
            self.deny(Reason::DeviceEnvironment, field, name, what);
        }
    }

    /// Whether containers may have devices of this vendor, by request or by runtime.
    fn gives_devices_of(&self, vendor: &str) -> bool {
        let profile = self.profile;
        let by_runtime = |runtime: &String| runtime.starts_with(vendor);
        profile.device_requests().has(vendor) || profile.runtime().0.iter().any(by_runtime)
    }

    /// Whether hooks may be run for containers: by a driver that may be asked, or a runtime of such a vendor.
    fn has_hooks(&self) -> bool {
        let vendors = ["nvidia", "amd", "habana", "ascend"];
        !self.profile.device_requests().is_empty()
            || vendors.iter().any(|vendor| self.gives_devices_of(vendor))
    }
}

#[cfg(test)]
mod tests {
    use super::{are_the_hosts, is_read_outside};

    #[test]
    fn libraries_are_looked_for_where_the_host_has_its_own() {
        for sound in [
            "",
            "/usr/local/nvidia/lib:/usr/local/nvidia/lib64",
            "/usr/local/cuda/extras/CUPTI/lib64:/usr/local/cuda/lib64/",
            "/lib64",
            "/opt/conda/lib",
        ] {
            assert!(are_the_hosts(sound), "{sound}");
        }
        for unsound in [
            ":",
            "/usr/lib:",
            ":/usr/lib",
            "/usr/lib::/lib",
            ".",
            "lib",
            "/proc/self/cwd",
            "/usr/../proc/self/cwd",
            "/tmp",
            "/var/lib/docker/volumes/v/_data",
            "/usr/lib;/tmp",
            "$ORIGIN/lib",
            "/usr/$LIB/x",
            "/usrx",
        ] {
            assert!(!are_the_hosts(unsound), "{unsound}");
        }
    }

    #[test]
    fn what_is_not_looked_at_is_not_kept() {
        for read in ["LD_PRELOAD=x", "LD_AUDIT", "NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_MIG_X="] {
            assert!(is_read_outside(read), "{read}");
        }
        for other in
            ["PASSWORD=LD_PRELOAD", "PATH=/", "", "=", "ld_preload=x", "CUDA_VISIBLE_DEVICES=0"]
        {
            assert!(!is_read_outside(other), "{other}");
        }
    }
}
