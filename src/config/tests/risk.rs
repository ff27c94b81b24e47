//! What of a policy amounts to root by way of containers of others.

use super::super::Warning;
use super::with;

/// The warnings of these roles about containers of others: the root ones, and the others.
fn of_targets(roles: &str) -> (Vec<String>, Vec<String>) {
    let config = with(roles).unwrap();
    let about = |w: &&Warning| w.subject == "role r" && w.what.contains("on any container");
    let (root, other): (Vec<_>, Vec<_>) =
        config.warnings.iter().filter(about).partition(|warning| warning.root);
    let whats = |all: Vec<&Warning>| all.into_iter().map(|w| w.what.clone()).collect();
    (whats(root), whats(other))
}

#[test]
fn what_reaches_into_a_stronger_container_or_out_of_it_is_root() {
    let strong = "adm: { scope: any, admission: unrestricted, allow: { '*': ['*'] } }";
    let r = |allow: &str| format!("r: {{ scope: any, allow: {{ {allow} }} }}");
    let roles = |allow: &str| of_targets(&format!("roles: {{ {}, {strong} }}\n", r(allow)));
    for verb in ["copy-out", "copy-in", "exec", "attach", "update", "restart", "start"] {
        let (root, other) = roles(&format!("container: [{verb}]"));
        assert!(
            root.len() == 1 && root[0].starts_with(verb) && other.is_empty(),
            "{verb}: {root:?}"
        );
    }
    for verb in ["export", "logs", "top", "changes", "rename", "kill", "stop", "pause", "delete"] {
        let (root, other) = roles(&format!("container: [{verb}]"));
        assert!(
            other.len() == 1 && other[0].starts_with(verb) && root.is_empty(),
            "{verb}: {other:?}"
        );
    }
    assert!(roles("image: [commit]").1[0].starts_with("commit"));
    assert_eq!(roles("container: [list, inspect, stats, wait, resize, unpause]"), (vec![], vec![]));
    // what a `*` does not grant is not warned of
    assert!(!roles("container: ['*']").0[0].contains("copy-in"));
    // a profile that amounts to root is as strong as none
    let host = "roles: { r: { scope: any, allow: { container: [copy-out] } }, \
                s: { scope: any, admission: p, allow: { container: [create] } } }\n\
                admission: { p: { extends: baseline, host_paths: [{ path: /usr }] } }\n";
    assert_eq!(of_targets(host).0.len(), 1);
    assert_eq!(of_targets(&host.replace("/usr", "/srv/cache")).0.len(), 0);
}
