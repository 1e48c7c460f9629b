//! A timer that many waits share, one after the other.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::time::{Instant, Sleep};

/// Set only when it would ring too late, and looked at when it rings, which may be too early: most waits
/// are over long before, and to set a timer for each of them costs more than the rest of the wait.
#[derive(Default)]
pub(super) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Whether the time has come.
    pub fn poll_until(&mut self, deadline: Instant, context: &mut Context<'_>) -> Poll<()> {
        let timer = self.0.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if timer.deadline() > deadline || timer.is_elapsed() {
            timer.as_mut().reset(deadline);
        }
        loop {
            ready!(timer.as_mut().poll(context));
            if timer.deadline() >= deadline {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::time::Duration;

    /// Waits of every length follow each other, some of them given up.
    #[tokio::test(start_paused = true)]
    async fn each_wait_ends_at_its_own_time() {
        let mut alarm = Alarm::default();
        for (seconds, given_up_after) in [(60, 1), (30, 40), (30, 7), (90, 100), (5, 2), (5, 9)] {
            let began = Instant::now();
            let deadline = began + Duration::from_secs(seconds);
            let rings = poll_fn(|context| alarm.poll_until(deadline, context));
            let patience = Duration::from_secs(given_up_after);
            let rang = tokio::time::timeout(patience, rings).await.is_ok();
            assert_eq!(rang, seconds < given_up_after);
            assert_eq!(began.elapsed().as_secs(), seconds.min(given_up_after));
        }
    }
}
