//! Rules that ask for a token beside the certificate: nobody gains by a token that is another's.

use super::CertificateField::{Cn, Ou, Uri};
use super::*;
use std::collections::BTreeMap;

const END: i64 = 1000;

fn matching(
    fields: &[(CertificateField, &str)],
    claims: &[(&str, &str)],
) -> Result<Match, RuleError> {
    let patterns = fields.iter().map(|(field, text)| (*field, text.parse().unwrap()));
    let claims: BTreeMap<_, _> =
        claims.iter().map(|(name, text)| ((*name).to_owned(), text.parse().unwrap())).collect();
    let matching = Match::new(patterns, None)?;
    if claims.is_empty() { Ok(matching) } else { matching.with_token(claims) }
}

fn asking(
    name: &str,
    fields: &[(CertificateField, &str)],
    claims: &[(&str, &str)],
) -> IdentityRule {
    let matching = matching(fields, claims).unwrap();
    IdentityRule::new(name.parse().unwrap(), matching, vec![name.to_owned()], Mode::Enforce, false)
        .unwrap()
}

/// A certificate for each project, and a better identity for its protected branches.
fn projects() -> [IdentityRule; 2] {
    [
        asking("ci-{1}", &[(Uri, "ci:*")], &[]),
        asking("main-{1}", &[(Uri, "ci:*")], &[("project", "acme/{1}"), ("protected", "true")]),
    ]
}

fn claims(values: &[(&str, &str)]) -> Claims {
    Claims::unsigned(values, END, &["project", "run"])
}

fn who(rules: &[IdentityRule], uri: &str, token: &[(&str, &str)]) -> Result<String, &'static str> {
    let found = identify(rules, &certificate(&[(Uri, uri)]), Some(&claims(token)));
    found.map(|identity| identity.name.to_string()).map_err(|why| why.rule().id)
}

#[test]
fn a_token_adds_to_its_certificate() {
    let rules = projects();
    let token = [("project", "acme/web"), ("protected", "true"), ("run", "7"), ("other", "x")];
    let identity =
        identify(&rules, &certificate(&[(Uri, "ci:web")]), Some(&claims(&token))).unwrap();
    assert_eq!((identity.name.as_str(), identity.until), ("main-web", Some(END)));
    assert_eq!(identity.roles, ["main-{1}"]);
    let kept = [("project", "acme/web"), ("run", "7")];
    assert_eq!(identity.claims, kept.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(identity.open(END - 1), Ok(Some(END)));
    assert_eq!(identity.open(END).map_err(|why| why.rule().id), Err("token.expired"));
    let early = Validity::new("mon-sun".parse().unwrap(), None, jiff::tz::TimeZone::UTC, Some(9));
    let early = Identity { valid: Some(early.unwrap()), ..identity };
    assert_eq!(early.open(8), Ok(Some(9)));
    assert_eq!(early.open(9).map_err(|why| why.rule().id), Err("identity.closed"));
    let without = identify(&rules, &certificate(&[(Uri, "ci:web")]), None).unwrap();
    assert_eq!(without.open(END), Ok(None));
    assert_eq!((without.name.as_str(), without.until), ("ci-web", None));
    assert!(without.claims.is_empty());
}

#[test]
fn a_token_that_fits_no_rule_gives_what_the_certificate_gives() {
    let rules = projects();
    let branch = [("project", "acme/web"), ("protected", "false")];
    assert_eq!(who(&rules, "ci:web", &branch), Ok("ci-web".to_owned()));
    assert_eq!(who(&rules, "ci:web", &[("protected", "true")]), Ok("ci-web".to_owned()));
    assert_eq!(who(&rules, "ci:web", &[]), Ok("ci-web".to_owned()));
    // its claims are known all the same, and its end is not that of the identity
    let held = certificate(&[(Uri, "ci:web")]);
    let identity = identify(&rules, &held, Some(&claims(&branch))).unwrap();
    assert_eq!((identity.claims.len(), identity.until), (1, None));
    assert_eq!(who(&rules, "cd:web", &branch), Err("identity.unknown"));
    assert_eq!(who(&rules[1..], "ci:web", &branch), Err("identity.unknown"));
}

#[test]
fn a_token_of_another_project_is_refused() {
    let rules = projects();
    let other = [("project", "acme/api"), ("protected", "true")];
    assert_eq!(who(&rules, "ci:web", &other), Err("token.unbound"));
    assert_eq!(who(&rules[1..], "ci:web", &other), Err("token.unbound"));
    assert_eq!(who(&rules, "ci:api", &other), Ok("main-api".to_owned()));
    // of no project that the rule means, it is no more than no token
    let elsewhere = [("project", "evil/web"), ("protected", "true")];
    assert_eq!(who(&rules, "ci:web", &elsewhere), Ok("ci-web".to_owned()));
    // a rule that holds for it is what the policy says
    let shared = asking("shared", &[(Uri, "ci:*")], &[("project", "acme/shared")]);
    let [ci, main] = projects();
    let rules = [ci, main, shared];
    let token = [("project", "acme/shared"), ("protected", "true")];
    assert_eq!(who(&rules, "ci:web", &token), Ok("shared".to_owned()));
}

#[test]
fn a_token_is_never_enough() {
    let rules = projects();
    let token = [("project", "acme/web"), ("protected", "true")];
    for uri in ["", "web", "ci:", "ci:we", "cd:web"] {
        assert!(who(&rules, uri, &token).is_err(), "{uri}");
    }
    let held = certificate(&[]);
    assert_eq!(identify(&rules, &held, Some(&claims(&token))), Err(Unidentified::Unknown(vec![])));
    assert_eq!(Match::new([], None), Err(RuleError::NoCondition));
}

#[test]
fn captures_are_the_certificates_then_the_claims_by_name() {
    let fields = [(Ou, "team *"), (Uri, "ci:*")];
    let rule = asking("{1}-{2}-{3}-{4}", &fields, &[("ref", "heads/*"), ("job", "*:{2}")]);
    let held = certificate(&[(Uri, "ci:web"), (Ou, "team x")]);
    let token = claims(&[("ref", "heads/main"), ("job", "build:x")]);
    let identity = identify(&[rule], &held, Some(&token)).unwrap();
    assert_eq!(identity.captures, ["web", "x", "build", "main"]);
    assert_eq!(identity.name.as_str(), "web-x-build-main");
}

#[test]
fn a_claim_bound_to_nothing_is_an_error() {
    assert_eq!(matching(&[(Uri, "ci:*")], &[("p", "{1}")]).map(drop), Ok(()));
    let wrong = |wanted, captures| RuleError::NoSuchBound { claim: "p".into(), wanted, captures };
    assert_eq!(matching(&[(Uri, "ci:*")], &[("p", "a/{2}")]), Err(wrong(2, 1)));
    assert_eq!(matching(&[(Uri, "deploy")], &[("a", "*"), ("p", "{1}")]), Err(wrong(1, 0)));
    assert_eq!(
        matching(&[(Uri, "x")], &[]).unwrap().with_token([].into()),
        Err(RuleError::NoClaim)
    );
}

#[test]
fn more_claims_on_the_same_pattern_win_and_nothing_else_does() {
    let fields = [(Uri, "ci:*")];
    let one = asking("one-{1}", &fields, &[("project", "acme/{1}")]);
    let two = asking("two-{1}", &fields, &[("project", "acme/{1}"), ("protected", "true")]);
    let odd = asking("odd-{1}", &fields, &[("protected", "true")]);
    let token = [("project", "acme/web"), ("protected", "true")];
    for rules in [[one.clone(), two.clone()], [two.clone(), one.clone()]] {
        assert_eq!(who(&rules, "ci:web", &token), Ok("two-web".to_owned()));
        assert_eq!(who(&rules, "ci:web", &token[..1]), Ok("one-web".to_owned()));
        assert!(conflicts(&rules).is_empty());
    }
    assert_eq!(who(&[one.clone(), odd], "ci:web", &token), Err("identity.ambiguous-match"));
    // the same number is another capture where more fields are named
    let shifted = asking(
        "shifted-{1}",
        &[(Uri, "ci:*"), (Cn, "*")],
        &[("project", "acme/{2}"), ("protected", "true")],
    );
    assert!(two.matching.is_stricter_than(&one.matching));
    assert!(!shifted.matching.is_stricter_than(&one.matching));
    let counted = asking("c-{1}", &[(Cn, "*")], &[("project", "acme/{1}")]);
    assert!(shifted.matching.is_stricter_than(&counted.matching));
}

#[test]
fn rules_that_one_token_could_fit_both_are_a_conflict() {
    let fields = [(Uri, "ci:*")];
    let of = |name: &str, claims: &[(&str, &str)]| asking(name, &fields, claims);
    let bound = of("a-{1}", &[("project", "acme/{1}")]);
    let any = of("b-{1}", &[("project", "acme/*")]);
    let fixed = of("c-{1}", &[("project", "acme/shared")]);
    let other = of("d-{1}", &[("project", "other/{1}")]);
    let two = of("e-{1}", &[("project", "acme/{1}"), ("ref", "main")]);
    let clash = Conflict::Match;
    assert_eq!(conflicts(&[bound.clone(), any.clone()]), [clash(0, 1)]);
    assert_eq!(conflicts(&[any, fixed.clone()]), [clash(0, 1)]);
    assert_eq!(conflicts(&[bound.clone(), fixed]), [clash(0, 1)]);
    assert_eq!(conflicts(&[bound.clone(), other]), []);
    assert_eq!(conflicts(&[bound, two]), []);
    let issuers = [
        of("g-{1}", &[("iss", "https://a"), ("project", "acme/{1}")]),
        of("h-{1}", &[("iss", "https://b"), ("project", "acme/{1}")]),
    ];
    assert_eq!(conflicts(&issuers), []);
}

#[test]
fn a_name_is_enough_for_a_question_offline() {
    let identity = supposed(&projects(), &"main-web".parse().unwrap()).unwrap();
    assert_eq!((identity.rule, identity.until), (1, None));
}

/// Conditions over few fields, claims and letters, so that they meet.
fn any_match() -> impl Strategy<Value = Match> {
    let field = prop::option::of("a?/?[ab*]");
    let claim = prop::option::of("[ab*]/?|a?/?\\{1\\}|[ab]/\\*");
    let parts = (field.clone(), field, claim.clone(), claim);
    parts.prop_filter_map("no conditions", |(uri, cn, p, q)| {
        let parse = |text: Option<String>| text.map(|text| text.parse());
        let fields = [(Uri, parse(uri)), (Cn, parse(cn))];
        let fields: Vec<_> = fields.into_iter().filter_map(|(f, p)| Some((f, p?.ok()?))).collect();
        let claims = [("p", p), ("q", q)];
        let claims: BTreeMap<_, _> = claims
            .into_iter()
            .filter_map(|(name, text)| Some((name.to_owned(), text?.parse().ok()?)))
            .collect();
        let matching = Match::new(fields, None).ok()?;
        if claims.is_empty() { Some(matching) } else { matching.with_token(claims).ok() }
    })
}

/// What somebody holds: values of the fields, and a token or none.
fn any_holding() -> impl Strategy<Value = (Evidence, Option<Claims>)> {
    let value = || prop::option::of("a?/?[ab]/?[ab]?");
    (value(), value(), value(), value(), any::<bool>()).prop_map(|(uri, cn, p, q, sent)| {
        let fields = [(Uri, &uri), (Cn, &cn)];
        let fields: Vec<_> =
            fields.into_iter().filter_map(|(f, v)| Some((f, v.as_deref()?))).collect();
        let values = [("p", &p), ("q", &q)];
        let values: Vec<_> =
            values.into_iter().filter_map(|(name, v)| Some((name, v.as_deref()?))).collect();
        (certificate(&fields), sent.then(|| Claims::unsigned(&values, END, &[])))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_asks_for_more_holds_for_fewer(a in any_match(), b in any_match(), held in any_holding()) {
        let holds = |one: &Match| matches!(one.held_by(&held.0, held.1.as_ref()), Held::Yes(_));
        if a.is_stricter_than(&b) {
            prop_assert!(!holds(&a) || holds(&b));
            prop_assert!(!b.is_stricter_than(&a));
        }
    }

    #[test]
    fn what_holds_at_once_on_the_same_fields_collides(a in any_match(), b in any_match(), held in any_holding()) {
        let holds = |one: &Match| matches!(one.held_by(&held.0, held.1.as_ref()), Held::Yes(_));
        let names = |one: &Match| {
            let claims = one.claims().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
            (one.fields().collect::<Vec<_>>(), claims)
        };
        if names(&a) == names(&b) && holds(&a) && holds(&b) {
            prop_assert!(a.collides_with(&b) && b.collides_with(&a));
        }
        prop_assert_eq!(a.collides_with(&b), b.collides_with(&a));
    }

    #[test]
    fn without_a_token_nothing_is_gained(list in prop::collection::vec(any_match(), 1..5), held in any_holding()) {
        let names = ["a", "b", "c", "d"];
        let rule = |(name, matching): (&str, Match)| {
            IdentityRule::new(name.parse().unwrap(), matching, Vec::new(), Mode::Enforce, false).unwrap()
        };
        let rules: Vec<IdentityRule> = names.into_iter().zip(list).map(rule).collect();
        let plain = |r: &&IdentityRule| !r.matching().asks_for_a_token();
        let alone: Vec<IdentityRule> = rules.iter().filter(plain).cloned().collect();
        let name = |found: Result<Identity, Unidentified>| found.map(|identity| identity.name);
        let reading = identify(&rules, &held.0, None);
        if !matches!(reading, Err(Unidentified::AmbiguousField(_) | Unidentified::Unprintable(_))) {
            prop_assert_eq!(name(reading), name(identify(&alone, &held.0, None)));
        }
        // with one: the same, or a rule that asks for it, or a refusal
        if let Ok(found) = identify(&rules, &held.0, held.1.as_ref()) {
            let rule = &rules[found.rule];
            prop_assert_eq!(found.until.is_some(), rule.matching().asks_for_a_token());
            if found.until.is_none() {
                prop_assert_eq!(Ok(found.name), name(identify(&alone, &held.0, None)));
            }
        }
    }

    #[test]
    fn a_bound_claim_is_the_certificates(project in "[a-c]{1,2}", caught in "[a-c]{1,2}", other in "[a-z/]{0,4}") {
        let rules = projects();
        let (value, uri) = (format!("acme/{project}{other}"), format!("ci:{caught}"));
        let found = who(&rules, &uri, &[("project", &value), ("protected", "true")]);
        let own = value == format!("acme/{caught}");
        prop_assert_eq!(found.is_ok_and(|name| name == format!("main-{caught}")), own);
    }
}
