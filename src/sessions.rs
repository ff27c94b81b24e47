//! Who is connected and what is open (L4), and the question that stays open as long as they are: may they still?

mod over;
mod registry;
mod revalidate;

pub(crate) use over::Over;
pub use registry::{Admitted, Cut, Open, Session, Sessions};
pub use revalidate::{Revalidator, TICK};
