//! The click webhook is registered soon after each start, at an address that answers, and nowhere else.
//!
//! Blind to: registrations by hand, which no call shows. Broken by: `webhook-never-registered`,
//! `webhook-registered-once-or-never`, `webhook-moves-on-restart`.

use super::{AtOnce, Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::{Case, Front, RegistrationCall};
use crate::front_door::FrontRoute;
use crate::guarantees::evidence::may_refuse;
use crate::history::Change;
use crate::measure::{Gauge, so_many};
use crate::plan::contract_time;
use crate::spans::Spans;
use crate::strength::Minimum;
use crate::verdict::{Offences, Verdict, Witness};
use mock_server::clock::Moment;
use mock_server::history::exchange::RegistrationReceipt;
use mock_server::history::record::Reachability;
use mock_server::webhooks::WebhookEvent;
use std::collections::BTreeMap;
use std::time::Duration;

const PROMISE: Promise = Promise {
    id: "webhook-registered",
    statement: "The click webhook is registered soon after each start, at an address that answers.",
    priority: Priority::Standard,
    source: "checklist; contract: the same address again answers the existing registration, and an address \
             answers when HEAD gives below 500 and neither 404 nor 410",
    why: "Registrations are made once, by hand, and forgotten: in a new environment, or after an account was \
          restored, nothing comes, and silence looks like a quiet day.",
    usual_fix: "Register at each start: ask for what is registered, and register what is missing; retry with \
                backoff until it is done, and listen before.",
    blind_to: "Registrations that were made by hand: of those no call shows that they are there. A start \
               while Linktree fails for long.",
    bounds: &[],
    minimums: &[STARTS, FAILED, LOOKS],
    when_late: Stands::Always,
    when_overloaded: Stands::Never,
    needs: &[FrontRoute::Webhooks],
    sees: &[Sight::Upstream, Sight::Process],
};

const STARTS: Minimum = Minimum { name: "starts", least: 2 };
const FAILED: Minimum = Minimum { name: "registrations that failed at first", least: 1 };
const LOOKS: Minimum = Minimum { name: "looks at the address", least: 2 };

/// See the module.
pub struct WebhookRegistered;

impl Guarantee for WebhookRegistered {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        Box::new(AtOnce(move || judge(case)))
    }
}

fn judge(case: &Case) -> Verdict {
    let mut offences = Offences::default();
    let front = case.target.front.as_ref().filter(|front| front.webhooks.is_some());
    let Some(front) = front else {
        return Verdict::inconclusive("nobody says where the integration takes webhooks").measured(
            gauges(case, 0, 0, None),
            "",
            RULE,
        );
    };
    let starts = starts(case, front);
    let decided: Vec<&Start> = starts.iter().filter(|start| start.is_decided(case)).collect();
    for start in decided.iter().filter(|start| !start.is_in_time()) {
        offences.add(start.due, || start.tell(case, front));
    }
    let looks: Vec<&Reachability> =
        case.linktree.looks.iter().filter(|look| front.is_here(&look.url)).collect();
    let unreachable = unreachable(case, &looks);
    for (at, look, what) in &unreachable {
        offences.add(*at, || {
            let answer = look.status.map_or_else(
                || look.failure.clone().unwrap_or_default(),
                |status| status.to_string(),
            );
            let what = format!("the address {} {what}", look.url);
            Witness::new(*at, what).line(format!(
                "{} HEAD {} → {answer}",
                case.at(look.at),
                look.url
            ))
        });
    }
    let posts = || case.linktree.registrations.iter().filter(|call| call.method == "POST");
    let failed = posts().filter(|call| call.status.is_some_and(|status| status >= 500)).count();
    let slowest = decided.iter().filter_map(|start| start.took()).max();
    let late = decided.iter().filter(|start| !start.is_in_time()).count() as u64;
    let mut gauges = gauges(case, late, decided.len(), slowest);
    gauges.push(
        Gauge::none_of("registered addresses that do not answer")
            .counted(unreachable.len() as u64, looks.len()),
    );
    let observed = format!(
        "{}, {} about registrations, {failed} of which failed, {}",
        so_many(starts.len(), "start", "starts"),
        so_many(case.linktree.registrations.len(), "call", "calls"),
        so_many(looks.len(), "look", "looks")
    );
    offences
        .verdict(decided.len(), "starts")
        .at_least([STARTS.seen(decided.len()), FAILED.seen(failed), LOOKS.seen(looks.len())])
        .measured(gauges, observed, RULE)
}

const RULE: &str = "what was told to wait, and what failed, leaves as much more time; the events are at \
                    least link.clicked";

fn within(case: &Case) -> Duration {
    contract_time(case.declared.register_within_ms, case.time_scale)
}

fn gauges(case: &Case, late: u64, of: usize, slowest: Option<Duration>) -> Vec<Gauge> {
    let bound = within(case);
    vec![
        Gauge::none_of("starts without a registration in time").counted(late, of),
        Gauge::within("slowest registration, without waits", bound, case.harness.delta)
            .at_scale(case.time_scale)
            .took(slowest),
    ]
}

/// A start, and when Linktree certainly knew where to send afterwards.
struct Start {
    ready: Moment,
    due: Moment,
    /// What failures and told waits cost of it.
    excused: Duration,
    registered: Option<Moment>,
    /// What was registered instead, if anything was.
    instead: Option<RegistrationReceipt>,
    /// Whether it asked Linktree for anything about registrations.
    asked: bool,
    ended: Moment,
}

impl Start {
    /// Whether there was time enough to see it.
    fn is_decided(&self, case: &Case) -> bool {
        self.registered.is_some() || self.due.plus(case.harness.delta) < self.ended
    }

    fn is_in_time(&self) -> bool {
        self.registered.is_some_and(|at| at <= self.due)
    }

    fn took(&self) -> Option<Duration> {
        Some(self.registered?.since(self.ready).saturating_sub(self.excused))
    }

    fn tell(&self, case: &Case, front: &Front) -> Witness {
        let what = match self.registered {
            Some(at) => format!("the webhook was registered at {} only", case.at(at)),
            None => "the webhook was not registered".to_owned(),
        };
        let what = format!("{what}; the integration was ready at {}", case.at(self.ready));
        let path = front.webhooks.as_deref().unwrap_or_default();
        let witness =
            Witness::new(self.due, what).line(format!("expected was {}{path}", front.url));
        match &self.instead {
            Some(other) => {
                let events: Vec<&str> = other.events.iter().map(|event| event.name()).collect();
                witness.line(format!("registered was {} for {}", other.url, events.join(", ")))
            }
            None if self.asked => witness,
            None => witness.line(
                "it asked Linktree for nothing about registrations: see first that it is told where it is \
                 reached, as {front.url} in [target.spawn.env], or where it runs already, by whoever \
                 starts it",
            ),
        }
    }
}

/// Every start: from when it was ready to when it ended, or the recording did.
fn starts(case: &Case, front: &Front) -> Vec<Start> {
    let processes = &case.target.processes;
    let ready = |change: &Change| *change == Change::Ready;
    let may_refuse = may_refuse::spans(case);
    let starts = processes.iter().enumerate().filter(|(_, one)| ready(&one.change));
    starts
        .map(|(place, one)| {
            let ends =
                |change: &Change| change.is_end() || matches!(change, Change::Terminated { .. });
            let ended = processes[place..].iter().find(|next| ends(&next.change));
            let ended = ended.map_or(case.harness.closed, |next| next.at);
            // It may register while it starts.
            let began = processes[..place].iter().rev();
            let began = began
                .take_while(|before| !before.change.is_end())
                .map(|before| before.at)
                .last()
                .unwrap_or(one.at);
            start(case, front, &may_refuse, (began, one.at, ended))
        })
        .collect()
}

fn start(
    case: &Case,
    front: &Front,
    may_refuse: &Spans,
    (began, ready, ended): (Moment, Moment, Moment),
) -> Start {
    let calls = case.linktree.registrations.iter();
    let calls: Vec<&RegistrationCall> =
        calls.filter(|call| began <= call.t_req && call.t_req < ended).collect();
    let registered = calls.iter().find(|call| shows(case, call, front)).map(|call| call.t_known);
    let until = registered.unwrap_or(ended);
    let mut spans = failures(case, &calls, ready);
    spans.extend(refused_by_itself(case, may_refuse, began));
    let excused = Spans::joined(spans, Duration::ZERO).lasting_within(ready, until);
    let due = ready.plus(within(case)).plus(excused).plus(case.harness.delta);
    let instead = calls.iter().filter_map(|call| call.made.clone()).next_back();
    Start { ready, due, excused, registered, instead, asked: !calls.is_empty(), ended }
}

/// Whether a call shows that Linktree knows where to send: it registers, or lists, what it must.
fn shows(case: &Case, call: &RegistrationCall, front: &Front) -> bool {
    let is_answered = call.is_complete && call.status.is_some_and(|s| (200..300).contains(&s));
    is_answered
        && match call.method.as_str() {
            "POST" => call.made.as_ref().is_some_and(|made| is_it(made, front)),
            "GET" => known(case, call.t_req).values().any(|made| is_it(made, front)),
            _ => false,
        }
}

fn is_it(made: &RegistrationReceipt, front: &Front) -> bool {
    front.takes_webhooks_at(&made.url) && made.events.contains(&WebhookEvent::LinkClicked)
}

/// What was registered at a moment, by the id.
fn known(case: &Case, at: Moment) -> BTreeMap<&str, &RegistrationReceipt> {
    let mut all = BTreeMap::new();
    let forgotten = &case.linktree.forgotten;
    let mut forgotten = forgotten.iter().copied().filter(|when| *when <= at).peekable();
    for call in case.linktree.registrations.iter().take_while(|call| call.t_req <= at) {
        while forgotten.next_if(|when| *when <= call.t_req).is_some() {
            all.clear();
        }
        if let Some(made) = &call.made {
            all.insert(made.id.as_str(), made);
        } else if call.method == "DELETE" && call.status == Some(204) {
            all.remove(call.path.rsplit('/').next().unwrap_or_default());
        }
    }
    if forgotten.next().is_some() {
        all.clear();
    }
    all
}

/// What leaves more time: each failed call, what it was told to wait, and the pause before the next one, which
/// is as long as the declared backoff at the most; and whatever else was failing or held back meanwhile.
fn failures(case: &Case, calls: &[&RegistrationCall], ready: Moment) -> Vec<(Moment, Moment)> {
    let mut spans = Vec::new();
    for call in calls {
        let failed = call.status.is_none_or(|status| status >= 500 || status == 429);
        if failed || !call.is_complete {
            let told = call.retry_after.unwrap_or(Moment::ZERO);
            spans.push((call.t_req, call.t_known.max(told).plus(case.times.backoff_cap)));
        }
    }
    // Others' failures may hold it back as well: a breaker, a told wait, a full limiter.
    for exchange in case.linktree.exchanges.iter() {
        let over = exchange.t_known();
        if exchange.is_definite_failure() && over >= ready.minus(case.times.breaker_open_longest) {
            spans.push((exchange.t_req, over.plus(case.times.breaker_open_longest)));
        }
        if let Some(until) = exchange.retry_after.as_ref().and_then(|after| after.until) {
            spans.push((exchange.t_req, until));
        }
    }
    spans
}

/// Whoever asks while its own breaker is open, or before a told time, has failed once more, though nobody sees
/// it: the pause that follows may begin in the last moment of it. A process that began later was not there.
fn refused_by_itself(
    case: &Case,
    may_refuse: &Spans,
    began: Moment,
) -> impl Iterator<Item = (Moment, Moment)> {
    let there = may_refuse.all().iter().filter(move |(_, until)| *until >= began);
    there.map(move |(from, until)| (*from, until.plus(case.times.backoff_cap)))
}

/// Addresses that were looked at and did not answer: the look that follows a registration, and of those
/// that are registered at the end the last one.
fn unreachable<'c>(
    case: &'c Case,
    looks: &[&'c Reachability],
) -> Vec<(Moment, &'c Reachability, &'static str)> {
    let at_end = known(case, Moment(u64::MAX));
    let mut last: BTreeMap<&str, &Reachability> = BTreeMap::new();
    let mut found = Vec::new();
    for look in looks {
        // Who was not there, or had only just come, cannot answer; who says that there is nothing can.
        let from = look.at.minus(case.harness.delta * 2);
        let excused = look.status.is_none_or(|status| status >= 500)
            && (case.target.disturbed_within(from, look.at)
                || case.harness.too_slow_within(from, look.at));
        if !excused {
            last.insert(&look.webhook, look);
        }
    }
    for (webhook, look) in last {
        let answers =
            look.status.is_some_and(|status| status < 500 && ![404, 410].contains(&status));
        if !answers && at_end.contains_key(webhook) {
            found.push((look.at, look, "is registered and does not answer"));
        }
    }
    found
}

#[cfg(test)]
mod tests;
