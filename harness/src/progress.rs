//! Shows where each running scenario is: bars on a terminal, a line for each phase elsewhere.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use reports::text::clean;
use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Progress of a run, on standard error.
pub struct Progress {
    bars: Option<MultiProgress>,
    /// What was warned of already, by whichever scenario.
    warned: Warned,
}

type Warned = Arc<Mutex<BTreeSet<String>>>;

/// Progress of one scenario.
pub struct Bar {
    id: String,
    shown: Option<ProgressBar>,
    warned: Warned,
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
        let bars = std::io::stderr().is_terminal().then(MultiProgress::new);
        Self { bars, warned: Warned::default() }
    }

    /// A scenario of this length begins.
    ///
    /// # Panics
    ///
    /// Never: the bar's template is a constant that a test renders.
    #[must_use]
    pub fn bar(&self, id: &str, length: Duration) -> Bar {
        let id = clean(id);
        let shown = self.bars.as_ref().map(|bars| {
            let style = ProgressStyle::with_template("{prefix:18} {bar:30} {elapsed:>4} {msg}");
            let seconds = length.as_secs().max(1);
            let bar = ProgressBar::new(seconds).with_style(style.expect("a valid template"));
            bar.set_prefix(id.clone());
            bars.add(bar)
        });
        let bar = Bar { id, shown, warned: Arc::clone(&self.warned) };
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

impl Bar {
    /// The scenario enters a phase.
    pub fn say(&self, phase: &str) {
        let phase = clean(phase);
        match &self.shown {
            Some(bar) => bar.set_message(phase),
            None => eprintln!("{:18} {phase}", self.id),
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
            Some(bar) => bar.println(format!("! {what}")),
            None => eprintln!("! {what}"),
        }
    }

    /// Time passes.
    pub fn tick(&self, elapsed: Duration) {
        if let Some(bar) = &self.shown {
            bar.set_position(elapsed.as_secs());
        }
    }

    /// The scenario is over.
    pub fn finish(&self, how: &str) {
        match &self.shown {
            Some(bar) => bar.finish_with_message(how.to_owned()),
            None => eprintln!("{:18} {how}", self.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_valid() {
        let bars = Progress {
            bars: Some(MultiProgress::with_draw_target(indicatif::ProgressDrawTarget::hidden())),
            warned: Warned::default(),
        };
        let bar = bars.bar("viral-spike", Duration::from_secs(3));
        bar.say("control");
        bar.warn("GET /metrics was answered 404");
        bars.bar("brownout", Duration::from_secs(3)).warn("GET /metrics was answered 404");
        assert_eq!(bars.warned.lock().unwrap().len(), 1);
        bar.tick(Duration::from_secs(1));
        bar.finish("done");
    }
}
