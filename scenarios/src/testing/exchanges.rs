//! Upstream exchanges written by hand.

use mock_server::clock::Moment;
use mock_server::contract::{Route, SecretsManager};
use mock_server::faults::{FaultKind, FaultMark};
use mock_server::history::exchange::{
    ClickReceipt, Denied, End, Exchange, KeyPlace, LinkReceipt, RetryAfter, RetryAfterForm,
};
use mock_server::history::record::{Happened, SecretRead};
use mock_server::keyring::{Rotated, Rotation};
use mock_server::services::vault::VAULT_PATH;
use mock_server::world::WorldEvent;
use std::time::Duration;

/// A good profile read of `handle`, whole request at `at_ms`, answered 5 ms later with 200.
pub fn read(handle: &str, at_ms: u64) -> Exchange {
    Exchange {
        id: 0,
        conn: 1,
        conn_seq: 0,
        method: "GET".into(),
        target: format!("/v1/profiles/{handle}"),
        route: Route::Profile,
        handle: Some(handle.into()),
        host: Some("127.0.0.1:1".into()),
        token: "live".into(),
        key_id: None,
        key_places: vec![KeyPlace::BearerHeader],
        secret_places: vec![],
        accept: Some("application/json".into()),
        content_type: None,
        idempotency_key: None,
        body_bytes: 0,
        clicks: Vec::new(),
        listed: None,
        links: Vec::new(),
        registration: None,
        t_conn: Moment::from_ms(at_ms),
        t_head: Moment::from_ms(at_ms),
        t_req: Moment::from_ms(at_ms),
        t_first: Some(Moment::from_ms(at_ms + 5)),
        t_w: Some(Moment::from_ms(at_ms + 5)),
        t_end: Moment::from_ms(at_ms + 5),
        end: End::Complete,
        status: Some(200),
        retry_after: None,
        version: Some(format!("v0-{handle}")),
        nonce: Some(format!("n-{handle}-{at_ms}")),
        faults: Vec::new(),
        doubtful: false,
        over_limit: false,
        denied: None,
    }
}

/// The same read, refused with `status`.
pub fn refused(handle: &str, at_ms: u64, status: u16) -> Exchange {
    Exchange { status: Some(status), version: None, nonce: None, ..read(handle, at_ms) }
}

/// The same read, refused with `status` and `Retry-After` as seconds.
pub fn asked_to_wait(handle: &str, at_ms: u64, status: u16, seconds: u64) -> Exchange {
    let refused = refused(handle, at_ms, status);
    let until = refused.t_known().plus(Duration::from_secs(seconds));
    let retry_after = RetryAfter {
        value: seconds.to_string(),
        form: RetryAfterForm::Seconds,
        until: Some(until),
    };
    Exchange { retry_after: Some(retry_after), ..refused }
}

/// A read that the client gave up at `until_ms`.
pub fn given_up(handle: &str, at_ms: u64, until_ms: u64) -> Exchange {
    Exchange {
        status: None,
        version: None,
        nonce: None,
        t_first: None,
        t_w: None,
        t_end: Moment::from_ms(until_ms),
        end: End::ClientAbort,
        ..read(handle, at_ms)
    }
}

/// A connection that a fault of this kind broke off, or refusals from `from_ms` to `until_ms`.
pub fn broken_off(kind: &str, from_ms: u64, until_ms: u64) -> Exchange {
    let nothing = Exchange {
        method: String::new(),
        target: String::new(),
        route: Route::Unknown,
        handle: None,
        host: None,
        token: "absent".into(),
        key_places: Vec::new(),
        accept: None,
        end: End::ServerReset,
        ..given_up("-", from_ms, until_ms)
    };
    hit_by(kind, nothing)
}

/// The same exchange, hit by a fault of this kind, by a rule `rule-KIND`.
pub fn hit_by(kind: &str, mut exchange: Exchange) -> Exchange {
    exchange.faults.push(FaultMark {
        rule: format!("rule-{kind}"),
        kind: kind.parse().expect("a fault of this kind"),
        key: exchange.target.clone(),
        nth: 0,
    });
    exchange
}

/// A good read of the first links page of `handle`.
pub fn links(handle: &str, at_ms: u64) -> Exchange {
    Exchange {
        target: format!("/v1/profiles/{handle}/links?limit=100"),
        route: Route::ProfileLinks,
        ..read(handle, at_ms)
    }
}

/// A click sent singly at `at_ms`; a 202 has the effect. The event id is also the key.
pub fn sent_click(event_id: &str, at_ms: u64, status: u16) -> Exchange {
    let receipt = ClickReceipt {
        event_id: event_id.into(),
        payload: "p".into(),
        status,
        effect: status == 202,
    };
    Exchange {
        method: "POST".into(),
        target: "/v1/clicks".into(),
        route: Route::Clicks,
        handle: None,
        content_type: Some("application/json".into()),
        idempotency_key: Some(event_id.into()),
        body_bytes: 90,
        clicks: vec![receipt],
        status: Some(status),
        version: None,
        nonce: None,
        ..read("-", at_ms)
    }
}

/// A batch of writes, of each link its id and what it shall say, answered with 200; each link has this
/// status of its own.
pub fn wrote(links: &[(&str, &str)], at_ms: u64, status: u16) -> Exchange {
    let receipt = |(id, payload): &(&str, &str)| LinkReceipt {
        id: (*id).into(),
        payload: (*payload).into(),
        status,
        effect: status == 200,
    };
    Exchange {
        method: "POST".into(),
        target: "/v1/links/batch".into(),
        route: Route::LinksBatch,
        handle: None,
        content_type: Some("application/json".into()),
        body_bytes: 90,
        links: links.iter().map(receipt).collect(),
        version: None,
        nonce: None,
        ..read("-", at_ms)
    }
}

/// Clicks sent in one batch; with 202 the batch is answered 200 and each click has its effect.
pub fn sent_batch(event_ids: &[&str], at_ms: u64, status: u16) -> Exchange {
    let receipt = |id: &&str| sent_click(id, at_ms, status).clicks.remove(0);
    Exchange {
        target: "/v1/clicks/batch".into(),
        route: Route::ClicksBatch,
        idempotency_key: None,
        clicks: event_ids.iter().map(receipt).collect(),
        status: Some(if status == 202 { 200 } else { status }),
        ..sent_click("-", at_ms, status)
    }
}

/// What a service sends on an ordinary day: reads of pages and deliveries of clicks, thirty calls.
pub fn ordinary_calls() -> Vec<Exchange> {
    let call = |n: u64| match n % 3 {
        0 => read("ann", n * 100),
        1 => links("ann", n * 100),
        _ => sent_click(&format!("day-{n}"), n * 100, 202),
    };
    (0..30).map(call).collect()
}

/// A good query for the figures of `handle`.
pub fn figures(handle: &str, at_ms: u64) -> Exchange {
    Exchange {
        target: format!("/v1/analytics/{handle}?from=2026-01-01&to=2026-01-28"),
        route: Route::Analytics,
        version: None,
        ..read(handle, at_ms)
    }
}

/// The `nth` rotation, from 1: `key-N` takes the place of the one before, which is good for `overlap_ms`
/// yet. The first key was made 91 days before.
pub fn rotated(nth: u64, at_ms: u64, overlap_ms: u64) -> Happened {
    let (at, new_id) = (Moment::from_ms(at_ms), format!("key-{nth}"));
    let rotation = Rotation {
        what: Rotated::ApiKey,
        old_id: format!("key-{}", nth - 1),
        new_id: new_id.clone(),
        version: nth + 1,
        valid_until: Moment::from_ms(at_ms + overlap_ms),
        old_age_ms: Some(FIRST_KEY_AGE_MS),
    };
    let what = WorldEvent::RotateKey { overlap_ms };
    Happened { at, planned_ms: Some(at_ms), what, made: Some(new_id), rotation: Some(rotation) }
}

/// From this moment on the platform's keys are good for these scopes only.
pub fn granted(at_ms: u64, scopes: &[&str]) -> Happened {
    let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
    Happened {
        at: Moment::from_ms(at_ms),
        planned_ms: Some(at_ms),
        what: WorldEvent::GrantScopes { scopes },
        made: None,
        rotation: None,
    }
}

/// The same exchange, refused since the key lacks the scope that its route asks for.
pub fn denied(exchange: Exchange) -> Exchange {
    let clicks = exchange.clicks.into_iter();
    let clicks = clicks.map(|one| ClickReceipt { status: 403, effect: false, ..one }).collect();
    let denied = Some(Denied::Scope);
    Exchange { status: Some(403), denied, version: None, nonce: None, clicks, ..exchange }
}

/// 91 days.
pub const FIRST_KEY_AGE_MS: u64 = 91 * 86_400_000;

/// The same exchange with the `nth` key, from 0, of which the record says what it was then.
pub fn with_key(nth: u64, label: &str, exchange: Exchange) -> Exchange {
    Exchange { key_id: Some(format!("key-{nth}")), token: label.to_owned(), ..exchange }
}

/// The vault was asked for the integration's secret; other statuses than 200 are a fault's.
pub fn secret_read(at_ms: u64, status: u16) -> SecretRead {
    let path = VAULT_PATH.to_owned();
    let mark = FaultMark {
        rule: "sealed".into(),
        kind: FaultKind::VaultStatus,
        key: path.clone(),
        nth: 0,
    };
    SecretRead {
        manager: SecretsManager::Vault,
        at: Moment::from_ms(at_ms),
        method: "GET".into(),
        path,
        namespace: None,
        token: "run".into(),
        status,
        version: (status == 200).then_some(1),
        faults: Vec::from_iter((status != 200).then_some(mark)),
    }
}
