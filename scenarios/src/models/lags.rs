//! Simulated lags of clicks, exposed and alerted on in several fashions, through an outage and a told wait.

use super::notifier::Notifier;
use super::{Tally, judged};
use crate::history::{Click, Did, Operation};
use crate::observed::Figures;
use crate::plan::PhaseKind::{Control, Heal, Outage, Settle};
use crate::plan::{AlertKind, AlertName};
use crate::testing::{History, click, scrape, sent_batch};
use mock_server::history::exchange::{End, Exchange};
use mock_server::history::record::Alert;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::time::Duration;

/// All of this is counted in milliseconds.
const OUT: std::ops::Range<u64> = 100_000..230_000;
/// Clicks that come here are told to wait.
const ASKED: std::ops::Range<u64> = 310_000..320_000;
const END: u64 = 440_000;
const BOUND: u64 = 60_000;

/// What the gauge shows.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shows {
    OldestThatWaits,
    LastDelivered,
    MeanOfTheLastFive,
    GreatestOfFiveMinutes,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    Zero,
    SinceTheLastAttempt,
    Milliseconds,
    Minutes,
    NeverFires,
    AtHalf,
    /// The alert follows what was delivered, which is silent in an outage.
    AlertOnDelivered,
}

#[derive(Clone, Copy, Debug)]
struct Service {
    shows: Shows,
    /// How old the gauge may be.
    refresh: u64,
    whole_seconds: bool,
    /// How often the alert's condition is looked at, and for how long it must hold.
    every: u64,
    lasts: u64,
    tells_ends: bool,
    killed: bool,
    flaw: Flaw,
}

const PUSHES: Service = Service {
    shows: Shows::OldestThatWaits,
    refresh: 1,
    whole_seconds: false,
    every: 5_000,
    lasts: 0,
    tells_ends: true,
    killed: false,
    flaw: Flaw::None,
};
const RULES: Service = Service { every: 1_000, tells_ends: false, whole_seconds: true, ..PUSHES };

/// When clicks are acknowledged and when it is heard that they arrived, and when others were tried in vain.
struct Course {
    clicks: Vec<(u64, u64)>,
    tried: Vec<u64>,
    gone: (u64, u64),
    calls: Vec<Exchange>,
}

fn course(random: &mut ChaCha8Rng, service: Service) -> Course {
    let back = OUT.end + random.random_range(0..30_000);
    let asked_until = ASKED.start + 40_000 + random.random_range(0..3_000);
    let gone = random.random_range(265_000..290_000);
    let gone = (gone, gone + random.random_range(500..3_000));
    let (mut clicks, mut now) = (Vec::new(), 5_000);
    while now < ASKED.end {
        now += random.random_range(300..1_500);
        let takes = random.random_range(20..300);
        // Nobody clicks just before Linktree is back, and while the service is gone.
        let rests = (OUT.end - 30_000..300_000).contains(&now);
        match now {
            _ if rests => {}
            now if OUT.contains(&now) => clicks.push((now, back + random.random_range(0..900))),
            now if ASKED.contains(&now) => clicks.push((now, asked_until + takes)),
            now if now < OUT.start - 1_000 => clicks.push((now, now + takes)),
            _ => {}
        }
    }
    clicks.sort_unstable_by_key(|one| one.1);
    let mut tried: Vec<u64> = (OUT.start + 2_000..back).step_by(29_000).collect();
    let named = |n: usize| format!("c{n}");
    let mut calls: Vec<Exchange> = Vec::new();
    for at in &tried {
        let waiting = (0..).zip(&clicks).filter(|(_, one)| one.0 < *at && *at < one.1);
        let ids: Vec<String> = waiting.take(20).map(|(n, _)| named(n)).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        if ids.is_empty() {
            continue;
        }
        // Counted, and the receipt is lost.
        let lost = random.random_range(0..3) == 0;
        let call = sent_batch(&ids, *at, if lost { 202 } else { 503 });
        calls.push(match lost {
            true => {
                Exchange { status: None, t_w: None, t_first: None, end: End::ServerReset, ..call }
            }
            false => Exchange { status: Some(503), ..call },
        });
    }
    for (n, one) in clicks.iter().enumerate() {
        calls.push(sent_batch(&[&named(n)], one.1 - 5, 202));
        tried.push(one.1);
    }
    tried.sort_unstable();
    let gone = if service.killed { gone } else { (0, 0) };
    Course { clicks, tried, gone, calls }
}

impl Course {
    /// The age of the oldest click that waits.
    fn oldest(&self, at: u64) -> u64 {
        let waiting = self.clicks.iter().filter(|one| one.0 <= at && at < one.1);
        waiting.map(|one| at - one.0).max().unwrap_or(0)
    }

    /// The lags of those that were delivered since the process began, the last one last.
    fn delivered(&self, at: u64) -> Vec<(u64, u64)> {
        let born = if at >= self.gone.0 { self.gone.1 } else { 0 };
        let over = self.clicks.iter().filter(|one| one.1 <= at && one.1 > born);
        over.map(|one| (one.1, one.1 - one.0)).collect()
    }

    fn lag(&self, at: u64, service: Service) -> u64 {
        let delivered = || self.delivered(at);
        let shown = match service.shows {
            Shows::OldestThatWaits => self.oldest(at),
            Shows::LastDelivered => delivered().last().map_or(0, |one| one.1),
            Shows::MeanOfTheLastFive => {
                let all = delivered();
                let last = &all[all.len().saturating_sub(5)..];
                last.iter().map(|one| one.1).sum::<u64>() / (last.len() as u64).max(1)
            }
            Shows::GreatestOfFiveMinutes => {
                let lately = delivered().into_iter().filter(|one| one.0 + 300_000 > at);
                lately.map(|one| one.1).max().unwrap_or(0)
            }
        };
        match service.flaw {
            Flaw::Zero => 0,
            Flaw::SinceTheLastAttempt => {
                let tried = self.tried.iter().rfind(|tried| **tried <= at);
                shown.min(tried.map_or(u64::MAX, |tried| at - tried))
            }
            _ => shown,
        }
    }

    fn gauge(&self, at: u64, service: Service) -> f64 {
        let ms = self.lag(at / service.refresh * service.refresh, service);
        let ms = if service.whole_seconds { ms / 1_000 * 1_000 } else { ms };
        let seconds = Duration::from_millis(ms).as_secs_f64();
        match service.flaw {
            Flaw::Milliseconds => seconds * 1e3,
            Flaw::Minutes => seconds / 60.0,
            _ => seconds,
        }
    }

    fn alerts(&self, random: &mut ChaCha8Rng, service: Service) -> Vec<Alert> {
        let bound = if service.flaw == Flaw::AtHalf { BOUND / 2 } else { BOUND };
        let holds = |at: u64| {
            let lag = match service.flaw {
                Flaw::AlertOnDelivered => self.delivered(at).last().map_or(0, |one| one.1),
                Flaw::SinceTheLastAttempt => self.lag(at, service),
                _ => self.oldest(at),
            };
            Some(lag > bound)
        };
        let end = if service.flaw == Flaw::NeverFires { 0 } else { END };
        let Service { every, lasts, tells_ends, .. } = service;
        Notifier { name: "Lag", every, lasts, tells_ends }.alerts(random, end, holds)
    }
}

fn simulated(random: &mut ChaCha8Rng, service: Service) -> History {
    let course = course(random, service);
    let alerts = course.alerts(random, service);
    let s = |ms: u64| ms / 1_000;
    let phases = [
        (Control, 0, s(OUT.start)),
        (Outage, s(OUT.start), s(OUT.end)),
        (Heal, s(OUT.end), s(ASKED.start)),
        (Settle, s(ASKED.start), s(END)),
    ];
    let mut history = History::over(&phases).declaring(|one| one.alert_for_ms = service.lasts);
    for (n, (acked, _)) in course.clicks.iter().enumerate() {
        let (event_id, payload) = (format!("c{n}").into(), "p".into());
        let did = Did::Click(Click { event_id, payload });
        let visit = Operation { did, ..click("-", acked.saturating_sub(5), *acked) };
        history = history.operation(visit);
    }
    let offset = random.random_range(0..1_000);
    for at in (1_000 + offset..END).step_by(1_000) {
        if !(course.gone.0..course.gone.1).contains(&at) {
            let click_lag = Some(course.gauge(at, service));
            history = history.scrape(scrape(at, Figures { click_lag, ..Figures::default() }));
        }
    }
    history = alerts.into_iter().fold(history, History::alert).exchanges(course.calls);
    history.case.plan.guarantees = vec!["click-lag".into()];
    history.case.alert_names.insert(AlertKind::ClickLag, AlertName::plain("Lag"));
    match service.killed {
        true => history.killed_until(course.gone.0, course.gone.1),
        false => history,
    }
}

fn outcome(service: Service) -> Tally {
    judged("click-lag", |random| simulated(random, service))
}

#[test]
fn lags_of_any_lawful_kind_are_never_blamed() {
    for shows in [
        Shows::OldestThatWaits,
        Shows::LastDelivered,
        Shows::MeanOfTheLastFive,
        Shows::GreatestOfFiveMinutes,
    ] {
        for service in [
            PUSHES,
            RULES,
            Service { refresh: 5_000, ..PUSHES },
            Service { every: 15_000, whole_seconds: true, ..PUSHES },
            Service { lasts: 30_000, ..RULES },
            Service { killed: true, ..PUSHES },
        ] {
            let service = Service { shows, ..service };
            outcome(service).is_never_blamed(&format!("{service:?}"), 95);
        }
    }
}

#[test]
fn lags_that_are_none_and_alerts_that_sleep_or_cry_wolf_are_caught() {
    for service in [PUSHES, RULES] {
        for flaw in [
            Flaw::Zero,
            Flaw::SinceTheLastAttempt,
            Flaw::Milliseconds,
            Flaw::Minutes,
            Flaw::NeverFires,
            Flaw::AtHalf,
            Flaw::AlertOnDelivered,
        ] {
            let service = Service { flaw, ..service };
            outcome(service).is_caught(&format!("{service:?}"), 95);
        }
    }
    let delivered = Service { shows: Shows::LastDelivered, ..PUSHES };
    outcome(Service { flaw: Flaw::AlertOnDelivered, ..delivered }).is_caught("delivered", 95);
    outcome(Service { flaw: Flaw::Milliseconds, ..delivered }).is_caught("milliseconds", 95);
}
