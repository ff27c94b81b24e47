//! The daemon's end: a log and a daemon's side as the gate has them, before a socket that takes down
//! every byte. It reads HTTP in the plainest way and shares no parser with the product.

use bytes::Bytes;
use dockward::facade::audit::event::RequestRecord;
use dockward::facade::audit::{Case, EventId, GateInstance, Writer, verify};
use dockward::facade::daemon::{Cancel, ClientBody, Daemon};
use dockward::facade::policy::Permit;
use http::request::Parts;
use http_body_util::{BodyExt as _, Full};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use tempfile::TempDir;

/// The log is verified and begun anew after this many lines.
const LINES: usize = 500;
/// A daemon's side that takes this long hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request as the daemon got it.
pub(super) struct Seen {
    /// The request line.
    pub(super) line: String,
    /// Every header field, in order, the name as sent.
    pub(super) fields: Vec<(String, String)>,
    /// The body without its framing.
    pub(super) body: Vec<u8>,
}

impl Seen {
    /// The values of a field.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        let own = self.fields.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        own.map(|(_, value)| value.as_str()).collect()
    }
}

/// The gate's side and the daemon's.
pub(super) struct Wire {
    directory: TempDir,
    log: Option<Writer>,
    lines: usize,
    pub(super) forwarded: usize,
    daemon: Daemon,
    seen: Receiver<Result<Seen, String>>,
}

impl Wire {
    pub(super) fn new() -> Self {
        let directory = directory();
        let socket = directory.path().join("docker.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let (tell, seen) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let tell = tell.clone();
                std::thread::spawn(move || attend(&stream, &tell));
            }
        });
        Self { directory, log: None, lines: 0, forwarded: 0, daemon: Daemon::new(socket), seen }
    }

    /// Records and forwards as the gate does; what arrived.
    pub(super) async fn forward(&mut self, parts: &Parts, permit: Permit, upload: Bytes) -> Seen {
        let request = RequestRecord {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().map(str::to_owned),
            ..RequestRecord::default()
        };
        let (id, parent, identity, client, actor) = (EventId::new(), None, None, None, None);
        let case = Case { id, parent, identity, client, request, actor };
        let path = self.directory.path().join("log");
        let log =
            self.log.get_or_insert_with(|| Writer::open(&path, GateInstance::here(), 0).unwrap());
        let permitted = log.permit(case, permit).await.unwrap();
        self.lines += 1;
        self.forwarded += 1;
        let forwarded = format!("{:?}", permitted.outbound());
        let body = ClientBody::stream(Full::new(upload));
        let answer = self.daemon.forward(permitted, body, Cancel::new());
        let answer = tokio::time::timeout(PATIENCE, answer).await.expect("the daemon's side hangs");
        let answer = answer.unwrap_or_else(|why| panic!("{forwarded}: {why}"));
        assert_eq!(answer.status, 200, "{forwarded}");
        assert!(answer.tunnel.is_none(), "a tunnel that the daemon did not open: {forwarded}");
        let _ = answer.body.collect().await.unwrap();
        let seen = self.seen.recv_timeout(PATIENCE).unwrap();
        let seen = seen.unwrap_or_else(|why| panic!("{forwarded}: {why}"));
        assert!(self.seen.try_recv().is_err(), "more than one request: {forwarded}");
        if self.lines >= LINES {
            self.verify().await;
        }
        seen
    }

    /// The log holds together, and nothing in it is invisible.
    async fn verify(&mut self) {
        let Some(log) = self.log.take() else { return };
        log.close().await.unwrap();
        let path = self.directory.path().join("log");
        verify(&path).unwrap_or_else(|why| panic!("{why}"));
        for file in std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()) {
            let text = std::fs::read_to_string(file).unwrap();
            assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        }
        std::fs::remove_dir_all(&path).unwrap();
        self.lines = 0;
    }
}

/// In memory where there is such a place: every decision is synced.
fn directory() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap()
}

fn attend(stream: &UnixStream, tell: &Sender<Result<Seen, String>>) {
    let mut reader = BufReader::new(stream);
    loop {
        let seen = match take(&mut reader) {
            Ok(Some(seen)) if reader.buffer().is_empty() => Ok(seen),
            Ok(Some(seen)) => {
                let rest = String::from_utf8_lossy(reader.buffer()).into_owned();
                Err(format!("after the request {:?} more was sent: {rest:?}", seen.line))
            }
            Ok(None) => return,
            Err(why) => Err(why),
        };
        let wrong = seen.is_err();
        let told = tell.send(seen).is_err();
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        if wrong || told || (&*stream).write_all(answer).is_err() {
            return;
        }
    }
}

/// One request, or the end of the connection.
fn take(reader: &mut BufReader<&UnixStream>) -> Result<Option<Seen>, String> {
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        let read = reader.read_until(b'\n', &mut line);
        if lines.is_empty() && !matches!(read, Ok(1..)) {
            return Ok(None);
        }
        let line = String::from_utf8(line).map_err(|why| why.to_string())?;
        let line = line.strip_suffix("\r\n").ok_or_else(|| format!("a line's end: {line:?}"))?;
        if line.is_empty() {
            break;
        }
        lines.push(line.to_owned());
    }
    let line = lines.remove(0);
    let field = |line: &String| {
        let (name, value) = line.split_once(": ").ok_or_else(|| format!("no field: {line:?}"))?;
        Ok((name.to_owned(), value.to_owned()))
    };
    let fields = lines.iter().map(field).collect::<Result<_, String>>()?;
    let mut seen = Seen { line, fields, body: Vec::new() };
    let lengths: Vec<_> = seen.all("content-length").into_iter().map(str::to_owned).collect();
    let codings: Vec<_> = seen.all("transfer-encoding").into_iter().map(str::to_owned).collect();
    match (lengths.as_slice(), codings.as_slice()) {
        ([], []) => {}
        ([length], []) => {
            let length = length.parse().map_err(|_| format!("length {length:?}"))?;
            seen.body = exactly(reader, length)?;
        }
        ([], [coding]) if coding == "chunked" => seen.body = chunks(reader)?,
        _ => return Err(format!("framed twice: {lengths:?} {codings:?}")),
    }
    Ok(Some(seen))
}

fn exactly(reader: &mut BufReader<&UnixStream>, length: usize) -> Result<Vec<u8>, String> {
    let mut body = vec![0; length];
    reader.read_exact(&mut body).map_err(|why| why.to_string())?;
    Ok(body)
}

fn chunks(reader: &mut BufReader<&UnixStream>) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).map_err(|why| why.to_string())?;
        let digits = line.strip_suffix("\r\n").unwrap_or_default();
        let length = usize::from_str_radix(digits, 16).map_err(|_| format!("chunk {line:?}"))?;
        body.extend(exactly(reader, length)?);
        if exactly(reader, 2)? != b"\r\n" {
            return Err("a chunk's end".to_owned());
        }
        if length == 0 {
            return Ok(body);
        }
    }
}
