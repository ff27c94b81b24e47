//! Objects of fields: one declaration gives struct, reader, writer and the list of keys, so that no field
//! can be read and not written, or written and not judged.

use super::field::{Dropped, Field, Inert, Typed};
use crate::docker::json::{self, Object, Value};
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

/// What happens to a key that is no field: nothing said is nothing lost, a case variant of a field
/// is never unknown, all else is refused.
///
/// # Errors
/// [`Flaw::JsonKeyCase`], [`Flaw::JsonUnknown`].
pub fn unknown_key(keys: &[&str], key: &str, value: &Value<'_>) -> Result<(), Malformed> {
    if let Some(name) = keys.iter().find(|name| json::folds_to(key, name)) {
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
/// real clients send; the first is written.
macro_rules! body {
    ($(#[$doc:meta])* $name:ident<'a> { $( $(#[$fdoc:meta])* $field:ident: $ty:ty = $key:literal $(| $alias:literal)?, )* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name<'a> { $( $(#[$fdoc])* #[doc = concat!("`", $key, "`")] pub $field: $ty, )*
            /// Ties the lifetime for bodies without text.
            pub borrow: std::marker::PhantomData<&'a ()>,
        }

        impl $name<'_> {
            /// The keys of this object, as written on the wire.
            pub const KEYS: &'static [&'static str] = &[ $( $key, )* ];
        }

        impl<'a> $crate::docker::body::field::Typed<'a> for $name<'a> {
            fn read(value: $crate::docker::json::Value<'a>) -> Result<Self, $crate::docker::Malformed> {
                use $crate::docker::body::slot::Slot;
                let $crate::docker::json::Value::Object(object) = value else {
                    return Err($crate::docker::body::field::wrong_type(&value, "an object"));
                };
                $( $( $crate::docker::body::slot::not_both(&object, $key, $alias)?; )? )*
                let mut body = Self::default();
                for (key, value) in object.0 {
                    match key.as_ref() {
                        $( $key $(| $alias)? => body.$field.fill(value)
                            .map_err(|e| $crate::docker::json::within(e, $key))?, )*
                        _ => $crate::docker::body::slot::unknown_key(Self::KEYS, &key, &value)?,
                    }
                }
                Ok(body)
            }

            fn write(&self, out: &mut Vec<u8>) {
                use $crate::docker::body::slot::Slot;
                out.push(b'{');
                let start = out.len();
                $( self.$field.emit(out, |out| {
                    $crate::docker::json::separate(out, out.len() - start);
                    out.extend_from_slice(concat!("\"", $key, "\":").as_bytes());
                }); )*
                out.push(b'}');
            }
        }
    };
}
pub(crate) use body;
