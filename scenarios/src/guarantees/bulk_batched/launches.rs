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
