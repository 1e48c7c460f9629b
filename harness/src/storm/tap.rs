//! What mock and visitors report passes through here: counted, searched, and recorded.

use super::observe::search::Search;
use super::process_faults::due::Counting;
use super::reach::Arrivals;
use mock_server::history::record::Record;
use scenarios::history::Operation;
use scenarios::traffic::{Answer, OperationSink};
use std::sync::{Arc, OnceLock};

/// Clones are the same tap.
#[derive(Clone)]
pub struct Tap {
    counting: Counting,
    arrivals: Arc<Arrivals>,
    search: Arc<OnceLock<Arc<Search>>>,
}

impl Tap {
    /// A tap before `counting`, which records.
    #[must_use]
    pub fn new(counting: Counting) -> Self {
        Self { counting, arrivals: Arc::default(), search: Arc::default() }
    }

    /// What has arrived at the mock.
    #[must_use]
    pub fn arrivals(&self) -> &Arrivals {
        &self.arrivals
    }

    /// From now on answers are searched. What is planted is only known once the mock has started.
    pub fn search_with(&self, search: &Arc<Search>) {
        let _ = self.search.set(Arc::clone(search));
    }
}

impl mock_server::history::record::Recorder for Tap {
    fn record(&self, record: Record) {
        self.arrivals.note(&record);
        self.counting.record(record);
    }
}

impl OperationSink for Tap {
    fn operation(&self, operation: Operation<'static>) {
        self.counting.operation(operation);
    }

    fn answer(&self, operation: &Operation<'_>, answer: &Answer) {
        if let Some(search) = self.search.get() {
            search.answer(operation, answer);
        }
    }
}
