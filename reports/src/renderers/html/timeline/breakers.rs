//! Places the states of breakers: a lane each, and below them what the signs mean.

use super::{Band, LANE, px};
use crate::report::{Breaker, BreakerSpan, BreakerState, ScenarioReport};
use crate::text;

/// What is narrower is not seen.
const NARROWEST: f64 = 2.5;
/// From one word of the legend to the next.
const WORD: f64 = 64.0;

/// All of them.
pub struct Breakers {
    pub lanes: Vec<Lane>,
    /// Where the legend stands, and its signs.
    pub legend_y: f64,
    pub legend: Vec<Key>,
    pub bottom: f64,
}

/// The states of one breaker.
pub struct Lane {
    pub y: f64,
    pub label: String,
    pub bands: Vec<Sign>,
}

/// A state as it is drawn: the more a breaker keeps back, the higher; whoever does not see colours sees that.
pub struct Sign {
    pub class: &'static str,
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
    pub label: String,
}

/// A sign of the legend and its word.
pub struct Key {
    pub sign: Sign,
    pub word_x: f64,
    pub word: &'static str,
}

/// The lanes from `y` on; none where nothing is certain of any breaker.
pub fn breakers(
    scenario: &ScenarioReport,
    y: f64,
    band: &dyn Fn(u64, u64, String) -> Band,
) -> Option<Breakers> {
    let known: Vec<&Breaker> =
        scenario.breakers.iter().filter(|breaker| !breaker.states.is_empty()).collect();
    if known.is_empty() {
        return None;
    }
    let lane = |(index, breaker): (usize, &&Breaker)| {
        let y = y + LANE * index as f64;
        let drawn = |span: &BreakerSpan| {
            let [from, until] = [span.from_ms, span.until_ms].map(text::seconds);
            let label = format!("{} from {from} to {until}", span.state.word());
            let Band { x, width, label } = band(span.from_ms, span.until_ms, label);
            sign(span.state, x, y, width.max(NARROWEST), label)
        };
        let label = text::printable(&format!("breaker of {}", breaker.guards), 36);
        Lane { y, label, bands: breaker.states.iter().map(drawn).collect() }
    };
    let lanes: Vec<_> = known.iter().enumerate().map(lane).collect();
    let legend_y = y + LANE * lanes.len() as f64;
    let key = |(index, state): (usize, BreakerState)| {
        let x = 2.0 + WORD * index as f64;
        let sign = sign(state, x, legend_y, 14.0, String::new());
        Key { sign, word_x: x + 18.0, word: state.word() }
    };
    let legend = BreakerState::ALL.into_iter().enumerate().map(key).collect();
    Some(Breakers { lanes, legend_y, legend, bottom: legend_y + LANE })
}

fn sign(state: BreakerState, x: f64, y: f64, width: f64, label: String) -> Sign {
    let (class, height) = match state {
        BreakerState::Closed => ("closed", 3.0),
        BreakerState::HalfOpen => ("half", 8.0),
        BreakerState::Open => ("open", 12.0),
    };
    Sign { class, x, y: px(y + 15.0 - height), width, height, label }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(states: &[(BreakerState, u64, u64)]) -> ScenarioReport {
        let states = states.iter().map(|&(state, from_ms, until_ms)| BreakerSpan {
            state,
            from_ms,
            until_ms,
        });
        let breaker = Breaker { guards: "all calls".into(), states: states.collect() };
        ScenarioReport { breakers: vec![breaker], ..ScenarioReport::default() }
    }

    fn drawn(states: &[(BreakerState, u64, u64)]) -> Option<Breakers> {
        let band = |from: u64, until: u64, label| Band {
            x: from as f64,
            width: (until - from) as f64,
            label,
        };
        breakers(&scenario(states), 100.0, &band)
    }

    #[test]
    fn nothing_is_drawn_between_what_is_certain() {
        use BreakerState::{Closed, HalfOpen, Open};
        let shown = drawn(&[(Closed, 0, 10), (Open, 20, 30), (HalfOpen, 40, 41)]).unwrap();
        let lane = &shown.lanes[0];
        let places: Vec<_> =
            lane.bands.iter().map(|sign| (sign.class, sign.x, sign.width)).collect();
        assert_eq!(places, [("closed", 0.0, 10.0), ("open", 20.0, 10.0), ("half", 40.0, 2.5)]);
        assert_eq!(lane.bands[1].label, "open from 0.020 s to 0.030 s");
        let bottoms = lane.bands.iter().map(|sign| sign.y + sign.height);
        assert!(bottoms.clone().all(|bottom| bottom == 115.0), "{:?}", bottoms.collect::<Vec<_>>());
        assert_eq!((shown.legend_y, shown.bottom), (118.0, 136.0));
    }

    #[test]
    fn where_nothing_is_certain_there_is_no_lane() {
        assert!(drawn(&[]).is_none());
    }
}
