//! The limiter admits exactly what a sliding window admits, for each key by itself.

use mock_server::clock::Moment;
use mock_server::world::limiter::{Limits, Standing};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use std::time::Duration;

const KEYS: usize = 3;

/// All that ever was admitted, in milliseconds; nothing is thrown away.
#[derive(Clone, Debug)]
struct Past {
    limit: usize,
    window: u64,
    now: u64,
    admitted: [Vec<u64>; KEYS],
    /// The latest moment that each key has seen.
    latest: [u64; KEYS],
    /// Whether the last arrival had to be admitted.
    admit: bool,
}

/// A request with this key, so long after the latest one of any key, or before it: connections race.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    key: usize,
    step: i64,
}

impl Past {
    fn in_window(&self, key: usize) -> usize {
        let now = self.latest[key];
        self.admitted[key].iter().filter(|&&at| at + self.window > now).count()
    }
}

impl ReferenceStateMachine for Past {
    type State = Self;
    type Transition = Arrival;

    fn init_state() -> BoxedStrategy<Self> {
        (1..6_usize, 1..60_u64)
            .prop_map(|(limit, window)| Self {
                limit,
                window,
                now: 100,
                admitted: Default::default(),
                latest: [0; KEYS],
                admit: false,
            })
            .boxed()
    }

    fn transitions(past: &Self) -> BoxedStrategy<Arrival> {
        let window = i64::try_from(past.window).unwrap();
        let step = prop_oneof![8 => 0..6_i64, 2 => -3..0_i64, 1 => window - 1..=window];
        (0..KEYS, step).prop_map(|(key, step)| Arrival { key, step }).boxed()
    }

    fn apply(mut past: Self, &Arrival { key, step }: &Arrival) -> Self {
        past.now = past.now.saturating_add_signed(step);
        past.latest[key] = past.latest[key].max(past.now);
        past.admit = past.in_window(key) < past.limit;
        if past.admit {
            let at = past.latest[key];
            past.admitted[key].push(at);
        }
        past
    }
}

struct Admission;

impl StateMachineTest for Admission {
    type SystemUnderTest = Limits<usize>;
    type Reference = Past;

    fn init_test(past: &Past) -> Limits<usize> {
        Limits::new(u32::try_from(past.limit).unwrap(), Duration::from_millis(past.window))
    }

    fn apply(
        mut limits: Limits<usize>,
        past: &Past,
        Arrival { key, .. }: Arrival,
    ) -> Limits<usize> {
        let latest = Moment::from_ms(past.latest[key]);
        let Standing { admitted, remaining, reset } = limits.admit(key, Moment::from_ms(past.now));
        assert_eq!(admitted, past.admit);
        assert_eq!(remaining as usize, past.limit - past.in_window(key));
        if remaining == 0 {
            // Waiting as long as it says is enough, and waiting less is not.
            let enough = latest.plus(reset);
            let less = enough.minus(Duration::from_nanos(1));
            assert!(limits.clone().admit(key, enough).admitted);
            assert!(!limits.clone().admit(key, less).admitted);
        }
        limits
    }

    fn check_invariants(_limits: &Limits<usize>, past: &Past) {
        for admitted in &past.admitted {
            for (first, next) in admitted.iter().zip(admitted.iter().skip(past.limit)) {
                assert!(next - first >= past.window, "more than the limit in one window");
            }
        }
    }
}

prop_state_machine! {
    #![proptest_config(crate::cases(128))]

    /// Arrivals of several keys at any moments meet the fate that the whole past commands.
    #[test]
    fn it_admits_exactly_what_a_sliding_window_admits(sequential 1..120 => Admission);
}
