//! Noise, folded. Whoever can reach a listener can fail a handshake as often as he likes; were each
//! a line, he could fill the disk and with it stop the gate. So refusals of people without an
//! identity are counted by whence and kind, written once a minute, and bounded in number; and so are the requests of
//! somebody who is known that nobody judges because there is too much at once.

use super::clock::written;
use super::escape::clip;
use super::event::{Client, Event, Folded, IdentityRecord, Proof, RequestRecord, Stage};
use crate::rule::{Rule, rules};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::net::IpAddr;

/// Different (whence, kind, reason) kept apart in a minute; the rest is one count.
pub const LIMIT: usize = 1024;
const TEXT_MAX: usize = 256;
/// Different words that are kept of what is counted together, and their bytes in all; of the rest only how often.
const CAUSES: usize = 4;
const CAUSES_MAX: usize = 640;

rules! {
    /// Under which id refusals are counted together.
    pub(crate) enum Noise in "Counted together", "In the log alone, as one line of `connection.refused` or `request.refused`." {
        More = "connection.more",
            "refusals from more addresses in a minute than are told apart",
            "whoever has many addresses must not fill the log",
            "look at the lines beside it, and keep the port from those whom it is not for", [];
        MoreRequests = "requests.more",
            "requests that were too much at once, of more kinds in a minute than are told apart",
            "whoever asks for much must not fill the log",
            "look at the lines beside it", [];
    }
}

/// At which door somebody without an identity was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefusalKind {
    /// The TLS handshake failed.
    Handshake,
    /// The connection was refused, or what came was not HTTP.
    Connection,
}

/// Where somebody comes from, as far as it tells one from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Whence {
    /// From this address.
    Address(IpAddr),
    /// From a Unix socket, as the user of this number.
    User(u32),
}

impl fmt::Display for Whence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::User(uid) => write!(f, "uid:{uid}"),
        }
    }
}

/// Somebody without an identity turned away.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// At which door.
    pub kind: RefusalKind,
    /// Whence.
    pub whence: Whence,
    /// Under which name, of somebody who has one.
    pub who: Option<String>,
    /// Why. Declared, so that no peer can make new ones.
    pub reason: &'static Rule,
    /// Words for people, cut at 256 bytes; the first few different ones in a minute are kept.
    pub text: Option<String>,
}

/// A request of somebody who is known that was not judged, since there was too much at once.
#[derive(Debug, Clone)]
pub struct PutOff {
    /// Who asked.
    pub identity: IdentityRecord,
    /// From where.
    pub client: Client,
    /// What for; of the first in a minute this is told, its path cut at 256 bytes.
    pub request: RequestRecord,
    /// Why not.
    pub reason: &'static Rule,
}

/// The refusals of one minute.
#[derive(Debug, Default)]
pub struct FoldedRefusals {
    connections: Kinds<(Whence, Option<String>, RefusalKind, &'static Rule)>,
    /// By name, operation and reason.
    requests: Kinds<(String, Option<String>, &'static Rule)>,
}

/// Counts by kind, up to a number of kinds.
#[derive(Debug)]
struct Kinds<K> {
    entries: BTreeMap<K, FoldTally>,
    others: Option<FoldTally>,
}

impl<K> Default for Kinds<K> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), others: None }
    }
}

/// How often, from when to when, and the first of them.
#[derive(Debug)]
struct FoldTally {
    count: u64,
    first: Timestamp,
    last: Timestamp,
    /// The first of them.
    event: Box<Event>,
    causes: Vec<String>,
    /// How many had other words than those.
    otherwise: u64,
}

impl FoldedRefusals {
    /// Counts one refusal of a stranger.
    pub fn add(&mut self, refusal: &Refusal, now: Timestamp) {
        let Refusal { kind, whence, who, reason, text } = refusal;
        let stage = match kind {
            RefusalKind::Handshake => Stage::Handshake,
            RefusalKind::Connection => Stage::ConnectionRefused,
        };
        let first = || {
            let client = Client { address: whence.to_string(), ..Client::default() };
            let proven = match whence {
                Whence::Address(_) => Proof::Certificate,
                Whence::User(_) => Proof::Unix,
            };
            let named = |name| IdentityRecord { name, proven, ..IdentityRecord::default() };
            let identity = who.clone().map(named);
            Event { identity, client: Some(client), ..Event::new(stage) }
        };
        let more = || {
            let text = Some(format!("from more than {LIMIT} addresses"));
            (Event { text, ..Event::new(Stage::ConnectionRefused) }, Noise::More)
        };
        let key = (*whence, who.clone(), *kind, *reason);
        self.connections.add(key, (first, reason), more, (now, text.as_deref()));
    }

    /// Counts one request that was put off.
    pub fn put_off(&mut self, put_off: PutOff, now: Timestamp) {
        let PutOff { identity, client, mut request, reason } = put_off;
        let key = (identity.name.clone(), request.operation.clone(), reason);
        let first = || {
            request.path = clip(&request.path, TEXT_MAX).to_owned();
            request.target = request.target.map(|target| clip(&target, TEXT_MAX).to_owned());
            request.query = None;
            let (identity, client, request) = (Some(identity), Some(client), Some(request));
            Event { identity, client, request, ..Event::new(Stage::RequestRefused) }
        };
        let more = || (Event::new(Stage::RequestRefused), Noise::MoreRequests);
        self.requests.add(key, (first, reason), more, (now, None));
    }

    /// Takes everything counted so far as events: at most [`LIMIT`] and one for the others, of strangers and of
    /// requests.
    #[must_use]
    pub fn drain(&mut self) -> Vec<Event> {
        self.connections.drain().chain(self.requests.drain()).collect()
    }
}

impl<K: Ord> Kinds<K> {
    fn add(
        &mut self,
        key: K,
        (first, reason): (impl FnOnce() -> Event, &'static Rule),
        more: impl FnOnce() -> (Event, Noise),
        (now, text): (Timestamp, Option<&str>),
    ) {
        let apart = self.entries.len() < LIMIT || self.entries.contains_key(&key);
        let tally = match apart {
            true => self.entries.entry(key).or_insert_with(|| FoldTally::new(first(), reason, now)),
            false => self.others.get_or_insert_with(|| {
                let (event, noise) = more();
                FoldTally::new(event, noise.rule(), now)
            }),
        };
        if apart {
            tally.heard(text);
        }
        tally.count = tally.count.saturating_add(1);
        tally.last = now;
    }

    fn drain(&mut self) -> impl Iterator<Item = Event> + use<K> {
        let (entries, others) = (std::mem::take(&mut self.entries), self.others.take());
        entries.into_values().chain(others).map(FoldTally::event)
    }
}

impl FoldTally {
    fn new(mut event: Event, reason: &'static Rule, now: Timestamp) -> Self {
        event.because(reason);
        let (event, causes) = (Box::new(event), Vec::new());
        Self { count: 0, first: now, last: now, event, causes, otherwise: 0 }
    }

    fn heard(&mut self, text: Option<&str>) {
        let Some(text) = text.map(|text| clip(text, TEXT_MAX)) else { return };
        if self.causes.iter().any(|cause| *cause == text) {
            return;
        }
        let bytes: usize = self.causes.iter().map(String::len).sum();
        match self.causes.len() < CAUSES && bytes.saturating_add(text.len()) <= CAUSES_MAX {
            true => self.causes.push(text.to_owned()),
            false => self.otherwise = self.otherwise.saturating_add(1),
        }
    }

    fn text(&self) -> Option<String> {
        let mut text = (!self.causes.is_empty()).then(|| self.causes.join("; also "))?;
        if self.otherwise > 0 {
            let _ = write!(text, "; and {} more in other words", self.otherwise);
        }
        Some(text)
    }

    fn event(self) -> Event {
        let (first, last) = (written(self.first), written(self.last));
        let folded = Some(Folded { count: self.count, first, last });
        let text = self.text().or_else(|| self.event.text.clone());
        Event { folded, text, ..*self.event }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn refusal(address: u32, kind: RefusalKind) -> Refusal {
        let whence = Whence::Address(IpAddr::V4(Ipv4Addr::from_bits(address)));
        let text = Some("no certificate".into());
        Refusal { kind, whence, who: None, reason: Noise::More.rule(), text }
    }

    fn count(event: &Event) -> u64 {
        event.folded.as_ref().unwrap().count
    }

    #[test]
    fn the_same_again_is_a_count() {
        let mut refusals = FoldedRefusals::default();
        for second in 0..3 {
            let now = Timestamp::from_second(second).unwrap();
            refusals.add(&refusal(1, RefusalKind::Handshake), now);
            refusals.add(&refusal(1, RefusalKind::Connection), now);
        }
        refusals.add(&refusal(2, RefusalKind::Handshake), Timestamp::UNIX_EPOCH);
        let events = refusals.drain();
        assert_eq!(events.iter().map(count).collect::<Vec<_>>(), [3, 3, 1]);
        assert_eq!(events[0].stage, Stage::Handshake);
        assert_eq!(events[0].client.as_ref().unwrap().address, "0.0.0.1");
        assert_eq!(events[0].folded.as_ref().unwrap().last, "1970-01-01T00:00:02.000000Z");
        assert_eq!(events[0].text.as_deref(), Some("no certificate"));
        assert_eq!(events[1].stage, Stage::ConnectionRefused);
        assert!(refusals.drain().is_empty());
    }

    #[test]
    fn each_cause_is_told_and_the_rest_is_counted() {
        let told = |texts: &[&str]| {
            let mut refusals = FoldedRefusals::default();
            for text in texts {
                let text = Some((*text).to_owned());
                let refusal = Refusal { text, ..refusal(1, RefusalKind::Handshake) };
                refusals.add(&refusal, Timestamp::UNIX_EPOCH);
            }
            let [event] = &refusals.drain()[..] else { panic!("one line") };
            (count(event), event.text.clone().unwrap())
        };
        assert_eq!(told(&["a", "a"]), (2, "a".into()));
        assert_eq!(told(&["a", "b", "a"]), (3, "a; also b".into()));
        let seven = ["a", "b", "c", "d", "e", "f", "e"];
        assert_eq!(
            told(&seven),
            (7, "a; also b; also c; also d; and 3 more in other words".into())
        );
        let long = ["x".repeat(300), "y".repeat(300), "z".repeat(300)];
        let (_, text) = told(&long.each_ref().map(String::as_str));
        assert!(text.len() < 600 && text.ends_with("; and 1 more in other words"), "{text}");
    }

    #[test]
    fn users_are_told_apart() {
        let mut refusals = FoldedRefusals::default();
        for uid in [1000, 1001, 1000] {
            let whence = Whence::User(uid);
            let refusal = Refusal { whence, ..refusal(1, RefusalKind::Connection) };
            refusals.add(&refusal, Timestamp::UNIX_EPOCH);
        }
        let events = refusals.drain();
        assert_eq!(events.iter().map(count).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(events[1].client.as_ref().unwrap().address, "uid:1001");
    }

    fn put_off(name: &str, operation: &str) -> PutOff {
        PutOff {
            identity: IdentityRecord { name: name.to_owned(), ..IdentityRecord::default() },
            client: Client::default(),
            request: RequestRecord {
                path: "/x".repeat(400),
                query: Some("x=1".to_owned()),
                operation: Some(operation.to_owned()),
                ..RequestRecord::default()
            },
            reason: Noise::More.rule(),
        }
    }

    #[test]
    fn requests_are_told_apart_by_who_asks_for_what() {
        let mut refusals = FoldedRefusals::default();
        for (name, operation) in [("ci", "A"), ("ci", "B"), ("dev", "A"), ("ci", "A")] {
            refusals.put_off(put_off(name, operation), Timestamp::UNIX_EPOCH);
        }
        let events = refusals.drain();
        assert_eq!(events.iter().map(count).collect::<Vec<_>>(), [2, 1, 1]);
        let request = events[0].request.as_ref().unwrap();
        assert_eq!((request.path.len(), request.query.as_deref()), (TEXT_MAX, None));
        assert_eq!(events[2].identity.as_ref().unwrap().name, "dev");
        let flood = LIMIT + 7;
        for nth in 0..flood {
            refusals.put_off(put_off("ci", &nth.to_string()), Timestamp::UNIX_EPOCH);
        }
        let events = refusals.drain();
        assert_eq!((events.len(), count(events.last().unwrap())), (LIMIT + 1, 7));
    }

    #[test]
    fn a_flood_of_addresses_is_bounded() {
        let mut refusals = FoldedRefusals::default();
        let flood = u32::try_from(LIMIT).unwrap() + 500;
        for address in 0..flood {
            refusals.add(&refusal(address, RefusalKind::Handshake), Timestamp::UNIX_EPOCH);
        }
        let events = refusals.drain();
        assert_eq!(events.len(), LIMIT + 1);
        assert_eq!(events.iter().map(count).sum::<u64>(), u64::from(flood));
        assert_eq!(count(events.last().unwrap()), 500);
    }
}
