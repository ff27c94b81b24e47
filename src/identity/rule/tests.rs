use super::super::certificate::Fingerprint;
use super::*;
use crate::identity::CertificateField;
use crate::identity::validity::Closed;
use crate::identity::{PeerFacts, PeerMatch};
use proptest::prelude::*;

mod tokens;

fn rule(name: &str, patterns: &[(CertificateField, &str)]) -> IdentityRule {
    with_fingerprint(name, patterns, None)
}

fn with_fingerprint(
    name: &str,
    patterns: &[(CertificateField, &str)],
    leaf: Option<Fingerprint>,
) -> IdentityRule {
    let patterns = patterns.iter().map(|(field, text)| (*field, text.parse().unwrap()));
    let matching = Match::new(patterns, leaf).unwrap();
    IdentityRule::new(name.parse().unwrap(), matching, vec![name.to_owned()], Mode::Enforce, false)
        .unwrap()
}

fn certificate(values: &[(CertificateField, &str)]) -> Evidence {
    facts(values).into()
}

fn facts(values: &[(CertificateField, &str)]) -> CertificateFacts {
    let mut facts = CertificateFacts::default();
    for (field, value) in values {
        let values = match field {
            CertificateField::Uri => &mut facts.uris,
            CertificateField::Dns => &mut facts.dns,
            CertificateField::Email => &mut facts.emails,
            CertificateField::Cn => &mut facts.common_names,
            CertificateField::Ou => &mut facts.organizational_units,
        };
        values.push((*value).to_owned());
    }
    facts
}

fn name(
    rules: &[IdentityRule],
    values: &[(CertificateField, &str)],
) -> Result<String, &'static str> {
    let identity = identify(rules, &certificate(values), None);
    identity.map(|identity| identity.name.to_string()).map_err(|why| why.rule().id)
}

use CertificateField::{Cn, Dns, Email, Ou, Uri};

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
    let held = CertificateFacts { sha256: leaf, ..facts(&[]) }.into();
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
        IdentityRule::new("ci-{1}".parse().unwrap(), matching, roles.clone(), mode, true).unwrap(),
    ];
    let identity = identify(&rules, &certificate(&[(Uri, "ci:a7")]), None).unwrap();
    assert_eq!((identity.name.as_str(), identity.rule), ("ci-a7", 1));
    assert_eq!((identity.roles, identity.mode, identity.danger_observe_root), (roles, mode, true));
    assert_eq!(identity.captures, ["a7"]);
    assert_eq!(*identity.evidence, certificate(&[(Uri, "ci:a7")]));
}

#[test]
fn certificates_that_differ_in_letter_case_are_never_one_identity() {
    let rules = [rule("ci-{1}", &[(Uri, "ci/*")]), rule("ours", &[(Uri, "shop/*")])];
    assert_eq!(name(&rules, &[(Uri, "ci/web")]), Ok("ci-web".to_owned()));
    for other in ["ci/WEB", "ci/Web", "ci/weB", "CI/web"] {
        assert_eq!(name(&rules, &[(Uri, other)]), Err("identity.unknown"), "{other}");
    }
    // what no name is made of is told as it is
    let shop = identify(&rules, &certificate(&[(Uri, "shop/WEB")]), None).unwrap();
    assert_eq!((shop.name.as_str(), shop.captures), ("ours", vec!["WEB".to_owned()]));
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
    let held = CertificateFacts { sha256: leaf, ..facts(&[(Uri, "ci:7")]) }.into();
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
    assert_eq!(
        identify(&[], &certificate(&[(Uri, "ci:7")]), None),
        Err(Unidentified::Unknown(vec![Uri]))
    );
}

#[test]
fn a_rule_that_cannot_mean_anything_is_an_error() {
    assert_eq!(Match::new([], None), Err(RuleError::NoCondition));
    let twice = [(Cn, "a".parse().unwrap()), (Cn, "b".parse().unwrap())];
    assert_eq!(Match::new(twice, None), Err(RuleError::FieldTwice(Cn)));
    let matching = Match::new([(Uri, "ci:*".parse().unwrap())], None).unwrap();
    let rule = IdentityRule::new("{2}".parse().unwrap(), matching, vec![], Mode::Enforce, false);
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
    let found = |rule: IdentityRule| identify(&[rule], &certificate(&[(Cn, "ci")]), None).unwrap();
    // 1970 began on a Thursday; who is asked for is found at any time, and then asked whether it may be here
    let identity = found(bound);
    assert_eq!(identity.open(99), Ok(Some(100)));
    assert_eq!(identity.open(100).map_err(|why| why.rule().id), Err("identity.closed"));
    assert_eq!(found(plain).open(100), Ok(None));
    let (hours, end) = (Unidentified::Closed(Closed::Now), Unidentified::Closed(Closed::Ended));
    assert_eq!(
        hours.to_string(),
        end.to_string(),
        "who is refused does not learn when to come again"
    );
}

fn of_peer(name: &str, uid: Option<u32>, gid: Option<u32>) -> IdentityRule {
    let matching = Match::of_peer(PeerMatch::new(uid, gid).unwrap());
    IdentityRule::new(name.parse().unwrap(), matching, vec![name.to_owned()], Mode::Enforce, false)
        .unwrap()
}

fn user(uid: u32, gid: u32, groups: &[u32]) -> Evidence {
    Evidence::Peer(PeerFacts { uid, gid, groups: groups.to_vec(), login_uid: None, pid: 1 })
}

#[test]
fn a_user_is_known_by_uid_or_by_any_of_her_groups() {
    let rules = [of_peer("jo", Some(1000), None), of_peer("admins", None, Some(50))];
    let who = |held: &Evidence| {
        identify(&rules, held, None).map(|i| i.name.to_string()).map_err(|why| why.rule().id)
    };
    assert_eq!(who(&user(1000, 9, &[])), Ok("jo".to_owned()));
    assert_eq!(who(&user(1001, 50, &[])), Ok("admins".to_owned()));
    assert_eq!(who(&user(1001, 9, &[7, 50])), Ok("admins".to_owned()));
    assert_eq!(who(&user(1001, 9, &[7])), Err("identity.unknown"));
    assert_eq!(who(&user(50, 9, &[])), Err("identity.unknown"), "a uid is no gid");
    assert_eq!(who(&user(1000, 50, &[])), Err("identity.ambiguous-match"), "she is both");
    let both = [rules[0].clone(), rules[1].clone(), of_peer("x", Some(1000), Some(50))];
    let identity = identify(&both, &user(1000, 9, &[50]), None).map(|i| i.name.to_string());
    assert_eq!(identity, Ok("x".to_owned()), "more conditions win");
}

#[test]
fn no_kind_of_evidence_stands_for_another() {
    let rules = [of_peer("root", Some(0), None), rule("{1}", &[(Cn, "*")])];
    let identity = identify(&rules, &user(0, 0, &[]), None).unwrap();
    assert_eq!((identity.name.as_str(), &*identity.evidence), ("root", &user(0, 0, &[])));
    assert_eq!(name(&rules, &[(Cn, "root2")]), Ok("root2".to_owned()));
    assert_eq!(name(&rules[..1], &[(Cn, "root")]), Err("identity.unknown"));
    assert!(identify(&rules[1..], &user(0, 0, &[]), None).is_err());
    let supposed = supposed(&rules, &"root".parse().unwrap()).unwrap();
    assert_eq!(*supposed.evidence, user_at(0));
}

fn user_at(pid: u32) -> Evidence {
    Evidence::Peer(PeerFacts { uid: 0, gid: 0, groups: Vec::new(), login_uid: None, pid })
}

#[test]
fn the_very_same_user_twice_is_a_conflict() {
    let twice = [of_peer("a", Some(1), None), of_peer("b", Some(1), None)];
    assert_eq!(conflicts(&twice), [Conflict::Match(0, 1)]);
    let groups = [of_peer("a", None, Some(1)), of_peer("b", None, Some(1))];
    assert_eq!(conflicts(&groups), [Conflict::Match(0, 1)]);
    let apart = [
        of_peer("a", Some(1), None),
        of_peer("b", None, Some(1)),
        of_peer("c", Some(1), Some(1)),
        of_peer("d", None, Some(2)),
        rule("e", &[(Cn, "a")]),
    ];
    assert_eq!(conflicts(&apart), []);
    assert_eq!(PeerMatch::new(None, None), Err(RuleError::NoCondition));
}

proptest! {
    /// A winner is one that both rules match, so that the stricter narrows and never widens; and rules
    /// that may stand together give one user one name, or none, in whatever order they are written.
    #[test]
    fn what_is_stricter_holds_for_fewer(
        a in (0..3_u32, 0..3_u32), b in (0..3_u32, 0..3_u32),
        peer in (1..3_u32, 1..3_u32, prop::collection::vec(1..3_u32, 0..2)),
    ) {
        let some = |n: u32| (n > 0).then_some(n);
        let matching = |(uid, gid)| PeerMatch::new(some(uid), some(gid)).map(Match::of_peer);
        let (Ok(first), Ok(second)) = (matching(a), matching(b)) else { return Ok(()) };
        let held = user(peer.0, peer.1, &peer.2);
        let holds = |matching: &Match| matches!(matching.held_by(&held, None), Held::Yes(_));
        if first.is_stricter_than(&second) {
            prop_assert!(!holds(&first) || holds(&second));
            prop_assert!(!second.is_stricter_than(&first));
        }
        prop_assert_eq!(first.collides_with(&second), second.collides_with(&first));
        let of = |name: &str, matching: Match| {
            IdentityRule::new(name.parse().unwrap(), matching, vec![], Mode::Enforce, false).unwrap()
        };
        let forth = [of("a", first.clone()), of("b", second.clone())];
        let back = [of("b", second), of("a", first)];
        prop_assert_eq!(
            identify(&forth, &held, None).map(|i| i.name),
            identify(&back, &held, None).map(|i| i.name)
        );
    }
}
