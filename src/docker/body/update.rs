//! The body of `POST /containers/{}/update`. What is absent or zero stays as it is.

use super::create::{Resources, RestartPolicy};
use super::field::{Field, body};

body! {
    /// `container.UpdateConfig`: `container.Resources` and the restart policy.
    ContainerUpdate<'a> {
        ..resources: Resources<'a>,
        restart_policy: Field<RestartPolicy<'a>> = "RestartPolicy",
    }
}
