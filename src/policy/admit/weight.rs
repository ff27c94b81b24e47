//! What a request has the daemon keep: texts that nobody looks into stay in its memory for as long as the object is there,
//! and an exec that is never started is there until its container stops.

use super::Judge;
use crate::policy::Reason;

/// Bytes of arguments, environment and the like of one object, and again of its labels, of its anonymous volumes and its
/// tmpfs, whose targets are looked for when it starts: as much as the kernel takes
/// of one argument (`MAX_ARG_STRLEN` in `include/uapi/linux/binfmts.h`).
const MOST_BYTES: usize = 128 << 10;

impl Judge<'_> {
    /// Texts that are kept and mean nothing to the gate; `field` is where most of them stand.
    pub(super) fn weigh<'t>(&mut self, field: &str, texts: impl IntoIterator<Item = &'t str>) {
        let bytes = texts.into_iter().fold(0, |sum: usize, text| sum.saturating_add(text.len()));
        if bytes > MOST_BYTES {
            let what = format!("have the daemon keep {bytes} bytes of texts");
            self.deny(Reason::Weight, field, bytes.to_string(), what);
            self.allowing(format!("at most {MOST_BYTES} bytes together"));
        }
    }
}
