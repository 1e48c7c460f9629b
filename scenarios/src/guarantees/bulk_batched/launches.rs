//! The campaigns that were launched, and which of two has the last word.

use crate::history::{Campaign, Operation};
use mock_server::clock::Moment;
use std::collections::HashMap;

/// One campaign.
#[derive(Clone, Debug)]
pub struct Launch {
    /// Whose.
    pub handle: String,
    /// When it was sent.
    pub sent: Moment,
    /// When it was answered, or given up.
    pub last: Moment,
    /// What was answered.
    pub answer: Answer,
    /// The links and the hashes of what they shall say, in the order in which they were sent.
    pub links: Vec<(String, String)>,
}

/// How the integration answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It took the campaign.
    Acknowledged,
    /// It said that it does not.
    Refused,
    /// Nobody knows: it failed, or said nothing.
    Unknown,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Launches {
    all: Vec<Launch>,
    /// For each link the campaigns that change it, and its place there.
    of_link: HashMap<String, Vec<(usize, usize)>>,
}

impl Launches {
    /// Takes one in.
    pub fn take(&mut self, operation: &Operation<'_>, campaign: &Campaign<'_>) {
        let refused = operation.failure.is_none()
            && operation.status.is_some_and(|status| (400..500).contains(&status));
        let answer = match (operation.is_ok(), refused) {
            (true, _) => Answer::Acknowledged,
            (_, true) => Answer::Refused,
            _ => Answer::Unknown,
        };
        let links = campaign.links.iter().map(|one| (one.id.to_string(), one.payload.to_string()));
        for (place, link) in campaign.links.iter().enumerate() {
            self.of_link.entry(link.id.to_string()).or_default().push((self.all.len(), place));
        }
        self.all.push(Launch {
            handle: operation.handle.to_string(),
            sent: operation.sent,
            last: operation.last,
            answer,
            links: links.collect(),
        });
    }

    /// Every one.
    pub fn all(&self) -> &[Launch] {
        &self.all
    }

    /// Those that the integration took.
    pub fn acknowledged(&self) -> impl Iterator<Item = &Launch> {
        self.all.iter().filter(|one| one.answer == Answer::Acknowledged)
    }

    /// The campaigns that change this link, with what each makes of it.
    pub fn of_link(&self, id: &str) -> impl Iterator<Item = (&Launch, &str)> {
        let places = self.of_link.get(id).map_or(&[][..], Vec::as_slice);
        places.iter().map(|(launch, place)| {
            let launch = &self.all[*launch];
            (launch, launch.links[*place].1.as_str())
        })
    }

    /// Whether some campaign asked for these words, and for how many of them.
    pub fn that_ask_for(&self, id: &str, payload: &str) -> usize {
        self.of_link(id).filter(|(_, asked)| *asked == payload).count()
    }

    /// Whether another campaign came before this one was due, and changes the link too: what this one says
    /// of it need not be written any more.
    pub fn supersedes(&self, id: &str, launch: &Launch, due: Moment) -> bool {
        self.of_link(id).any(|(other, _)| {
            !std::ptr::eq(other, launch)
                && other.answer != Answer::Refused
                && other.last > launch.sent
                && other.sent < due
        })
    }

    /// Whether a link may say in the end what this campaign makes of it: none that was acknowledged came
    /// certainly later. What was not answered may be carried out at any time.
    pub fn may_stand(&self, id: &str, launch: &Launch) -> bool {
        launch.answer == Answer::Unknown || self.later(id, launch).next().is_none()
    }

    /// The acknowledged campaigns that change the link, too, and came after this one's answer.
    pub fn later<'l>(
        &'l self,
        id: &str,
        launch: &Launch,
    ) -> impl Iterator<Item = (&'l Launch, &'l str)> {
        let answered = launch.last;
        let is_later =
            move |other: &Launch| other.answer == Answer::Acknowledged && other.sent > answered;
        self.of_link(id).filter(move |(other, _)| is_later(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Did, OpFailure};
    use crate::testing::launched;

    /// A launch in the making: what it makes of the link, when it was sent and answered, and how.
    type Made<'m> = (&'m str, u64, u64, (Option<u16>, Option<OpFailure>));

    const TAKEN: (Option<u16>, Option<OpFailure>) = (Some(202), None);
    const REFUSED: (Option<u16>, Option<OpFailure>) = (Some(400), None);
    const UNKNOWN: (Option<u16>, Option<OpFailure>) = (None, Some(OpFailure::Timeout));

    /// Launches that change another link of each first, and then `l`.
    fn launches(all: &[Made<'_>]) -> Launches {
        let mut launches = Launches::default();
        for (nth, (payload, sent, last, (status, failure))) in all.iter().enumerate() {
            let launched =
                launched(&[(&format!("own-{nth}"), "own"), ("l", payload)], *sent, *last);
            let operation = Operation { status: *status, failure: *failure, ..launched };
            let Did::Campaign(campaign) = &operation.did else { panic!("a campaign") };
            launches.take(&operation, campaign);
        }
        launches
    }

    #[test]
    fn an_answer_of_the_400s_refuses_and_what_is_not_whole_says_nothing() {
        let check = |status, failure, expected| {
            let launches = launches(&[("a", 0, 5, (status, failure))]);
            assert_eq!(launches.all()[0].answer, expected, "{status:?} {failure:?}");
            let is_taken = expected == Answer::Acknowledged;
            assert_eq!(launches.acknowledged().count(), usize::from(is_taken));
        };
        for (statuses, expected) in [
            ([200, 202, 299], Answer::Acknowledged),
            ([400, 404, 499], Answer::Refused),
            ([399, 500, 503], Answer::Unknown),
        ] {
            statuses.iter().for_each(|status| check(Some(*status), None, expected));
        }
        check(None, Some(OpFailure::Timeout), Answer::Unknown);
        check(Some(202), Some(OpFailure::Broken), Answer::Unknown);
        check(Some(404), Some(OpFailure::Broken), Answer::Unknown);
    }

    #[test]
    fn of_each_link_it_is_known_who_asked_for_which_words() {
        let launches =
            launches(&[("a", 0, 5, TAKEN), ("b", 10, 15, TAKEN), ("a", 20, 25, REFUSED)]);
        let asked: Vec<_> = launches.of_link("l").map(|(one, says)| (one.sent, says)).collect();
        let ms = Moment::from_ms;
        assert_eq!(asked, [(ms(0), "a"), (ms(10), "b"), (ms(20), "a")]);
        assert_eq!(launches.of_link("own-1").map(|one| one.1).collect::<Vec<_>>(), ["own"]);
        assert_eq!(launches.of_link("nobody's").count(), 0);
        let count = ["a", "b", "c"].map(|words| launches.that_ask_for("l", words));
        assert_eq!(count, [2, 1, 0]);
    }

    /// Whether the first is superseded at this moment.
    #[track_caller]
    fn superseded(all: &[Made<'_>], due_ms: u64, expected: bool) {
        let launches = launches(all);
        let found = launches.supersedes("l", &launches.all()[0], Moment::from_ms(due_ms));
        assert_eq!(found, expected, "{all:?}");
    }

    #[test]
    fn one_that_comes_before_another_is_due_supersedes_it() {
        let first = ("a", 10, 15, TAKEN);
        superseded(&[first], 100, false);
        superseded(&[first, ("b", 20, 25, TAKEN)], 21, true);
        superseded(&[first, ("b", 20, 25, TAKEN)], 20, false);
        superseded(&[first, ("b", 20, 25, UNKNOWN)], 21, true);
        superseded(&[first, ("b", 20, 25, REFUSED)], 21, false);
        // It was not over when this one came.
        superseded(&[first, ("b", 5, 11, TAKEN)], 100, true);
        superseded(&[first, ("b", 5, 10, TAKEN)], 100, false);
        let other = launches(&[first, ("b", 20, 25, TAKEN)]);
        assert!(!other.supersedes("own-0", &other.all()[0], Moment::from_ms(100)));
    }

    /// Whether what the first says may stand.
    #[track_caller]
    fn may_stand(all: &[Made<'_>], expected: bool) {
        let launches = launches(all);
        assert_eq!(launches.may_stand("l", &launches.all()[0]), expected, "{all:?}");
    }

    #[test]
    fn words_stand_unless_others_were_certainly_taken_later() {
        let first = ("a", 10, 15, TAKEN);
        may_stand(&[first], true);
        may_stand(&[first, ("b", 16, 20, TAKEN)], false);
        may_stand(&[first, ("b", 15, 20, TAKEN)], true);
        may_stand(&[first, ("b", 16, 20, UNKNOWN)], true);
        may_stand(&[first, ("b", 16, 20, REFUSED)], true);
        may_stand(&[("a", 10, 15, UNKNOWN), ("b", 16, 20, TAKEN)], true);
    }
}
