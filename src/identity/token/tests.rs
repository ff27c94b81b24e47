use super::compact::LONGEST;
use super::*;
use mint::{AUDIENCE, ES256, ISSUER, NOW, RS256, by_ec, by_hmac, by_rsa, claims, issuers, with};
use proptest::prelude::*;
use serde_json::json;

mod key_sets;
pub(in crate::identity) mod mint;

/// What comes of a token, as the reason's id.
fn outcome(text: &str) -> Result<(), &'static str> {
    verify(text, &issuers(), NOW).map(drop).map_err(|why| why.rule().id)
}

fn good() -> String {
    by_ec(ES256, &claims().to_string())
}

#[test]
fn a_good_token_is_proven_by_either_algorithm() {
    for token in [good(), by_rsa(RS256, &claims().to_string())] {
        let claims = verify(&token, &issuers(), NOW).unwrap();
        assert_eq!(claims.value("iss"), Some(ISSUER));
        assert_eq!(claims.value("project_path"), Some("acme/web"));
        assert_eq!(claims.value("run_id"), Some("77"));
        assert_eq!((claims.value("job"), claims.value("groups")), (None, None));
        assert_eq!(claims.expires(), NOW + 3600);
        assert!(claims.hold_at(NOW + 3599) && !claims.hold_at(NOW + 3600));
        let logged: Vec<_> = claims.logged().collect();
        assert_eq!(logged, [("project_path", "acme/web"), ("run_id", "77")]);
    }
}

#[test]
fn claims_are_text_where_they_are_plain() {
    let claims = with("flag", json!(true)).replace(
        r#""flag":true"#,
        r#""flag":true,"big":18446744073709551615,"part":1.5,"no":null,"less":-3"#,
    );
    let claims = verify(&by_ec(ES256, &claims), &issuers(), NOW).unwrap();
    assert_eq!(claims.value("flag"), Some("true"));
    assert_eq!(claims.value("big"), Some("18446744073709551615"));
    assert_eq!(claims.value("less"), Some("-3"));
    assert_eq!((claims.value("part"), claims.value("no")), (None, None));
}

/// Every row is signed well; what is wrong is what it says.
#[test]
fn what_a_token_says_must_hold() {
    let rows: [(&str, serde_json::Value, Result<(), &str>); 33] = [
        ("aud", json!([AUDIENCE]), Ok(())),
        ("aud", json!(["other", AUDIENCE]), Ok(())),
        ("aud", json!("other"), Err("token.audience")),
        ("aud", json!("Dockward.example.org"), Err("token.audience")),
        ("aud", json!(["other"]), Err("token.audience")),
        ("aud", json!([]), Err("token.audience")),
        ("aud", json!(null), Err("token.audience")),
        ("aud", json!([AUDIENCE, 7]), Err("token.malformed")),
        ("aud", json!({AUDIENCE: 1}), Err("token.malformed")),
        ("iss", json!("https://issuer.example.org/"), Err("token.issuer")),
        ("iss", json!("https://ISSUER.example.org"), Err("token.issuer")),
        ("iss", json!(null), Err("token.malformed")),
        ("iss", json!([ISSUER]), Err("token.malformed")),
        ("exp", json!(NOW + 1), Ok(())),
        ("exp", json!(NOW), Err("token.expired")),
        ("exp", json!(NOW - 3000), Err("token.expired")),
        ("exp", json!(i64::MIN), Err("token.expired")),
        ("exp", json!(null), Err("token.malformed")),
        ("exp", json!("1900000000"), Err("token.malformed")),
        ("exp", json!(NOW as f64 + 60.5), Err("token.malformed")),
        ("exp", json!(u64::MAX), Err("token.malformed")),
        ("exp", json!(NOW - 5 + LONGEST_LIFE), Ok(())),
        ("exp", json!(NOW - 5 + LONGEST_LIFE + 1), Err("token.lifetime")),
        ("exp", json!(i64::MAX), Err("token.lifetime")),
        ("iat", json!(i64::MIN), Err("token.lifetime")),
        ("iat", json!(NOW + 60), Ok(())),
        ("iat", json!(NOW + 61), Err("token.not-yet")),
        ("iat", json!(null), Err("token.malformed")),
        ("nbf", json!(NOW + 60), Ok(())),
        ("nbf", json!(NOW + 61), Err("token.not-yet")),
        ("nbf", json!(null), Ok(())),
        ("nbf", json!("0"), Err("token.malformed")),
        ("sub", json!(null), Ok(())),
    ];
    for (name, value, expected) in rows {
        let token = by_ec(ES256, &with(name, value.clone()));
        assert_eq!(outcome(&token), expected, "{name}: {value}");
    }
    let short =
        with("exp", json!(NOW + 20)).replace(&(NOW - 5).to_string(), &(NOW + 30).to_string());
    assert_eq!(outcome(&by_ec(ES256, &short)), Err("token.lifetime"));
}

#[test]
fn a_header_chooses_a_key_and_nothing_else() {
    let claims = claims().to_string();
    let rows = [
        (r#"{"alg":"ES256","kid":"ec"}"#, Ok(())),
        (r#"{"alg":"ES256"}"#, Ok(())),
        (r#"{"alg":"ES256","kid":"ec","typ":"jwt","x5t":"hint","cty":"json"}"#, Ok(())),
        (r#"{"alg":"ES256","kid":"EC"}"#, Err("token.key-unknown")),
        (r#"{"alg":"ES256","kid":""}"#, Err("token.key-unknown")),
        (r#"{"alg":"ES256","kid":"rsa"}"#, Err("token.algorithm")),
        (r#"{"alg":"RS256","kid":"ec"}"#, Err("token.algorithm")),
        (r#"{"alg":"RS256"}"#, Err("token.signature")),
        (r#"{"alg":"none","kid":"ec"}"#, Err("token.algorithm")),
        (r#"{"alg":"None"}"#, Err("token.algorithm")),
        (r#"{"alg":"es256","kid":"ec"}"#, Err("token.algorithm")),
        (r#"{"alg":"ES256 ","kid":"ec"}"#, Err("token.algorithm")),
        (r#"{"alg":"ES384","kid":"ec"}"#, Err("token.algorithm")),
        (r#"{"alg":"EdDSA","kid":"ec"}"#, Err("token.algorithm")),
        (r#"{"kid":"ec"}"#, Err("token.malformed")),
        (r#"{"alg":null,"kid":"ec"}"#, Err("token.malformed")),
        (r#"{"alg":["ES256"],"kid":"ec"}"#, Err("token.malformed")),
        (r#"{"alg":"ES256","kid":7}"#, Err("token.malformed")),
        (r#"{"alg":"ES256","kid":null}"#, Err("token.malformed")),
        (r#"{"alg":"ES256","kid":"ec","kid":"ec"}"#, Err("token.malformed")),
        (r#"{"alg":"ES256","kid":"ec","\u0061lg":"none"}"#, Err("token.malformed")),
        (r#"{"alg":"ES256","kid":"ec","typ":"logout+jwt"}"#, Err("token.malformed")),
        (r#"{"alg":"ES256","kid":"ec","crit":[]}"#, Err("token.malformed")),
        (r#"{"alg":"ES256","kid":"ec","crit":["exp"],"exp":0}"#, Err("token.malformed")),
        (r#"{"alg":"ES256","kid":"ec","jku":"https://evil"}"#, Err("token.malformed")),
        (r#"{"alg":"ES256","kid":"ec","x5u":"https://evil"}"#, Err("token.malformed")),
        (r#"{"alg":"ES256","kid":"ec","jwk":{}}"#, Err("token.malformed")),
        (r#"{"alg":"ES256","kid":"ec","x5c":[]}"#, Err("token.malformed")),
        (r#"{"alg":"ES256","kid":"ec","b64":false}"#, Err("token.malformed")),
        (r#"{"alg":"ES256","kid":"ec","zip":"DEF"}"#, Err("token.malformed")),
        (r#"{"alg":"ES256","kid":"ec"} "#, Ok(())),
        (r#"{"alg":"ES256","kid":"ec"}{}"#, Err("token.malformed")),
        ("[]", Err("token.malformed")),
        ("", Err("token.malformed")),
    ];
    for (header, expected) in rows {
        assert_eq!(outcome(&by_ec(header, &claims)), expected, "{header}");
    }
}

#[test]
fn claims_are_read_strictly() {
    let twice = claims().to_string().replacen('{', r#"{"project_path":"acme/other","#, 1);
    let deep =
        with("x", serde_json::from_str(&format!("{}{}", "[".repeat(70), "]".repeat(70))).unwrap());
    for claims in [&twice, &deep, "[]", "null", "", "{", "\u{feff}{}"] {
        assert_eq!(outcome(&by_ec(ES256, claims)), Err("token.malformed"), "{claims}");
    }
    let nested = with("x", json!({"a": {"b": [1, {"c": null}]}}));
    assert_eq!(outcome(&by_ec(ES256, &nested)), Ok(()));
    let again = nested.replace(r#""c":null"#, r#""c":null,"c":1"#);
    assert_eq!(outcome(&by_ec(ES256, &again)), Err("token.malformed"));
}

#[test]
fn a_token_has_one_text() {
    let good = good();
    let [header, claims, signature]: [&str; 3] =
        good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let (rest, last) = signature.split_at(signature.len() - 1);
    let forms = [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        format!("{header}.{claims}"),
        format!("{good}."),
        format!(".{good}"),
        format!("{good}.{signature}"),
        format!("{good}="),
        format!("{good}=="),
        format!(" {good}"),
        format!("{good} "),
        format!("{good}\n"),
        format!("Bearer {good}"),
        format!("\"{good}\""),
        format!("{header}=.{claims}.{signature}"),
        format!("{header}.{claims}.+{rest}"),
        format!("{header}.{claims}.{rest}ü"),
        format!("{header}..{signature}"),
        format!(".{claims}.{signature}"),
        "A".repeat(LONGEST + 1),
    ];
    assert_eq!(outcome(&good), Ok(()));
    for form in forms {
        assert_eq!(outcome(&form), Err("token.malformed"), "{form}");
    }
    assert_eq!(outcome(&format!("{header}.{claims}.")), Err("token.signature"));
    assert_eq!(outcome(&mint::with_padding(&claims_with_padding())), Err("token.malformed"));
    // the bits after the last byte: 64 bytes leave four of them
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let at = alphabet.find(last).unwrap();
    assert_eq!(at % 16, 0);
    let stray = char::from(alphabet.as_bytes()[at + 1]);
    assert_eq!(outcome(&format!("{header}.{claims}.{rest}{stray}")), Err("token.malformed"));
}

/// Claims whose base64 ends with padding, where there is padding.
fn claims_with_padding() -> String {
    let plain = claims().to_string();
    let blanks = (0..3).find(|blanks| (plain.len() + blanks) % 3 == 1).unwrap();
    plain + &" ".repeat(blanks)
}

#[test]
fn the_length_is_bounded() {
    let of = |length: usize| by_ec(ES256, &with("x", json!("x".repeat(length))));
    let spare = (LONGEST - of(0).len()) * 3 / 4;
    assert!(of(spare - 3).len() <= LONGEST);
    assert_eq!(outcome(&of(spare - 3)), Ok(()));
    assert!(of(spare + 3).len() > LONGEST);
    assert_eq!(outcome(&of(spare + 3)), Err("token.malformed"));
}

#[test]
fn a_signature_is_that_of_the_key_over_these_bytes() {
    let claims = claims().to_string();
    let other = with("project_path", json!("acme/api"));
    let swap = |token: &str, other: &str| {
        let (signed, _) = token.rsplit_once('.').unwrap();
        format!("{signed}.{}", other.rsplit_once('.').unwrap().1)
    };
    // of other bytes, of another key, in another form
    let ours = by_ec(ES256, &claims);
    assert_eq!(outcome(&swap(&ours, &by_ec(ES256, &other))), Err("token.signature"));
    assert_eq!(outcome(&swap(&ours, &by_rsa(RS256, &claims))), Err("token.signature"));
    assert_eq!(outcome(&mint::by_ec_in_der(ES256, &claims)), Err("token.signature"));
    assert_eq!(outcome(&swap(&ours, "..")), Err("token.signature"));
    let zeros = format!(".{}", mint::b64([0; 64]));
    assert_eq!(outcome(&swap(&ours, &zeros)), Err("token.signature"));
    let mut flipped = ours.clone();
    let at = flipped.find('.').unwrap() + 10;
    let letter = if flipped.as_bytes()[at] == b'A' { "B" } else { "A" };
    flipped.replace_range(at..=at, letter);
    assert!(outcome(&flipped).is_err());
}

#[test]
fn no_public_key_is_a_secret() {
    let claims = claims().to_string();
    let jwk = mint::rsa_jwk();
    let n = read::decode(jwk["n"].as_str().unwrap()).unwrap();
    for secret in
        [n.as_slice(), jwk["n"].as_str().unwrap().as_bytes(), mint::jwks().as_bytes(), b""]
    {
        for header in [
            r#"{"alg":"HS256","kid":"rsa"}"#,
            r#"{"alg":"HS256"}"#,
            r#"{"alg":"RS256","kid":"rsa"}"#,
        ] {
            let token = by_hmac(secret, header, &claims);
            assert!(matches!(outcome(&token), Err("token.algorithm" | "token.signature")));
        }
    }
}

#[test]
fn without_a_kid_there_must_be_one_key_that_fits() {
    let token = by_ec(r#"{"alg":"ES256"}"#, &claims().to_string());
    assert_eq!(outcome(&token), Ok(()));
    let mut second = mint::ec_jwk();
    second["kid"] = json!("ec2");
    let two = mint::issuers_of(&json!({"keys": [mint::ec_jwk(), second]}).to_string());
    assert_eq!(verify(&token, &two, NOW), Err(TokenError::KeyUnknown));
    assert!(verify(&good(), &two, NOW).is_ok());
    let none = mint::issuers_of(&json!({"keys": [mint::rsa_jwk()]}).to_string());
    assert_eq!(verify(&token, &none, NOW), Err(TokenError::KeyUnknown));
}

#[test]
fn the_issuer_that_is_named_must_have_signed() {
    let (theirs, _) =
        KeySet::read(json!({"keys": [mint::rsa_jwk()]}).to_string().as_bytes()).unwrap();
    let (ours, _) = KeySet::read(json!({"keys": [mint::ec_jwk()]}).to_string().as_bytes()).unwrap();
    let other = "https://other.example.org";
    let list = vec![
        Issuer::new(other, "elsewhere", theirs, Vec::new()).unwrap(),
        Issuer::new(ISSUER, AUDIENCE, ours, Vec::new()).unwrap(),
    ];
    let issuers = Issuers::new(list).unwrap();
    assert!(verify(&good(), &issuers, NOW).is_ok());
    let posing = by_ec(r#"{"alg":"ES256"}"#, &with("iss", json!(other)));
    assert_eq!(verify(&posing, &issuers, NOW), Err(TokenError::KeyUnknown));
    let theirs = by_rsa(RS256, &with("iss", json!(other)));
    let wanted = "elsewhere".to_owned();
    assert_eq!(verify(&theirs, &issuers, NOW), Err(TokenError::Audience { wanted }));
}

#[test]
fn what_was_proven_holds_while_issuer_audience_and_key_stay() {
    let set = |keys: &[serde_json::Value]| json!({ "keys": keys }).to_string();
    let of = |issuer: &str, audience: &str, set: &str| {
        let (keys, _) = KeySet::read(set.as_bytes()).unwrap();
        Issuers::new(vec![Issuer::new(issuer, audience, keys, Vec::new()).unwrap()]).unwrap()
    };
    let (ec, rsa) = (mint::ec_jwk(), mint::rsa_jwk());
    let (mut renamed, mut replaced) = (ec.clone(), rsa.clone());
    renamed["kid"] = json!("ec2");
    replaced["kid"] = json!("ec");
    let named = verify(&good(), &issuers(), NOW).unwrap();
    let plain = by_ec(r#"{"alg":"ES256"}"#, &claims().to_string());
    let plain = verify(&plain, &issuers(), NOW).unwrap();
    let both = |issuers: &Issuers| {
        [&named, &plain].map(|claims| proven_still(claims, issuers).map_err(|why| why.rule().id))
    };
    assert_eq!(both(&issuers()), [Ok(()), Ok(())]);
    assert_eq!(both(&of(ISSUER, AUDIENCE, &set(&[rsa.clone(), ec.clone()]))), [Ok(()), Ok(())]);
    let unknown = Err("token.key-unknown");
    assert_eq!(both(&of(ISSUER, AUDIENCE, &set(&[rsa]))), [unknown, unknown]);
    let two = of(ISSUER, AUDIENCE, &set(&[ec.clone(), renamed.clone()]));
    assert_eq!(both(&two), [Ok(()), unknown]);
    assert_eq!(both(&of(ISSUER, AUDIENCE, &set(&[renamed])))[0], unknown);
    assert_eq!(both(&of(ISSUER, AUDIENCE, &set(&[replaced])))[0], Err("token.algorithm"));
    let elsewhere = of("https://other.example.org", AUDIENCE, &set(std::slice::from_ref(&ec)));
    assert_eq!(both(&elsewhere), [Err("token.issuer"); 2]);
    assert_eq!(both(&of(ISSUER, "another", &set(&[ec]))), [Err("token.audience"); 2]);
}

#[test]
fn an_issuer_that_means_nothing_is_an_error() {
    let (keys, _) = KeySet::read(mint::jwks().as_bytes()).unwrap();
    let of = |issuer: &str, audience: &str| Issuer::new(issuer, audience, keys.clone(), Vec::new());
    for issuer in
        ["", "http://a", "https://", "https:///a", "https://a?b", "https://a#b", "https://a b"]
    {
        assert_eq!(of(issuer, "us"), Err(IssuerError::Address), "{issuer}");
    }
    assert_eq!(of("https://a", ""), Err(IssuerError::Audience));
    assert_eq!(of("https://a", "a b"), Err(IssuerError::Audience));
    let a = of("https://a/b", "https://us").unwrap();
    let b = of("https://b", "us").unwrap();
    assert_eq!(Issuers::new(Vec::new()), Err(IssuerError::None));
    let twice = Issuers::new(vec![a.clone(), b.clone(), a.clone()]);
    assert_eq!(twice, Err(IssuerError::Twice("https://a/b".to_owned())));
    assert_eq!(Issuers::new(vec![a, b]).unwrap().iter().count(), 2);
}

/// Whatever is taken here is taken by a reader of tokens that others wrote, too.
#[test]
fn another_reader_agrees_on_what_is_good() {
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
    let key = |jwk| DecodingKey::from_jwk(&serde_json::from_value(jwk).unwrap()).unwrap();
    let rows = [
        (good(), key(mint::ec_jwk()), Algorithm::ES256),
        (by_rsa(RS256, &claims().to_string()), key(mint::rsa_jwk()), Algorithm::RS256),
    ];
    for (token, key, algorithm) in rows {
        let mut validation = Validation::new(algorithm);
        (validation.validate_exp, validation.validate_nbf) = (false, false); // by its own clock
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        let read = decode::<serde_json::Value>(&token, &key, &validation).unwrap().claims;
        let ours = verify(&token, &issuers(), NOW).unwrap();
        assert_eq!(ours.value("project_path"), read["project_path"].as_str());
        assert_eq!(Some(ours.expires()), read["exp"].as_i64());
    }
}

#[test]
fn a_refusal_says_nothing_of_the_token() {
    let token = by_ec(ES256, &with("project_path", json!("confidential")));
    let claims = verify(&token, &issuers(), NOW).unwrap();
    let (_, signature) = token.rsplit_once('.').unwrap();
    assert!(!format!("{claims:?}").contains(signature));
    let wrong = by_ec(ES256, &with("aud", json!("confidential")));
    let why = verify(&wrong, &issuers(), NOW).unwrap_err();
    assert!(!format!("{why:?} {why}").contains("confidential"));
    assert!(why.to_string().contains(AUDIENCE));
}

proptest! {
    #[test]
    fn no_text_panics_or_is_taken(text in "\\PC{0,200}") {
        prop_assert!(verify(&text, &issuers(), NOW).is_err());
    }

    #[test]
    fn no_header_or_claims_panic(header in "\\PC{0,60}", claims in "\\PC{0,60}", kid in "[a-z]{0,4}") {
        let _ = outcome(&by_ec(&header, &claims));
        let _ = outcome(&by_ec(ES256, &format!("{{\"iss\":\"{ISSUER}\",{claims}}}")));
        let named = by_ec(&format!("{{\"alg\":\"ES256\",\"kid\":\"{kid}\"}}"), &mint::claims().to_string());
        prop_assert_eq!(outcome(&named).is_ok(), kid == "ec");
    }

    #[test]
    fn times_never_overflow(iat in any::<i64>(), nbf in any::<i64>(), exp in any::<i64>(), now in any::<i64>()) {
        let claims = json!({"iss": ISSUER, "aud": AUDIENCE, "iat": iat, "nbf": nbf, "exp": exp});
        if verify(&by_ec(ES256, &claims.to_string()), &issuers(), now).is_ok() {
            prop_assert!(now < exp && exp - iat <= LONGEST_LIFE);
        }
    }

    #[test]
    fn no_other_byte_is_as_good(at in any::<prop::sample::Index>(), with in any::<prop::sample::Index>()) {
        let token = by_rsa(RS256, &claims().to_string());
        let mut bytes = token.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = b"ABCxyz019-_.= "[with.index(14)];
        let text = String::from_utf8(bytes).unwrap();
        prop_assert_eq!(outcome(&text).is_ok(), text == token);
    }
}
