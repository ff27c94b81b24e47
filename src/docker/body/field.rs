//! The types that fields of bodies have, each read strictly and written again.

pub(crate) use super::slot::body;
use crate::docker::json::{self, JsonObject, JsonValue};
use crate::docker::left_out::LeftOut;
use crate::docker::{Flaw, Malformed};
use std::borrow::Cow;
use std::marker::PhantomData;

/// A field of a body: null and absent are kept apart, since for slices and pointers they differ.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Field<T> {
    /// The key is not there.
    #[default]
    Absent,
    /// The key says `null`.
    Null,
    /// The key has a value.
    Set(T),
}

impl<T> Field<T> {
    /// The value, where there is one.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// The value to change, made from its empty form where there is none.
    #[expect(clippy::unreachable, reason = "the branch before has set the value")]
    pub fn or_empty(&mut self) -> &mut T
    where
        T: Default,
    {
        if !matches!(self, Self::Set(_)) {
            *self = Self::Set(T::default());
        }
        let Self::Set(value) = self else { unreachable!("the field was set") };
        value
    }
}

impl<T> Field<Vec<T>> {
    /// The elements, none where there is no array.
    pub fn items(&self) -> &[T] {
        self.value().map_or(&[], Vec::as_slice)
    }
}

impl<T: Copy + Default> Field<T> {
    /// The value as Go has it after decoding: the zero value where there is none.
    pub fn or_zero(&self) -> T {
        self.value().copied().unwrap_or_default()
    }
}

impl Field<Cow<'_, str>> {
    /// The text as Go has it after decoding: empty where there is none.
    pub fn text(&self) -> &str {
        self.value().map_or("", |t| t)
    }
}

/// A field that is passed on unjudged. Where it is declared, a comment says why that is safe.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inert<T>(pub T);

/// A field that clients copy from answers: of its type or refused, and never sent on, because what the
/// daemon would make of it is not what was judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Dropped<T>(PhantomData<T>);

impl<T> Default for Dropped<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

/// A type that a JSON value is strictly read into and written from.
pub trait Typed<'a>: Sized {
    /// Reads the value, less the keys that no daemon reads.
    ///
    /// # Errors
    /// A [`Malformed`] with the place below this value.
    fn read(value: JsonValue<'a>, left: &mut LeftOut) -> Result<Self, Malformed>;

    /// Writes the value as JSON.
    fn write(&self, out: &mut Vec<u8>);
}

/// The refusal of a value of another type.
#[must_use]
pub fn wrong_type(value: &JsonValue<'_>, wanted: &str) -> Malformed {
    Malformed::new(Flaw::JsonType, "", format!("{} where {wanted} belongs", value.kind()))
}

impl<'a> Typed<'a> for Cow<'a, str> {
    fn read(value: JsonValue<'a>, _left: &mut LeftOut) -> Result<Self, Malformed> {
        match value {
            JsonValue::Text(text) => Ok(text),
            other => Err(wrong_type(&other, "a string")),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        json::write_text(out, self);
    }
}

impl<'a> Typed<'a> for bool {
    fn read(value: JsonValue<'a>, _left: &mut LeftOut) -> Result<Self, Malformed> {
        match value {
            JsonValue::Bool(b) => Ok(b),
            other => Err(wrong_type(&other, "true or false")),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        json::write_plain(out, self);
    }
}

/// Reads integers exactly: no fraction, no exponent, no text, in the range of Go's type.
macro_rules! integers {
    ($($int:ty),*) => { $(
        impl<'a> Typed<'a> for $int {
            fn read(value: JsonValue<'a>, _left: &mut LeftOut) -> Result<Self, Malformed> {
                let exact = match value {
                    JsonValue::Int(n) => <$int>::try_from(n).ok(),
                    JsonValue::Big(n) => <$int>::try_from(n).ok(),
                    JsonValue::Float(_) => None,
                    other => return Err(wrong_type(&other, "an integer")),
                };
                exact.ok_or_else(|| {
                    let why = concat!("not an exact integer in the range of ", stringify!($int));
                    Malformed::new(Flaw::JsonNumber, "", why)
                })
            }

            fn write(&self, out: &mut Vec<u8>) {
                json::write_plain(out, self);
            }
        }
    )* };
}

integers!(i64, u64, u32, u16);

/// A Go `float32`, written in its shortest form so that it is read as the same number again.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ratio(pub f32);

impl<'a> Typed<'a> for Ratio {
    fn read(value: JsonValue<'a>, _left: &mut LeftOut) -> Result<Self, Malformed> {
        #[expect(clippy::cast_possible_truncation, reason = "rounded as Go rounds to a float32")]
        let ratio = match value {
            JsonValue::Int(n) => n.to_string().parse().unwrap_or(f32::INFINITY),
            JsonValue::Float(n) => n as f32,
            other => return Err(wrong_type(&other, "a number")),
        };
        let wrong = || Malformed::new(Flaw::JsonNumber, "", "not a number in the range of float32");
        Some(Self(ratio)).filter(|ratio| ratio.0.is_finite()).ok_or_else(wrong)
    }

    fn write(&self, out: &mut Vec<u8>) {
        json::write_plain(out, self.0);
    }
}

impl<'a, T: Typed<'a>> Typed<'a> for Box<T> {
    fn read(value: JsonValue<'a>, left: &mut LeftOut) -> Result<Self, Malformed> {
        T::read(value, left).map(Self::new)
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.as_ref().write(out);
    }
}

/// Most objects of one list or map, of those with many fields: mounts, devices, endpoints. Each takes hundreds of
/// times the memory of an empty one's text, and nothing has as many of them.
pub const MAX_OBJECTS: usize = 1024;

/// From how many bytes on a type is one of these: an address with its port is none.
const LARGE: usize = 64;

/// Refuses more items of a large type than anything has.
fn bounded<T>(items: usize) -> Result<(), Malformed> {
    if size_of::<T>() < LARGE || items <= MAX_OBJECTS {
        return Ok(());
    }
    let why = format!("{items} of these, where {MAX_OBJECTS} are the most that are read");
    Err(Malformed::new(Flaw::JsonValues, "", why))
}

impl<'a, T: Typed<'a>> Typed<'a> for Vec<T> {
    fn read(value: JsonValue<'a>, left: &mut LeftOut) -> Result<Self, Malformed> {
        let JsonValue::Array(items) = value else {
            return Err(wrong_type(&value, "an array"));
        };
        bounded::<T>(items.len())?;
        let each = |(i, item)| {
            let step = || format!("[{i}]");
            left.within(step, |left| T::read(item, left)).map_err(|e| json::within(e, &step()))
        };
        items.into_iter().enumerate().map(each).collect()
    }

    fn write(&self, out: &mut Vec<u8>) {
        json::write_array(out, self, T::write);
    }
}

impl<'a, T: Typed<'a>> Typed<'a> for Option<T> {
    fn read(value: JsonValue<'a>, left: &mut LeftOut) -> Result<Self, Malformed> {
        if value == JsonValue::Null { Ok(None) } else { T::read(value, left).map(Some) }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Some(value) => value.write(out),
            None => out.extend_from_slice(b"null"),
        }
    }
}

/// A Go map with text keys, which are compared exactly, in the order written.
#[derive(Clone, Debug, PartialEq)]
pub struct Map<'a, T>(pub Vec<(Cow<'a, str>, T)>);

impl<T> Default for Map<'_, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'a, T> Map<'a, T> {
    /// The entries.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(k, v)| (k.as_ref(), v))
    }

    /// Gives the entry of a key another one, unless there is an entry of that.
    pub fn rename(&mut self, from: &str, to: &str) {
        if self.0.iter().any(|(key, _)| key == to) {
            self.0.retain(|(key, _)| key != from || from == to);
        } else if let Some((key, _)) = self.0.iter_mut().find(|(key, _)| key == from) {
            *key = Cow::Owned(to.to_owned());
        }
    }

    /// What stands under a key, which is there once at most.
    pub fn values_mut(&mut self, key: &str) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut().filter(move |(known, _)| *known == key).map(|(_, value)| value)
    }

    /// Puts an entry in, in the place of one under the same key.
    pub fn put(&mut self, key: String, value: T) {
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((Cow::Owned(key), value)),
        }
    }
}

impl<T> Field<Map<'_, T>> {
    /// The entries, none where there is no object.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &T)> {
        self.value().into_iter().flat_map(Map::iter)
    }
}

impl<'a, T: Typed<'a>> Typed<'a> for Map<'a, T> {
    fn read(value: JsonValue<'a>, left: &mut LeftOut) -> Result<Self, Malformed> {
        let JsonValue::Object(JsonObject(entries)) = value else {
            return Err(wrong_type(&value, "an object"));
        };
        bounded::<T>(entries.len())?;
        let each = |(key, value): (Cow<'a, str>, _)| match left
            .within(|| key.to_string(), |left| T::read(value, left))
        {
            Ok(value) => Ok((key, value)),
            Err(e) => Err(json::within(e, &key)),
        };
        entries.into_iter().map(each).collect::<Result<_, _>>().map(Map)
    }

    fn write(&self, out: &mut Vec<u8>) {
        json::write_object(out, &self.0, T::write);
    }
}

/// An object without fields, such as the values of `ExposedPorts`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Empty;

impl<'a> Typed<'a> for Empty {
    fn read(value: JsonValue<'a>, _left: &mut LeftOut) -> Result<Self, Malformed> {
        match value {
            // docker-py and old CLIs write null here
            JsonValue::Null => Ok(Self),
            JsonValue::Object(_) if value.says_nothing() => Ok(Self),
            JsonValue::Object(_) => {
                let why = "an object with nothing in it belongs here";
                Err(Malformed::new(Flaw::JsonUnknown, "", why))
            }
            other => Err(wrong_type(&other, "an empty object")),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{}");
    }
}

/// moby's `strslice.StrSlice`: an array of strings, or one string that stands for an array of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Words<'a>(pub Vec<Cow<'a, str>>);

impl<'a> Typed<'a> for Words<'a> {
    fn read(value: JsonValue<'a>, left: &mut LeftOut) -> Result<Self, Malformed> {
        match value {
            JsonValue::Text(word) => Ok(Self(vec![word])),
            other => Vec::read(other, left).map(Self),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }
}

impl<'a> Field<Words<'a>> {
    /// The words, none where there is no array.
    pub fn words(&self) -> &[Cow<'a, str>] {
        self.value().map_or(&[], |w| w.0.as_slice())
    }
}
