//! `PATCH /v1/links/{id}`: new values for some fields of one link.

use super::listing::shown;
use super::{Call, Handler, Receipts, Reply};
use crate::api::bodies::json;
use crate::history::exchange::{Denied, LinkReceipt};
use crate::world::link::Link as Known;
use crate::world::link_change::LinkChange;
use crate::world::profiles::Wrote;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use wiremock::Request;

pub(super) struct Link;

impl Handler for Link {
    fn answer(&self, call: &Call<'_>) -> Reply {
        let Some(change) = change(call.request) else {
            return Reply::error(400, "bad_request", "the body is no change of a link");
        };
        let id = id(call.request);
        let wrote = call.write_link(id, &change);
        let (status, effect) = (status(&wrote), has_effect(&wrote));
        let reply = match wrote {
            Wrote::Done { link, version, .. } => Reply::json(status, json(shown(&link)))
                .with_trace(&version, &call.world.nonce(call.ticket.id)),
            refused => {
                let (code, message) = complaint(&refused);
                let reply = Reply::error(status, code, message);
                if matches!(refused, Wrote::NotYours) {
                    reply.denied(Denied::Account)
                } else {
                    reply
                }
            }
        };
        reply.with_receipts(vec![receipt(id, &change, status, effect)])
    }

    fn unprocessed(&self, request: &Request, status: u16) -> Receipts {
        let links = change(request).map(|change| receipt(id(request), &change, status, false));
        Vec::from_iter(links).into()
    }
}

/// The status of one write.
pub(super) fn status(wrote: &Wrote) -> u16 {
    match wrote {
        Wrote::Done { .. } => 200,
        Wrote::Unknown => 404,
        Wrote::NotYours => 403,
        Wrote::Refused(_) => 422,
        Wrote::Failed(status) => *status,
    }
}

pub(super) fn has_effect(wrote: &Wrote) -> bool {
    matches!(wrote, Wrote::Done { effect: true, .. })
}

/// What is said of a write that was refused: a code, and a sentence.
pub(super) fn complaint(wrote: &Wrote) -> (&'static str, &'static str) {
    match wrote {
        Wrote::Done { .. } => ("ok", "the link is as it was asked to be"),
        Wrote::Unknown => ("not_found", "there is no such link"),
        Wrote::NotYours => ("forbidden", "the link belongs to another account"),
        Wrote::Refused(why) => ("invalid", why),
        Wrote::Failed(_) => ("unavailable", "the link cannot be written now"),
    }
}

fn change(request: &Request) -> Option<LinkChange> {
    object(request.body_json().ok()?)
}

/// A type from a JSON object alone: serde takes an array of the values for the same.
pub(super) fn object<T: DeserializeOwned>(fields: Map<String, Value>) -> Option<T> {
    serde_json::from_value(Value::Object(fields)).ok()
}

fn id(request: &Request) -> &str {
    request.url.path().rsplit('/').next().unwrap_or_default()
}

/// Anything may stand where an id should, even a credential: only ids are recorded.
pub(super) fn receipt(id: &str, change: &LinkChange, status: u16, effect: bool) -> LinkReceipt {
    let id = if Known::key(id).is_some() { id } else { "?" };
    LinkReceipt { id: id.to_owned(), payload: change.payload(), status, effect }
}
