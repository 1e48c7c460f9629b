//! `POST /v1/clicks/batch`: many clicks in one request, each with its own result.

use super::clicks::{announce, receipt};
use super::{Call, Handler, Receipts, Reply};
use crate::world::idempotency::{Click, Fate};
use serde::Deserialize;
use serde_json::json;
use wiremock::Request;

pub(super) struct ClicksBatch;

#[derive(Deserialize)]
struct Events {
    events: Vec<Click>,
}

impl Handler for ClicksBatch {
    fn answer(&self, call: &Call<'_>) -> Reply {
        let Ok(Events { events }) = call.request.body_json() else {
            return Reply::error(400, "bad_request", "the body is not a batch of clicks");
        };
        if events.len() > call.world.profile.batch.max_items as usize {
            let clicks: Vec<_> = events.iter().map(|click| receipt(click, 400, false)).collect();
            return Reply::error(400, "bad_request", "the batch is too large")
                .with_receipts(clicks);
        }
        let clicks: Vec<_> = call.world.with_clicks(|book| {
            events
                .iter()
                .map(|click| {
                    if let Some(status) = call.refused_item(&click.event_id) {
                        return receipt(click, status, false);
                    }
                    if !click.is_dated() {
                        return receipt(click, 422, false);
                    }
                    if !call.world.population.contains(&click.handle) {
                        return receipt(click, 404, false);
                    }
                    let fate = book.count(click);
                    announce(call, click, fate);
                    receipt(click, fate.status(), fate == Fate::Counted)
                })
                .collect()
        });
        let results: Vec<_> = clicks
            .iter()
            .map(|click| json!({ "event_id": click.event_id, "status": click.status }))
            .collect();
        Reply::json(200, json!({ "results": results })).with_receipts(clicks)
    }

    fn unprocessed(&self, request: &Request, status: u16) -> Receipts {
        let events = request.body_json::<Events>().map(|batch| batch.events).unwrap_or_default();
        events.iter().map(|click| receipt(click, status, false)).collect::<Vec<_>>().into()
    }
}
