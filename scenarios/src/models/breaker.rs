//! Simulated clients behind breakers, sound and broken, under concurrent load and mixed failures.
//!
//! Each client is a visitor after whom another comes: a page is read with two calls, and each call is
//! tried again after a wait. What they do depends on nothing but the random numbers, so that every
//! fashion of breaker meets the same visitors.

pub mod circuit;
mod opens;
mod recovers;

use super::Chaos;
use crate::guarantees::evidence::circuit::Class;
use crate::history::{Change, Operation};
use crate::plan::{BreakerCounting, BreakerScope, PhaseKind};
use crate::testing::{History, given_up, links, page, read, refused};
use circuit::{Breaker, Fashion, SOUND};
use mock_server::clock::Moment;
use mock_server::history::exchange::{End, Exchange};
use mock_server::world::population::{Group, Population};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// When it is fine, out and fine again, in milliseconds. Nobody comes between `fine` and `out`.
#[derive(Clone, Copy, Debug)]
struct Weather {
    fine: u64,
    out: u64,
    heal: u64,
    end: u64,
}

/// A service, and who comes to it.
#[derive(Clone, Copy, Debug)]
struct Service {
    clients: u64,
    /// Between two visitors at least; at most twice that.
    pause_ms: u64,
    breaker: Fashion,
    counting: BreakerCounting,
    scope: BreakerScope,
    attempts: u32,
    instances: usize,
    /// What is reset is sent again at once, on another connection, without a word.
    repeats: bool,
    /// So many of a hundred attempts pass by the breaker: no sound client.
    leaks: u32,
    /// So many of a hundred answers in the outage are a 429.
    unclear: u32,
    /// So many of a hundred attempts fail where all is fine.
    flaky: u32,
    /// About every 35 s.
    chaos: Chaos,
    weather: Weather,
}

const USUAL: Service = Service {
    clients: 1,
    pause_ms: 250,
    breaker: SOUND,
    counting: BreakerCounting::Attempt,
    scope: BreakerScope::Host,
    attempts: 5,
    instances: 1,
    repeats: false,
    leaks: 0,
    unclear: 5,
    flaky: 5,
    chaos: Chaos::Nothing,
    weather: Weather { fine: 20_000, out: 20_000, heal: 130_000, end: 140_000 },
};

/// What a client does next: a visitor comes, an attempt is sent, or a result is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Comes,
    Sends,
    Hears { exchange: usize, sent: u64 },
}

/// The call that a client is at.
#[derive(Clone, Debug, Default)]
struct Call {
    page: u64,
    /// Whether it is the second one, for the links.
    links: bool,
    instance: usize,
    /// Attempts sent.
    sent: u32,
    /// When the first one was permitted.
    permitted: u64,
}

struct Storm<'r> {
    service: Service,
    random: &'r mut ChaCha8Rng,
    breakers: Vec<[Breaker; 2]>,
    calls: Vec<Call>,
    agenda: BinaryHeap<Reverse<(u64, u64, Step)>>,
    /// Exchanges, and what is known of each.
    seen: Vec<(Exchange, Class)>,
    visits: Vec<Operation<'static>>,
    pages: u64,
}

impl Storm<'_> {
    fn breakers(service: &Service) -> Vec<[Breaker; 2]> {
        let both = || [Breaker::new(service.breaker), Breaker::new(service.breaker)];
        (0..service.instances).map(|_| both()).collect()
    }

    fn breaker(&mut self, client: u64) -> &mut Breaker {
        let call = &self.calls[client as usize];
        let own = match self.service.scope {
            BreakerScope::Host => 0,
            BreakerScope::Route => usize::from(call.links),
        };
        &mut self.breakers[call.instance][own]
    }

    fn then(&mut self, at: u64, client: u64, step: Step) {
        self.agenda.push(Reverse((at, client, step)));
    }

    fn next_visitor(&mut self, now: u64, client: u64) {
        let pause = self.service.pause_ms;
        let at = now + self.random.random_range(pause..pause * 2);
        self.then(at, client, Step::Comes);
    }

    fn comes(&mut self, now: u64, client: u64) {
        let Weather { fine, out, .. } = self.service.weather;
        if (fine..out).contains(&now) {
            return self.then(out + client, client, Step::Comes);
        }
        self.pages += 1;
        let (page_number, instance) =
            (self.pages, self.random.random_range(0..self.service.instances));
        self.calls[client as usize] = Call { page: page_number, instance, ..Call::default() };
        // Of a crowd one in so many is enough to show that there is demand.
        if self.service.clients < 8 || self.pages.is_multiple_of(8) {
            let handle = Cow::Owned(handle(page_number));
            self.visits.push(Operation { handle, ..page("-", now, now + 10, "-") });
        }
        self.sends(now, client);
    }

    fn sends(&mut self, now: u64, client: u64) {
        let leaks = self.random.random_range(0..100) < self.service.leaks;
        let begun = self.calls[client as usize].sent > 0;
        let asks = match self.service.counting {
            BreakerCounting::Attempt => true,
            BreakerCounting::Call => !begun,
        };
        if asks && !self.breaker(client).permits(now) && !leaks {
            return self.next_visitor(now, client);
        }
        let call = &mut self.calls[client as usize];
        call.sent += 1;
        if asks {
            call.permitted = now;
        }
        let call = call.clone();
        let (exchange, class, mut known) = self.answered(now, &call);
        let resent = self.service.repeats && exchange.end == End::ServerReset;
        self.seen.push((exchange, class));
        if resent {
            let at = known + self.random.random_range(0..60);
            let (again, class, later) = self.answered(at, &call);
            self.seen.push((again, class));
            known = later;
        }
        let exchange = self.seen.len() - 1;
        self.then(known, client, Step::Hears { exchange, sent: now });
    }

    /// What becomes of an attempt that is sent now, and when the client knows.
    fn answered(&mut self, now: u64, call: &Call) -> (Exchange, Class, u64) {
        let arrived = now + self.random.random_range(0..20);
        let Weather { out, heal, .. } = self.service.weather;
        let (is_out, chance) =
            ((out..heal).contains(&arrived), self.random.random_range(0..100_u32));
        let handle = handle(call.page);
        let unclear = self.service.unclear;
        let odd = if unclear > 0 { 2 } else { 0 };
        let (exchange, class, known) = match (is_out, chance) {
            (true, chance) if chance < unclear => {
                (refused(&handle, arrived, 429), Class::Unclear, arrived + 5)
            }
            // A request may arrive so late that its timeout seems too short; a repetition would be none then.
            (true, chance) if chance < unclear + odd / 2 && !self.service.repeats => {
                let late = now + self.random.random_range(100..200);
                (given_up(&handle, late, now + 10_015), Class::Failure, now + 10_000)
            }
            // Nobody waits for it any more.
            (true, chance) if chance < unclear + odd => {
                let until = arrived + self.random.random_range(20..5_000);
                (given_up(&handle, arrived, until), Class::Dropped, until)
            }
            (true, chance) if chance < unclear + odd + 5 => {
                (given_up(&handle, arrived, now + 10_015), Class::Failure, now + 10_000)
            }
            (true, chance) if chance < unclear + odd + 10 => {
                let given_up = given_up(&handle, arrived, arrived + 5);
                let reset = Exchange { end: End::ServerReset, ..given_up };
                (reset, Class::Failure, arrived + 5)
            }
            (false, chance) if chance >= self.service.flaky => {
                (read(&handle, arrived), Class::Success, arrived + 5)
            }
            (true | false, _) => (refused(&handle, arrived, 503), Class::Failure, arrived + 5),
        };
        let conn = self.seen.len() as u64;
        let exchange = Exchange { conn, ..exchange };
        let known = known + self.random.random_range(0..20);
        let exchange = match call.links {
            true => {
                let Exchange { route, target, .. } = links(&handle, 0);
                Exchange { route, target, ..exchange }
            }
            false => exchange,
        };
        (exchange, class, known)
    }

    fn hears(&mut self, now: u64, client: u64, exchange: usize, sent: u64) {
        let (class, timeout) =
            (self.seen[exchange].1, self.seen[exchange].0.end == End::ClientAbort);
        let call = self.calls[client as usize].clone();
        let over = class == Class::Success || call.sent >= self.service.attempts;
        match self.service.counting {
            BreakerCounting::Attempt => self.breaker(client).hear(now, sent, class, timeout),
            BreakerCounting::Call if over => {
                self.breaker(client).hear(now, call.permitted, class, timeout);
            }
            BreakerCounting::Call => {}
        }
        if class == Class::Success && !call.links {
            let next = &mut self.calls[client as usize];
            (next.links, next.sent) = (true, 0);
            self.then(now + 1, client, Step::Sends);
        } else if over {
            self.next_visitor(now, client);
        } else {
            let wait = self.random.random_range(0..=1_000_u64 << (call.sent - 1));
            self.then(now + wait, client, Step::Sends);
        }
    }
}

fn handle(page: u64) -> String {
    format!("page-{page:04}")
}

/// A seeded history of a service.
fn simulated(random: &mut ChaCha8Rng, service: Service) -> History {
    let Weather { out, heal, end, .. } = service.weather;
    let mut disturb = |n: u64| {
        let from = n * 35_000 + random.random_range(0..20_000);
        (from, from + random.random_range(100..3_000))
    };
    let mut disturbed: Vec<(u64, u64)> = (0..6).map(&mut disturb).collect();
    disturbed.retain(|_| service.chaos != Chaos::Nothing);
    let mut died = 0;
    let mut storm = Storm {
        service,
        breakers: Storm::breakers(&service),
        random,
        calls: vec![Call::default(); service.clients as usize],
        agenda: (0..service.clients)
            .map(|client| Reverse((500 + client, client, Step::Comes)))
            .collect(),
        seen: Vec::new(),
        visits: Vec::new(),
        pages: 0,
    };
    while let Some(Reverse((now, client, step))) = storm.agenda.pop() {
        let (from, until) =
            disturbed.iter().rev().find(|span| span.0 <= now).copied().unwrap_or_default();
        if service.chaos == Chaos::Kills && died != from {
            (storm.breakers, died) = (Storm::breakers(&service), from);
        }
        if now < until {
            let step = if service.chaos == Chaos::Pauses { step } else { Step::Comes };
            let awake = until + storm.random.random_range(0..20);
            storm.then(awake, client, step);
            continue;
        }
        match step {
            Step::Hears { exchange, sent } if sent >= died => {
                storm.hears(now, client, exchange, sent);
            }
            _ if now > end => {}
            Step::Sends if storm.calls[client as usize].permitted >= died => {
                storm.sends(now, client);
            }
            Step::Comes | Step::Sends | Step::Hears { .. } => storm.comes(now, client),
        }
    }
    let Storm { mut seen, visits, .. } = storm;
    let second = |ms: u64| ms / 1_000;
    // Where visitors come one after the other, both sides of the threshold are looked at.
    let kind = if service.clients == 1 { PhaseKind::BreakerProbe } else { PhaseKind::Outage };
    let spans = [(PhaseKind::Control, 0, out), (kind, out, heal), (PhaseKind::Heal, heal, end)];
    let phases: Vec<_> = spans
        .into_iter()
        .filter(|(_, from, until)| from < until)
        .map(|(kind, from, until)| (kind, second(from), second(until)))
        .collect();
    let mut history = History::over(&phases).process(0, Change::Started { pid: 1 });
    for (from, until) in disturbed {
        if service.chaos == Chaos::Pauses {
            history = history.paused(from, until);
            continue;
        }
        let ms = Moment::from_ms;
        for (one, _) in &mut seen {
            if one.t_req < ms(from) && one.t_known() > ms(from) {
                let cut = given_up("-", one.t_req.0 / 1_000_000, from);
                let Exchange { t_first, t_w, t_end, end, status, version, .. } = cut;
                *one = Exchange { t_first, t_w, t_end, end, status, version, ..one.clone() };
            }
        }
        history = history.killed_until(from, until);
    }
    // What fails is mixed, so that no rule says how.
    history.case.plan.faults.clear();
    let group = Group { prefix: "page".into(), count: 9_999, ..Group::default() };
    history.case.plan.population = Population { groups: vec![group] };
    history.case.plan.generator.users = service.clients as u32;
    history.exchanges(seen.into_iter().map(|(exchange, _)| exchange)).operations(visits)
}

/// The same as the service declares itself, truthfully.
fn declared(random: &mut ChaCha8Rng, service: Service) -> History {
    use crate::plan::WindowKind::{Sliding, Tumbling};
    use circuit::Trips;
    let (window, kind) = match service.breaker.trips {
        Trips::InARow => (None, Sliding),
        Trips::Within(window) | Trips::Ratio { within: window, .. } => (Some(window), Sliding),
        Trips::Tumbling(window) => (Some(window), Tumbling),
    };
    simulated(random, service).declaring(|declared| {
        declared.instances = service.instances as u32;
        declared.breaker_failures = SOUND.threshold as u32;
        declared.breaker_counting = service.counting;
        declared.breaker_scope = service.scope;
        declared.breaker_window_ms = window;
        declared.breaker_window_kind = kind;
        declared.breaker_open_factor_milli = service.breaker.growth.max(100) as u32 * 10;
        declared.breaker_open_cap_ms = service.breaker.cap_ms;
        declared.half_open_probes = SOUND.probes as u32;
        declared.max_attempts = service.attempts;
    })
}
