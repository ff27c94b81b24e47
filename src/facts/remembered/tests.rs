use super::*;

const ID: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn facts(execs: usize) -> Facts {
    let volumes = vec!["v".to_owned()];
    let container = Container { id: ID.to_owned(), execs, volumes, ..Container::default() };
    let volume = Volume { name: "v".to_owned(), ..Volume::default() };
    Facts {
        containers: [("web".to_owned(), Seen::Found(container))].into(),
        volumes: [("v".to_owned(), Seen::Found(volume))].into(),
        ..Facts::default()
    }
}

/// What is found of a container that is asked for by this name.
fn recalled(memory: &Remembered, identity: &str, name: &str) -> Option<Facts> {
    let mut needs = Needs { containers: [name.to_owned()].into(), ..Needs::default() };
    let facts = memory.recall(identity, &mut needs);
    assert_eq!(needs.containers.is_empty(), facts.remembered);
    needs.containers.is_empty().then_some(facts)
}

fn hearing() -> Remembered {
    let memory = Remembered::default();
    memory.hear(true);
    memory
}

#[test]
fn what_carried_a_request_is_known_by_its_id_and_to_nobody_else() {
    let memory = hearing();
    memory.keep("anna", memory.now(), &facts(0));
    let known = recalled(&memory, "anna", ID).unwrap();
    assert!(known.volumes.contains_key("v"), "{known:?}");
    assert_eq!(recalled(&memory, "bert", ID), None);
    assert_eq!(recalled(&memory, "anna", "web"), None);
    assert_eq!(recalled(&memory, "anna", ID.get(..12).unwrap()), None);
}

#[test]
fn nothing_is_known_that_nobody_would_hear_of() {
    let memory = Remembered::default();
    memory.keep("anna", memory.now(), &facts(0));
    assert_eq!(recalled(&memory, "anna", ID), None);
    memory.hear(true);
    assert_eq!(recalled(&memory, "anna", ID), None);
    memory.keep("anna", memory.now(), &facts(0));
    memory.hear(false);
    memory.hear(true);
    assert_eq!(recalled(&memory, "anna", ID), None);
}

#[test]
fn what_changes_is_forgotten_also_by_who_has_just_looked() {
    let memory = hearing();
    memory.keep("anna", memory.now(), &facts(0));
    memory.forget(ID);
    assert_eq!(recalled(&memory, "anna", ID), None);
    let before = memory.now();
    memory.forget(ID);
    memory.keep("anna", before, &facts(0));
    assert_eq!(recalled(&memory, "anna", ID), None);
    // what happens to others is nothing to it, as long as that can be told
    let before = memory.now();
    memory.forget(&ID.replace('a', "b"));
    memory.keep("anna", before, &facts(0));
    assert!(recalled(&memory, "anna", ID).is_some());
    memory.forget(ID);
    let before = memory.now();
    for _ in 0..=FORGOTTEN {
        memory.forget(&ID.replace('a', "b"));
    }
    memory.keep("anna", before, &facts(0));
    assert_eq!(recalled(&memory, "anna", ID), None);
    let before = memory.now();
    memory.hear(true);
    memory.keep("anna", before, &facts(0));
    assert_eq!(recalled(&memory, "anna", ID), None);
}

#[test]
fn each_use_counts_as_an_exec_until_it_is_looked_at_again() {
    let memory = hearing();
    memory.keep("anna", memory.now(), &facts(EXECS - 3));
    for execs in [EXECS - 2, EXECS - 1] {
        let known = recalled(&memory, "anna", ID).unwrap();
        let Seen::Found(container) = &known.containers[ID] else { panic!("{known:?}") };
        assert_eq!(container.execs, execs);
    }
    assert_eq!(recalled(&memory, "anna", ID), None);
}

#[test]
fn what_is_remembered_is_not_made_younger_by_that() {
    let memory = hearing();
    let known = Facts { remembered: true, ..facts(0) };
    memory.keep("anna", memory.now(), &known);
    assert_eq!(recalled(&memory, "anna", ID), None);
}

#[test]
fn what_is_large_is_not_remembered() {
    let memory = hearing();
    let mut large = facts(0);
    let volume = Volume { driver: "d".repeat(HEAVIEST), ..Volume::default() };
    large.volumes.insert("v".to_owned(), Seen::Found(volume));
    memory.keep("anna", memory.now(), &large);
    assert_eq!(recalled(&memory, "anna", ID), None);
    let words = vec![String::new(); HEAVIEST / TEXT + 1];
    memory.made("anna", ID, Exec { words, ..Exec::default() });
    let mut needs = Needs { exec: Some(ID.to_owned()), ..Needs::default() };
    assert_eq!(memory.recall("anna", &mut needs).exec, None);
}

#[test]
fn an_exec_is_known_to_who_made_it() {
    let memory = Remembered::default();
    memory.made("anna", ID, Exec::default());
    memory.made("anna", "short", Exec::default());
    let known = |identity: &str, id: &str| {
        let mut needs = Needs { exec: Some(id.to_owned()), ..Needs::default() };
        memory.recall(identity, &mut needs).exec.is_some() && needs.exec.is_none()
    };
    assert!(known("anna", ID));
    assert!(!known("bert", ID));
    assert!(!known("anna", "short"));
}

#[test]
fn events_tell_which_container_is_another_now() {
    let of = |text: &str| {
        let event: serde_json::Value = serde_json::from_str(text).unwrap();
        changed(&event).map(str::to_owned)
    };
    for action in ["rename", "update", "destroy", "die", "start", "a-new-one"] {
        let text = format!(r#"{{"Type":"container","Action":"{action}","Actor":{{"ID":"x"}}}}"#);
        assert_eq!(of(&text).as_deref(), Some("x"), "{action}");
    }
    for action in ["exec_create: sh -c x", "exec_die", "health_status: healthy", "attach"] {
        let text = format!(r#"{{"Type":"container","Action":"{action}","Actor":{{"ID":"x"}}}}"#);
        assert_eq!(of(&text), None, "{action}");
    }
    let connect = r#"{"Type":"network","Action":"connect","Actor":{"ID":"n","Attributes":{"container":"x"}}}"#;
    assert_eq!(of(connect).as_deref(), Some("x"));
    assert_eq!(of(r#"{"Type":"volume","Action":"mount","Actor":{"ID":"v"}}"#), None);
}
