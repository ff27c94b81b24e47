//! What of an answer somebody may see. What is somebody else's is left out, and an object that has become somebody else's
//! since it was looked at is not there. Each object of a list is passed on byte by byte as the daemon has written it.

use super::owner::Viewer;
use super::scope::Owned;
use crate::docker::{Resource, Verb};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Letters of an id as it is shown at least.
const SHORT_ID: usize = 12;

/// What an answer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// No object of anybody's, but perhaps the id of one in an error.
    Nothing,
    /// Objects of this kind.
    List(Resource),
    /// Tasks, which bear the labels of their containers.
    Tasks,
    /// One object of this kind.
    One(Resource),
    /// The volume that was made, or had the name already.
    Made,
    /// A network, with the containers on it.
    Joined,
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
}

/// An object as the daemon has written it, in its order.
#[derive(Debug, Default)]
struct RawObject(Vec<(String, Box<RawValue>)>);

impl RawObject {
    fn get_mut(&mut self, key: &str) -> Option<&mut Box<RawValue>> {
        self.0.iter_mut().find(|(known, _)| known == key).map(|(_, value)| value)
    }
}

impl<'de> Deserialize<'de> for RawObject {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = RawObject;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawObject, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(RawObject(entries))
            }
        }
        reader.deserialize_map(Entries)
    }
}

impl Serialize for RawObject {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        writer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
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
    pub(super) fn new(viewer: Viewer, shown: Shown) -> Self {
        Self { viewer, shown }
    }

    /// What the answer shows.
    #[must_use]
    pub const fn shown(&self) -> Shown {
        self.shown
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
                    *volumes = self.some(volumes, |item| self.sees(Resource::Volume, item))?;
                }
                serde_json::to_vec(&whole)?
            }
            Shown::List(kind) => {
                let whole: &RawValue = serde_json::from_slice(body)?;
                serde_json::to_vec(&self.some(whole, |item| self.sees(kind, item))?)?
            }
            Shown::Tasks => {
                let whole: &RawValue = serde_json::from_slice(body)?;
                let labels = |item: &Value| texts(item, "/Spec/ContainerSpec/Labels");
                let sees = |item: &Value| self.may(Resource::Service, "", &labels(item), &[]);
                serde_json::to_vec(&self.some(whole, sees)?)?
            }
            Shown::One(kind) => {
                let whole: Value = serde_json::from_slice(body)?;
                match self.sees(kind, &whole) {
                    true => body.to_vec(),
                    false => return Ok(Sifted::NotThere("no such object")),
                }
            }
            Shown::Made => {
                let whole: Value = serde_json::from_slice(body)?;
                match self.sees(Resource::Volume, &whole) {
                    true => body.to_vec(),
                    false => return Ok(Sifted::NotThere("conflict: volume name must be unique")),
                }
            }
            Shown::Joined => {
                let mut whole: RawObject = serde_json::from_slice(body)?;
                if let Some(containers) = whole.get_mut("Containers") {
                    let all: Option<RawObject> = serde_json::from_str(containers.get())?;
                    if let Some(mut all) = all {
                        all.0.retain(|(id, _)| on_it.contains(id));
                        *containers = serde_json::value::to_raw_value(&all)?;
                    }
                }
                whole.0.retain(|(key, _)| key != "Services");
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

    /// Whether an event may be told. Those of volumes and networks do not say whose they are.
    #[must_use]
    pub fn tells(&self, line: &[u8]) -> bool {
        let Ok(event) = serde_json::from_slice::<Value>(line) else { return false };
        let kind = event.get("Type").and_then(Value::as_str).and_then(Resource::parse);
        let attributes = texts(&event, "/Actor/Attributes");
        let name = attributes.get("name").cloned().unwrap_or_default();
        match kind {
            Some(kind @ Resource::Container) => self.may(kind, &name, &attributes, &[]),
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
            _ => false,
        }
    }

    /// An error of the daemon, without the ids of what whoever asks has not named.
    #[must_use]
    pub fn error(body: &[u8], named: &str) -> Vec<u8> {
        let Ok(mut whole) = serde_json::from_slice::<Map<String, Value>>(body) else {
            return without_ids(&String::from_utf8_lossy(body), named).into_bytes();
        };
        for value in whole.values_mut() {
            if let Value::String(text) = value {
                *text = without_ids(text, named);
            }
        }
        Value::Object(whole).to_string().into_bytes()
    }

    fn some(
        &self,
        list: &RawValue,
        keep: impl Fn(&Value) -> bool,
    ) -> Result<Box<RawValue>, serde_json::Error> {
        // null where there is none
        let items: Option<Vec<&RawValue>> = serde_json::from_str(list.get())?;
        let Some(items) = items else { return Ok(list.to_owned()) };
        let mut kept: Vec<&RawValue> = Vec::new();
        for item in items {
            if keep(&serde_json::from_str(item.get())?) {
                kept.push(item);
            }
        }
        serde_json::value::to_raw_value(&kept)
    }

    /// Whether an object as the daemon tells of it, in a list or by itself, is there for whoever asks.
    fn sees(&self, kind: Resource, object: &Value) -> bool {
        let name = ["/Names/0", "/Name", "/Spec/Name"].into_iter().find_map(|at| {
            object.pointer(at).and_then(Value::as_str).map(|name| name.trim_start_matches('/'))
        });
        let mut labels = texts(object, "/Labels");
        for at in ["/Spec/Labels", "/Config/Labels"] {
            labels.append(&mut texts(object, at));
        }
        let references: Vec<String> = ["/RepoTags", "/RepoDigests"]
            .into_iter()
            .filter_map(|at| object.pointer(at)?.as_array())
            .flatten()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect();
        self.may(kind, name.unwrap_or_default(), &labels, &references)
    }

    fn may(
        &self,
        kind: Resource,
        name: &str,
        labels: &BTreeMap<String, String>,
        references: &[String],
    ) -> bool {
        self.viewer.may(Verb::List, &Owned { kind, name, labels, references })
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
            if let Some(Value::Array(items)) = whole.get_mut(list) {
                items.retain(|item| self.sees(kind, item));
            }
            if let Some(Value::Object(sums)) =
                whole.get_mut(sums).filter(|_| self.viewer.is_narrow(kind))
            {
                if let Some(Value::Array(items)) = sums.get_mut("Items") {
                    items.retain(|item| self.sees(kind, item));
                }
                sums.retain(|key, _| key == "Items");
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

    /// `GET /info`, less how much there is of what is not seen.
    fn info(&self, body: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
        let mut whole: Map<String, Value> = serde_json::from_slice(body)?;
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

/// A map of texts at this place; empty where there is none.
fn texts(value: &Value, at: &str) -> BTreeMap<String, String> {
    let entries = value.pointer(at).and_then(Value::as_object).into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// A text without runs of hexadecimal digits that are long enough for an id, but for those that were named.
fn without_ids(text: &str, named: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_hexdigit()) {
        let (before, from) = rest.split_at_checked(start).unwrap_or((rest, ""));
        let end = from.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(from.len());
        let (run, after) = from.split_at_checked(end).unwrap_or((from, ""));
        out.push_str(before);
        let hidden = run.len() >= SHORT_ID && !named.contains(run);
        out.push_str(if hidden { "(another)" } else { run });
        rest = after;
    }
    out.push_str(rest);
    out
}
