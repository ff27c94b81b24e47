use super::*;
use crate::cli::preset::policy_with;

/// A value as each reason has one.
fn value_of(reason: &str) -> &'static str {
    match reason {
        "image.not-allowed" | "image.write" => "nginx:1.27",
        "registry.host" => "registry.example.org",
        "privilege.capability" => "CAP_NET_ADMIN",
        "mount.host-path" | "mount.read-only" | "device.node" => "/srv/data",
        "mount.socket" => "/var/run/docker.sock",
        "network.port" => "8080",
        "network.port-address" => "0.0.0.0",
        "network.extra-host" => "db:10.0.0.1",
        "network.subnet" => "10.9.0.0/16",
        "resource.memory" => "8589934592",
        "resource.ulimit" => "2097152",
        "restart.policy" => "always",
        _ => "word",
    }
}

fn field_of(reason: &str) -> &'static str {
    match reason {
        "resource.ulimit" => "HostConfig.Ulimits.nofile",
        "resource.sysctl" => "HostConfig.Sysctls.net.core.somaxconn",
        "label.not-allowed" | "label.required" => "Labels.team.name",
        "delete.manner" => "query force",
        "network.setting" => "Options.com.docker.network.bridge.name",
        "filesystem.storage-option" => "HostConfig.StorageOpt.size",
        "logging.option" => "HostConfig.LogConfig.Config.tag",
        "annotation.not-allowed" => "HostConfig.Annotations.a.b",
        _ => "",
    }
}

/// What each change says is a part of a policy.
#[test]
fn for_every_reason_there_is_a_change_that_is_one_or_a_word_why_not() {
    let route = ROUTES.iter().find(|route| route.operation == "ContainerCreate").unwrap();
    let mut changed = 0;
    for &reason in Reason::ALL {
        let id = reason.id();
        let policy = match (AskedFor { reason, route, field: field_of(id), value: value_of(id) })
            .change()
        {
            Change::Role(keys) => format!("roles: {{ r: {{ scope: any, {keys} }} }}\n"),
            Change::Profile(keys) => format!(
                "roles: {{ r: {{ scope: any, admission: p }} }}\nadmission: {{ p: {{ extends: restricted, {keys} }} }}\n"
            ),
            Change::None(why) => {
                assert!(!why.is_empty());
                continue;
            }
        };
        changed += 1;
        let policy = policy.replace(": VALUE", ": value");
        if let Err(why) = policy_with("r", &policy) {
            panic!("{id}: {policy}{}", why.0.what);
        }
    }
    assert!(changed >= 50, "{changed} of {}", Reason::ALL.len());
}

#[test]
fn a_place_loses_the_numbers_of_lists_and_nothing_else() {
    for (field, told) in [
        ("HostConfig.Binds[3]", "HostConfig.Binds"),
        ("HostConfig.PortBindings.80/tcp[0].HostIp", "HostConfig.PortBindings.80/tcp.HostIp"),
        ("Labels.a[x]", "Labels.a[x]"),
        ("query t", "query t"),
        ("a[", "a["),
    ] {
        assert_eq!(without_numbers(field), told);
    }
}

#[test]
fn an_image_is_listed_where_it_was_asked_for() {
    let of = |operation: &str, reason: Reason, value: &'static str| {
        let route = ROUTES.iter().find(|route| route.operation == operation).unwrap();
        AskedFor { reason, route, field: "", value }.change()
    };
    let role = |text: &str| Change::Role(text.to_owned());
    let listed = Reason::ImageNotAllowed;
    assert_eq!(
        of("ContainerCreate", listed, "nginx:1.27"),
        role("images: { run: [\"docker.io/library/nginx\"] }")
    );
    assert_eq!(
        of("ImagePush", listed, "r.example.org/a:1"),
        role("images: { push: [\"r.example.org/a\"] }")
    );
    assert_eq!(
        of("ImageCreate", Reason::RegistryHost, "10.0.0.1:5000"),
        role("images: { pull: [\"10.0.0.1:5000/**\"] }")
    );
    let verb = Reason::VerbNotGranted;
    assert_eq!(of("ContainerExec", verb, ""), role("allow: { container: [exec] }"));
    assert!(matches!(of("SwarmInit", verb, ""), Change::None(_)));
}

#[test]
fn a_profile_that_is_built_in_is_extended() {
    let policy =
        "roles: { r: { scope: any, admission: baseline }, s: { scope: any, admission: p } }
admission: { p: { extends: baseline } }
";
    let config = policy_with("r", policy).unwrap();
    let of = |role: &str| {
        let kind = WouldKind {
            reason: String::new(),
            operation: String::new(),
            field: String::new(),
            value: String::new(),
            role: role.to_owned(),
        };
        to_profile(&config, &kind, "user: any")
    };
    assert_eq!(
        of("r"),
        "admission: { r: { extends: baseline, user: any } }, and roles: { r: { admission: r } }"
    );
    assert_eq!(of("s"), "admission: { p: { user: any } }");
}
