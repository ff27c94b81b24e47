//! Questions as they come in. Whatever comes, it costs a few connections, a few seconds and 64 KiB each, and
//! the gate serves on: nothing here is waited for by anybody who serves.

use super::desk::Desk;
use super::not_heard::NotHeard;
use super::peer::{Distrusted, peer};
use super::socket::ControlSocket;
use super::wire::{ANSWER_MAX, ControlAnswer, ControlRequest, REQUEST_MAX, Said};
use crate::audit::event::Actor;
use crate::audit::{Event, Stage, Writer};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How many ask at once; the next ones are told to come back.
const MOST: usize = 8;
/// How long a question may take to come in, and an answer to be taken.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to leave a listener alone that cannot accept.
const PAUSE: Duration = Duration::from_millis(100);
/// So many of those who are not listened to are recorded in each minute; the rest is counted.
const RECORDED: u32 = 10;

/// Answers until it is aborted.
pub async fn serve(socket: ControlSocket, desk: Arc<Desk>) {
    let places = Arc::new(Semaphore::new(MOST));
    let mut refusals = PeerRefusals::new();
    loop {
        match socket.listener.accept().await {
            Ok((stream, _)) => match peer(&stream) {
                Ok((actor, Ok(()))) => seat(stream, actor, &places, &desk),
                Ok((actor, Err(why))) => refusals.record(desk.log(), actor, why),
                Err(error) => tracing::warn!(%error, "somebody at the control socket is unknown"),
            },
            Err(error) => {
                tracing::error!(%error, "the control socket cannot accept, trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn seat(stream: UnixStream, actor: Actor, places: &Arc<Semaphore>, desk: &Arc<Desk>) {
    match Arc::clone(places).try_acquire_owned() {
        Ok(place) => {
            tokio::spawn(attend(stream, actor, place, Arc::clone(desk)));
        }
        Err(_) => {
            let busy = format!("{MOST} are asking already, try again in a moment");
            // whoever cannot take a line at once is not waited for
            let _ = stream.try_write(&line(Said::Refused(busy)));
        }
    }
}

/// One question. What was begun is brought to its end even if nobody waits for the answer any more.
async fn attend(
    mut stream: UnixStream,
    actor: Actor,
    _place: OwnedSemaphorePermit,
    desk: Arc<Desk>,
) {
    let said = match timeout(PATIENCE, question(&mut stream)).await {
        Ok(Ok(text)) => match ControlRequest::read(&text) {
            Ok(request) => desk.answer(request.ask, actor).await,
            Err(why) => Said::Refused(why.to_string()),
        },
        Ok(Err(error)) => Said::Refused(error.to_string()),
        Err(_) => Said::Refused("the question took too long".to_owned()),
    };
    let answer = async {
        stream.write_all(&line(said)).await?;
        stream.shutdown().await
    };
    let _ = timeout(PATIENCE, answer).await; // whoever went away is told nothing
}

async fn question(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    loop {
        let began = text.len();
        if stream.read_buf(&mut text).await? == 0 {
            return Ok(text);
        }
        let end = text.iter().skip(began).position(|byte| *byte == b'\n');
        if let Some(end) = end {
            text.truncate(began.saturating_add(end));
        }
        if text.len() > REQUEST_MAX {
            return Err(io::Error::other(format!("a question has {REQUEST_MAX} bytes at most")));
        }
        if end.is_some() {
            return Ok(text);
        }
    }
}

fn line(said: Said) -> Vec<u8> {
    let written = serde_json::to_vec(&ControlAnswer::of(said));
    let mut line = written.ok().filter(|line| line.len() < ANSWER_MAX).unwrap_or_else(|| {
        let refused = ControlAnswer::of(Said::Refused("the answer is too long".to_owned()));
        serde_json::to_vec(&refused).unwrap_or_default()
    });
    line.push(b'\n');
    line
}

/// Those who are not listened to, in the log: each by itself, but not without end.
struct PeerRefusals {
    minute: Instant,
    recorded: u32,
    passed_over: u64,
}

impl PeerRefusals {
    fn new() -> Self {
        Self { minute: Instant::now(), recorded: 0, passed_over: 0 }
    }

    fn record(&mut self, log: &Writer, actor: Actor, why: Distrusted) {
        if self.minute.elapsed() >= Duration::from_secs(60) {
            (self.minute, self.recorded) = (Instant::now(), 0);
        }
        if self.recorded >= RECORDED {
            self.passed_over = self.passed_over.saturating_add(1);
            return;
        }
        self.recorded = self.recorded.saturating_add(1);
        let more = std::mem::take(&mut self.passed_over);
        let mut event = Event::new(Stage::ConnectionRefused);
        event.because(NotHeard::Refused.rule());
        event.text = Some(match more {
            0 => why.to_string(),
            more => format!("{why}; {more} more were refused before"),
        });
        tracing::warn!(uid = actor.uid, "refused at the control socket: {why}");
        event.actor = Some(actor);
        log.note(event);
    }
}
