//! The life of one delivery: held back, sealed, sent, sent again, until it is over.

use super::context::{Attempt, Context};
use super::effect::DeliveryEffect;
use super::message::Message;
use super::schedule::Next;
use crate::contract::Route;
use crate::faults::engine::Decision;
use crate::faults::{Effect, FaultMark, RequestView, Stage};
use futures_util::future::join_all;
use std::rc::Rc;
use std::time::Duration;

/// Begins the deliveries of a message to everybody who wants it. Faults decide here, in the order
/// of messages, so that neither answers nor retries change who is hit.
pub(super) fn dispatch(context: &Rc<Context>, message: Message) {
    let message = Rc::new(message);
    for webhook in context.queue().wanting(message.event) {
        if !context.admit() {
            continue;
        }
        let under_way = UnderWay(Rc::clone(context));
        let decision = decide(context, &message);
        let message = Rc::clone(&message);
        tokio::task::spawn_local(async move {
            deliver(&under_way.0, &message, &webhook, decision).await;
        });
    }
}

/// Counts as under way for as long as it lives.
struct UnderWay(Rc<Context>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.leave();
    }
}

fn decide(context: &Context, message: &Message) -> Decision {
    let key = RequestView::delivery_key(message.event, &message.handle);
    let view = RequestView {
        stage: Stage::Delivery,
        method: "POST",
        route: Route::Webhooks,
        handle: Some(&message.handle),
        key: &key,
    };
    let armed = context.shared.world.ms_since_armed(context.clock.now());
    context.shared.engine.decide(&view, armed)
}

async fn deliver(context: &Context, message: &Message, webhook: &str, decision: Decision) {
    let Decision { delay_us, effect, marks, .. } = decision;
    let effect = if let Effect::Delivery(effect) = effect { Some(effect) } else { None };
    if delay_us > 0 {
        tokio::time::sleep(Duration::from_micros(delay_us)).await;
    }
    if let Some(DeliveryEffect::Reorder { behind, at_most_ms }) = effect {
        context.hold(webhook, message.number, behind, Duration::from_millis(at_most_ms)).await;
    }
    let mut attempts = 0;
    for round in 0.. {
        let effect = effect.filter(|effect| round == 0 || effect.is_for_every_attempt());
        let marks = match (round, effect) {
            (0, _) => marks.clone(),
            // The effect's mark is the last one; before it stand those of latency.
            (_, Some(_)) => marks.last().cloned().into_iter().collect(),
            (_, None) => Vec::new(),
        };
        let task = Round { context, message, webhook, effect, marks, attempts };
        let Some(answers) = task.run().await else { return };
        attempts += u32::try_from(answers.len()).unwrap_or(u32::MAX);
        if round == 0 {
            context.passed(webhook, message.number);
        }
        match context.schedule.next(round, &answers) {
            Next::After(pause) => tokio::time::sleep(pause).await,
            Next::Disable => return context.queue().disable(webhook),
            Next::Done | Next::GivenUp => return,
        }
    }
}

/// One turn of the schedule: one attempt, or several with the same bytes.
struct Round<'a> {
    context: &'a Context,
    message: &'a Message,
    webhook: &'a str,
    effect: Option<DeliveryEffect>,
    marks: Vec<FaultMark>,
    /// How many attempts there were before.
    attempts: u32,
}

impl Round<'_> {
    /// The status of each attempt; none at all when the registration is gone or disabled.
    async fn run(self) -> Option<Vec<Option<u16>>> {
        let Self { context, message, webhook, effect, mut marks, attempts } = self;
        let first_slot = context.slots.acquire().await.ok()?;
        let destination = context.queue().destination(webhook)?;
        // Sealed only when it is its turn, so that a queue here does not make a timestamp old.
        let (letter, done) = context.seal(message, &destination, effect);
        if !done {
            marks.pop();
        }
        let (copies, gap_ms) = match effect {
            Some(DeliveryEffect::Duplicate { copies, gap_ms }) => (copies.max(1), gap_ms),
            _ => (1, 0),
        };
        let is_poison = matches!(effect, Some(DeliveryEffect::Poison { .. }));
        let mut first_slot = Some(first_slot);
        let sending = (0..copies).map(|copy| {
            let (slot, letter, destination, marks) =
                (first_slot.take(), &letter, &destination, marks.clone());
            async move {
                let _slot = match slot {
                    Some(slot) => slot,
                    None => {
                        let gap = Duration::from_millis(gap_ms.saturating_mul(copy.into()));
                        tokio::time::sleep(gap).await;
                        context.slots.acquire().await.ok()?
                    }
                };
                let attempt = attempts + copy + 1;
                let attempt =
                    Attempt { message, webhook, destination, letter, attempt, marks, is_poison };
                context.send(attempt).await
            }
        });
        Some(join_all(sending).await)
    }
}
