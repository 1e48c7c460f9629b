//! Looks where the target keeps the webhooks that it could not process, and says how they are kept.
//!
//! What was sent is known here in memory only; a history says what was found of it, and never what it is.

mod forms;

use crate::body::{self, Ended};
use crate::storm::recorder::Recorder;
use crate::storm::target::client;
use forms::Found;
use mock_server::clock::Clock;
use mock_server::history::record::Record;
use scenarios::history::Event;
use scenarios::observed::{Kept, KeptForm};
use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// As much of a sink as is read: a thousand of the longest bodies, thrice encoded.
const LARGEST: usize = 96 << 20;
/// How long a route may take.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);

/// The webhooks that were sent and that nobody can process, with their bodies.
#[derive(Default)]
pub struct Poison(Mutex<Vec<(String, Arc<[u8]>)>>);

impl Poison {
    /// Takes note of a delivery, if it is one; each attempt says the same.
    pub fn note(&self, record: &Record) {
        let Record::Delivery(delivery) = record else { return };
        let Some(body) = &delivery.poison else { return };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.iter().all(|(id, _)| *id != delivery.id) {
            all.push((delivery.id.clone(), Arc::clone(body)));
        }
    }

    fn all(&self) -> Vec<(String, Arc<[u8]>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Where failed webhooks are kept.
pub enum Sink {
    /// A file, which need not be there before there is one.
    File(PathBuf),
    /// A route that shows them.
    Route(String),
}

/// Looks into the sink again and again.
pub struct DeadLetters {
    sink: Sink,
    poison: Arc<Poison>,
    client: reqwest::Client,
    recorder: Recorder,
    clock: Clock,
    /// What was found last, by the delivery's id.
    known: HashMap<String, KeptForm>,
}

impl DeadLetters {
    /// Will look for `poison`.
    ///
    /// # Errors
    ///
    /// Why there can be no client, in words.
    pub fn of(
        sink: Sink,
        poison: &Arc<Poison>,
        recorder: &Recorder,
        clock: Clock,
    ) -> Result<Self, String> {
        let (poison, recorder) = (Arc::clone(poison), recorder.clone());
        Ok(Self { sink, poison, client: client()?, recorder, clock, known: HashMap::new() })
    }

    /// Looks once; says what is otherwise than before, and everything at the last time. A sink that
    /// cannot be read says nothing.
    pub async fn look(&mut self, last: bool) {
        // Before the sink is read: what came later may not be there yet.
        let poison = self.poison.all();
        if poison.is_empty() {
            return;
        }
        let Some(text) = self.read().await else { return };
        let at = self.clock.now();
        let forms = tokio::task::block_in_place(|| {
            let found = Found::of(&text);
            poison.iter().map(|(id, body)| found.form(id, body)).collect::<Vec<_>>()
        });
        for ((id, _), form) in poison.into_iter().zip(forms) {
            if self.known.insert(id.clone(), form) != Some(form) || last {
                self.recorder.record(Event::Kept(Kept { at, delivery_id: id, form, last }));
            }
        }
    }

    async fn read(&self) -> Option<Vec<u8>> {
        match &self.sink {
            Sink::File(path) => tokio::task::block_in_place(|| contents(path)),
            Sink::Route(url) => {
                let answer = self.client.get(url).header("accept", "application/json");
                let answer = answer.timeout(ANSWERED_WITHIN).send().await.ok()?;
                let mut answer = answer.error_for_status().ok()?;
                let (text, ended) = body::beginning(&mut answer, LARGEST).await;
                matches!(ended, Ended::Whole).then_some(text)
            }
        }
    }
}

/// Nothing where there is no file; none when it cannot be read.
fn contents(path: &Path) -> Option<Vec<u8>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Some(Vec::new()),
        Err(_) => return None,
    };
    let mut text = Vec::new();
    file.take(LARGEST as u64).read_to_end(&mut text).ok()?;
    Some(text)
}
