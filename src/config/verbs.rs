//! The words of `allow` and `deny`. Which verbs a resource has, what the groups hold, and which verbs must be
//! spelled out because they amount to more than they look like, all follow from the route table.

use super::mistake::{MistakeLedger, suggest};
use super::yaml::YamlNode;
use crate::docker::{Group, ROUTES, Resource, Verb};
use crate::policy::grants::{Grants, Spelling};

/// What the file can say of a verb, as its routes have it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub(super) verb: Verb,
    /// With which others it is granted by one word.
    pub(super) group: Option<Group>,
    /// Never by `*`.
    pub(super) dagger: bool,
    /// Never by `*` either: each of its endpoints goes over a stream that nobody looks into.
    pub(super) opaque: bool,
}

/// The verbs of a resource; none of the one whose routes nobody may use. `reveal`, which has no endpoint,
/// can be given for each besides.
pub(super) fn verbs_of(resource: Resource) -> Vec<Word> {
    let rows = |verb| ROUTES.iter().filter(move |row| (row.resource, row.verb) == (resource, verb));
    let word = |verb| {
        let row = rows(verb).next().filter(|row| row.verb != Verb::Never)?;
        let opaque = rows(verb).all(|row| row.is_opaque());
        Some(Word { verb, group: row.group, dagger: row.dagger, opaque })
    };
    Verb::ALL.iter().copied().filter_map(word).collect()
}

/// Reads `allow` or `deny`. In a deny `*` covers every verb, the marked ones too.
pub(super) fn grants(node: &YamlNode, is_deny: bool, ledger: &mut MistakeLedger) -> Grants {
    let mut grants = Grants::default();
    for entry in node.entries() {
        let words = entry.value.items();
        if entry.key == "*" {
            words.iter().for_each(|word| everywhere(&mut grants, word, is_deny, ledger));
            continue;
        }
        match known(&entry.key) {
            Some((resource, verbs)) => words.iter().for_each(|word| {
                if !add(&mut grants, resource, &verbs, word.text().unwrap_or_default(), is_deny) {
                    unknown_verb(resource, &verbs, word, ledger);
                }
            }),
            None => {
                let known = Resource::ALL.iter().filter(|of| **of != Resource::Nothing);
                let next = suggest(&entry.key, known.map(|of| of.as_str()).chain(["*"]));
                ledger.mistake(entry.at, format!("unknown resource {:?}", entry.key), next);
            }
        }
    }
    grants
}

/// The resource of this name that has verbs to grant, with them.
pub(super) fn known(resource: &str) -> Option<(Resource, Vec<Word>)> {
    let resource = Resource::parse(resource)?;
    Some((resource, verbs_of(resource))).filter(|(_, verbs)| !verbs.is_empty())
}

/// Adds what a word means for one resource; false if it means nothing there.
fn add(grants: &mut Grants, resource: Resource, verbs: &[Word], word: &str, is_deny: bool) -> bool {
    let named = Verb::parse(word);
    let named = named.filter(|v| *v == Verb::Reveal || verbs.iter().any(|of| of.verb == *v));
    if let Some(verb) = named {
        // of debug, `read` is the verb itself
        grants.add(resource, verb, Spelling::Named);
        return true;
    }
    let group = Group::parse(word);
    let meant = |of: &&Word| match word {
        "*" => is_deny || !(of.dagger || of.opaque),
        _ => group.is_some() && of.group == group,
    };
    verbs.iter().filter(meant).for_each(|of| grants.add(resource, of.verb, Spelling::Wild));
    word == "*" || verbs.iter().any(|of| meant(&of))
}

/// A word under the resource `*`. It spells no resource out, so of what must be spelled out it
/// grants nothing but `reveal`.
fn everywhere(grants: &mut Grants, node: &YamlNode, is_deny: bool, ledger: &mut MistakeLedger) {
    let word = node.text().unwrap_or_default();
    let mut meant = word == "*";
    let mut marked = None;
    for &resource in Resource::ALL.iter().filter(|of| **of != Resource::Nothing) {
        let grantable = |of: &Word| is_deny || word == "*" || !(of.dagger || of.opaque);
        let (kept, shut): (Vec<Word>, Vec<Word>) =
            verbs_of(resource).into_iter().partition(grantable);
        if shut.iter().any(|of| of.verb.as_str() == word) {
            marked = marked.or(Some(resource));
        }
        meant |= add(grants, resource, &kept, word, is_deny);
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

fn unknown_verb(resource: Resource, verbs: &[Word], node: &YamlNode, ledger: &mut MistakeLedger) {
    let Some(word) = node.text() else { return };
    if word == "never" {
        return ledger.mistake(node.at, "\"never\" is granted by nothing", "remove it");
    }
    let of_group = |group: &&Group| verbs.iter().any(|of| of.group == Some(**group));
    let groups = Group::ALL.iter().filter(of_group).map(|group| group.as_str());
    let names = verbs.iter().map(|of| of.verb.as_str()).chain(groups);
    let what = format!("{resource} has no verb {word:?}");
    ledger.mistake(node.at, what, suggest(word, names.chain(["*"])));
}
