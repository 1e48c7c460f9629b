//! A genuine webhook that cannot be processed is kept with its payload, also across a restart.
//!
//! Blind to: sinks that nobody declares, and whether anybody replays what is there. Broken by:
//! `webhook-failures-in-log-only`, `webhook-failures-gone-on-restart`, `webhook-payload-cut`,
//! `webhook-unknown-fields-dropped`.

use super::evidence::webhooks::{Message, Nature, is_accepted, messages, tell};
use super::{AtOnce, Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::Case;
use crate::front_door::FrontRoute;
use crate::history::{Change, Process};
use crate::measure::{Gauge, humane};
use crate::observed::{Kept, KeptForm};
use crate::strength::Minimum;
use crate::verdict::{Offences, Verdict, Witness};
use mock_server::clock::Moment;
use mock_server::history::record::Delivery;
use mock_server::webhooks::Indigestible;
use std::time::Duration;

const PROMISE: Promise = Promise {
    id: "webhook-failures-logged",
    statement: "A genuine webhook that cannot be processed is kept with its payload, for a replay.",
    priority: Priority::Standard,
    source: "checklist; a dead-letter queue: what fails is kept whole until somebody has mended the cause",
    why: "Linktree sends what was answered 2xx once, and gives up on what was refused for long. What was \
          neither processed nor kept is gone, and nobody can tell what it said.",
    usual_fix: "Write the raw bytes with the id to a file or table before answering, and commit; a line in \
                the log that names the id cannot be replayed.",
    blind_to: "Failures behind the service's own parser, sinks that no configuration names, and whether \
               what is kept is ever processed.",
    bounds: &[],
    minimums: &[NOT_JSON, NO_DATA, LONG, RESTARTS, GENUINE],
    when_late: Stands::Always,
    when_overloaded: Stands::IfViolated,
    needs: &[FrontRoute::Webhooks],
    sees: &[Sight::Kept, Sight::Process],
};

const NOT_JSON: Minimum = Minimum { name: "webhooks that are no JSON", least: 2 };
const NO_DATA: Minimum = Minimum { name: "webhooks without data", least: 2 };
/// Loggers cut long lines, most of them at 1, 4 or 8 KiB.
const LONG: Minimum = Minimum { name: "such webhooks of more than 8 KiB", least: 1 };
const RESTARTS: Minimum = Minimum { name: "restarts after them", least: 1 };
/// Whoever refuses everything has shown nothing of what becomes of what fails.
const GENUINE: Minimum = Minimum { name: "genuine webhooks accepted", least: 3 };

const LONG_BYTES: u32 = 8 << 10;

/// So long after its answer it is kept, real time. The contract says that 2xx means accepted; queues may
/// take their time all the same.
const KEPT_WITHIN: Duration = Duration::from_secs(5);
/// The sink is looked at once in so long; a look may take as long again.
const LOOKS: Duration = Duration::from_secs(2);

/// See the module.
pub struct WebhookFailuresLogged;

impl Guarantee for WebhookFailuresLogged {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        Box::new(AtOnce(move || judge(case)))
    }
}

/// One that must be kept.
struct Poisoned<'c> {
    /// The first attempt that was answered: from then on the service has had it.
    delivery: &'c Delivery,
    how: Indigestible,
    bytes: u32,
    /// What was found of it, in order of the looks.
    found: Vec<&'c Kept>,
}

impl<'c> Poisoned<'c> {
    fn of(case: &'c Case, message: &Message<'c>) -> Option<Self> {
        let Nature::Poison(how, bytes) = Nature::of(case, message.attempts[0]) else { return None };
        let answered = |one: &&&Delivery| one.status.is_some();
        let delivery = *message.attempts.iter().find(answered)?;
        let id = &delivery.id;
        let found = case.target.kept.iter().filter(|kept| kept.delivery_id == *id).collect();
        delivery.authentic.then_some(Self { delivery, how, bytes, found })
    }

    /// What is wrong with how it is kept, since when; nothing where it is kept.
    fn lost(&self, case: &Case) -> Option<(Moment, String)> {
        let kept = self.found.iter().find(|kept| kept.form.is_whole());
        let due = self.delivery.t_end.plus(KEPT_WITHIN).plus(LOOKS).plus(case.harness.delta);
        let last = self.found.last().filter(|kept| kept.last)?;
        match kept {
            None if last.at > due => Some((due, format!("was {}", last.form.words()))),
            Some(kept) if !last.form.is_whole() => {
                Some((last.at, format!("was kept at {}, and gone at the end", case.at(kept.at))))
            }
            // Whoever was stopped or stood still is only asked what is there at the end.
            Some(kept)
                if kept.at > due
                    && !case.target.disturbed_within(self.delivery.t_sent, due)
                    && !case.harness.too_slow_within(self.delivery.t_sent, due) =>
            {
                Some((
                    due,
                    format!("was kept {} later only", humane(kept.at.since(self.delivery.t_end))),
                ))
            }
            _ => None,
        }
    }

    /// Whether the last look says what became of it.
    fn is_told(&self) -> bool {
        self.found.last().is_some_and(|kept| kept.last)
    }
}

fn judge(case: &Case) -> Verdict {
    let messages = messages(case);
    let all: Vec<Poisoned<'_>> =
        messages.iter().filter_map(|message| Poisoned::of(case, message)).collect();
    let told: Vec<&Poisoned<'_>> = all.iter().filter(|one| one.is_told()).collect();
    let mut offences = Offences::default();
    for one in &told {
        let Some((at, what)) = one.lost(case) else { continue };
        offences.add(at, || {
            let id = &one.delivery.id;
            let what = format!("webhook {id}, which nobody could process, {what}");
            let witness = Witness::new(at, what).line(tell(case, one.delivery));
            let looks = one.found.iter().take(4);
            looks.fold(witness, |witness, kept| {
                witness.line(format!("{} {}", case.at(kept.at), kept.form.words()))
            })
        });
    }
    let of_kind = |how| told.iter().filter(|one| one.how == how).count();
    let long = told.iter().filter(|one| one.bytes > LONG_BYTES).count();
    // A restart shows something of all that came before it.
    let last = told.iter().map(|one| one.delivery.t_end).max().unwrap_or(Moment::ZERO);
    let ready = |process: &&Process| process.change == Change::Ready && process.at > last;
    let restarts = case.target.processes.iter().filter(ready).count();
    let accepted = messages.iter().filter(|message| {
        let is_genuine = Nature::of(case, message.attempts[0]) == Nature::Genuine;
        is_genuine && message.attempts.iter().any(|one| is_accepted(one))
    });
    let as_form = |form| {
        let last = told.iter().filter_map(|one| one.found.last());
        last.filter(|kept| kept.form == form).count()
    };
    let observed = format!(
        "{} byte for byte, {} as the same JSON, {} encoded; {} by their ids alone, {} not at all",
        as_form(KeptForm::Raw),
        as_form(KeptForm::Json),
        as_form(KeptForm::Encoded),
        as_form(KeptForm::IdOnly),
        as_form(KeptForm::Absent),
    );
    let rule = format!(
        "its bytes, or the same JSON, are in the declared sink {} after its answer, give or take {} \
         between two looks, and still at the end",
        humane(KEPT_WITHIN),
        humane(LOOKS),
    );
    let gauge = Gauge::none_of("failed webhooks without their payload");
    let gauge = gauge.counted(offences.count(), told.len());
    let untold = all.len() - told.len();
    offences
        .verdict(told.len(), "webhooks that nobody could process")
        .only_if(
            untold == 0,
            format!("the sink could not be read at the end, for {untold} webhooks"),
        )
        .at_least([
            NOT_JSON.seen(of_kind(Indigestible::NotJson)),
            NO_DATA.seen(of_kind(Indigestible::NoData)),
            LONG.seen(long),
            RESTARTS.seen(restarts),
            GENUINE.seen(accepted.count()),
        ])
        .measured([gauge], observed, rule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, delivery, poison_rules, shaped_by};
    use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};

    const RULES: [&str; 4] = ["not-json", "no-data", "long", "no-data"];

    fn kept(id: &str, at_ms: u64, form: KeptForm, last: bool) -> Kept {
        Kept { at: Moment::from_ms(at_ms), delivery_id: id.into(), form, last }
    }

    /// Four webhooks that nobody can process and three others, a restart at 20 s, and a last look at 40 s.
    fn history(looks: impl Fn(&str) -> Vec<Kept>) -> History {
        let mut history = History::over(&[]);
        history.case.plan.faults = poison_rules();
        for (n, rule) in (0..).zip(RULES) {
            let id = format!("p{n}");
            let sent = shaped_by(rule, delivery(&id, "ann", 1_000 + n * 100, 204));
            history.case.linktree.deliveries.push(sent);
            history.case.target.kept.extend(looks(&id));
        }
        for n in 0..3 {
            let id = format!("g{n}");
            history.case.linktree.deliveries.push(delivery(&id, "ann", 2_000 + n * 100, 204));
        }
        history.terminated(20_000, 20_100, 20_500)
    }

    fn judged(history: History) -> VerdictKind {
        history.judged_by(&WebhookFailuresLogged).kind
    }

    fn found(looks: &[(u64, KeptForm, bool)]) -> VerdictKind {
        judged(history(|id| {
            looks.iter().map(|(at_ms, form, last)| kept(id, *at_ms, *form, *last)).collect()
        }))
    }

    #[test]
    fn what_is_kept_whole_and_stays_holds_in_whatever_form() {
        for form in [KeptForm::Raw, KeptForm::Json, KeptForm::Encoded] {
            let looks =
                [(2_000, KeptForm::Absent, false), (4_000, form, false), (40_000, form, true)];
            assert_eq!(found(&looks), Held);
        }
        let raw = |id: &str| {
            vec![kept(id, 2_000, KeptForm::Raw, false), kept(id, 40_000, KeptForm::Raw, true)]
        };
        let verdict = history(raw).judged_by(&WebhookFailuresLogged);
        assert!(verdict.observed.contains("4 byte for byte, 0 as the same"), "{verdict:?}");
        // The first was answered at 1,005 ms: it may be found at the last moment, or not looked for yet.
        assert_eq!(found(&[(8_105, KeptForm::Raw, false), (40_000, KeptForm::Raw, true)]), Held);
        assert_eq!(found(&[(8_105, KeptForm::Absent, true)]), Held);
        // A route that cannot be read for a while, as its service starts, says nothing.
        assert_eq!(found(&[(7_900, KeptForm::Raw, false), (40_000, KeptForm::Json, true)]), Held);
    }

    #[test]
    fn what_is_cut_or_forgotten_or_only_named_violates() {
        assert_eq!(found(&[(40_000, KeptForm::IdOnly, true)]), Violated);
        assert_eq!(found(&[(40_000, KeptForm::Absent, true)]), Violated);
        let forgets = [(2_000, KeptForm::Raw, false), (40_000, KeptForm::Absent, true)];
        assert_eq!(found(&forgets), Violated);
        let late = [(12_000, KeptForm::Raw, false), (40_000, KeptForm::Raw, true)];
        assert_eq!(found(&late), Violated);
        for named in ["p0", "p1", "p2", "p3"] {
            let one = |id: &str| {
                let form = if id == named { KeptForm::IdOnly } else { KeptForm::Raw };
                vec![kept(id, 2_000, form, false), kept(id, 40_000, form, true)]
            };
            let verdict = history(one).judged_by(&WebhookFailuresLogged);
            assert_eq!((verdict.kind, verdict.violations), (Violated, 1), "{named}");
        }
    }

    #[test]
    fn what_was_not_answered_need_not_be_kept_and_a_sink_that_is_not_read_shows_nothing() {
        let whole = |id: &str| {
            vec![kept(id, 2_000, KeptForm::Raw, false), kept(id, 40_000, KeptForm::Raw, true)]
        };
        let mut unanswered = history(whole);
        let mut lost = shaped_by("long", delivery("p9", "ann", 1_000, 0));
        lost.status = None;
        unanswered.case.linktree.deliveries.push(lost);
        assert_eq!(judged(unanswered), Held);
        assert_eq!(found(&[]), Inconclusive);
        assert_eq!(found(&[(2_000, KeptForm::Raw, false)]), Inconclusive);
        // Down in the time in which it should have been kept.
        let down = history(|id| {
            vec![kept(id, 12_000, KeptForm::Raw, false), kept(id, 40_000, KeptForm::Raw, true)]
        });
        assert_eq!(judged(down.terminated(1_500, 1_600, 11_000)), Held);
    }

    #[test]
    fn too_few_or_no_restart_after_them_is_inconclusive() {
        let whole = |id: &str| {
            vec![kept(id, 2_000, KeptForm::Raw, false), kept(id, 40_000, KeptForm::Raw, true)]
        };
        for left_out in 0..7 {
            // Of the second kind there are two.
            let mut history = history(whole);
            history.case.linktree.deliveries.remove(left_out);
            let verdict = history.judged_by(&WebhookFailuresLogged);
            assert_eq!(verdict.kind, Inconclusive, "{left_out}");
            let no_json = verdict.reason.unwrap().contains("webhooks that are no JSON: 1 seen");
            assert_eq!(no_json, [0, 2].contains(&left_out), "{left_out}");
        }
        let longest = |bytes| {
            let mut history = history(whole);
            for rule in &mut history.case.plan.faults {
                if let mock_server::faults::Fault::Poison(poison) = &mut rule.fault {
                    poison.bytes = poison.bytes.min(bytes);
                }
            }
            judged(history)
        };
        assert_eq!((longest(8_193), longest(8_192)), (Held, Inconclusive));
        let mut early = history(whole);
        early.case.target.processes.clear();
        assert_eq!(judged(early.terminated(500, 600, 700)), Inconclusive);
        let mut at_once = history(whole);
        at_once.case.target.processes.clear();
        assert_eq!(judged(at_once.terminated(500, 600, 1_305)), Inconclusive);
        let mut stands = history(whole);
        stands.case.target.processes.clear();
        assert_eq!(judged(stands.paused(20_000, 20_100)), Inconclusive);
    }
}
