//! Decides in the edge's own thread what is decided quickly, without the way to wiremock and back.
//!
//! A route of the contract gets the very [`Request`] that wiremock would hand it, behind the same guard,
//! and what it answers becomes what would have come back. Everything else goes to wiremock: routes that may
//! take long, whatever an embedding program mounts, and requests of which it is not plain how wiremock
//! would read them.

use super::backend::Question;
use super::message::{self, UpstreamAnswer};
use crate::contract::Route;
use crate::rendezvous::{EXCHANGE_HEADER, Instructions, Ticket};
use crate::routes::{Guarded, Reply, Shared, guarded};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use std::io;
use std::sync::Arc;
use wiremock::Request;

/// Routes that are decided in microseconds, whoever asks for whatever.
const QUICK: [Route; 4] = [Route::Health, Route::Me, Route::Profile, Route::Clicks];

/// The longest body that is read at once: a click has some hundred bytes.
const SHORT: usize = 4 * 1024;

/// The guards of the quick routes.
pub(super) struct Direct {
    shared: Arc<Shared>,
    guards: Vec<(Route, Guarded)>,
}

impl Direct {
    pub fn new(shared: &Arc<Shared>) -> Self {
        // One of the embedding program's own routes may be of higher priority.
        let routes = if shared.own.is_empty() { &QUICK[..] } else { &[] };
        Self { shared: Arc::clone(shared), guards: guarded(shared, routes) }
    }

    /// The answer, and what was decided beside it; none where it is for wiremock to say.
    pub fn decide(
        &self,
        ticket: &Ticket,
        question: &Question<'_>,
    ) -> Option<(io::Result<UpstreamAnswer>, Box<Instructions>)> {
        let (_, guard) = self.guards.iter().find(|(route, _)| *route == ticket.route)?;
        let request = request(question)?;
        let (reply, instructions) = guard.decide(ticket, &request);
        let answer = self.answer(reply, request.method == Method::HEAD);
        Some((answer, Box::new(instructions)))
    }

    /// What would come back from wiremock.
    fn answer(&self, mut reply: Reply, to_head: bool) -> io::Result<UpstreamAnswer> {
        let wrong = || io::Error::from(io::ErrorKind::InvalidData);
        let status = reply.status;
        let code = StatusCode::from_u16(status).map_err(|_| wrong())?;
        let named = std::mem::take(&mut reply.headers);
        let (body, kind) = reply.into_rendered(&self.shared.world.profile).unwrap_or_default();
        let kind = kind.filter(|kind| !kind.is_empty());
        let kind = kind.as_deref().map(|kind| ("content-type", kind));
        let mut headers: Vec<(&str, &str)> = Vec::with_capacity(named.len() + 1);
        let named = named.iter().map(|(name, value)| (name.as_ref(), value.as_str()));
        for (name, value) in named.chain(kind) {
            // As of a `HeaderValue` that is made of text.
            if !value.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)) {
                return Err(wrong());
            }
            // A name has one value, which stands where the first one stood.
            match headers.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
                Some(known) => known.1 = value,
                None => headers.push((name, value)),
            }
        }
        let mut lines = Vec::with_capacity(256);
        for (name, value) in headers {
            message::push_foreign(&mut lines, name, value.as_bytes());
        }
        let bodiless = to_head || [204, 304].contains(&status);
        Ok(UpstreamAnswer {
            status,
            reason: code.canonical_reason().unwrap_or("<none>").into(),
            lines,
            body: if bodiless { Vec::new() } else { body },
            to_head,
        })
    }
}

/// The request as wiremock would hand it to a route; none where it would not be plain how.
fn request(question: &Question<'_>) -> Option<Request> {
    let Question { id, head, body } = question;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_~?=&,:".contains(&byte);
    // Dots may be segments, which are taken out of an address.
    let is_dotted = head.target.contains("/.");
    let is_plain = head.target.bytes().all(|byte| is_plain(byte) || byte == b'.') && !is_dotted;
    if !is_plain || body.len() > SHORT {
        return None;
    }
    let mut headers = HeaderMap::with_capacity(head.headers.len() + 2);
    for (name, value) in head.headers.iter().filter(|(name, _)| !message::is_own(name)) {
        let value = if name == "host" { b"mock" } else { value };
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).ok()?,
            HeaderValue::from_bytes(value).ok()?,
        );
    }
    headers.append(EXCHANGE_HEADER, HeaderValue::from(*id));
    headers.append("content-length", HeaderValue::from(body.len()));
    Some(Request {
        url: ["http://localhost", &head.target].concat().parse().ok()?,
        method: Method::from_bytes(head.method.as_bytes()).ok()?,
        headers,
        body: body.to_vec(),
    })
}

#[cfg(test)]
mod tests;
