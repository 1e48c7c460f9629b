//! Shows where each running scenario is, how many visitors come and which faults are armed, and how long the
//! run will take: bars on a terminal, a line for each phase elsewhere.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use reports::text::{clean, listed};
use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A scenario's bar, and the bar below them, over the planned seconds of all.
struct Templates {
    one: &'static str,
    all: &'static str,
}

/// What does not fit is cut, since a line that wraps would stay behind.
const WIDE: Templates = Templates {
    one: "{prefix:24} {bar:20} {elapsed:>4} {wide_msg}",
    all: "{msg:24} {bar:20} {elapsed:>4} about {eta} left",
};
/// The same, where words need the room.
const NARROW: Templates = Templates {
    one: "{prefix:16!} {bar:6} {elapsed:>4} {wide_msg}",
    all: "{msg:16} {bar:6} {elapsed:>4} about {eta} left",
};
/// From so many columns on there is room for both.
const WIDE_FROM: u16 = 90;

impl Templates {
    fn here() -> &'static Self {
        let size = terminal_size::terminal_size_of(std::io::stderr());
        let is_wide = |(terminal_size::Width(columns), _)| columns >= WIDE_FROM;
        if size.is_none_or(is_wide) { &WIDE } else { &NARROW }
    }
}

/// Progress of a run, on standard error.
pub struct Progress {
    bars: Option<MultiProgress>,
    /// What was warned of already, by whichever scenario.
    warned: Warned,
    overall: Arc<Overall>,
}

type Warned = Arc<Mutex<BTreeSet<String>>>;

/// How far all scenarios together are.
#[derive(Default)]
struct Overall {
    shown: Option<ProgressBar>,
    over: AtomicU64,
    expected: AtomicU64,
}

/// Progress of one scenario.
pub struct Bar {
    id: String,
    shown: Option<(MultiProgress, ProgressBar)>,
    warned: Warned,
    overall: Arc<Overall>,
    /// The phase that was entered last, and how its last second went.
    now: Mutex<(String, String)>,
    /// Its planned length, and how much of it has passed, in seconds.
    length: u64,
    passed: AtomicU64,
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress {
    /// Bars when standard error is a terminal, lines otherwise.
    #[must_use]
    pub fn new() -> Self {
        Self::on(std::io::stderr().is_terminal().then(MultiProgress::new))
    }

    fn on(bars: Option<MultiProgress>) -> Self {
        let shown = bars.as_ref().map(|bars| bars.add(bar(0, Templates::here().all)));
        let overall = Arc::new(Overall { shown, ..Overall::default() });
        Self { bars, warned: Warned::default(), overall }
    }

    /// Scenarios of these lengths will be carried out, side by side as far as there is room.
    pub fn expect(&self, lengths: impl IntoIterator<Item = Duration>) {
        for length in lengths {
            self.overall.expected.fetch_add(1, Ordering::Relaxed);
            if let Some(shown) = &self.overall.shown {
                shown.inc_length(seconds(length));
            }
        }
        self.overall.say();
    }

    /// A scenario of this length is not carried out after all.
    pub fn leave_out(&self, length: Duration) {
        self.overall.pass(seconds(length));
        self.overall.is_over();
    }

    /// A scenario of this length begins.
    ///
    /// # Panics
    ///
    /// Never: the bar's template is a constant that a test renders.
    #[must_use]
    pub fn bar(&self, id: &str, length: Duration) -> Bar {
        let id = clean(id);
        let length = seconds(length);
        let shown = self.bars.as_ref().map(|bars| {
            let below = self.overall.shown.iter();
            let bar = bar(length, Templates::here().one);
            // Whatever is set before would be drawn at once, over the others and beside them.
            let bar = below.fold(bar, |bar, all| bars.insert_before(all, bar));
            bar.set_prefix(id.clone());
            (bars.clone(), bar)
        });
        let (warned, overall) = (Arc::clone(&self.warned), Arc::clone(&self.overall));
        let (now, passed) = (Mutex::default(), AtomicU64::new(0));
        let bar = Bar { id, shown, warned, overall, now, length, passed };
        bar.say("starting");
        bar
    }

    /// A line that must not tear the bars.
    pub fn note(&self, line: &str) {
        let line = clean(line);
        match &self.bars {
            Some(bars) => {
                let _ = bars.println(line);
            }
            None => eprintln!("{line}"),
        }
    }
}

fn bar(length: u64, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("a valid template");
    ProgressBar::new(length).with_style(style)
}

/// Whole seconds, and one at least.
fn seconds(length: Duration) -> u64 {
    length.as_secs().max(1)
}

impl Overall {
    /// `3 of 12`.
    fn count(&self) -> String {
        let [over, expected] = [&self.over, &self.expected].map(|one| one.load(Ordering::Relaxed));
        format!("{over} of {expected}")
    }

    fn say(&self) {
        if let Some(shown) = &self.shown {
            shown.set_message(self.count());
        }
    }

    fn pass(&self, seconds: u64) {
        if let Some(shown) = &self.shown {
            shown.inc(seconds);
        }
    }

    /// One more is over; after the last one come results, which a bar would tear.
    fn is_over(&self) {
        let over = self.over.fetch_add(1, Ordering::Relaxed) + 1;
        self.say();
        if let Some(shown) =
            self.shown.as_ref().filter(|_| over == self.expected.load(Ordering::Relaxed))
        {
            shown.finish_and_clear();
        }
    }
}

impl Bar {
    /// The scenario enters a phase.
    pub fn say(&self, phase: &str) {
        let phase = clean(phase);
        if self.shown.is_none() {
            eprintln!("{:24} {phase}", self.id);
        }
        self.show(|now| now.0 = phase);
    }

    /// How the last second went: visitors that came, arrivals a second that are planned, rules that are armed.
    pub fn load(&self, arrived: u32, planned: u32, faults: &[String]) {
        let load = clean(&load(arrived, planned, faults));
        self.show(|now| now.1 = load);
    }

    fn show(&self, change: impl FnOnce(&mut (String, String))) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut now);
        let (phase, load) = &*now;
        if let Some((_, bar)) = &self.shown {
            let parts = [load, phase].into_iter().filter(|part| !part.is_empty());
            bar.set_message(parts.map(String::as_str).collect::<Vec<_>>().join("; "));
        }
    }

    /// Something that nobody may overlook, and that other scenarios may find as well: once a run.
    pub fn warn(&self, what: &str) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        let what = clean(what);
        if !warned.insert(what.clone()) {
            return;
        }
        match &self.shown {
            Some((_, bar)) => bar.println(format!("! {what}")),
            None => eprintln!("! {what}"),
        }
    }

    /// Time passes.
    pub fn tick(&self, elapsed: Duration) {
        self.pass(elapsed.as_secs().min(self.length));
        if let Some((_, bar)) = &self.shown {
            bar.set_position(elapsed.as_secs());
        }
    }

    /// So many seconds of it are over, for it and for all.
    fn pass(&self, seconds: u64) {
        let before = self.passed.fetch_max(seconds, Ordering::Relaxed);
        self.overall.pass(seconds.saturating_sub(before));
    }

    /// The scenario is over; its bar makes room for others.
    pub fn finish(&self, how: &str) {
        self.pass(self.length);
        self.overall.is_over();
        let line = format!("{:24} {how} ({})", self.id, self.overall.count());
        match &self.shown {
            Some((bars, bar)) => {
                bar.finish_and_clear();
                let _ = bars.println(line);
            }
            None => eprintln!("{line}"),
        }
    }
}

/// `41 of 45/s, outage and 2 more`: visitors that came, of how many where that is planned, and what is armed.
fn load(arrived: u32, planned: u32, faults: &[String]) -> String {
    let of = if planned > 0 { format!(" of {planned}") } else { String::new() };
    let faults = if faults.is_empty() { "" } else { &format!(", {}", listed(faults, 1)) };
    format!("{arrived}{of}/s{faults}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::ProgressDrawTarget;

    fn hidden() -> Progress {
        Progress::on(Some(MultiProgress::with_draw_target(ProgressDrawTarget::hidden())))
    }

    #[test]
    fn the_templates_are_valid() {
        let bars = hidden();
        let bar = bars.bar("viral-spike", Duration::from_secs(3));
        bar.say("control");
        bar.warn("GET /metrics was answered 404");
        bars.bar("brownout", Duration::from_secs(3)).warn("GET /metrics was answered 404");
        assert_eq!(bars.warned.lock().unwrap().len(), 1);
        bar.tick(Duration::from_secs(1));
        bar.load(41, 45, &["outage".to_owned()]);
        assert_eq!(bar.shown.as_ref().unwrap().1.message(), "41 of 45/s, outage; control");
        bar.say("heal");
        bar.load(3, 0, &[]);
        assert_eq!(bar.shown.as_ref().unwrap().1.message(), "3/s; heal");
        bar.finish("done");
        for templates in [WIDE, NARROW] {
            for template in [templates.one, templates.all] {
                super::bar(1, template);
            }
        }
    }

    #[test]
    fn load_says_what_is_planned_and_armed_where_there_is_some() {
        let check = |planned, faults: &[&str], expected: &str| {
            let faults: Vec<_> = faults.iter().map(|fault| (*fault).to_owned()).collect();
            assert_eq!(load(41, planned, &faults), expected);
        };
        check(0, &[], "41/s");
        check(45, &[], "41 of 45/s");
        check(45, &["outage"], "41 of 45/s, outage");
        check(45, &["outage", "slow", "resets"], "41 of 45/s, outage and 2 more");
    }

    /// Proves that the bar below adds up the scenarios, and that one that ends early, or takes longer
    /// than planned, counts as what was planned.
    #[test]
    fn the_bar_below_is_over_when_all_are() {
        let bars = hidden();
        let lengths = [3, 10].map(Duration::from_secs);
        bars.expect(lengths.into_iter().chain([Duration::from_secs(5)]));
        let all = bars.overall.shown.clone().unwrap();
        let at = || (all.position(), all.length(), all.message());
        assert_eq!(at(), (0, Some(18), "0 of 3".to_owned()));
        let [short, long] =
            ["short", "long"].map(|id| bars.bar(id, lengths[usize::from(id == "long")]));
        short.tick(Duration::from_secs(2));
        long.tick(Duration::from_secs(2));
        assert_eq!(at(), (4, Some(18), "0 of 3".to_owned()));
        long.finish("could not be carried out");
        assert_eq!(at(), (12, Some(18), "1 of 3".to_owned()));
        short.tick(Duration::from_secs(30));
        short.finish("recorded");
        assert_eq!(at(), (13, Some(18), "2 of 3".to_owned()));
        assert!(!all.is_finished());
        bars.leave_out(Duration::from_secs(5));
        assert_eq!(at(), (18, Some(18), "3 of 3".to_owned()));
        assert!(all.is_finished());
    }
}
