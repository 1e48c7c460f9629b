//! Every link that exists during a whole traversal is listed exactly once, with what was last written.

use crate::Upstream;
use mock_server::world::PageChange;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

const HANDLES: [&str; 2] = ["viral-0001", "tail-0001"];
const TRAVERSALS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    /// Some fields of one link.
    Patch {
        page: usize,
        link: Index,
        title: Option<u8>,
        is_active: Option<bool>,
        position: Option<u8>,
    },
    /// Links of any page; an item without a link is unknown, one without a title has a bad address.
    Batch(Vec<(usize, Option<Index>, Option<u8>)>),
    Insert {
        page: usize,
        count: u16,
    },
    Remove {
        page: usize,
        count: u16,
    },
    /// The next page of a traversal; a finished one begins again.
    List {
        traversal: usize,
        limit: usize,
    },
}

/// How many links there are on each page: who they are is the mock's business.
#[derive(Clone, Debug)]
struct Counts([usize; HANDLES.len()]);

impl ReferenceStateMachine for Counts {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self([45, 3])).boxed()
    }

    fn transitions(_counts: &Self) -> BoxedStrategy<Step> {
        let page = 0..HANDLES.len();
        let title = prop::option::of(0..3_u8);
        let fields = (title.clone(), any::<Option<bool>>(), prop::option::of(0..3_u8));
        let item = (page.clone(), prop::option::weighted(0.9, any::<Index>()), title);
        prop_oneof![
            4 => (page.clone(), any::<Index>(), fields).prop_map(
                |(page, link, (title, is_active, position))| Step::Patch {
                    page, link, title, is_active, position,
                }
            ),
            2 => prop::collection::vec(item, 0..6).prop_map(Step::Batch),
            3 => (page.clone(), 1..6_u16).prop_map(|(page, count)| Step::Insert { page, count }),
            3 => (page, 1..9_u16).prop_map(|(page, count)| Step::Remove { page, count }),
            12 => (0..TRAVERSALS, 1..15_usize)
                .prop_map(|(traversal, limit)| Step::List { traversal, limit }),
        ]
        .boxed()
    }

    fn apply(Self(mut counts): Self, step: &Step) -> Self {
        match step {
            Step::Insert { page, count } => counts[*page] += usize::from(*count),
            Step::Remove { page, count } => {
                counts[*page] = counts[*page].saturating_sub((*count).into());
            }
            Step::Patch { .. } | Step::Batch(_) | Step::List { .. } => {}
        }
        Self(counts)
    }
}

/// What must be on a page.
#[derive(Default)]
struct Page {
    links: BTreeMap<String, Map<String, Value>>,
    version: String,
    /// Every version and every id that there ever was.
    versions: BTreeSet<String>,
    ever: BTreeSet<String>,
}

/// A reader who goes from page to page.
#[derive(Default)]
struct Traversal {
    page: usize,
    cursor: Option<String>,
    under_way: bool,
    /// Links that were there at the beginning and have not gone since.
    stayed: BTreeSet<String>,
    listed: Vec<String>,
}

struct Mock {
    upstream: Upstream,
    pages: [Page; HANDLES.len()],
    traversals: [Traversal; TRAVERSALS],
}

/// The fields that a write may change; when it was changed is no concern of these.
fn fields(link: &Value) -> (String, Map<String, Value>) {
    let mut fields = link.as_object().unwrap().clone();
    assert!(fields.remove("updated_at").is_some());
    let id = fields.remove("id").unwrap();
    (id.as_str().unwrap().to_owned(), fields)
}

impl Mock {
    /// One page of links: its data, the cursor and the version.
    fn ask(
        &mut self,
        page: usize,
        limit: usize,
        cursor: Option<&str>,
    ) -> (Value, Option<String>, String) {
        let cursor = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let target = format!("/v1/profiles/{}/links?limit={limit}{cursor}", HANDLES[page]);
        let answer = self.upstream.get(&target);
        assert_eq!(answer.status, 200, "{answer:?}");
        let mut body = answer.json();
        let cursor = body["cursor"].as_str().map(str::to_owned);
        assert_eq!(body["has_more"], cursor.is_some());
        let data = body["data"].take();
        let length = data.as_array().unwrap().len();
        assert!(length <= limit && (length > 0 || cursor.is_none()), "{length} of {limit}");
        (data, cursor, body["version"].as_str().unwrap().to_owned())
    }

    /// All links while nothing changes, and the version.
    fn all(&mut self, page: usize) -> (BTreeMap<String, Map<String, Value>>, String) {
        let (mut links, mut cursor) = (BTreeMap::new(), None);
        loop {
            let (data, next, version) = self.ask(page, 100, cursor.as_deref());
            for (id, fields) in data.as_array().unwrap().iter().map(fields) {
                assert!(links.insert(id, fields).is_none(), "listed twice");
            }
            cursor = next;
            if cursor.is_none() {
                let profile = self.upstream.get(&format!("/v1/profiles/{}", HANDLES[page])).json();
                assert_eq!(
                    profile["version"],
                    version.as_str(),
                    "both routes show the same version"
                );
                return (links, version);
            }
        }
    }

    /// Both pages are as they must be, and have a new version exactly if they changed.
    fn check(&mut self, changed: [bool; HANDLES.len()]) {
        for (page, changed) in changed.into_iter().enumerate() {
            let (links, version) = self.all(page);
            let known = &mut self.pages[page];
            assert_eq!(links, known.links);
            if changed {
                assert!(known.versions.insert(version.clone()), "{version} stands for two states");
                known.version = version;
            } else {
                assert_eq!(known.version, version, "nothing changed");
            }
        }
    }

    /// The id and fields of some link of a page, if there is any.
    fn pick(&self, page: usize, link: Index) -> Option<String> {
        let ids: Vec<_> = self.pages[page].links.keys().collect();
        (!ids.is_empty()).then(|| link.get(&ids).to_string())
    }

    /// Notes a write, and whether it changes anything.
    fn write(&mut self, page: usize, id: &str, change: &Value) -> bool {
        let fields = self.pages[page].links.get_mut(id).unwrap();
        let before = fields.clone();
        for (name, value) in change.as_object().unwrap() {
            if name != "id" && !value.is_null() {
                fields.insert(name.clone(), value.clone());
            }
        }
        *fields != before
    }

    fn batch(&mut self, items: &[(usize, Option<Index>, Option<u8>)]) -> [bool; HANDLES.len()] {
        let (mut written, mut statuses) = (Vec::new(), Vec::new());
        let mut changed = [false; HANDLES.len()];
        for (page, link, title) in items {
            let id = link.and_then(|link| self.pick(*page, link));
            let url = if title.is_some() { "https://example.org/batch" } else { "example.org" };
            let item = json!({
                "id": id.as_deref().unwrap_or("lnk_000000000000"),
                "title": format!("batch {}", title.unwrap_or(9)),
                "url": url,
            });
            statuses.push(match (&id, title) {
                (None, _) => 404,
                (_, None) => 422,
                (Some(id), Some(_)) => {
                    changed[*page] |= self.write(*page, id, &item);
                    200
                }
            });
            written.push(item);
        }
        let body = json!({ "items": written }).to_string();
        let answer = self.upstream.send("POST", "/v1/links/batch", "", &body);
        assert_eq!(answer.status, 200);
        let results = answer.json()["results"].clone();
        let got = results.as_array().unwrap().iter().map(|one| one["status"].clone());
        assert_eq!(got.collect::<Vec<_>>(), statuses);
        changed
    }

    /// Edits a page, and learns who came and who went.
    fn edit(&mut self, page: usize, change: PageChange) {
        self.upstream.rig.mock.edit(HANDLES[page], change).unwrap();
        let (links, _) = self.all(page);
        let known = &mut self.pages[page];
        for (id, fields) in &links {
            match known.links.get(id) {
                Some(before) => assert_eq!(fields, before, "it is none of its business"),
                None => assert!(known.ever.insert(id.clone()), "{id} came again"),
            }
        }
        let gone = known.links.keys().filter(|id| !links.contains_key(*id));
        match change {
            PageChange::Insert { .. } => assert_eq!(gone.count(), 0),
            PageChange::Remove { .. } | PageChange::Text => {
                assert!(links.keys().all(|id| known.links.contains_key(id)));
                for id in gone {
                    let readers = self.traversals.iter_mut().filter(|one| one.page == page);
                    for reader in readers {
                        reader.stayed.remove(id);
                    }
                }
            }
        }
        known.links = links;
    }

    fn list(&mut self, traversal: usize, limit: usize) {
        let mut reader = std::mem::take(&mut self.traversals[traversal]);
        if !reader.under_way {
            let page = traversal % HANDLES.len();
            let stayed = self.pages[page].links.keys().cloned().collect();
            reader = Traversal { page, under_way: true, stayed, ..Traversal::default() };
        }
        let (data, next, version) = self.ask(reader.page, limit, reader.cursor.as_deref());
        let known = &self.pages[reader.page];
        assert_eq!(version, known.version);
        for (id, fields) in data.as_array().unwrap().iter().map(fields) {
            assert_eq!(Some(&fields), known.links.get(&id), "{id} is listed as it is now");
            assert!(!reader.listed.contains(&id), "{id} is listed twice");
            reader.listed.push(id);
        }
        reader.under_way = next.is_some();
        reader.cursor = next;
        if !reader.under_way {
            let missing: Vec<_> =
                reader.stayed.iter().filter(|id| !reader.listed.contains(id)).collect();
            assert!(missing.is_empty(), "{missing:?} were there all the time");
        }
        self.traversals[traversal] = reader;
    }
}

struct Listing;

impl StateMachineTest for Listing {
    type SystemUnderTest = Mock;
    type Reference = Counts;

    fn init_test(_counts: &Counts) -> Mock {
        let upstream = Upstream::new(|config| config.profile.pages.short_per_mille = 300);
        let mut mock = Mock { upstream, pages: Default::default(), traversals: Default::default() };
        for page in 0..HANDLES.len() {
            let (links, version) = mock.all(page);
            let ever = links.keys().cloned().collect();
            let versions = BTreeSet::from([version.clone()]);
            mock.pages[page] = Page { links, version, versions, ever };
        }
        mock
    }

    fn apply(mut mock: Mock, _counts: &Counts, step: Step) -> Mock {
        let only = |page: usize, changed: bool| [0, 1].map(|one| one == page && changed);
        match step {
            Step::Patch { page, link, title, is_active, position } => {
                let Some(id) = mock.pick(page, link) else { return mock };
                let title = title.map(|title| format!("patched {title}"));
                let change =
                    json!({ "title": title, "is_active": is_active, "position": position });
                let target = format!("/v1/links/{id}");
                let answer = mock.upstream.send("PATCH", &target, "", &change.to_string());
                assert_eq!(answer.status, 200);
                let changed = mock.write(page, &id, &change);
                mock.check(only(page, changed));
                assert_eq!(answer.json()["version"], mock.pages[page].version.as_str());
            }
            Step::Batch(items) => {
                let changed = mock.batch(&items);
                mock.check(changed);
            }
            Step::Insert { page, count } => {
                mock.edit(page, PageChange::Insert { count });
                mock.check(only(page, true));
            }
            Step::Remove { page, count } => {
                mock.edit(page, PageChange::Remove { count });
                mock.check(only(page, true));
            }
            Step::List { traversal, limit } => mock.list(traversal, limit),
        }
        mock
    }

    fn check_invariants(mock: &Mock, Counts(counts): &Counts) {
        assert_eq!(mock.pages.each_ref().map(|page| page.links.len()), *counts);
    }

    /// Traversals that are still under way are carried to their end.
    fn teardown(mut mock: Mock, _counts: Counts) {
        for traversal in 0..TRAVERSALS {
            while mock.traversals[traversal].under_way {
                mock.list(traversal, 7);
            }
        }
    }
}

prop_state_machine! {
    #![proptest_config(crate::cases(24))]

    /// Writes, batches, links that come and go, and readers in the midst of it.
    #[test]
    fn whoever_stays_is_listed_once_as_last_written(sequential 1..60 => Listing);
}
