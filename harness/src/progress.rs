//! Shows where each running scenario is: bars on a terminal, a line for each phase elsewhere.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// Progress of a run, on standard error.
pub struct Progress {
    bars: Option<MultiProgress>,
}

/// Progress of one scenario.
pub struct Lane {
    id: String,
    bar: Option<ProgressBar>,
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
        Self { bars: std::io::stderr().is_terminal().then(MultiProgress::new) }
    }

    /// A scenario of this length begins.
    ///
    /// # Panics
    ///
    /// Never: the bar's template is a constant that a test renders.
    #[must_use]
    pub fn lane(&self, id: &str, length: Duration) -> Lane {
        let bar = self.bars.as_ref().map(|bars| {
            let style = ProgressStyle::with_template("{prefix:18} {bar:30} {elapsed:>4} {msg}");
            let seconds = length.as_secs().max(1);
            let bar = ProgressBar::new(seconds).with_style(style.expect("a valid template"));
            bar.set_prefix(id.to_owned());
            bars.add(bar)
        });
        let lane = Lane { id: id.to_owned(), bar };
        lane.say("starting");
        lane
    }

    /// A line that must not tear the bars.
    pub fn note(&self, line: &str) {
        match &self.bars {
            Some(bars) => {
                let _ = bars.println(line);
            }
            None => eprintln!("{line}"),
        }
    }
}

impl Lane {
    /// The scenario enters a phase.
    pub fn say(&self, phase: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(phase.to_owned()),
            None => eprintln!("{:18} {phase}", self.id),
        }
    }

    /// Time passes.
    pub fn tick(&self, elapsed: Duration) {
        if let Some(bar) = &self.bar {
            bar.set_position(elapsed.as_secs());
        }
    }

    /// The scenario is over.
    pub fn finish(&self, how: &str) {
        match &self.bar {
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
        };
        let lane = bars.lane("viral-spike", Duration::from_secs(3));
        lane.say("control");
        lane.tick(Duration::from_secs(1));
        lane.finish("done");
    }
}
