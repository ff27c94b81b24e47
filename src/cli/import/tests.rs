use super::*;
use crate::cli::preset::policy_with;
use proptest::prelude::*;

fn imported(text: &str) -> String {
    let role = role("imported", &read(text).unwrap());
    if let Err(why) = policy_with("imported", &role) {
        panic!("{why:?}\n{role}");
    }
    role
}

fn allows(text: &str) -> String {
    let role = imported(text);
    let lines = role.lines().skip_while(|line| *line != "    allow:").skip(1);
    lines.take_while(|line| line.starts_with("      ")).map(|l| format!("{}\n", l.trim())).collect()
}

#[test]
fn a_section_grants_what_it_showed_and_nothing_that_writes() {
    let text = "CONTAINERS=1\nNETWORKS=1\nPOST=0\n";
    assert_eq!(
        allows(text),
        "system: [events]\ncontainer: [read, logs, export, copy-out]\nnetwork: [read]\n"
    );
    let role = imported(text);
    assert!(role.contains("# CONTAINERS=1: container: read, logs, export, copy-out\n"), "{role}");
    assert!(role.contains("# PING=1 (left out, so open): every identity may\n"), "{role}");
    assert!(role.contains("# - container: attach: some requests"), "{role}");
    assert!(!role.contains("bodies were not read"), "{role}");
}

#[test]
fn what_may_be_done_to_containers_passes_without_post() {
    let text = "EVENTS=0\nALLOW_RESTARTS=1\nALLOW_START=1\nALLOW_DELETE=1\nALLOW_PAUSE=0";
    assert_eq!(allows(text), "container: [start, restart, kill, stop, delete]\n");
}

#[test]
fn of_what_amounts_to_root_nothing_is_granted() {
    let role = imported("CONTAINERS=1\nIMAGES=1\nEXEC=1\nPOST=1\nSWARM=1\nPLUGINS=1\nBUILD=1");
    assert!(
        role.contains("images: { run: [\"**\"], pull: [\"**\"], push: [\"**\"], write: [\"**\"] }")
    );
    assert!(role.contains("bodies were not read"), "{role}");
    let config = policy_with("imported", &role).unwrap();
    let told: Vec<_> = config.warnings.iter().filter(|warning| warning.root).collect();
    assert!(told.is_empty(), "{told:?}");
    // to make one is not to run it
    assert!(!imported("CONTAINERS=1\nPOST=1").contains(", exec"), "{role}");
}

#[test]
fn patterns_are_asked_as_they_stand() {
    let flags = r"
        - '-allowGET=/v1\..{1,2}/(version|containers/.*|events.*)'
        - '-allowPOST=/(v1\..*/)?containers/[a-z]+/(start|stop)'   # by name
        - '-loglevel=info'
";
    assert_eq!(
        allows(flags),
        "system: [events]\ncontainer: [read, logs, export, copy-out, start, stop]\n"
    );
    let same = "SP_ALLOW_GET=\"/version\"\nSP_ALLOW_GET_2=/info\n";
    assert_eq!(allows(same), "system: [info]\n");
    let labels = "labels:\n  - 'socket-proxy.allow.get.1=/images/json'\n  - 'socket-proxy.allow.get=.*/df'\n";
    assert_eq!(allows(labels), "system: [df]\nimage: [list]\n");
    // a pattern is whole
    assert!(imported("-allowGET=/containers").contains("allow: {}"));
}

#[test]
fn mounts_that_passed_are_read_only() {
    let role = imported("-allowGET=/info\n-allowbindmountfrom=/srv/a,/home\n");
    assert!(role.contains("    admission: imported\n"), "{role}");
    assert!(role.contains("- { path: \"/srv/a\", below: true, read_only: true }\n"), "{role}");
}

#[test]
fn what_cannot_be_read_is_said() {
    let why = |text: &str| read(text).unwrap_err().0.what.into_owned();
    assert!(why("-allowGET=(").starts_with("allowGET=( is no pattern: "), "{}", why("-allowGET=("));
    assert!(why("-allowbindmountfrom=srv").contains("\"srv\" is no directory"));
    assert!(read("a: b\nFOO=1\n").unwrap().rules.is_empty());
}

#[test]
fn every_spelling_of_a_line_is_read() {
    for line in [
        "INFO=1",
        "- INFO=1",
        "  - \"INFO=1\"",
        "INFO: 1",
        "INFO: \"1\" # said",
        "-e INFO=1 \\",
        "--env INFO=true",
        "export INFO='1'",
        "info=1",
    ] {
        assert_eq!(allows(&format!("EVENTS=0\n{line}\n")), "system: [info]\n", "{line}");
    }
}

proptest! {
    #[test]
    fn whatever_is_given_becomes_a_role_or_a_mistake(
        lines in proptest::collection::vec("(-allow(GET|POST)=[ -~]{0,12}|[A-Z_]{2,12}=[01]|(CONTAINERS|IMAGES|POST|ALLOW_START)=[01]|[ -~]{0,30})", 0..8),
    ) {
        if let Ok(said) = read(&lines.join("\n")) {
            let role = role("imported", &said);
            prop_assert!(policy_with("imported", &role).is_ok(), "{}", role);
        }
    }
}
