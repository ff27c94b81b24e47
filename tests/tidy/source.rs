//! The source tree as text: sizes, patterns, secrets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Longest source file without its tests, in lines.
const MOST_LINES: usize = 400;

/// Tables, which are read as tables.
const TABLES: [&str; 2] = ["src/policy/reason.rs", "src/docker/routes/table.rs"];

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file under `src`, as path from the root and text, without the tests inside it. Files
/// of tests alone are left out.
pub(crate) fn sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    walk(&root().join("src"), &mut files);
    files.sort();
    assert!(files.len() > 50, "{} source files", files.len());
    files
}

fn walk(directory: &Path, files: &mut Vec<(String, String)>) {
    for path in std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        if path.is_dir() {
            walk(&path, files);
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
            files.push((name, code));
        }
    }
}

/// The lines of code that are no comments.
pub(crate) fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn no_source_file_is_longer_than_can_be_read() {
    let long = |(name, text): &(String, String)| {
        let lines = text.lines().count();
        (lines > MOST_LINES && !TABLES.contains(&name.as_str())).then(|| format!("{name}: {lines}"))
    };
    let long: Vec<_> = sources().iter().filter_map(long).collect();
    assert!(long.is_empty(), "split these: {long:?}");
}

#[test]
fn every_module_says_first_why_it_is_there() {
    let silent: Vec<_> =
        sources().into_iter().filter(|(_, text)| !text.starts_with("//!")).collect();
    let names: Vec<_> =
        silent.iter().map(|(name, _)| name).filter(|name| *name != "src/main.rs").collect();
    assert!(names.is_empty(), "begin these with a paragraph: {names:?}");
}

#[test]
fn modules_and_imports_have_one_form() {
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        if name.ends_with("/mod.rs") {
            wrong.push(format!("{name}: name the file as its module, beside the directory"));
        }
        let lines: Vec<&str> = text.lines().collect();
        let split = lines.windows(3).any(|three| {
            let [before, between, after] = three else { return false };
            before.starts_with("use ") && between.is_empty() && after.starts_with("use ")
        });
        if split {
            wrong.push(format!("{name}: keep imports in one block, rustfmt orders it"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Rooms are private to the crate, so the compiler's own lint does not ask.
#[test]
fn what_others_use_says_what_it_is() {
    const ITEMS: [&str; 9] =
        ["fn ", "struct ", "enum ", "trait ", "type ", "const ", "static ", "async fn ", "union "];
    let mut silent = Vec::new();
    for (name, text) in sources().into_iter().filter(|(name, _)| !name.contains("/tests/")) {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for (nth, line) in lines.iter().enumerate() {
            let item = line.strip_prefix("pub ").is_some_and(|rest| {
                let rest = rest.trim_start_matches("const ").trim_start_matches("unsafe ");
                let field =
                    rest.split_once(": ").is_some_and(|(name, _)| !name.contains([' ', '(']));
                field
                    || ITEMS.iter().any(|item| rest.starts_with(item))
                    || line.contains("pub const ")
            });
            let above = lines[..nth].iter().rev();
            let mut above = above.skip_while(|line| {
                line.starts_with("#[") || line.ends_with(")]") || line.starts_with("reason =")
            });
            if item
                && !above.next().is_some_and(|line| line.starts_with("///") || line.contains('$'))
            {
                silent.push(format!("{name}:{}: {line}", nth + 1));
            }
        }
    }
    assert!(silent.is_empty(), "say what these are:\n{}", silent.join("\n"));
}

#[test]
fn each_type_has_a_name_of_its_own() {
    let mut declared: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, text) in sources().into_iter().filter(|(file, _)| !file.contains("/tests/")) {
        for line in code(&text) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let words = match words.as_slice() {
                [first, rest @ ..] if first.starts_with("pub") => rest,
                all => all,
            };
            let own = !line.starts_with(' ');
            if let ["struct" | "enum" | "trait" | "union", name, ..] | ["type", name, "=", ..] =
                words
                && (own || words[0] != "type")
            {
                let name = name.split(|c: char| !c.is_alphanumeric()).next().unwrap();
                if name.is_empty() {
                    continue; // a macro's
                }
                declared.entry(name.to_owned()).or_default().push(file.clone());
            }
        }
    }
    assert!(declared.len() > 300, "{} types", declared.len());
    let twice: Vec<_> = declared.iter().filter(|(_, files)| files.len() > 1).collect();
    assert!(twice.is_empty(), "call one of these otherwise (docs/words.md): {twice:?}");
}

#[test]
fn admission_takes_bodies_apart_whole() {
    let mut looked_at = 0;
    for (name, text) in sources() {
        if !name.starts_with("src/policy/admit") {
            continue;
        }
        looked_at += 1;
        for (nth, line) in text.lines().enumerate() {
            let line = line.trim();
            let rest =
                line == ".." || line == "..," || line.contains(", .. }") || line.contains("{ .. }");
            // PathFact is no body: what it says of a path is judged by its kind
            assert!(!rest || line.contains("PathFact::"), "{name}:{}: name every field", nth + 1);
        }
    }
    assert!(looked_at > 10, "{looked_at} families");
}

#[test]
fn no_key_material_is_in_git() {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().unwrap();
    assert!(listed.status.success(), "git ls-files: {listed:?}");
    let names = String::from_utf8(listed.stdout).unwrap();
    let mut count = 0;
    for name in names.split('\0').filter(|name| !name.is_empty()) {
        let Ok(bytes) = std::fs::read(root().join(name)) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        let armour = ["-----BEGIN", "PRIVATE KEY-----"];
        let has_key =
            text.lines().any(|line| line.starts_with(armour[0]) && line.ends_with(armour[1]));
        assert!(!has_key, "{name} holds a private key");
        count += 1;
    }
    assert!(count > 100, "{count} files");
}
