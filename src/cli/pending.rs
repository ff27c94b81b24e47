//! For the errors of rooms that do not say their next step by themselves yet: this file goes with them.

use crate::audit::{AuditError, ReadError};
use crate::problem::{Actionable, Problem};

macro_rules! pending {
    ($($error:ty),*) => { $(
        impl Actionable for $error {
            fn problem(&self) -> Problem {
                let text = self.to_string();
                match text.rsplit_once(", ").or_else(|| text.rsplit_once("; ")) {
                    Some((what, next)) => Problem::new(what.to_owned(), next.to_owned()),
                    None => Problem::new(text, "see the log"),
                }
            }
        }
    )* };
}

pending!(AuditError, ReadError);
