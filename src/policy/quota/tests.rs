use super::*;

fn made(text: &str) -> Container {
    Container { host_config: text.to_owned(), exposed: 2, ..Container::default() }
}

fn after(has: &str, given: &str, minor: u8) -> Amounts {
    let (has, given) = (host_config(has), host_config(given));
    taken_with(&changed(has.resources, &given.resources, ApiVersion::new(minor)))
}

#[test]
fn what_an_update_does_not_set_stays() {
    let has = r#"{"Memory":10,"CpuQuota":50000,"PidsLimit":5}"#;
    let cases = [
        ("{}", 41, (10, 500_000_000, 5)),
        (r#"{"Memory":20}"#, 41, (20, 500_000_000, 5)),
        (r#"{"Memory":0,"CpuQuota":0}"#, 41, (10, 500_000_000, 5)),
        (r#"{"CpuQuota":200000}"#, 41, (10, 2_000_000_000, 5)),
        (r#"{"CpuPeriod":1000}"#, 41, (10, 50_000_000_000, 5)),
        (r#"{"CpuQuota":-1}"#, 41, (10, u64::MAX, 5)),
        (r#"{"NanoCpus":1}"#, 41, (10, 1, 5)),
        (r#"{"PidsLimit":7}"#, 41, (10, 500_000_000, 7)),
        (r#"{"PidsLimit":0}"#, 40, (10, 500_000_000, u64::MAX)),
        (r#"{"PidsLimit":-1}"#, 41, (10, 500_000_000, u64::MAX)),
        // older clients write it whether it was asked for or not, and the daemon does not look at it
        (r#"{"PidsLimit":0}"#, 39, (10, 500_000_000, 5)),
    ];
    for (given, minor, (memory, cpus, pids)) in cases {
        let takes = after(has, given, minor);
        let of = |quantity| takes.of(quantity);
        let found = (of(OverLimit::Memory), of(OverLimit::Cpus), of(OverLimit::Pids));
        assert_eq!(found, (memory, cpus, pids), "{given} in 1.{minor}");
    }
}

#[test]
fn a_service_takes_what_its_tasks_take() {
    let bounded =
        r#""TaskTemplate":{"Resources":{"Limits":{"MemoryBytes":10,"NanoCPUs":3,"Pids":2}}}"#;
    for (spec, containers, memory, ports) in [
        (format!(r#"{{{bounded},"Mode":{{"Replicated":{{"Replicas":4}}}}}}"#), 4, 40, 0),
        (format!(r#"{{{bounded},"Mode":{{"Replicated":{{"Replicas":0}}}}}}"#), 0, 0, 0),
        (format!(r#"{{{bounded},"EndpointSpec":{{"Ports":[{{}},{{}}]}}}}"#), 1, 10, 2),
        (format!(r#"{{{bounded},"Mode":{{"Global":{{}}}}}}"#), 1, 10, 0),
        (format!(r#"{{{bounded},"Mode":{{"ReplicatedJob":{{"MaxConcurrent":3}}}}}}"#), 3, 30, 0),
        (r#"{"Mode":{"Replicated":{"Replicas":2}}}"#.to_owned(), 2, u64::MAX, 0),
        ("nothing".to_owned(), u64::MAX, u64::MAX, u64::MAX),
    ] {
        let takes = taken_by_service(&spec);
        let of = |quantity| takes.of(quantity);
        assert_eq!(of(OverLimit::Containers), containers, "{spec}");
        assert_eq!(of(OverLimit::Running), containers, "{spec}");
        assert_eq!(of(OverLimit::Memory), memory, "{spec}");
        assert_eq!(of(OverLimit::Ports), ports, "{spec}");
    }
}

#[test]
fn what_is_not_understood_takes_all() {
    for text in ["", "{}", "nothing", r#"{"Memory":-1}"#] {
        assert_eq!(taken(Some(&made(text))).of(OverLimit::Memory), u64::MAX, "{text}");
    }
    assert_eq!(taken(None).of(OverLimit::Ports), u64::MAX);
    assert_eq!(taken(Some(&made(r#"{"Memory":1}"#))).of(OverLimit::Memory), 1);
}

#[test]
fn ports_are_counted_by_what_is_bound() {
    for (text, ports) in [
        ("{}", 0),
        (r#"{"PortBindings":{"80/tcp":[{"HostPort":"8080"}]}}"#, 1),
        (r#"{"PortBindings":{"80/tcp":[{"HostPort":"8080"},{"HostPort":""}],"81/udp":null}}"#, 3),
        (r#"{"PortBindings":{"80-90/tcp":[{}]}}"#, u64::MAX),
        (r#"{"PublishAllPorts":true}"#, 2),
        (r#"{"PublishAllPorts":true,"PortBindings":{"80/tcp":[{}]}}"#, 2),
        (r#"{"PublishAllPorts":true,"PortBindings":{"80/tcp":[{},{},{}]}}"#, 4),
    ] {
        assert_eq!(taken(Some(&made(text))).of(OverLimit::Ports), ports, "{text}");
    }
}
