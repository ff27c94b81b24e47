//! Images and registries: by normalised reference against the role's own lists, and an image that is
//! to run by what is behind its name.

use super::{Judge, listed};
use crate::docker::CallHead;
use crate::docker::credentials::host_of;
use crate::docker::image::{ImagePattern, NotAReference, Reference};
use crate::policy::Reason;
use crate::policy::decision::Finding;
use crate::policy::facts::{Facts, Image, Seen};
use crate::policy::glob::Glob;
use crate::policy::model::Role;
use crate::policy::profile::Profile;

impl<'j> Judge<'j> {
    /// `Image` of a container, and what it brings along: a user and a directory where the body names
    /// none, and labels.
    pub(super) fn image(&mut self, image: &str, user: &str, working_dir: &str) {
        let Some(Image {
            id: _,
            origins: _,
            tags: _,
            volumes: _,
            user: its_user,
            working_dir: its_dir,
            labels: _,
            health: _, // judged with the body's
        }) = self.image_fact(image)
        else {
            // the user of an image that is missing or unknown is judged when there is one: at start at last
            if !user.is_empty() {
                self.user("User", user);
            }
            return;
        };
        // where nobody is named one is written in, if the image's own may not be
        let filled = self.writes() && self.profile.user().set.is_some();
        match user {
            "" if filled => {}
            "" => self.user("User", its_user),
            user => self.user("User", user),
        }
        if working_dir.is_empty() {
            self.working_dir("WorkingDir", its_dir);
        }
    }

    /// An image that is to run, at create and again at start: where it came from, and the labels that
    /// its containers get.
    pub(super) fn image_fact(&mut self, image: &str) -> Option<&'j Image> {
        let facts = self.facts;
        let known = facts.images.get(image);
        // whoever may run every image still brings along what it says
        let several = !self.whole.images.is_empty() && matches!(known, Some(Seen::Several));
        let unknown = || (known.is_none() || several).then(|| unseen("Image", image));
        self.add(run(self.role, "Image", image, facts).or_else(unknown));
        let seen = known?.found()?;
        self.denied_labels("Image.Labels", &seen.labels, "run an image that sets label");
        for volume in &seen.volumes {
            self.target(&format!("Image.Volumes.{}", super::key(volume)), volume);
        }
        Some(seen)
    }

    /// Of a profile that has exceptions it must be known which of them governs. An image that is gone is none that can be
    /// told from those that are excepted.
    pub(super) fn governed(&mut self, field: &str, image: &str) {
        let known = matches!(self.facts.images.get(image), Some(Seen::Found(_)));
        if !self.whole.images.is_empty() && !known {
            let what = format!("use a container of image {image:?}, which cannot be looked at");
            self.deny(Reason::ImageUnseen, field, image, what);
        }
    }

    /// A name that is given to an image on this host.
    pub(super) fn write_name(&mut self, field: &str, repository: &str, tag: &str) {
        let read = named(repository, tag);
        // the daemon looks for `deadbeef` under names before it looks under ids
        let is_id = read.as_ref().map_or_else(|e| *e == NotAReference::Id, Reference::reads_as_id);
        match read {
            _ if is_id => {
                let what = format!("give an image the name {repository:?}: it reads as an id");
                self.deny(Reason::Name, field, repository, what);
            }
            Ok(reference) if reference.digest.is_none() => {
                if !self.role.write.iter().any(|p| p.matches(&reference, glob)) {
                    let full = reference.full();
                    self.refuse(Reason::ImageWrite, field, &full, "give an image the name");
                    self.allowing_listed("names", &patterns(&self.role.write));
                }
            }
            Ok(_) | Err(NotAReference::Id | NotAReference::Syntax) => {
                let value = format!("{repository}:{tag}");
                self.add(Some(unreadable(NotAReference::Syntax, field, &value)));
            }
        }
    }

    /// A registry that the daemon calls, by an address.
    pub(super) fn registry(&mut self, field: &str, address: &str) {
        if !is_listed(self.role, address) {
            self.refuse(Reason::RegistryHost, field, address, "have the daemon call the registry");
            let shown = patterns(self.role.pull.iter().chain(&self.role.push));
            self.allowing(format!("registries of: {}", listed(&shown)));
        }
    }

    /// `term` of a search: a host may stand before it.
    pub(super) fn search(&mut self, term: &str) {
        let host = match Reference::parse(term) {
            Ok(reference) => reference.registry().to_owned(),
            // a word that is no name of an image is looked for on the Hub
            Err(_) if !term.contains('/') => "docker.io".to_owned(),
            Err(_) => term.split('/').next().unwrap_or_default().to_owned(),
        };
        self.registry("query term", &host);
    }

    /// `cachefrom` of a build: other images' layers.
    pub(super) fn cache_from(&mut self, field: &str, image: &str) {
        let asked = RegistryAsk::One(image, "");
        self.add(asked_for(&self.role.pull, "build from the cache of", field, asked));
    }
}

/// The profile by which containers of an image are judged: that of the first exception that has it. An image that is not
/// there is had by its name, as nothing can be made of it yet.
#[must_use]
pub(in crate::policy) fn governing<'p>(
    profile: &'p Profile,
    image: &str,
    facts: &Facts,
) -> &'p Profile {
    let Some(seen) = facts.images.get(image).filter(|_| !profile.images.is_empty()) else {
        return profile;
    };
    let reference = Reference::parse(image);
    let has = |pattern: &ImagePattern| match (seen, &reference) {
        (Seen::Found(of), _) => {
            pattern.matches_image(&of.origins, &of.tags, is_pinned(&reference), glob)
        }
        (Seen::Missing, Ok(reference)) => pattern.matches(reference, glob),
        (Seen::Missing | Seen::Several, _) => false,
    };
    let exception = profile.images.iter().find(|of| of.matching.iter().any(has));
    exception.map_or(profile, |of| &of.profile)
}

/// Whether an image was named by its content, with a digest or an id.
fn is_pinned(reference: &Result<Reference, NotAReference>) -> bool {
    reference.as_ref().map_or(true, |reference| reference.digest.is_some())
}

/// Whether the registry at this address is one that the role may pull from or push to.
pub(super) fn is_listed(role: &Role, address: &str) -> bool {
    let mut lists = role.pull.iter().chain(&role.push);
    host_of(address).is_some_and(|host| lists.any(|p| p.reaches(host, glob)))
}

/// Whether the role may have services of an image: every node takes what it has under the name, so it must
/// say which.
#[must_use]
pub(in crate::policy) fn serve(role: &Role, field: &str, image: &str) -> Option<Finding> {
    let reference = match Reference::parse(image) {
        Ok(reference) => reference,
        Err(error) => return Some(unreadable(error, field, image)),
    };
    let (full, registry) = (reference.full(), reference.registry());
    let mut matching = role.run.iter().filter(|p| p.matches(&reference, glob)).peekable();
    if matching.peek().is_none() {
        return Some(not_allowed(&full, "run", field, image, &role.run));
    }
    if !matching.any(|p| p.reaches(registry, glob)) {
        return Some(unreached(&full, "run a service of", field, registry));
    }
    if reference.digest.is_some() || role.runs_anything() {
        return None;
    }
    let what = format!("run a service of {image:?} without saying which");
    let unpinned = Finding::new(Reason::ImageUnpinned, field, image, what);
    Some(unpinned.allowing(format!("{image}@sha256:...")))
}

/// Whether the role may run an image, judged on what the daemon has under that name or id.
#[must_use]
pub(in crate::policy) fn run(
    role: &Role,
    field: &str,
    image: &str,
    facts: &Facts,
) -> Option<Finding> {
    let reference = Reference::parse(image);
    if reference == Err(NotAReference::Syntax) {
        return Some(unreadable(NotAReference::Syntax, field, image));
    }
    if role.runs_anything() {
        return None;
    }
    let pinned = is_pinned(&reference);
    let by_name = |reference: &Reference| role.run.iter().any(|p| p.matches(reference, glob));
    let seen = match (facts.images.get(image), &reference) {
        (Some(Seen::Several) | None, _) => return Some(unseen(field, image)),
        (Some(Seen::Found(seen)), _) => seen,
        (Some(Seen::Missing), Err(error)) => return Some(unreadable(*error, field, image)),
        (Some(Seen::Missing), Ok(reference)) if by_name(reference) => return None,
        (Some(Seen::Missing), Ok(reference)) => {
            return Some(not_allowed(&reference.full(), "run", field, image, &role.run));
        }
    };
    if role.run.iter().any(|p| p.matches_image(&seen.origins, &seen.tags, pinned, glob)) {
        return None;
    }
    let from: Vec<_> = seen.origins.iter().map(|o| o.repository.as_str()).collect();
    let from = match from.is_empty() {
        true => "no registry: it was built, tagged, loaded or imported here".to_owned(),
        false => listed(&from),
    };
    let (reason, what) = match reference.is_ok_and(|reference| by_name(&reference)) {
        true => (
            Reason::ImageOrigin,
            format!("run image {image:?}: what bears this name here came from {from}"),
        ),
        false => (Reason::ImageNotAllowed, format!("run image {image:?}, which came from {from}")),
    };
    Some(Finding::new(reason, field, image, what).allowing(allowed(&role.run)))
}

/// Whether the role may pull what the query names.
pub(super) fn pull(role: &Role, head: &CallHead) -> Option<Finding> {
    let name = head.query.text("fromImage").unwrap_or_default();
    let tag = head.query.text("tag").unwrap_or_default();
    let joined = match (tag, name.contains('@')) {
        ("", _) => name.to_owned(),
        (tag, false) if tag.starts_with("sha256:") => format!("{name}@{tag}"),
        (tag, _) => format!("{name}:{tag}"),
    };
    // a name of hex digits alone is a name to a registry
    let implied = match Reference::parse(&joined) {
        Err(NotAReference::Id) if tag.is_empty() => format!("{name}:latest"),
        _ => joined.clone(),
    };
    let whole = tag.is_empty()
        && !name.contains('@')
        && Reference::parse(&implied).is_ok_and(|r| r.tag.is_none() || implied != joined);
    let asked = if whole { RegistryAsk::AllOf(&implied) } else { RegistryAsk::One(&joined, "") };
    asked_for(&role.pull, "pull", "query fromImage", asked)
}

/// Whether the role may push what path and query name; without a tag, all tags.
pub(super) fn push(role: &Role, head: &CallHead) -> Option<Finding> {
    let name = head.target().unwrap_or_default();
    let tag = head.query.text("tag").unwrap_or_default();
    let tagged = Reference::parse(name).is_ok_and(|r| r.tag.is_some());
    let all = tag.is_empty() && !tagged;
    let asked = if all { RegistryAsk::AllOf(name) } else { RegistryAsk::One(name, tag) };
    asked_for(&role.push, "push", "path", asked)
}

/// Whether the role may have the daemon ask a registry about what the path names.
pub(super) fn resolve(role: &Role, head: &CallHead) -> Option<Finding> {
    let name = head.target().unwrap_or_default();
    let lists: Vec<_> = role.pull.iter().chain(&role.push).cloned().collect();
    asked_for(&lists, "resolve", "path", RegistryAsk::One(name, ""))
}

/// A repository with its tag, given once.
pub(in crate::policy) fn named(repository: &str, tag: &str) -> Result<Reference, NotAReference> {
    let reference = match Reference::parse(repository) {
        // hex digits with a tag beside them are a name
        Err(NotAReference::Id) if !tag.is_empty() && !repository.contains(':') => {
            return Reference::parse(&format!("{repository}:{tag}"));
        }
        reference => reference?,
    };
    match (&reference.tag, tag) {
        (_, "") => Ok(reference),
        (None, tag) => Reference::parse(&format!("{repository}:{tag}")),
        (Some(same), tag) if same == tag => Ok(reference),
        (Some(_), _) => Err(NotAReference::Syntax),
    }
}

/// What a registry is asked for.
#[derive(Clone, Copy)]
enum RegistryAsk<'n> {
    /// An image, by its name and a tag beside it.
    One(&'n str, &'n str),
    /// Every tag of a repository.
    AllOf(&'n str),
}

/// Whether what a registry is asked for is on the list, and its registry is one that is meant.
fn asked_for(
    list: &[ImagePattern],
    verb: &str,
    field: &str,
    asked: RegistryAsk<'_>,
) -> Option<Finding> {
    let (name, all, read) = match asked {
        RegistryAsk::One(name, tag) => (name, false, named(name, tag)),
        RegistryAsk::AllOf(name) => (name, true, Reference::parse(name)),
    };
    let reference = match read {
        Ok(reference) => reference,
        Err(error) => return Some(unreadable(error, field, name)),
    };
    let (repository, host) = (&reference.repository, reference.registry());
    let shown = if all { format!("{repository} (all tags)") } else { reference.full() };
    let matches = |pattern: &&ImagePattern| match all {
        true => pattern.matches_all_of(repository, glob),
        false => pattern.matches(&reference, glob),
    };
    let mut matching = list.iter().filter(matches).peekable();
    if matching.peek().is_none() {
        return Some(not_allowed(&shown, verb, field, &shown, list));
    }
    let reached = matching.any(|pattern| pattern.reaches(host, glob));
    (!reached).then(|| unreached(&shown, verb, field, host))
}

/// A registry that is an address, localhost or a port is reached only where it is listed to the letter.
fn unreached(shown: &str, verb: &str, field: &str, host: &str) -> Finding {
    let what = format!("{verb} image {shown:?}: its registry is an address, localhost or a port");
    Finding::new(Reason::RegistryHost, field, host, what)
        .allowing(format!("list {host}/** to the letter"))
}

/// An image that nothing is known of: what is no whole id was not asked for.
fn unseen(field: &str, image: &str) -> Finding {
    if !Reference::is_askable(image) {
        return unreadable(NotAReference::Id, field, image);
    }
    let what = format!("run image {image:?}: it cannot be looked at");
    Finding::new(Reason::ImageUnseen, field, image, what)
}

fn not_allowed(full: &str, verb: &str, field: &str, value: &str, list: &[ImagePattern]) -> Finding {
    let what = format!("{verb} image {full:?}");
    Finding::new(Reason::ImageNotAllowed, field, value, what).allowing(allowed(list))
}

fn allowed(list: &[ImagePattern]) -> String {
    format!("allowed images: {}", listed(&patterns(list)))
}

fn patterns<'r>(list: impl IntoIterator<Item = &'r ImagePattern>) -> Vec<&'r str> {
    list.into_iter().map(ImagePattern::as_str).collect()
}

fn unreadable(error: NotAReference, field: &str, value: &str) -> Finding {
    let (reason, what, allowed) = match error {
        NotAReference::Id => (
            Reason::ImageById,
            format!("use image {value:?} by its id: the daemon has none such"),
            "name it with repository and tag, or with a digest: repository@sha256:...",
        ),
        NotAReference::Syntax => (
            Reason::ImageSyntax,
            format!("use image {value:?}: it is no plain reference"),
            "registry/name:tag or registry/name@sha256:...",
        ),
    };
    Finding::new(reason, field, value, what).allowing(allowed)
}

fn glob(pattern: &str, text: &str) -> bool {
    Glob::new(pattern).matches(text)
}
