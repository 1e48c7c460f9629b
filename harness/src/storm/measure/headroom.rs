//! Measures, before the storm, whether this machine can throw it: sockets, and exchanges a second.

use super::loopback::Echo;
use mock_server::clock::{Clock, Moment};
use nix::sys::resource::{Resource, getrlimit};
use scenarios::observed::Headroom;
use scenarios::plan::Plan;
use scenarios::traffic::Schedule;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How long exchanges are counted.
const MEASURED: Duration = Duration::from_millis(20);
/// How often, until the machine has shown enough: it may be busy with something that will end.
const TRIES: u32 = 20;
/// Pairs of client and server at once.
const PAIRS: usize = 2;
/// As large as a request and an answer without its page.
const MESSAGE: usize = 256;
/// Files besides the visitors' and the mock's sockets.
const SPARE_FILES: u64 = 256;

/// Measures this machine, for as long as it seems too slow for the plan.
///
/// # Errors
///
/// When loopback sockets cannot be used.
pub async fn measure(plan: &Plan, clock: Clock) -> io::Result<Headroom> {
    let (open_files, _) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((u64::MAX, u64::MAX));
    let mut best = Headroom { exchanges_per_s: 0, open_files };
    let enough = peak(plan);
    for _ in 0..TRIES {
        let exchanges_per_s = exchanges_per_s(clock).await?;
        best.exchanges_per_s = best.exchanges_per_s.max(exchanges_per_s);
        if best.exchanges_per_s >= enough {
            break;
        }
    }
    Ok(best)
}

/// Visitors a second at the plan's peak; it draws the whole schedule.
fn peak(plan: &Plan) -> u64 {
    Schedule::of(plan).map_or(0, |schedule| schedule.peak_per_s())
}

async fn exchanges_per_s(clock: Clock) -> io::Result<u64> {
    let until = clock.now().plus(MEASURED);
    let pairs = (0..PAIRS).map(|_| tokio::spawn(exchange(clock, until)));
    let pairs: Vec<_> = pairs.collect();
    let mut exchanges = 0;
    for pair in pairs {
        exchanges += pair.await.map_err(io::Error::other)??;
    }
    let took = MEASURED.max(clock.now().since(until.minus(MEASURED)));
    let per_s = u128::from(exchanges) * 1_000_000 / took.as_micros();
    Ok(u64::try_from(per_s).unwrap_or(u64::MAX))
}

async fn exchange(clock: Clock, until: Moment) -> io::Result<u64> {
    let mut echo = Echo::connect().await?;
    let (mut message, mut count) = ([0; MESSAGE], 0);
    while clock.now() < until {
        echo.client.write_all(&message).await?;
        echo.client.read_exact(&mut message).await?;
        count += 1;
    }
    Ok(count)
}

/// Why this machine cannot throw the plan's storm, if it cannot, and what to change.
#[must_use]
pub fn lacks(headroom: &Headroom, plan: &Plan) -> Option<String> {
    let peak = peak(plan);
    if peak > headroom.exchanges_per_s {
        return Some(format!(
            "this machine exchanges {} messages a second over loopback, and the plan's peak is \
             {peak} visitors a second: run with --jobs 1 on an idle machine, or lower the rates in \
             the plan (--plan)",
            headroom.exchanges_per_s
        ));
    }
    // A visitor's socket, and the mock's two for a call that the visit may cause.
    let files = u64::from(plan.generator.users) * 3 + SPARE_FILES;
    (files > headroom.open_files).then(|| {
        format!(
            "{} visitors at once need {files} open files, and this process may have {}: raise the \
             limit (ulimit -Hn), or lower generator.users in the plan (--plan)",
            plan.generator.users, headroom.open_files
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use scenarios::catalogue::{self, Settings};

    #[test]
    fn what_is_missing_is_said_with_what_to_change() {
        let plan = (catalogue::find("viral-spike").unwrap().build)(&Settings::default());
        let check = |exchanges_per_s, open_files, expected: Option<&str>| {
            let lacks = lacks(&Headroom { exchanges_per_s, open_files }, &plan);
            match expected {
                None => assert_eq!(lacks, None),
                Some(words) => assert!(lacks.as_ref().unwrap().contains(words), "{lacks:?}"),
            }
        };
        check(20_000, 100_000, None);
        check(900, 100_000, Some("--jobs 1"));
        check(20_000, 1_024, Some("ulimit"));
    }

    #[tokio::test]
    async fn loopback_is_measured() {
        let plan = (catalogue::find("steady-state").unwrap().build)(&Settings::default());
        let headroom = measure(&plan, Clock::start()).await.unwrap();
        assert!(headroom.exchanges_per_s > 0 && headroom.open_files > 0, "{headroom:?}");
    }
}
