//! Only deliveries that are signed, fresh and unseen are accepted and have an effect.
//!
//! Blind to: effects that no call for a page shows, and what happens later than a second and a half. Broken
//! by: `webhook-signature-not-checked`, `webhook-json-verified-again`, `webhook-timestamp-unchecked`,
//! `webhook-signature-prefix`, `webhook-first-signature-only`, `webhook-acts-before-it-checks`,
//! `webhook-duplicates-processed`.

mod effects;
#[cfg(test)]
mod tests;

use super::evidence::webhooks::{
    Message, Nature, carries, is_accepted, is_near, is_unbelievable, is_undisturbed, messages, tell,
};
use super::{Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::Case;
use crate::front_door::FrontRoute;
use crate::history::Operation;
use crate::measure::Gauge;
use crate::strength::{Minimum, Strength};
use crate::verdict::{Offences, Verdict, Witness};
use effects::Effects;
use mock_server::history::record::Delivery;
use mock_server::webhooks::{Forgery, SignatureList};

const PROMISE: Promise = Promise {
    id: "webhook-signature",
    statement: "Only signed, fresh and unseen deliveries have an effect, and every genuine one is accepted.",
    priority: Priority::Critical,
    source: "checklist; Standard Webhooks 1.0: the signature covers id, timestamp and the raw body, and a \
             timestamp is tolerated for 300 s",
    why: "A webhook's address is public. Whoever finds it can purge pages and invent events, unless each \
          delivery is verified; and whoever verifies wrongly refuses what Linktree itself sends.",
    usual_fix: "Verify the bytes that came, before any parser, with a constant-time comparison of the whole \
                signature and every signature of the list; refuse what is more than 300 s off; remember the \
                ids of what was dealt with.",
    blind_to: "Effects that no call for a page shows, those that come later than a second and a half, and \
               a copy after a restart, which is reported only. An upper-case signature may be accepted or \
               not. One kind of forgery that is refused in words and acted upon all the same: effects are \
               only told from chance where most of what must have none has one.",
    bounds: &[],
    minimums: &[
        FORGERIES,
        OLD,
        NEW,
        GENUINE,
        LISTS,
        COPIES,
        effects::CALIBRATING,
        effects::CONTROLS,
        effects::UNBELIEVABLE,
        effects::COPIES,
    ],
    when_late: Stands::Always,
    when_overloaded: Stands::IfViolated,
    needs: &[FrontRoute::Webhooks],
    sees: &[Sight::Upstream, Sight::FrontDoor],
};

/// One that was refused may have met a service that was busy.
const FORGERIES: Minimum = Minimum { name: "answered deliveries of each forgery", least: 2 };
const OLD: Minimum = Minimum { name: "answered deliveries that were too old", least: 2 };
const NEW: Minimum = Minimum { name: "answered deliveries that were too new", least: 2 };
const GENUINE: Minimum = Minimum { name: "genuine messages that were answered", least: 10 };
const LISTS: Minimum = Minimum { name: "answered messages with each list of signatures", least: 1 };
const COPIES: Minimum = Minimum { name: "messages that came more than once", least: 3 };

/// A genuine message is refused when this many of its attempts are: the first may have met a moment of
/// the service's own.
const REFUSALS: usize = 2;

/// See the module.
pub struct WebhookSignature;

struct Receiving<'c> {
    case: &'c Case,
    effects: Effects<'c>,
}

impl Guarantee for WebhookSignature {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        Box::new(Receiving { case, effects: Effects::of(case) })
    }
}

impl Judge for Receiving<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        self.effects.visited(operation);
    }

    fn verdict(self: Box<Self>) -> Verdict {
        let Self { case, effects } = *self;
        let mut offences = Offences::default();
        let mut answers = Answers::default();
        for delivery in &case.linktree.deliveries {
            answers.delivery(case, delivery, &mut offences);
        }
        let messages = messages(case);
        for message in &messages {
            answers.message(case, message, &mut offences);
        }
        let effects = effects.judged(&mut offences);
        let Answers { believed, unbelievable, refused, genuine, .. } = answers;
        let gauges = [
            Gauge::none_of("deliveries believed that must not be").counted(believed, unbelievable),
            Gauge::none_of("genuine messages refused").counted(refused, genuine),
            effects.gauge(),
        ];
        let observed = format!("{}; {}", answers.odd(), effects.words());
        let rule = format!(
            "2xx for what is signed over its bytes within {} s, and neither 2xx nor 3xx for anything else; \
             a copy has no second effect",
            case.contract.webhooks.tolerance_s,
        );
        let mut strength = answers.strength(case);
        strength.extend(effects.strength());
        offences
            .verdict(unbelievable + genuine, "answered deliveries")
            .only_if(case.harness.completed(), "the recording broke off")
            .at_least(strength)
            .measured(gauges, observed, rule)
    }
}

/// How deliveries were answered.
#[derive(Default)]
struct Answers {
    /// Of each forgery, in the order of [`Forgery::ALL`].
    forged: [usize; Forgery::ALL.len()],
    old: usize,
    new: usize,
    listed: [usize; 3],
    copied: usize,
    genuine: usize,
    unbelievable: usize,
    believed: u64,
    refused: u64,
    /// Refusals with 5xx, which say that the service itself failed.
    failing: usize,
    /// Upper-case signatures that were accepted.
    upper_case: usize,
}

impl Answers {
    /// One that nobody may believe.
    fn delivery(&mut self, case: &Case, delivery: &Delivery, offences: &mut Offences) {
        let Some(status) = delivery.status else { return };
        let nature = Nature::of(case, delivery);
        if nature == Nature::Forged(Forgery::UpperCaseHex) {
            self.upper_case += usize::from(is_accepted(delivery));
        }
        if !is_unbelievable(case, delivery) {
            return;
        }
        match nature {
            Nature::Forged(how) => {
                let place = Forgery::ALL.iter().position(|known| *known == how);
                place.into_iter().for_each(|place| self.forged[place] += 1);
            }
            // What is off by no time is believable.
            Nature::Shifted(by) if by < 0 => self.old += 1,
            Nature::Shifted(_) => self.new += 1,
            Nature::Genuine | Nature::Listed(_) | Nature::Reformatted | Nature::Poison(..) => {}
        }
        self.unbelievable += 1;
        self.failing += usize::from(status >= 500);
        if (200..400).contains(&status) {
            self.believed += 1;
            offences.add(delivery.t_sent, || {
                let what = format!("a delivery that was {} was answered {status}", nature.words());
                Witness::new(delivery.t_sent, what).line(tell(case, delivery))
            });
        }
    }

    /// One that everybody must accept, unless nobody can process it.
    fn message(&mut self, case: &Case, message: &Message<'_>, offences: &mut Offences) {
        let nature = Nature::of(case, message.attempts[0]);
        let is_near = match nature {
            Nature::Genuine | Nature::Listed(_) | Nature::Reformatted => true,
            Nature::Shifted(by) => is_near(case, by) == Some(true),
            Nature::Forged(_) | Nature::Poison(..) => false,
        };
        let attempts = || message.attempts.iter().filter(|one| one.authentic);
        let answered: Vec<&&Delivery> =
            attempts().filter(|one| one.status.is_some() && is_undisturbed(case, one)).collect();
        let accepted = attempts().any(|one| is_accepted(one));
        let refused = answered.iter().filter(|one| !matches!(one.status, Some(429 | 503))).count();
        if !is_near || !(accepted || refused >= REFUSALS) {
            return;
        }
        self.genuine += 1;
        match nature {
            Nature::Listed(SignatureList::StrangerFirst) => self.listed[0] += 1,
            Nature::Listed(SignatureList::StrangerLast) => self.listed[1] += 1,
            Nature::Listed(SignatureList::UnknownVersions) => self.listed[2] += 1,
            _ => {}
        }
        self.copied += usize::from(accepted && answered.len() > 1);
        if !accepted {
            self.refused += 1;
            let at = message.attempts[0].t_sent;
            offences.add(at, || {
                let what = format!("a message that is {} was refused each time", nature.words());
                let lines = message.attempts.iter().take(3).map(|one| tell(case, one));
                lines.fold(Witness::new(at, what), Witness::line)
            });
        }
    }

    fn strength(&self, case: &Case) -> Vec<Strength> {
        let judged = Forgery::ALL.iter().zip(self.forged);
        let judged = judged.filter(|(how, _)| **how != Forgery::UpperCaseHex);
        let fewest = judged.map(|(_, seen)| seen).min().unwrap_or(0);
        // What the scheme has no room for cannot be sent.
        let (has_time, has_lists) = carries(case.contract.webhooks.scheme);
        let if_there = |there: bool, least: u64| if there { least } else { 0 };
        vec![
            FORGERIES.seen(fewest),
            OLD.of(self.old, if_there(has_time, OLD.least)),
            NEW.of(self.new, if_there(has_time, NEW.least)),
            GENUINE.seen(self.genuine),
            LISTS.of(self.listed.into_iter().min().unwrap_or(0), if_there(has_lists, LISTS.least)),
            COPIES.seen(self.copied),
        ]
    }

    fn odd(&self) -> String {
        let Self { failing, upper_case, .. } = self;
        format!("{failing} were refused with 5xx, {upper_case} upper-case signatures accepted")
    }
}
