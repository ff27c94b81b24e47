use super::*;
use crate::identity::sequence::is_capture;
use proptest::prelude::*;

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap()
}

fn template(text: &str) -> NameTemplate {
    text.parse().unwrap()
}

fn caught(text: &str, value: &str) -> Option<Vec<String>> {
    pattern(text).captures(value)
}

#[test]
fn a_pattern_without_a_star_is_an_exact_comparison() {
    assert_eq!(caught("spiffe://acme/deploy", "spiffe://acme/deploy"), Some(vec![]));
    for other in ["spiffe://acme/deploy2", "spiffe://acme/deplo", "Spiffe://acme/deploy", ""] {
        assert_eq!(caught("spiffe://acme/deploy", other), None, "{other}");
    }
    assert_eq!(caught("a.c", "abc"), None, "a dot is a dot");
}

#[test]
fn a_star_is_one_capture() {
    assert_eq!(
        caught("spiffe://acme/ci/*", "spiffe://acme/ci/Runner_7.x"),
        Some(vec!["Runner_7.x".into()])
    );
    assert_eq!(caught("*@acme.com", "jo@acme.com"), Some(vec!["jo".into()]));
    assert_eq!(caught("a:*/x/*:z", "a:1/x/2:z"), Some(vec!["1".into(), "2".into()]));
    let long = "x".repeat(63);
    assert_eq!(caught("ci/*", &format!("ci/{long}")), Some(vec![long.clone()]));
    for no in
        ["", "a/b", ".a", "-a", "_a", "a..b", "a b", "a@b", "ü", "*", "a\0", &format!("{long}x")]
    {
        assert_eq!(caught("ci/*", &format!("ci/{no}")), None, "{no:?}");
    }
}

#[test]
fn a_pattern_that_could_split_in_two_ways_is_an_error() {
    for text in ["**", "*-*", "a*.*", "*a*", "ci/*/*-*"] {
        assert_eq!(text.parse::<Pattern>(), Err(PatternError::NotSeparated), "{text}");
    }
    assert_eq!("".parse::<Pattern>(), Err(PatternError::Empty));
    assert_eq!("a\nb".parse::<Pattern>(), Err(PatternError::Unprintable('\n')));
    assert_eq!("a\u{202e}b".parse::<Pattern>(), Err(PatternError::Unprintable('\u{202e}')));
    assert_eq!("*/".repeat(10).parse::<Pattern>(), Err(PatternError::TooManyCaptures));
    assert!("*/".repeat(9).parse::<Pattern>().is_ok());
}

#[test]
fn patterns_that_could_meet_are_known() {
    let meet = [("ci/*", "ci/*"), ("ci/*", "ci/main"), ("*@a.com", "jo@*"), ("a/*", "*/b")];
    for (a, b) in meet {
        assert!(pattern(a).overlaps(&pattern(b)) && pattern(b).overlaps(&pattern(a)), "{a} {b}");
    }
    for (a, b) in [("ci/*", "cd/*"), ("ci/*", "ci/a/b"), ("*@a.com", "*@b.com"), ("ci/*", "ci/")] {
        assert!(!pattern(a).overlaps(&pattern(b)) && !pattern(b).overlaps(&pattern(a)), "{a} {b}");
    }
}

#[test]
fn a_template_makes_names_in_lower_case_and_folds_nothing_into_one() {
    let produce = |t: &str, captures: &[&str]| {
        let captures: Vec<String> = captures.iter().map(|c| (*c).to_owned()).collect();
        template(t).produce(&captures).map(|name| name.to_string())
    };
    assert_eq!(produce("ci-{1}", &["runner7"]), Ok("ci-runner7".to_owned()));
    for other in ["Runner7", "RUNNER7", "runneR7"] {
        assert_eq!(produce("ci-{1}", &[other]), Err(PatternError::NotAName), "{other}");
    }
    assert_eq!(produce("ci-{2}", &["Not-Used", "7"]), Ok("ci-7".to_owned()));
    assert_eq!(produce("{2}.{1}", &["a", "b"]), Ok("b.a".to_owned()));
    assert_eq!(produce("deploy", &["unused"]), Ok("deploy".to_owned()));
    assert_eq!(produce("ci-{1}", &[]), Err(PatternError::Placeholder));
    assert_eq!(produce("{1}.{2}", &["a.", "b"]), Err(PatternError::NotAName));
    assert_eq!(produce("ci-{1}", &[&"x".repeat(63)]), Err(PatternError::NotAName));
}

#[test]
fn a_template_that_makes_no_name_is_an_error() {
    for text in ["{0}", "{10}", "{}", "{a}", "{1", "1}", "{{1}}", "a}b{1}"] {
        assert_eq!(text.parse::<NameTemplate>(), Err(PatternError::Placeholder), "{text}");
    }
    assert_eq!("CI-{1}".parse::<NameTemplate>(), Err(PatternError::NameCharacter('C')));
    assert_eq!("ci/{1}".parse::<NameTemplate>(), Err(PatternError::NameCharacter('/')));
    assert_eq!("".parse::<NameTemplate>(), Err(PatternError::Empty));
    for text in ["-ci", ".{1}", "a..b", &"x".repeat(64)] {
        assert_eq!(text.parse::<NameTemplate>(), Err(PatternError::NotAName), "{text}");
    }
}

#[test]
fn templates_that_could_produce_one_name_are_known() {
    let meet = [
        ("ci-{1}", "ci-main-{1}"),
        ("ci-{1}", "ci-7"),
        ("{1}", "deploy"),
        ("deploy", "deploy"),
        ("{1}-a", "b-{1}"),
    ];
    for (a, b) in meet {
        assert!(
            overlap(&template(a), &template(b)) && overlap(&template(b), &template(a)),
            "{a} {b}"
        );
    }
    for (a, b) in [("ci-{1}", "main-{1}"), ("ci-{1}", "ci"), ("a", "b"), ("{1}-a", "{1}-b")] {
        assert!(
            !overlap(&template(a), &template(b)) && !overlap(&template(b), &template(a)),
            "{a} {b}"
        );
    }
}

#[test]
fn the_captures_behind_a_name_are_found_where_there_is_one_way() {
    let behind = |t: &str, name: &str| template(t).captures_behind(&name.parse().unwrap());
    assert_eq!(behind("ci-{1}", "ci-7"), Some(vec!["7".to_owned()]));
    assert_eq!(behind("deploy", "deploy"), Some(vec![]));
    assert_eq!(behind("x-{2}", "x-7"), Some(vec![String::new(), "7".to_owned()]));
    assert_eq!(behind("{1}-{1}", "a-a"), Some(vec!["a".to_owned()]));
    assert_eq!(behind("{1}-{1}", "a-b"), None);
    assert_eq!(behind("ci-{1}", "cd-7"), None);
    assert_eq!(behind("{1}-{2}", "a-b-c"), None);
}

proptest! {
    #[test]
    fn nothing_read_ever_panics(text in ".{0,80}", value in ".{0,120}") {
        if let Ok(pattern) = text.parse::<Pattern>() {
            let _ = pattern.captures(&value);
            prop_assert_eq!(pattern.to_string(), text.clone());
        }
        if let Ok(template) = text.parse::<NameTemplate>() {
            prop_assert_eq!(template.to_string(), text);
        }
        let _ = value.parse::<IdentityName>();
    }

    #[test]
    fn captures_put_back_give_the_value(value in "ci/[a-zA-Z0-9._-]{0,70}/[a-z0-9.:/-]{0,70}") {
        if let Some(captures) = caught("ci/*/*", &value) {
            prop_assert!(captures.iter().all(|capture| is_capture(capture)));
            prop_assert_eq!(format!("ci/{}", captures.join("/")), value);
        }
    }

    #[test]
    fn every_name_produced_is_a_name(capture in "[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}") {
        let made = template("a.{1}").produce(std::slice::from_ref(&capture));
        prop_assert!(made.is_err() || capture == capture.to_lowercase());
        if let Ok(name) = made {
            let name = name.as_str();
            prop_assert!(is_capture(name) && !name.chars().any(|c| c.is_ascii_uppercase()));
            prop_assert_eq!(name, format!("a.{capture}"));
        }
    }

    #[test]
    fn two_templates_with_a_name_in_common_are_said_to_overlap(
        a in "[a-c]{0,2}(\\{1\\})?[a-c]{0,2}",
        b in "[a-c]{0,2}(\\{1\\})?[a-c]{0,2}",
        x in "[a-c]{1,3}",
        y in "[a-c]{1,3}",
    ) {
        if let (Ok(a), Ok(b)) = (a.parse::<NameTemplate>(), b.parse::<NameTemplate>())
            && a.produce(&[x]).unwrap() == b.produce(&[y]).unwrap()
        {
            prop_assert!(overlap(&a, &b));
        }
    }
}
