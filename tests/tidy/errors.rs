//! Whoever meets an error of ours is told what to do about it: each has both halves, for each of its cases.

use super::source::{code, sources};
use std::collections::BTreeSet;

/// The name at the beginning of a text.
fn name(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The type that a line implements a trait for, by the trait's path.
fn implemented(line: &str, is: impl Fn(&str) -> bool) -> Option<&str> {
    let (of, rest) = line.strip_prefix("impl")?.split_once(" for ")?;
    let of = of.rsplit_once("> ").map_or(of, |(_, of)| of).trim();
    is(of).then_some(rest)
}

/// The types that are errors, by derivation or by hand.
fn errors(text: &str) -> BTreeSet<String> {
    let lines: Vec<&str> = code(text).collect();
    let derived = lines.iter().enumerate().filter(|(_, line)| line.contains("thiserror::Error"));
    let derived = derived.map(|(nth, line)| {
        let declared = lines[nth..].iter().find_map(|line| {
            let (before, of) = line.split_once("enum ").or_else(|| line.split_once("struct "))?;
            (before.is_empty() || before.starts_with("pub")).then_some(of)
        });
        name(declared.unwrap_or_else(|| panic!("{line}: of what?")))
    });
    let is_error = |of: &str| of == "Error" || of.ends_with("error::Error");
    let by_hand = lines.iter().filter_map(|line| implemented(line, is_error)).map(name);
    derived.chain(by_hand).collect()
}

/// What is said of each error that says what to do.
fn actionable(text: &str) -> impl Iterator<Item = (String, &str)> {
    let starts = text.match_indices("\nimpl Actionable for ");
    starts.map(|(at, start)| {
        let rest = &text[at + start.len()..];
        (name(rest), rest.split_once("\n}\n").map_or(rest, |(block, _)| block))
    })
}

#[test]
fn every_error_says_what_to_do() {
    let sources = sources();
    let errors: BTreeSet<String> = sources.iter().flat_map(|(_, text)| errors(text)).collect();
    assert!(errors.len() > 30, "{errors:?}");
    let told = sources.iter().flat_map(|(_, text)| actionable(text).map(|(name, _)| name));
    let told: BTreeSet<String> = told.collect();
    let silent: Vec<_> = errors.difference(&told).map(String::as_str).collect();
    assert!(silent.is_empty(), "say what is wrong and what to do, `impl Actionable`: {silent:?}");
}

#[test]
fn each_case_of_an_error_has_words_of_its_own() {
    let sources = sources();
    let blocks = sources.iter().flat_map(|(_, text)| actionable(text));
    let lazy = blocks.filter(|(_, block)| code(block).any(|line| line.trim().starts_with("_ =>")));
    let lazy: Vec<_> = lazy.map(|(name, _)| name).collect();
    assert!(lazy.is_empty(), "name every case: {lazy:?}");
}
