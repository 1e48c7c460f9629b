//! `POST /v1/webhooks`, `GET /v1/webhooks`, `DELETE /v1/webhooks/{id}`: who wants to hear of what.

use super::{Call, Handler, Reply};
use crate::api::bodies::{RegistrationRequest, Registrations, json};
use crate::history::exchange::RegistrationReceipt;
use crate::webhooks::{Registration, WebhookEvent};
use serde_json::Value;

pub(super) struct Webhooks;

impl Handler for Webhooks {
    fn answer(&self, call: &Call<'_>) -> Reply {
        match call.request.method.as_str() {
            "POST" => register(call),
            "DELETE" => remove(call),
            _ => {
                let data = call.world.webhooks.registrations();
                traced(call, Reply::json(200, json(Registrations { data })))
            }
        }
    }
}

fn register(call: &Call<'_>) -> Reply {
    if call.request.body_json::<Value>().is_err() {
        return Reply::error(400, "bad_request", "the body is not JSON");
    }
    let refused = |message: &str| Reply::error(422, "unprocessable", message);
    let body = match call.request.body_json::<RegistrationRequest>() {
        Ok(body) => body,
        Err(error) => return refused(&format!("failed to read the registration: {error}")),
    };
    let events = body.events.iter().map(|name| name.parse());
    let events: Vec<WebhookEvent> = match events.collect::<Result<_, _>>() {
        Ok(events) => events,
        Err(error) => return refused(&error.to_string()),
    };
    match call.world.webhooks.register(&body.url, &events, body.secret.as_deref()) {
        Ok((made, new)) => {
            let reply = Reply::json(if new { 201 } else { 200 }, json(&made));
            traced(call, reply).with_receipts(receipt(call, &made))
        }
        Err(error) => refused(&error.to_string()),
    }
}

/// As it may be recorded: a credential in an address would be the integration's leak.
fn receipt(call: &Call<'_>, made: &Registration) -> RegistrationReceipt {
    let url = call.world.keys.ring().scanner().redacted(&made.url).into_owned();
    RegistrationReceipt { id: made.id.clone(), url, events: made.events.clone() }
}

fn remove(call: &Call<'_>) -> Reply {
    let id = call.request.url.path().rsplit('/').next().unwrap_or_default();
    if call.world.webhooks.remove(id) {
        Reply::empty(204)
    } else {
        Reply::error(404, "not_found", "there is no webhook of this id")
    }
}

/// Every successful answer with a body carries a nonce that is unique in the run.
fn traced(call: &Call<'_>, reply: Reply) -> Reply {
    reply.with_nonce(&call.world.nonce(call.ticket.id))
}
