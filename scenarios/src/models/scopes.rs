//! Simulated services whose key can only read for a while: some with few features, some with jobs of their
//! own, and those who ask for too much, for too little, or take a refusal for the end of everything.

use super::{Tally, judged};
use crate::front_door::FrontRoute;
use crate::history::{Click, Did, Operation};
use crate::plan::PhaseKind::{Control, Heal, Settle, Storm};
use crate::testing::{
    FRONT, History, click, denied, figures, granted, launched, links, look, page, read, registers,
    sent_click, wrote,
};
use mock_server::contract::Route;
use mock_server::history::exchange::Exchange;
use mock_server::world::population::{Group, Population};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::HashMap;
use std::sync::LazyLock;

/// While the key can only read.
const NARROW: std::ops::Range<u64> = 90_000..210_000;
/// When nobody comes any more.
const END: u64 = 240_000;
const CREATORS: u32 = 90;

/// What a service does, and declares.
#[derive(Clone, Copy, Debug)]
struct Service {
    clicks: bool,
    analytics: bool,
    webhooks: bool,
    campaigns: bool,
    /// Its webhook is registered by hand, and it tries so often to do it itself.
    refused_registrations: u64,
    /// It writes every creator's first link so often, of its own accord.
    job_every: Option<u64>,
    /// It waits so long after a refused click.
    rests: u64,
    flaw: Flaw,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    /// Figures are not asked for, and their scope is declared.
    DeclaresTooMuch,
    /// Figures are asked for, and their scope is not declared.
    DeclaresTooLittle,
    /// No page is read for a while after a click was refused.
    StopsWhenRefused,
    /// A page that is read has a link written.
    PatchesWhenRead,
    /// A page that is read is sent as a click.
    SendsReadsAsClicks,
    /// Registers itself again and again without the scope for it.
    KeepsRegistering,
    /// Campaigns are taken and not carried out.
    KeepsCampaigns,
    /// Campaigns are carried out without the scope for it.
    ForgetsCampaigns,
}

const SOUND: Service = Service {
    clicks: true,
    analytics: true,
    webhooks: true,
    campaigns: true,
    refused_registrations: 0,
    job_every: None,
    rests: 4_000,
    flaw: Flaw::None,
};

impl Service {
    fn declares(self) -> Vec<String> {
        let carries_out = self.campaigns && self.flaw != Flaw::ForgetsCampaigns;
        let writes = carries_out || self.job_every.is_some() || self.flaw == Flaw::PatchesWhenRead;
        let by_hand = self.refused_registrations > 0 || self.flaw == Flaw::KeepsRegistering;
        let all = [
            ("profile:read", true),
            ("links:read", true),
            ("clicks:write", self.clicks),
            ("analytics:read", self.analytics && self.flaw != Flaw::DeclaresTooLittle),
            ("webhooks:write", self.webhooks && !by_hand),
            ("links:write", writes),
        ];
        all.iter().filter(|(_, declared)| *declared).map(|(scope, _)| (*scope).to_owned()).collect()
    }

    fn without(self) -> Vec<FrontRoute> {
        let all = [
            (FrontRoute::Clicks, self.clicks),
            (FrontRoute::Analytics, self.analytics),
            (FrontRoute::Webhooks, self.webhooks),
            (FrontRoute::Campaigns, self.campaigns),
        ];
        all.iter().filter(|(_, offered)| !offered).map(|(route, _)| *route).collect()
    }
}

/// The `n`th creator, from 0.
fn handle(n: usize) -> &'static str {
    static HANDLES: LazyLock<Vec<String>> = LazyLock::new(|| population().handles());
    &HANDLES[n]
}

fn population() -> Population {
    let group = Group {
        prefix: "ann".into(),
        count: CREATORS,
        min_links: 1,
        max_links: 2,
        ..Group::default()
    };
    Population { groups: vec![group] }
}

/// The id of each creator's first link.
fn first_links() -> &'static HashMap<String, String> {
    static IDS: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
        let creators = population().handles().into_iter();
        let first = |handle: String| {
            let id = population().creator(1, &handle)?.links.first()?.id.clone();
            Some((handle, id))
        };
        creators.filter_map(first).collect()
    });
    &IDS
}

fn patch(handle: &str, at: u64) -> Exchange {
    let patch = Exchange {
        method: "PATCH".into(),
        target: format!("/v1/links/{}", first_links()[handle]),
        route: Route::Link,
        handle: None,
        ..read(handle, at)
    };
    if NARROW.contains(&at) { denied(patch) } else { patch }
}

fn simulated(random: &mut ChaCha8Rng, service: Service) -> History {
    let phases = [(Control, 0, 90), (Storm, 90, 210), (Heal, 210, 240), (Settle, 240, 400)];
    let scopes = service.declares();
    let again: Vec<&str> = scopes.iter().map(String::as_str).collect();
    let mut history = History::over(&phases)
        .happened(granted(NARROW.start, &["profile:read", "links:read"]))
        .happened(granted(NARROW.end, &again))
        .standing(500)
        .declaring(|of| of.scopes = Some(scopes.clone()));
    if let Some(front) = &mut history.case.target.front {
        front.without = service.without();
    }
    history.case.plan.population = population();
    let url = format!("{FRONT}/webhooks/linktree");
    let mut calls = Vec::new();
    if scopes.iter().any(|scope| scope == "webhooks:write") {
        calls.push(registers(&url, 600, 201));
    }
    let tries =
        if service.flaw == Flaw::KeepsRegistering { 4 } else { service.refused_registrations };
    calls.extend((0..tries).map(|n| denied(registers(&url, 600 + n * 15_000, 403))));
    if let Some(every) = service.job_every {
        let begins = random.random_range(0..every);
        for at in (begins..END).step_by(usize::try_from(every).unwrap_or(usize::MAX)) {
            calls.extend((0..CREATORS as usize).map(|n| patch(handle(n), at + n as u64 * 20)));
        }
    }
    if service.campaigns {
        // It may take its time, or look for what came once in a while; what is refused waits.
        let words = [("l1", "p1"), ("l2", "p2")];
        let taken = random.random_range(NARROW.start - 60_000..NARROW.start);
        history = history.operation(launched(&words, taken, taken + 5));
        let at = taken + random.random_range(10..50_000);
        let refused = service.flaw == Flaw::ForgetsCampaigns || NARROW.contains(&at);
        let call = wrote(&words, at, 200);
        match service.flaw {
            Flaw::KeepsCampaigns => {}
            _ if refused => calls.push(denied(call)),
            _ => calls.push(call),
        }
        if service.flaw == Flaw::None && refused {
            calls.push(wrote(&words, NARROW.end + 2_000, 200));
        }
    }
    let (mut now, mut fresh, mut waiting, mut not_before) = (1_000, 6, Vec::<String>::new(), 0);
    while now < END {
        now += random.random_range(400..2_500);
        let is_first = random.random_range(0..3) == 0 && fresh < CREATORS as usize;
        let n = if is_first { fresh } else { random.random_range(0..6) };
        fresh += usize::from(is_first);
        let is_barred = service.flaw == Flaw::StopsWhenRefused && now < not_before;
        let took = random.random_range(20..400);
        if is_first && !is_barred {
            calls.extend([read(handle(n), now + 3), links(handle(n), now + 12)]);
            if service.flaw == Flaw::PatchesWhenRead {
                calls.push(patch(handle(n), now + 20));
            }
            if service.flaw == Flaw::SendsReadsAsClicks && !NARROW.contains(&now) {
                calls.push(sent_click(&format!("view-{now}"), now + 20, 202));
            }
        }
        let status = if is_first && is_barred { 503 } else { 200 };
        let view = page(handle(n), now, now + took, "v0");
        history = history.operation(Operation { status: Some(status), ..view });
        if service.clicks && random.random_range(0..2) == 0 {
            let id = format!("c{now}");
            let did = Did::Click(Click { event_id: id.clone().into(), payload: "p".into() });
            let clicked = click("-", now + took, now + took + 5);
            history = history.operation(Operation { did, ..clicked });
            waiting.push(id);
        }
        if NARROW.contains(&(now + 50)) {
            if let Some(first) = waiting.first().filter(|_| now >= not_before) {
                calls.push(denied(sent_click(first, now + 50, 403)));
                not_before = now + random.random_range(service.rests / 2..=service.rests);
            }
        } else {
            calls.extend(waiting.drain(..).map(|id| sent_click(&id, now + 50, 202)));
        }
        if service.analytics && random.random_range(0..20) == 0 && !NARROW.contains(&now) {
            history = history.operation(look("ann-0001", now, now + 2_100, 200));
            let asked = figures("ann-0001", now + 5);
            match service.flaw {
                Flaw::DeclaresTooMuch => {}
                Flaw::DeclaresTooLittle => calls.push(denied(asked)),
                _ => calls.push(asked),
            }
        }
    }
    history.exchanges(calls)
}

fn outcome(service: Service) -> Tally {
    judged("least-scope", move |random| simulated(random, service))
}

#[test]
fn services_that_use_what_they_declare_are_never_blamed() {
    for service in [
        SOUND,
        Service { clicks: false, ..SOUND },
        Service { analytics: false, webhooks: false, campaigns: false, ..SOUND },
        Service { refused_registrations: 1, ..SOUND },
        Service { job_every: Some(60_000), ..SOUND },
        Service { job_every: Some(60_000), campaigns: false, ..SOUND },
        Service { job_every: Some(5_000), ..SOUND },
        Service { rests: 100, ..SOUND },
        Service { rests: 30_000, ..SOUND },
    ] {
        outcome(service).is_never_blamed(&format!("{service:?}"), 90);
    }
}

#[test]
fn services_that_ask_for_too_much_or_too_little_or_stop_at_a_refusal_are_caught() {
    for (flaw, percent) in [
        (Flaw::DeclaresTooMuch, 95),
        (Flaw::DeclaresTooLittle, 95),
        (Flaw::StopsWhenRefused, 95),
        (Flaw::PatchesWhenRead, 95),
        (Flaw::SendsReadsAsClicks, 95),
        (Flaw::KeepsRegistering, 100),
        (Flaw::KeepsCampaigns, 100),
        (Flaw::ForgetsCampaigns, 100),
    ] {
        outcome(Service { flaw, ..SOUND }).is_caught(&format!("{flaw:?}"), percent);
    }
}
