//! The query: each known key read once, in Go's reading, and written again by us, because the
//! daemon takes the first of two values, ignores what it does not know and calls almost anything
//! true.

mod clients;
mod filters;
pub mod query_json;

pub use query_json::{text_map, texts, ulimits};

use super::left_out::LeftOut;
use super::route::{Guard, Param, ParamKind};
use super::{ApiVersion, Flaw, Malformed, Route};
use std::borrow::Cow;

/// A key and its value, decoded.
pub(super) type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The typed query of a request: what says something, in the order the route declares its keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query(Vec<Given>);

#[derive(Clone, Debug, PartialEq)]
struct Given {
    param: &'static Param,
    value: QueryValue,
}

#[derive(Clone, Debug, PartialEq)]
enum QueryValue {
    Text(String),
    Flag(bool),
    Int(i64),
    /// Our own serialisation, and whether it says nothing.
    Json(String, bool),
}

/// Splits and decodes a query string.
///
/// # Errors
/// [`Flaw::QuerySyntax`] for `;`, bad escapes, what is not UTF-8 and control characters in a key; of a value, they are
/// looked at where it is known that it is read.
pub(super) fn split(raw: Option<&str>) -> Result<Vec<Pair<'_>>, Malformed> {
    let pieces = raw.unwrap_or_default().split('&').filter(|piece| !piece.is_empty());
    pieces
        .map(|piece| {
            let (key, value) = piece.split_once('=').unwrap_or((piece, ""));
            let key = decode(key)?;
            if key.contains(char::is_control) { Err(control()) } else { Ok((key, decode(value)?)) }
        })
        .collect()
}

/// Decodes one half of a pair as Go's `url.ParseQuery` does, without its leniencies.
fn decode(text: &str) -> Result<Cow<'_, str>, Malformed> {
    let wrong = |why: &'static str| Malformed::new(Flaw::QuerySyntax, "query", why);
    if !text.is_ascii() || text.contains(';') {
        return Err(wrong("the query may have no ';' and no raw bytes outside ASCII"));
    }
    let decoded = if text.bytes().any(|b| matches!(b, b'%' | b'+')) {
        let bytes =
            unescape(text).ok_or_else(|| wrong("an escape is not '%' and two hex digits"))?;
        Cow::Owned(String::from_utf8(bytes).map_err(|_| wrong("the query is not UTF-8"))?)
    } else {
        Cow::Borrowed(text)
    };
    Ok(decoded)
}

fn control() -> Malformed {
    Malformed::new(Flaw::QuerySyntax, "query", "the query has a control character")
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            plain => plain,
        });
    }
    Some(out)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

impl Query {
    /// Reads decoded pairs by the keys that a route has at a version, and says which it has not.
    ///
    /// # Errors
    /// [`Flaw::QueryUnknown`] where these are too many, or one is a known one in another case, [`Flaw::QueryDuplicate`], [`Flaw::QueryValue`], and the flaws of
    /// [`crate::docker::json::read`] for JSON inside a value.
    pub(super) fn read(
        pairs: &[Pair<'_>],
        route: &'static Route,
        version: ApiVersion,
    ) -> Result<(Self, LeftOut), Malformed> {
        let params = || route.query.iter().filter(|param| param.since <= version.minor());
        let mut left = LeftOut::default();
        for (key, _) in pairs.iter().filter(|(key, value)| is_foreign(key, value, route, version)) {
            // a filter that nobody reads is none
            if key.is_empty() || params().any(|of| of.name.eq_ignore_ascii_case(key)) {
                let why = "this endpoint has no such query key; write it in its own case, or leave it out";
                return Err(Malformed::new(Flaw::QueryUnknown, key.as_ref(), why));
            }
            left.put_query(key)?;
        }
        let mut given = Vec::with_capacity(pairs.len());
        for param in params() {
            let values = pairs.iter().filter(|(key, _)| key == param.name);
            let several = param.repeat && values.clone().nth(1).is_some();
            for (nth, (_, value)) in values.enumerate() {
                if several && value.is_empty() && matches!(param.kind, ParamKind::Json(_)) {
                    let why = "empty beside others; a daemon that takes the first takes none";
                    return Err(Malformed::new(Flaw::QueryValue, param.name, why));
                }
                if nth > 0 && !param.repeat {
                    if clients::gives_twice(route, param.name) {
                        left.put_query(param.name)?;
                        continue;
                    }
                    let why = "given more than once; the daemon would take the first";
                    return Err(Malformed::new(Flaw::QueryDuplicate, param.name, why));
                }
                let line_ends = param.kind == ParamKind::Lines;
                if value.chars().any(|c| c.is_control() && !(line_ends && c == '\n')) {
                    return Err(control());
                }
                if line_ends {
                    let lines = value.split('\n').map(str::trim).filter(|line| !line.is_empty());
                    given.extend(
                        lines.map(|line| Given { param, value: QueryValue::Text(line.into()) }),
                    );
                } else {
                    given.extend(typed(param, value)?.map(|value| Given { param, value }));
                }
            }
        }
        Ok((Self(given), left))
    }

    /// The text, or the JSON as we write it, of a key; the first of several.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every text of a key that may be given more than once.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.of(name).filter_map(|value| match value {
            QueryValue::Text(text) | QueryValue::Json(text, _) => Some(text.as_str()),
            QueryValue::Flag(_) | QueryValue::Int(_) => None,
        })
    }

    /// A boolean that is off where absent: what the daemon will make of it.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.of(name).any(|value| matches!(value, QueryValue::Flag(true)))
    }

    /// The integer of a key.
    #[must_use]
    pub fn int(&self, name: &str) -> Option<i64> {
        self.of(name).find_map(|value| if let QueryValue::Int(n) = value { Some(*n) } else { None })
    }

    /// Writes an integer in, in its place, where the route has the key and the client sent none.
    pub fn fill_int(&mut self, params: &'static [Param], name: &str, value: i64) {
        if self.int(name).unwrap_or(0) == 0 {
            self.put(params, name, QueryValue::Int(value));
        }
    }

    /// Switches a flag on, where the route has it.
    pub fn switch_on(&mut self, params: &'static [Param], name: &str) {
        self.put(params, name, QueryValue::Flag(true));
    }

    /// Writes a text, where the route has the key.
    pub fn put_text(&mut self, params: &'static [Param], name: &str, text: &str) {
        self.put(params, name, QueryValue::Text(text.to_owned()));
    }

    /// Writes another text for one that the client sent under this key.
    pub fn replace_text(&mut self, params: &'static [Param], name: &str, from: &str, to: &str) {
        if self.text(name) == Some(from) {
            self.put(params, name, QueryValue::Text(to.to_owned()));
        }
    }

    /// Narrows what is listed or pruned by one more filter, where the route has filters.
    pub fn filter(&mut self, params: &'static [Param], key: &str, value: &str) {
        let filters = filters::and(self.text("filters"), key, value);
        self.put(params, "filters", QueryValue::Json(filters, false));
    }

    /// Adds an instruction behind all those that the client wrote, the same among them, where the route has some.
    pub fn change(&mut self, params: &'static [Param], line: &str) {
        self.0.retain(|given| {
            given.param.name != "changes" || given.value != QueryValue::Text(line.to_owned())
        });
        if let Some(param) = params.iter().find(|param| param.name == "changes") {
            let place = |wanted: &str| params.iter().position(|param| param.name == wanted);
            let after = self.0.partition_point(|given| place(given.param.name) <= place("changes"));
            self.0.insert(after, Given { param, value: QueryValue::Text(line.to_owned()) });
        }
    }

    /// Writes another value for one that stands under one of these keys of the filters.
    pub fn replace_filter(
        &mut self,
        params: &'static [Param],
        keys: &[&str],
        from: &str,
        to: &str,
    ) {
        let changed = self.text("filters").and_then(|text| filters::replaced(text, keys, from, to));
        if let Some(filters) = changed {
            self.put(params, "filters", QueryValue::Json(filters, false));
        }
    }

    /// The values of a key of the filters.
    #[must_use]
    pub fn filter_values(&self, key: &str) -> Vec<String> {
        self.text("filters").map(|text| filters::values_of(text, key)).unwrap_or_default()
    }

    /// Labels what is built, whatever the client wrote under the key, where the route has labels.
    pub fn label(&mut self, params: &'static [Param], key: &str, value: &str) {
        let labels = query_json::with(self.text("labels").unwrap_or("{}"), key, value);
        self.put(params, "labels", QueryValue::Json(labels, false));
    }

    /// Puts the one value of a key in its place, where the route has the key.
    fn put(&mut self, params: &'static [Param], name: &str, value: QueryValue) {
        let place = |wanted: &str| params.iter().position(|param| param.name == wanted);
        if let Some(param) = place(name).and_then(|nth| params.get(nth)) {
            self.0.retain(|given| given.param.name != name);
            let after = self.0.partition_point(|given| place(given.param.name) < place(name));
            self.0.insert(after, Given { param, value });
        }
    }

    /// The keys given that say something of which no value is safe: open only to a role without typed
    /// admission.
    pub fn guarded(&self) -> impl Iterator<Item = &'static Param> {
        self.0.iter().filter(|given| given.steers()).map(|given| given.param)
    }

    /// The query as the daemon gets it, without the `?`; empty where there is none.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut out = String::new();
        for Given { param, value } in &self.0 {
            if !out.is_empty() {
                out.push('&');
            }
            escape(param.name, &mut out);
            out.push('=');
            match value {
                QueryValue::Text(text) | QueryValue::Json(text, _) => escape(text, &mut out),
                QueryValue::Flag(on) => out.push(if *on { '1' } else { '0' }),
                QueryValue::Int(n) => out.push_str(&n.to_string()),
            }
        }
        out
    }

    fn of(&self, name: &str) -> impl Iterator<Item = &QueryValue> {
        self.0.iter().filter(move |given| given.param.name == name).map(|given| &given.value)
    }
}

impl Given {
    fn steers(&self) -> bool {
        let open = match self.param.guard {
            Guard::Open | Guard::Judged => return false,
            Guard::Unrestricted => None,
            Guard::UnrestrictedBut(open) => Some(open),
        };
        match &self.value {
            QueryValue::Text(text) => Some(text.as_str()) != open,
            QueryValue::Json(_, says_nothing) => !says_nothing,
            QueryValue::Flag(on) => *on,
            QueryValue::Int(n) => *n != 0,
        }
    }
}

/// Whether a key is unknown and says something. What says nothing is dropped: clients that are
/// ahead of us, and docker-py, send more than an endpoint has.
fn is_foreign(key: &str, value: &str, route: &Route, version: ApiVersion) -> bool {
    !route.query.iter().any(|param| param.name == key && param.since <= version.minor())
        && !clients::always_sends(route, key)
        && !matches!(value, "" | "0" | "false" | "False" | "null" | "[]" | "{}")
}

/// The value of a known key; an empty one is as if absent, as it is to the daemon.
fn typed(param: &Param, value: &str) -> Result<Option<QueryValue>, Malformed> {
    let wrong = |why: &'static str| Err(Malformed::new(Flaw::QueryValue, param.name, why));
    let text = || Ok(Some(QueryValue::Text(value.to_owned())));
    let text_if = |fits: bool, why| if fits { text() } else { wrong(why) };
    match (param.kind, value) {
        (ParamKind::Switch, "") => wrong("on or off? leave it out, or say 1 or 0"),
        (_, "") => Ok(None),
        (ParamKind::Text | ParamKind::Lines, _) => text(),
        (ParamKind::Bool | ParamKind::Switch, _) => Ok(Some(QueryValue::Flag(is_true(value)))),
        (ParamKind::Int, _) => match plain_int(value) {
            Some(n) => Ok(Some(QueryValue::Int(n))),
            None => wrong("must be a plain decimal integer"),
        },
        (ParamKind::Word, _) => {
            text_if(value.bytes().all(is_word), "may have letters, digits and ._/:@+,=- only")
        }
        (ParamKind::Object, _) => text_if(is_object(value), "must be a name or an id"),
        (ParamKind::Moment, _) => {
            text_if(is_moment(value), "must be seconds since 1970, with up to nine decimals")
        }
        (ParamKind::Tail, _) => text_if(
            value == "all" || plain_int(value).is_some(),
            "must be a number of lines, or all",
        ),
        (ParamKind::Json(of), _) => {
            at(param, query_json::read(of, value)).map(|(text, n)| Some(QueryValue::Json(text, n)))
        }
        (ParamKind::Filters(keys), _) => at(param, filters::read(keys, value))
            .map(|text| text.map(|t| QueryValue::Json(t, false))),
    }
}

fn at<T>(param: &Param, read: Result<T, Malformed>) -> Result<T, Malformed> {
    read.map_err(|flaw| Malformed { at: join(param.name, &flaw.at), ..flaw })
}

fn plain_int(value: &str) -> Option<i64> {
    value.parse::<i64>().ok().filter(|n| n.to_string() == value)
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'.' | b'_' | b'/' | b':' | b'@' | b'+' | b',' | b'=' | b'-')
}

/// What can be a name or an id; `/name` is how the daemon keeps a container's.
fn is_object(value: &str) -> bool {
    let name = value.strip_prefix('/').unwrap_or(value);
    name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b':'))
}

/// Source: `ParseTimestamps` in moby's `api/types/time/timestamp.go`.
fn is_moment(value: &str) -> bool {
    let (seconds, decimals) = value.split_once('.').unwrap_or((value, "0"));
    let digits =
        |t: &str, most| (1..=most).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit());
    digits(seconds.strip_prefix('-').unwrap_or(seconds), 18) && digits(decimals, 9)
}

/// `httputils.BoolValue` of moby: everything is true that is not one of these.
fn is_true(value: &str) -> bool {
    let value = value.trim();
    !["", "0", "no", "false", "none"].iter().any(|off| value.eq_ignore_ascii_case(off))
}

fn join(name: &str, at: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{name}: {at}") }
}

/// Percent-encodes all but RFC 3986's unreserved characters, so that no reader can differ.
fn escape(text: &str, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).map_or('0', |d| char::from(*d));
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}
