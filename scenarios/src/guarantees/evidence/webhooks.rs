//! What was sent to the integration: what makes each delivery what it is, and which were one message.

use crate::case::Case;
use mock_server::faults::Fault;
use mock_server::history::record::Delivery;
use mock_server::webhooks::{Forgery, Indigestible, SchemeName, SignatureList};
use std::collections::BTreeMap;

/// What makes a delivery what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// Nothing: it is genuine, and of now.
    Genuine,
    /// It was forged.
    Forged(Forgery),
    /// Its timestamp is off by so many seconds; less than 0 is the past.
    Shifted(i64),
    /// It is genuine, and its signature stands in a list.
    Listed(SignatureList),
    /// It is genuine, and laid out oddly.
    Reformatted,
    /// It is genuine, and nobody can process it.
    Poison(Indigestible, u32),
}

/// The attempts to deliver one message to one registration.
pub struct Message<'c> {
    /// In order of their beginnings; never none.
    pub attempts: Vec<&'c Delivery>,
}

impl Nature {
    /// What the faults that shaped a delivery made of it.
    #[must_use]
    pub fn of(case: &Case, delivery: &Delivery) -> Self {
        let faults = delivery.faults.iter().filter_map(|mark| {
            case.plan.faults.iter().find(|rule| rule.id == mark.rule).map(|rule| &rule.fault)
        });
        for fault in faults {
            match fault {
                Fault::Forge(forge) => return Self::Forged(forge.how),
                Fault::Stale(stale) => return Self::Shifted(-i64::from(stale.age_s)),
                Fault::Future(future) => return Self::Shifted(future.ahead_s.into()),
                Fault::Rotate(rotate) => return Self::Listed(rotate.list),
                Fault::Reformat(_) => return Self::Reformatted,
                Fault::Poison(poison) => return Self::Poison(poison.how, poison.bytes),
                _ => {}
            }
        }
        Self::Genuine
    }

    /// In words, for people.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Genuine => "genuine".to_owned(),
            Self::Forged(how) => format!("forged ({})", word(how)),
            // By no time at all is either.
            Self::Shifted(by) if by < 0 => format!("{} s old", -by),
            Self::Shifted(by) => format!("{by} s ahead of time"),
            Self::Listed(list) => format!("genuine, in a list ({})", word(list)),
            Self::Reformatted => "genuine, laid out oddly".to_owned(),
            Self::Poison(how, _) => format!("genuine and senseless ({})", word(how)),
        }
    }
}

fn word(value: impl serde::Serialize) -> String {
    let word = serde_json::to_value(value).ok();
    word.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Every message with its attempts, in order of their first ones. What a forgery calls by another id is a
/// message of its own.
#[must_use]
pub fn messages(case: &Case) -> Vec<Message<'_>> {
    let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut all: Vec<Message<'_>> = Vec::new();
    for delivery in &case.linktree.deliveries {
        let place = *places.entry((&delivery.webhook, &delivery.id)).or_insert(all.len());
        match all.get_mut(place) {
            Some(message) => message.attempts.push(delivery),
            None => all.push(Message { attempts: vec![delivery] }),
        }
    }
    all
}

/// Whether it was accepted.
#[must_use]
pub fn is_accepted(delivery: &Delivery) -> bool {
    delivery.status.is_some_and(|status| (200..300).contains(&status))
}

/// Whether nothing but the integration decided how it was answered: it ran from then on until then.
#[must_use]
pub fn is_undisturbed(case: &Case, delivery: &Delivery) -> bool {
    !case.target.disturbed_within(delivery.t_sent.minus(case.harness.delta), delivery.t_end)
}

/// A line of a witness's story.
#[must_use]
pub fn tell(case: &Case, delivery: &Delivery) -> String {
    let answer = match (delivery.status, &delivery.failure) {
        (Some(status), _) => status.to_string(),
        (None, Some(why)) => why.clone(),
        (None, None) => "no answer".to_owned(),
    };
    let (at, nature) = (case.at(delivery.t_sent), Nature::of(case, delivery).words());
    let Delivery { webhook_event, handle, id, .. } = delivery;
    format!("{at} {webhook_event} about {handle} ({id}), {nature} → {answer}")
}

/// Whether this scheme's headers carry a time, and whether they have room for several signatures.
#[must_use]
pub const fn carries(scheme: SchemeName) -> (bool, bool) {
    match scheme {
        SchemeName::StandardWebhooks | SchemeName::LinktreeAssumed | SchemeName::Stripe => {
            (true, true)
        }
        SchemeName::Github => (false, false),
    }
}

/// On either side of the contract's tolerance nobody is judged for so long: clocks are read in whole
/// seconds, and a delivery may wait.
const ROUNDING_S: i64 = 10;

/// What is off by this is believed, for certain or not at all.
#[must_use]
pub fn is_near(case: &Case, by_s: i64) -> Option<bool> {
    let tolerance = i64::from(case.contract.webhooks.tolerance_s);
    match by_s.abs() {
        off if off <= tolerance - ROUNDING_S => Some(true),
        off if off >= tolerance + ROUNDING_S => Some(false),
        _ => None,
    }
}

/// Whether nobody may believe it. Of an upper-case signature that is an open question: who decodes hex
/// before comparing takes it.
#[must_use]
pub fn is_unbelievable(case: &Case, delivery: &Delivery) -> bool {
    !delivery.authentic
        && match Nature::of(case, delivery) {
            Nature::Forged(how) => how != Forgery::UpperCaseHex,
            Nature::Shifted(by) => is_near(case, by) == Some(false),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, delivery, shaped_by, webhook_rules};

    fn case() -> Case {
        let mut case = History::over(&[]).case;
        case.plan.faults = webhook_rules();
        case
    }

    #[test]
    fn within_ten_seconds_of_the_tolerance_nobody_is_judged() {
        let case = case();
        for (off, expected) in [
            (0, Some(true)),
            (290, Some(true)),
            (291, None),
            (309, None),
            (310, Some(false)),
            (100_000, Some(false)),
        ] {
            assert_eq!([is_near(&case, off), is_near(&case, -off)], [expected; 2], "{off}");
        }
    }

    #[test]
    fn a_delivery_is_what_its_faults_made_of_it_and_says_so() {
        let case = case();
        for (rule, words, unbelievable) in [
            ("body-bit", "forged (body-bit)", true),
            ("upper-case-hex", "forged (upper-case-hex)", false),
            ("old", "320 s old", true),
            ("new", "320 s ahead of time", true),
            ("old-close", "305 s old", false),
            ("old-near", "280 s old", false),
            ("stranger-first", "genuine, in a list (stranger-first)", false),
            ("reformat", "genuine, laid out oddly", false),
            ("twice", "genuine", false),
            ("no-data", "genuine and senseless (no-data)", false),
        ] {
            let sent = shaped_by(rule, delivery("d1", "ann", 1_000, 401));
            assert_eq!(Nature::of(&case, &sent).words(), words);
            assert_eq!(is_unbelievable(&case, &sent), unbelievable, "{rule}");
        }
        // What was signed well is believed, whatever a fault was about to do.
        let genuine = Delivery {
            authentic: true,
            ..shaped_by("body-bit", delivery("d1", "ann", 1_000, 401))
        };
        assert!(!is_unbelievable(&case, &genuine));
    }

    #[test]
    fn it_is_told_with_what_came_of_it() {
        let case = case();
        let answered = delivery("d1", "ann", 1_000, 204);
        let told = tell(&case, &answered);
        assert!(told.ends_with(" about ann (d1), genuine → 204"), "{told}");
        let failed = Delivery { status: None, failure: Some("refused".into()), ..answered.clone() };
        assert!(tell(&case, &failed).ends_with("→ refused"));
        let silent = Delivery { status: None, failure: None, ..answered };
        assert!(tell(&case, &silent).ends_with("→ no answer"));
    }

    #[test]
    fn attempts_of_one_message_to_one_registration_belong_together() {
        let mut case = case();
        let elsewhere = Delivery { webhook: "wh_2".into(), ..delivery("a", "ann", 1_100, 200) };
        case.linktree.deliveries = vec![
            delivery("a", "ann", 1_000, 500),
            elsewhere,
            delivery("b", "ann", 1_200, 200),
            delivery("a", "ann", 1_300, 200),
        ];
        let sizes: Vec<usize> = messages(&case).iter().map(|one| one.attempts.len()).collect();
        assert_eq!(sizes, [2, 1, 1]);
    }

    #[test]
    fn only_2xx_accepts_and_who_was_down_just_before_is_disturbed() {
        for (status, accepted) in [(199, false), (200, true), (299, true), (300, false)] {
            assert_eq!(is_accepted(&delivery("a", "ann", 1_000, status)), accepted, "{status}");
        }
        // It is answered at 10,005 ms, and δ is 100 ms.
        let sent = delivery("a", "ann", 10_000, 200);
        for (from_ms, until_ms, undisturbed) in [
            (9_000, 9_899, true),
            (9_000, 9_901, false),
            (10_004, 10_100, false),
            (10_006, 10_100, true),
        ] {
            let mut history = History::over(&[]).paused(from_ms, until_ms);
            history.case.ready();
            assert_eq!(is_undisturbed(&history.case, &sent), undisturbed, "{from_ms}");
        }
    }

    #[test]
    fn what_a_scheme_has_room_for() {
        assert_eq!(carries(SchemeName::Github), (false, false));
        for scheme in
            [SchemeName::StandardWebhooks, SchemeName::LinktreeAssumed, SchemeName::Stripe]
        {
            assert_eq!(carries(scheme), (true, true), "{scheme:?}");
        }
    }
}
