use super::*;

#[test]
fn questions_have_one_spelling() {
    let read = |text: &str| ControlRequest::read(text.as_bytes()).map(|request| request.ask);
    assert_eq!(read(r#"{"version":1,"ask":"status"}"#), Ok(Ask::Status));
    let kill = r#"{"version":1,"ask":{"kill":{"id":"7","reason":"r"}}}"#;
    assert_eq!(read(kill), Ok(Ask::Kill(Kill { id: "7".into(), reason: "r".into() })));
    let wrong = [
        "",
        "garbage",
        "{}",
        r#"{"ask":"status"}"#,
        r#"{"version":1,"ask":"lockdown"}"#,
        r#"{"version":1,"ask":"status","more":1}"#,
        r#"{"version":1,"version":1,"ask":"status"}"#,
        r#"{"version":1,"ask":{"status":{}}}"#,
        r#"{"version":1,"ask":{"kill":{"id":"7"}}}"#,
        r#"{"version":1,"ask":{"kill":{"id":"7","reason":"r","force":true}}}"#,
        r#"{"version":1,"ask":{"kill":{"id":"7","reason":"r"},"reload":null}}"#,
        r#"{"version":1,"ask":"status"} {}"#,
    ];
    for text in wrong {
        assert!(read(text).unwrap_err().what.starts_with("this is no question"), "{text}");
    }
}

#[test]
fn another_version_is_told_apart_from_a_mistake() {
    let newer = ControlRequest::read(br#"{"version":2,"ask":{"dance":{}}}"#).unwrap_err();
    assert!(newer.what.contains("speaks version 1, and not 2"), "{newer}");
    let older = ControlAnswer::read(br#"{"version":0,"answer":{}}"#).unwrap_err();
    assert!(older.to_string().contains("and not 0, use the `dockward` that serves"), "{older}");
}

#[test]
fn what_is_written_is_read_back() {
    let asks = [
        Ask::Status,
        Ask::Sessions,
        Ask::Reload,
        Ask::Kill(Kill { id: "identity:dev".into(), reason: "gone".into() }),
        Ask::RevokeGrant(Named { id: "x".into(), reason: "done".into() }),
        Ask::Grant(GrantWanted {
            identity: "dev".into(),
            role: "administrator".into(),
            for_seconds: 3600,
            reason: "disk full".into(),
            persist: true,
        }),
    ];
    for ask in asks {
        let request = ControlRequest::of(ask);
        let line = serde_json::to_vec(&request).unwrap();
        assert_eq!(ControlRequest::read(&line), Ok(request));
    }
    let answer =
        ControlAnswer::of(Said::Killed(Killed { connections: 1, sessions: 2, running: 0 }));
    assert_eq!(ControlAnswer::read(&serde_json::to_vec(&answer).unwrap()), Ok(answer));
}
