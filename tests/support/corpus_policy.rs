//! The policy of the corpus: `tests/corpus/policy.yaml`, loaded as any policy file is.

use dockward::facade::config;
use dockward::facade::policy::Policy;
use std::path::Path;

/// The policy of the corpus in this directory.
pub(crate) fn policy_in(root: &str) -> Policy {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
    let text = std::fs::read_to_string(base.join("policy.yaml")).unwrap();
    // a fixed day, so that `until` stays within the 30 days that observing may last
    let today = "2027-01-01T00:00:00Z".parse().unwrap();
    config::parse(&text, &base, today).unwrap_or_else(|mistakes| panic!("{mistakes}")).policy
}
