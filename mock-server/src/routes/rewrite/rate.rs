//! The headers of the rate limit, with wrong values.

use super::super::Reply;
use crate::clock::Clock;
use crate::faults::{HUGE, RateLie};
use crate::profile::{Limit, ResetForm};
use std::time::UNIX_EPOCH;

/// Tells one lie; false when it happens to be the truth.
pub(super) fn lie(reply: &mut Reply, limit: &Limit, lie: RateLie) -> bool {
    let before = reply.headers.clone();
    let [all, remaining, reset] =
        [&limit.limit_header, &limit.remaining_header, &limit.reset_header].map(String::as_str);
    let full = limit.requests.to_string();
    match lie {
        RateLie::Missing => {
            let names = [all, remaining, reset, "ratelimit-policy", "ratelimit"];
            let is_one = |name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
            reply.headers.retain(|(name, _)| !is_one(name));
        }
        RateLie::Zero => set(reply, &[(remaining, "0"), ("ratelimit", "\"default\";r=0;t=60")]),
        RateLie::Full => {
            let both = format!("\"default\";r={full};t=0");
            set(reply, &[(remaining, &full), ("ratelimit", &both)]);
        }
        RateLie::Negative => {
            let both = "\"default\";r=-1;t=-60";
            set(reply, &[(remaining, "-1"), (reset, "-60"), ("ratelimit", both)]);
        }
        RateLie::Garbage => {
            let words = [(all, "many"), (remaining, "plenty"), (reset, "soon"), ("ratelimit", "~")];
            set(reply, &words);
        }
        RateLie::OtherReset => {
            let sent = reply.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(reset));
            let sent: u64 = sent.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
            let now = Clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            let other = match limit.reset_form {
                ResetForm::DeltaSeconds => now.saturating_add(sent),
                ResetForm::EpochSeconds => sent.saturating_sub(now),
            };
            set(reply, &[(reset, &other.to_string())]);
        }
        RateLie::Huge => set(reply, &[(all, HUGE), (remaining, HUGE), (reset, HUGE)]),
    }
    reply.headers != before
}

/// Replaces the values of headers that are there.
fn set(reply: &mut Reply, values: &[(&str, &str)]) {
    for (name, value) in &mut reply.headers {
        let wanted = values.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        if let Some((_, wanted)) = wanted {
            *value = (*wanted).to_owned();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::ContractProfile;

    /// What stands in limit, remaining and reset after a lie over (100, 42, 17).
    fn rewritten(form: ResetForm, which: RateLie) -> Vec<String> {
        let mut limit = ContractProfile::linktree_v1().limit;
        limit.reset_form = form;
        let mut reply = Reply::empty(200).with_header("X-Other", "stays");
        let names = [&limit.limit_header, &limit.remaining_header, &limit.reset_header];
        for (name, value) in names.into_iter().zip(["100", "42", "17"]) {
            reply.add_header(name.clone(), value);
        }
        assert!(lie(&mut reply, &limit, which), "{which:?}");
        assert_eq!(reply.headers[0].1, "stays");
        reply.headers[1..].iter().map(|(_, value)| value.clone()).collect()
    }

    #[test]
    fn each_lie_stands_in_its_own_headers() {
        let check = |which, expected: &[&str]| {
            assert_eq!(rewritten(ResetForm::DeltaSeconds, which), expected, "{which:?}");
        };
        check(RateLie::Missing, &[]);
        check(RateLie::Zero, &["100", "0", "17"]);
        check(RateLie::Full, &["100", "100", "17"]);
        check(RateLie::Negative, &["100", "-1", "-60"]);
        check(RateLie::Garbage, &["many", "plenty", "soon"]);
        check(RateLie::Huge, &[HUGE, HUGE, HUGE]);
    }

    #[test]
    fn the_reset_comes_in_the_other_form() {
        let epoch: u64 =
            rewritten(ResetForm::DeltaSeconds, RateLie::OtherReset)[2].parse().unwrap();
        assert!(epoch > 1_700_000_000);
        assert_eq!(rewritten(ResetForm::EpochSeconds, RateLie::OtherReset)[2], "0");
    }

    #[test]
    fn a_lie_that_is_the_truth_is_none() {
        let limit = ContractProfile::linktree_v1().limit;
        let mut reply = Reply::empty(200).with_header(limit.remaining_header.clone(), "0");
        assert!(!lie(&mut reply, &limit, RateLie::Zero));
        assert!(!lie(&mut Reply::empty(200), &limit, RateLie::Missing));
    }
}
