//! `POST /v1/clicks`: one click, once, however often it is sent.

use super::{Call, Handler, Receipts, Reply};
use crate::api::LinkClicked;
use crate::api::bodies::{ClickAccepted, json};
use crate::history::exchange::ClickReceipt;
use crate::webhooks::WebhookEvent;
use crate::world::idempotency::{Click, Earlier, Fate};
use wiremock::Request;

pub(super) struct Clicks;

impl Handler for Clicks {
    fn answer(&self, call: &Call<'_>) -> Reply {
        let Ok(click) = call.request.body_json::<Click>() else {
            return Reply::error(400, "bad_request", "the body is not a click");
        };
        let refused = |status, code, message| {
            Reply::error(status, code, message).with_receipts(vec![receipt(&click, status, false)])
        };
        let Some(key) = call.ticket.idempotency_key.as_deref() else {
            return refused(400, "bad_request", "Idempotency-Key is needed");
        };
        if !click.is_dated() {
            return refused(
                422,
                "unprocessable",
                "occurred_at is no instant, such as RFC 3339 writes",
            );
        }
        let known = call.world.population.contains(&click.handle);
        let (status, effect) = call.world.with_clicks(|book| match book.earlier(key, &click) {
            Earlier::Same => (202, false),
            Earlier::Other => (422, false),
            Earlier::New if !known => (404, false),
            Earlier::New => {
                let fate = book.count(&click);
                announce(call, &click, fate);
                if fate.status() == 202 {
                    book.accept(key, &click);
                }
                (fate.status(), fate == Fate::Counted)
            }
        });
        match status {
            202 => {
                let event_id = click.event_id.clone();
                let body = json(ClickAccepted { event_id, status: "accepted" });
                Reply::json(202, body).with_receipts(vec![receipt(&click, 202, effect)])
            }
            404 => refused(404, "not_found", "nobody has this handle"),
            _ => refused(422, "conflict", "this key or event id was used for another click"),
        }
    }

    fn unprocessed(&self, request: &Request, status: u16) -> Receipts {
        let click = request.body_json::<Click>().ok();
        click.iter().map(|click| receipt(click, status, false)).collect::<Vec<_>>().into()
    }
}

pub(super) fn receipt(click: &Click, status: u16, effect: bool) -> ClickReceipt {
    ClickReceipt { event_id: click.event_id.clone(), payload: click.payload(), status, effect }
}

/// Tells whoever wants to hear of clicks that one has counted.
pub(super) fn announce(call: &Call<'_>, click: &Click, fate: Fate) {
    if fate == Fate::Counted {
        call.world.webhooks.post(WebhookEvent::LinkClicked, &click.handle, || {
            let Click { event_id, link_id, occurred_at, .. } = click.clone();
            json(LinkClicked { event_id, link_id, occurred_at })
        });
    }
}
