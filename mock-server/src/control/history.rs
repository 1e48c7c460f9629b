//! The history as NDJSON, whole or followed live, in bounded memory whoever reads it how slowly.

use super::input::Params;
use super::problem::Problem;
use super::{ApiResult, ApiState};
use crate::history::record::{EVENTS, Record};
use crate::history::{Batch, Follower};
use crate::nearest::nearest;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use tokio::sync::{OwnedSemaphorePermit, watch};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// The first sequence number; the oldest kept without one.
    from: Option<u64>,
    /// Whether to go on until the mock stops.
    #[serde(default)]
    follow: bool,
    /// Events, with commas between; all without any.
    event: Option<String>,
}

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    seq: u64,
    #[serde(flatten)]
    record: &'a Record,
}

pub(super) async fn read(
    State(api): ApiState,
    Params(which): Params<Which>,
) -> ApiResult<Response> {
    let events: Vec<String> =
        which.event.iter().flat_map(|names| names.split(',')).map(str::to_owned).collect();
    if let Some(wrong) = events.iter().find(|name| !EVENTS.contains(&name.as_str())) {
        let near = nearest(wrong, EVENTS.iter().copied());
        let help = near.map_or(String::new(), |near| format!("did you mean {near}? "));
        let message = format!("there is no event {wrong}");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "no_such_event", message)
            .help(format!("{help}there are: {}", EVENTS.join(", "))));
    }
    let history = api.mock.history();
    let permit = api.followers.clone().try_acquire_owned().map_err(|_| {
        let message = "too many readers of the history at once";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_readers", message)
            .help("end one of the others")
    })?;
    let reader = Reader {
        follower: history.follow(which.from),
        until: (!which.follow).then(|| history.kept().end),
        events,
        closing: api.closing.clone(),
        ended: false,
        _permit: permit,
    };
    let lines = stream::unfold(reader, |mut reader| async move {
        reader.next().await.map(|bytes| (Ok::<_, Infallible>(bytes), reader))
    });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((kind, Body::from_stream(lines)).into_response())
}

pub(super) async fn clear(State(api): ApiState) -> StatusCode {
    api.mock.history().clear();
    StatusCode::NO_CONTENT
}

/// Turns batches into bytes, one at a time, as fast as they are read. When the client goes, it is
/// dropped, and nothing of it remains.
struct Reader {
    follower: Follower,
    /// Where to end; none to follow.
    until: Option<u64>,
    events: Vec<String>,
    closing: watch::Receiver<bool>,
    ended: bool,
    _permit: OwnedSemaphorePermit,
}

impl Reader {
    /// The next lines, or none at the end. Batches without a wanted event are passed over.
    async fn next(&mut self) -> Option<Bytes> {
        while !self.ended {
            let batch = match self.until {
                Some(_) => self.follower.read(),
                None => tokio::select! {
                    biased;
                    batch = self.follower.next() => batch,
                    _ = self.closing.wait_for(|closing| *closing) => None,
                },
            }?;
            let lines = self.lines(&batch);
            if !lines.is_empty() {
                return Some(lines.into());
            }
        }
        None
    }

    fn lines(&mut self, batch: &Batch) -> Vec<u8> {
        let mut out = Vec::new();
        if batch.missed > 0 {
            out = format!("{{\"event\":\"missed\",\"count\":{}}}\n", batch.missed).into_bytes();
        }
        for (seq, record) in (batch.first..).zip(&batch.records) {
            if self.until.is_some_and(|until| seq >= until) {
                // A whole history ends here, although more may have been recorded meanwhile.
                self.ended = true;
                break;
            }
            let wanted = self.events.is_empty() || self.events.iter().any(|e| e == record.event());
            // Into memory, a record is always written whole.
            if wanted && serde_json::to_writer(&mut out, &Line { seq, record }).is_ok() {
                out.push(b'\n');
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::record::examples;
    use crate::strict_json;
    use serde_json::{Value, json};
    use std::sync::Arc;
    use tokio::sync::Semaphore;

    #[test]
    fn every_line_names_its_event_and_has_every_name_once() {
        let (closing, history) = (watch::channel(false).1, crate::history::History::new(1, None));
        let mut reader = Reader {
            follower: history.follow(None),
            until: None,
            events: Vec::new(),
            closing,
            ended: false,
            _permit: Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap(),
        };
        let records: Vec<_> = examples().into_iter().map(Arc::new).collect();
        let lines = reader.lines(&Batch { missed: 3, first: 7, records: records.clone() });
        let text = String::from_utf8(lines).unwrap();
        text.lines().for_each(strict_json::check);
        let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        assert_eq!(lines.next().unwrap(), json!({ "event": "missed", "count": 3 }));
        for (seq, record) in (7..).zip(&records) {
            let line = lines.next().unwrap();
            assert_eq!((&line["seq"], &line["event"]), (&json!(seq), &json!(record.event())));
        }
        assert_eq!(lines.next(), None);
    }
}
