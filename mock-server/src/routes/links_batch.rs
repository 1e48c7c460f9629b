//! `POST /v1/links/batch`: titles and addresses of many links in one request, each with its own result.

use super::link::{complaint, has_effect, object, receipt, status};
use super::{Call, Handler, Receipts, Reply};
use crate::api::bodies::{Complaint, LinkItem, LinkResult, LinkResults, json};
use crate::history::exchange::LinkReceipt;
use crate::world::link_change::LinkChange;
use crate::world::profiles::Wrote;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::HashMap;
use wiremock::Request;

pub(super) struct LinksBatch;

/// The batch before its items are read: serde would take an array of values for an item.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Items {
    items: Vec<Map<String, Value>>,
}

fn change(item: &LinkItem) -> LinkChange {
    let (title, url) = (Some(item.title.clone()), Some(item.url.clone()));
    LinkChange { title, url, ..LinkChange::default() }
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
        let write = |item: &LinkItem| match call.refused_item(&item.id) {
            Some(status) => Wrote::Failed(status),
            None => call.write_link(&item.id, &change(item)),
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
        let results =
            written.clone().map(|(item, wrote)| result(&item.id, wrote, &versions)).collect();
        let receipts: Vec<_> = written
            .map(|(item, wrote)| receipt(&item.id, &change(item), status(wrote), has_effect(wrote)))
            .collect();
        let nonce = call.world.nonce(call.ticket.id);
        let mut reply = Reply::json(200, json(LinkResults { results })).with_nonce(&nonce);
        if let [version] = *versions.values().collect::<Vec<_>>() {
            reply.version = Some((*version).to_owned());
        }
        reply.with_receipts(receipts)
    }

    fn unprocessed(&self, request: &Request, status: u16) -> Receipts {
        refused(&items(request).unwrap_or_default(), status).into()
    }
}

fn items(request: &Request) -> Option<Vec<LinkItem>> {
    let Items { items } = object(request.body_json().ok()?)?;
    items.into_iter().map(object).collect()
}

fn refused(items: &[LinkItem], status: u16) -> Vec<LinkReceipt> {
    items.iter().map(|item| receipt(&item.id, &change(item), status, false)).collect()
}

fn result(id: &str, wrote: &Wrote, versions: &HashMap<&str, &str>) -> LinkResult {
    let (version, error) = match wrote {
        Wrote::Done { handle, .. } => (versions.get(handle.as_str()), None),
        refused => (None, Some(complaint(refused))),
    };
    let error =
        error.map(|(code, message)| Complaint { code: code.into(), message: message.into() });
    let version = version.map(|version| (*version).to_owned());
    LinkResult { id: id.to_owned(), status: status(wrote), version, error }
}
