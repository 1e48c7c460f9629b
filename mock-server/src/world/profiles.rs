//! What creators' pages are at a moment: what the seed made, the edits until then, and what was written.

use crate::clock::Moment;
use crate::profile::LinkLimits;
use crate::world::edits::{self, Done, Edit, PageChange, handle_matches};
use crate::world::events::WorldError;
use crate::world::link::Link;
use crate::world::link_change::LinkChange;
use crate::world::link_index::LinkIndex;
use crate::world::pages::{Page, Pages, State};
use crate::world::population::{Creator, Population};
use crate::world::writes::Writes;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// What never changes during a run.
#[derive(Clone, Copy)]
pub(crate) struct Basis<'a> {
    pub seed: u64,
    pub population: &'a Population,
    /// The plan's edits.
    pub plan: &'a [Edit],
    /// When the traffic began, from which the plan counts.
    pub armed: Option<Moment>,
    pub limits: &'a LinkLimits,
}

/// What changes: bounded by the number of links, and of edits beside the plan.
#[derive(Default)]
pub(crate) struct Profiles {
    steered: Vec<(Moment, Edit)>,
    written: HashMap<String, Writes>,
    /// Made when the first link is written.
    links: Option<LinkIndex>,
    /// The creator whose link was written last.
    made: Option<Made>,
    pages: Pages,
}

/// A creator after some edits, before anything was written: a batch writes a hundred links of one, and to
/// make a page with hundreds of links takes long.
struct Made {
    handle: String,
    done: Vec<Done>,
    creator: Creator,
}

/// What became of a write to a link.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wrote {
    /// The link is as it was asked to be.
    Done {
        link: Box<Link>,
        handle: String,
        /// Of the page after this write.
        version: String,
        /// Whether it was not so before.
        effect: bool,
    },
    /// There is no such link.
    Unknown,
    /// It is the link of an account that the caller has no business with.
    NotYours,
    /// The values cannot stand in a link.
    Refused(&'static str),
    /// A fault kept it from being written; this is its status.
    Failed(u16),
}

impl Profiles {
    /// The page as of this moment; none when nobody has this handle.
    pub fn page(&mut self, basis: Basis<'_>, handle: &str, at: Moment) -> Option<Arc<Page>> {
        let state = self.state(basis, handle, at);
        let mut pages = std::mem::take(&mut self.pages);
        let page = pages.get(handle, state, || self.creator(basis, handle, at));
        self.pages = pages;
        page
    }

    /// What the page depends on at this moment.
    fn state(&self, basis: Basis<'_>, handle: &str, at: Moment) -> State {
        let is_done =
            |moment: Moment, edit: &Edit| moment <= at && handle_matches(&edit.handles, handle);
        let planned = basis.armed.map_or(0, |armed| {
            let moment = |edit: &Edit| armed.plus(Duration::from_millis(edit.at_ms));
            basis.plan.iter().filter(|edit| is_done(moment(edit), edit)).count()
        });
        State {
            armed: basis.armed,
            planned,
            steered: self.steered.len(),
            steered_done: self.steered.iter().filter(|(at, edit)| is_done(*at, edit)).count(),
            writes: self.written.get(handle).map_or(0, Writes::count),
        }
    }

    /// The creator as of this moment; none when nobody has this handle.
    fn creator(&self, basis: Basis<'_>, handle: &str, at: Moment) -> Option<Creator> {
        let done = self.edits_done(basis, handle, at);
        let mut creator = edits::creator(basis.population, basis.seed, handle, &done)?;
        if let Some(written) = self.written.get(handle) {
            written.apply(&mut creator, basis.seed);
        }
        Some(creator)
    }

    /// The edits of a page until this moment, in the order in which they happened.
    fn edits_done(&self, basis: Basis<'_>, handle: &str, at: Moment) -> Vec<Done> {
        let planned = basis.armed.into_iter().flat_map(|armed| {
            let moment = move |edit: &Edit| armed.plus(Duration::from_millis(edit.at_ms));
            basis.plan.iter().enumerate().map(move |(nth, edit)| (moment(edit), PLAN, nth, edit))
        });
        let steered = self.steered.iter().enumerate();
        let steered = steered.map(|(nth, (moment, edit))| (*moment, STEERED, nth, edit));
        let mut done: Vec<_> = planned
            .chain(steered)
            .filter(|(moment, .., edit)| *moment <= at && handle_matches(&edit.handles, handle))
            .collect();
        done.sort_by_key(|(moment, ..)| *moment);
        let done = done.into_iter();
        done.map(|(_, by, nth, edit)| Done { name: name(by, nth), change: edit.change }).collect()
    }

    /// Edits pages from `at` on, beside the plan.
    pub fn edit(
        &mut self,
        at: Moment,
        handles: &str,
        change: PageChange,
    ) -> Result<(), WorldError> {
        let handles = handles.to_owned();
        if self.steered.len() >= edits::MAX_STEERED {
            return Err(WorldError::TooManyEdits { handles });
        }
        if let Some(links) = &mut self.links {
            links.add(&name(STEERED, self.steered.len()), &handles, change);
        }
        self.steered.push((at, Edit { at_ms: 0, handles, change }));
        Ok(())
    }

    /// Writes into a link, if it exists at this moment and `may` says that its creator's page is
    /// the caller's business.
    pub fn write(
        &mut self,
        basis: Basis<'_>,
        id: &str,
        change: &LinkChange,
        at: Moment,
        may: impl Fn(&str) -> bool,
    ) -> Wrote {
        let steered = &self.steered;
        let links = self.links.get_or_insert_with(|| index(basis, steered));
        let Some(handle) = links.owner(id).map(str::to_owned) else { return Wrote::Unknown };
        let done = self.edits_done(basis, &handle, at);
        let made = self.made.take().filter(|made| made.handle == handle && made.done == done);
        let made = made.or_else(|| {
            let creator = edits::creator(basis.population, basis.seed, &handle, &done)?;
            Some(Made { handle: handle.clone(), done, creator })
        });
        self.made = made;
        let Some(Made { creator, .. }) = &self.made else { return Wrote::Unknown };
        let Some(mut link) = creator.links.iter().find(|link| link.id == id).cloned().map(Box::new)
        else {
            return Wrote::Unknown;
        };
        let (edit, mut version) = (creator.edit, creator.version.clone());
        if let Some(written) = self.written.get(&handle) {
            written.apply_to(&mut link);
            version = written.version(basis.seed, &handle, edit);
        }
        if !may(&handle) {
            return Wrote::NotYours;
        }
        if let Some(why) = change.refusal(basis.limits) {
            return Wrote::Refused(why);
        }
        if !change.apply(&mut link) {
            return Wrote::Done { link, handle, version, effect: false };
        }
        let written = self.written.entry(handle.clone()).or_default();
        link.updated_s = written.note(id, change, edit);
        let version = written.version(basis.seed, &handle, edit);
        Wrote::Done { link, handle, version, effect: true }
    }
}

const PLAN: &str = "plan";
const STEERED: &str = "steered";

fn name(by: &str, nth: usize) -> String {
    format!("{by} {nth}")
}

fn index(basis: Basis<'_>, steered: &[(Moment, Edit)]) -> LinkIndex {
    let mut index = LinkIndex::new(basis.seed, basis.population);
    for (nth, edit) in basis.plan.iter().enumerate() {
        index.add(&name(PLAN, nth), &edit.handles, edit.change);
    }
    for (nth, (_, edit)) in steered.iter().enumerate() {
        index.add(&name(STEERED, nth), &edit.handles, edit.change);
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::ContractProfile;
    use crate::world::population::Group;
    use proptest::prelude::*;

    const SOON: Moment = Moment::from_ms(100);
    const LATER: Moment = Moment::from_ms(500);

    struct Rig {
        population: Population,
        limits: LinkLimits,
        profiles: Profiles,
    }

    impl Rig {
        fn new() -> Self {
            let group = |prefix: &str| Group {
                prefix: prefix.into(),
                count: 2,
                min_links: 3,
                max_links: 3,
                ..Group::default()
            };
            Self {
                population: Population { groups: vec![group("a"), group("b")] },
                limits: ContractProfile::linktree_v1().links,
                profiles: Profiles::default(),
            }
        }

        fn with<T>(&mut self, then: impl FnOnce(&mut Profiles, Basis<'_>) -> T) -> T {
            let plan = [Edit {
                at_ms: 200,
                handles: "a-*".into(),
                change: PageChange::Insert { count: 1 },
            }];
            let armed = Some(Moment::ZERO);
            let Self { population, limits, profiles } = self;
            then(profiles, Basis { seed: 7, population, plan: &plan, armed, limits })
        }

        fn page(&mut self, handle: &str, at: Moment) -> Creator {
            let made = self.with(|profiles, basis| profiles.creator(basis, handle, at)).unwrap();
            let page = self.with(|profiles, basis| profiles.page(basis, handle, at)).unwrap();
            assert_eq!(page.creator, made, "what is kept is what would be made now");
            made
        }

        fn write(&mut self, id: &str, title: &str, at: Moment) -> Wrote {
            let change = LinkChange { title: Some(title.into()), ..LinkChange::default() };
            self.with(|profiles, basis| {
                profiles.write(basis, id, &change, at, |owner| owner != "b-0002")
            })
        }
    }

    #[test]
    fn planned_and_steered_edits_happen_in_the_order_of_their_moments() {
        let mut rig = Rig::new();
        rig.profiles.edit(Moment::from_ms(150), "a-0001", PageChange::Remove { count: 2 }).unwrap();
        rig.profiles.edit(Moment::from_ms(300), "a-0001", PageChange::Remove { count: 2 }).unwrap();
        let count = |rig: &mut Rig, ms| rig.page("a-0001", Moment::from_ms(ms)).links.len();
        assert_eq!([100, 150, 200, 299, 300].map(|ms| count(&mut rig, ms)), [3, 1, 2, 2, 0]);
        assert_eq!(rig.page("a-0001", LATER).edit, 3);
        assert_eq!(rig.page("a-0002", LATER).links.len(), 4);
        assert_eq!(rig.page("b-0001", LATER).edit, 0);
    }

    #[test]
    fn a_write_changes_one_page_once() {
        let mut rig = Rig::new();
        let before = rig.page("b-0001", SOON);
        let id = before.links[1].id.clone();
        let Wrote::Done { link, handle, version, effect: true } = rig.write(&id, "New", SOON)
        else {
            panic!("refused");
        };
        let after = rig.page("b-0001", SOON);
        assert_eq!((handle.as_str(), &version), ("b-0001", &after.version));
        assert_eq!(after.links[1], *link);
        assert_eq!(link.title, "New");
        assert_ne!(after.version, before.version);
        assert!(matches!(rig.write(&id, "New", LATER), Wrote::Done { effect: false, .. }));
        assert_eq!(rig.page("b-0001", LATER), after);
    }

    #[test]
    fn a_link_can_be_written_while_it_exists_and_by_whom_it_concerns() {
        let mut rig = Rig::new();
        let inserted = |links: Vec<Link>| links.into_iter().find(|link| link.position == 3);
        let planned = inserted(rig.page("a-0001", LATER).links).unwrap().id;
        assert_eq!(rig.write(&planned, "New", SOON), Wrote::Unknown);
        assert!(matches!(rig.write(&planned, "New", LATER), Wrote::Done { effect: true, .. }));
        // The index is there by now and must take in what is edited.
        rig.profiles.edit(LATER, "b-0001", PageChange::Insert { count: 1 }).unwrap();
        let steered = inserted(rig.page("b-0001", LATER).links).unwrap().id;
        assert!(matches!(rig.write(&steered, "New", LATER), Wrote::Done { effect: true, .. }));
        rig.profiles.edit(LATER, "b-0001", PageChange::Remove { count: 9 }).unwrap();
        assert_eq!(rig.write(&steered, "Newer", LATER), Wrote::Unknown);
        assert_eq!(rig.write("lnk_000000000000", "New", LATER), Wrote::Unknown);
        let foreign = rig.page("b-0002", LATER).links[0].id.clone();
        assert_eq!(rig.write(&foreign, "", LATER), Wrote::NotYours);
        let own = rig.page("a-0001", LATER).links[0].id.clone();
        assert!(matches!(rig.write(&own, "", LATER), Wrote::Refused(_)));
    }

    proptest! {
        /// [`Rig::page`] compares what is kept with what is made anew, whatever was read before.
        #[test]
        fn pages_that_are_kept_are_as_if_they_were_made_anew(
            steps in prop::collection::vec((0_u8..4, 0_u64..400, any::<bool>()), 1..40),
        ) {
            let mut rig = Rig::new();
            for (step, ms, first) in steps {
                let handle = if first { "a-0001" } else { "b-0001" };
                let (at, change) = (Moment::from_ms(ms), PageChange::Insert { count: 1 });
                match step {
                    0 => rig.profiles.edit(at, "a-*", change).unwrap(),
                    1 => {
                        let links = rig.page(handle, at).links;
                        let id = links[ms as usize % links.len()].id.clone();
                        rig.write(&id, &format!("title {}", ms % 3), at);
                    }
                    _ => drop(rig.page(handle, at)),
                }
            }
        }
    }

    #[test]
    fn edits_beside_the_plan_are_bounded() {
        let mut profiles = Profiles::default();
        for _ in 0..edits::MAX_STEERED {
            profiles.edit(SOON, "x", PageChange::Text).unwrap();
        }
        assert!(profiles.edit(SOON, "x", PageChange::Text).is_err());
    }
}
