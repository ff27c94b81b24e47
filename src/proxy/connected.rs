//! The connection of somebody who is known, as the rest of the gate holds it: who it is, whether that still
//! holds, whether the client is still there, and the word that ends it.

use super::gate::Peer;
use super::shutdown::Live;
use super::socket::ClientLine;
use super::standing::Standing;
use crate::identity::Evidence;
use crate::rule::Rule;
use std::sync::Arc;
use tokio::sync::watch;

/// An identified client's connection.
#[derive(Debug)]
pub struct Connection<W> {
    /// Where it comes from.
    pub peer: Peer,
    /// By what it is known.
    pub evidence: Evidence,
    /// Who it is.
    pub who: W,
    /// Whether that still holds.
    pub standing: Standing,
    /// Held by whatever must have ended before the process does: tasks take a clone.
    pub live: Live,
    pub(super) line: Arc<ClientLine>,
    pub(super) ending: watch::Sender<Option<Arc<Ending>>>,
}

/// Why we end a connection before its client does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// What is documented about it.
    pub reason: &'static Rule,
    /// For people.
    pub text: String,
}

impl<W> Connection<W> {
    /// Ends it: whatever is open on it is cut. The first reason stays.
    pub fn end(&self, why: Ending) {
        self.ending.send_if_modified(|ending| {
            let first = ending.is_none();
            ending.get_or_insert_with(|| Arc::new(why));
            first
        });
    }

    /// Why it was ended, if it was.
    pub fn ended(&self) -> Option<Arc<Ending>> {
        self.ending.borrow().clone()
    }

    /// Resolves with the reason when it is ended; at once if it was.
    pub async fn ending(&self) -> Arc<Ending> {
        let mut ending = self.ending.subscribe();
        match ending.wait_for(Option::is_some).await.map(|why| why.clone()) {
            Ok(Some(why)) => why,
            _ => std::future::pending().await, // the sender lives in `self`
        }
    }

    /// Resolves when the client is gone: it closed its side, the connection broke, or we have closed
    /// it. Bytes that wait unread, pipelined ones for example, change nothing.
    ///
    /// A client that half-closes is gone by this measure, so a tunnel looks for the end in its
    /// stream and not here.
    pub async fn gone(&self) {
        self.line.gone().await;
    }

    /// Resolves when nothing can be said to the client any more. One that has closed its side may still listen:
    /// whether it does shows when it is answered.
    pub async fn broken(&self) {
        self.line.broken().await;
    }
}
