use super::{ResponseBody, denial_text, denied, malformed, over, shown, stranger, too_many};
use crate::docker::{Flaw, Malformed};
use crate::identity::Unidentified;
use crate::policy::quota::OverLimit;
use crate::policy::{Denial, Finding, Reason};
use crate::proxy::Unserved;
use crate::proxy::limits::TooMany;
use http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{Response, StatusCode};
use http_body_util::BodyExt as _;

async fn text(response: Response<ResponseBody>) -> String {
    assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
    json["message"].as_str().unwrap().to_owned()
}

fn finding(reason: Reason, field: &str, what: &str, allowed: Option<&str>) -> Finding {
    let (field, what) = (field.to_owned(), what.to_owned());
    let allowed = allowed.map(str::to_owned);
    Finding { reason, field, value: "never shown".to_owned(), what, allowed }
}

fn denial(findings: Vec<Finding>) -> Denial {
    Denial { role: "never shown".to_owned(), findings, even_observed: false }
}

#[test]
fn a_denial_names_everything_at_once() {
    let hint = Some("allowed capabilities: none");
    let findings = vec![
        finding(Reason::Privileged, "HostConfig.Privileged", "run a privileged container", None),
        finding(Reason::CapAdd, "HostConfig.CapAdd[0]", "add capability ALL", hint),
        finding(Reason::CapAdd, "HostConfig.CapAdd[1]", "add capability BPF", hint),
        finding(Reason::VerbNotGranted, "", "create containers", Some("allowed: read")),
    ];
    assert_eq!(
        denial_text("ci", &denial(findings), "01JD7Q"),
        "dockward: ci may not run a privileged container (HostConfig.Privileged: --privileged, in \
         compose privileged) [privilege.privileged]\n\
         dockward: ci may not add capability ALL (HostConfig.CapAdd[0]: --cap-add, in compose cap_add) \
         [privilege.capability]\n\
         dockward: ci may not add capability BPF (HostConfig.CapAdd[1]: --cap-add, in compose cap_add) \
         [privilege.capability]\n  \
         allowed capabilities: none.\n\
         dockward: ci may not create containers [verb.not-granted]\n  \
         allowed: read. Request 01JD7Q in the audit log."
    );
}

#[tokio::test]
async fn a_denial_says_whom_to_ask_and_that_it_holds_while_observing() {
    let one = finding(Reason::Privileged, "HostConfig.Privileged", "be privileged", None);
    let denial = Denial { even_observed: true, ..denial(vec![one]) };
    let told = text(denied("ci", &denial, "01JD7Q", Some("#docker-help\n"))).await;
    assert!(told.ends_with(
        "\n  Refused even while observing, as it amounts to root on the host. \
         Request 01JD7Q in the audit log.\n  Ask #docker-help\\u{a}."
    ));
    let limit = OverLimit::Running.rule();
    let over = text(over("ci", limit, (5, 5), Some("ops@example.org"))).await;
    assert!(over.contains("`running` raised under limits"), "{over}");
    assert!(over.ends_with("\n  Ask ops@example.org."), "{over}");
}

#[test]
fn a_denial_is_bounded() {
    let one = finding(Reason::CapAdd, "HostConfig.CapAdd[0]", &"x".repeat(5_000), None);
    let text = denial_text("ci", &denial(vec![one; 40]), "01JD7Q");
    assert_eq!(text.lines().count(), 18);
    assert!(text.contains("\n  and 24 more.\n  Request 01JD7Q in the audit log."));
    assert!(text.len() < 16 * 400);
}

#[test]
fn what_a_client_wrote_is_shown_in_one_way() {
    for (hostile, safe) in [
        ("a\nb\r\tc\0", "a\\u{a}b\\u{d}\\u{9}c\\u{0}"),
        ("\u{202e}gpj.exe\u{2066}", "\\u{202e}gpj.exe\\u{2066}"),
        ("\u{1b}[2J\u{9b}", "\\u{1b}[2J\\u{9b}"),
        ("zero\u{200b}width\u{feff}", "zero\\u{200b}width\\u{feff}"),
        ("\u{2028}\u{2029}\u{3164}", "\\u{2028}\\u{2029}\\u{3164}"),
        ("größe 日本", "größe 日本"),
    ] {
        assert_eq!(shown(hostile), safe);
    }
    assert_eq!(shown(&"ä".repeat(201)), "ä".repeat(200) + "…");
}

#[tokio::test]
async fn a_malformed_request_has_the_status_of_its_flaw() {
    let of = |flaw, at: &str, why: &'static str| Malformed::new(flaw, at, why);
    let plain = of(Flaw::JsonDuplicate, "HostConfig.Binds", "the key is there\ntwice");
    let response = malformed(&plain, Some("01JD7Q"));
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(
        text(response).await,
        "dockward: the key is there\\u{a}twice (HostConfig.Binds) [json.duplicate-key]\n  \
         Request 01JD7Q in the audit log."
    );
    let large = malformed(&of(Flaw::BodyTooLarge, "", "the body is too large"), None);
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(text(large).await, "dockward: the body is too large [body.too-large]");
    let route = malformed(&of(Flaw::RouteUnknown, "", "no such route"), None);
    assert_eq!(route.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_version_out_of_range_is_said_in_dockers_words_first() {
    let words = "client version 1.99 is too new. Maximum supported API version is 1.55";
    let response = malformed(&Malformed::new(Flaw::VersionRange, "path", words), Some("01JD7Q"));
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let text = text(response).await;
    assert_eq!(text.lines().next(), Some(words));
    assert!(text.contains("DOCKER_API_VERSION") && text.contains("api_min"), "{text}");
    assert!(text.contains("[version.range]"), "{text}");
    assert!(text.ends_with(" Request 01JD7Q in the audit log."), "{text}");
}

#[tokio::test]
async fn a_refusal_that_passes_says_when_to_come_back() {
    let response = too_many(Unserved::TooManyRequests.rule(), TooMany { most: 128 });
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()[RETRY_AFTER], "1");
    let told = text(response).await;
    assert!(told.contains(": 128 are open [requests.too-many]\n"), "{told}");
    assert!(told.contains("`streams_per_identity`"), "{told}");
    let response = stranger(&Unidentified::AmbiguousMatch);
    assert_eq!(response.headers()[CONNECTION], "close");
    let text = text(response).await;
    assert!(text.ends_with("[identity.ambiguous-match]"), "{text}");
}
