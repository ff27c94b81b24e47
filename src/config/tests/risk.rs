//! What of a policy touches containers of others.

use super::{by, with};

/// The warnings of these roles about containers of others. None of them amounts to root: a container is judged by
/// what it was made with, by whoever reaches into it.
fn of_targets(roles: &str) -> Vec<String> {
    let config = with(roles).unwrap();
    let about = config.warnings.iter().filter(|w| w.subject == "role r");
    let about: Vec<_> = about.filter(|w| w.what.contains("on any container")).collect();
    assert!(about.iter().all(|warning| !warning.root), "{about:?}");
    about.iter().map(|warning| warning.what.clone()).collect()
}

#[test]
fn what_is_done_to_containers_of_a_stronger_role_is_told() {
    let strong = "adm: { scope: any, admission: unrestricted, allow: { '*': ['*'] } }";
    let r = |allow: &str| format!("r: {{ scope: any, allow: {{ {allow} }} }}");
    let roles = |allow: &str| of_targets(&format!("roles: {{ {}, {strong} }}\n", r(allow)));
    for verb in ["logs", "top", "changes", "rename", "kill", "stop", "pause", "delete"] {
        let told = roles(&format!("container: [{verb}]"));
        assert!(told.len() == 1 && told[0].starts_with(verb), "{verb}: {told:?}");
    }
    let judged = "copy-out, copy-in, exec, attach, update, restart, start, export";
    let told = roles(&format!("container: [{judged}], image: [commit]"));
    assert_eq!(told, Vec::<String>::new());
    assert!(roles("container: [list, inspect, stats, wait, resize, unpause]").is_empty());
    // a profile that amounts to root is as strong as none
    let host = "roles: { r: { scope: any, allow: { container: [stop] } }, \
                s: { scope: any, admission: p, allow: { container: [create] } } }\n\
                admission: { p: { extends: baseline, host_paths: [{ path: /usr }] } }\n";
    assert_eq!(of_targets(host).len(), 1);
    assert_eq!(of_targets(&host.replace("/usr", "/srv/cache")).len(), 0);
}

#[test]
fn who_owns_as_one_under_other_limits_is_told() {
    let roles = "limits: { few: { containers: 1 }, more: { containers: 2 } }\n\
                 roles: { r: { scope: own, allow: { container: [read] } } }\n";
    let told = |limits: &str, owner: &str| {
        let one =
            format!("{{ name: a, match: {{ cn: a }}, owner: {owner}, limits: few, roles: [r] }}");
        let other = format!("{{ name: b, match: {{ cn: b }}, owner: team{limits}, roles: [r] }}");
        let config = by(&format!("{one}, {other}"), roles).unwrap();
        config.warnings.iter().filter(|warning| warning.what.contains("other limits")).count()
    };
    assert_eq!(told("", "team"), 1);
    assert_eq!(told(", limits: more", "team"), 1);
    assert_eq!(told(", limits: few", "team"), 0);
    assert_eq!(told(", limits: more", "other"), 0);
}
