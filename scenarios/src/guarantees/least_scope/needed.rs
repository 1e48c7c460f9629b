//! Whether what is declared is enough for what is called, and no more than that.

use super::{about, offers};
use crate::case::{Case, JudgedExchange};
use crate::front_door::FrontRoute;
use crate::guarantees::click_lag;
use crate::history::{Change, Did, Operation, Session};
use crate::measure::so_many;
use crate::plan::contract_time;
use crate::verdict::{Offences, Witness};
use mock_server::clock::Moment;
use mock_server::contract::Route;
use mock_server::history::exchange::Denied;

/// What visitors asked for and got, that needs a scope of Linktree.
pub(super) struct Needed<'c> {
    case: &'c Case,
    pages: usize,
    clicks: usize,
    figures: usize,
    /// Campaigns that were taken so early that they are carried out.
    campaigns: usize,
}

/// What that came to.
pub(super) struct Judgement {
    /// Calls for which the declared scopes are not enough.
    pub beyond: Offences,
    /// Declared scopes that nothing used, though what would use them was asked for and done.
    pub idle: Offences,
    /// Calls that ask for a scope.
    pub calls: usize,
    /// Declared scopes that a good call used.
    pub used: usize,
    /// Declared scopes of which it is known whether anything uses them.
    pub decided: usize,
    /// Which were used, in words.
    pub words: String,
    /// Why it is not known of the others.
    pub open: Option<String>,
}

impl<'c> Needed<'c> {
    pub fn of(case: &'c Case) -> Self {
        Self { case, pages: 0, clicks: 0, figures: 0, campaigns: 0 }
    }

    pub fn note(&mut self, operation: &Operation<'_>) {
        if !operation.is_ok() {
            return;
        }
        self.pages += usize::from(operation.page().is_some());
        self.clicks += usize::from(operation.click().is_some());
        let is_own = operation.look().is_some_and(|look| look.session == Session::Own);
        self.figures += usize::from(is_own);
        let is_campaign = matches!(operation.did, Did::Campaign(_));
        self.campaigns += usize::from(is_campaign && self.is_due(operation.last));
    }

    /// Whether what was taken then must be carried out before the recording ends. The scenario may have taken
    /// the scope away in between, but whoever was refused has called.
    fn is_due(&self, taken: Moment) -> bool {
        let case = self.case;
        let within = contract_time(case.declared.campaign_within_ms, case.time_scale);
        taken.plus(within) <= case.harness.closed
    }

    pub fn judged(&self) -> Judgement {
        let case = self.case;
        let declared = case.declared.scopes.as_deref().unwrap_or_default();
        let asking = || case.linktree.exchanges.iter().filter(|one| one.route.scope().is_some());
        let mut judgement = Judgement {
            beyond: beyond(case),
            idle: Offences::default(),
            calls: if case.declared.scopes.is_some() { asking().count() } else { 0 },
            used: 0,
            decided: 0,
            words: String::new(),
            open: None,
        };
        let (mut used, mut open) = (Vec::new(), Vec::new());
        for scope in declared {
            let of_scope = || asking().filter(|one| one.route.scope() == Some(scope));
            if of_scope().any(JudgedExchange::is_success) {
                used.push(scope.as_str());
                judgement.decided += 1;
            } else if of_scope().next().is_none()
                && let Some(asked) = self.asked_for(scope)
            {
                judgement.decided += 1;
                judgement.idle.add(case.harness.closed, || {
                    let what = format!("{scope} is declared, and nothing used it");
                    Witness::new(case.harness.closed, what).line(asked)
                });
            } else {
                open.push(scope.as_str());
            }
        }
        judgement.used = used.len();
        judgement.words = if used.is_empty() { "none".to_owned() } else { used.join(", ") };
        judgement.open = (!open.is_empty()).then(|| {
            format!(
                "nothing used {} that is declared, and nothing was asked for and done that would",
                open.join(", ")
            )
        });
        judgement
    }

    /// How it was asked for what needs a scope, and answered well; none where it was not, or the
    /// integration has no such route.
    fn asked_for(&self, scope: &str) -> Option<String> {
        let (count, one, many) = match scope {
            "profile:read" | "links:read" => (self.pages, "page view was", "page views were"),
            "clicks:write" => (self.clicks, "click was", "clicks were"),
            "analytics:read" => (
                self.figures,
                "look of a creator at own figures was",
                "looks of creators at own figures were",
            ),
            "links:write" => (self.campaigns, "campaign was", "campaigns were"),
            "webhooks:write" => return self.could_register(),
            _ => return None,
        };
        // Clicks and campaigns are delivered when they can be; the others are answered with what was called
        // for.
        let is_write = matches!(scope, "clicks:write" | "links:write");
        let over = !is_write || self.case.harness.completed();
        (count > 0 && over).then(|| format!("{} answered well", so_many(count, one, many)))
    }

    /// It offers a place for webhooks, and had the time to register it.
    fn could_register(&self) -> Option<String> {
        let case = self.case;
        if !offers(case, FrontRoute::Webhooks) || !case.harness.completed() {
            return None;
        }
        let ready = case.target.processes.iter().rev().find(|one| one.change == Change::Ready)?;
        let within = contract_time(case.declared.register_within_ms, case.time_scale);
        let due = ready.at.plus(within.max(case.time(&click_lag::WITHIN)));
        let told =
            || format!("{} it was ready and took webhooks, and registered none", case.at(ready.at));
        (due <= case.harness.closed).then(told)
    }
}

/// Calls that were refused for want of a scope that is not declared. One that is declared is wanting
/// because the scenario took it away.
fn beyond(case: &Case) -> Offences {
    let mut offences = Offences::default();
    let Some(declared) = case.declared.scopes.as_deref() else { return offences };
    let (mut listed, mut made) = (0, 0);
    let starts = case.target.processes.iter().filter(|one| one.change == Change::Ready);
    let tries = starts.count().max(1).saturating_mul(case.declared.instances.max(1) as usize);
    let lacking = |one: &&JudgedExchange| {
        let scope = one.route.scope();
        one.denied == Some(Denied::Scope) && scope.is_some_and(|scope| !has(declared, scope))
    };
    for one in case.linktree.exchanges.iter().filter(lacking) {
        // Whoever registers by hand may try it once, and live without. Of lists and of what is made there may
        // be as many: only that they are counted apart matters.
        if one.route == Route::Webhooks {
            let tried = if one.head.method == "POST" { &mut made } else { &mut listed };
            *tried += 1;
            if *tried <= tries {
                continue;
            }
        }
        offences.add(one.t_req, || {
            let scope = one.route.scope().unwrap_or_default();
            about(case, one, format!("a call that asks for {scope}, which is not declared"))
        });
    }
    offences
}

fn has(declared: &[String], scope: &str) -> bool {
    declared.iter().any(|one| one == scope)
}
