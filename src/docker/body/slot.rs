//! Objects of fields: one declaration gives struct, reader, writer and the list of keys, so that no field
//! can be read and not written, or written and not judged.

use super::field::{Dropped, Field, Inert, Typed, wrong_type};
use crate::docker::json::{Object, Value};
use crate::docker::{Flaw, Malformed};

/// What the declared fields of a body do for its reader and writer.
pub trait Slot<'a> {
    /// Takes the value of the key.
    ///
    /// # Errors
    /// A [`Malformed`] with the place below this value.
    fn fill(&mut self, value: Value<'a>) -> Result<(), Malformed>;

    /// Writes the value, and says whether there was a key at all; `before` is called first.
    fn emit(&self, out: &mut Vec<u8>, before: impl FnOnce(&mut Vec<u8>));
}

impl<'a, T: Typed<'a>> Slot<'a> for Field<T> {
    fn fill(&mut self, value: Value<'a>) -> Result<(), Malformed> {
        *self = if value == Value::Null { Self::Null } else { Self::Set(T::read(value)?) };
        Ok(())
    }

    fn emit(&self, out: &mut Vec<u8>, before: impl FnOnce(&mut Vec<u8>)) {
        match self {
            Self::Absent => {}
            Self::Null => {
                before(out);
                out.extend_from_slice(b"null");
            }
            Self::Set(value) => {
                before(out);
                value.write(out);
            }
        }
    }
}

impl<'a, T: Typed<'a>> Slot<'a> for Inert<Field<T>> {
    fn fill(&mut self, value: Value<'a>) -> Result<(), Malformed> {
        self.0.fill(value)
    }

    fn emit(&self, out: &mut Vec<u8>, before: impl FnOnce(&mut Vec<u8>)) {
        self.0.emit(out, before);
    }
}

impl<'a, T: Typed<'a>> Slot<'a> for Dropped<T> {
    fn fill(&mut self, value: Value<'a>) -> Result<(), Malformed> {
        Option::<T>::read(value).map(|_| ())
    }

    fn emit(&self, _out: &mut Vec<u8>, _before: impl FnOnce(&mut Vec<u8>)) {}
}

/// An object by its declared fields.
pub trait Fields<'a>: Default {
    /// The key that a decoder which folds case would take this one for.
    fn folded(key: &str) -> Option<&'static str>;

    /// Refuses a field that is given in both spellings that clients use for it.
    ///
    /// # Errors
    /// [`Flaw::JsonDuplicate`].
    fn spelled_once(object: &Object<'a>) -> Result<(), Malformed>;

    /// Takes the value of a key of this object; of any other key it is given back.
    ///
    /// # Errors
    /// A [`Malformed`] with the place below this object.
    fn take(&mut self, key: &str, value: Value<'a>) -> Result<Option<Value<'a>>, Malformed>;

    /// Writes the fields that are there, into an object whose first one belongs at `start`.
    fn write_fields(&self, out: &mut Vec<u8>, start: usize);
}

/// Reads an object.
///
/// # Errors
/// A [`Malformed`] with the place below it.
pub fn read<'a, T: Fields<'a>>(value: Value<'a>) -> Result<T, Malformed> {
    let Value::Object(object) = value else {
        return Err(wrong_type(&value, "an object"));
    };
    T::spelled_once(&object)?;
    let mut body = T::default();
    for (key, value) in object.0 {
        if let Some(value) = body.take(&key, value)? {
            unknown_key(T::folded(&key), &key, &value)?;
        }
    }
    Ok(body)
}

/// Writes an object.
pub fn write<'a, T: Fields<'a>>(body: &T, out: &mut Vec<u8>) {
    out.push(b'{');
    body.write_fields(out, out.len());
    out.push(b'}');
}

/// What happens to a key that is no field: nothing said is nothing lost, a case variant of a field
/// is never unknown, all else is refused.
fn unknown_key(folded: Option<&str>, key: &str, value: &Value<'_>) -> Result<(), Malformed> {
    if let Some(name) = folded {
        let why = format!("the daemon would read this key as {name:?}: write it so");
        return Err(Malformed::new(Flaw::JsonKeyCase, key, why));
    }
    if value.says_nothing() {
        return Ok(());
    }
    let why = "this key is not known at this place, so it cannot be judged";
    Err(Malformed::new(Flaw::JsonUnknown, key, why))
}

/// A field given in two spellings that clients use for it.
///
/// # Errors
/// [`Flaw::JsonDuplicate`].
pub fn not_both(object: &Object<'_>, key: &str, alias: &str) -> Result<(), Malformed> {
    let has = |name: &str| object.0.iter().any(|(key, _)| key == name);
    if has(key) && has(alias) {
        let why = format!("this field is given twice, as {key:?} too");
        return Err(Malformed::new(Flaw::JsonDuplicate, alias, why));
    }
    Ok(())
}

/// Declares a body: struct, strict reader, writer, keys. `= "Key" | "key"` takes a second spelling that
/// real clients send; the first is written. `..part: Object<'a>` comes first and has the fields of another
/// object in this one, as Go embeds a struct.
macro_rules! body {
    ($(#[$doc:meta])* $name:ident<'a> {
        $( ..$part:ident: $of:ident<'a>, )?
        $( $(#[$fdoc:meta])* $field:ident: $ty:ty = $key:literal $(| $alias:literal)?, )*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name<'a> {
            $( #[doc = concat!("The fields of [`", stringify!($of), "`], at this object's own level.")]
            pub $part: $of<'a>, )?
            $( $(#[$fdoc])* #[doc = concat!("`", $key, "`")] pub $field: $ty, )*
            /// Ties the lifetime for bodies without text.
            pub borrow: std::marker::PhantomData<&'a ()>,
        }

        const _: () = {
            use $crate::docker::body::field::Typed;
            use $crate::docker::body::slot::{self, Fields, Slot};
            use $crate::docker::json::{Object, Value, folds_to, separate, within};
            use $crate::docker::Malformed;

            impl<'a> Typed<'a> for $name<'a> {
                fn read(value: Value<'a>) -> Result<Self, Malformed> {
                    slot::read(value)
                }

                fn write(&self, out: &mut Vec<u8>) {
                    slot::write(self, out);
                }
            }

            impl<'a> Fields<'a> for $name<'a> {
                fn folded(key: &str) -> Option<&'static str> {
                    $( if let Some(name) = $of::folded(key) { return Some(name); } )?
                    [$( $key ),*].into_iter().find(|name| folds_to(key, name))
                }

                fn spelled_once(object: &Object<'a>) -> Result<(), Malformed> {
                    $( $of::spelled_once(object)?; )?
                    let spellings: &[(&str, &str)] = &[$( $( ($key, $alias), )? )*];
                    spellings.iter().try_for_each(|(key, alias)| slot::not_both(object, key, alias))
                }

                fn take(&mut self, key: &str, value: Value<'a>) -> Result<Option<Value<'a>>, Malformed> {
                    $( let Some(value) = self.$part.take(key, value)? else { return Ok(None) }; )?
                    match key {
                        $( $key $(| $alias)? => self.$field.fill(value).map_err(|e| within(e, $key))?, )*
                        _ => return Ok(Some(value)),
                    }
                    Ok(None)
                }

                fn write_fields(&self, out: &mut Vec<u8>, start: usize) {
                    $( self.$part.write_fields(out, start); )?
                    $( self.$field.emit(out, |out| {
                        separate(out, out.len() - start);
                        out.extend_from_slice(concat!("\"", $key, "\":").as_bytes());
                    }); )*
                }
            }
        };
    };
}
pub(crate) use body;
