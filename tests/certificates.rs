//! Hostile certificates, each over a real handshake to the real gate: what becomes of the client, and
//! what the log says of it. The cases are data, `certificates/matrix.yaml`; README.md there explains them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    reason = "tests fail by panicking"
)]

#[path = "support/fake_daemon.rs"]
mod fake_daemon;
#[path = "support/pki.rs"]
mod pki;

#[path = "certificates/client.rs"]
mod client;
#[path = "certificates/constraints.rs"]
mod constraints;
#[path = "certificates/gate.rs"]
mod gate;
#[path = "certificates/lists.rs"]
mod lists;
#[path = "certificates/table.rs"]
mod table;

use client::{Client, Met};
use gate::{Gate, assert_plain};
use pki::Maker;
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use serde_json::Value;
use std::net::Ipv4Addr;
use std::sync::Arc;
use table::{Case, Shown, Table, Verdict};

/// A case that was driven, and from where: each has an address of its own, because the log folds
/// refusals of one address.
struct Driven<'t> {
    case: &'t Case,
    source: Ipv4Addr,
    tls12: bool,
    met: Met,
}

/// All that was driven to one gate.
struct Run<'t> {
    gate: Gate,
    driven: Vec<Driven<'t>>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_certificate_of_the_matrix() {
    let table = Table::read(include_str!("certificates/matrix.yaml"));
    let mut maker = Maker::new(&table.authorities);
    let beside = [("clients.pem".to_owned(), maker.trusted_pem())];
    let gate = Gate::start(include_str!("certificates/policy.yaml"), &beside).await.unwrap();
    let mut run = Run::new(gate);
    for case in &table.cases {
        let shows = shown(&mut maker, case);
        // each door is there for TLS 1.3 alone, and with 1.2
        let door = match case.at.as_deref() {
            None => 0,
            Some("side") => 2,
            Some(other) => panic!("no door is called {other}"),
        };
        run.drive(case, door, false, shows.clone()).await;
        run.drive(case, door + 1, true, shows).await;
    }
    run.settle().await;
}

impl<'t> Run<'t> {
    const fn new(gate: Gate) -> Self {
        Self { gate, driven: Vec::new() }
    }

    async fn drive(&mut self, case: &'t Case, door: usize, tls12: bool, shows: Shows) {
        let [high, low] = u16::try_from(self.driven.len() + 1).unwrap().to_be_bytes();
        let source = Ipv4Addr::new(127, 13, high, low);
        let (door, root) = (self.gate.door(door), self.gate.root());
        let met = Client { source, door, tls12, root, shows }.ask().await;
        self.driven.push(Driven { case, source, tls12, met });
    }

    /// Holds all that was met, logged and forwarded against the table.
    async fn settle(self) {
        let Self { gate, driven } = self;
        let allowed = driven.iter().filter(|one| matches!(one.case.expect, Verdict::Allowed(_)));
        let pings = allowed.count();
        let arrived: Vec<String> = gate.fake.log().requests.iter().map(|r| r.call()).collect();
        let log = gate.log().await;
        let wrong: Vec<String> = driven.iter().filter_map(|one| one.wrong(&log)).collect();
        assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), driven.len(), wrong.join("\n"));
        let asked = arrived.iter().filter(|call| *call != "GET /version");
        assert!(asked.clone().all(|call| call == "GET /_ping"), "{arrived:?}");
        assert_eq!(asked.count(), pings, "one request of each who may");
        let of_the_gate = ["start", "policy.load", "stop"];
        let is_of_the_gate = |event: &&Value| of_the_gate.iter().any(|s| event["stage"] == *s);
        let others = log.iter().filter(|event| !is_of_the_gate(event)).count();
        assert_eq!(others, driven.len() + pings, "a line of each, and one of how it ended");
    }
}

type Shows = Option<Arc<CertifiedKey>>;

/// The chain and the key that a client comes with.
fn shown(maker: &mut Maker, case: &Case) -> Shows {
    let leaf = maker.leaf(&case.leaf);
    let (shown, way) = match &case.shows {
        Some(Shown::Nothing) => return None,
        Some(Shown::Authority(name)) => (maker.authority(name).clone(), Vec::new()),
        None => {
            let way = leaf.signed_by.as_deref().map(|name| maker.way_up(name));
            (leaf.clone(), way.unwrap_or_default())
        }
    };
    let key = match case.holds_key {
        true => Arc::clone(&shown.key),
        false => maker.another_key(&shown.key.kind),
    };
    let rest = maker.chain(case.chain.as_ref().unwrap_or(&way), &leaf);
    let chain = std::iter::once(shown.der).chain(rest).map(CertificateDer::from).collect();
    Some(Arc::new(CertifiedKey::new(chain, key.for_tls())))
}

impl Driven<'_> {
    /// What is not as the table says, if anything.
    fn wrong(&self, log: &[Value]) -> Option<String> {
        let complaint = self.met_wrong().or_else(|| self.logged_wrong(log))?;
        let version = if self.tls12 { "1.2" } else { "1.3" };
        Some(format!("{} (TLS {version}, {}): {complaint}", self.case.name, self.case.what))
    }

    fn met_wrong(&self) -> Option<String> {
        let as_said = match (&self.case.expect, &self.met) {
            (Verdict::Handshake, Met::Alert(_)) => !self.case.silent,
            (Verdict::Handshake, Met::End) => self.case.silent,
            (Verdict::Nobody, Met::Answer { status: 403, text, closed: true }) => {
                assert_plain(&text.replace('\r', ""));
                text.contains(&format!("[{}]", self.reason()))
            }
            (Verdict::Allowed(_), Met::Answer { status: 200, .. }) => true,
            _ => false,
        };
        (!as_said).then(|| format!("{:?} was expected, it met {:?}", self.case.expect, self.met))
    }

    fn reason(&self) -> &str {
        self.case.reason.as_deref().unwrap_or("certificate.unusable")
    }

    fn logged_wrong(&self, log: &[Value]) -> Option<String> {
        let own: Vec<&Value> = log.iter().filter(|event| self.is_of(event)).collect();
        let follows = |event: &&Value| own.iter().any(|first| event["parent"] == first["id"]);
        let ends: Vec<&Value> = log.iter().filter(follows).collect();
        let as_said = match (&self.case.expect, own.as_slice(), ends.as_slice()) {
            (Verdict::Handshake, [event], []) => self.is_refusal(event, "handshake"),
            (Verdict::Nobody, [event], []) => self.is_refusal(event, "connection.refused"),
            (Verdict::Allowed(name), [decision], [complete]) => {
                decision["identity"]["name"] == name.as_str()
                    && decision["decision"]["verdict"] == "allow"
                    && complete["outcome"]["status"] == 200
            }
            _ => false,
        };
        (!as_said).then(|| {
            let told = own.iter().map(|event| {
                let name = &event["identity"]["name"];
                format!("{} {} {name} {}", event["stage"], event["reason"], event["text"])
            });
            format!("the log has {:?}", told.collect::<Vec<_>>())
        })
    }

    fn is_of(&self, event: &Value) -> bool {
        let address = event["client"]["address"].as_str().unwrap_or_default();
        address.split(':').next() == Some(&self.source.to_string())
    }

    fn is_refusal(&self, event: &Value, stage: &str) -> bool {
        let because = self.case.because.as_deref().unwrap_or_default();
        event["stage"] == stage
            && event["reason"] == self.reason()
            && event["folded"]["count"] == 1
            && event["text"].as_str().is_some_and(|text| text.contains(because))
    }
}
