//! The mounts of a process, as the kernel lists them in `/proc/PID/mountinfo` (proc(5)). A path alone
//! does not say what it names: two processes may see different things under it, and one thing may be
//! seen under two paths. A device and the place within it does say.

use crate::problem::{Actionable, Problem};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Component, Path, PathBuf};

/// What the kernel appends to a path whose directory has been removed.
const DELETED: &[u8] = b"//deleted";

/// Why the mounts are not known.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.problem())]
pub enum MountsError {
    /// The list could not be read.
    Unreadable(PathBuf, #[source] io::Error),
    /// A line (counted from 1) is not as proc(5) has it.
    Line(usize),
}

impl Actionable for MountsError {
    fn problem(&self) -> Problem {
        match self {
            Self::Unreadable(path, error) => Problem::new(
                format!("cannot read {}: {error}", path.display()),
                "see that /proc is mounted and shows the daemon's process",
            ),
            Self::Line(number) => Problem::new(
                format!("line {number} of mountinfo cannot be read"),
                "see whether the kernel is one that dockward knows",
            ),
        }
    }
}

/// Where something is, whatever the path to it: a file system, and a path from that file system's
/// own root. Only to be compared with other locations, never opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// `major:minor` as in mountinfo.
    device: String,
    path: PathBuf,
}

impl Location {
    /// Whether one is the other, lies in it, or holds it.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let nested = self.path.starts_with(&other.path) || other.path.starts_with(&self.path);
        self.device == other.device && nested
    }
}

/// The mounts that a process sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mounts(Vec<MountEntry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct MountEntry {
    id: u32,
    parent: u32,
    device: String,
    /// What of the file system is mounted; `None` where that is no path, or where it or the mount
    /// point has been removed meanwhile.
    root: Option<PathBuf>,
    point: PathBuf,
    /// The type of the file system.
    kind: String,
}

impl Mounts {
    /// The mounts that this process sees.
    ///
    /// # Errors
    /// The list cannot be read or understood.
    pub fn own() -> Result<Self, MountsError> {
        Self::read(Path::new("/proc/self/mountinfo"))
    }

    /// The mounts that another process sees.
    ///
    /// # Errors
    /// The list cannot be read (no such process, or hidden from us) or understood.
    pub fn of_process(pid: i32) -> Result<Self, MountsError> {
        Self::read(&PathBuf::from(format!("/proc/{pid}/mountinfo")))
    }

    /// The mounts that the first process of a container sees, by the number that the daemon has for it: through the
    /// daemon's own `/proc`, where that may be entered, since the daemon may have other numbers than we.
    ///
    /// # Errors
    /// As [`Self::of_process`].
    pub fn of_container(daemon: i32, pid: i32) -> Result<Self, MountsError> {
        let inner = PathBuf::from(format!("/proc/{daemon}/root/proc/{pid}/mountinfo"));
        Self::read(&inner).or_else(|error| match shares_numbers(daemon) {
            true => Self::of_process(pid),
            false => Err(error),
        })
    }

    fn read(path: &Path) -> Result<Self, MountsError> {
        let text = fs::read(path).map_err(|e| MountsError::Unreadable(path.to_owned(), e))?;
        Self::parse(&text)
    }

    /// Reads the text of a mountinfo file.
    ///
    /// # Errors
    /// A line with too few fields, a number that is none, or a path that is not absolute.
    pub fn parse(text: &[u8]) -> Result<Self, MountsError> {
        let lines = text.split(|byte| *byte == b'\n').enumerate();
        let lines = lines.filter(|(_, line)| !line.is_empty());
        let mounts = lines.map(|(at, line)| mount(line).ok_or(MountsError::Line(at + 1)));
        mounts.collect::<Result<_, _>>().map(Self)
    }

    /// Where each component of an absolute, clean path is, from `/` to the whole path, provided that
    /// none is a symbolic link. `None` if the mounts do not say.
    #[must_use]
    pub fn locations(&self, path: &Path) -> Option<Vec<Location>> {
        let mut here = PathBuf::new();
        let mut mount = self.root()?;
        let mut locations = Vec::new();
        for component in path.components() {
            match component {
                Component::RootDir | Component::Normal(_) => here.push(component),
                Component::Prefix(_) | Component::CurDir | Component::ParentDir => return None,
            }
            mount = self.topmost(mount, &here);
            locations.push(mount.locate(&here)?);
        }
        (!locations.is_empty() && path.is_absolute()).then_some(locations)
    }

    /// Where a path is; see [`Mounts::locations`].
    #[must_use]
    pub fn location(&self, path: &Path) -> Option<Location> {
        self.locations(path)?.pop()
    }

    /// Where a volume of the local driver is mounted, which it keeps in a directory of its name (`volume/local/local.go` of moby).
    pub fn of_volume(&self, name: &str) -> impl Iterator<Item = &Path> {
        let kept = Path::new("volumes").join(name).join("_data");
        self.points(move |mount| mount.root.as_ref().is_some_and(|root| root.ends_with(&kept)))
    }

    /// Where a path of the host is mounted, which is what of its file system is: all of one is not told apart from others.
    pub fn of_host(&self, source: &str) -> impl Iterator<Item = &Path> {
        self.points(move |mount| {
            let root = mount.root.as_ref().and_then(|root| root.strip_prefix("/").ok());
            let root = root.filter(|root| !root.as_os_str().is_empty());
            root.is_some_and(|root| Path::new(source).ends_with(root))
        })
    }

    /// Where a whole tmpfs is mounted.
    pub fn of_tmpfs(&self) -> impl Iterator<Item = &Path> {
        self.points(|mount| mount.kind == "tmpfs" && mount.root.as_deref() == Some(Path::new("/")))
    }

    fn points(&self, is: impl Fn(&MountEntry) -> bool) -> impl Iterator<Item = &Path> {
        self.0.iter().filter(move |mount| is(mount)).map(|mount| mount.point.as_path())
    }

    /// Whether these are what a container begins with, as its first process sees it. One that has gone to another root sees
    /// other paths, and without privileges nobody has these file systems there.
    #[must_use]
    pub fn are_of_a_container(&self) -> bool {
        let kinds = [("/proc", "proc"), ("/sys", "sysfs"), ("/dev", "tmpfs")];
        kinds.iter().all(|(point, kind)| {
            self.0.iter().any(|mount| mount.point == Path::new(point) && mount.kind == *kind)
        })
    }

    /// Whether something is mounted right there.
    #[must_use]
    pub fn has(&self, point: &Path) -> bool {
        self.0.iter().any(|mount| mount.point == point)
    }

    /// What is mounted on directories under this path, to any depth: a recursive bind mount of the
    /// path brings all of it along.
    pub fn beneath(&self, path: &Path) -> impl Iterator<Item = Location> {
        let inside = self.0.iter().filter(move |m| m.point.starts_with(path) && m.point != path);
        inside.filter_map(|mount| mount.locate(&mount.point))
    }

    /// The mount at `/` that is on no other mount of the list.
    fn root(&self) -> Option<&MountEntry> {
        let hangs =
            |m: &MountEntry| self.0.iter().any(|other| other.id == m.parent && other.id != m.id);
        let mut roots = self.0.iter().filter(|m| m.point == Path::new("/") && !hangs(m));
        let root = roots.next()?;
        roots.next().is_none().then_some(root)
    }

    /// What is seen at `point` by somebody who arrives there on `mount`: the mount on it, the mount
    /// on that one, and so on.
    fn topmost<'m>(&'m self, mut mount: &'m MountEntry, point: &Path) -> &'m MountEntry {
        for _ in &self.0 {
            let on_it =
                |m: &&MountEntry| m.parent == mount.id && m.id != mount.id && m.point == point;
            match self.0.iter().rfind(on_it) {
                Some(upper) => mount = upper,
                None => break,
            }
        }
        mount
    }
}

/// Whether a process lives in the process namespace that our `/proc` shows: it has one number there (`NSpid`, status(5)).
fn shares_numbers(pid: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    numbers.is_some_and(|numbers| numbers.split_whitespace().count() == 1)
}

impl MountEntry {
    fn locate(&self, path: &Path) -> Option<Location> {
        let inner = path.strip_prefix(&self.point).ok()?;
        let root = self.root.as_ref()?;
        let path = if inner.as_os_str().is_empty() { root.clone() } else { root.join(inner) };
        Some(Location { device: self.device.clone(), path })
    }
}

/// One line: id, parent id, major:minor, root, mount point, then options we do not need.
fn mount(line: &[u8]) -> Option<MountEntry> {
    let mut fields = line.split(|byte| *byte == b' ');
    let id = number(fields.next()?)?;
    let parent = number(fields.next()?)?;
    let device = std::str::from_utf8(fields.next()?).ok()?.to_owned();
    let root = unescape(fields.next()?)?;
    let point = unescape(fields.next()?)?;
    let is_whole = device.contains(':') && point.is_absolute() && fields.any(|f| f == b"-");
    let kind = String::from_utf8_lossy(fields.next().unwrap_or_default()).into_owned();
    // The roots of some pseudo file systems are no paths (`net:[4026531840]`).
    let removed = [&root, &point].iter().any(|p| p.as_os_str().as_bytes().ends_with(DELETED));
    let usable = root.is_absolute() && !removed;
    is_whole.then_some(MountEntry { id, parent, device, root: usable.then_some(root), point, kind })
}

fn number(field: &[u8]) -> Option<u32> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// Undoes the kernel's escapes: a backslash and three octal digits for space, tab, newline,
/// backslash (`mangle` in fs/proc_namespace.c).
fn unescape(field: &[u8]) -> Option<PathBuf> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        bytes.push(match first {
            b'\\' => {
                let (digits, after) = rest.split_at_checked(3)?;
                rest = after;
                octal(digits)?
            }
            byte => *byte,
        });
    }
    Some(PathBuf::from(OsString::from_vec(bytes)))
}

fn octal(digits: &[u8]) -> Option<u8> {
    let all = digits.iter().all(|digit| matches!(digit, b'0'..=b'7'));
    all.then(|| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mounts(text: &str) -> Mounts {
        Mounts::parse(text.as_bytes()).unwrap()
    }

    fn location(device: &str, path: &str) -> Location {
        Location { device: device.to_owned(), path: path.into() }
    }

    const PLAIN: &str = "\
        22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
        30 22 0:25 / /tmp rw - tmpfs tmpfs rw\n\
        31 22 8:1 /var /mnt/alias rw - ext4 /dev/sda1 rw\n\
        32 22 8:17 / /var/lib/docker rw - xfs /dev/sdb1 rw\n";

    #[test]
    fn a_path_is_located_through_the_mount_that_covers_it() {
        let mounts = mounts(PLAIN);
        assert_eq!(mounts.location(Path::new("/")), Some(location("8:1", "/")));
        assert_eq!(mounts.location(Path::new("/tmpx/a")), Some(location("8:1", "/tmpx/a")));
        assert_eq!(mounts.location(Path::new("/tmp/a")), Some(location("0:25", "/a")));
        assert_eq!(mounts.location(Path::new("/mnt/alias/x")), Some(location("8:1", "/var/x")));
        assert_eq!(mounts.location(Path::new("/var/lib/docker")), Some(location("8:17", "/")));
        assert_eq!(mounts.location(Path::new("tmp")), None);
        assert_eq!(mounts.location(Path::new("/tmp/../etc")), None);
    }

    #[test]
    fn a_later_mount_hides_what_lies_under_it() {
        let mounts = mounts(
            "1 1 8:1 / / rw - ext4 a rw\n\
             2 1 8:2 / /a/b rw - ext4 b rw\n\
             3 1 8:3 / /a rw - ext4 c rw\n\
             4 3 8:4 / /a rw - ext4 d rw\n",
        );
        assert_eq!(mounts.location(Path::new("/a/b")), Some(location("8:4", "/b")));
        assert_eq!(mounts.locations(Path::new("/a/b")).unwrap().len(), 3);
    }

    #[test]
    fn what_the_list_does_not_say_is_not_known() {
        let none = mounts("5 4 8:1 / /jail rw - ext4 a rw\n");
        assert_eq!(none.location(Path::new("/jail")), None);
        let two = mounts("5 4 8:1 / / rw - ext4 a rw\n7 6 8:2 / / rw - ext4 a rw\n");
        assert_eq!(two.location(Path::new("/")), None);
        let gone = mounts("5 4 8:1 / / rw - ext4 a rw\n6 5 8:1 /x//deleted /x rw - ext4 a rw\n");
        assert_eq!(gone.location(Path::new("/x/y")), None);
        let pseudo = mounts("5 4 8:1 / / rw - ext4 a rw\n6 5 0:4 net:[4] /n rw - nsfs nsfs rw\n");
        assert_eq!(pseudo.location(Path::new("/n")), None);
    }

    #[test]
    fn the_kernels_escapes_are_undone() {
        let odd = mounts("5 4 8:1 /a\\040b /\\011x\\134y\\012 rw - ext4 a rw\n");
        assert_eq!(odd.0[0].root.as_deref(), Some(Path::new("/a b")));
        assert_eq!(odd.0[0].point, Path::new("/\tx\\y\n"));
        for bad in ["\\04", "\\", "\\888", "\\0x1", "\\777", "\\+11"] {
            assert_eq!(unescape(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_line_that_is_not_whole_is_an_error() {
        for line in ["", "1", "1 2 8:1 / /", "x 2 8:1 / / rw - e s o", "1 2 81 / / rw - e s o"] {
            let text = format!("5 4 8:1 / / rw - ext4 a rw\n{line} \n");
            assert!(matches!(Mounts::parse(text.as_bytes()), Err(MountsError::Line(2))), "{line}");
        }
    }

    #[test]
    fn what_a_recursive_bind_brings_along_is_known() {
        let mounts = mounts(PLAIN);
        let under = |path: &str| mounts.beneath(Path::new(path)).collect::<Vec<_>>();
        assert_eq!(under("/mnt"), [location("8:1", "/var")]);
        assert_eq!(under("/var/lib/docker"), []);
        assert_eq!(under("/").len(), 3);
    }

    #[test]
    fn places_overlap_by_component_on_one_device() {
        let docker = location("8:1", "/var/lib/docker");
        for near in ["/", "/var", "/var/lib/docker", "/var/lib/docker/x"] {
            assert!(docker.overlaps(&location("8:1", near)), "{near}");
        }
        for far in ["/var/lib/docker2", "/var/lib/dock", "/srv"] {
            assert!(!docker.overlaps(&location("8:1", far)), "{far}");
        }
        assert!(!docker.overlaps(&location("8:2", "/")));
    }

    #[test]
    fn the_list_of_this_process_can_be_read() {
        let own = Mounts::own().unwrap();
        assert!(own.location(Path::new("/proc")).is_some());
        let pid = i32::try_from(std::process::id()).unwrap();
        assert_eq!(Mounts::of_process(pid).unwrap(), own);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Mounts::parse(&text);
        }

        #[test]
        fn lines_that_nearly_fit_never_panic(text in "([0-3] [0-3] 8:[12] /[a-c]{0,2} /[a-c]{0,1}(/[a-c])? rw - x y z\n){0,6}") {
            let mounts = Mounts::parse(text.as_bytes()).unwrap();
            let _ = mounts.location(Path::new("/a/b/c"));
        }
    }
}
