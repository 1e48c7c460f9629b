//! Who is never served, though that could be: creators whose page never shows, however few visit them,
//! and everybody once the service has ended by itself.
//!
//! A share of all views is blind to both: one creator's visitors are lost in it, and after the end
//! there are no more views.

use crate::case::Case;
use crate::history::{Operation, Outcome};
use crate::verdict::Witness;
use std::collections::{BTreeMap, VecDeque};

/// Views of one creator's page, at different times, that say that it never shows.
const LEAST: usize = 3;
/// Views or unanswered requests shown in a witness.
const SHOWN: usize = 3;

/// Views that were judged, by creator; and what was not answered last.
#[derive(Default)]
pub struct Unserved {
    creators: BTreeMap<String, Seen>,
    unanswered: VecDeque<String>,
}

#[derive(Default)]
struct Seen {
    served: bool,
    views: usize,
    first: Vec<(mock_server::clock::Moment, String)>,
}

impl Unserved {
    /// Takes in what any visitor did.
    pub fn note(&mut self, case: &Case, operation: &Operation<'_>) {
        if operation.failure.is_some() {
            self.unanswered.truncate(SHOWN - 1);
            self.unanswered.push_front(case.tell_operation(operation));
        }
    }

    /// Takes in a view of a page that could be there.
    pub fn view(&mut self, case: &Case, view: &Operation<'_>) {
        let seen = match self.creators.get_mut(view.handle.as_ref()) {
            Some(seen) => seen,
            None => self.creators.entry(view.handle.to_string()).or_default(),
        };
        seen.views += 1;
        seen.served |= view.is_ok();
        if !seen.served && seen.first.len() < SHOWN {
            seen.first.push((view.sent, case.tell_operation(view)));
        }
    }

    /// The worst first: a service that ended, what is known of all views, and each creator whose page
    /// never showed.
    pub fn witnesses(self, case: &Case, of_all: Option<Witness>) -> Vec<Witness> {
        let never = self.creators.into_iter().filter(|(_, one)| !one.served && one.views >= LEAST);
        let never = never.map(|(handle, one)| {
            let what = format!("the page of {handle} never showed, in {} views", one.views);
            let at = one.first.first().map_or(case.harness.armed, |(at, _)| *at);
            one.first.into_iter().fold(Witness::new(at, what), |told, (_, line)| told.line(line))
        });
        let struck = case.plan.faults.iter().any(|rule| rule.fault.as_process().is_some());
        let ended = match &case.harness.outcome {
            Some(Outcome::TargetLost { how }) if !struck && !from_outside(how) => {
                let what =
                    format!("the service ended by itself ({how}), and served nobody any more");
                let told = Witness::new(case.harness.closed, what);
                Some(self.unanswered.into_iter().rev().fold(told, Witness::line))
            }
            _ => None,
        };
        ended.into_iter().chain(of_all).chain(never).collect()
    }
}

/// Whether this is the end of a process that somebody else wanted: nobody knows whose doing it was.
/// What a process does to itself is an exit, an abort or a fault of memory.
fn from_outside(how: &str) -> bool {
    ["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"].iter().any(|signal| how.contains(signal))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::OpFailure;
    use crate::testing::{History, page};
    use mock_server::clock::Moment;

    fn failed(at: u64) -> Operation<'static> {
        Operation { status: Some(503), ..page("ann", at, at + 1, "-") }
    }

    fn witnesses(history: &History, views: &[Operation<'static>]) -> Vec<Witness> {
        let mut unserved = Unserved::default();
        for view in views {
            unserved.note(&history.case, view);
            unserved.view(&history.case, view);
        }
        unserved.witnesses(&history.case, None)
    }

    fn told(history: &History, views: &[Operation<'static>]) -> Vec<String> {
        witnesses(history, views).into_iter().map(|witness| witness.what).collect()
    }

    /// When each line of a story begins.
    fn story(witness: &Witness) -> Vec<&str> {
        witness.story.iter().map(|line| &line[..7]).collect()
    }

    #[test]
    fn a_creator_whose_page_never_shows_is_named_however_few_visit() {
        let history = History::over(&[]);
        let all = [failed(0), failed(900), failed(1_800)];
        assert_eq!(told(&history, &all), ["the page of ann never showed, in 3 views"]);
        assert_eq!(told(&history, &all[1..]), [""; 0], "two views may both have been unlucky");
        assert_eq!(told(&history, &[&all[..], &[page("ann", 9, 10, "v")]].concat()), [""; 0]);
        let five = [0, 1_000, 2_000, 3_000, 4_000].map(failed);
        let witness = &witnesses(&history, &five)[0];
        assert_eq!(story(witness), ["0.000 s", "1.000 s", "2.000 s"]);
        assert_eq!(witness.at, Moment::ZERO);
    }

    #[test]
    fn a_service_that_ended_is_told_with_the_last_requests_that_it_did_not_answer() {
        let mut history = History::over(&[]);
        let how = "exit status: 1".to_owned();
        history.case.harness.outcome = Some(Outcome::TargetLost { how });
        let lost = |at| Operation { status: None, failure: Some(OpFailure::Connect), ..failed(at) };
        let mut views = [0, 1_000, 2_000, 3_000, 4_000].map(lost).to_vec();
        views.push(failed(5_000));
        let ended = &witnesses(&history, &views)[0];
        assert_eq!(story(ended), ["2.000 s", "3.000 s", "4.000 s"]);
    }

    #[test]
    fn a_service_that_ends_by_itself_serves_nobody_and_one_that_was_killed_is_not_blamed() {
        let mut history = History::over(&[]);
        for (how, blamed) in [
            ("exit status: 1", 1),
            ("signal: 6 (SIGABRT)", 1),
            ("signal: 11 (SIGSEGV) (core dumped)", 1),
            ("signal: 9 (SIGKILL)", 0),
            ("signal: 15 (SIGTERM)", 0),
        ] {
            history.case.harness.outcome = Some(Outcome::TargetLost { how: how.into() });
            let told = told(&history, &[]);
            assert_eq!(told.len(), blamed, "{how}: {told:?}");
            assert!(told.iter().all(|told| told.contains(how)), "{told:?}");
        }
    }
}
