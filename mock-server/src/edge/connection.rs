//! One client connection: requests one after the other, each read, forwarded, answered and recorded.

pub(super) use super::client::Client;

use super::Edge;
use super::act::{After, perform};
use super::backend::Question;
use super::body::BodyReader;
use super::breaking::{Fate, IsBroken};
use super::client::{Arrival, NoBody};
use super::head::Head;
use super::message::{UpstreamAnswer, push_header};
use super::open::{OpenExchange, blank};
use super::scan::Scanner;
use crate::clock::Moment;
use crate::history::exchange::{End, Exchange};
use crate::keyring::Token;
use crate::rendezvous::{Instructions, Ticket};
use crate::routes::{classify, error_body, resolved};
use crate::serving::places::Claim;
use crate::tls::Stream;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

/// Serves a connection to its end, which was accepted at this moment.
pub(super) async fn serve(
    edge: Rc<Edge>,
    stream: Stream,
    conn: u64,
    t_conn: Moment,
    mut fate: Fate,
    claim: &Arc<Claim>,
) {
    let mut client = Client::new(stream, edge.clock, edge.tuning);
    for seq in 0.. {
        let Ok(arrival) = fate.unless_broken(client.next()).await else { return client.reset() };
        let (Arrival::Request(_, t_head) | Arrival::Bad(_, t_head)) = arrival else { return };
        let _held = claim.holds();
        let mut open = OpenExchange::new(&edge, blank(edge.next_exchange(), conn, seq));
        let record = &mut *open;
        (record.t_conn, record.t_head, record.t_req) = (t_conn, t_head, client.last_read());
        let after = match arrival {
            Arrival::Request(head, _) => exchange(&edge, &mut client, open, &head, &mut fate).await,
            Arrival::Bad(status, _) => refuse(&edge, &mut client, open, status).await,
            Arrival::Closed => return,
        };
        if after == After::Close {
            return client.close().await;
        }
    }
}

/// Answers without the routes, and closes.
async fn refuse(edge: &Edge, client: &mut Client, open: OpenExchange, status: u16) -> After {
    let mut answer = own_answer(edge, status);
    if open.method == "HEAD" {
        answer.to_head = true;
        answer.body.clear();
    }
    perform(client, open, &answer, Box::default(), false).await
}

async fn exchange(
    edge: &Rc<Edge>,
    client: &mut Client,
    mut open: OpenExchange,
    head: &Head,
    fate: &mut Fate,
) -> After {
    let framing = head.framing();
    let framing = framing.and_then(|one| if head.names_its_host() { Ok(one) } else { Err(400) });
    let path = resolved(&head.target);
    let body = match framing {
        Ok(framing) => {
            let mut reader = BodyReader::new(framing);
            // Mostly it is there, and what is said of the request then is all that is to be said.
            let body = match client.body_at_once(head, &mut reader) {
                Some(body) => body,
                None => {
                    let scanner = Scanner::new(&edge.shared.world.keys);
                    describe(&scanner, &mut open, head, &path);
                    identify(&scanner, &mut open, head);
                    let Ok(body) = fate.unless_broken(client.body(head, &mut reader)).await else {
                        return reset(client);
                    };
                    body
                }
            };
            open.t_req = client.last_read();
            open.body_bytes = reader.content().len() as u64;
            body
        }
        Err(status) => Err(NoBody::Bad(status)),
    };
    let body_so_far = body.as_deref().unwrap_or_default();
    let scanner = Scanner::new(&edge.shared.world.keys);
    let is_suspicious = describe(&scanner, &mut open, head, &path);
    let places = scanner.places(open.route, head, is_suspicious, body_so_far);
    (open.key_places, open.secret_places) = (places.keys, places.secrets);
    let token = identify(&scanner, &mut open, head);
    let body = match body {
        Ok(body) => body,
        Err(NoBody::Bad(status)) => return refuse(edge, client, open, status).await,
        Err(NoBody::Gone) => {
            open.finish(End::ClientAbort);
            return After::Close;
        }
    };
    open.body_bytes = body.len() as u64;
    if edge.gauges.in_flight() > edge.tuning.in_flight {
        edge.overloads.say("too many requests at once");
        return refuse(edge, client, open, 503).await;
    }

    // Decisions hash it, and no credential.
    let path = if open.target == head.target { path } else { resolved(&open.target) };
    let (answered, instructions) = routed(edge, &open, token, path, head, &body).await;
    let mut instructions = instructions.unwrap_or_default();
    let mut answer = match answered {
        Ok(answer) => answer,
        Err(error) => {
            edge.overloads.say(&format!("the routes did not answer: {error}"));
            let Instructions { clicks, links, registration, .. } =
                std::mem::take(&mut *instructions);
            let plain = Instructions { clicks, links, registration, ..Instructions::default() };
            *instructions = plain;
            own_answer(edge, 502)
        }
    };
    open.clicks = std::mem::take(&mut instructions.clicks);
    open.links = std::mem::take(&mut instructions.links);
    open.listed = instructions.listed.take();
    open.registration = instructions.registration.take();
    open.faults = std::mem::take(&mut instructions.marks);
    open.over_limit = instructions.over_limit;
    open.denied = instructions.denied;
    let keep = head.keeps_alive() && !edge.is_draining() && !edge.hits_handshakes();
    if keep && head.minor == 0 {
        // HTTP/1.0 closes, unless both sides say otherwise.
        push_header(&mut answer.lines, "connection", b"keep-alive");
    }
    let others_are_asking = edge.gauges.in_flight() > 1;
    let performing = async {
        if others_are_asking {
            // All who have asked in this turn of the loop are decided about first, and answered then: to
            // wake a client once for many answers costs far less than once for each.
            tokio::task::yield_now().await;
        }
        perform(client, open, &answer, instructions, keep).await
    };
    // Not before: what the routes have done stands in the record by now.
    match fate.unless_broken(performing).await {
        Ok(after) => after,
        Err(IsBroken) => reset(client),
    }
}

/// All connections are broken off; what is dropped with this one is recorded so.
fn reset(client: &mut Client) -> After {
    client.reset();
    After::Close
}

/// What the routes answer, and what they decided beside it.
async fn routed(
    edge: &Rc<Edge>,
    record: &Exchange,
    token: Token,
    path: String,
    head: &Head,
    body: &[u8],
) -> (io::Result<UpstreamAnswer>, Option<Box<Instructions>>) {
    let ticket = Ticket {
        id: record.id,
        t_req: record.t_req,
        route: record.route,
        handle: record.handle.clone(),
        token,
        method: head.method.clone(),
        path,
        idempotency_key: record.idempotency_key.clone(),
    };
    let question = Question { id: record.id, head, body };
    if let Some((answered, instructions)) = edge.direct.decide(&ticket, &question) {
        return (answered, Some(instructions));
    }
    edge.shared.rendezvous.ask(ticket);
    let answered = edge.upstream.forward(&question).await;
    let instructions = edge.shared.rendezvous.collect(record.id);
    edge.renew_upstream();
    (answered, instructions)
}

/// Notes what the head says, without its credentials, and says whether it holds any that it should not.
fn describe(scanner: &Scanner, record: &mut Exchange, head: &Head, path: &str) -> bool {
    let is_suspicious = scanner.is_suspicious(head);
    let clean = |text: String, is_sure: bool| {
        if is_sure && !is_suspicious { text } else { scanner.redacted(&text).into_owned() }
    };
    let text = |name| head.header(name).map(|value| clean(value, true));
    // What was searched line by line may together be something else.
    let lines = |name: &str| {
        let is_one = head.headers.all(name).nth(1).is_none();
        head.lines(name).map(|value| clean(value, is_one))
    };
    let (route, handle) = classify(&head.method, path);
    record.method = clean(head.method.clone(), true);
    record.target = clean(head.target.clone(), true);
    record.route = route;
    // So may what stands there once its escapes are undone.
    record.handle = handle.map(|handle| clean(handle, !head.target.contains('%')));
    record.host = lines("host");
    record.accept = lines("accept");
    record.content_type = text("content-type");
    record.idempotency_key = text("idempotency-key");
    is_suspicious
}

/// Notes whose key the head shows, as of the request's last byte so far.
fn identify(scanner: &Scanner, record: &mut Exchange, head: &Head) -> Token {
    let token = scanner.token(head, record.t_req);
    record.token.clone_from(&token.label);
    record.key_id = token.key.as_ref().map(|key| key.id.clone());
    token
}

/// An answer that the edge gives by itself, for requests that never reach the routes.
fn own_answer(edge: &Edge, status: u16) -> UpstreamAnswer {
    let (reason, message) = match status {
        400 => ("Bad Request", "this is no HTTP request that can be understood"),
        408 => ("Request Timeout", "the request did not come in time"),
        413 => ("Content Too Large", "the body is too large"),
        431 => ("Request Header Fields Too Large", "the head is too large"),
        501 => ("Not Implemented", "this method or transfer coding is not supported"),
        502 => ("Bad Gateway", "the routes did not answer"),
        505 => ("HTTP Version Not Supported", "only HTTP 1.0 and 1.1 are spoken here"),
        _ => ("Service Unavailable", "too many requests at once"),
    };
    let (body, kind) = error_body(&edge.shared.world.profile, status, "edge", message);
    let mut lines = Vec::new();
    push_header(&mut lines, "content-type", kind.as_bytes());
    UpstreamAnswer { status, reason: reason.into(), lines, body, to_head: false }
}
