//! An alert beside what it is about: whether it fired when it had to, and only then.
//!
//! The truth is a signal whose value is known between two limits, since there are several lawful ways to
//! measure it, and delivery takes time. Where even the lower one is above the bound, and long enough, an
//! alert must fire; where even the upper one is below it, none may begin. When it ends is not judged.

use crate::case::Case;
use crate::measure::{Gauge, humane};
use crate::plan::{AlertKind, contract_time};
use crate::strength::{Minimum, Strength};
use crate::verdict::{Offences, Witness};
use mock_server::clock::Moment;
use mock_server::history::record::Alert;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Stretches in which an alert had to fire.
pub const LOUD: Minimum = Minimum { name: "stretches that called for an alert", least: 1 };
/// Stretches that stayed below the bound, but not by far: silence where nothing happens proves nothing.
pub const NEAR: Minimum = Minimum { name: "stretches that nearly did", least: 1 };

/// The signal is looked at so often at the most, which is δ where nothing has widened it.
const STEP: Duration = Duration::from_millis(100);
/// And so often within the delay of an alert.
const STEPS: u32 = 50;
/// How often metrics are scraped and rules evaluated beside a storm, at any time scale.
pub const SCRAPE: Duration = Duration::from_secs(1);
/// An alert of which nothing is heard any more is over after that (Alertmanager's `resolve_timeout`).
const RESOLVED_AFTER: Duration = Duration::from_secs(300);
/// As many words and names are shown.
const SHOWN: usize = 8;

/// What was true at one moment, whatever was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When.
    pub at: Moment,
    /// No lawful way to measure it gives less.
    pub lo: u64,
    /// None gives more.
    pub hi: u64,
}

/// What an alert is about.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// Which alert.
    pub kind: AlertKind,
    /// Above this it must fire.
    pub loud_above: u64,
    /// At or below this it must not.
    pub quiet_to: u64,
    /// From here on quiet is a near miss.
    pub near_from: u64,
    /// For how long its condition must hold.
    pub lasts: Duration,
    /// How long a near miss must last. What an alert may fire for must not follow it too soon, or a wrong
    /// one would look like a right one.
    pub near_for: Duration,
    /// A value of the signal, in words.
    pub words: fn(u64) -> String,
}

/// How the alerts compare with the signal.
#[derive(Debug, Default)]
pub struct Compared {
    /// Those that did not fire, and those that had no reason to.
    pub offences: Offences,
    loud: usize,
    near: usize,
    begun: usize,
    missed: u64,
    unfounded: u64,
    /// Why nothing can be said, if so.
    pub unjudged: Option<String>,
    /// Whether there seems to be no such alert: nobody named it, and each that came is named for something
    /// else.
    pub absent: bool,
    /// What was seen, in words.
    pub words: String,
}

impl Compared {
    /// How much was seen of what must be seen.
    #[must_use]
    pub fn strength(&self) -> [Strength; 2] {
        [LOUD.seen(self.loud), NEAR.seen(self.near)]
    }

    /// The same where the alert is one part of a promise: nothing is asked of one that is absent.
    #[must_use]
    pub fn strength_of(&self, [loud, near]: [Minimum; 2]) -> [Strength; 2] {
        let least = |minimum: Minimum| if self.absent { 0 } else { minimum.least };
        [loud.of(self.loud, least(loud)), near.of(self.near, least(near))]
    }

    /// Why that part of a promise cannot be said: alerts came of which nobody knows what they stand for. One
    /// that is absent is no part of it, which the words say.
    #[must_use]
    pub fn undecided(&self) -> Option<String> {
        self.unjudged.clone().filter(|_| !self.absent)
    }

    /// Observations that could have violated it.
    #[must_use]
    pub const fn seen(&self) -> usize {
        self.loud + self.near + self.begun
    }

    /// What was counted.
    pub fn gauges(&self) -> [Gauge; 2] {
        Self::gauges_of(&[self])
    }

    /// The same of several alerts of one promise.
    pub fn gauges_of(all: &[&Self]) -> [Gauge; 2] {
        let sum = |of: fn(&Self) -> u64| all.iter().map(|one| of(one)).sum();
        let seen = |of: fn(&Self) -> usize| all.iter().map(|one| of(one)).sum();
        [
            Gauge::none_of("alerts that did not fire")
                .counted(sum(|one| one.missed), seen(|one| one.loud)),
            Gauge::none_of("alerts without a reason")
                .counted(sum(|one| one.unfounded), seen(|one| one.near + one.begun)),
        ]
    }
}

/// How long after its condition an alert may come, beside the time for which that must hold.
#[must_use]
pub fn delay(case: &Case) -> Duration {
    contract_time(case.declared.alert_delay_ms, case.time_scale) + 2 * SCRAPE
}

/// How far apart samples of a signal are.
fn step(case: &Case) -> Duration {
    STEP.max(delay(case) / STEPS)
}

/// The moments at which a signal is looked at, from the first to the last of the recording.
pub fn moments(case: &Case) -> impl Iterator<Item = Moment> {
    let step = Moment::ZERO.plus(step(case)).0.max(1);
    // How many is known beforehand, so that whoever collects them takes no more room than they need.
    (0..case.harness.closed.0 / step + 1).map(move |n| Moment(n * step))
}

/// When an alert fired: from the first word of it to its end, or until nothing was heard for long.
#[must_use]
pub fn episodes(case: &Case, kind: AlertKind) -> Vec<(Moment, Moment)> {
    let Some(name) = case.alert_names.get(&kind) else { return Vec::new() };
    // Each set of labels is an alert of its own, as in Alertmanager.
    let mut known: BTreeMap<&BTreeMap<String, String>, Vec<(Moment, Moment)>> = BTreeMap::new();
    for alert in case.target.alerts.iter().filter(|alert| name.is_of(alert)) {
        let spans = known.entry(&alert.labels).or_default();
        let open = spans.last_mut().filter(|span| alert.at <= span.1);
        let until = match (alert.firing, alert.until) {
            (false, _) => alert.at,
            (true, Some(until)) => until,
            (true, None) => alert.at.plus(RESOLVED_AFTER),
        };
        match open {
            Some(span) => span.1 = until,
            None if alert.firing => spans.push((alert.at, until)),
            None => {}
        }
    }
    let mut all: Vec<_> = known.into_values().flatten().collect();
    all.sort_unstable();
    let mut joined: Vec<(Moment, Moment)> = Vec::new();
    for span in all {
        match joined.last_mut().filter(|last| span.0 <= last.1) {
            Some(last) => last.1 = last.1.max(span.1),
            None => joined.push(span),
        }
    }
    joined
}

/// An alert that is one part of a promise, where the rest is judged without it, too.
#[derive(Debug, Default)]
pub struct Part {
    /// How it compares; nothing was, where nobody made one.
    pub compared: Compared,
    /// Why it is not judged, if so.
    pub untold: Option<String>,
}

impl Part {
    /// Compares it with the signal that it is about.
    #[must_use]
    pub fn of(case: &Case, about: &About, signal: impl FnOnce() -> Vec<Sample>) -> Self {
        if let untold @ Some(_) = unmade(case, about.kind) {
            return Self { untold, ..Self::default() };
        }
        let compared = compare(case, about, &signal());
        Self { untold: compared.unjudged.clone(), compared }
    }

    /// What was seen of it.
    #[must_use]
    pub fn words(&self) -> String {
        match &self.untold {
            None => format!("of the alert, {}", self.compared.words),
            Some(why) => format!("the alert is not judged: {why}"),
        }
    }
}

/// For how long the condition of an alert must hold, as declared of all that have no time of their own.
#[must_use]
pub fn lasts(case: &Case) -> Duration {
    contract_time(case.declared.alert_for_ms, case.time_scale)
}

/// Compares an alert with the signal that it is about.
#[must_use]
pub fn compare(case: &Case, about: &About, signal: &[Sample]) -> Compared {
    compare_where(case, about, signal, |_| true)
}

/// The same where quiet is a near miss only at moments of which something else is true besides.
#[must_use]
pub fn compare_where(
    case: &Case,
    about: &About,
    signal: &[Sample],
    is_near: impl Fn(&Sample) -> bool,
) -> Compared {
    if let Some(why) = unnamed(case, about.kind) {
        return Compared {
            absent: unmade(case, about.kind).is_some(),
            words: format!("it was not judged: {why}"),
            unjudged: Some(why),
            ..Compared::default()
        };
    }
    let mut compared = Compared::default();
    let (episodes, step) = (episodes(case, about.kind), step(case));
    let within = about.lasts + delay(case);
    // Delays are of seconds: nothing less than a scrape hides what happened.
    let disturbed = |from: Moment, until: Moment| {
        let stalled = case.harness.stalled_within(from, until);
        case.target.disturbed_within(from, until) || stalled > SCRAPE
    };
    for (from, until) in runs(signal, |one| {
        one.lo > about.loud_above && !case.target.disturbed_within(one.at, one.at)
    }) {
        let Some((from, due)) = undisturbed((from, until), within, step, disturbed) else {
            continue;
        };
        let due = due.plus(case.harness.stalled_within(from, due));
        compared.loud += 1;
        if episodes.iter().any(|span| span.0 <= due && from <= span.1) {
            continue;
        }
        compared.missed += 1;
        let most = signal.iter().filter(|one| from <= one.at && one.at <= due);
        let least = most.map(|one| one.lo).min().unwrap_or_default();
        compared.offences.add(due, || {
            let what = format!(
                "{} did not fire within {}, though it was {} at least",
                shown(case, about.kind),
                humane(within),
                (about.words)(least),
            );
            Witness::new(due, what)
                .line(format!("{} the condition held", case.at(from)))
                .line(format!("alerts that came: {}", came(case)))
        });
    }
    let may: Vec<_> = runs(signal, |one| one.hi > about.quiet_to);
    for &(begun, _) in &episodes {
        let from = begun.minus(within);
        if disturbed(from, begun) {
            continue;
        }
        compared.begun += 1;
        let long_enough = about.lasts.saturating_sub(delay(case));
        let founded = may.iter().any(|span| {
            let lasted = span.1.min(begun).since(span.0) + 2 * step;
            span.0 <= begun && from <= span.1 && lasted >= long_enough
        });
        if founded {
            continue;
        }
        compared.unfounded += 1;
        let before = signal.iter().filter(|one| from <= one.at && one.at <= begun);
        let most = before.map(|one| one.hi).max().unwrap_or_default();
        compared.offences.add(begun, || {
            let lasting = if most > about.quiet_to && !long_enough.is_zero() {
                format!(
                    ", and above {} not for {}",
                    (about.words)(about.quiet_to),
                    humane(long_enough)
                )
            } else {
                String::new()
            };
            let what = format!(
                "{} fired, though it was {} at the most in the {} before{lasting}",
                shown(case, about.kind),
                (about.words)(most),
                humane(within),
            );
            Witness::new(begun, what)
        });
    }
    let near = |one: &Sample| (about.near_from..=about.quiet_to).contains(&one.hi) && is_near(one);
    let near = runs(signal, near).into_iter();
    let near = near.filter_map(|span| undisturbed(span, about.near_for, step, disturbed));
    // None that ends just there: what it may fire for is no near miss.
    let spared = |from: Moment| may.iter().all(|one| one.1 < from || one.0 > from.plus(within));
    compared.near = near.filter(|span| spared(span.0)).count();
    compared.words = match episodes.as_slice() {
        [] => "it never fired".to_owned(),
        some => {
            let at: Vec<String> = some.iter().take(SHOWN).map(|span| case.at(span.0)).collect();
            format!("it began to fire at {}", at.join(", "))
        }
    };
    compared
}

/// The first part of a span that lasts so long and in which nothing stood still: a clock that was slow or
/// a process that was gone begins anew.
fn undisturbed(
    (from, until): (Moment, Moment),
    lasts: Duration,
    step: Duration,
    disturbed: impl Fn(Moment, Moment) -> bool,
) -> Option<(Moment, Moment)> {
    let mut from = from;
    while from.plus(lasts) <= until {
        if !disturbed(from, from.plus(lasts)) {
            return Some((from, from.plus(lasts)));
        }
        from = from.plus(step);
    }
    None
}

/// Stretches of samples of which this is true, from the first to the last of each.
fn runs(signal: &[Sample], is_one: impl Fn(&Sample) -> bool) -> Vec<(Moment, Moment)> {
    let mut runs: Vec<(Moment, Moment)> = Vec::new();
    let mut open = false;
    for one in signal {
        let goes_on = is_one(one);
        match runs.last_mut().filter(|_| open) {
            Some(run) if goes_on => run.1 = one.at,
            _ if goes_on => runs.push((one.at, one.at)),
            _ => {}
        }
        open = goes_on;
    }
    runs
}

/// Why nothing can be said of an alert: nobody named it.
#[must_use]
pub fn unnamed(case: &Case, kind: AlertKind) -> Option<String> {
    if case.alert_names.contains_key(&kind) {
        return None;
    }
    let key = kind.key();
    Some(match case.target.alerts.is_empty() {
        true => format!("no alert came, and [observe.alerts] {key} names none"),
        false => {
            let came = came(case);
            format!("alerts came, and none is named in [observe.alerts] {key}; these came: {came}")
        }
    })
}

/// Why a half of a promise that is about an alert was never made: nobody named one, and every alert that
/// came is named for something else.
fn unmade(case: &Case, kind: AlertKind) -> Option<String> {
    let names = &case.alert_names;
    let is_named = |alert: &Alert| names.values().any(|name| name.is_of(alert));
    let is_unmade = !names.contains_key(&kind) && case.target.alerts.iter().all(is_named);
    is_unmade.then(|| format!("[observe.alerts] {} names none, and none came", kind.key()))
}

/// The names of the alerts that came.
fn came(case: &Case) -> String {
    let name = |alert: &Alert| alert.labels.get("alertname").cloned();
    let names: BTreeSet<String> = case.target.alerts.iter().filter_map(name).collect();
    match names.len() {
        0 => "none".to_owned(),
        _ => names.into_iter().take(SHOWN).collect::<Vec<_>>().join(", "),
    }
}

fn shown(case: &Case, kind: AlertKind) -> String {
    let name = case.alert_names.get(&kind);
    name.map_or_else(|| kind.key().to_owned(), |name| name.alertname.clone())
}

#[cfg(test)]
mod tests;
