//! Answers that tell a client what the gate accepts, because a client that believed the daemon's own
//! numbers would speak a version that the gate refuses.

use super::{Answer, AnswerBody, DaemonError};
use crate::docker::{Accepted, ApiVersion};
use crate::policy::answer::Rewrite;
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body::Body;
use serde_json::Value;

/// The longest `/version` that is read, in bytes.
const LONGEST: usize = 1024 * 1024;

/// Changes an answer as the permit of its request says: lowers the `Api-Version` header to what is accepted, and
/// in the body of `/version` the engine's `ApiVersion` and `MinAPIVersion`. Whatever else is to be hidden from a
/// client goes through here too.
///
/// # Errors
/// [`DaemonError::Protocol`] when the body of `/version` is longer than 1 MiB or not a JSON object.
pub(super) async fn filter(
    mut answer: Answer,
    rewrite: Option<Rewrite>,
) -> Result<Answer, DaemonError> {
    let accepted = match rewrite {
        None => return Ok(answer),
        Some(Rewrite::Header(accepted) | Rewrite::Versions(accepted)) => accepted,
    };
    lower_header(&mut answer.headers, accepted.ceiling);
    let of_body = matches!(rewrite, Some(Rewrite::Versions(_)));
    if !of_body || answer.status != StatusCode::OK || answer.body.is_end_stream() {
        return Ok(answer);
    }
    let bytes = rewritten(&answer.body.read_whole(LONGEST).await?, accepted)?;
    answer.headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    answer.body = AnswerBody::of(bytes);
    Ok(answer)
}

fn lower_header(headers: &mut HeaderMap, ceiling: ApiVersion) {
    let Some(value) = headers.get("api-version") else { return };
    let told = value.to_str().ok().and_then(ApiVersion::parse);
    if told.is_none_or(|told| told > ceiling)
        && let Ok(value) = HeaderValue::try_from(ceiling.to_string())
    {
        headers.insert("api-version", value);
    }
}

fn rewritten(body: &[u8], accepted: Accepted) -> Result<Bytes, DaemonError> {
    let refused = |what| DaemonError::Protocol(format!("/version {what}"));
    let mut value: Value =
        serde_json::from_slice(body).map_err(|error| refused(format!("is not JSON: {error}")))?;
    if !value.is_object() {
        return Err(refused("is not a JSON object".to_owned()));
    }
    tell(&mut value, accepted);
    let components = value.get_mut("Components").and_then(Value::as_array_mut);
    let is_engine = |part: &&mut Value| part.get("Name").and_then(Value::as_str) == Some("Engine");
    let engines = components.into_iter().flatten().filter(is_engine);
    for details in engines.filter_map(|engine| engine.get_mut("Details")) {
        tell(details, accepted);
    }
    serde_json::to_vec(&value)
        .map(Bytes::from)
        .map_err(|error| refused(format!("cannot be written: {error}")))
}

/// Replaces the two numbers where they are.
fn tell(value: &mut Value, accepted: Accepted) {
    for (key, version) in [("ApiVersion", accepted.ceiling), ("MinAPIVersion", accepted.floor)] {
        if let Some(place) = value.get_mut(key) {
            *place = Value::String(version.to_string());
        }
    }
}
