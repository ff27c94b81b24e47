//! A daemon that goes away and comes back, perhaps as another; and which versions of it are spoken.

use crate::client::bare;
use crate::fake_daemon::{Reply, Script};
use crate::gate::Gate;

fn list(newest: &str) -> Script {
    Script::new(newest).on("GET /containers/json", Reply::json("[]"))
}

#[tokio::test]
async fn away_is_said_at_once_and_the_daemon_is_found_again_as_it_is() {
    let mut gate = Gate::start(list("1.41")).await;
    let mut client = gate.client("dev").await;
    assert_eq!(client.get("/containers/json").await.status, 200);
    gate.fake.stop().await;
    let asked = std::time::Instant::now();
    for _ in 0..2 {
        let answer = client.get("/containers/json").await;
        assert_eq!(answer.status, 502, "{}", answer.text());
        assert!(answer.message().contains("daemon is away"), "{}", answer.text());
    }
    assert!(asked.elapsed().as_secs() < 2, "{:?} is not at once", asked.elapsed());
    gate.fake.restart(list("1.44"));
    assert_eq!(client.get("/containers/json").await.status, 200);
    let lines: Vec<String> = gate.fake.log().requests.iter().map(|r| r.line()).collect();
    assert_eq!(
        lines,
        [
            "GET /version HTTP/1.1",
            "GET /v1.41/containers/json HTTP/1.1",
            "GET /version HTTP/1.1",
            "GET /v1.44/containers/json HTTP/1.1",
        ]
    );
    assert_eq!(client.get("/v1.44/containers/json").await.status, 200);
    gate.settle().await;
}

#[tokio::test]
async fn a_write_that_the_daemon_dies_of_is_not_sent_again() {
    let script = list("1.41").on("POST /containers/web/start", Reply::HangUp);
    let gate = Gate::start(script).await;
    let mut client = gate.client("dev").await;
    assert_eq!(client.get("/containers/json").await.status, 200);
    let answer = client.ask(bare("POST", "/v1.41/containers/web/start", "")).await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert_eq!(gate.fake.log().calls("POST /containers/web/start").len(), 1);
    assert_eq!(gate.outcome("ContainerStart").await["ended"], "daemon-gone");
    gate.settle().await;
}

#[tokio::test]
async fn only_versions_in_range_are_spoken_and_clients_are_told() {
    let gate = Gate::start(list("1.99")).await;
    let mut client = gate.client("dev").await;
    let cases = [
        ("/v1.37", "client version 1.37 is too old. Minimum supported API version is 1.38"),
        ("/v1.57", "client version 1.57 is too new. Maximum supported API version is 1.56"),
    ];
    for (version, words) in cases {
        let answer = client.get(&format!("{version}/containers/json")).await;
        answer.assert_refused(400, "version.range");
        assert!(answer.message().starts_with(words), "{}", answer.message());
    }
    assert_eq!(gate.fake.log().requests.len(), 1, "our own question only");
    for (path, arrived) in [
        ("/containers/json", "GET /v1.56/containers/json HTTP/1.1"),
        ("/v1.38/containers/json", "GET /v1.38/containers/json HTTP/1.1"),
        ("/v1.56/containers/json", "GET /v1.56/containers/json HTTP/1.1"),
    ] {
        assert_eq!(client.get(path).await.status, 200);
        assert_eq!(gate.fake.log().requests.last().unwrap().line(), arrived);
    }
    let ping = client.get("/_ping").await;
    assert_eq!(ping.header("api-version").as_deref(), Some("1.56"));
    let version = client.get("/version").await;
    let told: serde_json::Value = serde_json::from_slice(&version.body).unwrap();
    let engine = &told["Components"][0]["Details"];
    for told in [&told, engine] {
        assert_eq!((&told["ApiVersion"], &told["MinAPIVersion"]), (&"1.56".into(), &"1.38".into()));
    }
    gate.settle().await;
}
