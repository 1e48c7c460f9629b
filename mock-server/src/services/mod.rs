//! Small servers beside the edge, each on a port of its own: the vault and the alert receiver.
//!
//! They keep nothing of a request, and bound what clients can hold: so many connections at once,
//! and none that has been silent for long.

pub(crate) mod alertmanager;
mod transport;
pub mod vault;

use crate::clock::Clock;
use crate::contract::Listener as Server;
use crate::history::record::Recorder;
use crate::keyring::Keyring;
use crate::overload::Overloads;
use crate::routes::Shared;
use crate::tls::Tls;
use axum::Router;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;
use transport::Transport;

/// How long to wait before accepting again after a failure such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// What the servers beside the edge share with it.
pub(crate) struct ServiceContext {
    pub shared: Arc<Shared>,
    pub clock: Clock,
    pub recorder: Arc<dyn Recorder>,
    /// The address of all of them, which is the edge's.
    pub host: IpAddr,
    /// How to encrypt, if that is what they do.
    pub tls: Option<Arc<Tls>>,
}

impl ServiceContext {
    pub fn keys(&self) -> &Keyring {
        &self.shared.world.keys
    }
}

/// What clients of one server can hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Most connections at once.
    connections: usize,
    /// A connection on which nothing came for so long is closed.
    idle: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        // Vault's own `http_idle_timeout` is five minutes, too.
        Self { connections: 512, idle: Duration::from_secs(300) }
    }
}

/// The URL of what listens here: loopback, where it listens on every interface.
pub(crate) fn named(mut address: SocketAddr, encrypts: bool) -> String {
    if address.ip().is_unspecified() {
        let loopback: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        address.set_ip(loopback[usize::from(address.is_ipv6())]);
    }
    let scheme = if encrypts { "https" } else { "http" };
    format!("{scheme}://{address}")
}

/// Serves on any port for as long as the runtime lives, and says the address.
///
/// # Errors
///
/// The operating system's word when no port could be had.
pub(crate) async fn serve(
    context: &ServiceContext,
    server: Server,
    port: u16,
    router: Router,
    bounds: Bounds,
) -> io::Result<String> {
    let name = server.name();
    // In words: the kind alone would be taken for the mock's own port.
    let refused = |error| io::Error::other(format!("the {name} on port {port}: {error}"));
    let listener = TcpListener::bind((context.host, port)).await.map_err(refused)?;
    let url = named(listener.local_addr()?, context.tls.is_some());
    let listener = BoundedListener {
        listener,
        server,
        tls: context.tls.clone(),
        idle: bounds.idle,
        places: Arc::new(Semaphore::new(bounds.connections)),
        overloads: Overloads::new(context.clock, Arc::clone(&context.recorder)),
    };
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(name, %error, "a server beside the mock ended");
        }
    });
    Ok(url)
}

/// Lets so many clients in, and turns the others away.
struct BoundedListener {
    listener: TcpListener,
    server: Server,
    tls: Option<Arc<Tls>>,
    idle: Duration,
    places: Arc<Semaphore>,
    overloads: Overloads,
}

impl BoundedListener {
    fn say(&self, what: &str) {
        self.overloads.say(&format!("{}: {what}", self.server.name()));
    }
}

impl axum::serve::Listener for BoundedListener {
    type Io = BoundedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (BoundedStream, SocketAddr) {
        loop {
            let (stream, from) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    self.say(&format!("failed to accept a connection: {error}"));
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            match Arc::clone(&self.places).try_acquire_owned() {
                Ok(place) => {
                    // Without it, small answers wait for the client's acknowledgement.
                    let _ = stream.set_nodelay(true);
                    let transport = Transport::of(stream, self.server, self.tls.clone());
                    return (BoundedStream::new(transport, place, self.idle), from);
                }
                Err(_) => self.say("too many connections at once"),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A client's socket, which takes up a place and fails when it is silent for too long.
struct BoundedStream {
    stream: Transport,
    idle: Duration,
    silence: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl BoundedStream {
    fn new(stream: Transport, place: OwnedSemaphorePermit, idle: Duration) -> Self {
        Self { stream, idle, silence: Box::pin(tokio::time::sleep(idle)), _place: place }
    }
}

impl AsyncRead for BoundedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(context, buffer) {
            let idle = self.idle;
            self.silence.set(tokio::time::sleep(idle));
            return Poll::Ready(read);
        }
        ready!(self.silence.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for BoundedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use crate::faults::engine::Engine;
    use crate::history::record::Record;
    use crate::profile::ContractProfile;
    use crate::rendezvous::Rendezvous;
    use crate::world::World;
    use crate::world::population::Population;
    use std::sync::Mutex;

    /// A recorder that keeps everything.
    #[derive(Default)]
    pub(crate) struct Tape(pub Mutex<Vec<Record>>);

    impl Recorder for Tape {
        fn record(&self, record: Record) {
            self.0.lock().unwrap().push(record);
        }
    }

    pub(crate) fn context() -> (Arc<ServiceContext>, Arc<Tape>) {
        let tape = Arc::new(Tape::default());
        let profile = ContractProfile::linktree_v1();
        let shared = Arc::new(Shared {
            engine: Engine::new(7, vec![]).unwrap(),
            world: World::new(profile, 1, 7, Population::default(), vec![]),
            rendezvous: Rendezvous::default(),
            holds: crate::faults::holds::Holds::default(),
            own: Vec::new(),
        });
        let recorder = Arc::clone(&tape) as Arc<dyn Recorder>;
        shared.world.keys.open_vault_with("vault-token");
        let (clock, host) = (Clock::start(), std::net::Ipv4Addr::LOCALHOST.into());
        let tls = None;
        (Arc::new(ServiceContext { shared, clock, recorder, host, tls }), tape)
    }
}

#[cfg(test)]
mod tests {
    use super::testing::context;
    use super::*;
    use crate::history::record::Record;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    async fn connected(bounds: Bounds) -> (TcpStream, String, Arc<super::testing::Tape>) {
        let (context, tape) = context();
        let router = Router::new().route("/", get(|| async { "hello" }));
        let url = serve(&context, Server::Vault, 0, router, bounds).await.unwrap();
        let address = url.trim_start_matches("http://").to_owned();
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
        (stream, address, tape)
    }

    #[tokio::test]
    async fn a_silent_client_is_closed() {
        let (mut stream, ..) =
            connected(Bounds { idle: Duration::from_millis(20), ..Bounds::default() }).await;
        assert!(matches!(stream.read(&mut [0; 16]).await, Ok(0) | Err(_)));
    }

    #[tokio::test]
    async fn too_many_clients_are_turned_away_and_that_is_said_once() {
        let (_first, address, tape) =
            connected(Bounds { connections: 1, ..Bounds::default() }).await;
        for _ in 0..3 {
            let mut more = TcpStream::connect(&address).await.unwrap();
            assert!(matches!(more.read(&mut [0; 16]).await, Ok(0) | Err(_)));
        }
        let records = tape.0.lock().unwrap();
        assert!(
            matches!(&records[..], [Record::Overload(it), ..] if it.what == "vault: too many connections at once"),
            "{records:?}"
        );
    }

    #[test]
    fn a_url_can_always_be_called() {
        let check =
            |address: &str, url: &str| assert_eq!(named(address.parse().unwrap(), false), url);
        check("127.0.0.1:80", "http://127.0.0.1:80");
        check("0.0.0.0:80", "http://127.0.0.1:80");
        check("[::]:80", "http://[::1]:80");
        check("10.1.2.3:80", "http://10.1.2.3:80");
        assert_eq!(named("0.0.0.0:443".parse().unwrap(), true), "https://127.0.0.1:443");
    }
}
