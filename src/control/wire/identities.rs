//! What is said of identities: who was here, who is only observed, and what of theirs would have been refused.

use serde::{Deserialize, Serialize};

said! {
    /// An identity that was here.
    pub struct SeenView {
        /// Its name.
        pub name: String,
        /// When it connected or asked for something last.
        pub last: String,
        /// When the certificate ends that it showed, if it came by one.
        pub certificate_until: Option<String>,
    }

    /// An identity of the policy that is let through and only observed.
    pub struct Observed {
        /// Its name, with `{1}` for what is caught.
        pub identity: String,
        /// When that ends.
        pub until: String,
    }

    /// What would have been refused.
    pub struct WouldView {
        /// Whose it was.
        pub identity: String,
        /// The id of the reason, as `dockward rules` explains it.
        pub reason: String,
        /// How often.
        pub count: u64,
    }
}
