//! Simulated sinks of failed webhooks, whole and with holes, and looks into them.

use crate::models::judged;
use crate::observed::{Kept, KeptForm};
use crate::testing::{History, delivery, poison_rules, shaped_by};
use mock_server::clock::Moment;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// How failed webhooks are kept.
#[derive(Clone, Copy, PartialEq)]
enum Keeps {
    Whole,
    IdOnly,
    Nothing,
    UntilTheRestart,
    AfterAQuarter,
}

/// Eight webhooks that nobody can process, of which looks once a second find what is kept; the process is
/// stopped after them, and a route cannot be read then.
fn keeping(random: &mut ChaCha8Rng, keeps: Keeps) -> History {
    let mut history = History::over(&[]);
    history.case.plan.faults = poison_rules();
    let restart = random.random_range(30_000..40_000);
    let down = random.random_range(100..3_000);
    let by_route = random.random_range(0..2) == 0;
    let forms = [KeptForm::Raw, KeptForm::Json, KeptForm::Encoded];
    let form = forms[random.random_range(0..3)];
    let end = 60_000;
    for n in 0..8u64 {
        let rule = ["not-json", "no-data", "long", "no-data"][(n % 4) as usize];
        let id = format!("p{n}");
        let at_ms = 1_000 + n * random.random_range(50..3_000);
        let status = [200, 204, 400, 422, 500][random.random_range(0..5)];
        let mut sent = shaped_by(rule, delivery(&id, "ann", at_ms, status));
        sent.t_end = Moment::from_ms(at_ms + random.random_range(1..900));
        let kept_at = sent.t_end.0 / 1_000_000
            + match keeps {
                Keeps::AfterAQuarter => 15_000,
                _ => random.random_range(0..4_000),
            };
        history = history.sent([sent]);
        let is_there = |at: u64| match keeps {
            Keeps::Whole | Keeps::AfterAQuarter => at >= kept_at,
            Keeps::UntilTheRestart => (kept_at..restart).contains(&at),
            Keeps::IdOnly | Keeps::Nothing => false,
        };
        let other = if keeps == Keeps::IdOnly { KeptForm::IdOnly } else { KeptForm::Absent };
        let (mut now, mut known) = (random.random_range(0..1_000), None);
        while now < end {
            let readable = !by_route || !(restart..restart + down).contains(&now);
            let found = if is_there(now) { form } else { other };
            if now > at_ms && readable && known != Some(found) {
                known = Some(found);
                history.case.target.kept.push(look(&id, now, found, false));
            }
            now += random.random_range(900..1_600);
        }
        let found = if is_there(end) { form } else { other };
        history.case.target.kept.push(look(&id, end, found, true));
    }
    for n in 0..3 {
        history = history.sent([delivery(&format!("g{n}"), "ann", 900 + n * 10, 200)]);
    }
    history.terminated(restart, restart + 50, restart + down)
}

fn look(id: &str, at_ms: u64, form: KeptForm, last: bool) -> Kept {
    Kept { at: Moment::from_ms(at_ms), delivery_id: id.into(), form, last }
}

#[test]
fn who_keeps_what_failed_is_never_blamed_and_who_does_not_is_caught() {
    let of = |keeps| judged("webhook-failures-logged", move |random| keeping(random, keeps));
    of(Keeps::Whole).is_never_blamed("whatever is kept whole", 100);
    of(Keeps::IdOnly).is_caught("ids alone", 100);
    of(Keeps::Nothing).is_caught("nothing", 100);
    of(Keeps::UntilTheRestart).is_caught("until the restart", 100);
    of(Keeps::AfterAQuarter).is_caught("after a quarter of a minute", 100);
}
