//! Objects of fields: one declaration gives struct, reader, writer and the list of keys, so that no field
//! can be read and not written, or written and not judged.

use super::field::{Dropped, Field, Inert, Typed, wrong_type};
use crate::docker::json::{JsonObject, JsonValue, folds_to};
use crate::docker::left_out::LeftOut;
use crate::docker::{Flaw, Malformed};
use std::borrow::Cow;

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

/// Reads an object. A key in another letter case is the field that Go's decoder takes it for, and is written as that; no
/// field may be given twice, however it is spelled; what is no field is left out.
///
/// # Errors
/// A [`Malformed`] with the place below it.
pub fn read<'a, T: Fields<'a>>(value: JsonValue<'a>, left: &mut LeftOut) -> Result<T, Malformed> {
    let JsonValue::Object(JsonObject(mut entries)) = value else {
        return Err(wrong_type(&value, "an object"));
    };
    respell(&mut entries, T::keys)?;
    let mut body = T::default();
    for (key, value) in entries {
        if let Some(value) = body.take(&key, value, left)?
            && !value.says_nothing()
        {
            left.put(&key)?;
        }
    }
    Ok(body)
}

/// Gives keys that fold to a field's the field's own spelling.
fn respell<K: Iterator<Item = &'static str>>(
    entries: &mut [(Cow<'_, str>, JsonValue<'_>)],
    keys: fn() -> K,
) -> Result<(), Malformed> {
    let field = |key: &str| folds_to(key, keys()).filter(|name| *name != key);
    let folded = |(nth, (key, _)): (usize, &(Cow<'_, str>, _))| Some((nth, field(key)?));
    let folded: Vec<_> = entries.iter().enumerate().filter_map(folded).collect();
    for (nth, name) in folded {
        if entries.iter().any(|(key, _)| key == name) {
            let why = format!("the daemon would read this key as {name:?}, which is given as well");
            let key = entries.get(nth).map_or(name, |(key, _)| key);
            return Err(Malformed::new(Flaw::JsonDuplicate, key, why));
        }
        if let Some((key, _)) = entries.get_mut(nth) {
            *key = Cow::Borrowed(name);
        }
    }
    Ok(())
}

/// Declares bodies: of each the struct, strict reader, writer, keys. `..part: Object<'a>` comes first and has the fields
/// of another object in this one, as Go embeds a struct.
macro_rules! body {
    (@rest $key:ident, $value:ident, $left:ident) => { Ok(Some($value)) };
    (@rest $key:ident, $value:ident, $left:ident, $part:expr) => {
        $crate::docker::body::slot::Fields::take(&mut $part, $key, $value, $left)
    };
    ($( $(#[$doc:meta])* $name:ident<'a> {
        $( ..$part:ident: $of:ident<'a>, )?
        $( $(#[$fdoc:meta])* $field:ident: $ty:ty = $key:literal, )*
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

            fn take(
                &mut self,
                key: &str,
                value: $crate::docker::json::JsonValue<'a>,
                left: &mut $crate::docker::left_out::LeftOut,
            ) -> Result<Option<$crate::docker::json::JsonValue<'a>>, $crate::docker::Malformed> {
                use $crate::docker::body::slot::Slot;
                match key {
                    $( $key => left
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
