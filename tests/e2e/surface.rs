//! What a client was told call by call, straight and through the gate: the same, but for what a table
//! lists with its reason.

use super::dockerd::Engine;
use serde::Deserialize;
use std::collections::BTreeMap;

/// How much of a line is shown around the first difference.
const AROUND: usize = 160;

/// A difference that is the gate's by design.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    /// The name of the line.
    call: String,
    /// A text in the line that came straight.
    direct: String,
    /// A text in the line that came through the gate.
    gated: String,
    /// The engines before which it differs; all when left out.
    #[serde(default)]
    engines: Vec<Engine>,
    /// Why it is meant.
    why: String,
}

/// Compares lines of `name: what came back`.
///
/// # Panics
/// With every difference that the table does not list, and every entry that is no difference.
pub(crate) fn same(engine: Engine, direct: &[String], gated: &[String], differences: &str) {
    let mut table: Vec<Difference> = serde_saphyr::from_str(differences).expect("differences");
    table.retain(|entry| entry.engines.is_empty() || entry.engines.contains(&engine));
    let mut listed: BTreeMap<&str, &Difference> =
        table.iter().map(|entry| (entry.call.as_str(), entry)).collect();
    assert_eq!(listed.len(), table.len(), "one entry for each call");
    assert!(table.iter().all(|entry| !entry.why.is_empty()), "every entry has its reason");
    let name = |line: &str| line.split(": ").next().unwrap_or_default().to_owned();
    let names = |lines: &[String]| lines.iter().map(|line| name(line)).collect::<Vec<_>>();
    let mut wrong = Vec::new();
    if names(direct) != names(gated) {
        wrong.push(format!("not the same calls: {} and {}", direct.len(), gated.len()));
    }
    for (left, right) in direct.iter().zip(gated) {
        match listed.remove(name(left).as_str()) {
            Some(entry) if left == right => {
                wrong.push(format!("listed, but no longer a difference: {}", entry.call));
            }
            Some(entry) if left.contains(&entry.direct) && right.contains(&entry.gated) => {}
            None if left == right => {}
            _ => wrong.push(shown(left, right)),
        }
    }
    wrong.extend(listed.keys().map(|call| format!("listed, but never called: {call}")));
    println!("{} calls, {} of them meant to differ", direct.len(), table.len());
    assert!(!direct.is_empty(), "nothing was called");
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

fn shown(left: &str, right: &str) -> String {
    let same = left.chars().zip(right.chars()).take_while(|(left, right)| left == right).count();
    let part = |line: &str| {
        let name = line.split(": ").next().unwrap_or_default();
        let from = same.saturating_sub(AROUND / 2);
        format!("{name} ..{}..", line.chars().skip(from).take(AROUND).collect::<String>())
    };
    format!("  direct: {}\n  gated:  {}", part(left), part(right))
}
