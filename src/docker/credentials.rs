//! Registry credentials in headers: taken apart and written anew, because the daemon decodes them as it
//! decodes bodies and, where it cannot, goes on without a word.
//!
//! Source: `DecodeAuthConfig` in moby's `api/types/registry/authconfig.go`, `postBuild` in
//! `api/server/router/build/build_routes.go`.

use super::body::auth::AuthConfig;
use super::body::field::{Map, Typed};
use super::json::{self, JsonObject, JsonValue};
use super::left_out::LeftOut;
use super::{Flaw, Malformed};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use http::{HeaderName, HeaderValue};

/// `X-Registry-Auth`: credentials for the registry of the reference.
pub const AUTH: &str = "x-registry-auth";
/// `X-Registry-Config`: credentials by registry.
pub const CONFIG: &str = "x-registry-config";

/// Reads a header of credentials. Gives what the daemon gets, `None` for what says nothing, and the
/// registries that are named.
///
/// # Errors
/// [`Flaw::HeaderCredentials`].
pub(super) fn read(
    name: &HeaderName,
    value: &HeaderValue,
) -> Result<(Option<HeaderValue>, Vec<String>), Malformed> {
    let wrong = |why: String| Malformed::new(Flaw::HeaderCredentials, name.as_str(), why);
    if value.is_empty() {
        return Ok((None, Vec::new()));
    }
    let bytes = URL_SAFE
        .decode(value.as_bytes())
        .map_err(|_| wrong("not base64 in the URL-safe alphabet, with padding".to_owned()))?;
    let inside = |flaw: Malformed| wrong(format!("decoded: {flaw}"));
    let mut value = json::read(&bytes).map_err(inside)?;
    if value == JsonValue::Null {
        return Ok((None, Vec::new()));
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut registries = Vec::new();
    if name == CONFIG {
        if let Some(again) = take_configs(&mut value) {
            Map::<'_, AuthConfig<'_>>::read(again, &mut LeftOut::nothing()).map_err(inside)?;
        }
        let config: Map<'_, AuthConfig<'_>> =
            Map::read(value, &mut LeftOut::nothing()).map_err(inside)?;
        registries.extend(config.iter().map(|(registry, _)| registry.to_owned()));
        config.write(&mut out);
    } else {
        AuthConfig::read(value, &mut LeftOut::nothing()).map_err(inside)?.write(&mut out);
    }
    let header = written(&out).ok_or_else(|| wrong("cannot be written again".to_owned()))?;
    Ok((Some(header), registries))
}

/// docker-java, where it was told no API version, says all of it a second time under `configs`, as daemons
/// before API 1.19 read it. Newer ones take that for a registry of which nothing is known.
fn take_configs<'a>(value: &mut JsonValue<'a>) -> Option<JsonValue<'a>> {
    let JsonValue::Object(JsonObject(entries)) = value else { return None };
    let at = entries.iter().position(|(key, _)| key == "configs")?;
    Some(entries.remove(at).1)
}

fn written(json: &[u8]) -> Option<HeaderValue> {
    let mut header = HeaderValue::try_from(URL_SAFE.encode(json)).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// `X-Registry-Config`, as it was written here, without some of its registries.
#[must_use]
pub fn without(config: &HeaderValue, registries: &[String]) -> Option<HeaderValue> {
    let bytes = URL_SAFE.decode(config.as_bytes()).ok()?;
    let mut config: Map<'_, AuthConfig<'_>> =
        Map::read(json::read(&bytes).ok()?, &mut LeftOut::nothing()).ok()?;
    config.0.retain(|(registry, _)| !registries.iter().any(|out| out == registry));
    let mut out = Vec::with_capacity(bytes.len());
    config.write(&mut out);
    written(&out)
}

/// The host, with port if there is one, that an address of a registry means: `https://host/v1/`,
/// `host:port`. `None` for what is no plain address, and for `http://`, by which a password would
/// travel in clear.
#[must_use]
pub fn host_of(address: &str) -> Option<&str> {
    let rest = address.strip_prefix("https://").unwrap_or(address);
    let host = rest.split('/').next().unwrap_or_default();
    let path = rest.get(host.len()..).unwrap_or_default();
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'/' | b'_');
    if !super::image::host_is_plain(host) || !path.bytes().all(plain) {
        return None;
    }
    Some(match host {
        "index.docker.io" | "registry-1.docker.io" | "auth.docker.io" => "docker.io",
        host => host,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auth(text: &str) -> Result<Option<String>, Malformed> {
        let value = HeaderValue::try_from(URL_SAFE.encode(text)).unwrap();
        let (out, _) = read(&HeaderName::from_static(AUTH), &value)?;
        let text =
            |v: HeaderValue| String::from_utf8(URL_SAFE.decode(v.as_bytes()).unwrap()).unwrap();
        Ok(out.map(text))
    }

    #[test]
    fn credentials_are_written_anew() {
        assert_eq!(
            auth(r#"{"username":"a","password":"b"}"#).unwrap().unwrap(),
            r#"{"username":"a","password":"b"}"#
        );
        assert_eq!(auth(r#"{"Username":"a"}"#).unwrap().unwrap(), r#"{"username":"a"}"#);
        assert_eq!(auth("{}").unwrap().unwrap(), "{}");
        assert_eq!(auth("null").unwrap(), None);
        for text in [
            "",
            "[]",
            r#"{"username":"a","Username":"b"}"#,
            r#"{"USERNAME":"a","username":"b"}"#,
            "{}{}",
            r#"{"x":"y"}"#,
        ] {
            if text.is_empty() {
                continue;
            }
            assert_eq!(auth(text).unwrap_err().flaw, Flaw::HeaderCredentials, "{text}");
        }
        let not_base64 = read(&HeaderName::from_static(AUTH), &HeaderValue::from_static("e30"));
        assert_eq!(not_base64.unwrap_err().flaw, Flaw::HeaderCredentials);
    }

    #[test]
    fn the_registries_of_a_build_are_told() {
        let text = URL_SAFE
            .encode(r#"{"https://index.docker.io/v1/":{},"r.example.com:5000":{"auth":"x"}}"#);
        let (_, registries) =
            read(&HeaderName::from_static(CONFIG), &HeaderValue::try_from(text).unwrap()).unwrap();
        assert_eq!(registries, ["https://index.docker.io/v1/", "r.example.com:5000"]);
    }

    #[test]
    fn an_address_is_one_host() {
        assert_eq!(host_of("https://index.docker.io/v1/"), Some("docker.io"));
        assert_eq!(host_of("r.example.com:5000"), Some("r.example.com:5000"));
        assert_eq!(host_of("127.0.0.1:5000"), Some("127.0.0.1:5000"));
        for address in [
            "",
            "http://r.example.com",
            "ftp://x",
            "r.example.com@evil",
            "[::1]:5",
            "a b",
            "r/?x",
            "https://u:p@r",
        ] {
            assert_eq!(host_of(address), None, "{address}");
        }
    }
}
