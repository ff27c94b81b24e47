//! One connection from accept to close: the hall, the certificate or the user, the identity and its seat,
//! then hyper. What happens to a request is the [`Gate`]'s business; that nobody waits for ever,
//! holds more than a share or goes unseen is this file's.

use super::address::{Address, ClientOrigin};
use super::clock::{Phase, ProgressClock, TimedStream};
use super::connected::Connection;
use super::gate::{ConnectionId, Gate, Peer, RefusedKind, Stranger, Watch};
use super::listener::Way;
use super::peer;
use super::receive;
use super::respond::{self, ResponseBody};
use super::seat::{Crowded, Seat, Seats};
use super::shutdown::Live;
use super::socket::{ClientLine, ClientSocket, Stream};
use super::standing::Standing;
use super::tls::Tls;
use super::trust::{TrustVerdict, Untrusted, with_verdict};
use super::untaken::Untaken;
use crate::config::FrontLimits;
use crate::identity::{CertificateFacts, Evidence, Foreign, Unidentified};
use http::{HeaderValue, Request, Response, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// hyper panics below this buffer size.
const HYPER_BUFFER_MIN: usize = 8192;

/// What all connections share.
#[derive(Debug)]
pub struct Front<G> {
    limits: FrontLimits,
    gate: Arc<G>,
    watch: Arc<dyn Watch>,
    seats: Seats,
    next: AtomicU64,
}

/// A connection that has come, whosever it is.
struct Arrival {
    peer: Peer,
    line: Arc<ClientLine>,
    seat: Arc<Seat>,
    live: Live,
}

impl Arrival {
    fn socket(&self) -> ClientSocket {
        ClientSocket::new(Arc::clone(&self.line), Arc::<Seat>::clone(&self.seat))
    }
}

/// How a connection's requests are met.
enum Reception<W> {
    Known(Arc<Connection<W>>),
    Stranger(Arc<Stranger>),
    Crowded(Crowded),
}

impl<W> Reception<W> {
    /// Resolves when we end the connection, whatever is in hand, or when it is broken.
    async fn ended(&self, line: &ClientLine) {
        let ending = async {
            match self {
                Self::Known(connection) => drop(connection.ending().await),
                Self::Stranger(_) | Self::Crowded(_) => line.crowded_out().await,
            }
        };
        tokio::select! {
            () = ending => {}
            () = line.broken() => {}
        }
    }
}

impl<G: Gate> Front<G> {
    /// A front for all listeners together, so that the bounds hold over all of them.
    #[must_use]
    pub fn new(limits: FrontLimits, gate: Arc<G>, watch: Arc<dyn Watch>) -> Arc<Self> {
        Arc::new(Self { seats: Seats::new(&limits), next: AtomicU64::new(1), limits, gate, watch })
    }

    /// How many connections there are of those who are known.
    #[must_use]
    pub fn seated(&self) -> usize {
        self.seats.seated()
    }

    /// How many connections there are, whosever they are.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.seats.taken()
    }

    /// Sends somebody away who is not known, where the process is short of descriptors.
    pub(super) fn make_room(&self) {
        self.seats.make_room();
    }

    pub(super) fn watch(&self) -> &dyn Watch {
        &*self.watch
    }

    /// Takes one accepted connection into the hall, and gives what serves it to its end.
    pub(super) fn welcome(
        self: Arc<Self>,
        stream: Stream,
        client: ClientOrigin,
        listener: Address,
        way: Way,
        live: Live,
    ) -> impl Future<Output = ()> + Send + 'static {
        let connection = ConnectionId(self.next.fetch_add(1, Ordering::Relaxed));
        let seat = self.seats.enter(client.key(), live.clone());
        let peer = Peer { connection, client, listener, tls: "" };
        let line = ClientLine::new(stream, self.limits.unread_timeout, seat.crowded_out());
        let arrival = Arrival { peer, line, seat, live };
        async move { self.attend(arrival, way).await }
    }

    async fn attend(&self, mut arrival: Arrival, way: Way) {
        match way {
            Way::Tls(tls) => match self.shake_hands(&mut arrival, tls).await {
                Ok((stream, standing)) => {
                    let facts = CertificateFacts::read(standing.leaf());
                    let evidence = facts.map(Evidence::from).map_err(Unidentified::from);
                    self.converse(stream, evidence, standing, arrival).await;
                }
                Err((kind, detail)) => self.refuse(&arrival.peer, kind, &detail),
            },
            Way::Peer => {
                let user = match &arrival.line.stream {
                    Stream::Unix(stream) => peer::facts(stream),
                    Stream::Tcp(_) => Err(Foreign::Hidden),
                };
                let evidence = user.map(Evidence::Peer).map_err(Unidentified::Foreign);
                self.converse(arrival.socket(), evidence, Standing::of_user(), arrival).await;
            }
        }
    }

    async fn shake_hands(
        &self,
        arrival: &mut Arrival,
        tls: Tls,
    ) -> Result<(TlsStream<ClientSocket>, Standing), (RefusedKind, String)> {
        let server = Arc::clone(&tls.secured().server);
        let accept = async {
            match arrival.line.begins_with_http().await {
                true => (Err(tell_plain_http(arrival.socket()).await), None),
                false => with_verdict(TlsAcceptor::from(server).accept(arrival.socket())).await,
            }
        };
        let accepted = tokio::select! {
            accepted = timeout(self.limits.handshake_timeout, accept) => accepted,
            () = arrival.line.crowded_out() => {
                return Err((RefusedKind::CrowdedOut, String::new()));
            }
        };
        let (stream, verdict) = match accepted {
            Ok((Ok(stream), verdict)) => (stream, verdict),
            Ok((Err(_), Some(TrustVerdict::Refused(why, shown)))) => {
                return Err(distrusted(&why, &shown));
            }
            Ok((Err(error), _)) => return Err((handshake_kind(&error), error.to_string())),
            Err(_) => return Err((RefusedKind::HandshakeTimeout, String::new())),
        };
        arrival.peer.tls = match stream.get_ref().1.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_2) => "1.2",
            _ => "1.3",
        };
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let chain = chain.iter().map(|one| one.clone().into_owned()).collect();
        let standing = Standing::taken(tls, chain, verdict);
        let standing = standing.map_err(|(why, shown)| distrusted(&why, &shown))?;
        Ok((stream, standing))
    }

    fn receive(
        &self,
        evidence: Result<Evidence, Unidentified>,
        standing: Standing,
        arrival: &Arrival,
    ) -> Reception<G::Who> {
        let (peer, line) = (arrival.peer.clone(), Arc::clone(&arrival.line));
        let (evidence, why) = match evidence {
            Err(why) => (None, why),
            Ok(evidence) => match self.gate.identify(&evidence, &peer) {
                Err(why) => (Some(evidence), why),
                Ok(who) => {
                    let (live, ending) = (arrival.live.clone(), watch::Sender::new(None));
                    let connection =
                        Connection { peer, evidence, who, standing, live, line, ending };
                    return self.admit(connection, &arrival.seat);
                }
            },
        };
        let (rule, recorded) = (why.rule(), evidence.is_some());
        let kind = RefusedKind::Unidentified { rule, recorded };
        self.refuse(&peer, kind, &format!("{} ({why})", rule.id));
        Reception::Stranger(Arc::new(Stranger { peer, evidence, why }))
    }

    fn admit(&self, connection: Connection<G::Who>, seat: &Seat) -> Reception<G::Who> {
        let name = self.gate.name(&connection.who);
        let allotment = self.gate.allotment(&connection.who);
        match self.seats.take(seat, connection.peer.client.key(), name, allotment) {
            Ok(()) => {
                let connection = Arc::new(connection);
                self.gate.arrived(&connection);
                Reception::Known(connection)
            }
            Err(crowded) => {
                let detail = format!("{} are open, and {name} asks for one", crowded.most.most);
                self.refuse_known(&connection.peer, Some(name), crowded.kind, &detail);
                Reception::Crowded(crowded)
            }
        }
    }

    async fn converse(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        evidence: Result<Evidence, Unidentified>,
        standing: Standing,
        arrival: Arrival,
    ) {
        let reception = self.receive(evidence, standing, &arrival);
        let untaken = Untaken::default();
        self.serve(stream, reception, arrival, &untaken).await;
        untaken.close().await;
    }

    async fn serve(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        reception: Reception<G::Who>,
        arrival: Arrival,
        untaken: &Untaken,
    ) {
        let Arrival { peer, line, seat: _, mut live } = arrival;
        let clock = ProgressClock::start(self.limits.head_timeout, self.limits.idle_timeout);
        let reception = &reception;
        let mut ended = pin!(reception.ended(&line));
        let service = service_fn(|request: Request<Incoming>| {
            let busy = clock.busy();
            async move {
                let asked = request.extensions().get::<OnUpgrade>().cloned();
                let response = answer(&*self.gate, reception, request).await;
                untaken.note(asked, response.status());
                Ok::<_, Infallible>(response.map(|body| busy.until_taken(body)))
            }
        });
        let heard = TokioIo::new(TimedStream { inner: stream, clock: clock.clone() });
        let mut served = pin!(self.http().serve_connection(heard, service).with_upgrades());
        let mut closing = false;
        loop {
            tokio::select! {
                biased;
                ended = served.as_mut() => {
                    clock.hand_over();
                    if let Err(error) = ended
                        && error.is_parse()
                    {
                        let kind = RefusedKind::Head;
                        self.refuse_known(&peer, self.name(reception), kind, &error.to_string());
                    }
                    return;
                }
                () = ended.as_mut() => return clock.hand_over(),
                () = live.ending(), if !closing => {}
                phase = clock.expired() => match phase {
                    Phase::Idle(_) => clock.expect_head(),
                    _ => {
                        let kind = RefusedKind::HeadTimeout;
                        return self.refuse_known(&peer, self.name(reception), kind, "");
                    }
                },
            }
            // At rest it closes now, otherwise after the request in hand.
            served.as_mut().graceful_shutdown();
            closing = true;
        }
    }

    /// HTTP/1.1 as hyper parses it, within our bounds. The timeouts are [`ProgressClock`]'s.
    fn http(&self) -> http1::Builder {
        let mut http = http1::Builder::new();
        http.keep_alive(true)
            .half_close(true) // a client that has said all it had to say still listens
            .header_read_timeout(None)
            .max_headers(self.limits.headers_max)
            .max_buf_size(self.limits.head_max.max(HYPER_BUFFER_MIN));
        http
    }

    fn refuse(&self, peer: &Peer, kind: RefusedKind, detail: &str) {
        self.refuse_known(peer, None, kind, detail);
    }

    fn refuse_known(&self, peer: &Peer, who: Option<&str>, kind: RefusedKind, detail: &str) {
        self.watch.refused(peer, who, kind, respond::shown(detail));
    }

    /// Whose connection it is, if it is somebody's.
    fn name<'a>(&'a self, reception: &'a Reception<G::Who>) -> Option<&'a str> {
        match reception {
            Reception::Known(connection) => Some(self.gate.name(&connection.who)),
            Reception::Stranger(_) | Reception::Crowded(_) => None,
        }
    }
}

async fn answer<G: Gate>(
    gate: &G,
    reception: &Reception<G::Who>,
    request: Request<Incoming>,
) -> Response<ResponseBody> {
    let stranger = match reception {
        Reception::Known(connection) => return gate.handle(Arc::clone(connection), request).await,
        Reception::Stranger(stranger) => Ok(Arc::clone(stranger)),
        Reception::Crowded(crowded) => Err(*crowded),
    };
    let (head, body) = request.into_parts();
    let headers = head.headers.clone();
    let mut response = match stranger {
        Ok(stranger) => gate.turn_away(stranger, head).await,
        Err(Crowded { kind, most }) => respond::too_many(kind.rule(), most),
    };
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    receive::answer_unread(response, &headers, body)
}

fn distrusted(why: &Untrusted, shown: &str) -> (RefusedKind, String) {
    (RefusedKind::Untrusted(why.rule()), format!("{why}; {shown}"))
}

/// Says what dockerd says to who speaks plain HTTP where TLS is spoken: clients show it.
async fn tell_plain_http(mut socket: ClientSocket) -> io::Error {
    let told = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
    // a client that does not listen has heard nothing less
    let _ = socket.write_all(told).await;
    let _ = socket.shutdown().await;
    io::Error::other("a request in plain HTTP, where TLS belongs")
}

fn handshake_kind(error: &io::Error) -> RefusedKind {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::NoCertificatesPresented) => RefusedKind::NoCertificate,
        _ => RefusedKind::Handshake,
    }
}
