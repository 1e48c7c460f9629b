//! Simulated registrations of webhooks, until they are made, and such as are not.

use crate::models::judged;
use crate::testing::{FRONT, History, asked_to_wait, lists_webhooks, refused, registers};
use mock_server::clock::Moment;
use mock_server::history::exchange::Exchange;
use mock_server::webhooks::WebhookEvent;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// How a service registers.
#[derive(Clone, Copy, PartialEq)]
enum Registers {
    /// It asks first where `true`.
    UntilDone(bool),
    Once,
    Never,
    Elsewhere,
    /// For changes of pages alone.
    WithoutClicks,
    /// It is registered, and nobody listens there.
    Unheard,
    /// Beside the address of yesterday, which stays and does not answer any more.
    BesideYesterdays,
}

/// Two starts, each with failures, refusals of others and told waits, and a client that backs off and
/// stops for its breaker.
fn registering(random: &mut ChaCha8Rng, how: Registers) -> History {
    let own = format!("{FRONT}/webhooks/linktree");
    let mut history = History::over(&[]);
    let restart = random.random_range(200_000..300_000);
    let ready = [random.random_range(1_000..4_000), restart + random.random_range(500..3_000)];
    history = history.standing(ready[0]).terminated(restart, restart + 100, ready[1]);
    if random.random_range(0..2) == 0 && how != Registers::BesideYesterdays {
        history.case.linktree.forgotten = vec![Moment::from_ms(restart + 200)];
    }
    let mut is_registered = false;
    for (start, ready) in ready.into_iter().enumerate() {
        is_registered &= history.case.linktree.forgotten.is_empty();
        let url = if how == Registers::Elsewhere && start == 1 {
            format!("{own}-2")
        } else {
            own.clone()
        };
        let mut failures = random.random_range(if start == 1 { 1..6 } else { 0..3 });
        let (mut now, mut retry) = (ready + random.random_range(0..400), 0u32);
        let asks = how == Registers::UntilDone(true);
        if how == Registers::Never {
            continue;
        }
        // With five failures in a row the breaker opens.
        let mut row = 0;
        loop {
            let fails = failures > 0;
            failures -= u32::from(fails);
            if fails {
                let told = random.random_range(0..4) == 0;
                let (status, wait) =
                    if told { (429, random.random_range(1..20)) } else { (503, 0) };
                let failed = asked_to_wait("-", now, status, wait);
                let retry_after = failed.retry_after.filter(|_| told);
                history =
                    history.exchange(Exchange { retry_after, ..registers(&url, now, status) });
                row += 1;
                if how == Registers::Once {
                    break;
                }
                now += 10 + wait * 1_000 + random.random_range(10..1_000 * 2u64.pow(retry.min(4)));
                now += if row == 5 { 30_000 } else { 0 };
                retry += 1;
                continue;
            }
            if asks {
                history = history.exchange(lists_webhooks(now));
                now += 20;
            }
            if !asks || !is_registered {
                let mut made = registers(&url, now, if is_registered { 200 } else { 201 });
                if let Some(receipt) =
                    made.registration.as_mut().filter(|_| how == Registers::WithoutClicks)
                {
                    receipt.events = vec![WebhookEvent::ProfileUpdated];
                }
                let hears = url == own && how != Registers::Unheard;
                history = history.exchange(made);
                history = history.looked_at(&url, now + 10, if hears { 405 } else { 404 });
            }
            if how == Registers::BesideYesterdays && start == 0 {
                let old = format!("{own}-0");
                history = history.exchange(registers(&old, now + 20, 201));
                history = history.looked_at(&old, restart + 190_000, 404);
            }
            is_registered = true;
            break;
        }
    }
    // A page fails now and then as well.
    for _ in 0..random.random_range(0..4) {
        history = history.exchange(refused("ann", random.random_range(1_000..400_000), 503));
    }
    history.case.harness.closed = Moment::from_ms(restart + 200_000);
    history.looked_at(&own, restart + 190_000, if how == Registers::Unheard { 404 } else { 405 })
}

#[test]
fn who_registers_until_it_is_done_is_never_blamed_and_who_does_not_is_caught() {
    let of = |how| judged("webhook-registered", move |random| registering(random, how));
    of(Registers::UntilDone(true)).is_never_blamed("who asks first", 90);
    of(Registers::UntilDone(false)).is_never_blamed("who registers always", 90);
    of(Registers::Once).is_caught("once", 90);
    of(Registers::Never).is_caught("never", 100);
    of(Registers::Elsewhere).is_caught("elsewhere after the restart", 100);
    of(Registers::WithoutClicks).is_caught("without clicks", 100);
    of(Registers::Unheard).is_caught("where nobody listens", 100);
    of(Registers::BesideYesterdays).is_caught("beside the address of yesterday", 100);
}
