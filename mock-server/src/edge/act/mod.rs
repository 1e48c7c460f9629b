//! Executes a decision on raw bytes: delays, stalls, resets, cuts, or simply delivers.

mod body;
mod connection;
mod head;

pub(super) use connection::break_off;

use super::connection::Client;
use super::message::UpstreamAnswer;
use super::open::OpenExchange;
use crate::clock::Moment;
use crate::faults::holds::Held;
use crate::faults::{Effect, FaultMark, HeadFlaw, Onset, ResetAt, StallAt};
use crate::history::exchange::{End, Exchange};
use crate::rendezvous::Instructions;
use crate::seed;
use rand::Rng;
use std::time::Duration;

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
    answer: &UpstreamAnswer,
    instructions: Box<Instructions>,
    keep: bool,
) -> After {
    let closes_late = match instructions.effect {
        Effect::SlowClose { ms } => Some(Duration::from_millis(ms)),
        _ => None,
    };
    let (end, after) = match act(client, &mut open, answer, instructions, keep).await {
        Ok(ended) => ended,
        Err(Gone) => (End::ClientAbort, After::Close),
    };
    open.finish(end);
    if let (Some(wait), End::Complete) = (closes_late, end) {
        let close = client.clock().now().plus(wait);
        // A client that has left does not need the close any more.
        let _ = client.wait_until(close).await;
    }
    after
}

async fn act(
    client: &mut Client,
    open: &mut OpenExchange,
    answer: &UpstreamAnswer,
    mut instructions: Box<Instructions>,
    keep: bool,
) -> Result<(End, After), Gone> {
    let clock = client.clock();
    if instructions.delay_us > 0 {
        let from = open.t_req;
        client.wait_until(from.plus(Duration::from_micros(instructions.delay_us))).await?;
    }
    let effect = possible(std::mem::replace(&mut instructions.effect, Effect::Pass), answer);
    let shape = effect.shape();
    // An effect happened only if it was possible, and only once it was its turn.
    let mark = instructions.effect_mark.take().filter(|_| effect != Effect::Pass);
    if shape.onset == Onset::BeforeHead {
        open.faults.extend(mark.clone());
    }
    match &effect {
        Effect::Stall { at: StallAt::BeforeHead } => return Err(client.wait_gone().await),
        Effect::Reset { at: ResetAt::Accept | ResetAt::BeforeHead } => {
            client.reset();
            return Ok((End::ServerReset, After::Close));
        }
        Effect::LoseAnswer | Effect::EmptyReply => return Ok((End::ServerReset, After::Close)),
        Effect::Garbage { seed, bytes } => {
            client.write(&garbage(*seed, *bytes)).await?;
            return Ok((End::ServerReset, After::Close));
        }
        Effect::MalformedHead { how: HeadFlaw::StatusLine } => {
            let mut bytes = b"HTTP/1.1 OK\r\n".to_vec();
            bytes.extend_from_slice(&answer.body);
            client.write(&bytes).await?;
            return Ok((End::ServerReset, After::Close));
        }
        Effect::Hold => hold(client, open, mark.as_ref()).await?,
        // Nothing of these comes before the head, or they were done elsewhere.
        Effect::Pass
        | Effect::Delay { .. }
        | Effect::Rewrite { .. }
        | Effect::Delivery(_)
        | Effect::Refuse
        | Effect::NoConnect
        | Effect::TlsAlert { .. }
        | Effect::Certificate { .. }
        | Effect::Handshake { .. }
        | Effect::Answer { .. }
        | Effect::LateError { .. }
        | Effect::MalformedHead { .. }
        | Effect::Bandwidth { .. }
        | Effect::Stall { .. }
        | Effect::Reset { .. }
        | Effect::Truncate { .. }
        | Effect::BadChunk { .. }
        | Effect::SlowClose { .. } => {}
    }

    let exchange = &mut *open;
    exchange.faults.append(&mut instructions.answer_marks);
    if shape.onset != Onset::BeforeHead {
        exchange.faults.extend(mark);
    }
    exchange.status = Some(answer.status);
    exchange.retry_after = instructions
        .retry_after
        .take()
        .and_then(|spec| head::resolved(spec, &instructions.date, clock));
    exchange.version = instructions.version.take();
    exchange.nonce = instructions.nonce.take();
    exchange.doubtful = instructions.doubtful || shape.doubtful;
    let bytes =
        head::head(answer, exchange.retry_after.as_ref(), &instructions.date, &effect, keep);
    // Before the write, as a client may read on another thread before the write returns here.
    exchange.t_first = Some(clock.now());
    body::write(client, bytes, &answer.body, &effect, keep).await
}

/// What the edge has still to do; an answer without a body cannot stop inside it, so that such a
/// fault does not happen.
fn possible(effect: Effect, answer: &UpstreamAnswer) -> Effect {
    match effect.shape().onset {
        Onset::Elsewhere | Onset::Accept(_) | Onset::Routes => Effect::Pass,
        Onset::Body if answer.body.is_empty() => Effect::Pass,
        Onset::BeforeHead | Onset::Head | Onset::Body | Onset::End => effect,
    }
}

/// Puts the exchange on the list of what is held, until it is released or the client leaves.
async fn hold(
    client: &mut Client,
    open: &OpenExchange,
    mark: Option<&FaultMark>,
) -> Result<(), Gone> {
    let Exchange { id, method, target, route, .. } = &**open;
    let held = Held {
        rule: mark.map(|mark| mark.rule.clone()).unwrap_or_default(),
        exchange: *id,
        method: method.clone(),
        target: target.clone(),
        route: *route,
        since: client.clock().now(),
    };
    let mut hold = open.edge().shared.holds.hold(held);
    client.wait_for(hold.released()).await
}

/// Bytes of which the first is never the beginning of a status line.
fn garbage(seed: u64, count: u32) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(count).unwrap_or(0).max(1)];
    seed::stream(seed, &["garbage"]).fill_bytes(&mut bytes);
    bytes[0] |= 0x80;
    bytes
}

/// The moment after which so many bytes may have been written.
fn due(from: Moment, bytes: usize, bytes_per_s: u64) -> Moment {
    let nanos = bytes as u128 * 1_000_000_000 / u128::from(bytes_per_s.max(1));
    from.plus(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_is_the_seeds_own_and_never_begins_like_http() {
        for seed in 0..300 {
            let bytes = garbage(seed, 16);
            assert!(bytes.len() == 16 && !bytes[0].is_ascii());
            assert_eq!(bytes, garbage(seed, 16));
            assert_ne!(bytes, garbage(seed + 1, 16));
        }
    }

    #[test]
    fn bytes_are_due_at_their_rate() {
        let check = |bytes, rate, ms: u64| {
            assert_eq!(due(Moment::from_ms(5), bytes, rate), Moment::from_ms(5 + ms));
        };
        check(0, 100, 0);
        check(100, 1_000, 100);
        check(3, 1, 3_000);
        check(1_000_000, u64::MAX, 0);
        assert_eq!(due(Moment::ZERO, usize::MAX, 0), Moment(u64::MAX));
    }
}
