//! What a plan provokes of retries, and must therefore be seen.

use crate::case::Case;
use crate::plan::{Pace, PhaseKind, Traffic};
use crate::traffic::actions::Action;
use mock_server::faults::{Fault, Pick, Rule, Window};

/// Kinds of retries that a plan's faults and visitors lead to.
pub struct AskedFor {
    /// Page reads that fail a few times, one after the other; whatever else is missing.
    pub reads: bool,
    /// Deliveries of clicks that do.
    pub spaced: bool,
    /// Clicks that fail for as long as somebody would give up.
    pub in_a_row: bool,
}

/// So many times the cap of the backoff are long enough for a queue to show that it waits.
const CAPS: u32 = 3;

impl AskedFor {
    /// By a case's plan.
    pub fn of(case: &Case) -> Self {
        let one_by_one = |action: Action| {
            let comes = |stream: &&Traffic| {
                let kind = case.plan.phase_at(stream.from_ms).map(|phase| phase.kind);
                does(stream, action)
                    && kind == Some(PhaseKind::RetryGaps)
                    && matches!(stream.pace, Pace::Sequential { .. })
            };
            case.plan.traffic.iter().any(|stream| comes(&stream))
        };
        let least = case.times.click_backoff_cap * CAPS;
        let refused = |rule: &&Rule| {
            let length = rule.window.until_ms.saturating_sub(rule.window.from_ms);
            u128::from(length) >= least.as_millis() && refuses_all_clicks(rule)
        };
        let clickers = || case.plan.traffic.iter().filter(|stream| does(stream, Action::Click));
        let meets = |rule: &Rule| clickers().any(|stream| meets(stream, rule.window));
        let in_a_row = case.plan.faults.iter().filter(refused).any(meets);
        let spaced = one_by_one(Action::Click);
        Self { reads: one_by_one(Action::Page) || !(spaced || in_a_row), spaced, in_a_row }
    }
}

fn does(stream: &Traffic, action: Action) -> bool {
    stream.does.iter().any(|step| step.action == action)
}

fn meets(stream: &Traffic, window: Window) -> bool {
    stream.from_ms < window.until_ms && window.from_ms < stream.until_ms
}

/// Every delivery, alone or in a batch, with a status that is worth another attempt and opens no
/// breaker, and without a told wait.
fn refuses_all_clicks(rule: &Rule) -> bool {
    let Fault::Status(status) = &rule.fault else { return false };
    let clicks_only = rule.matcher.routes.iter().all(|route| route.is_click());
    rule.pick == Pick::All
        && clicks_only
        && rule.matcher.routes.len() > 1
        && status.retry_after.is_empty()
        && status.codes.iter().all(|code| *code == 429)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Settings, find, run_plan};
    use crate::front_door::{FrontDoor, FrontRoute};
    use mock_server::profile::ContractProfile;

    #[track_caller]
    fn check(scenario: &str, without: &[FrontRoute], expected: [bool; 3]) {
        let id = find(scenario).expect("a scenario").id;
        let mut run = run_plan(&Settings::default(), ContractProfile::linktree_v1(), &[id]);
        run.leave_out(&FrontDoor { without: without.into(), ..FrontDoor::default() });
        let AskedFor { reads, spaced, in_a_row } =
            AskedFor::of(&Case::new(&run, &run.scenarios[0]));
        assert_eq!([reads, spaced, in_a_row], expected, "{scenario}");
    }

    #[test]
    fn each_scenario_asks_for_what_it_provokes_and_an_integration_can_show() {
        check("retry-gaps", &[], [true, true, false]);
        check("retry-gaps", &[FrontRoute::Clicks], [true, false, false]);
        check("rate-limit-storm", &[], [false, false, true]);
        check("rate-limit-storm", &[FrontRoute::Clicks], [true, false, false]);
        check("outage-and-replay", &[], [true, false, false]);
    }

    /// Whether a plan asks for clicks that fail in a row: all that are refused are, by a rule from 20 s
    /// until 120 s, changed like this; visitors click from 0 s until 200 s, changed like that.
    #[track_caller]
    fn in_a_row(rule: impl FnOnce(&mut Rule), visit: impl Fn(&mut Traffic), expected: bool) {
        let id = find("rate-limit-storm").expect("a scenario").id;
        let run = run_plan(&Settings::default(), ContractProfile::linktree_v1(), &[id]);
        let mut case = Case::new(&run, &run.scenarios[0]);
        case.times.click_backoff_cap = std::time::Duration::from_secs(30);
        case.plan.faults.retain(refuses_all_clicks);
        case.plan.faults.truncate(1);
        case.plan.faults[0].window = Window { from_ms: 20_000, until_ms: 120_000 };
        rule(&mut case.plan.faults[0]);
        for stream in &mut case.plan.traffic {
            (stream.from_ms, stream.until_ms) = (0, 200_000);
            visit(stream);
        }
        assert_eq!(AskedFor::of(&case).in_a_row, expected);
    }

    #[test]
    fn clicks_fail_in_a_row_where_all_are_refused_for_three_caps_while_visitors_click() {
        in_a_row(|_| (), |_| (), true);
        in_a_row(|rule| rule.window.until_ms = 110_000, |_| (), true);
        in_a_row(|rule| rule.window.until_ms = 109_999, |_| (), false);
        in_a_row(|_| (), |stream| stream.from_ms = 119_999, true);
        in_a_row(|_| (), |stream| stream.from_ms = 120_000, false);
        in_a_row(|_| (), |stream| stream.until_ms = 20_001, true);
        in_a_row(|_| (), |stream| stream.until_ms = 20_000, false);
    }

    #[test]
    fn a_rule_refuses_all_clicks_with_429_alone_and_tells_no_wait() {
        use mock_server::contract::Route;
        use mock_server::faults::{RetryAfterSpec, Status};
        in_a_row(|rule| rule.pick = Pick::Nth { from: 0, until: 1 }, |_| (), false);
        for routes in
            [vec![], vec![Route::Clicks], vec![Route::Clicks, Route::ClicksBatch, Route::Profile]]
        {
            in_a_row(|rule| rule.matcher.routes = routes, |_| (), false);
        }
        let status = |codes: &[u16], retry_after: &[RetryAfterSpec]| {
            Fault::Status(Status { codes: codes.into(), retry_after: retry_after.into() })
        };
        in_a_row(|rule| rule.fault = status(&[429], &[]), |_| (), true);
        in_a_row(|rule| rule.fault = status(&[429, 503], &[]), |_| (), false);
        let told = status(&[429], &[RetryAfterSpec::Seconds { s: 1 }]);
        in_a_row(|rule| rule.fault = told, |_| (), false);
    }
}
