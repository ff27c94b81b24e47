//! A client's bytes through hyper as the front uses it, through the whole of the core, and on to a
//! daemon that takes down what arrives: the route of `src/pipeline.rs` without TLS and clocks.
//!
//! What arrives is what was judged, byte for byte; it is read, judged and written again to the same;
//! nothing is taken over that was not asked to be, and nothing stands behind a request.

use super::heads::{ACCEPTED, holds};
use super::json::reads;
use super::wire::{Seen, Wire};
use bytes::Bytes;
use dockward::facade::config::{self, FrontLimits};
use dockward::facade::docker::body::Body;
use dockward::facade::docker::image::ImageOrigin;
use dockward::facade::docker::{
    CallHead, Hijack, Outbound, OutboundBody, RequestHead, classify, json,
};
use dockward::facade::identity::{Identity, supposed};
use dockward::facade::policy::facts::{Container, DaemonDefaults, Exec, Image, Seen as Told};
use dockward::facade::policy::{Decision, Facts, Needs, PathFact, Permit, Policy, hear};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use http_body_util::{BodyExt as _, Empty};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::path::Path;
use std::rc::Rc;
use tokio::io::AsyncWriteExt as _;
use tokio::runtime::{Builder, Runtime};

/// Who may send: identities of `tests/corpus/policy.yaml`.
pub const IDENTITIES: [&str; 8] =
    ["admin", "dev", "ci", "mover", "paths", "names", "trial", "trial-root"];

/// How often a connection without anything new is looked at again.
const TURNS: usize = 24;

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

struct World {
    runtime: Runtime,
    policy: Policy,
    wire: Wire,
}

impl World {
    fn new() -> Self {
        let text = include_str!("../../tests/corpus/policy.yaml");
        let today = "2027-01-01T00:00:00Z".parse().unwrap();
        let config = config::parse(text, Path::new("/nowhere"), today);
        Self {
            runtime: Builder::new_current_thread().enable_all().build().unwrap(),
            policy: config.unwrap_or_else(|why| panic!("{why}")).policy,
            wire: Wire::new(),
        }
    }
}

/// In the first byte: the length of the body is made right, so that changes of a body reach it.
pub const MEASURED: u8 = 0x80;

/// A byte that says who sends, and what comes in on the connection.
pub fn request(data: &[u8]) {
    let Some((who, bytes)) = data.split_first() else { return };
    let measured = if who & MEASURED == 0 { None } else { measured(bytes) };
    let (who, bytes) = (who & !MEASURED, measured.as_deref().unwrap_or(bytes));
    let name = IDENTITIES[usize::from(who) % IDENTITIES.len()];
    WORLD.with_borrow_mut(|world| {
        let World { runtime, policy, wire } = world.get_or_insert_with(World::new);
        let identity = supposed(&policy.identities, &name.parse().unwrap()).unwrap();
        runtime.block_on(async {
            for (parts, body) in heard(bytes).await {
                let judge = Judge { policy, identity: &identity };
                judge.serve(&parts, body, wire).await;
            }
        });
    });
}

/// The bytes with the length that the rest after the first head has.
fn measured(bytes: &[u8]) -> Option<Vec<u8>> {
    const FIELD: &[u8] = b"Content-Length: ";
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let at = bytes[..end].windows(FIELD.len()).position(|field| field == FIELD)? + FIELD.len();
    let digits = bytes[at..end].iter().position(|byte| *byte == b'\r')?;
    let length = (bytes.len() - end).to_string();
    Some([&bytes[..at], length.as_bytes(), &bytes[at + digits..]].concat())
}

/// How many requests of this thread went all the way to the daemon.
pub fn forwarded() -> usize {
    WORLD.with_borrow(|world| world.as_ref().map_or(0, |world| world.wire.forwarded))
}

/// The requests that hyper finds in the bytes, with their bodies where these are whole.
async fn heard(bytes: &[u8]) -> Vec<(Parts, Bytes)> {
    let limits = FrontLimits::default();
    let requests = Rc::new(RefCell::new(Vec::new()));
    let (mut client, server) = tokio::io::duplex(bytes.len().max(1) + (64 << 10));
    client.write_all(bytes).await.unwrap();
    let service = service_fn(|request: http::Request<hyper::body::Incoming>| {
        let requests = Rc::clone(&requests);
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await;
            if let Some(body) = body.ok().filter(|body| body.trailers().is_none()) {
                requests.borrow_mut().push((parts, body.to_bytes()));
            }
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let connection = http1::Builder::new()
        .half_close(false)
        .header_read_timeout(None)
        .max_headers(limits.headers_max)
        .max_buf_size(limits.head_max)
        .serve_connection(TokioIo::new(server), service)
        .with_upgrades();
    let quiet = async {
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        _ = connection => {}
        () = quiet => {}
    }
    requests.take()
}

struct Judge<'w> {
    policy: &'w Policy,
    identity: &'w Identity,
}

impl Judge<'_> {
    async fn serve(&self, parts: &Parts, bytes: Bytes, wire: &mut Wire) {
        let request = RequestHead {
            method: &parts.method,
            uri: &parts.uri,
            version: parts.version,
            headers: &parts.headers,
        };
        let Ok(head) = classify(&request, ACCEPTED) else { return };
        holds(&parts.method, &parts.uri, &parts.headers, &head);
        let Some(permit) = self.judged(&head, &bytes) else { return };
        reads(&head, &bytes);
        let outbound = permit.outbound().clone();
        let hijacks = outbound.hijack != Hijack::No;
        assert!(!hijacks || outbound.hijack == head.route.hijack, "{outbound:?}");
        let streams = matches!(outbound.body, OutboundBody::Stream { .. });
        assert_eq!(streams, head.route.body.is_stream(), "{outbound:?}");
        let upload = if streams { bytes } else { Bytes::new() };
        let seen = wire.forward(parts, permit, upload.clone()).await;
        arrived(&seen, &outbound, &head, &upload);
        self.again(&seen, &outbound);
    }

    /// The permit, if there is one.
    fn judged(&self, head: &CallHead, bytes: &[u8]) -> Option<Permit> {
        let asking = hear(self.identity, head, self.policy).ok()?.read(bytes).ok()?;
        if matches!(asking.call().body, Body::None) {
            let told = asking.call().left_out.places().iter().any(|place| place == "the body");
            let nothing = json::read(bytes).is_ok_and(|value| value.says_nothing());
            assert!(
                bytes.is_empty() || told || nothing,
                "{}: a body is passed over",
                head.route.operation
            );
        }
        match asking.settle(found).ok()?.decide() {
            Decision::Allow(permit) => Some(*permit),
            Decision::Deny(denial) => {
                assert!(!denial.findings.is_empty(), "refused without a reason");
                None
            }
        }
    }

    /// What arrived, had a client sent it.
    fn again(&self, seen: &Seen, outbound: &Outbound) {
        let mut headers = HeaderMap::new();
        for (name, value) in &seen.fields {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        let (method, uri) = (outbound.method.as_str().parse().unwrap(), outbound.target.parse());
        let uri = uri.unwrap();
        let head = super::heads::classified(&method, &uri, &headers);
        let head = head.unwrap_or_else(|flaw| panic!("{outbound:?} is refused: {flaw}"));
        let twice = self.judged(&head, &seen.body);
        let twice = twice.unwrap_or_else(|| panic!("{outbound:?} is refused")).into_outbound().0;
        assert_eq!(twice.target, outbound.target);
        assert_eq!(twice.hijack, outbound.hijack, "{outbound:?}");
        let streams = matches!(outbound.body, OutboundBody::Stream { .. });
        assert!(streams || twice.body == outbound.body, "{outbound:?} becomes {twice:?}");
    }
}

fn found(asked: &Needs) -> Facts {
    fn all<T>(names: &BTreeSet<String>, found: impl Fn() -> T) -> BTreeMap<String, T> {
        names.iter().map(|name| (name.clone(), found())).collect()
    }
    Facts {
        host_paths: all(&asked.host_paths, || PathFact::Plain { root_owned: true, fixed: true }),
        exec: asked
            .exec
            .as_ref()
            .map(|_| Told::Found(Exec { container: "c".repeat(64), ..Exec::default() })),
        images: all(&asked.images, image),
        volumes: all(&asked.volumes, || Told::Missing),
        containers: all(&asked.containers, container),
        networks: all(&asked.networks, || Told::Missing),
        container_paths: asked
            .container_paths
            .iter()
            .map(|of| (of.clone(), of.1.clone()))
            .collect(),
        kept: asked.kept.iter().map(|of| (of.clone(), Told::Missing)).collect(),
        defaults: asked.defaults.then(DaemonDefaults::default),
        remembered: false,
    }
}

fn image() -> Told<Image> {
    let (repository, digest) = ("docker.io/library/busybox".to_owned(), "sha256:5".to_owned());
    let origins = vec![ImageOrigin { repository, digest }];
    Told::Found(Image { origins, user: "1000:1000".to_owned(), ..Image::default() })
}

fn container() -> Told<Container> {
    let user = "1000:1000".to_owned();
    Told::Found(Container {
        id: "c".repeat(64),
        image: "5".repeat(64),
        user,
        host_config: "{}".to_owned(),
        ..Container::default()
    })
}

/// What the daemon got is what was permitted, and nothing else.
fn arrived(seen: &Seen, outbound: &Outbound, head: &CallHead, upload: &[u8]) {
    let line = format!("{} {} HTTP/1.1", outbound.method.as_str(), outbound.target);
    assert_eq!(seen.line, line);
    let body = match &outbound.body {
        OutboundBody::Json(bytes) => bytes,
        OutboundBody::Empty => &[][..],
        OutboundBody::Stream { .. } => upload,
    };
    assert!(seen.body == body, "{line}: another body: {:?}", String::from_utf8_lossy(&seen.body));
    assert_eq!(seen.all("host"), ["docker"], "{line}");
    let upgrade: Vec<_> = outbound.hijack.protocol().into_iter().collect();
    assert_eq!(seen.all("upgrade"), upgrade, "{line}");
    let connection = if upgrade.is_empty() { vec![] } else { vec!["Upgrade"] };
    assert_eq!(seen.all("connection"), connection, "{line}");
    const OURS: [&str; 6] =
        ["host", "content-length", "content-type", "transfer-encoding", "upgrade", "connection"];
    for (name, value) in &seen.fields {
        let name = name.to_ascii_lowercase();
        let listed = head.route.headers.contains(&name.as_str());
        assert!(OURS.contains(&name.as_str()) || listed, "{line}: {name}: {value}");
    }
}
