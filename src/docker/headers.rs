//! The head's framing and fields: given in exactly one way, and passed on by a list, because what
//! two HTTP readers understand differently is a second request.
//!
//! hyper normalises some of it before we see it (RFC 9112; both lengths, repeated codings); what it
//! leaves visible is refused here, and nothing of the client's framing is sent on in any case.

use super::{BodyKind, Flaw, Framing, Hijack, Malformed, Method, RequestHead, Route, credentials};
use http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, HeaderMap, HeaderName,
    HeaderValue, TRAILER, TRANSFER_ENCODING, UPGRADE,
};

/// Header fields that are refused when given twice, wherever they are.
const SINGLE: [HeaderName; 5] =
    [CONTENT_LENGTH, TRANSFER_ENCODING, EXPECT, UPGRADE, CONTENT_ENCODING];

/// The one field of a route's list that may be given more than once (BuildKit's session).
const REPEATED: &str = "x-docker-expose-session-grpc-method";

/// Checks what holds for every request, and says how the body is framed.
///
/// # Errors
/// The `http.*` flaws and [`Flaw::BodyTrailers`], [`Flaw::BodyType`].
pub(super) fn check(head: &RequestHead<'_>) -> Result<Framing, Malformed> {
    if head.version != http::Version::HTTP_11 {
        return Err(Malformed::new(Flaw::HttpVersion, "", "only HTTP/1.1 is spoken here"));
    }
    check_host(head.headers)?;
    check_fields(head.headers)?;
    let framing = framing(head.headers)?;
    // of no body it does not matter what it is: `curl -d ''` calls it a form
    if framing != Framing::Empty {
        check_content_type(head.headers)?;
    }
    Ok(framing)
}

fn check_host(headers: &HeaderMap) -> Result<(), Malformed> {
    match headers.get_all(HOST).iter().count() {
        1 => Ok(()),
        0 => Err(Malformed::new(Flaw::HttpHost, "host", "the Host header is missing")),
        _ => Err(Malformed::new(Flaw::HttpHost, "host", "more than one Host header")),
    }
}

fn check_fields(headers: &HeaderMap) -> Result<(), Malformed> {
    let printable =
        |value: &HeaderValue| value.as_bytes().iter().all(|b| (b' '..=b'~').contains(b));
    if let Some((name, _)) = headers.iter().find(|(_, value)| !printable(value)) {
        let why = "the value has bytes that are not printable ASCII";
        return Err(Malformed::new(Flaw::HttpHeader, name.as_str(), why));
    }
    if let Some(name) = SINGLE.iter().find(|name| is_repeated(headers, *name)) {
        return Err(twice(name.as_str()));
    }
    if headers.get(EXPECT).is_some_and(|value| value != "100-continue") {
        return Err(Malformed::new(Flaw::HttpExpect, "expect", "only '100-continue' is known"));
    }
    if headers.contains_key(TRAILER) {
        let why = "trailers are not taken";
        return Err(Malformed::new(Flaw::BodyTrailers, "trailer", why));
    }
    Ok(())
}

fn is_repeated(headers: &HeaderMap, name: impl http::header::AsHeaderName) -> bool {
    headers.get_all(name).iter().nth(1).is_some()
}

fn twice(name: &str) -> Malformed {
    Malformed::new(Flaw::HttpHeader, name, "given more than once")
}

/// Form and multipart bodies override the query in the daemon, so they are refused wherever they
/// are named. Several types are another matter: bollard sends two with
/// every archive, the daemon gets one that we write, and only JSON routes ask for exactly one.
fn check_content_type(headers: &HeaderMap) -> Result<(), Malformed> {
    let refused = |why: &'static str| Err(Malformed::new(Flaw::BodyType, "content-type", why));
    for value in headers.get_all(CONTENT_TYPE) {
        let Some((kind, sub)) = value.to_str().ok().and_then(media_type) else {
            return refused("not a media type");
        };
        let form = kind.eq_ignore_ascii_case("application")
            && sub.eq_ignore_ascii_case("x-www-form-urlencoded");
        if form || kind.eq_ignore_ascii_case("multipart") {
            return refused("form and multipart bodies are not taken: use the query");
        }
    }
    Ok(())
}

/// The type and subtype of a `Content-Type` value, without its parameters. One word alone, as docker-java writes before an
/// archive, has no subtype, and is no form to the daemon (`ParseMediaType` in Go's `mime`).
fn media_type(value: &str) -> Option<(&str, &str)> {
    let token = |part: &str| !part.is_empty() && part.bytes().all(is_token);
    let whole = value.split(';').next()?.trim();
    let (kind, sub) = whole.split_once('/').unwrap_or((whole, "-"));
    (token(kind) && token(sub)).then_some((kind, sub))
}

/// RFC 9110, `token`.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

fn framing(headers: &HeaderMap) -> Result<Framing, Malformed> {
    let flaw = |at: &str, why: &'static str| Err(Malformed::new(Flaw::HttpFraming, at, why));
    let wrong = |why| flaw("content-length", why);
    match (headers.get(TRANSFER_ENCODING), headers.get(CONTENT_LENGTH)) {
        (None, None) => Ok(Framing::Empty),
        (Some(_), Some(_)) => wrong("Content-Length and Transfer-Encoding exclude each other"),
        (Some(coding), None) if coding == "chunked" => Ok(Framing::Chunked),
        (Some(_), None) => flaw("transfer-encoding", "must be 'chunked', once and exactly"),
        (None, Some(length)) => match length.to_str().ok().and_then(decimal) {
            Some(0) => Ok(Framing::Empty),
            Some(length) => Ok(Framing::Length(length)),
            None => wrong("must be a decimal number without leading zeros"),
        },
    }
}

fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

/// Checks what follows from the route: whether there is a body, and that JSON is called JSON. Many clients send some where
/// no daemon reads any.
///
/// # Errors
/// [`Flaw::BodyUnexpected`], [`Flaw::BodyMissing`], [`Flaw::BodyType`].
pub(super) fn check_body(
    headers: &HeaderMap,
    framing: Framing,
    route: &Route,
) -> Result<(), Malformed> {
    let (body, method) = (route.body, route.method);
    // what a client streams to what takes the connection over is not waited for
    let untyped = !headers.contains_key(CONTENT_TYPE) && route.hijack == Hijack::No;
    // docker-py says so of a context that is a compressed tar; the daemon looks at the bytes alone
    if headers.contains_key(CONTENT_ENCODING) && body != BodyKind::Opaque {
        let why = "the daemon reads bodies as they are; send it without an encoding";
        return Err(Malformed::new(Flaw::HttpHeader, "content-encoding", why));
    }
    let (flaw, at, why) = match (body, framing) {
        (BodyKind::None | BodyKind::Json { optional: true, .. }, Framing::Empty)
        | (BodyKind::Archive | BodyKind::Opaque, _) => return Ok(()),
        // docker-java says `null` and not what it is, which no daemon takes for a form (`parsePostForm` in Go's `net/http`)
        (BodyKind::None, _)
            if method == Method::Post && (is_json_throughout(headers) || untyped) =>
        {
            return Ok(());
        }
        // and before a push; what is read is written again, and called JSON
        (BodyKind::Json { optional: true, .. }, _) if untyped => return Ok(()),
        (BodyKind::None, _) => (Flaw::BodyUnexpected, "", "this endpoint takes no body"),
        (_, Framing::Empty) => (Flaw::BodyMissing, "", "this endpoint needs a JSON body"),
        // bollard says it twice of a service
        _ if is_json_throughout(headers) => return Ok(()),
        _ if is_repeated(headers, CONTENT_TYPE) => return Err(twice("content-type")),
        _ => (Flaw::BodyType, "content-type", "must be 'application/json' on this endpoint"),
    };
    Err(Malformed::new(flaw, at, why))
}

fn is_json_throughout(headers: &HeaderMap) -> bool {
    headers.contains_key(CONTENT_TYPE) && headers.get_all(CONTENT_TYPE).iter().all(is_json)
}

fn is_json(value: &HeaderValue) -> bool {
    let Ok(value) = value.to_str() else { return false };
    let (media, parameters) = value.split_once(';').unwrap_or((value, "charset=utf-8"));
    media.trim().eq_ignore_ascii_case("application/json")
        && parameters.trim().eq_ignore_ascii_case("charset=utf-8")
}

/// Whether the client asked to upgrade, in the route's own protocol. moby upgrades whatever the
/// value is; on all other routes the field is dropped.
///
/// # Errors
/// [`Flaw::UpgradeProtocol`]; [`Flaw::UpgradeRequired`] where nothing else makes sense.
pub(super) fn upgrade(headers: &HeaderMap, hijack: Hijack) -> Result<bool, Malformed> {
    let Some(protocol) = hijack.protocol() else { return Ok(false) };
    match headers.get(UPGRADE) {
        Some(asked) if asked.as_bytes().eq_ignore_ascii_case(protocol.as_bytes()) => Ok(true),
        Some(_) => {
            let why = format!("this endpoint upgrades to '{protocol}' only");
            Err(Malformed::new(Flaw::UpgradeProtocol, "upgrade", why))
        }
        None if matches!(hijack, Hijack::WebSocket | Hijack::H2c) => {
            Err(upgrade_required(protocol))
        }
        None => Ok(false),
    }
}

/// The refusal of a client that means to send input on a connection it did not ask to take over.
pub(super) fn upgrade_required(protocol: &'static str) -> Malformed {
    let why = format!("send 'Connection: Upgrade' and 'Upgrade: {protocol}', or ask for no input");
    Malformed::new(Flaw::UpgradeRequired, "upgrade", why)
}

/// The client's fields that the route passes on, credentials written anew, and the registries that
/// credentials are for. All other fields are dropped without a word.
///
/// # Errors
/// [`Flaw::HttpHeader`] for a listed field given twice, [`Flaw::HeaderCredentials`].
pub(super) fn passed_on(headers: &HeaderMap, route: &Route) -> Result<Passed, Malformed> {
    let mut passed = Passed::default();
    if route.headers.is_empty() {
        return Ok(passed);
    }
    let once = route.headers.iter().filter(|name| **name != REPEATED);
    if let Some(name) = once.copied().find(|name| is_repeated(headers, *name)) {
        return Err(twice(name));
    }
    for (name, value) in headers.iter().filter(|(name, _)| route.headers.contains(&name.as_str())) {
        if !matches!(name.as_str(), credentials::AUTH | credentials::CONFIG) {
            passed.fields.push((name.clone(), value.clone()));
            continue;
        }
        let (value, registries) = credentials::read(name, value)?;
        passed.fields.extend(value.map(|value| (name.clone(), value)));
        passed.registries.extend(registries);
    }
    Ok(passed)
}

/// What of the client's head goes on.
#[derive(Debug, Default)]
pub(super) struct Passed {
    pub(super) fields: Vec<(HeaderName, HeaderValue)>,
    pub(super) registries: Vec<String>,
}
