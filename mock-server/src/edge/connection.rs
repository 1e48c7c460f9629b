//! One client connection: requests one after the other, each read, forwarded, answered and recorded.

use super::Edge;
use super::act::{After, Gone, perform};
use super::head::{Framing, Head, Parsed, body};
use super::open::{OpenExchange, blank};
use super::upstream::Answer;
use crate::clock::{Clock, Moment};
use crate::desk::{Outcome, Ticket};
use crate::routes::{classify, error_body};
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bytes of later requests that are read ahead, at most, while an answer is held back.
const READ_AHEAD: usize = 1024 * 1024;

/// How long a refused client may go on sending, so that it can read the refusal.
const LINGER: Duration = Duration::from_millis(500);

/// A client's socket, what was read from it, and when.
pub(super) struct Client {
    stream: TcpStream,
    clock: Clock,
    buffer: Vec<u8>,
    last_read: Moment,
}

struct Incoming {
    head: Head,
    body: Vec<u8>,
    t_head: Moment,
    t_req: Moment,
}

enum Arrival {
    Request(Box<Incoming>),
    Closed,
    Bad { status: u16, head: Option<Box<Head>>, t_head: Moment },
}

impl Client {
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Waits, but not for a client that leaves: its FIN or RST ends the wait at once.
    pub async fn wait_until(&mut self, moment: Moment) -> Result<(), Gone> {
        let deadline = tokio::time::Instant::from_std(self.clock.instant(moment));
        let sleep = tokio::time::sleep_until(deadline);
        tokio::pin!(sleep);
        loop {
            let room = self.buffer.len() < READ_AHEAD;
            tokio::select! {
                () = &mut sleep => return Ok(()),
                read = self.stream.read_buf(&mut self.buffer), if room => match read {
                    Ok(0) | Err(_) => return Err(Gone),
                    Ok(_) => self.last_read = self.clock.now(),
                },
            }
        }
    }

    /// Waits for the client to leave, however long that takes.
    pub async fn wait_gone(&mut self) -> Gone {
        loop {
            if self.buffer.len() >= READ_AHEAD {
                self.buffer.clear(); // this connection will never answer another request
            }
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) | Err(_) => return Gone,
                Ok(_) => {}
            }
        }
    }

    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        self.stream.write_all(bytes).await.map_err(|_| Gone)
    }

    /// Makes the close that follows an RST.
    pub fn reset(&self) {
        // It fails only for a socket that is gone already.
        let _ = self.stream.set_zero_linger();
    }

    async fn read_more(&mut self) -> bool {
        let read = self.stream.read_buf(&mut self.buffer).await;
        self.last_read = self.clock.now();
        matches!(read, Ok(1..))
    }

    /// The next request, whole.
    async fn next(&mut self) -> Arrival {
        let mut t_head = (!self.buffer.is_empty()).then_some(self.last_read);
        let head = loop {
            let parsed =
                if self.buffer.is_empty() { Parsed::Partial } else { Head::parse(&self.buffer) };
            match parsed {
                Parsed::Whole(head) => break head,
                Parsed::Bad(status) => {
                    let t_head = t_head.unwrap_or(self.last_read);
                    return Arrival::Bad { status, head: None, t_head };
                }
                Parsed::Partial if !self.read_more().await => return Arrival::Closed,
                Parsed::Partial => t_head = t_head.or(Some(self.last_read)),
            }
        };
        let t_head = t_head.unwrap_or(self.last_read);
        let bad = |status, head| Arrival::Bad { status, head: Some(Box::new(head)), t_head };
        let framing = match head.framing() {
            Ok(framing) => framing,
            Err(status) => return bad(status, head),
        };
        self.buffer.drain(..head.len);
        if self.wants_continue(&head, framing) && self.write(CONTINUE).await.is_err() {
            return Arrival::Closed;
        }
        loop {
            match body(framing, &self.buffer) {
                Parsed::Whole((body, taken)) => {
                    self.buffer.drain(..taken);
                    let t_req = self.last_read;
                    return Arrival::Request(Box::new(Incoming { head, body, t_head, t_req }));
                }
                Parsed::Bad(status) => return bad(status, head),
                Parsed::Partial if !self.read_more().await => return Arrival::Closed,
                Parsed::Partial => {}
            }
        }
    }

    fn wants_continue(&self, head: &Head, framing: Framing) -> bool {
        head.minor == 1
            && framing != Framing::Length(0)
            && self.buffer.is_empty()
            && head.names("expect", "100-continue")
    }

    /// Closes so that a client that is still sending can read what it was told.
    async fn close_gently(mut self) {
        if self.stream.shutdown().await.is_err() {
            return;
        }
        let drain = async {
            let mut sink = [0; 4096];
            while matches!(self.stream.read(&mut sink).await, Ok(1..)) {}
        };
        // Whoever does not stop sending in time gets an RST instead.
        let _ = tokio::time::timeout(LINGER, drain).await;
    }
}

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Serves a connection to its end.
pub(super) async fn serve(edge: Rc<Edge>, stream: TcpStream, conn: u64) {
    let clock = edge.clock;
    let t_conn = clock.now();
    let mut client = Client { stream, clock, buffer: Vec::with_capacity(4096), last_read: t_conn };
    for seq in 0.. {
        match client.next().await {
            Arrival::Closed => return,
            Arrival::Request(incoming) => {
                if exchange(&edge, &mut client, conn, seq, t_conn, *incoming).await == After::Close
                {
                    // A zero linger set by a reset acts in the drop; any other close is a FIN.
                    return;
                }
            }
            Arrival::Bad { status, head, t_head } => {
                let mut open = begin(&edge, conn, seq);
                let record = &mut open.exchange;
                (record.t_conn, record.t_head, record.t_req) = (t_conn, t_head, client.last_read);
                if let Some(head) = head {
                    describe(&edge, record, &head);
                }
                let answer = own_answer(&edge, status);
                perform(&mut client, open, &answer, Outcome::default(), false).await;
                client.close_gently().await;
                return;
            }
        }
    }
}

async fn exchange(
    edge: &Rc<Edge>,
    client: &mut Client,
    conn: u64,
    seq: u32,
    t_conn: Moment,
    incoming: Incoming,
) -> After {
    let Incoming { head, body, t_head, t_req } = incoming;
    let mut open = begin(edge, conn, seq);
    let id = open.exchange.id;
    let record = &mut open.exchange;
    (record.t_conn, record.t_head, record.t_req) = (t_conn, t_head, t_req);
    record.body_bytes = body.len() as u64;
    describe(edge, record, &head);
    record.key_places = edge.scanner.places(&head, &body);

    let keep = head.keeps_alive();
    if edge.in_flight.get() > edge.tuning.in_flight {
        edge.overload("too many requests at once");
        return perform(client, open, &own_answer(edge, 503), Outcome::default(), false).await;
    }
    edge.shared.desk.ask(Ticket {
        id,
        t_req,
        route: record.route,
        handle: record.handle.clone(),
        token: edge.scanner.token(&head),
        method: head.method.clone(),
        path: record.target.split('?').next().unwrap_or_default().to_owned(),
        idempotency_key: record.idempotency_key.clone(),
    });
    let answered = edge.upstream.forward(id, &head, &body).await;
    let outcome = edge.shared.desk.collect(id);
    edge.renew_upstream();
    let (answer, outcome) = match (answered, outcome) {
        (Ok(answer), Some(outcome)) => (answer, outcome),
        (Ok(answer), None) => (answer, Outcome::default()),
        (Err(error), outcome) => {
            edge.overload(&format!("the routes did not answer: {error}"));
            let outcome = outcome.unwrap_or_default();
            let Outcome { clicks, links, .. } = outcome;
            let plain = Outcome { clicks, links, ..Outcome::default() };
            (own_answer(edge, 502), plain)
        }
    };
    let mut outcome = outcome;
    open.exchange.clicks = std::mem::take(&mut outcome.clicks);
    open.exchange.links = std::mem::take(&mut outcome.links);
    open.exchange.faults = std::mem::take(&mut outcome.marks);
    open.exchange.over_limit = outcome.over_limit;
    perform(client, open, &answer, outcome, keep).await
}

fn begin(edge: &Rc<Edge>, conn: u64, seq: u32) -> OpenExchange {
    OpenExchange::new(edge, blank(edge.next_exchange(), conn, seq))
}

fn describe(edge: &Edge, record: &mut crate::exchange::Exchange, head: &Head) {
    let text = |name| head.header(name).map(|value| edge.scanner.redacted(&value));
    let path = head.target.split('?').next().unwrap_or_default();
    let (route, handle) = classify(&head.method, path);
    record.method.clone_from(&head.method);
    record.target = edge.scanner.redacted(&head.target);
    record.route = route;
    record.handle = handle.map(|handle| edge.scanner.redacted(&handle));
    record.host = text("host");
    record.accept = text("accept");
    record.content_type = text("content-type");
    record.idempotency_key = text("idempotency-key");
    record.token = edge.scanner.token(head).label().to_owned();
}

/// An answer that the edge gives by itself, for requests that never reach the routes.
fn own_answer(edge: &Edge, status: u16) -> Answer {
    let (reason, message) = match status {
        400 => ("Bad Request", "this is no HTTP request that can be understood"),
        413 => ("Content Too Large", "the body is too large"),
        431 => ("Request Header Fields Too Large", "the head is too large"),
        501 => ("Not Implemented", "this transfer coding is not supported"),
        502 => ("Bad Gateway", "the routes did not answer"),
        _ => ("Service Unavailable", "too many requests at once"),
    };
    let (body, kind) = error_body(&edge.shared.world.profile, status, "edge", message);
    let headers = vec![("content-type".to_owned(), kind.as_bytes().to_vec())];
    Answer { status, reason: reason.to_owned(), headers, body }
}
