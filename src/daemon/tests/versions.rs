//! What we ask ourselves, and what clients are told of versions.

use super::super::fake_daemon::{Reply, Script};
use super::{read, send, start, text};
use crate::daemon::filter::filter;
use crate::daemon::{DaemonError, Lookup};
use crate::docker::{Accepted, ApiVersion, Resource};
use crate::policy::answer::{BodyRewrite, Rewrite};

const ACCEPTED: Accepted = Accepted { floor: ApiVersion::FLOOR, ceiling: ApiVersion::new(41) };

#[tokio::test]
async fn the_ceiling_is_the_lower_of_the_daemons_and_ours() {
    for (newest, ceiling) in [("1.41", ApiVersion::new(41)), ("1.99", ApiVersion::NEWEST)] {
        let (fake, daemon) = start(Script::new(newest));
        for _ in 0..2 {
            let accepted = daemon.accepted(ApiVersion::FLOOR).await.unwrap();
            assert_eq!(accepted, Accepted { floor: ApiVersion::FLOOR, ceiling });
        }
        assert_eq!(fake.log().requests.len(), 1, "asked once");
    }
    let (_fake, daemon) = start(Script::new("1.41"));
    let below = daemon.accepted(ApiVersion::new(12)).await.unwrap();
    assert_eq!(below.floor, ApiVersion::LOWEST, "the daemon's own floor");
}

#[tokio::test]
async fn versions_are_asked_again_after_the_daemon_was_away() {
    let (mut fake, daemon) = start(Script::new("1.41"));
    assert_eq!(daemon.accepted(ApiVersion::FLOOR).await.unwrap().ceiling, ApiVersion::new(41));
    fake.stop().await;
    assert!(matches!(send(&daemon, &read("/a")).await, Err(DaemonError::Away { .. })));
    let error = daemon.accepted(ApiVersion::FLOOR).await.unwrap_err();
    assert!(matches!(*error, DaemonError::Away { .. }), "{error}");
    let kept = daemon.supposed(ApiVersion::FLOOR);
    assert_eq!(
        (kept.accepted.ceiling, kept.sure),
        (ApiVersion::new(41), false),
        "and kept meanwhile"
    );
    fake.restart(Script::new("1.43"));
    assert_eq!(daemon.accepted(ApiVersion::FLOOR).await.unwrap().ceiling, ApiVersion::new(43));
}

#[tokio::test]
async fn a_daemon_that_was_replaced_unseen_is_asked_again() {
    let (mut fake, daemon) = start(Script::new("1.43").on("GET /a", Reply::json("1")));
    assert_eq!(daemon.accepted(ApiVersion::FLOOR).await.unwrap().ceiling, ApiVersion::new(43));
    fake.stop().await;
    fake.restart(Script::new("1.41").on("GET /a", Reply::json("1")));
    assert_eq!(text(send(&daemon, &read("/a")).await.unwrap()).await, "1");
    assert_eq!(daemon.accepted(ApiVersion::FLOOR).await.unwrap().ceiling, ApiVersion::new(41));
}

#[tokio::test]
async fn before_the_daemon_was_asked_all_that_we_have_is_supposed() {
    let (_fake, daemon) = start(Script::new("1.41"));
    let supposed = daemon.supposed(ApiVersion::FLOOR);
    assert_eq!(supposed.accepted, Accepted::any(ApiVersion::FLOOR));
    assert!(!supposed.sure);
    daemon.accepted(ApiVersion::FLOOR).await.unwrap();
    assert!(daemon.supposed(ApiVersion::FLOOR).sure);
}

/// An answer, and none, are for all who wait for it.
#[tokio::test]
async fn who_comes_while_the_daemon_is_asked_waits_for_the_same_answer() {
    let version = Reply::json(r#"{"ApiVersion":"1.41","MinAPIVersion":"1.24"}"#);
    for (reply, answered) in [(version, true), (Reply::HangUp, false)] {
        let bell = std::sync::Arc::new(tokio::sync::Notify::new());
        let held = Reply::Held(std::sync::Arc::clone(&bell), Box::new(reply));
        let (fake, daemon) = start(Script::new("1.41").on("GET /version", held));
        let all =
            futures_util::future::join_all((0..50).map(|_| daemon.accepted(ApiVersion::FLOOR)));
        let ring = async {
            fake.until(|log| !log.requests.is_empty()).await;
            bell.notify_one();
        };
        let (outcomes, ()) = tokio::join!(all, ring);
        assert!(outcomes.iter().all(|outcome| outcome.is_ok() == answered), "{outcomes:?}");
        assert_eq!(fake.log().requests.len(), 1);
    }
}

#[tokio::test]
async fn a_version_that_cannot_be_read_is_an_error() {
    for body in ["{}", "[]", "no", r#"{"ApiVersion":"1.041"}"#] {
        let (_fake, daemon) = start(Script::new("1.41").on("GET /version", Reply::json(body)));
        let error = daemon.accepted(ApiVersion::FLOOR).await.unwrap_err();
        assert!(matches!(*error, DaemonError::Protocol(_)), "{body}: {error}");
    }
}

#[tokio::test]
async fn info_is_ours_to_ask() {
    let (fake, daemon) = start(Script::new("1.41"));
    assert_eq!(daemon.lookup(Lookup::Info).await.unwrap()["ID"], "fake");
    assert_eq!(fake.log().requests[0].text(), "GET /info HTTP/1.1\r\nhost: docker\r\n\r\n");
}

/// Who asked for what no daemon knows hears that he did not get it.
#[tokio::test]
async fn warnings_stand_behind_those_of_the_daemon() {
    let warn = || {
        let warnings = vec!["one".to_owned(), "two".to_owned()];
        Some(Rewrite { accepted: ACCEPTED, body: BodyRewrite::AsItIs, warnings })
    };
    let cases = [
        (
            "201 Created",
            r#"{"Id":"c","Warnings":["a"]}"#,
            r#"{"Id":"c","Warnings":["a","one","two"]}"#,
        ),
        ("201 Created", r#"{"Id":"c","Warnings":null}"#, r#"{"Id":"c","Warnings":["one","two"]}"#),
        ("200 OK", r#"{"Id":"c"}"#, r#"{"Id":"c","Warnings":["one","two"]}"#),
        ("200 OK", r#"{"Warnings":"odd"}"#, r#"{"Warnings":"odd"}"#),
        ("200 OK", "[]", "[]"),
        ("409 Conflict", r#"{"message":"m"}"#, r#"{"message":"m"}"#),
    ];
    for (status, body, told) in cases {
        let script = Script::new("1.41").on("GET /images/json", Reply::status(status, "", body));
        let (_fake, daemon) = start(script);
        let answer = send(&daemon, &read("/images/json")).await.unwrap();
        let answer = filter(&daemon, answer, warn(), "").await.unwrap();
        assert_eq!(answer.headers["content-length"], told.len().to_string().as_str(), "{body}");
        assert_eq!(text(answer).await, told);
    }
}

fn header() -> Option<Rewrite> {
    Some(Rewrite { accepted: ACCEPTED, body: BodyRewrite::AsItIs, warnings: Vec::new() })
}

fn versions() -> Option<Rewrite> {
    Some(Rewrite { accepted: ACCEPTED, body: BodyRewrite::Versions, warnings: Vec::new() })
}

#[tokio::test]
async fn clients_are_told_what_is_accepted() {
    let (_fake, daemon) = start(Script::new("1.99"));
    let ping = send(&daemon, &read("/_ping")).await.unwrap();
    let ping = filter(&daemon, ping, header(), "").await.unwrap();
    assert_eq!(ping.headers["api-version"], "1.41");
    assert_eq!(text(ping).await, "OK");

    let version = send(&daemon, &read("/version")).await.unwrap();
    let version = filter(&daemon, version, versions(), "").await.unwrap();
    assert_eq!(version.headers["api-version"], "1.41");
    let length = version.headers["content-length"].to_str().unwrap().to_owned();
    let body = text(version).await;
    assert_eq!(length, body.len().to_string());
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    for place in [&body, &body["Components"][0]["Details"]] {
        assert_eq!(
            (&place["ApiVersion"], &place["MinAPIVersion"]),
            (&"1.41".into(), &"1.38".into())
        );
    }
    assert_eq!(body["Version"], "99.0");
}

#[tokio::test]
async fn a_lower_version_header_is_left_alone() {
    let lower = b"HTTP/1.1 200 OK\r\nApi-Version: 1.40\r\nContent-Length: 0\r\n\r\n".to_vec();
    let (_fake, daemon) = start(Script::new("1.41").on("GET /a", Reply::Raw(lower)));
    let answer = send(&daemon, &read("/a")).await.unwrap();
    let answer = filter(&daemon, answer, header(), "").await.unwrap();
    assert_eq!(answer.headers["api-version"], "1.40");
}

#[tokio::test]
async fn a_version_answer_that_is_no_object_is_refused() {
    for body in ["[]", "no", ""] {
        let (_fake, daemon) = start(Script::new("1.41").on("GET /version", Reply::json(body)));
        let answer = send(&daemon, &read("/version")).await.unwrap();
        let error = filter(&daemon, answer, versions(), "").await;
        assert!(body.is_empty() || matches!(error, Err(DaemonError::Protocol(_))), "{body}");
    }
}

/// What the daemon's versions say of it; the name that was asked for may be any of their words.
#[tokio::test]
async fn of_several_none_is_taken_and_they_are_not_none() {
    let several = [
        (500, "Multiple IDs found with provided prefix: be"),
        (400, "multiple IDs found with provided prefix: be"),
        (400, "network be is ambiguous (2 matches found based on ID prefix)"),
        (400, "2 matches found based on name: network be is ambiguous"),
        (400, "service be is ambiguous (2 matches found)"),
    ];
    let other = [
        (500, "container multiple is broken"),
        (500, "network ambiguous: no such driver"),
        (400, "invalid name: ambiguous"),
    ];
    let all = several.map(|said| (said, true)).into_iter().chain(other.map(|said| (said, false)));
    for ((status, message), is_several) in all {
        let body = format!(r#"{{"message":"{message}"}}"#);
        let reply = Reply::status(&format!("{status} Said"), "", &body);
        let (_fake, daemon) = start(Script::new("1.41").on("GET /services/be", reply));
        let lookup = Lookup::Kept(Resource::Service, "be".to_owned());
        let error = daemon.lookup(lookup).await.unwrap_err();
        assert_eq!(matches!(error, DaemonError::Several(_)), is_several, "{message}: {error}");
    }
}
