//! A campaign's hundreds of changes go out in batches, each is made once, and the last campaign's stand.
//!
//! Blind to: links that are changed from elsewhere, and answers that were lost on their way. Broken by:
//! `campaign-link-by-link`, `campaign-failed-links-forgotten`, `campaign-batch-sent-again`,
//! `campaign-in-one-batch`.

mod calls;
mod due;
mod launches;
mod order;
mod repeats;
mod writes;

use super::{Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::Case;
use crate::front_door::FrontRoute;
use crate::guarantees::evidence::busy::Busy;
use crate::guarantees::evidence::rate::{self, Rate, Restarts};
use crate::history::{Did, Operation};
use crate::measure::{Gauge, humane, so_many};
use crate::plan::contract_time;
use crate::strength::Minimum;
use crate::verdict::{Offences, Verdict, Witness};
use due::Due;
use launches::{Launch, Launches};
use mock_server::clock::Moment;
use std::time::Duration;
use writes::Writes;

const PROMISE: Promise = Promise {
    id: "bulk-batched",
    statement: "A campaign's hundreds of changes go out in batches; each is made, and made once; where two \
                campaigns change the same link, the later one's words stand.",
    priority: Priority::Standard,
    source: "checklist; contract: POST /links/batch takes 100 items and counts as one request, and some of \
             them may fail; campaign_within_ms of [declared]",
    why: "Four hundred links one by one take five minutes of the whole rate limit, in the very minute of the \
          launch; and a link that was forgotten sells the last campaign's shirt.",
    usual_fix: "Keep the changes in a table with one row for each link, send a hundred at a time, read the \
                results one by one, and take out the rows that were written and have not changed since.",
    blind_to: "Links that are changed from elsewhere; whether an answer that was lost on its way was one that \
               the service could have done without; words that nobody asked for and that never left.",
    bounds: &[],
    minimums: &[LARGE, PARTLY, LOST],
    when_late: Stands::Always,
    // The judge leaves as much more time; calls that the mock did not see may be missing.
    when_overloaded: Stands::IfViolated,
    needs: &[FrontRoute::Campaigns],
    sees: &[Sight::Upstream, Sight::FrontDoor],
};

/// Campaigns whose outcome is known.
const LARGE: Minimum = Minimum { name: "acknowledged campaigns of 200 links or more", least: 2 };
const PARTLY: Minimum = Minimum { name: "calls of which five links or more failed", least: 1 };
const LOST: Minimum = Minimum { name: "calls that had their effect and no answer", least: 1 };

/// Links of a large campaign.
const MANY: usize = 200;
/// Links of one call that fail, so that it matters what becomes of them.
const SOME: usize = 5;

const RULE: &str = "calls that failed and told waits leave as much more time; a call may carry half of what \
                    a batch may, and ten links of a campaign may go singly; of two campaigns at the same \
                    time either one's words may stand";

/// See the module.
pub struct BulkBatched;

impl Guarantee for BulkBatched {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        Box::new(Launching { case, launches: Launches::default(), busy: Busy::over(case) })
    }
}

/// How long after its acknowledgement a campaign may take, as it passes in this run.
fn within(case: &Case) -> Duration {
    contract_time(case.declared.campaign_within_ms, case.time_scale)
}

struct Launching<'c> {
    case: &'c Case,
    launches: Launches,
    busy: Busy<'c>,
}

impl Judge for Launching<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        self.busy.note(operation);
        if let Did::Campaign(campaign) = &operation.did {
            self.launches.take(operation, campaign);
        }
    }

    fn verdict(self: Box<Self>) -> Verdict {
        let Self { case, launches, busy } = *self;
        let writes = Writes::of(case);
        let mut offences = Offences::default();
        let mut counted = |found: Vec<(u64, Witness)>| -> u64 {
            let mut links = 0;
            for (count, witness) in found {
                links += count;
                offences.add_weighing(witness.at, count, || witness);
            }
            links
        };
        let applied = applied(case, &launches, &writes);
        let late = counted(applied.late);
        let older = counted(order::overwritten(case, &launches, &writes));
        let repeats = repeats::again(case, &launches, &writes, &busy.spans());
        let doubt = repeats.doubt();
        let again = counted(repeats.needless);
        let strange = match case.harness.completed() {
            true => counted(calls::strange(case, &launches, &writes)),
            // The campaign whose words they are may not be on record.
            false => 0,
        };
        let whole = counted(calls::refused_whole(case, &writes));
        let (calls, enough) = calls::carrying(case, &launches, &writes);
        counted(calls::too_many(calls, enough, &writes));
        let bursts = counted(bursts(case, &applied.spans));
        let owed = applied.owed;
        let gauges = [
            Gauge::none_of("links not changed in time").counted(late, owed),
            Gauge::none_of("links left with older words").counted(older, owed),
            Gauge::none_of("links written again although Linktree had confirmed them")
                .counted(again, owed),
            Gauge::none_of("writes that no campaign asked for").counted(strange, owed),
            Gauge::none_of("batches refused whole").counted(whole, owed),
            Gauge::at_most("calls that carried something new", enough).counted(calls as u64, owed),
            Gauge::none_of("bursts above the cap while a campaign went out").counted(bursts, owed),
            Gauge::within(
                "slowest link, without what held it back",
                within(case),
                case.harness.delta,
            )
            .at_scale(case.time_scale)
            .took(applied.slowest),
        ];
        let observed = format!(
            "{}, {} of them acknowledged, changed {} in {}; {} undecided",
            so_many(launches.all().len(), "campaign", "campaigns"),
            launches.acknowledged().count(),
            so_many(owed, "link", "links"),
            so_many(writes.calls().len(), "call", "calls"),
            so_many(applied.undecided, "link is", "links are")
        );
        offences
            .verdict(applied.large, "campaigns")
            .unless(applied.infeasible)
            .at_least([
                LARGE.seen(applied.large),
                PARTLY.seen(writes.partly_failed(SOME)),
                LOST.seen(writes.unanswered()),
            ])
            .undecided(doubt)
            .measured(gauges, observed, RULE)
    }
}

/// What became of what was acknowledged.
#[derive(Default)]
struct Applied {
    /// For each campaign of which links were not changed in time: how many, and what shows it.
    late: Vec<(u64, Witness)>,
    /// Links whose change was owed, and whose fate is known.
    owed: usize,
    /// Links that might still have been changed in time.
    undecided: usize,
    /// Campaigns of many links whose fate is known.
    large: usize,
    slowest: Option<Duration>,
    /// From each acknowledgement to when its campaign was over.
    spans: Vec<(Moment, Moment)>,
    /// Why a campaign could not be in time.
    infeasible: Option<String>,
}

fn applied(case: &Case, launches: &Launches, writes: &Writes<'_>) -> Applied {
    let (due, mut found) = (Due::of(case, writes), Applied::default());
    for launch in launches.acknowledged() {
        // Of what has not come it is asked how long everything held it back until the end.
        let end = case.harness.closed;
        let at_the_end = due.of_launch(launch, end);
        let (mut late, mut undecided, mut owed, mut last) = (Vec::new(), 0, 0, launch.last);
        for (id, payload) in &launch.links {
            if launches.supersedes(id, launch, at_the_end) {
                continue;
            }
            match writes.written(id, payload) {
                Some(at) => {
                    owed += 1;
                    last = last.max(at);
                    let by = due.of_launch(launch, at);
                    if at > by {
                        late.push(id.as_str());
                    } else {
                        found.slowest = found.slowest.max(Some(due.took(launch, at)));
                    }
                }
                None if case.harness.completed() && at_the_end < end => {
                    owed += 1;
                    last = end;
                    late.push(id.as_str());
                }
                None => undecided += 1,
            }
        }
        found.spans.push((launch.last, last.min(at_the_end)));
        found.owed += owed;
        found.undecided += undecided;
        found.large += usize::from(launch.links.len() >= MANY && undecided == 0);
        if late.is_empty() {
            continue;
        }
        match due.no_room(launch, writes, at_the_end) {
            Some(why) => {
                found.infeasible = Some(why);
                found.owed -= late.len();
            }
            None => {
                found.late.push((late.len() as u64, tell_late(case, launch, &late, at_the_end)))
            }
        }
    }
    // Who was late took longer than what is measured of the others.
    if !found.late.is_empty() {
        found.slowest = None;
    }
    found
}

fn tell_late(case: &Case, launch: &Launch, late: &[&str], due: Moment) -> Witness {
    let (count, all) = (late.len(), launch.links.len());
    let some: Vec<&str> = late.iter().copied().take(5).collect();
    let what = format!(
        "{count} of {} of a campaign of {} did not change in time",
        so_many(all, "link", "links"),
        launch.handle
    );
    Witness::new(due, what)
        .line(format!("{} it was acknowledged", case.at(launch.last)))
        .line(format!("{} all of it was due, with what held it back", case.at(due)))
        .line(format!("among them {}", some.join(", ")))
}

/// Where more was sent than the cap allows, while a campaign went out.
fn bursts(case: &Case, spans: &[(Moment, Moment)]) -> Vec<(u64, Witness)> {
    let cap = rate::cap(case);
    let rate = Rate::of_all(case, cap, Restarts::Excuse);
    let meanwhile = |witness: &Witness| {
        spans.iter().any(|(from, until)| *from <= witness.at && witness.at <= *until)
    };
    let found = rate.witnesses().into_iter().filter(meanwhile);
    let window = humane(case.times.window);
    let told = |witness: Witness| (1, witness.line(format!("the cap is {cap} in {window}")));
    found.map(told).collect()
}

#[cfg(test)]
mod tests;
