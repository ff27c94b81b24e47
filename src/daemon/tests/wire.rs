//! What the socket itself tells, before hyper has looked.

use crate::daemon::wire::{Manner, Wire, is_closed, is_quiet};
use std::io::ErrorKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

#[tokio::test]
async fn only_an_open_and_silent_connection_is_used_again() {
    let (ours, mut daemon) = UnixStream::pair().unwrap();
    assert!(is_quiet(&ours));
    daemon.write_all(b"x").await.unwrap();
    assert!(!is_quiet(&ours), "a byte that nobody asked for");
    let (ours, daemon) = UnixStream::pair().unwrap();
    drop(daemon);
    assert!(!is_quiet(&ours), "closed");
}

#[tokio::test]
async fn a_half_that_is_closed_is_not_the_whole() {
    let (ours, mut daemon) = UnixStream::pair().unwrap();
    assert!(!is_closed(&ours));
    daemon.shutdown().await.unwrap();
    assert!(!is_closed(&ours) && !is_quiet(&ours));
    drop(daemon);
    assert!(is_closed(&ours));
}

#[tokio::test]
async fn an_answer_is_read_after_the_daemon_stopped_taking_the_upload() {
    for manner in [Manner::Request, Manner::Raw] {
        let (ours, mut daemon) = UnixStream::pair().unwrap();
        daemon.write_all(b"no").await.unwrap();
        drop(daemon);
        let mut wire = Wire::new(ours, manner);
        let written = wire.write(b"upload").await;
        match manner {
            Manner::Request => assert_eq!(written.unwrap(), 6),
            Manner::Raw => assert_eq!(written.unwrap_err().kind(), ErrorKind::BrokenPipe),
        }
        let mut answer = [0; 2];
        wire.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"no");
    }
}
