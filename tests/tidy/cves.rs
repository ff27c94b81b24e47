//! Each advisory of `docs/cves.md` that the gate is said to refuse is shown by a case that is refused, or
//! by a test.

use super::corpus::cases;
use super::source::root;

/// What must be in the document: the advisories against engine, runtime and builder that matter to a gate.
const ADVISORIES: [&str; 32] = [
    "CVE-2018-12608",
    "CVE-2018-15514",
    "CVE-2018-15664",
    "CVE-2019-13139",
    "CVE-2019-14271",
    "CVE-2019-5736",
    "CVE-2020-15257",
    "CVE-2021-21284",
    "CVE-2021-21285",
    "CVE-2021-41089",
    "CVE-2021-41091",
    "CVE-2024-21626",
    "CVE-2024-23651",
    "CVE-2024-23652",
    "CVE-2024-23653",
    "CVE-2024-24557",
    "CVE-2024-25621",
    "CVE-2024-29018",
    "CVE-2024-41110",
    "CVE-2025-22871",
    "CVE-2025-23266",
    "CVE-2025-31133",
    "CVE-2025-52565",
    "CVE-2025-52881",
    "CVE-2025-54388",
    "CVE-2026-17106",
    "CVE-2026-33997",
    "CVE-2026-34040",
    "CVE-2026-41567",
    "CVE-2026-41568",
    "CVE-2026-41579",
    "CVE-2026-42306",
];

#[test]
fn each_advisory_is_shown_by_what_is_refused() {
    let document = std::fs::read_to_string(root().join("docs/cves.md")).unwrap();
    let cases = cases();
    let (mut told, mut wrong) = (Vec::new(), Vec::new());
    for line in document.lines().filter(|line| line.starts_with("| CVE-")) {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [id, what, does, shown] = cells[..] else { panic!("not four columns: {line}") };
        assert!(!what.is_empty(), "{line}");
        told.push(id);
        if shown == "–" {
            assert!(does.starts_with("cannot"), "{id} is shown by nothing");
            continue;
        }
        let (file, name) = shown.trim_matches('`').split_once(": ").expect(line);
        let there = match file.strip_prefix("tests/") {
            Some(_) => std::fs::read_to_string(root().join(file))
                .is_ok_and(|text| text.contains(&format!("fn {name}("))),
            None => cases.iter().any(|case| {
                let named = case.name == name || case.name.starts_with(&format!("{name}: "));
                case.file == file && named && case.expect != "allow"
            }),
        };
        if !there {
            let near: Vec<_> =
                cases.iter().filter(|case| case.file == file).map(|c| &c.name).collect();
            wrong.push(format!("{id}: {file} has no refusal {name:?}, but {near:?}"));
        }
    }
    told.sort_unstable();
    assert_eq!(told, ADVISORIES, "the advisories in docs/cves.md");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
