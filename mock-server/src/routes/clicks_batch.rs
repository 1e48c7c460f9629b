//! `POST /v1/clicks/batch`: many clicks in one request, each with its own result.

use super::clicks::{announce, receipt};
use super::{Call, Handler, Receipts, Reply};
use crate::api::bodies::{ClickBatch, ClickResult, ClickResults, json};
use crate::history::exchange::ClickReceipt;
use crate::world::idempotency::Fate;
use wiremock::Request;

pub(super) struct ClicksBatch;

impl Handler for ClicksBatch {
    fn answer(&self, call: &Call<'_>) -> Reply {
        let Ok(ClickBatch { events }) = call.request.body_json() else {
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
        let result = |click: &ClickReceipt| ClickResult {
            event_id: click.event_id.clone(),
            status: click.status,
        };
        let results = clicks.iter().map(result).collect();
        Reply::json(200, json(ClickResults { results })).with_receipts(clicks)
    }

    fn unprocessed(&self, request: &Request, status: u16) -> Receipts {
        let events =
            request.body_json::<ClickBatch>().map(|batch| batch.events).unwrap_or_default();
        events.iter().map(|click| receipt(click, status, false)).collect::<Vec<_>>().into()
    }
}
