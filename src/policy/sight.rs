//! What of an answer somebody may see. What is somebody else's is left out, and an object that has become somebody else's
//! since it was looked at is not there. Each object of a list is passed on byte by byte as the daemon has written it.

mod others;
mod raw;

use self::others::counts_others;
pub use self::others::error_without_ids;
use self::raw::RawObject;
use super::owner::Viewer;
use super::redacted;
use super::scope::{Owned, kind_of};
use crate::digest::Sha256;
use crate::docker::{Resource, Verb};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// What an answer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// No object of anybody's, but perhaps the id of one in an error.
    Nothing,
    /// Objects of this kind.
    List(Resource),
    /// One object of this kind.
    One(Resource),
    /// The volume that was made, or had the name already.
    Made,
    /// A network, with the containers on it.
    Joined,
    /// Steps of an image that is somebody else's.
    History,
    /// What builds say of an image that is somebody else's.
    Attestations,
    /// Processes of a container that is somebody else's.
    Processes,
    /// What takes which room.
    Usage,
    /// What happens, line by line.
    Events,
    /// The daemon, with how much of everything it has.
    Info,
}

/// Who sees an answer, and what it shows.
#[derive(Clone, Debug)]
pub struct Sight {
    viewer: Viewer,
    shown: Shown,
    /// What is done by the request: of a list and events, that it is listed.
    verb: Verb,
}

/// What becomes of a whole answer.
#[derive(Debug)]
pub enum Sifted {
    /// This is left of it.
    Left(Vec<u8>),
    /// It shows what is somebody else's: a refusal in the place of it, as the daemon would say it.
    NotThere(&'static str),
}

impl Sight {
    pub(super) const fn new(viewer: Viewer, shown: Shown, verb: Verb) -> Self {
        Self { viewer, shown, verb }
    }

    /// What the answer shows.
    #[must_use]
    pub const fn shown(&self) -> Shown {
        self.shown
    }

    /// Of a stream, by what it is chosen what may be seen of it.
    #[must_use]
    pub fn of_stream(&self) -> Option<Sha256> {
        let whole = || Sha256::of(self.viewer.sees_by().as_bytes());
        (self.shown == Shown::Events).then(whole)
    }

    /// What is left of the body of an answer. Of a network, the containers on it are left that are told to be there for
    /// whoever asks (`on_it`, by full id).
    ///
    /// # Errors
    /// It is not as it should be: nothing of it may be passed on.
    pub fn sift(&self, body: &[u8], on_it: &BTreeSet<String>) -> Result<Sifted, serde_json::Error> {
        let left = match self.shown {
            Shown::Nothing | Shown::Events => body.to_vec(),
            Shown::List(Resource::Volume) => {
                let mut whole: RawObject = serde_json::from_slice(body)?;
                if let Some(volumes) = whole.get_mut("Volumes") {
                    *volumes = self.some(Resource::Volume, volumes)?;
                }
                serde_json::to_vec(&whole)?
            }
            Shown::List(kind) => {
                let whole: &RawValue = serde_json::from_slice(body)?;
                serde_json::to_vec(&self.some(kind, whole)?)?
            }
            Shown::One(kind) => match self.left_of(kind, serde_json::from_slice(body)?)? {
                Some(left) => left.map_or_else(|| body.to_vec(), |left| left.get().into()),
                None => return Ok(Sifted::NotThere("no such object")),
            },
            Shown::Made => match self.left_of(Resource::Volume, serde_json::from_slice(body)?)? {
                Some(left) => left.map_or_else(|| body.to_vec(), |left| left.get().into()),
                None => return Ok(Sifted::NotThere("conflict: volume name must be unique")),
            },
            Shown::History => changed(body, redacted::history)?,
            Shown::Attestations => changed(body, redacted::attestations)?,
            Shown::Processes => changed(body, redacted::processes)?,
            Shown::Joined => {
                let mut whole: RawObject = serde_json::from_slice(body)?;
                if let Some(containers) = whole.get_mut("Containers") {
                    let all: Option<RawObject> = serde_json::from_str(containers.get())?;
                    if let Some(mut all) = all {
                        all.0.retain(|(id, _)| on_it.contains(id));
                        *containers = serde_json::value::to_raw_value(&all)?;
                    }
                }
                // of tasks, peers and addresses in use, whoever's they are
                let others = ["Services", "Status", "Peers"];
                whole.0.retain(|(key, _)| !others.contains(&key.as_str()));
                serde_json::to_vec(&whole)?
            }
            Shown::Usage => self.usage(body)?,
            Shown::Info => self.info(body)?,
        };
        Ok(Sifted::Left(left))
    }

    /// The full ids of the containers in an answer of `GET /containers/json` that are there for whoever asks.
    #[must_use]
    pub fn seen_containers(&self, answer: &Value) -> BTreeSet<String> {
        let items = answer.as_array().map_or(&[][..], Vec::as_slice);
        let seen = items.iter().filter(|item| self.sees(Resource::Container, item));
        seen.filter_map(|item| Some(item.get("Id")?.as_str()?.to_owned())).collect()
    }

    /// What is told of an event, if anything is. Those of volumes and networks do not say whose they are.
    #[must_use]
    pub fn told(&self, line: &[u8]) -> Option<Vec<u8>> {
        let mut event = serde_json::from_slice::<Value>(line).ok()?;
        if !self.tells(&event) {
            return None;
        }
        let attributes = texts(&event, "/Actor/Attributes");
        let (kind, name) = (Resource::Container, "");
        let of = Owned { kind, name, labels: &attributes, references: &[] };
        if event.get("Type").and_then(Value::as_str) != Some("container")
            || !self.viewer.hides_of(&of)
        {
            return Some(line.to_vec());
        }
        redacted::event(&mut event);
        Some(format!("{event}\n").into_bytes())
    }

    fn tells(&self, event: &Value) -> bool {
        let kind = event.get("Type").and_then(Value::as_str).and_then(Resource::parse);
        let attributes = texts(event, "/Actor/Attributes");
        let name = attributes.get("name").cloned().unwrap_or_default();
        let action = event.get("Action").and_then(Value::as_str).unwrap_or_default();
        match kind {
            Some(kind @ Resource::Container) => self.may(kind, &name, &attributes, &[]),
            // what is gone says no more whose it was
            Some(kind @ Resource::Image)
                if matches!(action, "delete" | "untag" | "prune")
                    && self.viewer.is_narrow(kind) =>
            {
                let owned = Owned { kind, name: "", labels: &attributes, references: &[] };
                self.viewer.owner_of(&owned).is_some() && self.viewer.may(Verb::List, &owned)
            }
            Some(kind @ Resource::Image) => {
                let id = event.pointer("/Actor/ID").and_then(Value::as_str).unwrap_or_default();
                self.may(kind, "", &attributes, &[name, id.to_owned()])
            }
            Some(
                kind @ (Resource::Volume
                | Resource::Network
                | Resource::Service
                | Resource::Secret
                | Resource::Config),
            ) => !self.viewer.is_narrow(kind),
            // of the daemon itself, of nodes, plugins and builds
            _ => !self.is_narrow(),
        }
    }

    /// Whether anything is somebody else's for whoever asks.
    #[must_use]
    pub fn is_narrow(&self) -> bool {
        self.viewer.is_narrow_at_all()
    }

    fn some(&self, kind: Resource, list: &RawValue) -> Result<Box<RawValue>, serde_json::Error> {
        // null where there is none
        let items: Option<Vec<&RawValue>> = serde_json::from_str(list.get())?;
        let Some(items) = items else { return Ok(list.to_owned()) };
        let mut kept: Vec<Cow<'_, RawValue>> = Vec::new();
        for item in items {
            if let Some(left) = self.left_of(kind, serde_json::from_str(item.get())?)? {
                kept.push(left.map_or(Cow::Borrowed(item), Cow::Owned));
            }
        }
        serde_json::value::to_raw_value(&kept)
    }

    /// What is left of an object: nothing, where it is not there for whoever asks; itself as it is; or it without what is
    /// not told of others'.
    #[expect(clippy::option_option, reason = "not there is not unchanged")]
    fn left_of(
        &self,
        kind: Resource,
        mut object: Value,
    ) -> Result<Option<Option<Box<RawValue>>>, serde_json::Error> {
        let (sees, hides) = self.judged(kind, &object);
        if !sees {
            return Ok(None);
        }
        let counts = self.viewer.is_narrow(Resource::Container) && counts_others(kind, &mut object);
        if !hides && !counts {
            return Ok(Some(None));
        }
        if hides {
            redacted::redact(kind, &mut object);
        }
        serde_json::value::to_raw_value(&object).map(Some).map(Some)
    }

    /// Whether an object as the daemon tells of it, in a list or by itself, is there for whoever asks.
    fn sees(&self, kind: Resource, object: &Value) -> bool {
        self.judged(kind, object).0
    }

    /// Whether it is there for whoever asks, and whether something of it is not told.
    fn judged(&self, kind: Resource, object: &Value) -> (bool, bool) {
        // of a container's names the others are links
        let names = object.get("Names").and_then(Value::as_array).into_iter().flatten();
        let names = names.filter_map(|name| name.as_str()?.strip_prefix('/'));
        let name = names.into_iter().find(|name| !name.contains('/')).or_else(|| {
            let named = ["/Name", "/Spec/Name"].into_iter().find_map(|at| object.pointer(at));
            named.and_then(Value::as_str).map(|name| name.trim_start_matches('/'))
        });
        let mut labels = texts(object, "/Labels");
        // a task bears those of its containers
        let at = if kind == Resource::Task { "/Spec/ContainerSpec/Labels" } else { "/Spec/Labels" };
        for at in [at, "/Config/Labels"] {
            labels.append(&mut texts(object, at));
        }
        let references: Vec<String> = ["/RepoTags", "/RepoDigests"]
            .into_iter()
            .filter_map(|at| object.pointer(at)?.as_array())
            .flatten()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect();
        let name = name.unwrap_or_default();
        let owned = Owned {
            kind: kind_of(kind).unwrap_or(kind),
            name,
            labels: &labels,
            references: &references,
        };
        (self.viewer.may(self.verb, &owned), self.viewer.hides_of(&Owned { kind, ..owned }))
    }

    fn may(
        &self,
        kind: Resource,
        name: &str,
        labels: &BTreeMap<String, String>,
        references: &[String],
    ) -> bool {
        self.viewer.may(self.verb, &Owned { kind, name, labels, references })
    }

    /// `GET /system/df`: lists up to API 1.51, and after that each within sums.
    fn usage(&self, body: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
        let mut whole: Map<String, Value> = serde_json::from_slice(body)?;
        let kinds = [
            (Resource::Image, "Images", "ImageUsage"),
            (Resource::Container, "Containers", "ContainerUsage"),
            (Resource::Volume, "Volumes", "VolumeUsage"),
        ];
        for (kind, list, sums) in kinds {
            match whole.get_mut(list) {
                Some(Value::Array(items)) => self.sift_items(kind, items),
                Some(other) => *other = Value::Null, // no list, of which nobody can tell whose it is
                None => {}
            }
            if let Some(Value::Object(sums)) = whole.get_mut(sums) {
                if let Some(Value::Array(items)) = sums.get_mut("Items") {
                    self.sift_items(kind, items);
                }
                if self.viewer.is_narrow(kind) {
                    let count = sums.get("Items").and_then(Value::as_array).map(Vec::len);
                    sums.retain(|key, _| key == "Items");
                    if let Some(count) = count {
                        sums.insert("TotalCount".to_owned(), count.into());
                    }
                }
            }
        }
        if self.viewer.is_narrow(Resource::Image) {
            // what builds left behind is not told apart
            for key in ["BuildCache", "BuildCacheUsage", "BuilderSize"] {
                whole.remove(key);
            }
            let containers = whole.get("Containers").cloned().unwrap_or_default();
            let containers = containers.as_array().map_or(&[][..], Vec::as_slice);
            let mut size = 0;
            let images = whole.get_mut("Images").and_then(Value::as_array_mut);
            for image in images.into_iter().flatten().filter_map(Value::as_object_mut) {
                let of_it = |one: &&Value| one.get("ImageID") == image.get("Id");
                let count = containers.iter().filter(of_it).count();
                image.insert("Containers".to_owned(), count.into());
                size += image.get("Size").and_then(Value::as_i64).unwrap_or_default();
            }
            if let Some(layers) = whole.get_mut("LayersSize") {
                *layers = size.into();
            }
        }
        serde_json::to_vec(&whole)
    }

    fn sift_items(&self, kind: Resource, items: &mut Vec<Value>) {
        items.retain(|item| self.judged(kind, item).0);
        for item in items {
            if self.viewer.is_narrow(Resource::Container) {
                counts_others(kind, item);
            }
            if self.judged(kind, item).1 {
                redacted::redact(kind, item);
            }
        }
    }

    /// `GET /info`, less how much there is of what is not seen.
    fn info(&self, body: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
        let mut whole: Value = serde_json::from_slice(body)?;
        if !self.viewer.reveals(Resource::System) {
            redacted::proxies(&mut whole);
        }
        let counts = [
            (Resource::Container, "Containers"),
            (Resource::Container, "ContainersPaused"),
            (Resource::Container, "ContainersRunning"),
            (Resource::Container, "ContainersStopped"),
            (Resource::Image, "Images"),
        ];
        for (_, key) in counts.into_iter().filter(|(kind, _)| self.viewer.is_narrow(*kind)) {
            if let Some(count) = whole.get_mut(key) {
                *count = 0.into();
            }
        }
        serde_json::to_vec(&whole)
    }
}

/// An answer, changed in this way.
fn changed(body: &[u8], change: fn(&mut Value)) -> Result<Vec<u8>, serde_json::Error> {
    let mut whole: Value = serde_json::from_slice(body)?;
    change(&mut whole);
    serde_json::to_vec(&whole)
}

/// A map of texts at this place; empty where there is none.
fn texts(value: &Value, at: &str) -> BTreeMap<String, String> {
    let entries = value.pointer(at).and_then(Value::as_object).into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

#[cfg(test)]
mod tests;
