//! Who has a connection to one port, and who gives way when there are too many.

use futures_util::task::AtomicWaker;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The places of one port.
pub(crate) struct Places {
    most: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    /// By number, in the order of arrival.
    connections: BTreeMap<u64, Arc<Claim>>,
    arrived: u64,
    /// Those who had not asked when they were last looked at, in the order of arrival, so that a flood
    /// of them does not have to be looked through for each newcomer; some may have asked or gone since.
    unasked: VecDeque<u64>,
}

/// One connection's place, which is free again when this is gone.
pub(crate) struct Place {
    places: Arc<Places>,
    number: u64,
    pub claim: Arc<Claim>,
}

/// How much a connection has a claim to its place.
pub(crate) struct Claim {
    state: Mutex<State>,
    gives_way: Notify,
    /// Who reads on it, and wants to know when an answer is over.
    reader: AtomicWaker,
}

/// The smallest gives way first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    stage: Stage,
    /// Whether it has ever asked for anything.
    has_asked: bool,
    /// When the stage began.
    since: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// It may or may not ask.
    Silent,
    /// A head has come, and no answer yet: it is a body that takes its time, since nothing else does.
    Asked,
    /// An answer is under way; such a connection never gives way.
    Answered,
}

/// A request, from its head to the end of its answer.
pub(crate) struct Answering(Arc<Claim>);

impl Places {
    pub fn of(most: usize) -> Arc<Self> {
        Arc::new(Self { most, taken: Mutex::default() })
    }

    /// A place for a new connection, if need be that of another; and whether all were taken. None where
    /// every connection has an answer under way.
    pub fn take(self: &Arc<Self>) -> (Option<Place>, bool) {
        let mut taken = self.taken();
        let was_full = taken.connections.len() >= self.most;
        if was_full && !taken.free_one() {
            return (None, true);
        }
        let number = taken.arrived;
        taken.arrived += 1;
        let state = State { stage: Stage::Silent, has_asked: false, since: Instant::now() };
        let claim = Arc::new(Claim {
            state: Mutex::new(state),
            gives_way: Notify::new(),
            reader: AtomicWaker::new(),
        });
        taken.connections.insert(number, Arc::clone(&claim));
        taken.note_unasked(number);
        (Some(Place { places: Arc::clone(self), number, claim }), was_full)
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn note_unasked(&mut self, number: u64) {
        self.unasked.push_back(number);
        // Mostly they have asked or gone: what is kept of them stays in proportion.
        if self.unasked.len() > 2 * self.connections.len() + 64 {
            let Self { connections, unasked, .. } = self;
            unasked
                .retain(|number| connections.get(number).is_some_and(|one| !one.state().has_asked));
        }
    }

    /// Ends the connection with the smallest claim; false when none can be ended.
    fn free_one(&mut self) -> bool {
        while let Some(number) = self.unasked.pop_front() {
            let never_asked = self.connections.get(&number).filter(|one| !one.state().has_asked);
            if let Some(gone) = never_asked {
                gone.gives_way.notify_one();
                self.connections.remove(&number);
                return true;
            }
        }
        let states = self.connections.iter().map(|(number, claim)| (*claim.state(), *number));
        let Some((state, number)) = states.min() else { return false };
        if state.stage == Stage::Answered {
            return false;
        }
        if let Some(gone) = self.connections.remove(&number) {
            gone.gives_way.notify_one();
        }
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken().connections.remove(&self.number);
    }
}

impl Claim {
    /// It keeps its place for as long as this lives: at the edge whatever was asked is recorded, and
    /// nobody may be blamed for how the mock ended it.
    pub fn holds(self: &Arc<Self>) -> Answering {
        let answering = self.ask();
        answering.answered();
        answering
    }

    /// A head has come.
    pub fn ask(self: &Arc<Self>) -> Answering {
        self.enter(Stage::Asked);
        Answering(Arc::clone(self))
    }

    /// Whether nothing is asked, so that the next word is the client's; the reader is woken when that
    /// is so again.
    pub fn is_silent(&self, reader: &Waker) -> bool {
        self.reader.register(reader);
        self.state().stage == Stage::Silent
    }

    /// Waits until the place is wanted for somebody else.
    pub async fn gives_way(&self) {
        self.gives_way.notified().await;
    }

    fn enter(&self, stage: Stage) {
        *self.state() = State { stage, has_asked: true, since: Instant::now() };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answering {
    /// The answer is there.
    pub fn answered(&self) {
        self.0.enter(Stage::Answered);
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.enter(Stage::Silent);
        self.0.reader.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Context;
    use std::time::Duration;

    /// Whether this connection was told to give way.
    fn has_gone(place: &Place) -> bool {
        let told = std::pin::pin!(place.claim.gives_way());
        told.poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    async fn later() {
        tokio::time::advance(Duration::from_secs(1)).await;
    }

    /// Proves that neither half-open connections, nor bodies that drip, keep anybody out.
    #[tokio::test(start_paused = true)]
    async fn the_smallest_claim_gives_way() {
        let places = Places::of(4);
        let take = || places.take().0.unwrap();
        let (answered, dripping, idle, half_open) = (take(), take(), take(), take());
        let answer = answered.claim.ask();
        answer.answered();
        let _body = dripping.claim.ask();
        drop(idle.claim.ask());
        later().await;
        let (newcomer, was_full) = places.take();
        let newcomer = newcomer.unwrap();
        assert!(was_full && has_gone(&half_open), "whoever never asked");
        let _asking = newcomer.claim.ask();
        later().await;
        let next = take();
        assert!(has_gone(&idle) && !has_gone(&next), "then whoever asks for nothing now");
        let _asking_too = next.claim.ask();
        later().await;
        let last = take();
        assert!(has_gone(&dripping) && !has_gone(&newcomer), "then whoever has asked for longest");
        assert!(!has_gone(&answered) && !has_gone(&last));
        drop((half_open, idle, dripping));
        assert!(places.take().1, "their places were given away");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_kept_of_many_that_have_come_and_gone_is_little() {
        let places = Places::of(4);
        let first = places.take().0.unwrap();
        for _ in 0..1_000 {
            let one = places.take().0.unwrap();
            drop(one.claim.ask());
        }
        assert!(places.taken().unasked.len() <= 2 * 4 + 64);
        let others: Vec<_> = (0..3).map(|_| places.take().0.unwrap()).collect();
        others.iter().for_each(|one| drop(one.claim.ask()));
        let _newcomer = places.take();
        assert!(has_gone(&first) && !others.iter().any(has_gone));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_was_answered_last_stays_longest() {
        let places = Places::of(2);
        let take = || places.take().0.unwrap();
        let (one, other) = (take(), take());
        drop(other.claim.ask());
        later().await;
        drop(one.claim.ask());
        let _newcomer = take();
        assert!(has_gone(&other) && !has_gone(&one));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_gives_way_to_whom_an_answer_is_under_way_and_a_place_that_is_left_is_free() {
        let places = Places::of(1);
        let (only, was_full) = places.take();
        let only = only.unwrap();
        let answering = only.claim.ask();
        answering.answered();
        assert!(!was_full);
        let (none, was_full) = places.take();
        assert!(none.is_none() && was_full && !has_gone(&only));
        drop((answering, only));
        let (again, was_full) = places.take();
        assert!(again.is_some() && !was_full);
    }
}
