//! What ends by itself, said in the log when it comes near and again at each step: the server's certificate,
//! authorities, revocation lists, and clients that were seen.

use crate::control::House;
use crate::identity::expiry::{Dated, ExpiryStage};
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, HashSet};

/// How often it is looked at: ends are known long before.
const EVERY: SignedDuration = SignedDuration::from_mins(1);

/// What was said already.
#[derive(Debug, Default)]
pub(super) struct ExpiryWatch {
    said: HashMap<(String, String), ExpiryStage>,
    next: Option<Timestamp>,
}

impl ExpiryWatch {
    /// Says what has come nearer since it was said last. To be called often: it looks only now and then.
    pub(super) fn look(&mut self, house: &House, now: Timestamp) {
        if self.next.is_some_and(|next| now < next) {
            return;
        }
        self.next = now.checked_add(EVERY).ok();
        let all = house.dated();
        let names: HashSet<_> = all.iter().map(name).collect();
        self.said.retain(|said, _| names.contains(said));
        all.iter().for_each(|dated| self.say(dated, now.as_second()));
    }

    fn say(&mut self, dated: &Dated, now: i64) {
        let stage = dated.span.stage(now);
        let before = self.said.insert(name(dated), stage);
        if before.unwrap_or(ExpiryStage::Good) < stage
            && let Some(notice) = dated.notice(now)
        {
            tracing::warn!(stage = stage.as_str(), "{}", notice.text);
        }
    }
}

fn name(dated: &Dated) -> (String, String) {
    (dated.what.to_string(), dated.subject.clone())
}
