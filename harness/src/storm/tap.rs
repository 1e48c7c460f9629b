//! What mock and visitors report passes through here: counted, searched, and recorded.

use super::bodies::Bodies;
use super::observe::dead_letters::Poison;
use super::observe::search::Search;
use super::pace::Pace;
use super::process_faults::due::Counting;
use super::reach::Arrivals;
use super::recorder::Recorder;
use mock_server::history::record::Record;
use scenarios::history::Operation;
use scenarios::traffic::{Answer, OperationSink};
use std::sync::{Arc, OnceLock};

/// Clones are the same tap.
#[derive(Clone)]
pub struct Tap {
    counting: Counting,
    arrivals: Arc<Arrivals>,
    pace: Arc<Pace>,
    bodies: Arc<Bodies>,
    search: Arc<OnceLock<Arc<Search>>>,
    poison: Arc<Poison>,
}

impl Tap {
    /// A tap before `counting`, which records with `recorder`.
    #[must_use]
    pub fn new(counting: Counting, recorder: &Recorder) -> Self {
        let bodies = Arc::new(Bodies::new(recorder));
        Self {
            counting,
            arrivals: Arc::default(),
            pace: Arc::default(),
            bodies,
            search: Arc::default(),
            poison: Arc::default(),
        }
    }

    /// What has arrived at the mock.
    #[must_use]
    pub fn arrivals(&self) -> &Arrivals {
        &self.arrivals
    }

    /// How many visitors have come.
    #[must_use]
    pub fn pace(&self) -> &Arc<Pace> {
        &self.pace
    }

    /// The webhooks that nobody can process.
    #[must_use]
    pub fn poison(&self) -> &Arc<Poison> {
        &self.poison
    }

    /// What visitors were shown.
    #[must_use]
    pub fn bodies(&self) -> &Bodies {
        &self.bodies
    }

    /// From now on answers are searched. What is planted is only known once the mock has started.
    pub fn search_with(&self, search: &Arc<Search>) {
        let _ = self.search.set(Arc::clone(search));
    }
}

impl mock_server::history::record::Recorder for Tap {
    fn record(&self, record: Record) {
        self.arrivals.note(&record);
        self.poison.note(&record);
        self.counting.record(record);
    }
}

impl OperationSink for Tap {
    fn operation(&self, operation: Operation<'static>) {
        self.pace.note(operation.arrival);
        self.counting.operation(operation);
    }

    fn answer(&self, operation: &Operation<'_>, answer: &Answer) {
        self.bodies.answer(operation, answer);
        if let Some(search) = self.search.get() {
            search.answer(operation, answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::reader::Recording;
    use crate::storm::observe::canaries::{Canaries, Credentials};
    use crate::storm::process_faults::due::DueFaults;
    use mock_server::clock::{Clock, Moment};
    use mock_server::profile::ContractProfile;
    use mock_server::redact::Kind;
    use mock_server::world::population::Population;
    use scenarios::catalogue::{Settings, run_plan};
    use scenarios::history::{BodyHash, Did, Event, HISTORY_FORMAT, Opened, PageView};

    const KEY: &str = "lt_live_0123456789abcdef";

    /// A page view that was shown this.
    fn shown(body: &str) -> (Operation<'static>, Answer) {
        let hash = BodyHash::of(body.as_bytes());
        let operation = Operation {
            arrival: 0,
            handle: "ann".into(),
            intended: Moment::ZERO,
            sent: Moment::ZERO,
            first: None,
            last: Moment::ZERO,
            status: Some(200),
            failure: None,
            did: Did::Page(PageView { body: Some(hash), ..PageView::default() }),
        };
        let bytes = body.len() as u64;
        (operation, Answer { body: body.into(), bytes, hash, ..Answer::default() })
    }

    #[test]
    fn each_body_is_in_the_history_once_and_nothing_planted_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.ndjson.zst");
        let (recorder, writer) = Recorder::create(&path).unwrap();
        let credentials = Credentials {
            linktree: vec![(KEY.to_owned(), Kind::ApiKey)],
            vault_token: "vault-0123456789",
            session: "session-0123",
        };
        let nobody = Population { groups: Vec::new() };
        recorder.conceal(&Arc::new(Canaries::of(&credentials, &nobody, 7)));
        recorder.record(Event::Opened(Opened {
            format: HISTORY_FORMAT,
            run: String::new(),
            run_hash: String::new(),
            scenario: String::new(),
            plan_hash: String::new(),
            target: String::new(),
            started: None,
        }));
        let (_, counting) = DueFaults::of(&[], Clock::start(), &recorder);
        let tap = Tap::new(counting, &recorder);
        let leak = format!("<p title=\"{KEY}\">\n");
        let long = "x".repeat(70_000);
        for body in ["<p>", &leak, &long, "<p>", &leak] {
            let (operation, answer) = shown(body);
            tap.answer(&operation, &answer);
            tap.operation(operation);
        }
        tap.bodies().finish();
        writer.finish().unwrap();
        let contract = ContractProfile::linktree_v1();
        let run = run_plan(&Settings::default(), contract, &["calibration"]);
        let case = Recording::open(&path).unwrap().case(&run, &run.scenarios[0]).unwrap();
        let body = |text: &str| case.target.body(BodyHash::of(text.as_bytes())).unwrap();
        assert_eq!(body("<p>").text, "<p>");
        assert_eq!(body(&leak).text, "<p title=\"[key]\">\n");
        assert_eq!(
            (body(&long).bytes, body(&long).text.len(), body(&long).cut),
            (70_000, 65_536, true)
        );
        let count = case.target.body_count.unwrap();
        assert_eq!((count.recorded, count.cut, count.left_out), (3, 1, 0));
    }
}
