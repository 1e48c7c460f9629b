//! Writes head and body in the way that the effect asks for.

use super::super::connection::Client;
use super::{After, Gone, due};
use crate::faults::{ChunkFlaw, Effect, ResetAt, StallAt};
use crate::history::exchange::End;
use std::time::Duration;

/// How often a narrow line sends what is due, at most.
const STEP: Duration = Duration::from_millis(20);

/// Writes the whole answer, or as much of it as the effect leaves.
pub(super) async fn write(
    client: &mut Client,
    mut bytes: Vec<u8>,
    body: &[u8],
    effect: &Effect,
    keep: bool,
) -> Result<(End, After), Gone> {
    let part = |percent: u8| &body[..body.len() * usize::from(percent.min(99)) / 100];
    let whole = if keep && !effect.shape().closes { After::Keep } else { After::Close };
    match effect {
        Effect::Stall { at: StallAt::BeforeBody } => {
            client.write(&bytes).await?;
            Err(client.wait_gone().await)
        }
        Effect::Stall { at: StallAt::MidBody { percent } } => {
            bytes.extend_from_slice(part(*percent));
            client.write(&bytes).await?;
            Err(client.wait_gone().await)
        }
        Effect::Stall { at: StallAt::Trickle { every_ms } } => {
            client.write(&bytes).await?;
            for byte in body {
                let next = client.clock().now().plus(Duration::from_millis(*every_ms));
                client.wait_until(next).await?;
                client.write(&[*byte]).await?;
            }
            Ok((End::Complete, whole))
        }
        Effect::Reset { at: ResetAt::MidBody } => {
            bytes.extend_from_slice(&body[..body.len() / 2]);
            client.write(&bytes).await?;
            client.reset();
            Ok((End::ServerReset, After::Close))
        }
        Effect::Truncate { percent } => {
            bytes.extend_from_slice(part(*percent));
            client.write(&bytes).await?;
            Ok((End::Truncated, After::Close))
        }
        Effect::BadChunk { how } => {
            bytes.extend_from_slice(&chunked(body, *how));
            client.write(&bytes).await?;
            Ok((End::Truncated, After::Close))
        }
        Effect::Bandwidth { bytes_per_s } => {
            bytes.extend_from_slice(body);
            narrow(client, &bytes, *bytes_per_s).await?;
            Ok((End::Complete, whole))
        }
        // The body of all others is whole, and comes at once.
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
        | Effect::LoseAnswer
        | Effect::EmptyReply
        | Effect::Garbage { .. }
        | Effect::Hold
        | Effect::Stall { at: StallAt::BeforeHead }
        | Effect::Reset { at: ResetAt::Accept | ResetAt::BeforeHead }
        | Effect::MalformedHead { .. }
        | Effect::SlowClose { .. } => {
            bytes.extend_from_slice(body);
            client.write(&bytes).await?;
            Ok((End::Complete, whole))
        }
    }
}

/// A body in chunks that are not right (RFC 9112 section 7.1).
fn chunked(body: &[u8], how: ChunkFlaw) -> Vec<u8> {
    let half = &body[..body.len() / 2];
    let (size, data, tail): (usize, &[u8], &[u8]) = match how {
        // A chunk of size 0 would be a lawful end.
        ChunkFlaw::InvalidSize if half.is_empty() => return b"size\r\n".to_vec(),
        ChunkFlaw::InvalidSize => (half.len(), half, b"\r\nsize\r\n"),
        ChunkFlaw::MissingEnd => (body.len(), body, b"\r\n"),
        ChunkFlaw::ShortChunk => (body.len(), half, b""),
    };
    [format!("{size:x}\r\n").as_bytes(), data, tail].concat()
}

/// Never more than is due, and as evenly as steps allow.
async fn narrow(client: &mut Client, bytes: &[u8], bytes_per_s: u64) -> Result<(), Gone> {
    let begun = client.clock().now();
    let in_a_step = u128::from(bytes_per_s) * STEP.as_millis() / 1_000;
    let step = usize::try_from(in_a_step).unwrap_or(usize::MAX).clamp(1, bytes.len().max(1));
    let mut written = 0;
    for piece in bytes.chunks(step) {
        written += piece.len();
        client.wait_until(due(begun, written, bytes_per_s)).await?;
        client.write(piece).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::super::body::{BodyReader, Framing};
    use super::super::super::head::Parsed;
    use super::*;

    #[test]
    fn each_flaw_of_a_chunk_has_its_own_bytes() {
        let check = |how, expected: &str| {
            assert_eq!(String::from_utf8(chunked(b"0123456789abcdef", how)).unwrap(), expected);
        };
        check(ChunkFlaw::InvalidSize, "8\r\n01234567\r\nsize\r\n");
        check(ChunkFlaw::MissingEnd, "10\r\n0123456789abcdef\r\n");
        check(ChunkFlaw::ShortChunk, "10\r\n01234567");
    }

    #[test]
    fn no_flawed_body_is_a_whole_one() {
        for how in ChunkFlaw::ALL {
            for length in 1..40 {
                let mut bytes = chunked(&vec![b'x'; length], how);
                let mut reader = BodyReader::new(Framing::Chunked);
                let read = reader.take(&mut bytes);
                assert!(!matches!(read, Parsed::Whole(_)), "{how:?} {length}");
            }
        }
    }
}
