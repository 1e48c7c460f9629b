//! What holds the calls of a simulated client back, and what is wrong with that.

use mock_server::clock::Moment;
use mock_server::history::exchange::{Exchange, RetryAfterForm};
use std::collections::HashMap;

/// What a caller asks for: a page, or the delivery of these clicks.
#[derive(Clone, Debug)]
pub enum Call {
    Page(String),
    Clicks(Vec<u64>),
}

/// Until when each key, page and click is held back.
#[derive(Clone, Default)]
pub struct Gates {
    pub keys: HashMap<&'static str, u64>,
    pages: HashMap<String, u64>,
    clicks: HashMap<u64, u64>,
}

impl Gates {
    pub fn closed_until(&self, call: &Call, key: &str) -> u64 {
        let own = match call {
            Call::Page(handle) => self.pages.get(handle).copied(),
            Call::Clicks(ids) => ids.iter().filter_map(|id| self.clicks.get(id).copied()).max(),
        };
        own.max(self.keys.get(key).copied()).unwrap_or(0)
    }

    pub fn close(&mut self, call: &Call, until: u64, wrong: Wrong) {
        match call {
            Call::Page(handle) => {
                self.pages.insert(handle.clone(), until);
            }
            Call::Clicks(_) if wrong == Wrong::ForgetsClicks => {}
            Call::Clicks(ids) => self.clicks.extend(ids.iter().map(|id| (*id, until))),
        }
    }
}

/// What a broken one does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wrong {
    Nothing,
    /// It comes back so much too early.
    Early(u64),
    /// It waits for so much of each told wait, in percent.
    Part(u64),
    /// It waits for so long at the most.
    Capped(u64),
    IgnoresDates,
    Ignores503,
    /// It holds back the request that was refused, and no other.
    RequestOnly,
    /// One worker does not hear of the waits that others were told, nor they of its own.
    OneWorkerAlone,
    /// Refused clicks come again with others in the next batch.
    ForgetsClicks,
}

/// Until when an answer that is read now holds it back, if it does.
pub fn until(wrong: Wrong, answer: &Exchange, now: u64) -> Option<u64> {
    let told = answer.retry_after.as_ref()?;
    let until = told.until.filter(|until| *until < Moment(u64::MAX))?.0.div_ceil(1_000_000);
    match wrong {
        Wrong::IgnoresDates if told.form == RetryAfterForm::Date => None,
        Wrong::Ignores503 if answer.status == Some(503) => None,
        Wrong::Early(by) => Some(until.saturating_sub(by)),
        Wrong::Part(percent) => Some(now + until.saturating_sub(now) * percent / 100),
        Wrong::Capped(most) => Some(until.min(now + most)),
        Wrong::Nothing
        | Wrong::IgnoresDates
        | Wrong::Ignores503
        | Wrong::RequestOnly
        | Wrong::OneWorkerAlone
        | Wrong::ForgetsClicks => Some(until),
    }
}
