//! The form of the file as JSON Schema, for editors: written from the very table that the file is
//! checked against, so that the two cannot differ.

use super::keys;
use super::shape::{Section, Shape};
use serde_json::{Map, Value, json};

/// JSON Schema (draft 2020-12) of the policy file.
#[must_use]
pub fn schema() -> Value {
    let mut root = section(&keys::FILE);
    if let Some(map) = root.as_object_mut() {
        map.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
        map.insert("title".into(), json!("dockward policy file"));
    }
    root
}

fn of(shape: Shape) -> Value {
    match shape {
        Shape::Text | Shape::Quoted => json!({ "type": "string" }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Word(words) => json!({ "enum": words }),
        Shape::Notation(notation) => json!({
            "type": ["string", "number"], "pattern": notation.pattern, "title": notation.what,
        }),
        Shape::List(item) => json!({ "type": "array", "items": of(*item) }),
        Shape::Named(value) => json!({ "type": "object", "additionalProperties": of(*value) }),
        Shape::Section(section) => self::section(section),
        Shape::Either(first, second) => json!({ "anyOf": [of(*first), of(*second)] }),
    }
}

fn section(section: &Section) -> Value {
    let mut properties = Map::new();
    for key in section.keys {
        let mut value = of(key.shape);
        if let Some(map) = value.as_object_mut() {
            map.insert("description".into(), json!(key.what));
        }
        properties.insert(key.name.into(), value);
    }
    let required: Vec<&str> =
        section.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    let mut schema =
        json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if let (false, Some(map)) = (required.is_empty(), schema.as_object_mut()) {
        map.insert("required".into(), json!(required));
    }
    schema
}
