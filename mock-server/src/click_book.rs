//! Which clicks have counted: one effect for each event id, one answer for each idempotency key.

use crate::exchange::click_payload;
use serde::Deserialize;
use std::collections::HashMap;

/// One click, as a delivery carries it; fields that the contract does not know are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Click {
    /// The click's id.
    pub event_id: String,
    /// Whose page.
    pub handle: String,
    /// Which link.
    pub link_id: String,
    /// When, as the visitor's side saw it.
    pub occurred_at: String,
}

impl Click {
    /// The hash that [`crate::exchange::ClickReceipt::payload`] carries.
    #[must_use]
    pub fn payload(&self) -> String {
        click_payload(&self.handle, &self.link_id, &self.occurred_at)
    }
}

/// What a click met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Counted now.
    Counted,
    /// Counted before with the same payload.
    Repeated,
    /// The event id was counted with another payload.
    Altered,
}

impl Fate {
    pub const fn status(self) -> u16 {
        match self {
            Self::Counted | Self::Repeated => 202,
            Self::Altered => 422,
        }
    }
}

/// What an idempotency key has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Earlier {
    /// The key is new.
    New,
    /// The same click under the same key.
    Same,
    /// Another click under the same key.
    Other,
}

#[derive(Debug, Default)]
pub(crate) struct ClickBook {
    effects: HashMap<String, String>,
    keys: HashMap<String, (String, String)>,
}

impl ClickBook {
    /// Counts a click, once for its event id.
    pub fn count(&mut self, click: &Click) -> Fate {
        let payload = click.payload();
        match self.effects.get(&click.event_id) {
            None => {
                self.effects.insert(click.event_id.clone(), payload);
                Fate::Counted
            }
            Some(earlier) if *earlier == payload => Fate::Repeated,
            Some(_) => Fate::Altered,
        }
    }

    /// Whether this key was accepted before, and for what.
    pub fn earlier(&self, key: &str, click: &Click) -> Earlier {
        match self.keys.get(key) {
            None => Earlier::New,
            Some((event, payload)) if *event == click.event_id && *payload == click.payload() => {
                Earlier::Same
            }
            Some(_) => Earlier::Other,
        }
    }

    /// Remembers that this click was accepted under this key.
    pub fn accept(&mut self, key: &str, click: &Click) {
        self.keys.insert(key.to_owned(), (click.event_id.clone(), click.payload()));
    }

    /// How many clicks have counted.
    pub fn counted(&self) -> usize {
        self.effects.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn click(event_id: &str, link_id: &str) -> Click {
        Click {
            event_id: event_id.into(),
            handle: "a-0001".into(),
            link_id: link_id.into(),
            occurred_at: "2026-01-01T00:00:00Z".into(),
        }
    }

    #[test]
    fn an_event_counts_once_and_an_altered_one_never() {
        let mut book = ClickBook::default();
        assert_eq!(book.count(&click("e1", "l1")), Fate::Counted);
        assert_eq!(book.count(&click("e1", "l1")), Fate::Repeated);
        assert_eq!(book.count(&click("e1", "l2")), Fate::Altered);
        assert_eq!(book.counted(), 1);
    }

    #[test]
    fn a_key_stands_for_one_click() {
        let mut book = ClickBook::default();
        assert_eq!(book.earlier("k", &click("e1", "l1")), Earlier::New);
        book.accept("k", &click("e1", "l1"));
        assert_eq!(book.earlier("k", &click("e1", "l1")), Earlier::Same);
        assert_eq!(book.earlier("k", &click("e2", "l1")), Earlier::Other);
        assert_eq!(book.earlier("k", &click("e1", "l2")), Earlier::Other);
    }
}
