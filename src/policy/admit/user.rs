//! Who runs inside: user, groups, working directory.

use super::Judge;
use super::names::decimal;
use crate::docker::body::config::ContainerConfig;
use crate::policy::Reason;
use crate::policy::facts::{Facts, Seen};
use crate::policy::model::Role;
use crate::policy::profile::{Profile, UserRule};
use std::borrow::Cow;

/// The user that is written into a body that names none: where its image's may not be, or is not known.
pub(super) fn set_user<'p>(
    role: &Role,
    profile: &'p Profile,
    facts: &Facts,
    config: &ContainerConfig<'_>,
) -> Option<&'p str> {
    let set = profile.user().set.as_deref().filter(|_| config.user.text().is_empty())?;
    let image = facts.images.get(config.image.text()).and_then(Seen::found);
    let may_be = image.is_some_and(|image| {
        let mut judge = Judge::new(role, profile, facts);
        judge.user("User", &image.user);
        judge.findings.is_empty()
    });
    (!may_be).then_some(set)
}

impl Judge<'_> {
    /// `User` of a container: `uid`, `uid:gid`, names. A name means what the image says it means.
    pub(super) fn user(&mut self, field: &str, user: &str) {
        if self.profile.user().allow == UserRule::Any {
            return;
        }
        let (uid, gid) = user.split_once(':').map_or((user, None), |(u, g)| (u, Some(g)));
        match decimal(uid) {
            None => {
                let what = match user {
                    "" => "run as the image's own user, which may be root".to_owned(),
                    user => format!("run as {user:?}: only the image knows which number that is"),
                };
                self.root(field, user, &what);
            }
            Some(0) => self.root(field, user, "run as root"),
            Some(uid) => {
                self.id_in_range(field, uid, false);
            }
        }
        match gid {
            None => self.implied_group(field, user),
            Some(gid) => {
                self.group(field, gid);
            }
        }
    }

    /// A user without a group has the one that the image's passwd gives it, which is 0 for a number
    /// that is not there, and further ones from its group file (`GetExecUser` of
    /// `github.com/moby/sys/user`).
    fn implied_group(&mut self, field: &str, user: &str) {
        let bounded =
            matches!(&self.profile.user().allow, UserRule::Ids { uid: _, gid } if !gid.is_empty());
        if bounded && decimal(user).is_some_and(|uid: u32| uid != 0) {
            let what = "run with the groups that the image gives, which may be root's";
            self.deny(Reason::UserRange, field, user, what);
            self.allowing("name the group too, such as --user 1000:1000");
        }
    }

    /// `User` of an exec: empty is the container's own.
    pub(super) fn exec_user(&mut self, user: &str) {
        if !user.is_empty() {
            self.user("User", user);
        }
    }

    /// `GroupAdd`: by what is asked of the user, and by itself, since who may be anybody need not be in every
    /// group of the host.
    pub(super) fn groups(&mut self, field: &str, groups: &[Cow<'_, str>]) {
        let any = self.profile.user().allow == UserRule::Any;
        for (i, group) in groups.iter().enumerate() {
            let field = format!("{field}[{i}]");
            if any || self.group(&field, group) {
                self.listed_group(&field, group);
            }
        }
    }

    fn listed_group(&mut self, field: &str, group: &str) {
        let rules = self.profile.groups();
        let by_number =
            decimal(group).is_some_and(|gid| rules.ids.iter().any(|ids| ids.contains(&gid)));
        if !by_number && !rules.names.has(group) {
            self.refuse(Reason::Group, field, group, "join group");
            let ids = rules.ids.iter().map(|ids| format!("{}-{}", ids.start(), ids.end()));
            let all: Vec<_> = ids.chain(rules.names.iter().cloned()).collect();
            self.allowing_listed("groups", &all);
        }
    }

    /// Whether the user may have the group.
    fn group(&mut self, field: &str, group: &str) -> bool {
        match decimal(group) {
            None => {
                let what =
                    format!("join group {group:?}: only the image knows which number that is");
                self.root(field, group, &what);
                false
            }
            Some(0) => {
                self.root(field, group, "join group root");
                false
            }
            Some(gid) => self.id_in_range(field, gid, true),
        }
    }

    fn root(&mut self, field: &str, value: &str, what: &str) {
        self.deny(Reason::UserRoot, field, value, what);
        self.allowing("a number above 0, such as --user 1000:1000");
    }

    fn id_in_range(&mut self, field: &str, id: u32, is_group: bool) -> bool {
        let UserRule::Ids { uid, gid } = &self.profile.user().allow else { return true };
        let ranges = if is_group { gid } else { uid };
        let within = ranges.iter().any(|range| range.contains(&id));
        if !within {
            let text: Vec<_> =
                ranges.iter().map(|r| format!("{}-{}", r.start(), r.end())).collect();
            self.deny(Reason::UserRange, field, id.to_string(), format!("run with id {id}"));
            self.allowing(format!("allowed ids: {}", text.join(", ")));
        }
        within
    }

    /// `WorkingDir`: a clean absolute path that does not lead through /proc or /dev (CVE-2024-21626).
    pub(super) fn working_dir(&mut self, field: &str, dir: &str) {
        if !is_sound_directory(dir) {
            self.refuse(Reason::WorkingDir, field, dir, "work in directory");
        }
    }
}

/// Whether a process may begin in it, as far as the text says; none is the image's.
pub(super) fn is_sound_directory(dir: &str) -> bool {
    let mut parts = dir.strip_prefix('/').unwrap_or("..").split('/');
    let strange = dir.chars().any(char::is_control);
    let unclean = strange || parts.clone().any(|part| part == ".." || part == ".");
    // `/dev/fd` is a link to `/proc/self/fd` in every container
    let first = parts.find(|part| !part.is_empty());
    dir.is_empty() || !(unclean || matches!(first, Some("proc" | "dev")))
}
