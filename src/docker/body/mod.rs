//! The bodies of requests, by type: what is read here is what is judged and what the daemon gets.

pub mod create;
pub mod exec;
pub mod field;
pub mod tolerated;

use super::json::{self, Value};
use super::{BodyKind, CallHead, Flaw, Malformed};
use create::ContainerCreate;
use exec::{ExecCreate, ExecStart};
use field::Typed;

/// A body, typed by its route.
#[derive(Debug)]
pub enum Body<'a> {
    /// None.
    None,
    /// Container create.
    ContainerCreate(Box<ContainerCreate<'a>>),
    /// Exec create.
    ExecCreate(Box<ExecCreate<'a>>),
    /// Exec start.
    ExecStart(ExecStart<'a>),
    /// JSON of a route that is not judged by type: strictly read, re-built.
    Json(Value<'a>),
    /// The client's own stream, not looked into.
    Opaque,
}

impl Body<'_> {
    /// Our serialisation, for the bodies that are JSON.
    #[must_use]
    pub fn serialise(&self) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(4096);
        match self {
            Self::None | Self::Opaque => return None,
            Self::ContainerCreate(body) => body.write(&mut out),
            Self::ExecCreate(body) => body.write(&mut out),
            Self::ExecStart(body) => body.write(&mut out),
            Self::Json(value) => value.write(&mut out),
        }
        Some(out)
    }
}

/// Reads the bytes of an inspected body as the type that its route has.
///
/// # Errors
/// A [`Malformed`] for everything that the daemon could read otherwise.
pub fn read<'a>(head: &CallHead, bytes: &'a [u8]) -> Result<Body<'a>, Malformed> {
    match head.route.body {
        BodyKind::None => Ok(Body::None),
        BodyKind::Opaque => Ok(Body::Opaque),
        BodyKind::Json { optional: true } if bytes.is_empty() => Ok(Body::None),
        _ if bytes.is_empty() => {
            Err(Malformed::new(Flaw::BodyMissing, "", "this request needs a JSON body"))
        }
        BodyKind::ContainerCreate => ContainerCreate::read(tolerant(head, bytes)?)
            .map(|b| Body::ContainerCreate(Box::new(b))),
        BodyKind::ExecCreate => {
            ExecCreate::read(tolerant(head, bytes)?).map(|b| Body::ExecCreate(Box::new(b)))
        }
        BodyKind::ExecStart => ExecStart::read(tolerant(head, bytes)?).map(Body::ExecStart),
        BodyKind::Json { .. } => {
            let value = json::read(bytes)?;
            value.check_untyped()?;
            Ok(Body::Json(value))
        }
    }
}

fn tolerant<'a>(head: &CallHead, bytes: &'a [u8]) -> Result<Value<'a>, Malformed> {
    let mut value = json::read(bytes)?;
    if let Value::Object(object) = &mut value {
        tolerated::apply(head, object)?;
    }
    Ok(value)
}
