//! Every route, every reason and every flaw has a case in the corpus, and every refusal an allowed
//! neighbour.

use super::corpus::{Bench, Case, Verdict, cases, cases_in};
use super::source::root;
use dockward::facade::cli::rules;
use dockward::facade::docker::route::Guard;
use dockward::facade::docker::{Flaw, ROUTES};
use dockward::facade::policy::Reason;

/// What needs bytes on a wire, or very many of them, to happen, and the test that shows it.
const ELSEWHERE: [(&str, &str, &str); 4] = [
    ("resource.bytes", "tests/bounded.rs", "fn what_the_daemon_keeps_of_one_object_has_a_bound"),
    ("json.too-many-values", "src/docker/json.rs", "fn values_are_bounded_by_size"),
    ("body.too-large", "tests/front/bodies.rs", "fn a_body_beyond_the_bound_is_a_413"),
    (
        "body.incomplete",
        "tests/front/bodies.rs",
        "fn a_body_that_does_not_come_or_cannot_be_read_is_a_400",
    ),
];

/// What no test shows yet. Whoever writes it takes it from here into the list above.
const NOT_YET: [&str; 0] = [];

fn judged() -> Vec<(Case, Verdict)> {
    let (bench, tenants) = (Bench::new(), Bench::reading("tests/tenants", 56));
    let plain = cases().into_iter().map(|case| (bench.judge(&case), case));
    let owned = cases_in("tests/tenants").into_iter().map(|case| (tenants.judge(&case), case));
    plain.chain(owned).map(|(verdict, case)| (case, verdict)).collect()
}

fn id(reason: &str) -> &str {
    reason.split(' ').next().unwrap()
}

#[test]
fn every_route_has_a_case() {
    let judged = judged();
    let mut bare = Vec::new();
    for (nth, row) in ROUTES.iter().enumerate() {
        let cases = judged
            .iter()
            .filter(|(case, verdict)| case.file == "routes.yaml" && verdict.row == Some(nth));
        if cases.count() == 0 {
            bare.push(format!("{} {} ({})", row.method.as_str(), row.path, row.operation));
        }
    }
    assert!(bare.is_empty(), "add these to tests/corpus/routes.yaml: {bare:#?}");
}

#[test]
fn every_reason_is_denied_by_alone_and_has_an_allowed_neighbour() {
    let judged = judged();
    let mut bare = Vec::new();
    for reason in Reason::ALL.iter().map(|r| r.id()) {
        let shown = judged.iter().any(|(case, verdict)| {
            let alone = verdict.reasons.len() == 1 && id(&verdict.reasons[0]) == reason;
            alone
                && judged.iter().any(|(other, allowed)| {
                    allowed.status == "allow"
                        && other.file == case.file
                        && (allowed.operation == verdict.operation || reason == "route.never")
                })
        });
        if !shown && !is_elsewhere(reason) {
            bare.push(reason);
        }
    }
    assert_eq!(bare, NOT_YET, "no case is denied by these alone, with an allowed neighbour");
}

#[test]
fn every_flaw_has_a_case_of_its_own() {
    let judged = judged();
    let shown =
        |flaw: &str| judged.iter().any(|(_, v)| v.reasons.len() == 1 && id(&v.reasons[0]) == flaw);
    let bare: Vec<_> = Flaw::ALL
        .iter()
        .map(|f| f.id())
        .filter(|flaw| !shown(flaw) && !is_elsewhere(flaw))
        .collect();
    assert!(bare.is_empty(), "no case is refused for these: {bare:?}");
}

fn is_elsewhere(reason: &str) -> bool {
    let Some((_, file, test)) = ELSEWHERE.iter().find(|(id, _, _)| *id == reason) else {
        return false;
    };
    let text = std::fs::read_to_string(root().join(file)).unwrap();
    assert!(text.contains(test), "{reason}: {file} has no {test}");
    true
}

#[test]
fn every_refusal_has_an_allowed_neighbour_below_it() {
    let cases = cases();
    let alone: Vec<_> = cases
        .iter()
        .enumerate()
        .filter(|(nth, case)| {
            let below = || cases[*nth..].iter().take_while(|other| other.file == case.file);
            case.expect != "allow" && !below().any(|other| other.expect == "allow")
        })
        .map(|(_, case)| format!("{}: {}", case.file, case.name))
        .collect();
    assert!(alone.is_empty(), "{alone:#?}");
}

#[test]
fn every_reason_is_explained() {
    assert!(rules::all().count() > 150, "{} rules", rules::all().count());
    for rule in rules::all() {
        for text in [rule.what, rule.why, rule.remedy] {
            let ends = !text.ends_with('.') || text.ends_with("...");
            let plain = text.len() > 7 && ends && !text.starts_with(char::is_whitespace);
            assert!(plain, "{}: {text:?}", rule.id);
        }
    }
}

/// Keys that are told of under another one: a tag belongs to its repository, a swap bound to its memory.
const TOLD_UNDER: [(&str, &str); 4] =
    [("tag", "repo"), ("tag", "fromImage"), ("tag", "path"), ("cpuperiod", "cpuquota")];

#[test]
fn every_judged_query_key_has_a_refusal() {
    let judged = judged();
    let mut bare = Vec::new();
    for row in ROUTES {
        for param in row.query.iter().filter(|param| param.guard == Guard::Judged) {
            let other = TOLD_UNDER.iter().filter(|(key, _)| *key == param.name).map(|(_, at)| *at);
            let places: Vec<String> = std::iter::once(param.name)
                .chain(other)
                .map(|at| if at == "path" { "path".to_owned() } else { format!("query {at}") })
                .collect();
            let shown = judged.iter().any(|(_, verdict)| {
                verdict.operation == Some(row.operation)
                    && verdict.reasons.iter().any(|reason| {
                        let place = reason.split_once(' ').map_or("", |(_, place)| place);
                        places.iter().any(|at| {
                            place == at
                                || place.starts_with(&format!("{at}."))
                                || place.starts_with(&format!("{at}["))
                        })
                    })
            });
            if !shown {
                bare.push(format!("{} {}", row.operation, param.name));
            }
        }
    }
    bare.dedup();
    assert!(bare.is_empty(), "no case is refused for these keys: {bare:#?}");
}
