//! A stream of lines of which some are left out: events.

use crate::policy::sight::Sight;
use bytes::{Bytes, BytesMut};

/// The longest line that is passed on, in bytes. A longer one is left out.
const LONGEST: usize = 1024 * 1024;

/// Lines on their way to somebody who sees some of them.
#[derive(Debug)]
pub(in crate::daemon) struct SeenLines {
    sight: Sight,
    /// The beginning of a line.
    begun: BytesMut,
    /// Whether the line that has begun is too long.
    too_long: bool,
}

impl SeenLines {
    pub(in crate::daemon) fn new(sight: Sight) -> Self {
        Self { sight, begun: BytesMut::new(), too_long: false }
    }

    /// What is passed on of the lines that end in this piece of the stream.
    pub(in crate::daemon) fn pass(&mut self, piece: &[u8]) -> Bytes {
        let mut out = BytesMut::new();
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            if self.begun.len() + part.len() > LONGEST {
                self.too_long = true;
                self.begun.clear();
            }
            if !self.too_long {
                self.begun.extend_from_slice(part);
            }
            if part.ends_with(b"\n") {
                let line = self.begun.split();
                if !std::mem::take(&mut self.too_long)
                    && let Some(told) = self.sight.told(&line)
                {
                    out.extend_from_slice(&told);
                }
            }
        }
        out.freeze()
    }
}
