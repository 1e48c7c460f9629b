//! Whether a duration is still long enough to be judged once the time scale has divided it.

use crate::case::Case;
use crate::measure::humane;
use crate::plan::largest_scale;
use std::time::Duration;

/// Why a scaled duration is too short, unless it is longer than `least`; with the largest time scale
/// at which it is not, and the key to change.
#[must_use]
pub fn too_short(
    case: &Case,
    what: &str,
    scaled: Duration,
    least: Duration,
    key: &str,
) -> Option<String> {
    (scaled <= least).then(|| {
        let advice = match largest_scale(scaled * case.time_scale, least) {
            0 => "no time scale shows it".to_owned(),
            scale => format!("a time scale of {scale} or less shows it"),
        };
        format!(
            "{what} is {} at time scale {}, and only what is longer than {} can be judged: {advice} ({key})",
            humane(scaled),
            case.time_scale,
            humane(least),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::History;

    /// At time scale 10, what takes `scaled_ms` where more than `least_ms` is needed.
    #[track_caller]
    fn check(scaled_ms: u64, least_ms: u64, expected: Option<&str>) {
        let mut case = History::over(&[]).case;
        case.time_scale = 10;
        let [scaled, least] = [scaled_ms, least_ms].map(Duration::from_millis);
        let said = too_short(&case, "the base", scaled, least, "`key`");
        assert_eq!(said.is_some(), expected.is_some(), "{said:?}");
        assert!(expected.is_none_or(|words| said.unwrap().contains(words)));
    }

    #[test]
    fn the_largest_time_scale_at_which_it_is_long_enough_is_named() {
        check(51, 50, None);
        check(50, 50, Some("a time scale of 9 or less shows it (`key`)"));
        check(20, 50, Some("a time scale of 3 or less"));
        check(5, 50, Some("no time scale shows it"));
    }
}
