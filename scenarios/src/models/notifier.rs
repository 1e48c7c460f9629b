//! Whoever looks at a condition from time to time and tells an Alertmanager of it.

use crate::testing::{pushed, resolved};
use mock_server::clock::Moment;
use mock_server::history::record::Alert;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// How often an alert that goes on is told again, in milliseconds.
const TOLD_AGAIN: u64 = 60_000;
/// So long an alert is said to go on by who does not tell its end.
const GOES_ON: u64 = 240_000;

/// How it looks and tells; in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Notifier {
    /// The alert's name.
    pub name: &'static str,
    /// How often it looks.
    pub every: u64,
    /// For how long the condition must hold.
    pub lasts: u64,
    /// Whether it tells when it is over.
    pub tells_ends: bool,
}

impl Notifier {
    /// What arrives until `end`. `holds` says at a moment whether the condition holds, or nothing where nobody
    /// is there who could look: what was known is forgotten then.
    pub fn alerts(
        self,
        random: &mut ChaCha8Rng,
        end: u64,
        holds: impl Fn(u64) -> Option<bool>,
    ) -> Vec<Alert> {
        let (mut pending, mut told): (Option<u64>, Option<u64>) = (None, None);
        let (mut alerts, mut at) = (Vec::new(), random.random_range(0..self.every));
        while at < end {
            let holds = holds(at);
            let arrives = at + random.random_range(5..400);
            if holds == Some(true) {
                let since = *pending.get_or_insert(at);
                if at - since >= self.lasts && told.is_none_or(|last| at - last >= TOLD_AGAIN) {
                    told = Some(at);
                    let until = (!self.tells_ends).then(|| Moment::from_ms(arrives + GOES_ON));
                    alerts.push(Alert { until, ..pushed(self.name, arrives) });
                }
            } else {
                if self.tells_ends && told.is_some() && holds.is_some() {
                    alerts.push(resolved(self.name, arrives));
                }
                (pending, told) = (None, None);
            }
            at += self.every;
        }
        alerts
    }
}
