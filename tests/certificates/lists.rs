//! The revocation lists and deny-lists of `lists.yaml`: each row has a listener of its own with its lists,
//! and a set of lists that cannot be loaded keeps a gate from starting.

use crate::gate::{Gate, assert_plain};
use crate::pki::{Maker, pem};
use crate::table::{Case, Denied, Table, Verdict};
use crate::{Run, Shows, shown};
use std::fmt::Write as _;

/// What a row's listener has, as files of this number.
struct Door {
    listen: String,
    files: Vec<(String, String)>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_list_of_the_table() {
    let table = Table::read(include_str!("lists.yaml"));
    let mut maker = Maker::new(&table.authorities);
    let (mut doors, mut clients, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for case in &table.cases {
        let shows = shown(&mut maker, case);
        let door = Door::new(doors.len(), &table, &maker, case, &shows);
        if case.expect == Verdict::Load {
            wrong.extend(starts(case, &maker, door).await);
        } else {
            doors.push(door);
            clients.push((case, shows));
        }
    }
    assert!(wrong.is_empty(), "{} lists:\n{}", wrong.len(), wrong.join("\n"));
    let gate = start(&maker, &doors).await.unwrap();
    let mut run = Run::new(gate);
    for (door, (case, shows)) in clients.into_iter().enumerate() {
        for tls12 in [false, true] {
            run.drive(case, door, tls12, shows.clone()).await;
        }
    }
    run.settle().await;
}

/// What is wrong if a gate starts all the same, or does not for another reason.
async fn starts(case: &Case, maker: &Maker, door: Door) -> Option<String> {
    let because = case.because.as_deref().unwrap();
    let said = match start(maker, &[door]).await {
        Ok(_) => "the gate starts".to_owned(),
        Err(said) => {
            assert_plain(&said);
            said
        }
    };
    (!said.contains(because)).then(|| format!("{} ({}): {said}", case.name, case.what))
}

async fn start(maker: &Maker, doors: &[Door]) -> Result<Gate, String> {
    let listen: String = doors.iter().map(|door| door.listen.as_str()).collect();
    let policy = include_str!("lists-policy.yaml").replace("LISTEN\n", &listen);
    let mut files = vec![("clients.pem".to_owned(), maker.trusted_pem())];
    files.extend(doors.iter().flat_map(|door| door.files.clone()));
    Gate::start(&policy, &files).await
}

impl Door {
    fn new(number: usize, table: &Table, maker: &Maker, case: &Case, shows: &Shows) -> Self {
        let mut listen = format!(
            "  - {{ tls: \"127.0.1.{}:0\", certificate: server.pem, key: server-key.pem, \
             client_ca: clients.pem, tls_min: \"1.2\"",
            number + 1
        );
        let mut files = Vec::new();
        if let Some(names) = &case.lists {
            let lists = names.iter().map(|name| {
                let wish = table.lists.iter().find(|wish| wish.name == *name);
                maker.list(wish.unwrap_or_else(|| panic!("no list is called {name}")))
            });
            files.push((format!("{number}.crl"), lists.map(|der| pem("X509 CRL", &der)).collect()));
            write!(listen, ", crl: {number}.crl").unwrap();
        }
        if case.accept_expired {
            listen += ", danger_accept_expired_crl: true";
        }
        if let Some(lines) = &case.deny {
            let lines = lines.iter().map(|line| denied(line, maker, shows) + "\n");
            files.push((format!("{number}.deny"), lines.collect()));
            write!(listen, ", deny: {number}.deny").unwrap();
        }
        Self { listen: listen + " }\n", files }
    }
}

fn denied(line: &Denied, maker: &Maker, shows: &Shows) -> String {
    let leaf = || shows.as_ref().unwrap().cert[0].to_vec();
    let certificate = |name: &str| match name {
        "the leaf" => leaf(),
        name => maker.authority(name).der.clone(),
    };
    match line {
        Denied::Line(line) => line.clone(),
        Denied::Certificate(name) => format!("certificate:{}", sha256(&certificate(name))),
        Denied::Key(name) => format!("key:{}", sha256(&maker.public_key(name))),
    }
}

fn sha256(bytes: &[u8]) -> String {
    dockward::facade::identity::Fingerprint::of(bytes).to_string()
}
