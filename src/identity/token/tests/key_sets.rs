//! Sets of keys as issuers publish them, and what is wrong with others.

use super::super::KeySet;
use super::super::error::KeyFlaw;
use super::super::error::KeysError;
use super::mint::{b64, ec_jwk, jwks, rsa_jwk};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{RsaKeyPair, RsaPublicKeyComponents};
use proptest::prelude::*;
use serde_json::{Value, json};

fn read(keys: &[Value]) -> Result<(usize, Vec<String>), KeysError> {
    let text = json!({"keys": keys, "other": 1}).to_string();
    KeySet::read(text.as_bytes()).map(|(keys, left_out)| (keys.0.len(), left_out))
}

/// A good key with one member changed; `null` takes it away.
fn with(mut key: Value, name: &str, value: Value) -> Value {
    let object = key.as_object_mut().unwrap();
    match value {
        Value::Null => drop(object.remove(name)),
        value => drop(object.insert(name.to_owned(), value)),
    }
    key
}

fn flaw(key: Value) -> Option<KeyFlaw> {
    match read(&[ec_jwk(), with(key, "kid", json!("another"))]) {
        Err(KeysError::Key { nth: 2, flaw }) => Some(flaw),
        Ok((2, _)) => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_set_is_read_as_it_is_published() {
    assert_eq!(read(&[rsa_jwk(), ec_jwk()]), Ok((2, Vec::new())));
    for name in ["kid", "use", "alg"] {
        assert_eq!(read(&[with(rsa_jwk(), name, Value::Null)]), Ok((1, Vec::new())), "{name}");
    }
    let more = json!({"x5t": "a", "x5c": ["b"], "key_ops": ["verify"], "ext": true});
    let mut key = rsa_jwk();
    key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    assert_eq!(read(&[key]), Ok((1, Vec::new())));
}

#[test]
fn what_is_not_for_tokens_is_left_out_with_a_word() {
    let rows = [
        with(ec_jwk(), "kty", json!("OKP")),
        with(ec_jwk(), "crv", json!("P-384")),
        with(ec_jwk(), "crv", Value::Null),
        with(ec_jwk(), "use", json!("enc")),
        with(ec_jwk(), "key_ops", json!(["encrypt"])),
        with(ec_jwk(), "alg", json!("RS256")),
        with(rsa_jwk(), "alg", json!("PS256")),
        with(rsa_jwk(), "alg", json!("ES256")),
    ];
    for key in rows {
        assert_eq!(read(std::slice::from_ref(&key)), Err(KeysError::None), "{key}");
        let (count, left_out) = read(&[rsa_jwk(), key.clone()]).unwrap();
        assert_eq!((count, left_out.len()), (1, 1), "{key}");
        assert!(left_out[0].starts_with("key 2 is left out: "), "{left_out:?}");
    }
}

#[test]
fn a_key_that_is_wrong_is_an_error() {
    let even = |name: &str| {
        let mut bytes = super::super::read::decode(rsa_jwk()[name].as_str().unwrap()).unwrap();
        *bytes.last_mut().unwrap() &= 0xfe;
        json!(b64(bytes))
    };
    let zero_before = json!(b64([&[0], even("n").as_str().unwrap().as_bytes()].concat()));
    let member = KeyFlaw::Member;
    let rows = [
        (json!({}), member("kty")),
        (with(rsa_jwk(), "kty", json!(7)), member("kty")),
        (with(rsa_jwk(), "use", json!(["sig"])), member("use")),
        (with(rsa_jwk(), "alg", json!(7)), member("alg")),
        (with(rsa_jwk(), "key_ops", json!("verify")), member("key_ops")),
        (with(rsa_jwk(), "n", Value::Null), member("n")),
        (with(rsa_jwk(), "n", json!("")), member("n")),
        (with(rsa_jwk(), "n", json!("AQAB=")), member("n")),
        (with(rsa_jwk(), "n", even("n")), member("n")),
        (with(rsa_jwk(), "n", zero_before), member("n")),
        (with(rsa_jwk(), "e", Value::Null), member("e")),
        (with(rsa_jwk(), "e", json!("Aw")), member("e")),
        (with(rsa_jwk(), "e", json!(b64([1, 0, 0]))), member("e")),
        (with(rsa_jwk(), "e", json!(b64([0, 1, 0, 1]))), member("e")),
        (with(rsa_jwk(), "e", json!(b64([1, 0, 0, 0, 1]))), member("e")),
        (with(rsa_jwk(), "d", json!("AQAB")), KeyFlaw::Secret),
        (with(ec_jwk(), "d", json!("AQAB")), KeyFlaw::Secret),
        (json!({"kty": "oct", "k": "AQAB"}), KeyFlaw::Secret),
        (with(ec_jwk(), "x", Value::Null), member("x")),
        (with(ec_jwk(), "x", json!(b64([1; 31]))), member("x")),
        (with(ec_jwk(), "y", json!(b64([1; 33]))), member("y")),
        (with(ec_jwk(), "y", json!(b64([1; 32]))), member("x and y")),
    ];
    for (key, expected) in rows {
        assert_eq!(flaw(key.clone()), Some(expected), "{key}");
    }
    assert_eq!(flaw(rsa_jwk()), None);
    assert_eq!(read(&[json!("key")]), Err(KeysError::Key { nth: 1, flaw: KeyFlaw::NotAnObject }));
}

#[test]
fn a_weak_key_is_an_error() {
    let of = |n: Vec<u8>| with(rsa_jwk(), "n", json!(b64(n)));
    let modulus = |bits: usize| {
        let mut n = vec![0xff; bits.div_ceil(8)];
        n[0] >>= (8 - bits % 8) % 8;
        n
    };
    for (bits, expected) in [
        (1024, Some(KeyFlaw::Size)),
        (2047, Some(KeyFlaw::Size)),
        (2048, None),
        (8192, None),
        (8193, Some(KeyFlaw::Size)),
    ] {
        assert_eq!(flaw(of(modulus(bits))), expected, "{bits}");
    }
    let strong = RsaKeyPair::generate(KeySize::Rsa3072).unwrap();
    let strong: RsaPublicKeyComponents<Vec<u8>> =
        aws_lc_rs::signature::KeyPair::public_key(&strong).into();
    assert_eq!(flaw(of(strong.n)), None);
}

#[test]
fn a_kid_names_one_key() {
    let same = with(rsa_jwk(), "kid", json!("ec"));
    let twice = Err(KeysError::Key { nth: 2, flaw: KeyFlaw::KidTwice });
    assert_eq!(read(&[ec_jwk(), same.clone()]), twice);
    // what is left out names nothing
    assert_eq!(read(&[with(ec_jwk(), "use", json!("enc")), same]).unwrap().0, 1);
    let without = with(ec_jwk(), "kid", Value::Null);
    assert_eq!(read(&[without.clone(), without]).unwrap().0, 2);
}

#[test]
fn what_is_no_set_is_an_error() {
    let none = |text: &str| KeySet::read(text.as_bytes()).unwrap_err();
    for text in ["", "<html>", "{\"keys\":[],\"keys\":[]}", "{\"keys\":[]} x"] {
        assert!(matches!(none(text), KeysError::NotJson(_)), "{text}");
    }
    for text in ["[]", "{}", "{\"keys\":{}}", "null"] {
        assert_eq!(none(text), KeysError::NoList, "{text}");
    }
    assert_eq!(none("{\"keys\":[]}"), KeysError::None);
    let many = |count: usize| read(&vec![with(rsa_jwk(), "kid", Value::Null); count]);
    assert_eq!(many(64).map(|(count, _)| count), Ok(64));
    assert_eq!(many(65), Err(KeysError::TooMany));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>()) {
        let _ = KeySet::read(&bytes);
        let mut text = jwks().into_bytes();
        let at = at.index(text.len());
        text.truncate(at);
        text.extend(bytes);
        let _ = KeySet::read(&text);
    }
}
