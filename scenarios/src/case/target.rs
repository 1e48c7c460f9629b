//! What was seen of the target: its processes, metrics, what it showed visitors, and what came to
//! light. Its answers one by one are the operations.

use crate::front_door::FrontRoute;
use crate::history::{Body, BodyCount, BodyHash, Change, Process};
use crate::observed::{Held, Inspection, Kept, Leak, Scanned, Scrape};
use crate::spans::Spans;
use mock_server::clock::Moment;
use mock_server::history::record::Alert;
use reqwest::Url;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// Where the integration is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Front {
    /// Its address, as it is told: `http://host:port`.
    pub url: String,
    /// The path at which it takes webhooks; none where it takes none.
    pub webhooks: Option<String>,
    /// Routes that it does not have.
    pub without: Vec<FrontRoute>,
}

impl Front {
    /// Whether this is where it takes webhooks, however this machine is named.
    #[must_use]
    pub fn takes_webhooks_at(&self, url: &str) -> bool {
        let path = self.webhooks.as_deref().unwrap_or_default();
        let Ok(own) = Url::parse(&format!("{}{path}", self.url)) else { return false };
        let is_same = |url: &Url| {
            let differs = [url.path() != own.path(), url.query() != own.query()];
            url.scheme() == own.scheme() && !differs.contains(&true)
        };
        self.webhooks.is_some()
            && self.is_here(url)
            && Url::parse(url).is_ok_and(|url| is_same(&url))
    }

    /// Whether this has its host and port.
    #[must_use]
    pub fn is_here(&self, url: &str) -> bool {
        let [Ok(own), Ok(url)] = [&self.url, url].map(Url::parse) else { return false };
        let is_loopback = |host: &str| {
            host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        };
        let host =
            |url: &Url| url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let (here, there) = (host(&own), host(&url));
        let same = here == there || is_loopback(&here) && is_loopback(&there);
        same && own.port_or_known_default() == url.port_or_known_default()
    }
}

/// The integration as a process.
#[derive(Clone, Debug, Default)]
pub struct TargetSide {
    /// Where it is, once it stands.
    pub front: Option<Front>,
    /// What happened to its processes.
    pub processes: Vec<Process>,
    /// Looks into its processes.
    pub inspections: Vec<Inspection>,
    /// What they held, in order of time.
    pub held: Vec<Held>,
    /// Scrapes of the metrics, in order of their ends.
    pub scrapes: Vec<Scrape>,
    /// What was found of webhooks that nobody could process, in order of the looks.
    pub kept: Vec<Kept>,
    /// Alerts that were sent about it, by itself or by whoever watches it, in order of arrival.
    pub alerts: Vec<Alert>,
    /// What came to light of what was planted.
    pub leaks: Vec<Leak>,
    /// How much was searched for it, if the recording came so far.
    pub scanned: Option<Scanned>,
    /// How many bodies were recorded, if the recording came so far.
    pub body_count: Option<BodyCount>,
    bodies: HashMap<BodyHash, Body>,
    deaths: Vec<Moment>,
    /// Deaths and starts.
    restarts: Vec<Moment>,
    down: Vec<(Moment, Moment)>,
    pauses: Vec<(Moment, Moment)>,
    /// Down, paused, or beside something that outlived a kill.
    disturbed: Spans,
}

impl TargetSide {
    pub(super) fn showed(&mut self, body: Body) {
        self.bodies.insert(body.hash, body);
    }

    /// A body that visitors were shown; none where it was left out.
    #[must_use]
    pub fn body(&self, hash: BodyHash) -> Option<&Body> {
        self.bodies.get(&hash)
    }

    /// Puts everything in order of time, and computes when the target was gone or stood still.
    pub(super) fn ready(&mut self) {
        self.processes.sort_by_key(|process| process.at);
        self.scrapes.sort_by_key(|scrape| scrape.last);
        self.kept.sort_by_key(|kept| kept.at);
        self.alerts.sort_by_key(|alert| alert.at);
        self.leaks.sort_by_key(|leak| leak.at);
        self.deaths = self.moments(Change::is_end);
        self.restarts =
            self.moments(|change| change.is_end() || matches!(change, Change::Started { .. }));
        let leaves =
            |change: &Change| change.is_end() || matches!(change, Change::Terminated { .. });
        self.down = self.spans(leaves, |change| *change == Change::Ready);
        let pauses = |change: &Change| matches!(change, Change::Paused { .. });
        self.pauses = self.spans(pauses, |change| *change == Change::Resumed || change.is_end());
        // Whoever could not be ended goes on beside those who are started after it.
        let haunted = self.spans(|change| change.survivors().is_some(), |_| false);
        let disturbed = self.down.iter().chain(&self.pauses).chain(&haunted).copied().collect();
        self.disturbed = Spans::joined(disturbed, Duration::ZERO);
    }

    fn moments(&self, of: impl Fn(&Change) -> bool) -> Vec<Moment> {
        let of = self.processes.iter().filter(|process| of(&process.change));
        of.map(|process| process.at).collect()
    }

    fn spans(
        &self,
        begins: impl Fn(&Change) -> bool,
        ends: impl Fn(&Change) -> bool,
    ) -> Vec<(Moment, Moment)> {
        let end = |from: usize| {
            let end = self.processes[from..].iter().find(|process| ends(&process.change));
            end.map_or(Moment(u64::MAX), |process| process.at)
        };
        let all = self.processes.iter().enumerate();
        all.filter(|(_, process)| begins(&process.change))
            .map(|(index, process)| (process.at, end(index)))
            .collect()
    }

    /// When the process ended, however that came.
    pub fn deaths(&self) -> impl Iterator<Item = Moment> {
        self.deaths.iter().copied()
    }

    /// Why the end at this moment was none, in words: something of the target went on, or nobody
    /// looked. None when nothing was left of it. Of a promise that builds on the end nothing is shown
    /// then.
    #[must_use]
    pub fn outlived(&self, end: Moment) -> Option<String> {
        let mut nobody = Some("nobody looked whether anything of it was left".to_owned());
        for change in self.after(end) {
            match change {
                Change::Gone { .. } => nobody = None,
                survived @ Change::Survived { .. } => return survived.survivors(),
                _ => {}
            }
        }
        nobody
    }

    /// Each end that something of the target outlived, what went on, and whether it was the end of
    /// all, after which nothing is judged.
    pub fn outlived_ends(&self) -> impl Iterator<Item = (Moment, String, bool)> {
        self.processes.iter().filter(|process| process.change.is_end()).filter_map(|end| {
            let why = self.after(end.at).find_map(Change::survivors)?;
            Some((end.at, why, end.change == Change::Stopped))
        })
    }

    /// What happened from an end to the next start.
    fn after(&self, end: Moment) -> impl Iterator<Item = &Change> {
        let after = self.processes.iter().skip_while(move |process| process.at < end);
        let changes = after.map(|process| &process.change);
        changes.take_while(|change| !matches!(change, Change::Started { .. }))
    }

    /// From each death, or from being asked to end, to the next readiness, or for ever.
    #[must_use]
    pub fn down_spans(&self) -> &[(Moment, Moment)] {
        &self.down
    }

    /// From each pause to its end, or to a death, or for ever; in order of time.
    #[must_use]
    pub fn pauses(&self) -> &[(Moment, Moment)] {
        &self.pauses
    }

    /// Whether no process ended between these moments, so that what was in memory still is.
    #[must_use]
    pub fn lived_through(&self, from: Moment, until: Moment) -> bool {
        !any_within(&self.deaths, from, until)
    }

    /// Whether the process ended or began in this span: what it kept in memory is gone.
    #[must_use]
    pub fn restarted_within(&self, from: Moment, until: Moment) -> bool {
        any_within(&self.restarts, from, until)
    }

    /// Whether the target was down, ending, starting or paused at any moment of this span, or ran
    /// beside what a kill had left of it: nothing that it did or left undone then is its own decision.
    #[must_use]
    pub fn disturbed_within(&self, from: Moment, until: Moment) -> bool {
        self.disturbed.touch(from, until)
    }

    /// Whether the target stood still at any moment of this span.
    #[must_use]
    pub fn paused_within(&self, from: Moment, until: Moment) -> bool {
        self.pauses.iter().any(|pause| pause.0 <= until && from <= pause.1)
    }

    /// When the target must have heard of what happened at `at`, if it needs at most `within` while
    /// it runs: a pause in between leaves it as much time again.
    #[must_use]
    pub fn heard_by(&self, at: Moment, within: Duration) -> Moment {
        let later = |by: Moment, pause: &(Moment, Moment)| {
            if pause.0 <= by && at <= pause.1 { pause.1.plus(within) } else { by }
        };
        self.pauses.iter().fold(at.plus(within), later)
    }
}

/// Whether any of these ascending moments lies in the span, its ends included.
fn any_within(moments: &[Moment], from: Moment, until: Moment) -> bool {
    let next = moments.partition_point(|at| *at < from);
    moments.get(next).is_some_and(|at| *at <= until)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Seen;

    const MS: fn(u64) -> Moment = Moment::from_ms;

    /// A kill at 10 ms, ready again at 20 ms, and a pause from 40 to 50 ms.
    fn target() -> TargetSide {
        let changes = [
            (50, Change::Resumed),
            (10, Change::Killed { rule: "kill".into() }),
            (15, Change::Started { pid: 2 }),
            (20, Change::Ready),
            (40, Change::Paused { rule: "pause".into() }),
        ];
        let processes = changes.map(|(at, change)| Process { at: MS(at), change }).into();
        let mut target = TargetSide { processes, ..TargetSide::default() };
        target.ready();
        target
    }

    #[test]
    fn an_address_is_the_same_however_this_machine_is_named() {
        let front = |url: &str| Front {
            url: url.into(),
            webhooks: Some("/hooks".into()),
            without: Vec::new(),
        };
        let check = |url: &str, expected: (bool, bool)| {
            let front = front("http://127.0.0.1:8080");
            assert_eq!((front.is_here(url), front.takes_webhooks_at(url)), expected, "{url}");
        };
        check("http://127.0.0.1:8080/hooks", (true, true));
        check("http://localhost:8080/hooks", (true, true));
        check("http://[::1]:8080/hooks", (true, true));
        check("http://127.0.0.1:8080/hooks/2", (true, false));
        check("http://127.0.0.1:8080/hooks?x", (true, false));
        check("https://127.0.0.1:8080/hooks", (true, false));
        check("http://127.0.0.1:8081/hooks", (false, false));
        check("http://192.0.2.1:8080/hooks", (false, false));
        check("hooks", (false, false));
        assert!(front("http://shop:80").takes_webhooks_at("http://shop/hooks"));
    }

    #[test]
    fn a_target_is_disturbed_while_it_is_down_or_paused() {
        let target = target();
        let check = |from, until, expected: [bool; 4]| {
            let (from, until) = (MS(from), MS(until));
            let seen = [
                target.lived_through(from, until),
                target.restarted_within(from, until),
                target.disturbed_within(from, until),
                target.paused_within(from, until),
            ];
            assert_eq!(seen, expected, "{from:?} to {until:?}");
        };
        check(0, 9, [true, false, false, false]);
        check(0, 10, [false, true, true, false]);
        check(11, 14, [true, false, true, false]);
        check(15, 15, [true, true, true, false]);
        check(21, 39, [true, false, false, false]);
        check(45, 60, [true, false, true, true]);
    }

    #[test]
    fn an_end_is_one_when_nothing_was_left_before_the_next_start() {
        let survived = Change::Survived { left: vec![], accepts: true, listeners: vec![] };
        let gone = Change::Gone { strays: vec![Seen { pid: 7, command: "node".into() }] };
        let check = |seen: &[Change], outlived: Option<&str>, disturbed_later: bool| {
            let killed = (10, Change::Killed { rule: "kill".into() });
            let started =
                [(30, Change::Started { pid: 2 }), (40, Change::Ready), (90, gone.clone())];
            let looks = seen.iter().map(|change| (20, change.clone()));
            let changes = [killed].into_iter().chain(looks).chain(started);
            let processes = changes.map(|(at, change)| Process { at: MS(at), change }).collect();
            let mut target = TargetSide { processes, ..TargetSide::default() };
            target.ready();
            let why = target.outlived(MS(10));
            assert_eq!(why.is_some(), outlived.is_some(), "{why:?}");
            assert!(why.unwrap_or_default().contains(outlived.unwrap_or_default()));
            assert_eq!(target.disturbed_within(MS(60), MS(70)), disturbed_later);
        };
        check(std::slice::from_ref(&gone), None, false);
        check(&[], Some("nobody looked"), false);
        check(std::slice::from_ref(&survived), Some("accepted connections"), true);
        check(&[gone.clone(), survived], Some("accepted connections"), true);
    }

    #[test]
    fn a_pause_leaves_as_much_time_again_to_hear() {
        let within = Duration::from_millis(5);
        assert_eq!(target().heard_by(MS(30), within), MS(35));
        assert_eq!(target().heard_by(MS(36), within), MS(55));
    }
}
