//! Two tenants who make, rename, remove, start and join whatever they can name, both at once and under the same few
//! names: what each has kept is there afterwards as it was, and nothing of the one is with the other.

use super::dockerd::{Engine, PrivateDaemon};
use super::gate::Gate;
use super::http::Side;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The tenants.
const TENANTS: [&str; 2] = ["anna", "bert"];

/// Names that both of them take; the first two are hexadecimal, as beginnings of ids are.
const NAMES: [&str; 6] = ["a", "beef", "x-1", "x-2", "x-3", "x-4"];

/// How long it goes on, in seconds, where nothing else is said.
const SECONDS: u64 = 10;

/// What each keeps, and how it is called.
struct Kept {
    container: String,
    network: String,
    volume: String,
}

/// Numbers that follow one another without a pattern (xorshift), the same in every run.
struct Dice(u64);

impl Dice {
    fn of<'t, T: ?Sized>(&mut self, choices: &[&'t T]) -> &'t T {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        choices[usize::try_from(self.0 % choices.len() as u64).unwrap()]
    }
}

/// Rages.
pub(crate) fn play(engine: Engine) {
    let seconds = std::env::var("DOCKWARD_STORM").ok().and_then(|text| text.parse().ok());
    let scratch = tempfile::tempdir().unwrap();
    std::fs::create_dir(scratch.path().join("gate")).unwrap();
    let daemon = PrivateDaemon::start(engine, &scratch.path().join("daemon"));
    let gate = super::tenants::gate(&scratch.path().join("gate"), &daemon.socket);
    let straight = Side::daemon(&daemon.socket);
    let kept = TENANTS.map(|tenant| keep(&Side::gate(gate.port, gate.bundle(tenant)), tenant));
    let before = TENANTS.map(|tenant| state(&straight, tenant));
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(SECONDS));
    let asked: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|nth| {
                let (own, others) = (&kept[nth % 2], &kept[(nth + 1) % 2]);
                let dice = Dice(0x9e37_79b9_7f4a_7c15 ^ (nth as u64 + 1));
                let gate: &Gate = &gate;
                scope.spawn(move || rage(gate, TENANTS[nth % 2], own, others, dice, end))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(
        before,
        TENANTS.map(|tenant| state(&straight, tenant)),
        "what was kept is as it was"
    );
    apart(&straight);
    println!("storm: {asked} requests");
    assert!(asked > 100, "{asked} requests");
    super::log::judge(&gate.end());
}

/// One of each kind. An id that one of [`NAMES`] begins would be meant by that name, by him who may: such a one is made
/// anew.
fn keep(side: &Side, tenant: &str) -> Kept {
    let ask = |method: &str, target: &str, body: Value| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = side.send(method, &format!("/v1.41{target}"), &body);
        assert!((200..300).contains(&answer.status), "{target}: {answer:?}");
        answer
    };
    let make = |target: &str, body: Value, kind: &str| loop {
        let made = ask("POST", target, body.clone()).json();
        let id = made["Id"].as_str().unwrap().to_owned();
        if !NAMES.iter().any(|name| id.starts_with(name)) {
            return id;
        }
        ask("DELETE", &format!("/{kind}/{id}"), Value::Null);
    };
    let [c, n, v] = ["c", "n", "v"].map(|kind| format!("{tenant}-keeps-{kind}"));
    let network = json!({ "Name": n, "CheckDuplicate": true });
    let network = make("/networks/create", network, "networks");
    ask("POST", "/volumes/create", json!({ "Name": v }));
    let body = json!({ "Image": "busybox", "Cmd": ["sleep", "1000"],
        "HostConfig": { "NetworkMode": n, "Binds": [format!("{v}:/v")] } });
    let container = make(&format!("/containers/create?name={c}"), body, "containers");
    ask("POST", &format!("/containers/{c}/start"), Value::Null);
    Kept { container, network, volume: v }
}

/// What the daemon says of what a tenant keeps.
fn state(daemon: &Side, tenant: &str) -> Value {
    let get = |target: String| daemon.send("GET", &format!("/v1.41{target}"), "").json();
    let container = get(format!("/containers/{tenant}-keeps-c/json"));
    let network = get(format!("/networks/{tenant}-keeps-n"));
    let volume = get(format!("/volumes/{tenant}-keeps-v"));
    json!([
        container["Id"],
        container["Name"],
        container["State"]["StartedAt"],
        container["State"]["Running"],
        container["Config"]["Labels"],
        container["NetworkSettings"]["Networks"],
        container["Mounts"],
        network["Id"],
        network["Labels"],
        volume["CreatedAt"],
        volume["Labels"],
    ])
}

/// Asks for whatever comes to mind until it ends; how often.
fn rage(
    gate: &Gate,
    tenant: &str,
    own: &Kept,
    others: &Kept,
    mut dice: Dice,
    end: Instant,
) -> usize {
    let side = Side::gate(gate.port, gate.bundle(tenant));
    let mut asked = 0;
    while Instant::now() < end {
        let (one, two) = (dice.of(&NAMES), dice.of(&NAMES));
        let container =
            dice.of(&[one, others.container.as_str(), &others.container[..12], one, one]);
        let network = dice.of(&[
            two,
            others.network.as_str(),
            &others.network[..5],
            own.network.as_str(),
            two,
        ]);
        let volume = dice.of(&[two, others.volume.as_str(), two]);
        let create = json!({ "Image": "busybox", "Cmd": ["sleep", "1000"],
            "HostConfig": { "NetworkMode": network, "Binds": [format!("{volume}:/v")] } });
        let named = json!({ "Name": two, "CheckDuplicate": false });
        let (method, target, body) = match dice.of(&[
            "create",
            "create",
            "start",
            "rename",
            "remove",
            "connect",
            "network",
            "no network",
            "volume",
            "no volume",
            "prune",
            "exec",
            "disconnect",
            "stop",
        ]) {
            "create" => ("POST", format!("/containers/create?name={one}"), create),
            "start" => ("POST", format!("/containers/{container}/start"), Value::Null),
            "stop" => ("POST", format!("/containers/{container}/stop?t=0"), Value::Null),
            "rename" => ("POST", format!("/containers/{container}/rename?name={two}"), Value::Null),
            "remove" => ("DELETE", format!("/containers/{container}?force=1&v=1"), Value::Null),
            "connect" => {
                ("POST", format!("/networks/{network}/connect"), json!({ "Container": container }))
            }
            "disconnect" => (
                "POST",
                format!("/networks/{network}/disconnect"),
                json!({ "Container": container }),
            ),
            "network" => ("POST", "/networks/create".to_owned(), named),
            "no network" => ("DELETE", format!("/networks/{network}"), Value::Null),
            "volume" => ("POST", "/volumes/create".to_owned(), json!({ "Name": volume })),
            "no volume" => ("DELETE", format!("/volumes/{volume}?force=1"), Value::Null),
            "exec" => ("POST", format!("/containers/{container}/exec"), json!({ "Cmd": ["true"] })),
            _ => (
                "POST",
                format!("/{}/prune", dice.of(&["containers", "networks", "volumes"])),
                Value::Null,
            ),
        };
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = side.send(method, &format!("/v1.41{target}"), &body);
        assert!(answer.status != 0 && answer.status != 502, "{method} {target}: {answer:?}");
        asked += 1;
    }
    asked
}

/// Whatever there is has one owner, and is with nothing of another.
fn apart(daemon: &Side) {
    let get = |target: &str| daemon.send("GET", &format!("/v1.41{target}"), "").json();
    let owner = |labels: &Value| {
        let [owner, maker] = ["dockward.owner", "dockward.identity"].map(|key| labels[key].clone());
        assert_eq!(owner, maker, "{labels}");
        owner.as_str().unwrap_or_default().to_owned()
    };
    let mut seen = 0;
    for container in get("/containers/json?all=1").as_array().unwrap() {
        let whose = owner(&container["Labels"]);
        assert!(TENANTS.contains(&whose.as_str()), "{container}");
        let networks = container["NetworkSettings"]["Networks"].as_object().unwrap();
        for (name, network) in networks {
            let id = network["NetworkID"].as_str().unwrap_or_default();
            // it is on none before it has started, nor where the network is gone
            let of = get(&format!("/networks/{}", if id.is_empty() { name } else { id }));
            if of["Id"] == id && !["bridge", "host", "none"].contains(&name.as_str()) {
                assert_eq!(owner(&of["Labels"]), whose, "{container} on {of}");
                seen += 1;
            }
        }
        for mount in container["Mounts"].as_array().unwrap() {
            let volume = get(&format!("/volumes/{}", mount["Name"].as_str().unwrap()));
            assert_eq!(owner(&volume["Labels"]), whose, "{container} has {volume}");
            seen += 1;
        }
    }
    assert!(seen >= 4, "{seen} networks and volumes of containers were looked at");
}
