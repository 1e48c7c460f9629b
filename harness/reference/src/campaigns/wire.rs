//! How changes travel to Linktree: up to a hundred in a batch, or one alone.

use super::Change;
use crate::linktree::{Answer, Call, Route};
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;

/// The request that carries these changes: the batch route, also for one, unless each goes alone.
pub fn call(changes: &[&Change], alone: bool) -> Call {
    let (route, path, body) = match changes {
        [one] if alone => {
            let body = json!({ "title": one.title, "url": one.url });
            (Route::Link, format!("/links/{}", one.id), body)
        }
        many => (Route::LinkBatch, "/links/batch".to_owned(), json!({ "items": many })),
    };
    let mut call = Call::new(route, path);
    call.body = Some(body.to_string().into_bytes());
    call
}

#[derive(Deserialize)]
struct LinkResult {
    id: String,
    status: u16,
}

/// The status of each link in the answer to a batch; what is not in it is not known.
pub fn statuses(answer: &Answer) -> HashMap<String, u16> {
    answer.of_items(|one: LinkResult| (one.id, one.status))
}
