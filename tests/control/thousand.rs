//! A thousand reloads while everybody works: good and broken files of every kind, certificates taken back
//! and given back. Who may is not disturbed once, who may not is not let in once, and nothing is kept of
//! what was replaced.

use crate::client::{Answer, Client, bare};
use crate::fake_daemon::Reply;
use crate::gate::{Gate, OURS, soon, until};
use crate::pki::{Pair, Wish};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant, SystemTime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

const ROUNDS: usize = 1000;
/// What memory may be after all of them over what it was after the first hundred.
const GROWTH: u64 = 2 << 20;
const LIST: &str = "/v1.41/containers/json";
const HELD: &str = "/v1.41/images/json";

/// Asks for a reload by hand: what is in force now, or why nothing changed.
async fn reload(gate: &Gate) -> Result<Value, String> {
    let asked = async {
        let mut stream = UnixStream::connect(gate.path("control.sock")).await?;
        stream.write_all(b"{\"version\":1,\"ask\":\"reload\"}\n").await?;
        let mut text = Vec::new();
        stream.read_to_end(&mut text).await.map(|_| text)
    };
    let answer: Value = serde_json::from_slice(&soon(asked).await.unwrap()).unwrap();
    match &answer["answer"]["reloaded"] {
        Value::Null => Err(answer["answer"]["refused"].as_str().expect("an answer").to_owned()),
        reloaded => Ok(reloaded.clone()),
    }
}

fn is_good(answer: &std::io::Result<Answer>) -> bool {
    answer.as_ref().is_ok_and(|answer| answer.status == 200)
}

/// What everybody shares.
struct World {
    address: SocketAddr,
    /// How many reloads were answered.
    reloads: watch::Sender<usize>,
    over: AtomicBool,
    asked: AtomicUsize,
}

impl World {
    fn goes_on(&self) -> bool {
        !self.over.load(SeqCst)
    }

    fn asked(&self) {
        self.asked.fetch_add(1, SeqCst);
    }

    /// Asks on one connection for as long as it goes on.
    async fn keeps(self: Arc<Self>, name: &'static str, target: &'static str) {
        let mut client = Client::connect(self.address, name).await.unwrap();
        while self.goes_on() {
            let answer = client.try_get(target).await;
            assert!(is_good(&answer), "{name} on the old connection: {answer:?}");
            self.asked();
        }
    }

    /// Comes anew for each request, and for each reload.
    async fn comes_anew(self: Arc<Self>, name: &'static str) {
        let mut reloads = self.reloads.subscribe();
        while self.goes_on() {
            reloads.mark_unchanged();
            let mut client = Client::connect(self.address, name).await.unwrap();
            let answer = client.try_get(LIST).await;
            assert!(is_good(&answer), "{name} on a new connection: {answer:?}");
            self.asked();
            reloads.changed().await.unwrap();
        }
    }

    /// Sends half of what it has to say before a reload and half after it.
    async fn takes_time(self: Arc<Self>, name: &'static str) {
        const BODY: &str = r#"{"Image":"busybox"}"#;
        let length = BODY.len();
        let head = format!("Content-Type: application/json\r\nContent-Length: {length}\r\n");
        let head = bare("POST", "/v1.41/containers/create", &head);
        let mut client = Client::connect(self.address, name).await.unwrap();
        let mut reloads = self.reloads.subscribe();
        while self.goes_on() {
            client.send(head.clone() + &BODY[..9]).await;
            soon(reloads.changed()).await.unwrap();
            client.send(&BODY[9..]).await;
            let answer = client.answer().await;
            assert_eq!(answer.status, 201, "{name} over a reload: {}", answer.text());
            self.asked();
        }
    }
}

/// A certificate that is taken back and given back.
struct Lent {
    pair: Pair,
    /// Counts up: it holds, is being taken back, is taken back, is being given back, holds.
    state: watch::Sender<usize>,
    /// In how many tries on connections new and old the state was certain, and so the answer.
    certain: [AtomicUsize; 2],
    refused: AtomicUsize,
}

impl Lent {
    fn new() -> Self {
        Self {
            pair: OURS.issue(&Wish::client("dev")),
            state: watch::Sender::new(0),
            certain: Default::default(),
            refused: AtomicUsize::new(0),
        }
    }

    fn now(&self) -> usize {
        *self.state.borrow()
    }

    fn is_listed(&self) -> bool {
        matches!(self.now() % 4, 1 | 2)
    }

    /// The next state.
    fn turn(&self) {
        self.state.send_modify(|state| *state += 1);
    }

    /// Turns to a state that is certain, and waits until it was tried in that, on connections new and old.
    async fn settles(&self) {
        let counts = || self.certain.each_ref().map(|count| count.load(SeqCst));
        // whoever tries may be done before the next line is
        let before = counts();
        self.turn();
        let more = || counts().iter().zip(before).all(|(now, before)| *now > before).then_some(());
        until("a certificate to be tried", more).await;
    }

    /// Tries in each state and after each reload, on new connections or on one for as long as that holds.
    async fn tries(self: Arc<Self>, world: Arc<World>, keep: bool) {
        let mut kept: Option<(Client, usize)> = None;
        let (mut state, mut reloads) = (self.state.subscribe(), world.reloads.subscribe());
        while world.goes_on() {
            let began = *state.borrow_and_update();
            reloads.mark_unchanged();
            let connection = match kept.take() {
                Some(kept) => Ok(kept),
                None => Client::with(world.address, &self.pair).await.map(|client| (client, began)),
            };
            let mut came_in = began;
            let answer = match connection {
                Ok((mut client, since)) => {
                    came_in = since;
                    let answer = client.try_get(LIST).await;
                    kept = (keep && answer.is_ok()).then_some((client, since));
                    answer
                }
                Err(error) => Err(error),
            };
            if self.now() != began {
                continue;
            }
            match began % 4 {
                // whoever came in while it was given back was let in by the new list
                0 if came_in + 1 >= began => {
                    assert!(is_good(&answer), "it was given back: {answer:?}");
                }
                2 => {
                    assert!(!is_good(&answer), "it was taken back");
                    self.refused.fetch_add(1, SeqCst);
                }
                // begun before it was given back and let in after: nobody can say by which list, so it comes anew
                0 => {
                    kept = None;
                    continue;
                }
                _ => continue,
            }
            self.certain[usize::from(keep)].fetch_add(1, SeqCst);
            tokio::select! {
                changed = state.changed() => changed.unwrap(),
                changed = reloads.changed() => changed.unwrap(),
            }
        }
    }
}

/// The files of the gate, and what is put in their place.
struct Files<'a> {
    gate: &'a Gate,
    lent: [Arc<Lent>; 2],
    servers: [Pair; 2],
    policies: [String; 2],
}

impl Files<'_> {
    fn list(&self) {
        let revoked: Vec<&Pair> =
            self.lent.iter().filter(|lent| lent.is_listed()).map(|lent| &lent.pair).collect();
        let far = SystemTime::now() + Duration::from_secs(24 * 60 * 60);
        self.gate.put("crl.pem", &OURS.list(&revoked, far));
    }

    async fn good(&self, round: usize) {
        reload(self.gate).await.unwrap_or_else(|why| panic!("round {round}: {why}"));
    }

    /// Takes a certificate back, or gives it back. Between both nobody can know.
    async fn turn(&self, round: usize, lent: &Lent) {
        lent.turn();
        self.list();
        self.good(round).await;
        lent.settles().await;
    }

    /// What is broken is refused in words about it; then what was there before is put back.
    async fn broken(&self, name: &str, change: impl Fn(&str) -> String, said: &str) {
        let good = std::fs::read_to_string(self.gate.path(name)).unwrap();
        let bad = change(&good);
        assert_ne!(good, bad);
        self.gate.put(name, &bad);
        let why = reload(self.gate).await.expect_err(name);
        assert!(why.contains(said), "{name}: {why}");
        self.gate.put(name, &good);
    }

    /// Exactly one reload.
    async fn round(&self, round: usize) {
        let half = |text: &str| text[..text.len() / 2].to_owned();
        let ten = round / 10;
        match round % 10 {
            0 => {
                self.gate.put("dockward.yaml", &self.policies[ten % 2]);
                self.good(round).await;
            }
            1 => self.broken("crl.pem", half, "crl.pem").await,
            2 | 8 => self.turn(round, &self.lent[ten % 2]).await,
            3 => {
                self.broken("dockward.yaml", |text| text.replace("roles:", "rolls:"), "rolls").await
            }
            4 => {
                let server = &self.servers[ten % 2];
                self.gate.put("server.pem", &server.certificate);
                self.gate.put("server-key.pem", &server.key);
                self.good(round).await;
            }
            5 => self.broken("server.pem", half, "server.pem").await,
            7 => {
                let nobody = |text: &str| text.replacen("roles: [worker]", "roles: [nobody]", 1);
                self.broken("dockward.yaml", nobody, "nobody").await;
            }
            9 => self.broken("ca.pem", half, "ca.pem").await,
            _ => self.good(round).await,
        }
    }
}

/// Who may do what; what is read a thousand times is short.
const RULES: &str = r#"
identities:
  - { name: admin, match: { cn: admin }, roles: [worker] }
  - { name: DEV, match: { cn: dev }, roles: [worker] }
  - { name: reader, match: { cn: reader }, roles: [worker] }
roles:
  worker:
    scope: any
    admission: baseline
    allow: { container: ["*"], image: [read], system: [info, events] }
    images: { run: ["**"] }
"#;

/// Two policies that come to the same for everybody, with another name for somebody, which is the one
/// that the door is open to.
fn policies(gate: &Gate) -> [String; 2] {
    let text = std::fs::read_to_string(gate.path("dockward.yaml")).unwrap();
    let (house, _) = text.split_once("identities:").unwrap();
    ["dev", "developer"].map(|name| {
        let door = format!("client_ca: ca.pem, crl: crl.pem, identities: [admin, reader, {name}]");
        house.replace("client_ca: ca.pem", &door) + &RULES.replace("DEV", name)
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_reloads_disturb_nobody_who_may_and_let_nobody_in_who_may_not() {
    let bell = Arc::new(Notify::new());
    let held = Reply::Held(Arc::clone(&bell), Box::new(Reply::json("[]")));
    let gate = Gate::start(crate::asked::script().on("GET /images/json", held)).await;
    let lent = [Arc::new(Lent::new()), Arc::new(Lent::new())];
    let servers = [(); 2].map(|()| OURS.issue(&Wish::server()));
    let policies = policies(&gate);
    let files = Files { gate: &gate, lent: lent.clone(), servers, policies };
    files.list();
    files.round(0).await;
    let alone = Instant::now();
    for round in 0..10 {
        files.good(round).await;
    }
    println!("a reload of a gate at rest: {:?}", alone.elapsed() / 10);

    let mut watching = gate.client("admin").await;
    watching.send(bare("GET", "/v1.41/events", "")).await;
    assert_eq!(watching.head().await.0, 200);
    watching.chunk().await;
    let world = Arc::new(World {
        address: gate.address,
        reloads: watch::Sender::new(0),
        over: AtomicBool::new(false),
        asked: AtomicUsize::new(0),
    });
    let mut all = JoinSet::new();
    for name in ["dev", "admin"] {
        all.spawn(Arc::clone(&world).keeps(name, LIST));
    }
    for name in ["dev", "reader"] {
        all.spawn(Arc::clone(&world).comes_anew(name));
    }
    all.spawn(Arc::clone(&world).takes_time("dev"));
    all.spawn(Arc::clone(&world).keeps("dev", HELD));
    for (lent, keep) in lent.iter().flat_map(|lent| [(lent, false), (lent, true)]) {
        all.spawn(Arc::clone(lent).tries(Arc::clone(&world), keep));
    }

    let began = Instant::now();
    let (mut early, mut spent) = (0, Duration::ZERO);
    for round in 1..=ROUNDS {
        let asked = Instant::now();
        tokio::select! {
            () = files.round(round) => {}
            Some(ended) = all.join_next() => panic!("somebody gave up in round {round}: {ended:?}"),
        }
        spent += asked.elapsed();
        world.reloads.send_replace(round);
        bell.notify_one();
        gate.fake.tick();
        assert!(!watching.chunk().await.is_empty(), "the stream goes on");
        if round == 100 {
            early = gate.memory("VmRSS");
        }
    }
    let late = gate.memory("VmRSS");
    world.over.store(true, SeqCst);
    bell.notify_one();
    world.reloads.send_replace(0);
    while let Some(ended) = soon(all.join_next()).await {
        ended.unwrap();
    }
    let refused: usize = lent.iter().map(|lent| lent.refused.load(SeqCst)).sum();
    println!(
        "{ROUNDS} reloads in {:?} ({:?} each), {} requests, {refused} refused, \
         {} KiB after 100, {} KiB after all",
        began.elapsed(),
        spent / u32::try_from(ROUNDS).unwrap(),
        world.asked.load(SeqCst),
        early >> 10,
        late >> 10,
    );
    assert!(late < early + GROWTH, "from {early} to {late} bytes");
    drop(watching);
    let events = gate.settle().await;
    let loads = events.iter().filter(|e| e["stage"] == "policy.load" && e["actor"]["uid"] == 0);
    let (bad, good): (Vec<_>, Vec<_>) = loads.partition(|e| e["reason"] == "policy.rejected");
    assert_eq!((good.len(), bad.len()), (11 + ROUNDS / 2, ROUNDS / 2));
}
