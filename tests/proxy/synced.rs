//! What changes the daemon's state is not only written down but on the disk before it is forwarded; the
//! pipeline is put together here, because only its own writer can tell.

use crate::client::{Client, bare};
use crate::fake_daemon::{FakeDaemon, Reply, Script};
use crate::gate::{Files, until};
use dockward::facade::audit::{GateInstance, Writer};
use dockward::facade::config::FrontLimits;
use dockward::facade::daemon::Daemon;
use dockward::facade::docker::ApiVersion;
use dockward::facade::facts::{GatePaths, Gatherer, Usages};
use dockward::facade::pipeline::{Doorkeeper, Paces, Pipeline, PipelineGate, SharedState};
use dockward::facade::proxy::{
    Address, Budget, Credentials, Entrance, Front, Secured, Shutdown, Streams, Tls, Way,
};
use dockward::facade::who::{Door, Doors, InForce, Rules};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// A gate in this process, with a writer that others hold too.
async fn open(files: &Files, fake: &FakeDaemon, log: &Arc<Writer>) -> (SocketAddr, Shutdown) {
    let text = files.policy("", &fake.socket, &files.path("audit"));
    let now = jiff::Timestamp::now();
    let config = dockward::facade::config::parse(&text, files.directory(), now).unwrap();
    let entrance = Entrance::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let (door, limits) = (entrance.address().clone(), FrontLimits::default());
    let Address::Tcp(address) = door else { panic!("it is TCP") };
    let daemon = Daemon::new(fake.socket.clone());
    let gatherer = Gatherer::new(daemon.clone(), GatePaths::of(&config));
    let rules = Rules {
        policy: Arc::new(config.policy),
        doors: Doors(vec![Door { address: door, identities: None }]),
    };
    let shared = SharedState {
        in_force: Arc::new(InForce::new(rules)),
        log: Arc::clone(log),
        sessions: Arc::default(),
        paces: Paces::default(),
        streams: Streams::new(limits.streams_per_identity),
        preparing: Arc::default(),
        usages: Usages::default(),
        budget: Budget::new(&limits),
        floor: ApiVersion::FLOOR,
        tally: Arc::default(),
    };
    let pipeline = Arc::new(Pipeline { shared, daemon, gatherer });
    let credentials = Credentials {
        certificate: files.path("server.pem"),
        key: files.path("server-key.pem"),
        client_ca: files.path("ca.pem"),
        crl: None,
        accept_expired_crl: false,
        deny: None,
        tls12: false,
    };
    let (secured, _) = Secured::load(&credentials, jiff::Timestamp::now().as_second()).unwrap();
    let tls = Tls::new(secured);
    let watch = Arc::new(Doorkeeper(Arc::clone(log), Arc::default()));
    let front = Front::new(limits, Arc::new(PipelineGate(pipeline)), watch);
    let shutdown = Shutdown::new();
    tokio::spawn(entrance.serve(Way::Tls(tls), front, shutdown.live()));
    (address, shutdown)
}

#[tokio::test]
async fn a_write_is_synced_before_it_arrives_and_a_read_need_not_be() {
    let files = Files::new();
    let log = Writer::open(&files.path("audit"), GateInstance::here(), 0).unwrap();
    let log = Arc::new(log);
    let syncs: Arc<Mutex<Vec<u64>>> = Arc::default();
    let (seen, counts) = (Arc::clone(&syncs), Arc::clone(&log));
    let script = Script::new("1.41")
        .on("GET /containers/json", Reply::json("[]"))
        .on("POST /containers/web/start", Reply::status("204 No Content", "", ""))
        .witnessed(move |_| seen.lock().unwrap().push(counts.counts().syncs));
    let fake = FakeDaemon::start(script);
    let (address, _shutdown) = open(&files, &fake, &log).await;
    let mut client = Client::connect(address, "dev").await.unwrap();
    let start = bare("POST", "/v1.41/containers/web/start", "");
    for (nth, request) in
        [bare("GET", "/containers/json", ""), start.clone(), start].iter().enumerate()
    {
        assert!(client.ask(request).await.status < 300);
        // the completion of one is not taken for the decision of the next
        let whole = 2 * (nth as u64 + 1);
        until("its completion", || (log.counts().events == whole).then_some(())).await;
    }
    // our own question of versions, a read, and two writes
    assert_eq!(*syncs.lock().unwrap(), [0, 0, 1, 2]);
}
