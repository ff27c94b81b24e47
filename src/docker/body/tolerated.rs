//! Spellings outside the schema that a real client sends, each for one endpoint.
//!
//! What is not in this table and no field is left out; but what engines up to 26 read at this place is refused. A row needs a client that is named and a
//! corpus case recorded from it.

use super::BodyType;
use super::config::ContainerConfig;
use super::create::{ContainerCreate, HostConfig};
use super::slot::Fields as _;
use crate::docker::json::{JsonObject, JsonValue, folds_to};
use crate::docker::left_out::LeftOut;
use crate::docker::{CallHead, Flaw, Malformed};
use std::borrow::Cow;

/// What is made of a tolerated key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Must equal the object in the path, and is left out.
    PathTarget,
    /// A field of this object, which is read nowhere where that object is given, and is put into it where
    /// it is not: engines up to 26 read it so, and what is sent is judged.
    Within(&'static str),
    /// This field in another spelling. Where it is given in its own as well, both must be the same word, which it is
    /// whichever a daemon reads last; it is left out then.
    Again(&'static str),
}

/// One tolerated spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tolerated {
    /// The body it stands in, at the top level.
    pub body: BodyType,
    /// The key as the client writes it.
    pub key: &'static str,
    /// What is made of it.
    pub meaning: Meaning,
}

/// The table.
pub const TOLERATED: &[Tolerated] = &[
    // docker-py
    Tolerated { body: BodyType::ExecCreate, key: "Container", meaning: Meaning::PathTarget },
    // docker-py
    Tolerated {
        body: BodyType::ContainerCreate,
        key: "Runtime",
        meaning: Meaning::Within("HostConfig"),
    },
    // docker-java
    Tolerated {
        body: BodyType::NetworkCreate,
        key: "enableIPv6",
        meaning: Meaning::Again("EnableIPv6"),
    },
];

/// Turns tolerated keys of the top level into what they mean.
///
/// # Errors
/// [`Flaw::JsonContradiction`] where a key says something else than the path.
pub fn apply(
    head: &CallHead,
    kind: BodyType,
    object: &mut JsonObject<'_>,
    left: &mut LeftOut,
) -> Result<(), Malformed> {
    for row in TOLERATED.iter().filter(|row| row.body == kind) {
        let Some(at) = object.0.iter().position(|(key, _)| key == row.key) else { continue };
        match row.meaning {
            Meaning::PathTarget => check_target(head, row.key, &object.0.remove(at).1)?,
            Meaning::Within(outer) => {
                let field = object.0.remove(at);
                put_within(object, outer, field);
            }
            Meaning::Again(own) if is_said_again(object, (own, row.key)) => {
                object.0.remove(at);
                left.put(row.key)?;
            }
            Meaning::Again(_) => {}
        }
    }
    no_part_of_a_container_beside(kind, object)
}

/// What a daemon reads at the top level of a container, and by the same reader of an image's configuration
/// (`ContainerConfigWrapper` in moby's `runconfig/config.go`): engines up to 26 take the fields of `HostConfig` also beside
/// it, and one more, and a commit makes nothing of what is no configuration.
fn no_part_of_a_container_beside(kind: BodyType, object: &JsonObject<'_>) -> Result<(), Malformed> {
    let parts: &[&str] = match kind {
        BodyType::ContainerCreate => &["Cpuset"],
        BodyType::Commit => &["Cpuset", "HostConfig", "NetworkingConfig"],
        _ => return Ok(()),
    };
    let beside = |key: &str| {
        let known = match kind {
            BodyType::Commit => folds_to(key, ContainerConfig::keys()),
            _ => folds_to(key, ContainerCreate::keys()),
        };
        let names = HostConfig::keys().chain(parts.iter().copied());
        known.is_none() && folds_to(key, names).is_some()
    };
    match object.0.iter().find(|(key, value)| beside(key) && !value.says_nothing()) {
        Some((key, _)) => {
            let why = "this key belongs into HostConfig of a container";
            Err(Malformed::new(Flaw::JsonUnknown, key.as_ref(), why))
        }
        None => Ok(()),
    }
}

/// Whether a field is given in its own spelling too, and both are one word; what is otherwise is no matter here.
fn is_said_again(object: &JsonObject<'_>, (own, other): (&str, &str)) -> bool {
    let said = |name: &str| object.0.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    let word = |value: &&JsonValue<'_>| matches!(value, JsonValue::Null | JsonValue::Bool(_));
    said(own).filter(word).is_some_and(|value| said(other) == Some(value))
}

fn check_target(head: &CallHead, key: &str, value: &JsonValue<'_>) -> Result<(), Malformed> {
    match (value, head.target()) {
        (JsonValue::Text(text), Some(target)) if text == target => Ok(()),
        (value, _) if value.says_nothing() => Ok(()),
        _ => {
            let why = "this key names another object than the path does";
            Err(Malformed::new(Flaw::JsonContradiction, key, why))
        }
    }
}

fn put_within<'a>(
    object: &mut JsonObject<'a>,
    outer: &'static str,
    field: (Cow<'a, str>, JsonValue<'a>),
) {
    let inner = JsonValue::Object(JsonObject(vec![field]));
    match object.0.iter_mut().find(|(key, _)| key == outer) {
        Some((_, value @ JsonValue::Null)) => *value = inner,
        Some(_) => {}
        None => object.0.push((Cow::Borrowed(outer), inner)),
    }
}
