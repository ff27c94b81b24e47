//! What an authority says of those below it holds however the file of authorities is written: a chain of four, a
//! constraint at each place of it, every way to write `client_ca`, and the chain sent along or not. `openssl verify`
//! is asked the same; what it refuses is refused here.

use crate::pki::{Authority, AuthorityWish, Pair, Wish};
use dockward::facade::proxy::{Credentials, Trust};
use rustls::pki_types::UnixTime;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A constraint, and a leaf that keeps it and one that does not.
struct Constraint {
    name: &'static str,
    says: Value,
    within: Value,
    outside: Value,
    /// Whether what keeps it is refused all the same: webpki does not work these out.
    never: bool,
}

impl Constraint {
    fn new(name: &'static str, says: Value, within: Value, outside: Value) -> Self {
        Self { name, says, within, outside, never: false }
    }

    fn never(self) -> Self {
        Self { never: true, ..self }
    }
}

fn constraints() -> Vec<Constraint> {
    let named = |kind: &str, name: &str| json!({ "san": [{ kind: name }] });
    let (inside, elsewhere) =
        (named("dns", "a.hosts.example.org"), named("dns", "a.hosts.example.com"));
    let of = |name, says, within: &Value, outside: &Value| {
        Constraint::new(name, says, within.clone(), outside.clone())
    };
    let subject = json!({ "permit": [{ "directory": [{ "CN": "dev" }] }] });
    let uri = named("uri", "spiffe://example.org/dev");
    let other_uri = named("uri", "spiffe://example.com/dev");
    let any = json!({});
    vec![
        of("none", json!({}), &inside, &elsewhere),
        of(
            "permitted DNS name",
            json!({ "permit": [{ "dns": "hosts.example.org" }] }),
            &inside,
            &elsewhere,
        ),
        of(
            "excluded DNS name",
            json!({ "exclude": [{ "dns": "example.com" }] }),
            &inside,
            &elsewhere,
        ),
        of("permitted subject", subject, &any, &json!({ "cn": "outsider" })).never(),
        of("permitted URI", json!({ "permit": [{ "uri": "example.org" }] }), &uri, &other_uri)
            .never(),
        of("excluded URI", json!({ "exclude": [{ "uri": "example.com" }] }), &uri, &other_uri)
            .never(),
        of("for servers", json!({ "purpose": ["server"] }), &any, &any),
        of(
            "for clients",
            json!({ "purpose": ["client"] }),
            &any,
            &json!({ "purpose": ["server"] }),
        ),
        of("path length 0", json!({ "path-length": 0 }), &any, &any),
        of("path length 1", json!({ "path-length": 1 }), &any, &any),
        of("path length 2", json!({ "path-length": 2 }), &any, &any),
        // requireExplicitPolicy, and the same with a leaf of a policy
        of(
            "policy",
            policy("2.5.29.36", true, "3003800100"),
            &policy("2.5.29.32", false, "3005300306012a"),
            &any,
        )
        .never(),
    ]
}

fn policy(oid: &str, critical: bool, value: &str) -> Value {
    json!({ "extensions": [{ "oid": oid, "critical": critical, "value": value }] })
}

/// root, policy, issuing: one of them says something.
struct Ladder([Authority; 3]);

impl Ladder {
    fn new(place: usize, says: &Value) -> Self {
        let wish = |at: usize, name: &str| -> AuthorityWish {
            let says = if at == place { says.clone() } else { json!({}) };
            serde_json::from_value(json!({ "name": name, "says": says })).unwrap()
        };
        let root = Authority::of(&wish(0, "root"));
        let policy = root.under(wish(1, "policy"));
        let issuing = policy.under(wish(2, "issuing"));
        Self([root, policy, issuing])
    }

    fn leaf(&self, says: &Value) -> Pair {
        let wish: Wish = serde_json::from_value(says.clone()).unwrap();
        self.0[2].issue(&wish)
    }

    /// Those at these places, PEM.
    fn pem(&self, places: &[usize]) -> String {
        places.iter().map(|at| self.0[*at].certificate.as_str()).collect()
    }
}

/// Every way to write the file: any of the three, and all of them in either order.
const FILES: [&[usize]; 8] = [&[0], &[1], &[2], &[1, 0], &[0, 2], &[1, 2], &[0, 1, 2], &[2, 1, 0]];

struct Desk(tempfile::TempDir);

impl Desk {
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// What the gate says: whether it takes the file, and the leaf by it.
    fn gate(&self, file: &Path, leaf: &Pair, sent: &[&Authority]) -> Result<(), String> {
        let credentials = Credentials {
            certificate: PathBuf::new(),
            key: PathBuf::new(),
            client_ca: file.to_owned(),
            crl: None,
            accept_expired_crl: false,
            deny: None,
            tls12: false,
        };
        let now = UnixTime::now();
        let seconds = i64::try_from(now.as_secs()).unwrap();
        let trust = Trust::read(&credentials, seconds).map_err(|error| error.to_string())?;
        let chain: Vec<_> =
            leaf.chain().into_iter().chain(sent.iter().map(|one| one.der())).collect();
        trust.verify(&chain, now).map(drop).map_err(|why| why.to_string())
    }

    /// What openssl says. A file without its root is what `-partial_chain` is for.
    fn openssl(&self, file: &Path, partial: bool, sent: Option<&Path>) -> Result<(), String> {
        let mut command = Command::new("openssl");
        command.args([
            "verify",
            "-no-CApath",
            "-no-CAstore",
            "-purpose",
            "sslclient",
            "-policy_check",
        ]);
        if partial {
            command.arg("-partial_chain");
        }
        if let Some(sent) = sent {
            command.arg("-untrusted").arg(sent);
        }
        command.arg("-CAfile").arg(file).arg(self.0.path().join("leaf.pem"));
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(said) }
    }
}

#[test]
fn what_an_authority_says_holds_however_the_file_is_written() {
    let desk = Desk(tempfile::tempdir().unwrap());
    let (mut wrong, mut allowed, mut refused) = (Vec::new(), 0, 0);
    for constraint in constraints() {
        for place in 0..3 {
            let ladder = Ladder::new(place, &constraint.says);
            let sent = desk.write("sent.pem", &ladder.pem(&[2, 1]));
            for (kept, says) in [(true, &constraint.within), (false, &constraint.outside)] {
                let leaf = ladder.leaf(says);
                desk.write("leaf.pem", &leaf.certificate);
                for places in FILES {
                    let file = desk.write("authorities.pem", &ladder.pem(places));
                    // a file without what stands between is one without its root, for what is above the gap
                    let partial =
                        !places.contains(&0) || (places.contains(&2) && !places.contains(&1));
                    for along in [false, true] {
                        let chain: &[&Authority] =
                            if along { &[&ladder.0[2], &ladder.0[1]] } else { &[] };
                        let ours = desk.gate(&file, &leaf, chain);
                        let theirs = desk.openssl(&file, partial, along.then_some(&*sent));
                        let stricter = constraint.never && ours.is_err();
                        // the file's own topmost authority speaks here, where openssl ends at the lowest
                        let higher = partial && places.contains(&1) && ours.is_err();
                        if ours.is_ok() != theirs.is_ok() && !stricter && !higher {
                            let Constraint { name, .. } = constraint;
                            wrong.push(format!(
                                "{name} at {place}, kept {kept}, file {places:?}, sent {along}: {ours:?}, openssl {theirs:?}"
                            ));
                        }
                        if ours.is_ok() { allowed += 1 } else { refused += 1 }
                    }
                }
            }
        }
    }
    println!("{allowed} let in, {refused} refused");
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(allowed > 200 && refused > 200, "{allowed} let in, {refused} refused");
}
