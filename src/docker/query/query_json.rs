//! JSON inside a query value, by type: read as strictly as a body, and written anew.

use crate::docker::body::create::{StringMap, Text, Texts, Ulimit};
use crate::docker::body::field::{Map, Typed, body};
use crate::docker::json::{self, JsonValue};
use crate::docker::left_out::LeftOut;
use crate::docker::route::QueryJson;
use crate::docker::{Flaw, Malformed};
use std::borrow::Cow;

body! {
    /// `ocispec.Platform`.
    OciPlatform<'a> {
        architecture: Text<'a> = "architecture",
        os: Text<'a> = "os",
        os_version: Text<'a> = "os.version",
        os_features: Texts<'a> = "os.features",
        variant: Text<'a> = "variant",
    }

    /// `build.ImageBuildOutput`.
    Output<'a> {
        kind: Text<'a> = "Type",
        attributes: StringMap<'a> = "Attrs",
    }
}

/// Reads a value as its type; what comes out is our own text, and whether it says nothing.
pub(super) fn read(of: QueryJson, text: &str) -> Result<(String, bool), Malformed> {
    let value = json::read(text.as_bytes())?;
    let nothing = value.says_nothing();
    let plain = |out: &str| !out.chars().any(char::is_control);
    let out = match of {
        QueryJson::Texts => again::<Option<Vec<Cow<'_, str>>>>(value),
        QueryJson::TextMap => again::<Option<Map<'_, Cow<'_, str>>>>(value),
        QueryJson::OptionalTextMap => again::<Option<Map<'_, Option<Cow<'_, str>>>>>(value),
        QueryJson::Ulimits => again::<Option<Vec<Ulimit<'_>>>>(value),
        QueryJson::Platform => again::<OciPlatform<'_>>(value),
        QueryJson::Outputs => again::<Option<Vec<Output<'_>>>>(value),
    }?;
    let text = String::from_utf8(out)
        .map_err(|_| Malformed::new(Flaw::JsonSyntax, "", "the JSON is not UTF-8"))?;
    let control = || Malformed::new(Flaw::QueryValue, "", "a text has a control character");
    Some((text, nothing)).filter(|(text, _)| plain(text)).ok_or_else(control)
}

fn again<'a, T: Typed<'a>>(value: JsonValue<'a>) -> Result<Vec<u8>, Malformed> {
    let mut out = Vec::new();
    T::read(value, &mut LeftOut::nothing())?.write(&mut out);
    Ok(out)
}

/// The ulimits of a build, as `read` has written them.
#[must_use]
pub fn ulimits(text: &str) -> Vec<Ulimit<'_>> {
    parsed(text).unwrap_or_default()
}

/// A map of texts, as `read` has written it.
#[must_use]
pub fn text_map(text: &str) -> Map<'_, Cow<'_, str>> {
    parsed(text).unwrap_or_default()
}

/// The same map with one more entry.
pub(super) fn with(text: &str, key: &str, value: &str) -> String {
    let mut map = text_map(text);
    map.put(key.to_owned(), Cow::Borrowed(value));
    let mut out = Vec::new();
    map.write(&mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// A list of texts, as `read` has written it.
#[must_use]
pub fn texts(text: &str) -> Vec<Cow<'_, str>> {
    parsed(text).unwrap_or_default()
}

/// A value, as it was written here.
pub(super) fn parsed<'a, T: Typed<'a>>(text: &'a str) -> Option<T> {
    json::read(text.as_bytes()).ok().and_then(|value| T::read(value, &mut LeftOut::nothing()).ok())
}
