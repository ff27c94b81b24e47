//! The words of `allow` and `deny`: which verbs a resource has, which of them are reads, and which must
//! be spelled out because they amount to more than they look like.

use super::mistake::{Ledger, suggest};
use super::yaml::Node;
use crate::docker::{Resource, Verb};
use crate::policy::grants::{Grants, Spelling};

/// What the groups make of a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// In `read` and in `*`.
    Read,
    /// In `*`.
    Plain,
    /// A stream that nobody looks into: in `*`, which does not hold for it.
    Opaque,
    /// Never in a group.
    Dagger,
}

use Mark::{Dagger, Opaque, Plain, Read};

/// The verbs of each resource. `reveal`, which has no endpoint, can be given for each besides.
pub(super) const VERBS: &[(Resource, &[(Verb, Mark)])] = &[
    (
        Resource::System,
        &[
            (Verb::Ping, Plain),
            (Verb::Version, Read),
            (Verb::Info, Read),
            (Verb::Df, Read),
            (Verb::Events, Read),
        ],
    ),
    (
        Resource::Container,
        &[
            (Verb::List, Read),
            (Verb::Inspect, Read),
            (Verb::Top, Read),
            (Verb::Stats, Read),
            (Verb::Changes, Read),
            (Verb::Logs, Plain),
            (Verb::Export, Plain),
            (Verb::CopyOut, Plain),
            (Verb::CopyIn, Opaque),
            (Verb::Create, Plain),
            (Verb::Start, Plain),
            (Verb::Restart, Plain),
            (Verb::Kill, Plain),
            (Verb::Pause, Plain),
            (Verb::Unpause, Plain),
            (Verb::Rename, Plain),
            (Verb::Update, Plain),
            (Verb::Wait, Plain),
            (Verb::Resize, Plain),
            (Verb::Stop, Plain),
            (Verb::Delete, Plain),
            (Verb::Prune, Plain),
            (Verb::Attach, Plain),
            (Verb::Exec, Plain),
            (Verb::Checkpoint, Dagger),
        ],
    ),
    (
        Resource::Image,
        &[
            (Verb::List, Read),
            (Verb::Inspect, Read),
            (Verb::Save, Plain),
            (Verb::Pull, Plain),
            (Verb::Import, Dagger),
            (Verb::Load, Dagger),
            (Verb::Push, Plain),
            (Verb::Tag, Plain),
            (Verb::Commit, Plain),
            (Verb::Delete, Plain),
            (Verb::Prune, Plain),
        ],
    ),
    (Resource::Registry, &[(Verb::Login, Plain), (Verb::Search, Plain), (Verb::Resolve, Plain)]),
    (
        Resource::Build,
        &[
            (Verb::Create, Opaque),
            (Verb::Cancel, Plain),
            (Verb::Prune, Dagger),
            (Verb::Buildkit, Dagger),
        ],
    ),
    (
        Resource::Volume,
        &[
            (Verb::List, Read),
            (Verb::Inspect, Read),
            (Verb::Create, Plain),
            (Verb::Update, Dagger),
            (Verb::Delete, Plain),
            (Verb::Prune, Plain),
        ],
    ),
    (
        Resource::Network,
        &[
            (Verb::List, Read),
            (Verb::Inspect, Read),
            (Verb::Create, Plain),
            (Verb::Connect, Plain),
            (Verb::Disconnect, Plain),
            (Verb::Delete, Plain),
            (Verb::Prune, Plain),
        ],
    ),
    (
        Resource::Service,
        &[
            (Verb::List, Read),
            (Verb::Inspect, Read),
            (Verb::Create, Plain),
            (Verb::Update, Plain),
            (Verb::Delete, Plain),
            (Verb::Logs, Plain),
        ],
    ),
    (Resource::Task, &[(Verb::List, Read), (Verb::Inspect, Read), (Verb::Logs, Plain)]),
    (
        Resource::Node,
        &[
            (Verb::List, Read),
            (Verb::Inspect, Read),
            (Verb::Update, Dagger),
            (Verb::Delete, Dagger),
        ],
    ),
    (
        Resource::Secret,
        &[
            (Verb::List, Read),
            (Verb::Inspect, Read),
            (Verb::Create, Plain),
            (Verb::Update, Plain),
            (Verb::Delete, Plain),
        ],
    ),
    (
        Resource::Config,
        &[
            (Verb::List, Read),
            (Verb::Inspect, Read),
            (Verb::Create, Plain),
            (Verb::Update, Plain),
            (Verb::Delete, Plain),
        ],
    ),
    (
        Resource::Swarm,
        &[
            (Verb::Inspect, Dagger),
            (Verb::UnlockKey, Dagger),
            (Verb::Init, Dagger),
            (Verb::Join, Dagger),
            (Verb::Leave, Dagger),
            (Verb::Update, Dagger),
            (Verb::Unlock, Dagger),
        ],
    ),
    (
        Resource::Plugin,
        &[
            (Verb::List, Read),
            (Verb::Inspect, Read),
            (Verb::Privileges, Dagger),
            (Verb::Pull, Dagger),
            (Verb::Create, Dagger),
            (Verb::Enable, Dagger),
            (Verb::Disable, Dagger),
            (Verb::Set, Dagger),
            (Verb::Upgrade, Dagger),
            (Verb::Push, Dagger),
            (Verb::Delete, Dagger),
        ],
    ),
    (Resource::Debug, &[(Verb::Read, Dagger)]),
];

/// What `docker run --rm -it` does.
const RUN: &[Verb] = &[
    Verb::Create,
    Verb::Start,
    Verb::Attach,
    Verb::Wait,
    Verb::Resize,
    Verb::Logs,
    Verb::Stop,
    Verb::Kill,
    Verb::Delete,
];

/// Reads `allow` or `deny`. In a deny `*` covers every verb, the marked ones too.
pub(super) fn grants(node: &Node, is_deny: bool, ledger: &mut Ledger) -> Grants {
    let mut grants = Grants::default();
    for entry in node.entries() {
        if entry.key == "*" {
            entry
                .value
                .items()
                .iter()
                .for_each(|word| everywhere(&mut grants, word, is_deny, ledger));
            continue;
        }
        let resource = Resource::parse(&entry.key).and_then(verbs_of);
        match resource {
            Some((resource, verbs)) => entry.value.items().iter().for_each(|word| {
                if !add(&mut grants, (*resource, verbs), word.text().unwrap_or_default(), is_deny) {
                    unknown_verb(*resource, verbs, word, ledger);
                }
            }),
            None => {
                let next = suggest(&entry.key, VERBS.iter().map(|(r, _)| r.as_str()).chain(["*"]));
                ledger.mistake(entry.at, format!("unknown resource {:?}", entry.key), next);
            }
        }
    }
    grants
}

/// The verbs of a resource; none of the one whose routes nobody may use.
pub(super) fn verbs_of(resource: Resource) -> Option<&'static (Resource, &'static [(Verb, Mark)])> {
    VERBS.iter().find(|(of, _)| *of == resource)
}

type Row<'v> = (Resource, &'v [(Verb, Mark)]);

/// Adds what a word means for one resource; false if it means nothing there.
fn add(grants: &mut Grants, (resource, verbs): Row<'_>, word: &str, is_deny: bool) -> bool {
    let mut added = false;
    let mut put = |verb: Verb, spelling: Spelling| {
        grants.add(resource, verb, spelling);
        added = true;
    };
    let own = Verb::parse(word).filter(|verb| verbs.iter().any(|(of, _)| of == verb));
    match word {
        "reveal" => put(Verb::Reveal, Spelling::Named),
        "*" => {
            let covered = verbs.iter().filter(|(_, mark)| is_deny || *mark != Dagger);
            covered.for_each(|(verb, _)| put(*verb, Spelling::Wild));
        }
        "run" if resource == Resource::Container => {
            RUN.iter().for_each(|verb| put(*verb, Spelling::Wild));
        }
        // of debug, `read` is the verb itself
        "read" if own.is_none() => {
            let reads = verbs.iter().filter(|(_, mark)| *mark == Read);
            reads.for_each(|(verb, _)| put(*verb, Spelling::Wild));
        }
        _ => own.into_iter().for_each(|verb| put(verb, Spelling::Named)),
    }
    added || (word == "*")
}

/// A word under the resource `*`. It spells no resource out, so of what must be spelled out it
/// grants nothing but `reveal`.
fn everywhere(grants: &mut Grants, node: &Node, is_deny: bool, ledger: &mut Ledger) {
    let word = node.text().unwrap_or_default();
    let mut meant = word == "*";
    let mut marked = None;
    for (resource, verbs) in VERBS {
        let grantable = |mark: Mark| is_deny || word == "*" || matches!(mark, Read | Plain);
        let kept: Vec<(Verb, Mark)> =
            verbs.iter().filter(|(_, mark)| grantable(*mark)).copied().collect();
        if verbs.iter().any(|(verb, mark)| verb.as_str() == word && !grantable(*mark)) {
            marked = marked.or(Some(resource));
        }
        meant |= add(grants, (*resource, &kept), word, is_deny);
    }
    if meant {
        return;
    }
    match marked {
        Some(resource) => {
            let what = format!("{word:?} must be granted by naming its resource");
            ledger.mistake(node.at, what, format!("write {resource}: [{word}]"));
        }
        None => {
            let names = Verb::ALL.iter().filter(|v| **v != Verb::Never).map(|v| v.as_str());
            ledger.mistake(node.at, format!("unknown verb {word:?}"), suggest(word, names));
        }
    }
}

fn unknown_verb(resource: Resource, verbs: &[(Verb, Mark)], node: &Node, ledger: &mut Ledger) {
    let Some(word) = node.text() else { return };
    if word == "never" {
        return ledger.mistake(node.at, "\"never\" is granted by nothing", "remove it");
    }
    let reads = verbs.iter().any(|(_, mark)| *mark == Read).then_some("read");
    let run = (resource == Resource::Container).then_some("run");
    let names = verbs.iter().map(|(verb, _)| verb.as_str()).chain(reads).chain(run);
    let what = format!("{resource} has no verb {word:?}");
    ledger.mistake(node.at, what, suggest(word, names.chain(["*"])));
}
