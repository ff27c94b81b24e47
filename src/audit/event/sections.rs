//! The sections of an event: who, whence, what, what we said, what the daemon got, how it ended.
//! What must not reach the log whole (secrets in queries, endless errors) is masked and cut here,
//! as it is written, so that no caller can forget to. What was masked and cut reads back as it stands in
//! the line, and is not cut again.

use super::super::escape::clip;
use super::super::redact;
use crate::digest::Sha256;
use crate::identity::Fingerprint;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

/// Reasons listed in one event; the rest is counted.
pub const REASONS_MAX: usize = 16;
/// Bytes, as escaped, kept of the daemon's error and of the value a reason is about.
pub const TEXT_MAX: usize = 512;

/// Items kept of a list among the fields and facts; the rest is counted.
pub(super) const ITEMS_MAX: usize = 64;

/// Who, as proven.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct IdentityRecord {
    /// The name the policy gives.
    pub name: String,
    /// The roles held at that moment.
    pub roles: Vec<String>,
    /// By what it was proven.
    pub proven: Proof,
    /// The certificate's subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The certificate's issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The certificate's serial number, hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Subject alternative names, each with its kind before a colon.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sans: Vec<String>,
    /// SHA-256 of the certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
    /// The user at a Unix socket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unix: Option<User>,
    /// Claims of a token that was proven beside it, those that the policy keeps.
    #[serde(default, skip_serializing_if = "Map::is_empty", serialize_with = "bounded_fields")]
    pub claims: Map<String, Value>,
}

/// A user of this host, as the kernel says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// The id that the session began with, before `su` or `sudo`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_uid: Option<u32>,
    /// The process. Noted only: numbers are used again.
    pub pid: u32,
}

/// By what an identity was proven.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// A client certificate verified in the handshake.
    Certificate,
    /// The kernel's word for who opened a Unix socket.
    #[default]
    Unix,
}

/// From where.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Client {
    /// Address, with the port where it is one connection; `uid:1000` at a Unix socket.
    pub address: String,
    /// The listener it came in by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listener: Option<String>,
    /// Id shared by all requests of the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// TLS version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<String>,
}

/// What was asked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RequestRecord {
    /// Method as received.
    pub method: String,
    /// Path as received.
    pub path: String,
    /// Query as received, save that secrets in it are masked as it is written (see
    /// [`redact::query`]): build arguments travel in queries.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "masked_query")]
    pub query: Option<String>,
    /// Docker's own operation id, `ContainerCreate`; none where no route was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// `container`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// `create`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verb: Option<String>,
    /// The object named in the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// SHA-256 of the body as received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_sha256: Option<Sha256>,
    /// The fields that matter to security. Never values of environment, credentials, build
    /// arguments or secrets; argument vectors only through [`redact::argv`].
    #[serde(default, skip_serializing_if = "Map::is_empty", serialize_with = "bounded_fields")]
    pub fields: Map<String, Value>,
}

/// What we said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Let through.
    Allow,
    /// Refused.
    #[default]
    Deny,
}

/// One reason of a denial.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReasonRecord {
    /// Stable id, `mount.host-path`.
    pub id: String,
    /// Where in the request, `HostConfig.Binds[0]`; cut at [`TEXT_MAX`], as it may end in a key of
    /// the client's.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "clipped")]
    pub field: Option<String>,
    /// What stood there; cut at [`TEXT_MAX`].
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "clipped")]
    pub value: Option<String>,
}

/// What we said, and on what grounds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DecisionRecord {
    verdict: Verdict,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<ReasonRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    would: Vec<ReasonRecord>,
    #[serde(default, skip_serializing_if = "is_default")]
    more: usize,
    /// The grant that allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// `enforce` or `observe`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// SHA-256 of the policy in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Sha256>,
    /// The facts it stood on.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "bounded_facts")]
    pub facts: Option<Value>,
}

impl DecisionRecord {
    /// Allowed.
    #[must_use]
    pub(in crate::audit) fn allow() -> Self {
        Self { verdict: Verdict::Allow, ..Self::default() }
    }

    /// Refused, for these reasons: [`REASONS_MAX`] are listed, the rest counted.
    #[must_use]
    pub fn deny(reasons: impl IntoIterator<Item = ReasonRecord>) -> Self {
        let (reasons, more) = listed(reasons);
        Self { verdict: Verdict::Deny, reasons, more, ..Self::default() }
    }

    /// Let through by `mode: observe`, though it would have been refused for these reasons.
    #[must_use]
    pub(in crate::audit) fn observe(reasons: impl IntoIterator<Item = ReasonRecord>) -> Self {
        let (would, more) = listed(reasons);
        Self { would, more, mode: Some("observe".to_owned()), ..Self::allow() }
    }

    /// What we said.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// What spoke against it, even where it was let through by `mode: observe`.
    pub fn reasons(&self) -> impl Iterator<Item = &ReasonRecord> {
        self.reasons.iter().chain(&self.would)
    }
}

fn listed(reasons: impl IntoIterator<Item = ReasonRecord>) -> (Vec<ReasonRecord>, usize) {
    let mut reasons = reasons.into_iter();
    let listed = reasons.by_ref().take(REASONS_MAX).collect();
    (listed, reasons.count())
}

/// What the daemon gets.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Forwarded {
    /// Method.
    pub method: String,
    /// Path and query, as we built them; masked like [`RequestRecord::query`].
    #[serde(serialize_with = "masked_target")]
    pub target: String,
    /// SHA-256 of the body we built; none for an opaque stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_sha256: Option<Sha256>,
    /// What we changed or filled in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<String>,
}

/// How a request or session ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OutcomeRecord {
    /// The daemon's status; none where it gave none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The daemon's error; cut at [`TEXT_MAX`].
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "clipped")]
    pub error: Option<String>,
    /// Bytes from the client to the daemon.
    pub bytes_in: u64,
    /// Bytes from the daemon to the client.
    pub bytes_out: u64,
    /// Milliseconds from the decision to the end.
    pub ms: u64,
    /// Full id of what was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name of what was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// By what it ended.
    pub ended: Ended,
}

/// By what a request or session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Both sides were done.
    Done,
    /// The client went away.
    ClientGone,
    /// The daemon went away or was not there.
    DaemonGone,
    /// The identity lost its right while it ran.
    Revoked,
    /// A limit of ours ended it.
    Limit,
}

/// Whether a number or the like is what it would be if nobody had said it.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn clipped<S: Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    text.as_deref().map(|text| clip(text, TEXT_MAX)).serialize(serializer)
}

/// The fields, so that no body makes a line longer than the log takes: a denial that cannot be
/// written would be one that is not on record. An argument vector is bounded already.
fn bounded_fields<S: Serializer>(
    fields: &Map<String, Value>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(fields.iter().map(|(key, value)| (key, kept(key, value))))
}

/// What a line keeps of a field. It stays as it is when it is kept a second time.
pub(in crate::audit) fn kept(key: &str, value: &Value) -> Value {
    match key {
        "argv" => value.clone(),
        _ => bounded(value),
    }
}

fn bounded_facts<S: Serializer>(facts: &Option<Value>, serializer: S) -> Result<S::Ok, S::Error> {
    facts.as_ref().map(bounded).serialize(serializer)
}

/// Texts cut at [`TEXT_MAX`], lists and objects at [`ITEMS_MAX`], with how many are missing: one item more,
/// which stays where a list was cut already.
fn bounded(value: &Value) -> Value {
    let missing = |all: usize| format!("…{}", all.saturating_sub(ITEMS_MAX));
    let most = |all: usize, cut: bool| ITEMS_MAX + usize::from(cut && all == ITEMS_MAX + 1);
    match value {
        Value::String(text) => clip(text, TEXT_MAX).into(),
        Value::Array(items) => {
            let cut = items.last().and_then(Value::as_str).is_some_and(is_missing);
            let most = most(items.len(), cut);
            let mut kept: Vec<Value> = items.iter().take(most).map(bounded).collect();
            kept.extend((items.len() > most).then(|| missing(items.len()).into()));
            Value::Array(kept)
        }
        Value::Object(entries) => {
            let cut = entries.iter().any(|(key, value)| value.is_null() && is_missing(key));
            let most = most(entries.len(), cut);
            let first = entries.iter().take(most);
            let mut kept: Map<String, Value> =
                first.map(|(key, v)| (clip(key, TEXT_MAX).to_owned(), bounded(v))).collect();
            let more = (entries.len() > most).then(|| missing(entries.len()));
            kept.extend(more.map(|more| (more, Value::Null)));
            Value::Object(kept)
        }
        other => other.clone(),
    }
}

/// Whether this stands for what is missing.
fn is_missing(text: &str) -> bool {
    text.strip_prefix('…').is_some_and(|count| count.parse::<usize>().is_ok())
}

fn masked_query<S: Serializer>(query: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    query.as_deref().map(redact::query).serialize(serializer)
}

fn masked_target<S: Serializer>(target: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let Some((path, query)) = target.split_once('?') else { return target.serialize(serializer) };
    serializer.collect_str(&format_args!("{path}?{}", redact::query(query)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reason(value: &str) -> ReasonRecord {
        ReasonRecord { id: "mount.host-path".into(), field: None, value: Some(value.into()) }
    }

    #[test]
    fn sixteen_reasons_are_listed_and_the_rest_is_counted() {
        let decision = DecisionRecord::deny((0..20).map(|n| reason(&n.to_string())));
        let value = serde_json::to_value(&decision).unwrap();
        assert_eq!(value["verdict"], "deny");
        assert_eq!(value["reasons"].as_array().unwrap().len(), 16);
        assert_eq!(value["reasons"][15]["value"], "15");
        assert_eq!(value["more"], 4);
        assert!(value.get("would").is_none());
    }

    #[test]
    fn what_is_observed_is_allowed_and_says_what_it_would_have_been() {
        let value = serde_json::to_value(DecisionRecord::observe([reason("/etc")])).unwrap();
        let would = json!([{ "id": "mount.host-path", "value": "/etc" }]);
        assert_eq!(value, json!({ "verdict": "allow", "mode": "observe", "would": would }));
    }

    #[test]
    fn no_body_makes_a_line_too_long_to_be_written() {
        let long = "/".repeat(2 << 20);
        let binds: Value = vec![long.clone(); 100].into();
        let fields = Map::from_iter([
            ("image".to_owned(), long.clone().into()),
            ("binds".to_owned(), binds),
        ]);
        let request =
            serde_json::to_value(RequestRecord { fields, ..RequestRecord::default() }).unwrap();
        assert_eq!(request["fields"]["image"].as_str().unwrap().len(), TEXT_MAX);
        assert_eq!(request["fields"]["binds"].as_array().unwrap().len(), ITEMS_MAX + 1);
        assert_eq!(request["fields"]["binds"][ITEMS_MAX], "…36");
        let mut decision =
            DecisionRecord::deny([ReasonRecord { field: Some(long.clone()), ..reason(&long) }]);
        decision.facts = Some(json!({ "host_paths": { long: "Missing" } }));
        assert!(serde_json::to_vec(&decision).unwrap().len() < 4 * TEXT_MAX);
        assert!(serde_json::to_vec(&request).unwrap().len() < 80 * TEXT_MAX);
    }

    #[test]
    fn what_is_kept_of_a_field_is_kept_as_it_is() {
        let long: Value = vec!["\u{7f}".repeat(1000); 100].into();
        let once = kept("binds", &long);
        assert_eq!(kept("binds", &once), once);
        assert!(serde_json::to_vec(&once).unwrap().len() < 80 * TEXT_MAX);
    }

    #[test]
    fn long_errors_are_cut() {
        let outcome = OutcomeRecord {
            status: Some(500),
            error: Some("x".repeat(600)),
            bytes_in: 0,
            bytes_out: 0,
            ms: 1,
            id: None,
            name: None,
            ended: Ended::ClientGone,
        };
        let value = serde_json::to_value(outcome).unwrap();
        assert_eq!(value["error"].as_str().unwrap().len(), TEXT_MAX);
        assert_eq!(value["ended"], "client-gone");
    }

    #[test]
    fn build_arguments_do_not_reach_the_line() {
        let query = "t=a&buildargs=%7B%22X%22%3A%22hush%22%7D".to_owned();
        let forwarded =
            Forwarded { target: format!("/v1.47/build?{query}"), ..Forwarded::default() };
        let request = RequestRecord { query: Some(query), ..RequestRecord::default() };
        assert_eq!(serde_json::to_value(request).unwrap()["query"], "t=a&buildargs=***");
        let target = &serde_json::to_value(forwarded).unwrap()["target"];
        assert_eq!(target, "/v1.47/build?t=a&buildargs=***");
    }
}
