//! Clicks reach Linktree within a minute of becoming deliverable, and it is seen and told when they do not.
//!
//! Three halves: when clicks arrived, what the metrics say of it, and whether an alert came. A half that
//! the integration does not have is not judged, and the verdict says so.
//!
//! Blind to: how the lag is measured, within what is lawful. Broken by: `replay-slow`,
//! `replay-in-small-batches`, `click-lag-always-zero`, `click-lag-when-delivered`,
//! `click-lag-of-the-last-attempt`, `click-lag-alert-never-fires`.

mod exposed;
mod histogram;

use super::{Bound, Guarantee, Judge, Priority, Promise, Sight, Stands, Unit};
use crate::case::Case;
use crate::front_door::FrontRoute;
use crate::guarantees::evidence::alerts::{self, About, Part};
use crate::guarantees::evidence::backlog::{Backlog, Place, WAITED};
use crate::guarantees::evidence::deliveries::Deliveries;
use crate::guarantees::evidence::waiting::{Wait, Waiting};
use crate::history::Operation;
use crate::measure::{Gauge, humane, so_many};
use crate::plan::{AlertKind, Phase};
use crate::strength::Minimum;
use crate::verdict::{Verdict, Witness};
use exposed::Exposed;
use mock_server::clock::Moment;
use std::time::Duration;

pub(super) const WITHIN: Bound = Bound {
    of: "click-lag",
    name: "within_ms",
    what: "a click reaches Linktree this long after it became deliverable, at the latest",
    unit: Unit::ContractTime,
    default: 60_000,
};

/// A figure or an alert that is late by this much and more is told from one that is right.
const LONG: Minimum = Minimum { name: "clicks that waited for a tenth longer than that", least: 5 };
const SHOWN: Minimum =
    Minimum { name: "scrapes of the lag while a click had waited for so long", least: 2 };

const PROMISE: Promise = Promise {
    id: "click-lag",
    statement: "Clicks reach Linktree within 60 s of becoming deliverable; the lag is exposed, true, and \
                alerts past 60 s.",
    priority: Priority::Standard,
    source: "checklist; counted from when a click could be delivered, as the rate cap leaves room \
             for all that wait; the metric is compared with that, and an alert must come once its \
             condition has certainly held for long enough, and must not where it certainly never \
             did, by the age of the oldest click that waits",
    why: "Creators watch their numbers during a launch; late clicks look like lost ones, and a \
          backlog that grows is lost with the disk.",
    usual_fix: "Deliver in batches as soon as the breaker closes, and keep some slots of the rate \
                window for clicks. Expose how long the oldest click has been waiting since it was \
                acknowledged, which grows while nothing is delivered, and alert on that.",
    blind_to: "Clicks during which the cap left no room. A lag or an alert that the service does not have, \
               and of a histogram of lags what it says of clicks that came in time. Whether an outage \
               that is too short for the alert would call for it.",
    bounds: &[WITHIN],
    minimums: &[WAITED, LONG, SHOWN, alerts::LOUD, alerts::NEAR],
    // A late clockwork notes acknowledgements late, which makes lags shorter.
    when_late: Stands::IfViolated,
    when_overloaded: Stands::Never,
    needs: &[FrontRoute::Clicks],
    sees: &[Sight::Upstream, Sight::FrontDoor],
};

/// See the module.
pub struct ClickLag;

struct Lagging<'c> {
    case: &'c Case,
    deliveries: Deliveries<'c>,
    backlog: Backlog<'c>,
    waiting: Waiting<'c>,
    delivered: usize,
    undecided: usize,
    /// The longest that a click whose fate is known took, less what the harness stood still.
    slowest: Option<Duration>,
}

impl Guarantee for ClickLag {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        Box::new(Lagging {
            case,
            deliveries: Deliveries::of(case),
            backlog: Backlog::of(case),
            waiting: Waiting::of(case),
            delivered: 0,
            undecided: 0,
            slowest: None,
        })
    }

    #[cfg(test)]
    fn decided(&self) -> Vec<crate::testing::Decides> {
        tests::decided()
    }
}

impl Judge for Lagging<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        self.waiting.clicked(operation);
        let Some(event_id) = operation.event_id() else { return };
        if !operation.is_ok() {
            return;
        }
        let settled = self.deliveries.find(event_id).and_then(|click| click.settled());
        let waits = self.backlog.acknowledged(operation.last, settled);
        match settled {
            Some(at) => {
                self.delivered += 1;
                self.compare(operation, waits, at, true);
            }
            None if self.case.harness.completed()
                && self.compare(operation, waits, self.case.harness.closed, false) => {}
            None => self.undecided += 1,
        }
    }

    fn verdict(self: Box<Self>) -> Verdict {
        let Self { case, backlog, mut waiting, delivered, undecided, slowest, .. } = *self;
        waiting.ready();
        let (exposed, alert) = (exposed(case, &waiting), alert(case, &waiting));
        let calls = is_called_for(case);
        let asked = |is_half: bool, minimum: Minimum, seen| {
            minimum.of(seen, if calls && is_half { minimum.least } else { 0 })
        };
        let long = |one: &&_| has_waited_long(case, one);
        let long = waiting.certain().filter(long).count();
        let of_the_alert = alert.words();
        let (is_exposed, is_told) = (exposed.why_none.is_none(), alert.untold.is_none());
        let alert = alert.compared;
        let [loud, near] = alert.strength().map(|one| one.seen);
        let [loud, near] = [(alerts::LOUD, loud), (alerts::NEAR, near)]
            .map(|(minimum, seen)| asked(is_told, minimum, usize::try_from(seen).unwrap_or(0)));
        let strength = [
            backlog.strength(),
            asked(is_exposed || is_told, LONG, long),
            asked(is_exposed, SHOWN, exposed.shown),
            loud,
            near,
        ];
        let (mut offences, infeasible) = backlog.close();
        let mut observed = format!(
            "{} reached Linktree; {} came late or not at all, {} undecided",
            so_many(delivered, "click", "clicks"),
            offences.count(),
            so_many(undecided, "is", "are"),
        );
        observed += &match (exposed.what, exposed.why_none) {
            (Some(what), None) => {
                let scrapes = so_many(exposed.seen, "scrape", "scrapes");
                format!("; the exposed lag is {what}, at {scrapes}")
            }
            (_, why) => format!("; the exposed lag is not judged: {}", why.unwrap_or_default()),
        };
        observed += &format!("; {of_the_alert}");
        let slowest = Gauge::within("slowest click", case.time(&WITHIN), case.harness.delta)
            .at_scale(case.time_scale)
            .took(slowest);
        let untrue = Gauge::none_of("scrapes with an untrue lag")
            .counted(exposed.offences.count(), exposed.seen);
        let [missed, unfounded] = alert.gauges();
        let doubt = exposed.doubt.or(alert.unjudged).filter(|_| calls);
        offences.join(exposed.offences);
        offences.join(alert.offences);
        offences
            .verdict(delivered, "acknowledged clicks that reached Linktree")
            .only_if(infeasible.is_none(), infeasible.clone().unwrap_or_default())
            .at_least(strength)
            .unless(doubt)
            .measured([slowest, untrue, missed, unfounded], observed, rule(case))
    }
}

fn rule(case: &Case) -> String {
    let about = about(case);
    format!(
        "counted from when it could be delivered; the exposed lag is that of a click, give or take what \
         a scrape and whole seconds hide; an alert when the oldest click has waited for more than {} for \
         {} and {}, and none while it has waited for at most {}",
        (about.words)(about.loud_above),
        humane(about.lasts),
        humane(alerts::delay(case)),
        (about.words)(about.quiet_to),
    )
}

/// So long is a tenth longer than a click may take.
fn long(case: &Case) -> Duration {
    case.time(&WITHIN) / 10 * 11
}

fn has_waited_long(case: &Case, one: &Wait) -> bool {
    one.heard.minus(case.harness.delta).since(one.acked) > long(case)
}

/// Whether the plan has an outage that is so long that metrics and alert must show it.
fn is_called_for(case: &Case) -> bool {
    let about = about(case);
    let needed = long(case) + about.lasts + alerts::delay(case);
    let lasts = |phase: &Phase| {
        let span = Duration::from_millis(phase.until_ms - phase.from_ms);
        phase.kind.is_total_outage() && span > needed
    };
    case.plan.decides(PROMISE.id) && case.plan.phases.iter().any(lasts)
}

/// What the metrics say, as a gauge or as a histogram.
fn exposed(case: &Case, waiting: &Waiting<'_>) -> Exposed {
    let gauge = exposed::judged(case, waiting);
    let histogram = histogram::judged(case, waiting);
    if gauge.seen == 0 && histogram.seen > 0 { histogram } else { gauge }
}

/// What the alert is about: the age of the oldest click, in milliseconds.
fn about(case: &Case) -> About {
    let within = u64::try_from(case.time(&WITHIN).as_millis()).unwrap_or(u64::MAX);
    About {
        kind: AlertKind::ClickLag,
        loud_above: within / 10 * 11,
        quiet_to: within / 10 * 9,
        near_from: within / 2,
        lasts: alerts::lasts(case),
        near_for: case.time(&WITHIN) / 10,
        words: |ms| humane(Duration::from_millis(ms)),
    }
}

/// The alert beside the clicks.
fn alert(case: &Case, waiting: &Waiting<'_>) -> Part {
    Part::of(case, &about(case), || waiting.signal())
}

impl Lagging<'_> {
    /// A click whose fate at `at` is known: late beyond δ and beyond what the harness stood still.
    fn compare(
        &mut self,
        operation: &Operation<'_>,
        waits: Place,
        at: Moment,
        has_arrived: bool,
    ) -> bool {
        let (case, since) = (self.case, waits.since);
        let allowed = case.time(&WITHIN) + case.harness.delta;
        let late = at.since(since).saturating_sub(case.harness.stalled_within(since, at));
        let in_time = late <= allowed;
        // What has not arrived, and may still do so in time, took nobody knows how long.
        if has_arrived || !in_time {
            self.slowest = self.slowest.max(Some(late));
        }
        if in_time {
            return false;
        }
        let (fate, end) = if has_arrived {
            ("reached Linktree", "reached Linktree")
        } else {
            ("had not reached Linktree", "the recording ended without it")
        };
        let due = since.plus(allowed);
        self.backlog.offend(waits, (due, late), |hindered| {
            let event_id = operation.event_id().unwrap_or_default();
            let what =
                format!("click {event_id} {fate} {} after it could be delivered", humane(late));
            Witness::new(due, what)
                .line(format!("{} acknowledged at the front door", case.at(operation.last)))
                .line(hindered)
                .line(format!("{} {end}", case.at(at)))
        });
        true
    }
}

#[cfg(test)]
mod tests;
