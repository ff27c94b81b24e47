//! The bodies of requests, by type: what is read here is what is judged and what the daemon gets.
//!
//! Every JSON body of the API has a type of its own: a route names its [`BodyType`], and there is no kind
//! for JSON that nobody has taken apart.

pub mod auth;
pub mod config;
pub mod create;
pub mod exec;
pub mod field;
pub mod network;
pub mod plugin;
pub mod service;
pub mod slot;
pub mod swarm;
pub mod tolerated;
pub mod update;
pub mod volume;

use super::json::{self, JsonObject, JsonValue};
use super::left_out::LeftOut;
use super::{BodyKind, CallHead, Flaw, Malformed, Verb};
use field::Typed;
use std::borrow::Cow;

/// Declares [`BodyType`] and [`Body`] from one table of kinds and their types.
macro_rules! kinds {
    ($( $(#[$doc:meta])* $kind:ident($ty:ty), )*) => {
        /// The JSON body of a route.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum BodyType { $( $(#[$doc])* $kind, )* }

        /// A body, typed by its route.
        #[derive(Clone, Debug)]
        pub enum Body<'a> {
            /// None.
            None,
            /// The client's own stream, of which only the first block is looked at: [`super::archive`].
            Archive(super::archive::Beginning),
            /// The client's own stream, not looked into.
            Opaque,
            $( $(#[$doc])* $kind($ty), )*
        }

        impl Body<'_> {
            /// Our serialisation, for the bodies that are JSON.
            #[must_use]
            pub fn serialise(&self) -> Option<Vec<u8>> {
                let mut out = Vec::with_capacity(4096);
                match self {
                    Self::None | Self::Archive(_) | Self::Opaque => return None,
                    $( Self::$kind(body) => body.write(&mut out), )*
                }
                Some(out)
            }
        }

        fn typed<'a>(
            kind: BodyType,
            value: JsonValue<'a>,
            left: &mut LeftOut,
        ) -> Result<Body<'a>, Malformed> {
            match kind { $( BodyType::$kind => <$ty>::read(value, left).map(Body::$kind), )* }
        }
    };
}

kinds! {
    /// `POST /containers/create`.
    ContainerCreate(Box<create::ContainerCreate<'a>>),
    /// `POST /containers/{}/update`.
    ContainerUpdate(Box<update::ContainerUpdate<'a>>),
    /// `POST /containers/{}/exec`.
    ExecCreate(Box<exec::ExecCreate<'a>>),
    /// `POST /exec/{}/start`.
    ExecStart(exec::ExecStart<'a>),
    /// `POST /containers/{}/checkpoints`.
    CheckpointCreate(exec::CheckpointCreate<'a>),
    /// `POST /commit`: the configuration of the image, or null.
    Commit(Option<Box<config::ContainerConfig<'a>>>),
    /// `POST /auth`, and `POST /images/{}/push` up to engine 28.0: credentials.
    Auth(Box<auth::AuthConfig<'a>>),
    /// `POST /volumes/create`.
    VolumeCreate(Box<volume::VolumeCreate<'a>>),
    /// `PUT /volumes/{}`.
    VolumeUpdate(Box<volume::VolumeUpdate<'a>>),
    /// `POST /networks/create`.
    NetworkCreate(Box<network::NetworkCreate<'a>>),
    /// `POST /networks/{}/connect`.
    NetworkConnect(Box<network::NetworkConnect<'a>>),
    /// `POST /networks/{}/disconnect`.
    NetworkDisconnect(network::NetworkDisconnect<'a>),
    /// `POST /services/create` and `POST /services/{}/update`.
    Service(Box<service::ServiceSpec<'a>>),
    /// `POST /secrets/create` and `POST /secrets/{}/update`.
    Secret(Box<swarm::SecretSpec<'a>>),
    /// `POST /configs/create` and `POST /configs/{}/update`.
    Config(Box<swarm::ConfigSpec<'a>>),
    /// `POST /nodes/{}/update`.
    Node(swarm::NodeSpec<'a>),
    /// `POST /swarm/init`.
    SwarmInit(Box<swarm::SwarmInit<'a>>),
    /// `POST /swarm/join`.
    SwarmJoin(swarm::SwarmJoin<'a>),
    /// `POST /swarm/update`.
    SwarmUpdate(Box<swarm::SwarmSpec<'a>>),
    /// `POST /swarm/unlock`.
    SwarmUnlock(swarm::SwarmUnlock<'a>),
    /// `POST /plugins/pull` and `POST /plugins/{}/upgrade`: what the plugin is granted.
    PluginPrivileges(Option<Vec<plugin::PluginPrivilege<'a>>>),
    /// `POST /plugins/{}/set`.
    PluginSet(Vec<Cow<'a, str>>),
}

/// Reads the bytes of an inspected body as the type that its route has, less what no daemon reads. Of a stream the bytes
/// are its first block, as much of it as there is.
///
/// # Errors
/// A [`Malformed`] for everything that the daemon could read otherwise.
pub fn read<'a>(
    head: &CallHead,
    bytes: &'a [u8],
    left: &mut LeftOut,
) -> Result<Body<'a>, Malformed> {
    let kind = match head.route.body {
        BodyKind::None if bytes.is_empty() => return Ok(Body::None),
        BodyKind::None => {
            let said = json::read(bytes)?;
            if head.route.operation == "ContainerStart" && !said.says_nothing() {
                let why = "a container starts as it was made (`postContainersStart` of moby refuses this too)";
                return Err(Malformed::new(Flaw::BodyUnexpected, "", why));
            }
            if !said.says_nothing() {
                left.put("the body")?;
            }
            return Ok(Body::None);
        }
        BodyKind::Archive => return Ok(Body::Archive(super::archive::Beginning::of(bytes))),
        BodyKind::Opaque => return Ok(Body::Opaque),
        BodyKind::Json { optional: true, .. } if bytes.is_empty() => return Ok(Body::None),
        BodyKind::Json { kind, .. } => kind,
    };
    if bytes.is_empty() {
        return Err(Malformed::new(Flaw::BodyMissing, "", "this request needs a JSON body"));
    }
    let mut value = json::read(bytes)?;
    if kind == BodyType::Auth && head.route.verb == Verb::Push && value == JsonValue::Null {
        value = JsonValue::Object(JsonObject::default()); // Go's decoder fills in nothing of it
    }
    if let JsonValue::Object(object) = &mut value {
        tolerated::apply(head, kind, object, left)?;
    }
    typed(kind, value, left)
}
