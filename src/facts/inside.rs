//! Where a path in a container leads. A mount's target and a working directory are text to us, and the runtime follows
//! links in the container's own tree, which an image or an earlier life of the container has made. So the daemon is
//! asked for each name on the way (`HEAD /containers/{}/archive`), which says what is a link and where that leads.

use super::inspected;
use super::look;
use crate::daemon::{AnswerShare, Daemon, DaemonError, Lookup};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A path in a container, after its full id.
type InnerPath = (String, String);

/// Names that are asked about for one request.
const MOST_NAMES: usize = 64;

/// How long we wait for somebody who looks into the same container or brings it up: less than all that is looked up at
/// once may take, so that the rest can be told.
const PATIENCE: Duration = Duration::from_secs(5);

/// `ModeSymlink` of Go's `io/fs`.
const LINK: u64 = 1 << 27;

/// Follows each path; what cannot be followed is left out.
pub(super) async fn paths(
    daemon: &Daemon,
    share: &AnswerShare,
    asked: &BTreeSet<InnerPath>,
) -> BTreeMap<InnerPath, String> {
    let mut found = BTreeMap::new();
    let containers: BTreeSet<&str> =
        asked.iter().map(|(container, _)| container.as_str()).collect();
    for container in containers {
        let turn = tokio::time::timeout(PATIENCE, daemon.turn(container)).await;
        let Ok(_turn) = turn else { continue };
        if !may_be_asked(daemon, share, container).await {
            continue;
        }
        let mut tree =
            InnerTree { daemon, share, container, known: BTreeMap::new(), left: MOST_NAMES };
        for path in asked.iter().filter(|(of, _)| of == container) {
            match tree.follow(&path.1).await {
                Ok(leads) => {
                    found.insert(path.clone(), leads);
                }
                Err(why) => tracing::warn!(why, "a path in a container could not be followed"),
            }
        }
    }
    found
}

/// Whether it still stands as it did when it was first looked at, now that nobody brings it up through us.
async fn may_be_asked(daemon: &Daemon, share: &AnswerShare, container: &str) -> bool {
    let answer = daemon.look_for(Lookup::Container(container.to_owned()), share).await;
    let seen = answer.ok().flatten().and_then(|answer| inspected::container(&answer));
    let Some(mut seen) = seen else { return false };
    look::see_mounts(daemon, &mut seen).await;
    seen.can_be_asked_about()
}

/// The tree of one container, as far as it was asked about.
struct InnerTree<'a> {
    daemon: &'a Daemon,
    share: &'a AnswerShare,
    container: &'a str,
    known: BTreeMap<String, InnerNode>,
    left: usize,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum InnerNode {
    Plain,
    Missing,
    /// A link, and where it leads once all others behind it are followed.
    Link(String),
}

impl InnerTree<'_> {
    /// Where an absolute, clean path leads. What is missing is made by the runtime, and nothing lies behind it.
    async fn follow(&mut self, path: &str) -> Result<String, String> {
        let mut here = String::new();
        let mut missing = false;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            here = format!("{here}/{name}");
            if missing {
                continue;
            }
            match self.node(&here).await? {
                InnerNode::Plain => {}
                InnerNode::Missing => missing = true,
                InnerNode::Link(leads) => here = leads,
            }
        }
        Ok(if here.is_empty() { "/".to_owned() } else { here })
    }

    async fn node(&mut self, path: &str) -> Result<InnerNode, String> {
        if let Some(known) = self.known.get(path) {
            return Ok(known.clone());
        }
        self.left = self.left.checked_sub(1).ok_or("it has too many names on its way")?;
        let lookup = Lookup::Inside(self.container.to_owned(), path.to_owned());
        let said = self.daemon.look_for(lookup, self.share).await;
        let said = said.map_err(|why: DaemonError| why.to_string())?;
        let node = match said {
            None => InnerNode::Missing,
            Some(stat) => node(&stat).ok_or("the daemon's answer cannot be read")?,
        };
        self.known.insert(path.to_owned(), node.clone());
        Ok(node)
    }
}

/// A `ContainerPathStat` (`api/types/types.go`). Its `linkTarget` is what is left when all links are followed within
/// the container (`StatPath` in `daemon/archive.go`, `container/archive.go`).
fn node(stat: &Value) -> Option<InnerNode> {
    let mode = stat.get("mode")?.as_u64()?;
    let leads = stat.get("linkTarget")?.as_str()?;
    if mode & LINK == 0 && leads.is_empty() {
        return Some(InnerNode::Plain);
    }
    let names = leads.strip_prefix('/')?.trim_end_matches('/');
    let clean = names.is_empty() || !names.split('/').any(|name| matches!(name, "" | "." | ".."));
    let leads = if names.is_empty() { String::new() } else { format!("/{names}") };
    clean.then_some(InnerNode::Link(leads))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_link_is_told_by_its_mode_or_by_where_it_leads() {
        let said = |mode: u64, leads: &str| node(&json!({ "mode": mode, "linkTarget": leads }));
        assert_eq!(said(0o755 | 1 << 31, ""), Some(InnerNode::Plain));
        for (leads, to) in [("/dev", "/dev"), ("/", ""), ("/a/b/", "/a/b")] {
            assert_eq!(said(LINK | 0o777, leads), Some(InnerNode::Link(to.to_owned())), "{leads}");
            assert_eq!(said(0o777, leads), Some(InnerNode::Link(to.to_owned())), "{leads}");
        }
        for leads in ["", "dev", "/a/../dev", "/a//b", "/./a"] {
            assert_eq!(said(LINK | 0o777, leads), None, "{leads}");
        }
        for untold in [json!({}), json!({ "mode": 493 }), json!({ "linkTarget": "" })] {
            assert_eq!(node(&untold), None, "{untold}");
        }
    }
}
