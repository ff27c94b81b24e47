//! Tokens of CI jobs, signed well whatever they say, and the sets of keys that issuers publish.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dockward::facade::identity::token::{LEEWAY, LONGEST_LIFE, verify};
use dockward::facade::identity::{Claims, Issuer, Issuers, KeySet};
use serde_json::Value;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

const NOW: i64 = 1000;

static KEY: LazyLock<EcdsaKeyPair> =
    LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());

static ISSUERS: LazyLock<Issuers> = LazyLock::new(|| {
    let point = KEY.public_key().as_ref();
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
    let set =
        format!(r#"{{"keys":[{{"kty":"EC","crv":"P-256","kid":"ec","x":"{x}","y":"{y}"}}]}}"#);
    let (keys, _) = KeySet::read(set.as_bytes()).unwrap();
    Issuers::new(vec![Issuer::new("https://i", "us", keys, Vec::new()).unwrap()]).unwrap()
});

static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// How many tokens were proven so far.
pub fn taken() -> usize {
    TAKEN.load(Ordering::Relaxed)
}

/// A header, and from the next line on the claims, signed; and all of it as a token and as a set of
/// keys.
pub fn token(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    assert!(verify(&text, &ISSUERS, NOW).is_err(), "nobody signed this");
    if let Err(why) = KeySet::read(data) {
        assert!(!why.to_string().contains(char::is_control), "{why}");
    }
    let cut = data.iter().position(|b| *b == b'\n').unwrap_or(data.len());
    let (header, claims) = data.split_at(cut);
    let claims = claims.strip_prefix(b"\n").unwrap_or(claims);
    signed(header, claims);
    signed(br#"{"alg":"ES256","kid":"ec"}"#, claims);
}

fn signed(header: &[u8], claims: &[u8]) {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = KEY.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    match verify(&token, &ISSUERS, NOW) {
        Ok(proven) => {
            TAKEN.fetch_add(1, Ordering::Relaxed);
            header_holds(&serde_json::from_slice(header).unwrap());
            claims_hold(&serde_json::from_slice(claims).unwrap(), &proven);
        }
        Err(why) => assert!(why.rule().id.starts_with("token.") && !why.to_string().is_empty()),
    }
}

fn header_holds(header: &Value) {
    assert_eq!(header["alg"], "ES256");
    assert!(header.get("kid").is_none_or(|kid| kid == "ec"), "{header}");
    for brought in ["crit", "jku", "jwk", "x5u", "x5c", "b64", "zip", "enc"] {
        assert!(header.get(brought).is_none(), "{header}");
    }
}

/// What was proven is what another reader of JSON finds there.
fn claims_hold(read: &Value, proven: &Claims) {
    assert_eq!(read["iss"], "https://i");
    let us = |value: &Value| value == "us";
    assert!(us(&read["aud"]) || read["aud"].as_array().unwrap().iter().any(us), "{read}");
    let seconds = |name: &str| read.get(name).map(|value| value.as_i64().unwrap());
    let (issued, expires) = (seconds("iat").unwrap(), seconds("exp").unwrap());
    assert!(NOW < expires && issued <= NOW + LEEWAY && expires - issued <= LONGEST_LIFE, "{read}");
    assert!(seconds("nbf").is_none_or(|from| from <= NOW + LEEWAY), "{read}");
    assert!(proven.expires() == expires && proven.hold_at(NOW) && !proven.hold_at(expires));
    for (name, value) in read.as_object().unwrap() {
        let plain = match value {
            Value::String(text) => Some(text.clone()),
            Value::Bool(_) => Some(value.to_string()),
            Value::Number(number) if !number.is_f64() => Some(number.to_string()),
            _ => None,
        };
        assert_eq!(proven.value(name), plain.as_deref(), "{name} of {read}");
    }
}
