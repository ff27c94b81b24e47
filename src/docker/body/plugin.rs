//! What a plugin is granted: the bodies of pull and upgrade are arrays of these.

use super::create::Text;
use super::field::{Field, body};
use std::borrow::Cow;

body! {
    /// `plugin.Privilege`.
    PluginPrivilege<'a> {
        name: Text<'a> = "Name" | "name",
        description: Text<'a> = "Description" | "description",
        value: Field<Vec<Cow<'a, str>>> = "Value" | "value",
    }
}
