//! Measures, before the run, how exact this machine is: loopback echoes and late timers.

use super::loopback::Echo;
use super::micros;
use mock_server::clock::Clock;
use scenarios::history::Tolerances;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Echoes measured; enough to meet a scheduling hiccup, few enough to take a fraction of a second.
const ECHOES: u32 = 200;

/// The default δ and ε of predicates.md, widened when this machine is slower than they assume.
///
/// # Errors
///
/// When loopback sockets cannot be used.
pub async fn measure(clock: Clock) -> io::Result<Tolerances> {
    let mut echo = Echo::connect().await?;
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
    Ok(widened(worst))
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

    #[test]
    fn a_fast_machine_keeps_the_defaults_and_a_slow_one_widens_them() {
        assert_eq!(widened(Duration::from_millis(3)).delta_us, 100_000);
        let slow = widened(Duration::from_millis(80));
        assert_eq!((slow.delta_us, slow.epsilon_us), (160_000, 80_000));
    }
}
