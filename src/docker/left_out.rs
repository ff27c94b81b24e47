//! What a client says and no daemon reads: keys that no version of an endpoint or of an object has. Nothing of a client's bytes
//! goes on, so that what is left out is what no daemon could have read; which keys it were is told to whoever asked and
//! to the log. What any version has is a field, and judged.

use super::{Flaw, Malformed};

/// How many are left out of one request.
const MOST: usize = 64;
/// Letters of a key that are told.
const TOLD: usize = 100;

/// The places of what was left out, as they are told, up to a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    places: Vec<String>,
    strict: bool,
}

impl LeftOut {
    /// Of what must be known whole: nothing may be left out.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { places: Vec::new(), strict: true }
    }

    /// The places.
    #[must_use]
    pub fn places(&self) -> &[String] {
        &self.places
    }

    /// Leaves a key of an object out, by its place in what is read now.
    ///
    /// # Errors
    /// [`Flaw::JsonUnknown`] where nothing may be, or not so much.
    pub fn put(&mut self, key: &str) -> Result<(), Malformed> {
        let why = match self.places.len() {
            _ if self.strict => "this key is not known at this place, so it cannot be judged",
            MOST.. => "more keys than anybody sends that no daemon reads",
            _ => {
                self.places.push(told(key));
                return Ok(());
            }
        };
        Err(Malformed::new(Flaw::JsonUnknown, key, why))
    }

    /// Leaves a key of the query out.
    ///
    /// # Errors
    /// [`Flaw::QueryUnknown`] where there are too many.
    pub fn put_query(&mut self, key: &str) -> Result<(), Malformed> {
        let told = format!("query {}", told(key));
        if self.places.contains(&told) {
            return Ok(());
        }
        if self.places.len() >= MOST {
            let why = "more query keys than anybody sends that no daemon reads";
            return Err(Malformed::new(Flaw::QueryUnknown, key, why));
        }
        self.places.push(told);
        Ok(())
    }

    /// Reads what stands under a step, such as `HostConfig` or `[0]`.
    pub fn within<T>(
        &mut self,
        step: impl FnOnce() -> String,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let before = self.places.len();
        let value = read(self);
        if self.places.len() > before {
            let step = told(&step());
            for place in self.places.iter_mut().skip(before) {
                let dot = if place.starts_with('[') { "" } else { "." };
                *place = format!("{step}{dot}{place}");
            }
        }
        value
    }
}

/// As much of a key as is told.
fn told(key: &str) -> String {
    key.chars().filter(|c| !c.is_control()).take(TOLD).collect()
}
