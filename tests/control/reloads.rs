//! A reload that is answered when it has taken effect.

use crate::asked::{refused, script, status, told};
use crate::gate::Gate;

#[tokio::test]
async fn a_reload_is_in_force_when_it_is_answered_and_a_bad_one_changes_nothing() {
    let gate = Gate::start(script()).await;
    let mut dev = gate.client("dev").await;
    assert_eq!(dev.get("/v1.41/containers/json").await.status, 200);
    let path = gate.path("dockward.yaml");
    let old = std::fs::read_to_string(&path).unwrap();
    let less = old.replace("allow: { container: [\"*\"], image", "allow: { image");
    assert_ne!(less, old);
    std::fs::write(&path, &less).unwrap();
    let reloaded = told(&gate, &["reload"]).await;
    dev.get("/v1.41/containers/json").await.assert_refused(403, "verb.not-granted");
    assert_eq!((&reloaded["identities"], &reloaded["roles"]), (&9.into(), &6.into()));
    assert_eq!(reloaded["listeners"], 1);
    let at = &reloaded["at"][0];
    assert_eq!(
        (&at["listener"], &at["authorities"]),
        (&gate.address.to_string().into(), &1.into())
    );
    assert!(at["crl_until"].is_null() && at["certificate_until"].is_string(), "{at}");
    let by_hand = |e: &serde_json::Value| e["stage"] == "policy.load" && e["actor"]["uid"] == 0;
    let event = gate.event("the reload", by_hand).await;
    assert_eq!(reloaded["policy"], event["policy"]);

    std::fs::write(&path, less.replace("roles:", "rolls:")).unwrap();
    let said = refused(&gate, &["reload"]).await;
    assert!(said.contains("unknown key \"rolls\""), "{said}");
    let (code, status) = status(&gate).await;
    assert_eq!(code, 1);
    let cause = status["causes"][0]["what"].as_str().unwrap();
    assert!(cause.starts_with("what the files say is not in force since 20"), "{cause}");
    assert_eq!(status["policy"]["hash"], reloaded["policy"]);
    assert!(status["reloads"]["failed"].as_u64().unwrap() >= 1, "{status}");
    assert!(status["reloads"]["last_error"].as_str().unwrap().contains("rolls"), "{status}");

    let moved = less.replace("control.sock", "elsewhere.sock");
    std::fs::write(&path, moved).unwrap();
    assert!(refused(&gate, &["reload"]).await.contains("take a restart"));
    std::fs::write(&path, &less).unwrap();
    told(&gate, &["reload"]).await;
    assert!(told(&gate, &["status"]).await["reloads"]["last_error"].is_null());
    gate.settle().await;
}
