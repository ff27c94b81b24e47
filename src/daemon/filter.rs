//! Answers on their way back, changed as the permit of their request says: versions that the gate accepts, because a client
//! that believed the daemon's own numbers would speak one that the gate refuses; and what is somebody else's left out.

mod lines;

pub(super) use lines::SeenLines;

use super::{Answer, AnswerBody, Daemon, DaemonError, Lookup};
use crate::docker::{Accepted, ApiVersion};
use crate::policy::answer::{BodyRewrite, Rewrite};
use crate::policy::sight::{Shown, Sifted, Sight, error_without_ids};
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body::Body;
use http_body_util::BodyExt as _;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The longest `/version` that is read, in bytes.
const LONGEST: usize = 1024 * 1024;

/// The longest answer of which something is left out, in bytes.
const LONGEST_SIFTED: usize = 4 * 1024 * 1024;

/// Places for those that are long.
const SIFTED_AT_ONCE: usize = 2;

/// How often one stands in memory: as received, as values, as what is left of it.
const FORMS: usize = 8;

/// The most memory that answers take of which something is left out, in bytes.
pub const LONG_SIFTED: u64 = (SIFTED_AT_ONCE * LONGEST_SIFTED * FORMS) as u64;

/// The places for long answers of which something is left out.
#[derive(Debug)]
pub(super) struct Sifting(Arc<Semaphore>);

impl Default for Sifting {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(SIFTED_AT_ONCE)))
    }
}

/// From how many bytes on an answer is gone through away from the workers.
const LONG: usize = 64 * 1024;

/// Changes an answer as the permit of its request says. `target` is what the daemon was asked.
///
/// # Errors
/// [`DaemonError::Protocol`] when the body is too long, or not what it should be: nothing of it is passed on.
pub(super) async fn filter(
    daemon: &Daemon,
    mut answer: Answer,
    rewrite: Option<Rewrite>,
    target: &str,
) -> Result<Answer, DaemonError> {
    let Some(Rewrite { accepted, body, warnings }) = rewrite else { return Ok(answer) };
    lower_header(&mut answer.headers, accepted.ceiling);
    let answer = match body {
        BodyRewrite::AsItIs => Ok(answer),
        BodyRewrite::Versions => {
            if answer.status != StatusCode::OK || answer.body.is_end_stream() {
                return Ok(answer);
            }
            let bytes = rewritten(&whole(&mut answer, LONGEST).await?, accepted)?;
            Ok(with_body(answer, bytes))
        }
        BodyRewrite::Seen(sight) => seen(daemon, answer, *sight, target).await,
    }?;
    if warnings.is_empty() || !answer.status.is_success() || answer.body.is_end_stream() {
        return Ok(answer);
    }
    warned(answer, warnings).await
}

/// The answer with more warnings, where it is an object, which has a list of them.
async fn warned(mut answer: Answer, warnings: Vec<String>) -> Result<Answer, DaemonError> {
    let bytes = whole(&mut answer, LONGEST).await?;
    let Ok(Value::Object(mut object)) = serde_json::from_slice(&bytes) else {
        return Ok(with_body(answer, bytes));
    };
    let list = object.entry("Warnings").or_insert(Value::Null);
    if list.is_null() {
        *list = Value::Array(Vec::new());
    }
    if let Value::Array(list) = list {
        list.extend(warnings.into_iter().map(Value::String));
    }
    Ok(with_body(answer, Bytes::from(Value::Object(object).to_string())))
}

/// The answer without what is somebody else's.
async fn seen(
    daemon: &Daemon,
    mut answer: Answer,
    sight: Sight,
    target: &str,
) -> Result<Answer, DaemonError> {
    if answer.status.is_client_error() || answer.status.is_server_error() {
        if !sight.is_narrow() || answer.body.is_end_stream() {
            return Ok(answer);
        }
        let bytes = whole(&mut answer, LONGEST).await?;
        let bytes = Bytes::from(error_without_ids(&bytes, target));
        return Ok(with_body(answer, bytes));
    }
    let as_it_is = matches!(sight.shown(), Shown::Nothing) || answer.tunnel.is_some();
    if as_it_is || answer.body.is_end_stream() || !answer.status.is_success() {
        return Ok(answer);
    }
    for name in [ETAG, LAST_MODIFIED] {
        answer.headers.remove(name);
    }
    if sight.shown() == Shown::Events {
        answer.headers.remove(CONTENT_LENGTH);
        answer.body = answer.body.by_lines(sight);
        return Ok(answer);
    }
    let (bytes, _place) = placed(daemon, &mut answer).await?;
    let on_it = match sight.shown() {
        Shown::Joined => containers_on(daemon, &bytes, &sight).await,
        _ => BTreeSet::new(),
    };
    let long = bytes.len() > LONG;
    let sift = move || sight.sift(&bytes, &on_it);
    let sifted = match long {
        true => {
            tokio::task::spawn_blocking(sift).await.map_err(|error| refused(error.to_string()))?
        }
        false => sift(),
    };
    match sifted.map_err(|error| refused(format!("a list that is not as it should be: {error}")))? {
        Sifted::Left(bytes) => Ok(with_body(answer, Bytes::from(bytes))),
        Sifted::NotThere(why) => {
            let conflict = answer.status == StatusCode::CREATED;
            answer.status = if conflict { StatusCode::CONFLICT } else { StatusCode::NOT_FOUND };
            answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            let text = serde_json::json!({ "message": why }).to_string();
            Ok(with_body(answer, Bytes::from(text)))
        }
    }
}

/// The containers on a network that are there for whoever asks; none where the daemon does not say.
async fn containers_on(daemon: &Daemon, network: &[u8], sight: &Sight) -> BTreeSet<String> {
    let network: Option<Value> = serde_json::from_slice(network).ok();
    let id = network.as_ref().and_then(|network| network.get("Id")?.as_str());
    let Some(id) = id.filter(|id| id.bytes().all(|b| b.is_ascii_alphanumeric())) else {
        return BTreeSet::new();
    };
    let answer = daemon.lookup(Lookup::ContainersOn(id.to_owned())).await;
    let answer = answer.inspect_err(|error| daemon.complain(error));
    answer.map(|answer| sight.seen_containers(&answer)).unwrap_or_default()
}

/// The whole body, with a place for it where it is long.
async fn placed(
    daemon: &Daemon,
    answer: &mut Answer,
) -> Result<(Bytes, Option<OwnedSemaphorePermit>), DaemonError> {
    let (mut whole, mut place) = (BytesMut::new(), None);
    while let Some(frame) = answer.body.frame().await {
        let data = frame?.into_data().unwrap_or_default();
        if whole.len() + data.len() > LONGEST_SIFTED {
            let what =
                format!("more than {LONGEST_SIFTED} bytes, of which some are somebody else's");
            return Err(refused(what));
        }
        if place.is_none() && whole.len() + data.len() > LONG {
            let places = Arc::clone(&daemon.shared.sifting.0);
            place = places.acquire_owned().await.ok(); // they are never closed
        }
        whole.extend_from_slice(&data);
    }
    Ok((whole.freeze(), place))
}

async fn whole(answer: &mut Answer, most: usize) -> Result<Bytes, DaemonError> {
    let body = std::mem::replace(&mut answer.body, AnswerBody::of(Bytes::new()));
    body.read_whole(most).await
}

fn with_body(mut answer: Answer, bytes: Bytes) -> Answer {
    answer.headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    answer.body = AnswerBody::of(bytes);
    answer
}

const fn refused(what: String) -> DaemonError {
    DaemonError::Protocol(what)
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
