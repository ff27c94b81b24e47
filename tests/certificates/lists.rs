//! The lists of `lists.yaml`, held against the TLS library's verifier as a gate sets it up: every
//! authority has a list that is in force.

use crate::crl::ListWish;
use crate::maker::Maker;
use crate::wish::{AuthorityWish, Wish, table};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    authorities: Vec<AuthorityWish>,
    lists: Vec<ListWish>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    what: String,
    #[serde(default)]
    leaf: Wish,
    lists: Vec<String>,
    expect: String,
    because: Option<String>,
}

#[test]
fn every_list_of_the_table() {
    let table: Table = table(include_str!("lists.yaml"));
    let mut maker = Maker::new(&table.authorities);
    let mut wrong = Vec::new();
    for case in &table.cases {
        let lists = case.lists.iter().map(|name| {
            let wish = table.lists.iter().find(|wish| wish.name == *name);
            maker.list(wish.unwrap_or_else(|| panic!("no list is called {name}")))
        });
        let lists: Vec<Vec<u8>> = lists.collect();
        let (met, why) = match verifier(&maker, lists) {
            Err(why) => ("load", why),
            Ok(verifier) => match verified(&mut maker, &*verifier, &case.leaf) {
                Ok(()) => ("allowed as dev", String::new()),
                Err(why) => ("handshake", why.to_string()),
            },
        };
        let because = case.because.as_deref().unwrap_or_default();
        if met != case.expect || !why.contains(because) {
            wrong.push(format!("{} ({}): {met} {why}", case.name, case.what));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), table.cases.len(), wrong.join("\n"));
}

fn verifier(maker: &Maker, lists: Vec<Vec<u8>>) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let mut roots = RootCertStore::empty();
    for root in maker.trusted() {
        roots.add(CertificateDer::from(root)).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .with_crls(lists.into_iter().map(CertificateRevocationListDer::from))
        .enforce_revocation_expiration()
        .build()
        .map_err(|error| error.to_string())
}

fn verified(
    maker: &mut Maker,
    verifier: &dyn ClientCertVerifier,
    wish: &Wish,
) -> Result<(), rustls::Error> {
    let leaf = maker.leaf(wish);
    let way = maker.way_up(leaf.signed_by.as_deref().unwrap());
    let chain = maker.chain(&way, &leaf).into_iter().map(CertificateDer::from);
    let chain: Vec<CertificateDer<'_>> = chain.collect();
    let leaf = CertificateDer::from(leaf.der);
    verifier.verify_client_cert(&leaf, &chain, UnixTime::now()).map(|_| ())
}
