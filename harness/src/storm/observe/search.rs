//! Searches everything that the integration prints, answers and shows for what was planted.
//!
//! A find is recorded with what stands around it, and without itself. Of many finds of one kind from
//! one source the first few are recorded; all are counted.

use super::canaries::{Canaries, Find};
use super::torn::Torn;
use crate::storm::recorder::Recorder;
use mock_server::clock::Clock;
use mock_server::redact::{Begun, Piece};
use scenarios::history::{BodyHash, Event, Operation};
use scenarios::observed::{Canary, Leak, Place, Scanned};
use scenarios::traffic::Answer;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Finds of one kind from one source that are recorded, and finds in all.
const KEPT: u32 = 10;
const KEPT_IN_ALL: u64 = 2_000;
/// Bodies that are remembered as searched.
const BODIES_KEPT: usize = 65_536;
/// Bytes of text before and after a find that are recorded.
const AROUND: usize = 80;

/// Where a find was made: the source, of which there are few, and the spot in it.
pub struct Spot(pub String, pub String);

/// The search through one scenario.
pub struct Search {
    canaries: Arc<Canaries>,
    recorder: Recorder,
    clock: Clock,
    log_lines: AtomicU64,
    lines_since_visits: AtomicU64,
    marked_lines: AtomicU64,
    answers: AtomicU64,
    scrapes: AtomicU64,
    source_files: AtomicU64,
    leaks: AtomicU64,
    /// Hashes of bodies that were searched: visitors are shown the same page again and again.
    bodies: Mutex<HashSet<BodyHash>>,
    kept: Mutex<HashMap<(Place, Canary, String), u32>>,
    unseen: Mutex<Vec<(Place, String)>>,
}

impl Search {
    /// Nothing has been searched yet.
    #[must_use]
    pub fn new(canaries: Arc<Canaries>, recorder: &Recorder, clock: Clock) -> Self {
        let zero = AtomicU64::default;
        Self {
            canaries,
            recorder: recorder.clone(),
            clock,
            log_lines: zero(),
            lines_since_visits: zero(),
            marked_lines: zero(),
            answers: zero(),
            scrapes: zero(),
            source_files: zero(),
            leaks: zero(),
            bodies: Mutex::default(),
            kept: Mutex::default(),
            unseen: Mutex::default(),
        }
    }

    /// A line of a log, or several that stay together; gives it without anything planted, and without
    /// what began in it of a secret, whether or not the rest comes.
    pub fn log_line<'t>(
        &self,
        line: &'t str,
        torn: &mut Torn,
        spot: impl FnOnce() -> Spot,
    ) -> Cow<'t, str> {
        let lines = super::pieces::lines(line.as_bytes());
        self.log_lines.fetch_add(lines, Ordering::Relaxed);
        if self.answers.load(Ordering::Relaxed) > 0 {
            self.lines_since_visits.fetch_add(lines, Ordering::Relaxed);
        }
        if self.canaries.is_marked(line.as_bytes()) {
            count(&self.marked_lines);
        }
        let (found, begun) = self.canaries.find_and_begun(line.as_bytes());
        let first =
            |one: &Begun<_>| Piece { label: one.label, range: one.range.clone(), is_first: true };
        let mut pieces: Vec<_> = begun.iter().map(first).collect();
        let ended = torn.line(line.as_bytes(), begun);
        pieces.extend(ended.iter().map(|one| one.piece.clone()));
        if found.is_empty() && pieces.is_empty() {
            return Cow::Borrowed(line);
        }
        let clean = self.canaries.redacted_with(line, &pieces);
        let spot = spot();
        let mut finds: Vec<_> = found.into_iter().map(|find| (find, None)).collect();
        for one in ended {
            let find = self.canaries.named(one.piece.label);
            // Where it also stands whole that is the find.
            if finds.iter().all(|known| known.0 != find) {
                finds.push((find, one.excerpt));
            }
        }
        for (Find { canary, whose }, first) in finds {
            let here = || around(&clean, canary.mark());
            let excerpt = || first.map_or_else(here, |first| format!("{first} {}", here()));
            self.found(Place::Log, canary, whose, &spot, excerpt);
        }
        torn.describe(|label| around(&clean, label.canary.mark()));
        clean
    }

    /// An answer of the front door. Visitors may well see their own address.
    pub fn answer(&self, operation: &Operation<'_>, answer: &Answer) {
        count(&self.answers);
        let body = if self.is_new(answer.hash) { &answer.body[..] } else { &[] };
        for (part, bytes) in [("head", &answer.head()[..]), ("body", body)] {
            let route = operation.did.action().info().noun;
            let status = operation.status.unwrap_or_default();
            let source = || format!("{part} of a {status} to a {route}");
            self.look(Place::Answer, bytes, || Spot(source(), operation.handle.to_string()));
        }
    }

    /// Whether a body was not searched before; it is remembered.
    fn is_new(&self, body: BodyHash) -> bool {
        let mut bodies = self.bodies.lock().unwrap_or_else(PoisonError::into_inner);
        if bodies.len() >= BODIES_KEPT {
            bodies.clear();
        }
        bodies.insert(body)
    }

    /// The answer to a scrape.
    pub fn metrics(&self, text: &[u8]) {
        count(&self.scrapes);
        self.look(Place::Metrics, text, || Spot("GET of the metrics".into(), String::new()));
    }

    /// What was pushed by a channel of metrics.
    pub fn pushed(&self, bytes: &[u8], channel: &str) {
        count(&self.scrapes);
        let source = || format!("metrics pushed by {channel}");
        self.look(Place::Metrics, bytes, || Spot(source(), String::new()));
    }

    /// A file of the source tree.
    pub fn source_file(&self, bytes: &[u8], name: &str) {
        count(&self.source_files);
        self.look(Place::Source, bytes, || Spot(name.to_owned(), String::new()));
    }

    /// Searches these bytes; whether anything was found.
    pub fn look(&self, place: Place, bytes: &[u8], spot: impl FnOnce() -> Spot) -> bool {
        let mut found = self.canaries.find(bytes);
        found.retain(|find| place != Place::Answer || find.canary != Canary::VisitorAddress);
        if found.is_empty() {
            return false;
        }
        let spot = spot();
        let text = String::from_utf8_lossy(bytes);
        let clean = self.canaries.redacted(&text);
        for Find { canary, whose } in found {
            self.found(place, canary, whose, &spot, || around(&clean, canary.mark()));
        }
        true
    }

    /// Something was found.
    pub fn found(
        &self,
        place: Place,
        canary: Canary,
        whose: Option<String>,
        Spot(source, spot): &Spot,
        excerpt: impl FnOnce() -> String,
    ) {
        count(&self.leaks);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let in_all: u64 = kept.values().copied().map(u64::from).sum();
        let kept = kept.entry((place, canary, source.clone())).or_default();
        if *kept < KEPT && in_all < KEPT_IN_ALL {
            *kept += 1;
            let (at, source, spot) = (self.clock.now(), source.clone(), spot.clone());
            let excerpt = excerpt();
            let leak = Leak { at, place, source, spot, canary, whose, excerpt };
            self.recorder.record(Event::Leak(leak));
        }
    }

    /// Something that should have been searched could not be.
    pub fn unseen(&self, place: Place, what: String) {
        let mut unseen = self.unseen.lock().unwrap_or_else(PoisonError::into_inner);
        if !unseen.iter().any(|known| known.1 == what) {
            unseen.push((place, what));
        }
    }

    /// How many finds there were.
    #[cfg(test)]
    pub fn leaks(&self) -> u64 {
        self.leaks.load(Ordering::Relaxed)
    }

    /// The text without anything planted.
    #[must_use]
    pub fn redacted<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.canaries.redacted(text)
    }

    /// The first place from `at` on where these bytes can be cut without cutting anything planted in two.
    #[must_use]
    pub fn cut(&self, bytes: &[u8], at: usize) -> usize {
        self.canaries.cut(bytes, at)
    }

    /// Records how much was searched; the last thing to do.
    pub fn finish(&self, captures_log: bool) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let unseen = self.unseen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.recorder.record(Event::Scanned(Scanned {
            at: self.clock.now(),
            captures_log,
            log_lines: read(&self.log_lines),
            lines_since_visits: read(&self.lines_since_visits),
            marked_lines: read(&self.marked_lines),
            answers: read(&self.answers),
            scrapes: read(&self.scrapes),
            source_files: read(&self.source_files),
            leaks: read(&self.leaks),
            unseen,
        }));
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// What stands around the first `mark`, in one line.
fn around(text: &str, mark: &str) -> String {
    let at = text.find(mark).unwrap_or(0);
    let mut from = at.saturating_sub(AROUND);
    let mut until = (at + mark.len() + AROUND).min(text.len());
    while !text.is_char_boundary(from) {
        from -= 1;
    }
    while !text.is_char_boundary(until) {
        until += 1;
    }
    let dots = |cut: bool| if cut { "…" } else { "" };
    let middle = text[from..until].replace(char::is_control, " ");
    format!("{}{middle}{}", dots(from > 0), dots(until < text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_one_short_line_around_the_mark() {
        assert_eq!(around("to [email]\n", "[email]"), "to [email] ");
        let long = format!("{}é[key]é{}", "a".repeat(200), "b".repeat(200));
        let excerpt = around(&long, "[key]");
        assert!(excerpt.starts_with('…') && excerpt.ends_with('…'), "{excerpt}");
        assert!(excerpt.contains("é[key]é") && excerpt.len() < 200, "{excerpt}");
        assert_eq!(around("", "[key]"), "");
    }
}
