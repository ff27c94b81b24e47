use super::{ClientLine, ClientSocket, CrowdedOut, Stream};
use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};

/// What clients hold.
trait Client: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Client for T {}

const UNREAD: Duration = Duration::from_secs(120);

fn line(stream: Stream) -> Arc<ClientLine> {
    ClientLine::new(stream, UNREAD, CrowdedOut::never())
}

async fn pairs() -> [(Box<dyn Client>, Arc<ClientLine>); 2] {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let tcp = line(Stream::Tcp(listener.accept().await.unwrap().0));
    let (user, ours) = UnixStream::pair().unwrap();
    [(Box::new(client), tcp), (Box::new(user), line(Stream::Unix(ours)))]
}

#[tokio::test]
async fn waiting_bytes_are_no_end_and_do_not_spin() {
    for (mut client, line) in pairs().await {
        client.write_all(b"pipelined").await.unwrap();
        each!(&line.stream, stream => stream.readable().await).unwrap();
        let mut gone = pin!(line.gone());
        let mut polls = 0;
        let counted = poll_fn(|cx| {
            polls += 1;
            gone.as_mut().poll(cx)
        });
        let waited = tokio::time::timeout(Duration::from_millis(100), counted).await;
        assert!(waited.is_err(), "the client is there");
        assert!(polls < 5, "polled {polls} times for nothing");

        drop(client);
        tokio::time::timeout(Duration::from_secs(10), gone).await.unwrap();
        let mut unread = [0; 9];
        assert_eq!(line.stream.try_read(&mut unread).unwrap(), 9, "not a byte was taken");
    }
}

#[tokio::test]
async fn whoever_lets_go_tells_client_and_waiters() {
    for (mut client, line) in pairs().await {
        let socket = ClientSocket::new(Arc::clone(&line), Arc::new(()));
        let mut gone = pin!(line.gone());
        let first = poll_fn(|cx| Poll::Ready(gone.as_mut().poll(cx).is_pending())).await;
        assert!(first && !*line.hung_up.borrow());
        drop(socket);
        tokio::time::timeout(Duration::from_secs(10), gone).await.unwrap();
        assert!(*line.hung_up.borrow());
        assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0, "while the line is still held");
    }
}

#[tokio::test]
async fn reads_writes_and_half_closes() {
    for (mut client, line) in pairs().await {
        let mut socket = ClientSocket::new(line, Arc::new(()));
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        let mut question = String::new();
        socket.read_to_string(&mut question).await.unwrap();
        socket.write_all(b"answer").await.unwrap();
        socket.shutdown().await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!((question.as_str(), answer.as_str()), ("question", "answer"));
    }
}

/// Keepalive says nothing while something is in flight; this does.
#[tokio::test]
async fn what_is_in_flight_has_its_time() {
    use rustix::net::sockopt::tcp_user_timeout;
    for (_, line) in pairs().await {
        if let Stream::Tcp(stream) = &line.stream {
            assert_eq!(u128::from(tcp_user_timeout(stream).unwrap()), UNREAD.as_millis());
        }
    }
}

#[tokio::test]
async fn a_closed_half_is_not_a_broken_line() {
    for (mut client, line) in pairs().await {
        client.shutdown().await.unwrap();
        tokio::time::timeout(Duration::from_secs(10), line.gone()).await.unwrap();
        let broken = tokio::time::timeout(Duration::from_millis(100), line.broken()).await;
        assert!(broken.is_err(), "it still listens");
    }
    let [(tcp, line), (unix, user_line)] = pairs().await;
    drop(unix);
    tokio::time::timeout(Duration::from_secs(10), user_line.broken()).await.unwrap();
    // what is sent to somebody who has closed altogether comes back as a reset
    drop(tcp);
    let mut socket = ClientSocket::new(Arc::clone(&line), Arc::new(()));
    socket.write_all(b"anybody there").await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), line.broken()).await.unwrap();
}
