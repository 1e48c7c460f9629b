//! Webhooks and their registrations written by hand.

use super::{History, read};
use crate::case::Front;
use crate::history::Change;
use mock_server::clock::Moment;
use mock_server::contract::Route;
use mock_server::faults::{
    Duplicate, Fault, FaultMark, Forge, Future, Matcher, Pick, Poison, Reformat, Rotate, Rule,
    Stale, Window,
};
use mock_server::history::exchange::{Exchange, RegistrationReceipt};
use mock_server::history::record::{Delivery, Reachability};
use mock_server::webhooks::{Forgery, Indigestible, SignatureList, WebhookEvent};

/// Where integrations written by hand are.
pub const FRONT: &str = "http://127.0.0.1:8080";

/// A genuine delivery about a click at `at_ms`, answered 5 ms later; by nobody with 0.
pub fn delivery(id: &str, handle: &str, at_ms: u64, status: u16) -> Delivery {
    Delivery {
        id: id.into(),
        webhook: "wh_1".into(),
        webhook_event: WebhookEvent::LinkClicked,
        handle: handle.into(),
        attempt: 1,
        url: format!("{FRONT}/webhooks/linktree"),
        body_sha256: "00".into(),
        authentic: true,
        t_sent: Moment::from_ms(at_ms),
        t_end: Moment::from_ms(at_ms + 5),
        status: (status > 0).then_some(status),
        failure: (status == 0).then(|| "failed to connect".into()),
        faults: Vec::new(),
        poison: None,
    }
}

/// The same about a page.
pub fn page_changed(id: &str, handle: &str, at_ms: u64, status: u16) -> Delivery {
    let webhook_event = WebhookEvent::ProfileUpdated;
    Delivery { webhook_event, ..delivery(id, handle, at_ms, status) }
}

/// The same, shaped by a rule of [`webhook_rules`]; whether it is authentic follows from the rule.
pub fn shaped_by(rule: &str, mut delivery: Delivery) -> Delivery {
    let known = webhook_rules().into_iter().find(|known| known.id == rule).expect("a rule");
    delivery.authentic = match &known.fault {
        Fault::Forge(_) => false,
        Fault::Stale(stale) => stale.age_s <= 300,
        Fault::Future(future) => future.ahead_s <= 300,
        _ => true,
    };
    delivery.faults.push(FaultMark {
        rule: rule.into(),
        kind: known.fault.kind(),
        key: format!("{} {}", delivery.webhook_event, delivery.handle),
        nth: 0,
    });
    delivery
}

/// A rule for each way to shape a webhook: forgeries by their names, `old`, `new`, `old-near`, `new-near`,
/// the lists, `reformat`, `twice`, and those of [`poison_rules`].
pub fn webhook_rules() -> Vec<Rule> {
    let every_attempt = true;
    let mut all: Vec<Rule> = Forgery::ALL
        .map(|how| named(&forgery(how), Fault::Forge(Forge { how, every_attempt })))
        .into();
    for (suffix, seconds) in [("", 320), ("-near", 280), ("-close", 305)] {
        let stale = Fault::Stale(Stale { age_s: seconds, every_attempt });
        all.push(named(&format!("old{suffix}"), stale));
        let future = Fault::Future(Future { ahead_s: seconds, every_attempt });
        all.push(named(&format!("new{suffix}"), future));
    }
    let lists = [
        ("stranger-first", SignatureList::StrangerFirst),
        ("stranger-last", SignatureList::StrangerLast),
        ("unknown-versions", SignatureList::UnknownVersions),
    ];
    all.extend(lists.map(|(id, list)| named(id, Fault::Rotate(Rotate { list }))));
    all.push(named("reformat", Fault::Reformat(Reformat {})));
    all.push(named("twice", Fault::Duplicate(Duplicate { copies: 2, gap_ms: 600 })));
    all.extend(poison_rules());
    all
}

/// `not-json`, `no-data`, and `long`, which is no JSON.
pub fn poison_rules() -> Vec<Rule> {
    let poison = |how, bytes| Fault::Poison(Poison { how, bytes });
    vec![
        named("not-json", poison(Indigestible::NotJson, 0)),
        named("no-data", poison(Indigestible::NoData, 0)),
        named("long", poison(Indigestible::NotJson, 9_000)),
    ]
}

/// The name of a forgery's rule.
pub fn forgery(how: Forgery) -> String {
    serde_json::to_value(how).unwrap().as_str().unwrap().to_owned()
}

fn named(id: &str, fault: Fault) -> Rule {
    let window = Window { from_ms: 0, until_ms: u64::MAX };
    Rule { id: id.into(), window, matcher: Matcher::default(), pick: Pick::All, fault }
}

/// The id of the registration of this address.
pub fn webhook_id(url: &str) -> String {
    format!("wh_{}", url.replace('/', "_"))
}

/// A call that registers this address for clicks, answered with this status.
pub fn registers(url: &str, at_ms: u64, status: u16) -> Exchange {
    let made = RegistrationReceipt {
        id: webhook_id(url),
        url: url.into(),
        events: vec![WebhookEvent::LinkClicked],
    };
    Exchange {
        method: "POST".into(),
        registration: (200..300).contains(&status).then(|| Box::new(made)),
        status: Some(status),
        ..lists_webhooks(at_ms)
    }
}

/// A call that asks for what is registered.
pub fn lists_webhooks(at_ms: u64) -> Exchange {
    Exchange {
        target: "/v1/webhooks".into(),
        route: Route::Webhooks,
        handle: None,
        version: None,
        ..read("-", at_ms)
    }
}

impl History {
    /// The target stands, takes webhooks at the usual path, and is ready at this moment.
    pub fn standing(mut self, ready_ms: u64) -> Self {
        let webhooks = Some("/webhooks/linktree".into());
        self.case.target.front = Some(Front { url: FRONT.into(), webhooks, without: Vec::new() });
        self.process(ready_ms.saturating_sub(100), Change::Started { pid: 1 })
            .process(ready_ms, Change::Ready)
    }

    /// A registered address was looked at.
    pub fn looked_at(mut self, url: &str, at_ms: u64, status: u16) -> Self {
        self.case.linktree.looks.push(Reachability {
            at: Moment::from_ms(at_ms),
            webhook: webhook_id(url),
            url: url.into(),
            status: (status > 0).then_some(status),
            failure: (status == 0).then(|| "failed to connect".into()),
        });
        self
    }

    /// These webhooks were sent.
    pub fn sent(mut self, deliveries: impl IntoIterator<Item = Delivery>) -> Self {
        self.case.linktree.deliveries.extend(deliveries);
        self
    }
}
