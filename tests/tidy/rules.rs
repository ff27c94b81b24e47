//! What is refused has an id with words of its own: each is declared once, beside what refuses, and stands in
//! the one list; nowhere else is an id written out.

use super::source::{code, sources};
use dockward::facade::cli::rules;
use std::collections::BTreeSet;

/// Literals that look like ids and are names of files.
const FILES: [&str; 3] = ["control.sock", "crl.pem", "json.damaged"];

/// Each file's code outside of its `rules!` blocks, and the blocks.
fn taken_apart(text: &str) -> (String, Vec<String>) {
    let (mut outside, mut blocks) = (String::new(), Vec::<String>::new());
    let mut inside = false;
    for line in code(text) {
        if line == "rules! {" {
            inside = true;
            blocks.push(String::new());
        }
        let kept = if inside { blocks.last_mut().unwrap() } else { &mut outside };
        kept.push_str(line);
        kept.push('\n');
        inside &= line != "}";
    }
    (outside, blocks)
}

#[test]
fn every_family_stands_in_the_list() {
    let all = sources();
    let (_, registry) = all.iter().find(|(file, _)| file == "src/cli/rules.rs").unwrap();
    let mut declared = 0;
    for (file, text) in &all {
        for block in taken_apart(text).1 {
            let name = block.split(" enum ").nth(1).unwrap().split(' ').next().unwrap();
            let row = format!("    {name}::FAMILY,\n");
            assert!(registry.contains(&row), "{file}: list {name} in src/cli/rules.rs");
            declared += block.lines().filter(|line| line.contains(" = \"")).count();
        }
        let by_hand = file != "src/rule.rs" && text.contains("Rule::declared(");
        assert!(!by_hand, "{file}: declare a rule with rules!");
    }
    assert_eq!(rules::all().count(), declared);
}

#[test]
fn ids_are_unique_dotted_and_lower_case() {
    let mut ids = BTreeSet::new();
    for rule in rules::all() {
        let plain = rule.id.bytes().all(|b| b.is_ascii_lowercase() || b".-".contains(&b));
        assert!(plain && rule.id.split('.').count() == 2, "{}", rule.id);
        assert!(ids.insert(rule.id), "{} is there twice", rule.id);
    }
}

#[test]
fn no_id_is_written_out() {
    let ids: BTreeSet<&str> = rules::all().map(|rule| rule.id).collect();
    let first = |id: &str| id.split('.').next().unwrap().to_owned();
    let prefixes: BTreeSet<String> = ids.iter().map(|id| first(id)).collect();
    let looks_so = |literal: &str| {
        let plain = literal.bytes().all(|b| b.is_ascii_lowercase() || b".-".contains(&b));
        let dotted = literal.contains('.') && prefixes.contains(&first(literal));
        plain && dotted && !FILES.contains(&literal)
    };
    let mut found = Vec::new();
    for (file, text) in sources().iter().filter(|(file, _)| !file.contains("/tests/")) {
        let (outside, _) = taken_apart(text);
        for line in outside.lines().filter(|line| !line.contains("#[serde(rename = ")) {
            for literal in line.split('"').skip(1).step_by(2) {
                let mut words =
                    literal.split(|c: char| !c.is_ascii_alphanumeric() && !".-".contains(c));
                if looks_so(literal) || words.any(|word| ids.contains(word)) {
                    found.push(format!("{file}: {}", line.trim()));
                }
            }
        }
    }
    assert!(found.is_empty(), "take these from their families: {found:#?}");
}
