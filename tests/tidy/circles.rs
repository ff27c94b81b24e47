//! Files that take names from each other in a circle are read as one: four at most, and each circle has its reason
//! in `docs/architecture.md`.

use super::source::{code, root, sources};
use std::collections::{BTreeMap, BTreeSet};

/// The most files of a circle.
const MOST: usize = 4;

/// A module, `["policy", "admit"]`.
type Module = Vec<String>;

/// The house, by module: what stands in its file.
struct House(BTreeMap<Module, String>);

impl House {
    fn read() -> Self {
        let module = |file: &str| -> Module {
            let inside = file.strip_prefix("src/").unwrap().trim_end_matches(".rs");
            inside.split('/').map(str::to_owned).collect()
        };
        let tests = |file: &str| file.contains("/tests/") || file.ends_with("main.rs");
        let files = sources().into_iter().filter(|(file, _)| !tests(file));
        let text = |text: &str| code(text).collect::<Vec<_>>().join("\n");
        Self(files.map(|(file, it)| (module(&file), text(&it))).collect())
    }

    /// The modules that a file takes names from, itself left out.
    fn uses(&self, from: &Module) -> BTreeSet<Module> {
        let text = &self.0[from];
        let mut paths = Vec::new();
        let mut rest = text.as_str();
        while let Some(at) = ["crate::", "super::"].iter().filter_map(|w| rest.find(w)).min() {
            let (before, here) = rest.split_at(at);
            let exported = before.rsplit(['\n', ';']).next().unwrap().contains("pub");
            let whole = before.chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '_');
            let length = if whole && !exported { tree(here, &[], &mut paths) } else { 0 };
            rest = &here[length.max("crate::".len())..];
        }
        let own = text.split(';').filter_map(|line| line.trim().strip_prefix("use "));
        own.for_each(|line| {
            tree(line, &["self".to_owned()], &mut paths);
        });
        let found = paths.iter().filter_map(|path| self.file(from, path, 0));
        found.filter(|module| module != from).collect()
    }

    /// Where the last name of a path is declared.
    fn file(&self, from: &Module, path: &[String], depth: usize) -> Option<Module> {
        let mut at = from.clone();
        let mut rest = path.iter().peekable();
        while let Some(first) = rest.peek().map(|first| first.as_str()) {
            match first {
                "crate" => at.clear(),
                "super" => drop(at.pop()),
                "self" => {}
                _ => break,
            }
            rest.next();
        }
        while let Some(next) = rest.peek() {
            let inner: Module = at.iter().cloned().chain([(*next).clone()]).collect();
            if !self.0.contains_key(&inner) {
                break;
            }
            at = inner;
            rest.next();
        }
        let text = self.0.get(&at)?;
        let Some(name) = rest.next() else { return Some(at) };
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        let kinds = ["struct", "enum", "trait", "fn", "const", "static", "type", "macro_rules"];
        if words.windows(2).any(|two| two[1] == name && kinds.contains(&two[0])) || depth > 4 {
            return Some(at);
        }
        let exports = text.split(';').filter(|line| line.trim_start().starts_with("pub"));
        let exports = exports.filter_map(|line| line.split_once("use ").map(|(_, path)| path));
        for export in exports {
            let mut paths = Vec::new();
            tree(export, &[], &mut paths);
            if let Some(path) = paths.iter().find(|path| path.last() == Some(name)) {
                return self.file(&at, path, depth + 1);
            }
        }
        Some(at)
    }
}

/// The paths of `a::{b, c::d}` after a prefix; how many bytes they are.
fn tree(text: &str, prefix: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let (mut path, mut at) = (prefix.to_vec(), 0);
    loop {
        let word = text[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_');
        let word: String = word.collect();
        at += word.len();
        if !word.is_empty() && (word != "self" || path.is_empty()) {
            path.push(word);
        }
        match text[at..].strip_prefix("::") {
            Some(rest) if rest.starts_with('{') => {
                at += 3;
                loop {
                    at += text[at..].find(|c: char| !c.is_whitespace() && c != ',').unwrap_or(0);
                    if text[at..].starts_with('}') || text[at..].is_empty() {
                        return (at + 1).min(text.len());
                    }
                    let length = tree(&text[at..], &path, paths);
                    at += length;
                    let end = text[at..].find([',', '}']).unwrap_or(text.len() - at);
                    at += end;
                }
            }
            Some(_) => at += 2,
            None => {
                paths.push(path);
                return at;
            }
        }
    }
}

/// The modules that can be reached.
fn reached(from: &Module, uses: &BTreeMap<Module, BTreeSet<Module>>) -> BTreeSet<Module> {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(module) = next.pop() {
        next.extend(uses.get(module).into_iter().flatten().filter(|m| seen.insert((*m).clone())));
    }
    seen
}

#[test]
fn circles_of_files_are_small_and_have_a_reason() {
    let house = House::read();
    let uses: BTreeMap<_, _> = house.0.keys().map(|m| (m.clone(), house.uses(m))).collect();
    let reach: BTreeMap<_, _> = uses.keys().map(|m| (m.clone(), reached(m, &uses))).collect();
    let circles: BTreeSet<BTreeSet<&Module>> = reach
        .iter()
        .filter(|(module, reached)| reached.contains(*module))
        .map(|(module, reached)| reached.iter().filter(|to| reach[*to].contains(module)).collect())
        .collect();
    let named = |circle: &BTreeSet<&Module>| -> Vec<String> {
        circle.iter().map(|module| format!("`{}`", module.join("/"))).collect()
    };
    let text = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let told: BTreeSet<Vec<String>> = text
        .split_once("\n## Circles\n")
        .map(|(_, section)| section.split("\n## ").next().unwrap())
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.strip_prefix("- ")?.split_once(": "))
        .map(|(files, _)| files.split(", ").map(str::to_owned).collect())
        .collect();
    let found: BTreeSet<Vec<String>> = circles.iter().map(named).collect();
    let large: Vec<_> = circles.iter().filter(|circle| circle.len() > MOST).map(named).collect();
    assert!(large.is_empty(), "let these files not need each other: {large:?}");
    assert_eq!(found, told, "left: circles there are; right: those that docs/architecture.md has");
}
