//! Measures, before the run, how exact this machine is: loopback echoes and late timers.

use super::loopback::Echo;
use super::micros;
use mock_server::clock::Clock;
use scenarios::history::Tolerances;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Echoes measured at a time; few enough to take a fraction of a second.
const ECHOES: u32 = 200;
/// How often they are measured, until one time they are as fast as the defaults assume. A slow machine
/// is slow each time; a hiccup of the scheduler is in one of them, and the probe of the timers sees
/// those that come later.
const TRIES: u32 = 4;

/// The default δ and ε of predicates.md, widened when this machine is slower than they assume.
///
/// # Errors
///
/// When loopback sockets cannot be used.
pub async fn measure(clock: Clock) -> io::Result<Tolerances> {
    let mut echo = Echo::connect().await?;
    settled(async || worst(&mut echo, clock).await).await
}

/// What the best of the measurements comes to.
async fn settled(
    mut measured: impl AsyncFnMut() -> io::Result<Duration>,
) -> io::Result<Tolerances> {
    let default = Tolerances::default();
    let mut best = widened(measured().await?);
    for _ in 1..TRIES {
        if (best.delta_us, best.epsilon_us) == (default.delta_us, default.epsilon_us) {
            break;
        }
        let again = widened(measured().await?);
        if again.measured_us < best.measured_us {
            best = again;
        }
    }
    Ok(best)
}

/// The slowest echo or the latest timer.
async fn worst(echo: &mut Echo, clock: Clock) -> io::Result<Duration> {
    let mut worst = Duration::ZERO;
    for _ in 0..ECHOES {
        let before = clock.now();
        echo.client.write_all(&[1]).await?;
        echo.client.read_exact(&mut [0]).await?;
        worst = worst.max(clock.now().since(before));
        let before = clock.now();
        tokio::time::sleep(Duration::from_millis(1)).await;
        worst = worst.max(clock.now().since(before).saturating_sub(Duration::from_millis(1)));
    }
    Ok(worst)
}

/// δ must cover a decision's way to the wire and back with room for a busier moment than this one.
fn widened(worst: Duration) -> Tolerances {
    let measured_us = micros(worst);
    let default = Tolerances::default();
    Tolerances {
        delta_us: default.delta_us.max(measured_us.saturating_mul(2)),
        epsilon_us: default.epsilon_us.max(measured_us),
        measured_us,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Measures these one after the other; gives δ, ε and how many were measured, ms.
    async fn check(measured: &[u64], expected: (u64, u64, usize)) {
        let mut left = measured.iter();
        let next = async || Ok(Duration::from_millis(*left.next().unwrap()));
        let tolerances = settled(next).await.unwrap();
        let (delta, epsilon) = (tolerances.delta_us / 1_000, tolerances.epsilon_us / 1_000);
        assert_eq!((delta, epsilon, measured.len() - left.len()), expected, "{measured:?}");
    }

    #[tokio::test]
    async fn one_hiccup_widens_nothing() {
        check(&[3], (100, 50, 1)).await;
        check(&[158, 5], (100, 50, 2)).await;
        check(&[158, 90, 61, 12], (100, 50, 4)).await;
    }

    #[tokio::test]
    async fn a_machine_that_is_slow_each_time_widens_both_by_its_best() {
        check(&[80, 95, 158, 81], (160, 80, 4)).await;
        check(&[158, 90, 61, 70], (122, 61, 4)).await;
        check(&[51, 51, 51, 51], (102, 51, 4)).await;
    }

    #[tokio::test]
    async fn what_cannot_be_measured_is_said() {
        let error = settled(async || Err(io::ErrorKind::AddrInUse.into())).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
}
