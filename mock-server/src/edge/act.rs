//! Executes a decision on raw bytes: delays, stalls, resets, cuts, or simply delivers.

use super::connection::Client;
use super::open::OpenExchange;
use super::upstream::{Answer, push_header};
use crate::clock::{Clock, Moment};
use crate::desk::Outcome;
use crate::exchange::{End, RetryAfter, RetryAfterForm};
use crate::faults::{Effect, ResetAt, RetryAfterSpec, StallAt};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Whether the connection may carry another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    Keep,
    Close,
}

/// Why an answer was not written to its end.
pub(super) struct Gone;

/// Writes `answer` as decided, and records the end.
pub(super) async fn perform(
    client: &mut Client,
    mut open: OpenExchange,
    answer: &Answer,
    outcome: Outcome,
    keep: bool,
) -> After {
    let (end, after) = match act(client, &mut open, answer, outcome, keep).await {
        Ok(ended) => ended,
        Err(Gone) => (End::ClientAbort, After::Close),
    };
    open.finish(end);
    after
}

async fn act(
    client: &mut Client,
    open: &mut OpenExchange,
    answer: &Answer,
    outcome: Outcome,
    keep: bool,
) -> Result<(End, After), Gone> {
    let clock = client.clock();
    if outcome.delay_us > 0 {
        let from = open.exchange.t_req;
        client.wait_until(from.plus(Duration::from_micros(outcome.delay_us))).await?;
    }
    let effect = possible(outcome.effect, answer, open);
    match effect {
        Effect::Stall { at: StallAt::BeforeHead } => return Err(client.wait_gone().await),
        Effect::Reset { at: ResetAt::BeforeHead } => {
            client.reset();
            return Ok((End::ServerReset, After::Close));
        }
        Effect::LoseAnswer => return Ok((End::ServerReset, After::Close)),
        _ => {}
    }

    let exchange = &mut open.exchange;
    exchange.status = Some(answer.status);
    exchange.retry_after = outcome.retry_after.map(|spec| resolved(spec, clock));
    let mut bytes = head(answer, exchange.retry_after.as_ref(), keep);
    exchange.version = outcome.version;
    exchange.nonce = outcome.nonce;
    // Before the write, as a client may read on another thread before the write returns here.
    exchange.t_first = Some(clock.now());

    let body = answer.body.as_slice();
    match effect {
        Effect::Stall { at: StallAt::BeforeBody } => {
            client.write(&bytes).await?;
            Err(client.wait_gone().await)
        }
        Effect::Stall { at: StallAt::Trickle { every_ms } } => {
            client.write(&bytes).await?;
            for byte in body {
                client.wait_until(clock.now().plus(Duration::from_millis(every_ms))).await?;
                client.write(&[*byte]).await?;
            }
            Ok((End::Complete, after(keep)))
        }
        Effect::Reset { at: ResetAt::MidBody } => {
            bytes.extend_from_slice(&body[..body.len() / 2]);
            client.write(&bytes).await?;
            client.reset();
            Ok((End::ServerReset, After::Close))
        }
        Effect::Truncate { percent } => {
            bytes.extend_from_slice(&body[..body.len() * usize::from(percent.min(99)) / 100]);
            client.write(&bytes).await?;
            Ok((End::Truncated, After::Close))
        }
        _ => {
            bytes.extend_from_slice(body);
            client.write(&bytes).await?;
            Ok((End::Complete, after(keep)))
        }
    }
}

fn after(keep: bool) -> After {
    if keep { After::Keep } else { After::Close }
}

/// An answer without a body cannot stop inside it: such a fault did not happen, and says so.
fn possible(effect: Effect, answer: &Answer, open: &mut OpenExchange) -> Effect {
    let inside_body = matches!(
        effect,
        Effect::Stall { at: StallAt::BeforeBody | StallAt::Trickle { .. } }
            | Effect::Reset { at: ResetAt::MidBody }
            | Effect::Truncate { .. }
    );
    if answer.body.is_empty() && inside_body {
        open.exchange.faults.pop();
        return Effect::Pass;
    }
    effect
}

/// A `Retry-After` as it stands on the wire. A date names a whole second, rounded up, so that who
/// obeys it is never early; delay-seconds count from the last byte, which is filled in at the end.
fn resolved(spec: RetryAfterSpec, clock: Clock) -> RetryAfter {
    match spec {
        RetryAfterSpec::Seconds { s } => {
            RetryAfter { value: s.to_string(), form: RetryAfterForm::Seconds, until: None }
        }
        RetryAfterSpec::Date { s } => {
            let (now, wall) = (clock.now(), Clock::wall());
            let (date, until) = date(now, wall, s);
            let value = httpdate::fmt_http_date(date);
            RetryAfter { value, form: RetryAfterForm::Date, until: Some(until) }
        }
    }
}

fn date(now: Moment, wall: SystemTime, s: u32) -> (SystemTime, Moment) {
    let exact = wall.duration_since(UNIX_EPOCH).unwrap_or_default() + Duration::from_secs(s.into());
    let whole = exact.as_secs() + u64::from(exact.subsec_nanos() > 0);
    let date = UNIX_EPOCH + Duration::from_secs(whole);
    (date, now.plus(date.duration_since(wall).unwrap_or_default()))
}

fn head(answer: &Answer, retry_after: Option<&RetryAfter>, keep: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(512 + answer.body.len());
    out.extend_from_slice(format!("HTTP/1.1 {} {}\r\n", answer.status, answer.reason).as_bytes());
    for (name, value) in &answer.headers {
        push_header(&mut out, name, value);
    }
    if let Some(after) = retry_after {
        push_header(&mut out, "retry-after", after.value.as_bytes());
    }
    if answer.status != 304 && answer.status != 204 && !answer.to_head {
        push_header(&mut out, "content-length", answer.body.len().to_string().as_bytes());
    }
    if !keep {
        push_header(&mut out, "connection", b"close");
    }
    out.extend_from_slice(b"\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_rounded_up_and_its_moment_agrees() {
        let check = |wall_ms: u64, s: u32, date_s: u64, until_ms: u64| {
            let wall = UNIX_EPOCH + Duration::from_millis(wall_ms);
            let expected = (UNIX_EPOCH + Duration::from_secs(date_s), Moment::from_ms(until_ms));
            assert_eq!(date(Moment::from_ms(50), wall, s), expected);
        };
        check(10_000, 2, 12, 2_050);
        check(10_001, 2, 13, 50 + 2_999);
        check(10_999, 0, 11, 51);
    }
}
