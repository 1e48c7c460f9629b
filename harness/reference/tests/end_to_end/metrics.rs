//! `/metrics` shows what happened, and the mutants of it show something else in one way each.

use crate::{Service, stub::Mood};
use std::time::Duration;
use tokio::task::JoinSet;

/// What is known of a day, and what the metrics say of it.
struct Day {
    metrics: String,
    /// `Cache-Status` of every page.
    cache: Vec<String>,
    /// Profile reads that Linktree saw.
    reads: usize,
}

impl Day {
    fn value(&self, series: &str) -> f64 {
        let line = self.metrics.lines().find(|line| line.starts_with(series));
        line.map_or(0.0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
    }

    fn outcomes(&self, outcome: &str) -> f64 {
        let name = "linktree_upstream_requests_total";
        self.value(&format!("{name}{{route=\"profile\",outcome=\"{outcome}\"}}"))
    }

    fn durations(&self, what: &str) -> f64 {
        let name = "linktree_upstream_request_duration_seconds";
        self.value(&format!("{name}_{what}{{route=\"profile\"}}"))
    }

    fn pages(&self, result: &str) -> f64 {
        self.value(&format!("linktree_profile_cache_requests_total{{result=\"{result}\"}}"))
    }

    fn hits(&self) -> usize {
        self.cache.iter().filter(|status| status.starts_with("reference; hit")).count()
    }
}

/// One page filled and shown ten times more; one refused; one that takes too long.
async fn day(mutant: Option<&str>) -> Day {
    let service = Service::start(mutant).await;
    *service.stub.latency.lock().unwrap() = Duration::from_millis(20);
    let mut cache = Vec::new();
    for _ in 0..=10 {
        cache.push(service.page("ann").await.2);
    }
    service.stub.set(Mood::Status(401, None));
    assert_eq!(service.page("bob").await.0, 503);
    service.stub.set(Mood::Stall);
    assert_eq!(service.page("cyd").await.0, 503);
    let metrics = service.front.metrics().await;
    let seen = service.stub.seen("/v1/profiles/");
    let reads = seen.iter().filter(|one| !one.uri.contains("/links")).count();
    Day { metrics, cache, reads }
}

#[track_caller]
fn check(mutant: &str, sound: &Day, seen: &Day) {
    let wrong: fn(&Day) -> bool = match mutant {
        // A fill and a refusal of 20 ms each, and a few time limits of 0.5 s.
        "latency-in-milliseconds" => |day| day.durations("sum") > 20.0,
        // The last read may be on its way still, so there is no equality.
        "cache-hits-in-latency" => |day| day.durations("count") > day.reads as f64,
        "timeouts-counted-as-auth" => |day| day.outcomes("timeout") == 0.0,
        "auth-counted-as-timeouts" => |day| day.outcomes("auth") != 1.0,
        "misses-counted-as-hits" => |day| day.pages("hit") != day.hits() as f64,
        other => panic!("{other} is not in the table"),
    };
    assert!(!wrong(sound), "{mutant}: the unmutated service does it too:\n{}", sound.metrics);
    assert!(wrong(seen), "{mutant} does not show:\n{}", seen.metrics);
    assert_eq!(seen.hits(), sound.hits(), "{mutant} changes what visitors see");
}

#[tokio::test]
async fn each_mutant_counts_one_thing_as_another() {
    let mut days = JoinSet::new();
    for mutant in [
        "latency-in-milliseconds",
        "cache-hits-in-latency",
        "timeouts-counted-as-auth",
        "auth-counted-as-timeouts",
        "misses-counted-as-hits",
    ] {
        days.spawn(async move { (mutant, day(Some(mutant)).await) });
    }
    let sound = day(None).await;
    assert_eq!((sound.pages("hit"), sound.pages("miss"), sound.hits()), (10.0, 3.0, 10));
    assert_eq!(sound.outcomes("ok"), 1.0);
    while let Some(seen) = days.join_next().await {
        let (mutant, seen) = seen.unwrap();
        check(mutant, &sound, &seen);
    }
}
