//! `POST /v1/links/batch`: titles and addresses of many links in one request, each with its own result.

use super::link::{complaint, has_effect, object, receipt, status};
use super::{Call, Handler, Receipts, Reply};
use crate::history::exchange::LinkReceipt;
use crate::world::link_change::LinkChange;
use crate::world::profiles::Wrote;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use wiremock::Request;

pub(super) struct LinksBatch;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    items: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    id: String,
    title: String,
    url: String,
}

impl Item {
    fn change(&self) -> LinkChange {
        let (title, url) = (Some(self.title.clone()), Some(self.url.clone()));
        LinkChange { title, url, ..LinkChange::default() }
    }
}

impl Handler for LinksBatch {
    fn answer(&self, call: &Call<'_>) -> Reply {
        let Some(items) = items(call.request) else {
            return Reply::error(400, "bad_request", "the body is not a batch of links");
        };
        if items.len() > call.world.profile.batch.max_items as usize {
            return Reply::error(400, "bad_request", "the batch is too large")
                .with_receipts(refused(&items, 400));
        }
        let write = |item: &Item| match call.refused_item(&item.id) {
            Some(status) => Wrote::Failed(status),
            None => call.write_link(&item.id, &item.change()),
        };
        let wrote: Vec<_> = items.iter().map(write).collect();
        // Nobody has seen a page in the midst of the batch: its version is the one after it.
        let mut versions = HashMap::new();
        for wrote in &wrote {
            if let Wrote::Done { handle, version, .. } = wrote {
                versions.insert(handle.as_str(), version.as_str());
            }
        }
        let written = items.iter().zip(&wrote);
        let results: Vec<_> =
            written.clone().map(|(item, wrote)| result(&item.id, wrote, &versions)).collect();
        let receipts: Vec<_> = written
            .map(|(item, wrote)| {
                receipt(&item.id, &item.change(), status(wrote), has_effect(wrote))
            })
            .collect();
        let nonce = call.world.nonce(call.ticket.id);
        let mut reply = Reply::json(200, json!({ "results": results })).with_nonce(&nonce);
        if let [version] = *versions.values().collect::<Vec<_>>() {
            reply.version = Some((*version).to_owned());
        }
        reply.with_receipts(receipts)
    }

    fn unprocessed(&self, request: &Request, status: u16) -> Receipts {
        refused(&items(request).unwrap_or_default(), status).into()
    }
}

fn items(request: &Request) -> Option<Vec<Item>> {
    let Batch { items } = object(request.body_json().ok()?)?;
    items.into_iter().map(object).collect()
}

fn refused(items: &[Item], status: u16) -> Vec<LinkReceipt> {
    items.iter().map(|item| receipt(&item.id, &item.change(), status, false)).collect()
}

fn result(id: &str, wrote: &Wrote, versions: &HashMap<&str, &str>) -> Value {
    let status = status(wrote);
    if let Wrote::Done { handle, .. } = wrote {
        return json!({ "id": id, "status": status, "version": versions.get(handle.as_str()) });
    }
    let (code, message) = complaint(wrote);
    json!({ "id": id, "status": status, "error": { "code": code, "message": message } })
}
