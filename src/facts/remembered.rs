//! What is known of containers and execs that were looked at before, by their full ids, so that whoever works in a
//! container of his own does not have the daemon asked each time. Nothing is known by name here: a name may be another's
//! by now. What carried a request of an identity is remembered for that identity alone, so that what is another's takes
//! the same lookups as what is not there. Events of the daemon only take away; while nobody hears them, nothing
//! is remembered, and since a slow reader is not told of what it lost, nothing is for long.

use crate::policy::facts::{Container, Exec, Facts, Needs, Seen, Volume};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long something is remembered.
const LONGEST: Duration = Duration::from_secs(60);
/// How many containers are, and how many execs.
const MOST: usize = 1024;
/// The most of one that is remembered, in bytes, with the volumes of a container.
const HEAVIEST: usize = 16 << 10;
/// What a text takes beside its bytes.
const TEXT: usize = 64;
/// The most memory that all of it takes, in bytes.
pub const REMEMBERED: u64 = (2 * MOST * HEAVIEST) as u64;
/// How many of the last that were forgotten are known, for who has looked before that.
const FORGOTTEN: usize = 1024;
/// Beyond so many execs a container is looked at anew: what was made since then counts as one each time.
const EXECS: usize = 128;

/// A moment, counted by what was forgotten before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

/// By the identity that it carried a request of, and the full id.
type Key = (String, String);

#[derive(Debug, Default)]
pub(super) struct Remembered(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    /// Whether the daemon's events are heard.
    hears: bool,
    /// How often something was forgotten, or all.
    moment: u64,
    /// The last that were, with the moment after.
    forgotten: VecDeque<(u64, String)>,
    containers: HashMap<Key, KnownContainer>,
    execs: HashMap<Key, (Instant, Exec)>,
    /// Containers that are to go when they end, and were made a moment ago.
    fleeting: HashMap<Key, Instant>,
}

/// A container with the volumes that it holds, which nobody can replace while it is there.
#[derive(Debug)]
struct KnownContainer {
    since: Instant,
    uses: usize,
    container: Container,
    volumes: BTreeMap<String, Volume>,
}

fn is_fresh(since: Instant) -> bool {
    since.elapsed() < LONGEST
}

/// How much is known of a volume, in bytes.
fn weight_of(volume: &Volume) -> usize {
    let Volume { name, labels, driver, options } = volume;
    let texts = |map: &BTreeMap<String, String>| {
        map.iter().map(|(key, value)| key.len() + value.len() + 2 * TEXT).sum::<usize>()
    };
    2 * name.len() + driver.len() + texts(labels) + texts(options) + 3 * TEXT
}

/// Whether a text is a full id, and not a name or the beginning of one.
fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl Remembered {
    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Now, for who looks something up.
    pub(super) fn now(&self) -> Moment {
        Moment(self.lock().moment)
    }

    /// Takes out of the needs what is remembered for this identity.
    pub(super) fn recall(&self, identity: &str, needs: &mut Needs) -> Facts {
        let mut memory = self.lock();
        let mut facts = Facts::default();
        if let Some(id) = &needs.exec
            && let Some((since, exec)) = memory.execs.get(&(identity.to_owned(), id.clone()))
            && is_fresh(*since)
        {
            facts.exec = Some(Seen::Found(exec.clone()));
            facts.remembered = true;
            needs.exec = None;
        }
        if !memory.hears {
            return facts;
        }
        needs.containers.retain(|id| {
            let Some(known) = memory.containers.get_mut(&(identity.to_owned(), id.clone())) else {
                return true;
            };
            let execs = known.container.execs + known.uses;
            if !is_fresh(known.since) || execs >= EXECS {
                return true;
            }
            known.uses += 1;
            let container = Container { execs, ..known.container.clone() };
            facts.containers.insert(id.clone(), Seen::Found(container));
            let volumes = known.volumes.iter();
            facts.volumes.extend(volumes.map(|(name, v)| (name.clone(), Seen::Found(v.clone()))));
            facts.remembered = true;
            false
        });
        facts
    }

    /// Remembers the containers that carried a request of this identity, as they were looked up since that moment.
    pub(super) fn keep(&self, identity: &str, since: Moment, facts: &Facts) {
        let mut memory = self.lock();
        if !memory.hears || facts.remembered {
            return;
        }
        for (name, container) in &facts.containers {
            let Seen::Found(container) = container else { continue };
            let held = container.volumes.iter().filter_map(|name| {
                let Seen::Found(volume) = facts.volumes.get(name)? else { return None };
                Some((name.clone(), volume.clone()))
            });
            let id = &container.id;
            if !is_id(id) || name.len() == id.len() && name != id {
                continue;
            }
            let volumes: BTreeMap<String, Volume> = held.collect();
            let weight = container.weight() + volumes.values().map(weight_of).sum::<usize>();
            if weight > HEAVIEST || memory.forgot(id, since) {
                continue;
            }
            let known = KnownContainer {
                since: Instant::now(),
                uses: 1,
                container: container.clone(),
                volumes,
            };
            if memory.containers.len() >= MOST {
                memory.containers.retain(|_, known| is_fresh(known.since));
            }
            if memory.containers.len() >= MOST {
                memory.containers.clear();
            }
            memory.containers.insert((identity.to_owned(), id.clone()), known);
        }
    }

    /// Remembers an exec that an identity has made.
    pub(super) fn made(&self, identity: &str, id: &str, exec: Exec) {
        let weight = exec.words.iter().map(|word| word.len() + TEXT).sum::<usize>();
        if !is_id(id) || weight + exec.user.len() > HEAVIEST {
            return;
        }
        let mut memory = self.lock();
        if memory.execs.len() >= MOST {
            memory.execs.retain(|_, (since, _)| is_fresh(*since));
        }
        if memory.execs.len() >= MOST {
            memory.execs.clear();
        }
        memory.execs.insert((identity.to_owned(), id.to_owned()), (Instant::now(), exec));
    }

    /// Remembers that an identity has made a container that is to go when it ends.
    pub(super) fn made_fleeting(&self, identity: &str, id: &str) {
        if !is_id(id) {
            return;
        }
        let mut memory = self.lock();
        if memory.fleeting.len() >= MOST {
            memory.fleeting.retain(|_, since| is_fresh(*since));
        }
        if memory.fleeting.len() < MOST {
            memory.fleeting.insert((identity.to_owned(), id.to_owned()), Instant::now());
        }
    }

    /// Whether this identity has just made it. Whether it was started since, the daemon knows.
    pub(super) fn is_unstarted(&self, identity: &str, id: &str) -> bool {
        let key = (identity.to_owned(), id.to_owned());
        self.lock().fleeting.get(&key).is_some_and(|made| is_fresh(*made))
    }

    /// The same, which is so no more.
    pub(super) fn take_unstarted(&self, identity: &str, id: &str) -> bool {
        let made = self.lock().fleeting.remove(&(identity.to_owned(), id.to_owned()));
        made.is_some_and(is_fresh)
    }

    /// Something has changed of the container of this full id.
    pub(super) fn forget(&self, id: &str) {
        if !is_id(id) {
            return;
        }
        let mut memory = self.lock();
        memory.moment += 1;
        let moment = memory.moment;
        memory.forgotten.push_back((moment, id.to_owned()));
        if memory.forgotten.len() > FORGOTTEN {
            memory.forgotten.pop_front();
        }
        memory.containers.retain(|(_, known), _| known != id);
    }

    /// The daemon's events are heard from now on, or no more.
    pub(super) fn hear(&self, hears: bool) {
        let mut memory = self.lock();
        memory.hears = hears;
        memory.containers.clear();
        // whoever has looked before does not know what was missed
        memory.forgotten.clear();
        memory.moment += 1;
    }
}

impl Memory {
    /// Whether this may have changed since that moment.
    fn forgot(&self, id: &str, since: Moment) -> bool {
        let known_from = match self.forgotten.front() {
            Some((moment, _)) => moment - 1,
            None => self.moment,
        };
        since.0 < known_from
            || self.forgotten.iter().any(|(moment, of)| *moment > since.0 && of == id)
    }
}

/// What happens to a container that does not change what it is: that somebody works in it.
const NOTHING: [&str; 9] = [
    "exec_",
    "health_status",
    "attach",
    "detach",
    "resize",
    "top",
    "archive-path",
    "extract-to-dir",
    "export",
];

/// The container that an event of the daemon changes.
pub(super) fn changed(event: &serde_json::Value) -> Option<&str> {
    let text = |path: &str| event.pointer(path).and_then(serde_json::Value::as_str);
    let action = text("/Action").unwrap_or_default();
    match text("/Type")? {
        "container" if NOTHING.iter().any(|nothing| action.starts_with(nothing)) => None,
        "container" => text("/Actor/ID"),
        "network" => text("/Actor/Attributes/container"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
