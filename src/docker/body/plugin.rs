//! What a plugin is granted: the bodies of pull and upgrade are arrays of these.

use super::create::{Text, Texts};
use super::field::body;

body! {
    /// `plugin.Privilege`.
    PluginPrivilege<'a> {
        name: Text<'a> = "Name",
        description: Text<'a> = "Description",
        value: Texts<'a> = "Value",
    }
}
