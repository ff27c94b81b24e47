use proptest::prelude::*;

use super::super::certificate::Fingerprint;
use super::*;
use crate::identity::Closed;

mod tokens;

fn rule(name: &str, patterns: &[(Field, &str)]) -> Rule {
    with_fingerprint(name, patterns, None)
}

fn with_fingerprint(name: &str, patterns: &[(Field, &str)], leaf: Option<Fingerprint>) -> Rule {
    let patterns = patterns.iter().map(|(field, text)| (*field, text.parse().unwrap()));
    let matching = Match::new(patterns, leaf).unwrap();
    Rule::new(name.parse().unwrap(), matching, vec![name.to_owned()], Mode::Enforce, false).unwrap()
}

fn certificate(values: &[(Field, &str)]) -> CertificateFacts {
    let mut facts = CertificateFacts::blank();
    for (field, value) in values {
        let values = match field {
            Field::Uri => &mut facts.uris,
            Field::Dns => &mut facts.dns,
            Field::Email => &mut facts.emails,
            Field::Cn => &mut facts.common_names,
            Field::Ou => &mut facts.organizational_units,
        };
        values.push((*value).to_owned());
    }
    facts
}

fn name(rules: &[Rule], values: &[(Field, &str)]) -> Result<String, &'static str> {
    let identity = identify(rules, &certificate(values), None);
    identity.map(|identity| identity.name.to_string()).map_err(|why| why.reason())
}

use Field::{Cn, Dns, Email, Ou, Uri};

#[test]
fn each_field_identifies() {
    for field in [Uri, Dns, Email, Cn, Ou] {
        let rules = [rule("ci-{1}", &[(field, "ci:*")])];
        assert_eq!(name(&rules, &[(field, "ci:7")]), Ok("ci-7".to_owned()), "{field}");
        assert_eq!(name(&rules, &[(field, "cd:7")]), Err("identity.unknown"), "{field}");
        assert_eq!(name(&rules, &[]), Err("identity.unknown"), "{field}");
    }
    let leaf = Fingerprint::of(b"the leaf");
    let rules = [with_fingerprint("tower", &[], Some(leaf))];
    let held = CertificateFacts { sha256: leaf, ..certificate(&[]) };
    assert_eq!(identify(&rules, &held, None).unwrap().name.as_str(), "tower");
    assert_eq!(name(&rules, &[]), Err("identity.unknown"));
}

#[test]
fn an_identity_carries_what_the_rule_gives() {
    let matching = Match::new([(Uri, "ci:*".parse().unwrap())], None).unwrap();
    let mode = Mode::Observe { until: 100 };
    let roles = vec!["b".to_owned(), "a".to_owned()];
    let rules = [
        rule("other", &[(Uri, "other")]),
        Rule::new("ci-{1}".parse().unwrap(), matching, roles.clone(), mode, true).unwrap(),
    ];
    let identity = identify(&rules, &certificate(&[(Uri, "ci:A7")]), None).unwrap();
    assert_eq!((identity.name.as_str(), identity.rule), ("ci-a7", 1));
    assert_eq!((identity.roles, identity.mode, identity.danger_observe_root), (roles, mode, true));
    assert_eq!(identity.captures, ["A7"]);
    assert_eq!(*identity.certificate, certificate(&[(Uri, "ci:A7")]));
}

#[test]
fn all_conditions_must_hold_and_captures_are_counted_through_the_fields() {
    let rules = [rule("{2}-{1}", &[(Ou, "team *"), (Uri, "ci:*")])];
    assert_eq!(name(&rules, &[(Uri, "ci:7"), (Ou, "team a")]), Ok("a-7".to_owned()));
    assert_eq!(name(&rules, &[(Uri, "ci:7"), (Ou, "b")]), Err("identity.unknown"));
    assert_eq!(name(&rules, &[(Uri, "ci:7")]), Err("identity.unknown"));
}

#[test]
fn several_values_of_a_named_field_are_refused_even_if_another_rule_would_match() {
    let rules = [rule("jo", &[(Email, "jo@acme")]), rule("ci-{1}", &[(Uri, "ci:*")])];
    let two = [(Email, "jo@acme"), (Uri, "ci:1"), (Uri, "x:2")];
    assert_eq!(name(&rules, &two), Err("identity.ambiguous-field"));
    let twice_the_same = [(Uri, "ci:1"), (Uri, "ci:1")];
    assert_eq!(name(&rules, &twice_the_same), Err("identity.ambiguous-field"));
    let unnamed = [(Email, "jo@acme"), (Ou, "a"), (Ou, "b"), (Cn, "a\0b")];
    assert_eq!(name(&rules, &unnamed), Ok("jo".to_owned()));
}

#[test]
fn an_unprintable_character_in_a_named_field_is_refused() {
    let rules = [rule("jo", &[(Email, "jo@acme")]), rule("x", &[(Cn, "x")])];
    for bad in
        ["x\0", "x\n", "\u{7f}", "x\u{202e}", "x\u{200b}", "x\u{2028}", "x\u{3164}", "x\u{a0}"]
    {
        let held = [(Email, "jo@acme"), (Cn, bad)];
        assert_eq!(name(&rules, &held), Err("identity.unprintable"), "{bad:?}");
    }
    assert_eq!(name(&rules, &[(Email, "jo@acme"), (Cn, "Jörg Ñ")]), Ok("jo".to_owned()));
}

#[test]
fn more_conditions_on_the_same_pattern_win_and_nothing_else_does() {
    let broad = rule("ci-{1}", &[(Uri, "ci:*")]);
    let strict = rule("main-{1}", &[(Uri, "ci:*"), (Ou, "main")]);
    let strictest = rule("gold-{1}", &[(Uri, "ci:*"), (Ou, "main"), (Cn, "gold")]);
    let other_pattern = rule("odd-{1}", &[(Uri, "ci:7*"), (Ou, "main")]);
    let held = [(Uri, "ci:77"), (Ou, "main")];
    for rules in [[broad.clone(), strict.clone()], [strict.clone(), broad.clone()]] {
        assert_eq!(name(&rules, &held), Ok("main-77".to_owned()));
        assert_eq!(name(&rules, &held[..1]), Ok("ci-77".to_owned()));
    }
    let three = [broad.clone(), strictest, strict];
    let gold = [(Uri, "ci:77"), (Ou, "main"), (Cn, "gold")];
    assert_eq!(name(&three, &gold), Ok("gold-77".to_owned()));
    assert_eq!(name(&[broad, other_pattern], &held), Err("identity.ambiguous-match"));
}

#[test]
fn a_fingerprint_is_a_condition_like_any_other() {
    let leaf = Fingerprint::of(b"the leaf");
    let rules = [
        rule("ci-{1}", &[(Uri, "ci:*")]),
        with_fingerprint("pinned-{1}", &[(Uri, "ci:*")], Some(leaf)),
    ];
    let held = CertificateFacts { sha256: leaf, ..certificate(&[(Uri, "ci:7")]) };
    assert_eq!(identify(&rules, &held, None).unwrap().name.as_str(), "pinned-7");
    assert_eq!(name(&rules, &[(Uri, "ci:7")]), Ok("ci-7".to_owned()));
    let apart = [rule("ci-{1}", &[(Uri, "ci:*")]), with_fingerprint("pin", &[], Some(leaf))];
    assert_eq!(identify(&apart, &held, None), Err(Unidentified::AmbiguousMatch));
}

#[test]
fn a_match_that_makes_no_name_is_refused() {
    let rules = [rule("ci-{1}", &[(Uri, "ci:*")])];
    let long = format!("ci:{}", "x".repeat(63));
    assert_eq!(identify(&rules, &certificate(&[(Uri, &long)]), None), Err(Unidentified::NotAName));
    assert_eq!(identify(&[], &certificate(&[(Uri, "ci:7")]), None), Err(Unidentified::Unknown));
}

#[test]
fn a_rule_that_cannot_mean_anything_is_an_error() {
    assert_eq!(Match::new([], None), Err(RuleError::NoCondition));
    let twice = [(Cn, "a".parse().unwrap()), (Cn, "b".parse().unwrap())];
    assert_eq!(Match::new(twice, None), Err(RuleError::FieldTwice(Cn)));
    let matching = Match::new([(Uri, "ci:*".parse().unwrap())], None).unwrap();
    let rule = Rule::new("{2}".parse().unwrap(), matching, vec![], Mode::Enforce, false);
    assert_eq!(rule, Err(RuleError::NoSuchCapture { wanted: 2, captures: 1 }));
}

#[test]
fn rules_that_may_not_stand_together_are_found() {
    let rules = [
        rule("ci-{1}", &[(Uri, "ci:*")]),
        rule("main-{1}", &[(Uri, "ci:*"), (Ou, "main")]),
        rule("ci-main-{1}", &[(Uri, "main:*")]),
        rule("seven", &[(Uri, "ci:7")]),
        rule("jo", &[(Email, "*@acme.com")]),
    ];
    assert_eq!(conflicts(&rules), [Conflict::Name(0, 2), Conflict::Match(0, 3)]);
}

#[test]
fn a_name_is_enough_for_a_question_offline() {
    let rules = [rule("deploy", &[(Cn, "d")]), rule("ci-{1}", &[(Uri, "ci:*")])];
    let identity = supposed(&rules, &"ci-7".parse().unwrap()).unwrap();
    assert_eq!((identity.rule, identity.captures), (1, vec!["7".to_owned()]));
    assert_eq!(supposed(&rules, &"nobody".parse().unwrap()), None);
}

#[test]
fn observing_ends_by_itself() {
    let observe = Mode::Observe { until: 100 };
    assert_eq!(observe.at(99), observe);
    assert_eq!(observe.at(100), Mode::Enforce);
    assert_eq!(Mode::Enforce.at(0), Mode::Enforce);
}

proptest! {
    #[test]
    fn no_value_panics_or_makes_two_names(uri in ".{0,90}", ou in ".{0,20}") {
        let rules = [
            rule("ci-{1}", &[(Uri, "ci:*")]),
            rule("main-{1}", &[(Uri, "ci:*"), (Ou, "main")]),
        ];
        let held = certificate(&[(Uri, &uri), (Ou, &ou)]);
        let mut backwards = rules.clone();
        backwards.reverse();
        let forth = identify(&rules, &held, None).map(|identity| identity.name);
        prop_assert_eq!(forth, identify(&backwards, &held, None).map(|identity| identity.name));
    }
}

#[test]
fn an_identity_is_there_only_while_its_rule_is_valid() {
    let until = Validity::new("mon-fri".parse().unwrap(), None, jiff::tz::TimeZone::UTC, Some(100));
    let plain = rule("ci", &[(Cn, "ci")]);
    let bound = plain.clone().valid_in(until.unwrap());
    let found = |rule: Rule| identify(&[rule], &certificate(&[(Cn, "ci")]), None).unwrap();
    // 1970 began on a Thursday; who is asked for is found at any time, and then asked whether it may be here
    let identity = found(bound);
    assert_eq!(identity.open(99), Ok(Some(100)));
    assert_eq!(identity.open(100).map_err(|why| why.reason()), Err("identity.closed"));
    assert_eq!(found(plain).open(100), Ok(None));
    let (hours, end) = (Unidentified::Closed(Closed::Now), Unidentified::Closed(Closed::Ended));
    assert_eq!(
        hours.to_string(),
        end.to_string(),
        "who is refused does not learn when to come again"
    );
}
