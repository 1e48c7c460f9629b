//! One wiremock server, and the connections to it.

use super::head::Head;
use super::message::{self, UpstreamAnswer};
use super::pipe::{Pipe, late};
use crate::routes::{Shared, mount};
use socket2::SockRef;
use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use wiremock::MockServer;

/// A route answers at once; longer means that the machine is overloaded.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections that many requests share. wiremock answers one request at a time, so that more of them
/// only make what is written at once smaller.
const PIPES: usize = 2;

/// A request with a larger body has a connection of its own, so that no other waits for it to be read.
const LARGE: usize = 64 * 1024;

/// A request for the routes.
pub(super) struct Question<'a> {
    pub id: u64,
    pub head: &'a Head,
    pub body: &'a [u8],
}

impl Question<'_> {
    fn is_head(&self) -> bool {
        self.head.method == "HEAD"
    }

    fn write(&self, out: &mut Vec<u8>) {
        message::write(out, self.id, self.head, self.body);
    }
}

/// A wiremock server with the routes of the contract and the embedding program's.
pub(super) struct Backend {
    server: MockServer,
    /// The embedding program's routes may take their time (`set_delay`), and one may be of higher
    /// priority than those of the contract: where there are any, nobody shares a connection.
    shares: bool,
    pipes: RefCell<Vec<(Rc<Pipe>, AbortHandle)>>,
    opening: Mutex<()>,
    /// How many of these were opened so far.
    opened: Cell<u64>,
    idle: RefCell<Vec<TcpStream>>,
}

impl Backend {
    pub async fn start(shared: &Arc<Shared>) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        // What wiremock accepts inherits it. Without it each of several answers on one connection waits
        // until the one before was acknowledged, which takes 40 ms.
        SockRef::from(&listener).set_tcp_nodelay(true)?;
        let server =
            MockServer::builder().listener(listener).disable_request_recording().start().await;
        mount(&server, shared).await;
        let shares = shared.own.is_empty();
        let (pipes, idle) = (RefCell::default(), RefCell::default());
        let (opening, opened) = (Mutex::default(), Cell::default());
        Ok(Self { server, shares, pipes, opening, opened, idle })
    }

    /// Asks over a kept connection, or over a new one when that fails and `may_repeat`.
    pub async fn forward(
        &self,
        question: &Question<'_>,
        may_repeat: impl Fn() -> bool,
    ) -> io::Result<UpstreamAnswer> {
        let due = Instant::now() + PATIENCE;
        if self.shares && question.body.len() <= LARGE {
            return self.share(question, due, may_repeat).await;
        }
        let (answer, stream) = tokio::time::timeout_at(due, self.own(question, may_repeat))
            .await
            .map_err(|_| late())??;
        self.idle.borrow_mut().push(stream);
        Ok(answer)
    }

    /// Over a connection with others.
    async fn share(
        &self,
        question: &Question<'_>,
        due: Instant,
        may_repeat: impl Fn() -> bool,
    ) -> io::Result<UpstreamAnswer> {
        let ask =
            async |pipe: &Pipe| pipe.ask(question.is_head(), due, |out| question.write(out)).await;
        if let Some(pipe) = self.kept() {
            match ask(&pipe).await {
                Err(error) if error.kind() != io::ErrorKind::TimedOut && may_repeat() => {}
                answered => return answered,
            }
        }
        let opened = tokio::time::timeout_at(due, self.opened()).await;
        let pipe = opened.map_err(|_| late())??;
        ask(&pipe).await
    }

    /// The connection to share next; none when there shall be one more.
    fn kept(&self) -> Option<Rc<Pipe>> {
        let mut pipes = self.pipes.borrow_mut();
        pipes.retain(|(pipe, _)| !pipe.is_retired() || pipe.load() > 0);
        let usable = || pipes.iter().map(|(pipe, _)| pipe).filter(|pipe| !pipe.is_retired());
        // What is gathered in this turn of the loop goes out with one write.
        let best = usable().find(|pipe| pipe.gathers());
        let best = best.or_else(|| usable().min_by_key(|pipe| pipe.load()))?;
        let enough = best.load() == 0 || usable().count() >= PIPES;
        (enough || self.opening.try_lock().is_err()).then(|| Rc::clone(best))
    }

    /// A new connection to share, or the one that somebody else has opened meanwhile.
    async fn opened(&self) -> io::Result<Rc<Pipe>> {
        let before = self.opened.get();
        let _opening = self.opening.lock().await;
        if self.opened.get() > before
            && let Some((newest, _)) = self.pipes.borrow().last()
        {
            return Ok(Rc::clone(newest));
        }
        let pipe = Pipe::new(self.connect().await?);
        let worker = tokio::task::spawn_local(Rc::clone(&pipe).work()).abort_handle();
        self.pipes.borrow_mut().push((Rc::clone(&pipe), worker));
        self.opened.set(before + 1);
        Ok(pipe)
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(self.server.address()).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Over a connection that nobody else uses meanwhile.
    async fn own(
        &self,
        question: &Question<'_>,
        may_repeat: impl Fn() -> bool,
    ) -> io::Result<(UpstreamAnswer, TcpStream)> {
        let mut request = Vec::with_capacity(512 + question.body.len());
        question.write(&mut request);
        let idle = self.idle.borrow_mut().pop();
        if let Some(stream) = idle {
            match ask(stream, question.is_head(), &request).await {
                Err(_) if may_repeat() => {}
                answered => return answered,
            }
        }
        ask(self.connect().await?, question.is_head(), &request).await
    }
}

impl Drop for Backend {
    /// A reset leaves nothing behind, where a plain close would keep a port busy for a minute:
    /// wiremock is replaced several times a second under load, and ports would run out.
    fn drop(&mut self) {
        for stream in self.idle.get_mut() {
            let _ = stream.set_zero_linger();
        }
        for (pipe, worker) in self.pipes.get_mut() {
            pipe.set_zero_linger();
            worker.abort();
        }
    }
}

async fn ask(
    mut stream: TcpStream,
    to_head: bool,
    request: &[u8],
) -> io::Result<(UpstreamAnswer, TcpStream)> {
    stream.write_all(request).await?;
    let mut bytes = Vec::with_capacity(4096);
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some((answer, _)) = UpstreamAnswer::read(&bytes, to_head)? {
            return Ok((answer, stream));
        }
    }
}
