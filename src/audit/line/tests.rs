//! Whatever an event holds, its line reads back, and what was read is written as the same line.

use super::super::chain::{Sealed, Tip, seal};
use super::super::clock::{Stamp, StampClock};
use super::super::escape::tests::strange;
use super::super::event::{
    Actor, Client, DecisionRecord, ElevationRecord, Ended, FileEnd, FileHash, Folded, Forwarded,
    IdentityRecord, OutcomeRecord, Proof, ReasonRecord, RequestRecord, User,
};
use super::*;
use crate::audit::AuditError;
use crate::audit::EventId;
use crate::identity::Fingerprint;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use serde_json::{Map, Value};

const STAGES: [Stage; 14] = [
    Stage::Start,
    Stage::Decision,
    Stage::Complete,
    Stage::SessionOpen,
    Stage::SessionClose,
    Stage::Handshake,
    Stage::ConnectionRefused,
    Stage::SessionKill,
    Stage::GrantOpen,
    Stage::GrantClose,
    Stage::Revoke,
    Stage::PolicyLoad,
    Stage::Gap,
    Stage::Stop,
];

/// Texts, and now and then one that is cut or masked.
fn text() -> BoxedStrategy<String> {
    let long = any::<char>().prop_map(|c| c.to_string().repeat(600));
    let secret = strange().prop_map(|text| format!("buildargs={text}&token=x&a={text}"));
    let url = strange().prop_map(|text| format!("https://u:{text}@h/AKIA{}", "A".repeat(20)));
    prop_oneof![12 => strange(), 1 => long, 1 => secret, 1 => url].boxed()
}

fn sha256() -> impl Strategy<Value = Sha256> {
    any::<[u8; 32]>().prop_map(Sha256::from)
}

fn value() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            map_of(inner.clone()).prop_map(Value::Object),
            (inner, 60_usize..70, any::<bool>()).prop_map(many),
        ]
    })
    .boxed()
}

/// A list or object about as long as is kept.
fn many((item, many, list): (Value, usize, bool)) -> Value {
    match list {
        true => (1..many).map(Value::from).chain([item]).collect(),
        false => (1..many).map(|n| (format!("…{n}"), item.clone())).collect(),
    }
}

fn map_of(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let key = prop_oneof![strange(), Just("argv".to_owned())];
    vec((key, value), 0..4).prop_map(Map::from_iter)
}

fn identity() -> impl Strategy<Value = IdentityRecord> {
    let names = (text(), of(text()), of(text()), of(text()));
    let lists = (vec(text(), 0..3), vec(text(), 0..3), map_of(value()));
    let user = (any::<u32>(), any::<u32>(), of(any::<u32>()), any::<u32>());
    let user = user.prop_map(|(uid, gid, login_uid, pid)| User { uid, gid, login_uid, pid });
    let proven = prop_oneof![Just(Proof::Certificate), Just(Proof::Unix)];
    (names, lists, proven, of(user), of(any::<[u8; 4]>())).prop_map(
        |((name, subject, issuer, serial), (roles, sans, claims), proven, unix, der)| {
            let fingerprint = der.map(|der| Fingerprint::of(&der));
            IdentityRecord {
                name,
                roles,
                proven,
                subject,
                issuer,
                serial,
                sans,
                fingerprint,
                unix,
                claims,
            }
        },
    )
}

fn client() -> impl Strategy<Value = Client> {
    (text(), of(text()), of(text()), of(text())).prop_map(|(address, listener, connection, tls)| {
        Client { address, listener, connection, tls }
    })
}

fn request() -> impl Strategy<Value = RequestRecord> {
    let asked = (text(), text(), of(text()), of(text()));
    let read = (of(text()), of(text()), of(text()));
    (asked, read, of(sha256()), map_of(value())).prop_map(
        |((method, path, query, operation), (resource, verb, target), body_sha256, fields)| {
            RequestRecord {
                method,
                path,
                query,
                operation,
                resource,
                verb,
                target,
                body_sha256,
                fields,
            }
        },
    )
}

fn decision() -> impl Strategy<Value = DecisionRecord> {
    let reason = (text(), of(text()), of(text()));
    let reason = reason.prop_map(|(id, field, value)| ReasonRecord { id, field, value }).boxed();
    let made = prop_oneof![
        Just(DecisionRecord::allow()),
        vec(reason.clone(), 0..20).prop_map(DecisionRecord::deny),
        vec(reason, 0..20).prop_map(DecisionRecord::observe),
    ];
    let facts = of(map_of(value()).prop_map(Value::Object));
    (made, of(text()), of(sha256()), facts).prop_map(|(mut decision, grant, policy, facts)| {
        (decision.grant, decision.policy, decision.facts) = (grant, policy, facts);
        decision
    })
}

fn forwarded() -> impl Strategy<Value = Forwarded> {
    let target = (text(), text()).prop_map(|(path, query)| format!("{path}?{query}"));
    (text(), target, of(sha256()), vec(text(), 0..3)).prop_map(
        |(method, target, body_sha256, terms)| Forwarded { method, target, body_sha256, terms },
    )
}

fn outcome() -> impl Strategy<Value = OutcomeRecord> {
    let ended = prop_oneof![
        Just(Ended::Done),
        Just(Ended::ClientGone),
        Just(Ended::DaemonGone),
        Just(Ended::Revoked),
        Just(Ended::Limit),
    ];
    let said = (of(any::<u16>()), of(text()), of(text()), of(text()));
    (said, any::<[u64; 3]>(), ended).prop_map(
        |((status, error, id, name), [bytes_in, bytes_out, ms], ended)| OutcomeRecord {
            status,
            error,
            bytes_in,
            bytes_out,
            ms,
            id,
            name,
            ended,
        },
    )
}

/// What the gate says of itself: reloads, operators, folded noise, files, gaps.
fn of_the_gate() -> impl Strategy<Value = Event> {
    let ends = [FileEnd::Stop, FileEnd::Running, FileEnd::Died, FileEnd::Abandoned, FileEnd::Lost];
    let previous = (text(), any::<u64>(), sha256(), proptest::sample::select(ends.to_vec()));
    let previous =
        previous.prop_map(|(file, seq, hash, ended)| Previous { file, seq, hash, ended });
    let gap = any::<[u64; 5]>();
    let gap = gap.prop_map(|[torn, refused, lost, gone, noise]| GapRecord {
        torn: torn % 2,
        refused,
        lost,
        gone,
        noise,
    });
    let file = (text(), sha256()).prop_map(|(path, sha256)| FileHash { path, sha256 });
    let folded = (any::<u64>(), text(), text());
    let folded = folded.prop_map(|(count, first, last)| Folded { count, first, last });
    let grant =
        (text(), text(), text(), any::<bool>()).prop_map(|(identity, role, until, persist)| {
            ElevationRecord { identity, role, until, persist }
        });
    let actor = (any::<u32>(), of(any::<u32>()), of(text()), of(text())).prop_map(
        |(uid, login_uid, executable, reason)| Actor { uid, gid: 0, login_uid, executable, reason },
    );
    let who = (of(sha256()), vec(file, 0..3), of(actor), of(grant));
    (who, of(text()), of(text()), of(folded), of(previous), of(gap)).prop_map(
        |((policy, files, actor, grant), reason, text, folded, previous, gap)| Event {
            policy,
            files,
            actor,
            grant,
            reason,
            text,
            folded,
            previous,
            gap,
            ..Event::new(Stage::Start)
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    // boxed, since a section of a section of a section is much for a stack
    let asked =
        (of(identity().boxed()), of(client()), of(request().boxed()), of(decision().boxed()));
    let came_of_it = (of(forwarded().boxed()), of(outcome().boxed()), any::<bool>());
    (
        proptest::sample::select(STAGES.to_vec()),
        asked.boxed(),
        came_of_it.boxed(),
        of_the_gate().boxed(),
    )
        .prop_map(
            |(stage, (identity, client, request, decision), (forwarded, outcome, child), rest)| {
                let parent = child.then(EventId::new);
                Event {
                    stage,
                    parent,
                    identity,
                    client,
                    request,
                    decision,
                    forwarded,
                    outcome,
                    ..rest
                }
            },
        )
}

/// The line that a process of ours writes.
fn written(event: &Event) -> Result<Sealed, AuditError> {
    let (clock, after) = (StampClock::here(), Tip { seq: 6, hash: Sha256::of(b"x") });
    seal(after, &clock.stamp(), &GateInstance::here(), event)
}

/// The line that what was read makes again.
fn again(logged: &Logged) -> Vec<u8> {
    let Logged { frame: Frame { seq, time, mono, gate, prev, hash }, event } = logged;
    let stamp = Stamp { time: time.clone(), mono: mono.clone() };
    let Sealed { line, tip } =
        seal(Tip { seq: seq - 1, hash: *prev }, &stamp, gate, event).unwrap();
    assert_eq!(tip, Tip { seq: *seq, hash: *hash });
    line
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_event_reads_back_and_is_written_as_the_same_line(event in event()) {
        let written = written(&event);
        // what is too large for a line is refused, and has its own test
        prop_assume!(!matches!(written, Err(AuditError::TooLarge(_))));
        let Sealed { line, tip } = written.unwrap();
        let read = line.strip_suffix(b"\n").unwrap();
        let logged = Logged::read(read).unwrap();
        prop_assert_eq!((logged.event.id, logged.event.stage), (event.id, event.stage));
        prop_assert_eq!(again(&logged), line.as_slice(), "{}", String::from_utf8_lossy(read));
        let (head, hash) = Head::read(read).unwrap();
        prop_assert_eq!(Tip { seq: head.seq, hash }, tip);
        prop_assert_eq!((head.stage, head.previous), (Some(event.stage), event.previous));
        prop_assert_eq!(head.gap, event.gap.unwrap_or_default());
        let gist = Gist::read(read).unwrap();
        prop_assert_eq!((gist.id, gist.parent), (event.id, event.parent));
        prop_assert_eq!((gist.stage, gist.time), (head.stage, logged.frame.time));
        let (who, asked) = (event.identity.as_ref(), event.request.as_ref());
        prop_assert_eq!(gist.identity.map(|it| (it.name.unwrap(), it.serial)),
            who.map(|it| (it.name.clone(), it.serial.clone())));
        prop_assert_eq!(gist.request.map(|it| it.operation), asked.map(|it| it.operation.clone()));
        prop_assert_eq!(gist.outcome.map(|it| it.id), event.outcome.map(|it| it.id));
    }
}

/// As the first gates wrote them, and as a later one may.
const OLD: &str = r#"{"v":1,"seq":7,"time":"2026-01-02T03:04:05.000006Z","mono":{"boot":"b","ns":9},"gate":{"host":"h","instance":"0123456789abcdef","version":"0.1.0"},"id":"0198a5a6-0000-7000-8000-000000000001","stage":"decision","identity":{"name":"ci-7","roles":["ci"],"proven":"certificate","serial":"0a"},"client":{"address":"127.0.0.1:9"},"request":{"method":"GET","path":"/_ping"},"decision":{"verdict":"deny","reasons":[{"id":"route.unknown"}],"more":2},"prev":"PREV","hash":"HASH"}"#;

#[test]
fn a_line_of_an_older_or_newer_gate_is_read() {
    let old = OLD.replace("PREV", &"0".repeat(64)).replace("HASH", &"a".repeat(64));
    let logged = Logged::read(old.as_bytes()).unwrap();
    assert_eq!(logged.event.identity.unwrap().serial.as_deref(), Some("0a"));
    assert_eq!(logged.event.decision.unwrap().reasons().count(), 1);
    let newer = old
        .replace(r#""seq""#, r#""new":{"a":[1]},"seq""#)
        .replace(r#""roles""#, r#""tenant":"t","roles""#)
        .replace(r#""more""#, r#""score":0.5,"more""#);
    let logged = Logged::read(newer.as_bytes()).unwrap();
    assert_eq!((logged.frame.seq, logged.event.stage), (7, Stage::Decision));
}

#[test]
fn a_stage_of_a_later_version_keeps_its_place_in_the_chain() {
    let line = written(&Event::new(Stage::Decision)).unwrap().line;
    let line = String::from_utf8(line).unwrap().replace("decision", "dreamt");
    let (body, _) = line.rsplit_once(",\"hash\"").unwrap();
    let line = format!("{body},\"hash\":\"{}\"}}", Sha256::of(body.as_bytes()));
    assert_eq!(Head::read(line.as_bytes()).unwrap().0.stage, None);
    assert!(Logged::read(line.as_bytes()).is_err());
}

#[test]
fn what_is_no_line_of_ours_is_told_apart_from_one_that_was_changed() {
    let of = |body: &str| format!("{body},\"hash\":\"{}\"}}", Sha256::of(body.as_bytes()));
    let shapeless = of(r#"{"seq":1,"stage":"start","prev":"0""#);
    assert_eq!(Head::read(shapeless.as_bytes()).unwrap_err(), LineFault::Shape);
    assert_eq!(Head::read(b"{}").unwrap_err(), LineFault::Hash);
}
