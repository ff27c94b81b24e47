//! The log of a gate that ended: whole, and with one end for each thing that was let through.

use dockward::facade::audit;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Judges a log directory.
///
/// # Panics
/// When the chain does not hold, or a decision has not the events that belong to it: an allowed one
/// exactly one `complete` or `session.close` (this one after one `session.open`), a refused one none.
pub(crate) fn judge(directory: &Path) {
    let summary = audit::verify(directory).unwrap_or_else(|error| panic!("{error}"));
    assert!(summary.files.iter().all(|file| file.stopped && file.torn == 0), "{summary:?}");
    let events = events(directory);
    let mut children = BTreeMap::<&str, Vec<&str>>::new();
    // others have a parent too: what an operator ended, and what was asked of the daemon for her
    let of_exchange = ["complete", "session.open", "session.close"];
    for event in events.iter().filter(|event| of_exchange.iter().any(|s| event["stage"] == *s)) {
        if let Some(parent) = event["parent"].as_str() {
            children.entry(parent).or_default().push(event["stage"].as_str().unwrap());
        }
    }
    let (mut allowed, mut refused) = (0, 0);
    for event in events.iter().filter(|event| event["stage"] == "decision") {
        let of_it = children.remove(event["id"].as_str().unwrap()).unwrap_or_default();
        let right: &[&[&str]] = match event["decision"]["verdict"].as_str() {
            Some("deny") => &[&[]],
            _ => &[&["complete"], &["session.open", "session.close"]],
        };
        assert!(right.contains(&of_it.as_slice()), "{event}\nhas {of_it:?}");
        *if of_it.is_empty() { &mut refused } else { &mut allowed } += 1;
    }
    assert!(children.is_empty(), "of no decision: {children:?}");
    assert!(allowed > 0, "nothing was let through");
    println!("log: {} lines, {allowed} let through, {refused} refused", summary.events);
}

/// Every whole line of all files so far.
pub(crate) fn events(directory: &Path) -> Vec<Value> {
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    let logs = files.iter().filter(|file| file.extension().is_some_and(|kind| kind == "jsonl"));
    let lines = logs.map(|file| fs::read_to_string(file).unwrap());
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    let whole = |text: String| -> Vec<Value> {
        text.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(parse).collect()
    };
    lines.flat_map(whole).collect()
}
