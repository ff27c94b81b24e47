//! What `docs/transport.md` says of the wire is shown by tests that exist, and what they show is said.

use super::source::root;

/// Each test of these is in the document.
const WHOLE: [&str; 4] = [
    "tests/proxy/confused.rs",
    "tests/proxy/slow.rs",
    "tests/proxy/smuggled.rs",
    "tests/proxy/tunnels.rs",
];

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The rows of all tables: what is on the wire, and what shows it.
fn rows(document: &str) -> Vec<(String, Vec<(String, String)>)> {
    let lines = document.lines().filter(|line| line.starts_with("| "));
    let rows = lines.filter(|line| !line.starts_with("| on the wire |")).map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [wire, gate, shown] = cells[..] else { panic!("not three columns: {line}") };
        assert!(!wire.is_empty() && !gate.is_empty(), "{line}");
        let shown = shown.split(", `").map(|test| {
            let (file, name) = test.trim_matches('`').split_once(": ").expect(line);
            (file.to_owned(), name.to_owned())
        });
        (wire.to_owned(), shown.collect())
    });
    rows.collect()
}

/// The names of a file's tests: of functions, and of the rows of `tests/e2e/engines.rs`.
fn tests(text: &str) -> Vec<&str> {
    let after = text.split("test]\n").skip(1);
    let functions = after.filter_map(|rest| rest.split("fn ").nth(1)?.split('(').next());
    let rows = text.lines().filter_map(|line| {
        let (name, part) = line.trim().split_once(" = ")?;
        (part.contains("::") && part.ends_with(',')).then_some(name)
    });
    functions.chain(rows).collect()
}

#[test]
fn each_row_is_shown_by_tests_that_exist() {
    let rows = rows(&read("docs/transport.md"));
    assert!(rows.len() > 70, "{} rows", rows.len());
    let mut missing = Vec::new();
    for (wire, shown) in &rows {
        for (file, name) in shown {
            let text = read(file);
            let there = match file.ends_with(".yaml") {
                true => text.lines().any(|line| line == format!("- name: {name}")),
                false => tests(&text).contains(&name.as_str()),
            };
            if !there {
                missing.push(format!("{wire}: {file} has no {name}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn each_test_of_the_wire_is_in_the_document() {
    let document = read("docs/transport.md");
    for file in WHOLE {
        let text = read(file);
        let tests = tests(&text);
        assert!(tests.len() > 2, "{file}: {tests:?}");
        for test in tests {
            assert!(document.contains(&format!("`{file}: {test}`")), "{file}: {test} is not there");
        }
    }
}
