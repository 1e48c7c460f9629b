//! Tells what else happened five seconds before and after a violation: phases and faults that began or
//! ended, processes, and what became of the calls to Linktree.

use mock_server::clock::Moment;
use scenarios::case::{Case, JudgedExchange};
use scenarios::history::Change;
use std::collections::BTreeMap;
use std::time::Duration;

/// How far a reader looks around, in the run's time.
const AROUND: Duration = Duration::from_secs(5);

/// The lines, in order of time.
pub fn around(case: &Case, at: Moment) -> Vec<String> {
    let (from, until) = (at.minus(AROUND), at.plus(AROUND));
    let mut lines: Vec<(Moment, String)> = Vec::new();
    lines.extend([calls(case, from, at), calls(case, at, until)].into_iter().flatten());
    let inside = |moment: Moment| from <= moment && moment <= until;
    let mut turn = |ms: u64, what: String| {
        let moment = case.moment(ms);
        if inside(moment) {
            lines.push((moment, format!("{} {what}", case.at(moment))));
        }
    };
    for phase in &case.plan.phases {
        turn(phase.from_ms, format!("phase begins: {}", phase.name));
    }
    for rule in &case.plan.faults {
        let what = format!("{} ({})", rule.id, rule.fault.kind());
        turn(rule.window.from_ms, format!("fault begins: {what}"));
        turn(rule.window.until_ms, format!("fault ends: {what}"));
    }
    for process in case.target.processes.iter().filter(|process| inside(process.at)) {
        if let Some(what) = words(&process.change) {
            lines.push((process.at, format!("{} {what}", case.at(process.at))));
        }
    }
    lines.sort_by_key(|(moment, _)| *moment);
    lines.into_iter().map(|(_, line)| line).collect()
}

/// How many calls began in a stretch, by what became of them; nothing where none did.
fn calls(case: &Case, from: Moment, until: Moment) -> Option<(Moment, String)> {
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    // In the order of their requests; there may be a million.
    let exchanges = &case.linktree.exchanges;
    let [first, end] = [from, until].map(|at| exchanges.partition_point(|one| one.t_req < at));
    for exchange in &exchanges[first..end] {
        *outcomes.entry(outcome(exchange)).or_default() += 1;
    }
    let all: usize = outcomes.values().sum();
    let each = outcomes.iter().map(|(outcome, count)| format!("{count} × {outcome}"));
    let each = each.collect::<Vec<_>>().join(", ");
    let (begin, end) = (case.at(from), case.at(until));
    (all > 0).then(|| (from, format!("{begin} to {end}: calls to Linktree: {all} ({each})")))
}

fn outcome(exchange: &JudgedExchange) -> String {
    exchange.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string())
}

/// What became of a process; nothing of what only the harness did or saw after its end.
const fn words(change: &Change) -> Option<&'static str> {
    match change {
        Change::Ready => Some("the target is ready"),
        Change::NotReady { .. } => Some("the target did not become ready"),
        Change::Killed { .. } => Some("the target is killed"),
        Change::Terminated { .. } => Some("the target is asked to end"),
        Change::Ended { .. } => Some("the target has ended"),
        Change::Died { .. } => Some("the target ended by itself"),
        Change::Paused { .. } => Some("the target is stopped"),
        Change::Resumed => Some("the target goes on"),
        Change::Started { .. }
        | Change::Stopped
        | Change::Gone { .. }
        | Change::Survived { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mock_server::profile::ContractProfile;
    use scenarios::catalogue::{Settings, run_plan};
    use scenarios::history::{Event, Process};
    use serde_json::json;

    fn call(n: u64, at: Moment, status: Option<u16>) -> Event<'static> {
        let at = at.0;
        Event::Exchange(
            serde_json::from_value(json!({
                "id": n, "conn": 1, "conn_seq": n, "method": "GET", "route": "profile",
                "target": "/v1/profiles/page-0001", "host": "127.0.0.1:1", "token": "live",
                "key_places": ["bearer-header"], "accept": "application/json", "body_bytes": 0,
                "t_conn": 0, "t_head": at, "t_req": at, "t_w": at, "t_end": at,
                "end": if status.is_some() { "complete" } else { "client-abort" }, "status": status,
            }))
            .unwrap(),
        )
    }

    /// Proves that what is told around a violation is what was recorded and planned there, in order.
    #[test]
    fn what_happened_five_seconds_before_and_after_is_told_in_order() {
        let contract = ContractProfile::linktree_v1();
        let run = run_plan(&Settings::default(), contract, &["outage-and-replay"]);
        let plan = &run.scenarios[0];
        let mut case = Case::new(&run, plan);
        case.take(Event::Armed { at: Moment::ZERO.plus(Duration::from_secs(1)) });
        let rule = &plan.faults[0];
        let at = case.moment(rule.window.from_ms).plus(Duration::from_secs(1));
        let before = at.minus(Duration::from_millis(900));
        let far = at.plus(Duration::from_secs(9));
        for (n, moment, status) in
            [(1, before, Some(200)), (2, before, None), (3, at, Some(503)), (4, far, Some(200))]
        {
            case.take(call(n, moment, status));
        }
        let killed = Change::Killed { rule: "crash".to_owned() };
        let after = at.plus(Duration::from_secs(2));
        case.take(Event::Process(Process { at: after, change: killed }));
        case.ready();
        let lines = around(&case, at);
        let place = |words: &str| {
            let found = lines.iter().position(|line| line.contains(words));
            found.unwrap_or_else(|| panic!("{words}: {lines:#?}"))
        };
        let places = [
            place("calls to Linktree: 2 (1 × 200, 1 × no answer)"),
            place(&format!("fault begins: {} ({})", rule.id, rule.fault.kind())),
            place("calls to Linktree: 1 (1 × 503)"),
            place("the target is killed"),
        ];
        assert!(places.is_sorted(), "{lines:#?}");
        let later = case.moment(plan.duration_ms()).plus(Duration::from_secs(60));
        assert_eq!(around(&case, later), [""; 0]);
    }
}
