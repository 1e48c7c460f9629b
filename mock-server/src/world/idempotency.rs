//! Which clicks have counted: one effect for each event id, one answer for each idempotency key.

use crate::history::exchange::{click_payload, instant};
use crate::retained::Retained;
use crate::seed::digest;
use schemars::JsonSchema;
use serde::Deserialize;

/// One click, as a delivery carries it; fields that the contract does not know are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct Click {
    /// The click's id.
    pub event_id: String,
    /// Whose page.
    pub handle: String,
    /// Which link.
    pub link_id: String,
    /// When, as the visitor's side saw it: RFC 3339, however it is spelt.
    pub occurred_at: String,
}

impl Click {
    /// The hash that [`crate::history::exchange::ClickReceipt::payload`] carries.
    #[must_use]
    pub fn payload(&self) -> String {
        click_payload(&self.handle, &self.link_id, &self.occurred_at)
    }

    /// Whether its time is an instant as RFC 3339 writes one; how it is spelt is free.
    #[must_use]
    pub fn is_dated(&self) -> bool {
        self.day().is_some()
    }

    fn digest(&self) -> u128 {
        let occurred_at = instant(&self.occurred_at);
        digest(&["click", &self.event_id, &self.handle, &self.link_id, &occurred_at])
    }

    /// Days since 1970-01-01 (UTC); none when the time is not as RFC 3339 writes it.
    fn day(&self) -> Option<i64> {
        let at: jiff::Timestamp = self.occurred_at.parse().ok()?;
        Some(at.as_second().div_euclid(86_400))
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

/// A store with room for so many events, keys, and links by day; the oldest are forgotten first.
#[derive(Debug)]
pub(crate) struct IdempotencyStore {
    retained: usize,
    counted: usize,
    /// Event id to payload.
    effects: Retained<u128, u128>,
    /// Idempotency key to event and payload.
    keys: Retained<u128, u128>,
    /// Page or link, and day, to clicks.
    tally: Retained<(u128, i64), u64>,
}

impl IdempotencyStore {
    pub fn new(retained: usize) -> Self {
        Self {
            retained,
            counted: 0,
            effects: Retained::new(retained),
            keys: Retained::new(retained),
            tally: Retained::new(retained),
        }
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        *self = Self::new(self.retained);
    }

    /// Counts a click, once for its event id.
    pub fn count(&mut self, click: &Click) -> Fate {
        let payload = click.digest();
        let mut fate = Fate::Repeated;
        let earlier = self.effects.or_insert_with(digest(&["event", &click.event_id]), || {
            fate = Fate::Counted;
            payload
        });
        if *earlier != payload {
            return Fate::Altered;
        }
        if fate == Fate::Counted {
            self.counted += 1;
            if let Some(day) = click.day() {
                for place in [page(&click.handle), link(&click.handle, &click.link_id)] {
                    *self.tally.or_insert_with((place, day), || 0) += 1;
                }
            }
        }
        fate
    }

    /// Whether this key was accepted before, and for what.
    pub fn earlier(&self, key: &str, click: &Click) -> Earlier {
        match self.keys.get(&digest(&["key", key])) {
            None => Earlier::New,
            Some(accepted) if *accepted == click.digest() => Earlier::Same,
            Some(_) => Earlier::Other,
        }
    }

    /// Remembers that this click was accepted under this key.
    pub fn accept(&mut self, key: &str, click: &Click) {
        self.keys.or_insert_with(digest(&["key", key]), || click.digest());
    }

    /// How many clicks have counted.
    pub fn counted(&self) -> usize {
        self.counted
    }

    /// How many clicks have counted on a [`page`] or a [`link`] on a day after 1970-01-01 (UTC), by
    /// their own time. Clicks whose time cannot be read are on no day.
    pub fn clicks(&self, place: u128, day: i64) -> u64 {
        self.tally.get(&(place, day)).copied().unwrap_or(0)
    }
}

/// All of a creator's links, as a place where clicks are counted.
pub(crate) fn page(handle: &str) -> u128 {
    digest(&["page", handle])
}

/// One link, as a place where clicks are counted.
pub(crate) fn link(handle: &str, link_id: &str) -> u128 {
    digest(&["link", handle, link_id])
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
        let mut store = IdempotencyStore::new(100);
        assert_eq!(store.count(&click("e1", "l1")), Fate::Counted);
        assert_eq!(store.count(&click("e1", "l1")), Fate::Repeated);
        assert_eq!(store.count(&click("e1", "l2")), Fate::Altered);
        assert_eq!(store.counted(), 1);
    }

    #[test]
    fn the_same_instant_in_another_spelling_is_the_same_click() {
        let mut store = IdempotencyStore::new(100);
        let at = |at: &str| Click { occurred_at: at.into(), ..click("e1", "l1") };
        assert_eq!(store.count(&at("2026-01-01T00:00:01.120Z")), Fate::Counted);
        assert_eq!(store.count(&at("2026-01-01T02:00:01.12+02:00")), Fate::Repeated);
        assert_eq!(store.count(&at("2026-01-01T02:00:01.12Z")), Fate::Altered);
    }

    #[test]
    fn a_key_stands_for_one_click() {
        let mut store = IdempotencyStore::new(100);
        assert_eq!(store.earlier("k", &click("e1", "l1")), Earlier::New);
        store.accept("k", &click("e1", "l1"));
        assert_eq!(store.earlier("k", &click("e1", "l1")), Earlier::Same);
        assert_eq!(store.earlier("k", &click("e2", "l1")), Earlier::Other);
        assert_eq!(store.earlier("k", &click("e1", "l2")), Earlier::Other);
    }

    #[test]
    fn clicks_are_tallied_once_on_their_own_day_for_page_and_link() {
        let mut store = IdempotencyStore::new(100);
        let on = |event, link, at: &str| Click { occurred_at: at.into(), ..click(event, link) };
        for (event, link, at) in [
            ("e1", "l1", "1970-01-02T00:00:00Z"),
            ("e1", "l1", "1970-01-02T00:00:00Z"),
            ("e2", "l2", "1970-01-02T23:59:59.999Z"),
            ("e3", "l1", "1970-01-03T01:00:00+02:00"),
            ("e4", "l1", "1970-01-03T00:00:00Z"),
            ("e5", "l1", "yesterday"),
        ] {
            store.count(&on(event, link, at));
        }
        let days = |place| [0, 1, 2, 3].map(|day| store.clicks(place, day));
        assert_eq!(days(link("a-0001", "l1")), [0, 2, 1, 0]);
        assert_eq!(days(link("a-0001", "l2")), [0, 1, 0, 0]);
        assert_eq!(days(page("a-0001")), [0, 3, 1, 0]);
        assert_eq!(days(page("a-0002")), [0; 4]);
        assert_eq!(store.counted(), 5, "a click without a day counts, too");
    }

    /// Memory is bounded: what came first is forgotten, and only that.
    #[test]
    fn the_oldest_events_and_keys_are_forgotten_beyond_the_bound() {
        let mut store = IdempotencyStore::new(3);
        for n in 0..5 {
            let click = click(&format!("e{n}"), "l1");
            assert_eq!(store.count(&click), Fate::Counted);
            store.accept(&format!("k{n}"), &click);
        }
        assert_eq!(store.earlier("k1", &click("e1", "l1")), Earlier::New);
        assert_eq!(store.earlier("k2", &click("e2", "l1")), Earlier::Same);
        assert_eq!(store.count(&click("e2", "l1")), Fate::Repeated);
        assert_eq!(store.counted(), 5);
        assert_eq!(store.count(&click("e1", "l1")), Fate::Counted, "nobody remembers it");
        store.reset();
        assert_eq!((store.counted(), store.count(&click("e4", "l1"))), (0, Fate::Counted));
    }
}
