//! How clicks travel to Linktree: one alone, or up to a hundred in a batch.

use super::Click;
use crate::linktree::{Answer, Call, Route};
use serde::Deserialize;
use std::collections::HashMap;

/// The request that carries these clicks: the batch route for more than one.
pub fn call(clicks: &[&Click], idempotency_key: Option<String>) -> Call {
    let (route, path, body) = match clicks {
        [one] => (Route::Click, "/clicks", serde_json::to_vec(one)),
        many => {
            let body = serde_json::to_vec(&serde_json::json!({ "events": many }));
            (Route::ClickBatch, "/clicks/batch", body)
        }
    };
    let mut call = Call::new(route, path.to_owned());
    call.body = Some(body.expect("text serialises"));
    call.idempotency_key = idempotency_key;
    call
}

#[derive(Deserialize)]
struct EventResult {
    event_id: String,
    status: u16,
}

/// The status of each event in the answer to a batch; what is not in it is not known.
pub fn statuses(answer: &Answer) -> HashMap<String, u16> {
    answer.of_items(|one: EventResult| (one.event_id, one.status))
}
