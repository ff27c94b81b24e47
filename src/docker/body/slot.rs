//! Objects of fields: one declaration gives struct, reader, writer and the list of keys, so that no field
//! can be read and not written, or written and not judged.

use super::field::{Dropped, Field, Inert, Typed, wrong_type};
use crate::docker::json::{JsonObject, JsonValue, folds_to};
use crate::docker::left_out::LeftOut;
use crate::docker::{Flaw, Malformed};

/// What the declared fields of a body do for its reader and writer.
pub trait Slot<'a> {
    /// Takes the value of the key.
    ///
    /// # Errors
    /// A [`Malformed`] with the place below this value.
    fn fill(&mut self, value: JsonValue<'a>, left: &mut LeftOut) -> Result<(), Malformed>;

    /// Writes the value, and says whether there was a key at all; `before` is called first.
    fn emit(&self, out: &mut Vec<u8>, before: impl FnOnce(&mut Vec<u8>));
}

impl<'a, T: Typed<'a>> Slot<'a> for Field<T> {
    fn fill(&mut self, value: JsonValue<'a>, left: &mut LeftOut) -> Result<(), Malformed> {
        *self =
            if value == JsonValue::Null { Self::Null } else { Self::Set(T::read(value, left)?) };
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
    fn fill(&mut self, value: JsonValue<'a>, left: &mut LeftOut) -> Result<(), Malformed> {
        self.0.fill(value, left)
    }

    fn emit(&self, out: &mut Vec<u8>, before: impl FnOnce(&mut Vec<u8>)) {
        self.0.emit(out, before);
    }
}

impl<'a, T: Typed<'a>> Slot<'a> for Dropped<T> {
    fn fill(&mut self, value: JsonValue<'a>, left: &mut LeftOut) -> Result<(), Malformed> {
        Option::<T>::read(value, left).map(|_| ())
    }

    fn emit(&self, _out: &mut Vec<u8>, _before: impl FnOnce(&mut Vec<u8>)) {}
}

/// An object by its declared fields.
pub trait Fields<'a>: Default {
    /// The keys as written on the wire.
    fn keys() -> impl Iterator<Item = &'static str>;

    /// The keys that have a second spelling, with it.
    fn aliases() -> impl Iterator<Item = (&'static str, &'static str)>;

    /// Takes the value of a key of this object; of any other key it is given back.
    ///
    /// # Errors
    /// A [`Malformed`] with the place below this object.
    fn take(
        &mut self,
        key: &str,
        value: JsonValue<'a>,
        left: &mut LeftOut,
    ) -> Result<Option<JsonValue<'a>>, Malformed>;

    /// Writes the fields that are there, into an object whose first one belongs at `start`.
    fn write_fields(&self, out: &mut Vec<u8>, start: usize);
}

/// Reads an object, no field of it in both spellings.
///
/// # Errors
/// A [`Malformed`] with the place below it.
pub fn read<'a, T: Fields<'a>>(value: JsonValue<'a>, left: &mut LeftOut) -> Result<T, Malformed> {
    let JsonValue::Object(JsonObject(entries)) = value else {
        return Err(wrong_type(&value, "an object"));
    };
    let has = |name: &str| entries.iter().any(|(key, _)| key == name);
    if let Some((key, alias)) = T::aliases().find(|(key, alias)| has(alias) && has(key)) {
        let why = format!("this field is given twice, as {key:?} too");
        return Err(Malformed::new(Flaw::JsonDuplicate, alias, why));
    }
    let mut body = T::default();
    for (key, value) in entries {
        if let Some(value) = body.take(&key, value, left)? {
            unknown_key::<T>(&key, &value, left)?;
        }
    }
    Ok(body)
}

/// What happens to a key that is no field: nothing said is nothing lost, a case variant of a field
/// is never unknown, all else is left out.
fn unknown_key<'a, T: Fields<'a>>(
    key: &str,
    value: &JsonValue<'_>,
    left: &mut LeftOut,
) -> Result<(), Malformed> {
    if let Some(name) = folds_to(key, T::keys()) {
        let why = format!("the daemon would read this key as {name:?}: write it so");
        return Err(Malformed::new(Flaw::JsonKeyCase, key, why));
    }
    if value.says_nothing() { Ok(()) } else { left.put(key) }
}

/// Declares bodies: of each the struct, strict reader, writer, keys. `= "Key" | "key"` takes a second spelling that
/// real clients send; the first is written. `..part: Object<'a>` comes first and has the fields of another
/// object in this one, as Go embeds a struct.
macro_rules! body {
    (@rest $key:ident, $value:ident, $left:ident) => { Ok(Some($value)) };
    (@rest $key:ident, $value:ident, $left:ident, $part:expr) => {
        $crate::docker::body::slot::Fields::take(&mut $part, $key, $value, $left)
    };
    ($( $(#[$doc:meta])* $name:ident<'a> {
        $( ..$part:ident: $of:ident<'a>, )?
        $( $(#[$fdoc:meta])* $field:ident: $ty:ty = $key:literal $(| $alias:literal)?, )*
    } )+) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name<'a> {
            $( #[doc = concat!("The fields of [`", stringify!($of), "`], at this object's own level.")]
            pub $part: $of<'a>, )?
            $( $(#[$fdoc])* #[doc = concat!("`", $key, "`")] pub $field: $ty, )*
            /// Ties the lifetime for bodies without text.
            pub borrow: std::marker::PhantomData<&'a ()>,
        }

        impl<'a> $crate::docker::body::field::Typed<'a> for $name<'a> {
            fn read(
                value: $crate::docker::json::JsonValue<'a>,
                left: &mut $crate::docker::left_out::LeftOut,
            ) -> Result<Self, $crate::docker::Malformed> {
                $crate::docker::body::slot::read(value, left)
            }

            fn write(&self, out: &mut Vec<u8>) {
                out.push(b'{');
                $crate::docker::body::slot::Fields::write_fields(self, out, out.len());
                out.push(b'}');
            }
        }

        impl<'a> $crate::docker::body::slot::Fields<'a> for $name<'a> {
            fn keys() -> impl Iterator<Item = &'static str> {
                let keys = [$( $key ),*].into_iter();
                $( let keys = <$of<'_> as $crate::docker::body::slot::Fields<'_>>::keys().chain(keys); )?
                keys
            }

            fn aliases() -> impl Iterator<Item = (&'static str, &'static str)> {
                let own: &[(&str, &str)] = &[$( $( ($key, $alias), )? )*];
                let own = own.iter().copied();
                $( let own = <$of<'_> as $crate::docker::body::slot::Fields<'_>>::aliases().chain(own); )?
                own
            }

            fn take(
                &mut self,
                key: &str,
                value: $crate::docker::json::JsonValue<'a>,
                left: &mut $crate::docker::left_out::LeftOut,
            ) -> Result<Option<$crate::docker::json::JsonValue<'a>>, $crate::docker::Malformed> {
                use $crate::docker::body::slot::Slot;
                match key {
                    $( $key $(| $alias)? => left
                        .within(|| $key.to_owned(), |left| self.$field.fill(value, left))
                        .map(|()| None).map_err(|e| $crate::docker::json::within(e, $key)), )*
                    _ => $crate::docker::body::slot::body!(@rest key, value, left $(, self.$part)?),
                }
            }

            fn write_fields(&self, out: &mut Vec<u8>, start: usize) {
                use $crate::docker::body::slot::Slot;
                $( $crate::docker::body::slot::Fields::write_fields(&self.$part, out, start); )?
                $( self.$field.emit(out, |out| {
                    $crate::docker::json::separate(out, out.len() - start);
                    out.extend_from_slice(concat!("\"", $key, "\":").as_bytes());
                }); )*
            }
        }
    )+ };
}
pub(crate) use body;
