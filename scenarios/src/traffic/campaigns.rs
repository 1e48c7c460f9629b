//! What creators launch: new titles and addresses for hundreds of links of the own page.

use super::schedule::Schedule;
use crate::plan::{Creators, Plan};
use crate::traffic::actions::Action;
use mock_server::seed;
use mock_server::world::link_change::LinkChange;
use rand::RngExt;
use std::collections::HashMap;
use std::ops::RangeInclusive;

/// Links of one campaign.
const LINKS: RangeInclusive<usize> = 250..=450;
/// Links that a campaign has in common with the one before it of the same creator.
const AGAIN: usize = 50;

/// What visitors know of campaigns.
#[derive(Debug, Default)]
pub struct Campaigns {
    seed: u64,
    /// The links of each creator who launches one.
    links: HashMap<String, Vec<String>>,
}

/// What one link shall say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// The link's id.
    pub id: String,
    /// Its new title.
    pub title: String,
    /// Its new address.
    pub url: String,
}

impl Words {
    /// The hash of what is to be written, as the mock makes it.
    #[must_use]
    pub fn payload(&self) -> String {
        let (title, url) = (Some(self.title.clone()), Some(self.url.clone()));
        LinkChange { title, url, ..LinkChange::default() }.payload()
    }
}

impl Campaigns {
    /// The campaigns of a plan's creators. Links are only looked up where somebody launches one.
    #[must_use]
    pub fn of(plan: &Plan, schedule: &Schedule) -> Self {
        let launches = plan
            .traffic
            .iter()
            .filter(|stream| stream.does.iter().any(|step| step.action == Action::Campaign));
        let groups: Vec<&str> = launches
            .map(|stream| match &stream.creators {
                Creators::Zipf { group, .. } | Creators::InTurn { group } => group.as_str(),
            })
            .collect();
        let of_a_group = |handle: &&String| {
            let prefix = handle.rsplit_once('-').map_or("", |(prefix, _)| prefix);
            groups.contains(&prefix)
        };
        let links_of = |handle: &String| {
            let creator = plan.population.creator(plan.seed, handle)?;
            let ids = creator.links.into_iter().map(|link| link.id).collect();
            Some((handle.clone(), ids))
        };
        let links = schedule.handles.iter().filter(of_a_group).filter_map(links_of).collect();
        Self { seed: plan.seed, links }
    }

    /// What the visitor of this number launches for a creator, as the arrival of this index: as many links
    /// as the seed says, each once, some of them those with which the campaign before it ended. No two
    /// campaigns say the same of a link.
    #[must_use]
    pub fn words(&self, handle: &str, nth: u32, arrival: u64) -> Vec<Words> {
        let Some(all) = self.links.get(handle) else { return Vec::new() };
        let before = (0..nth).map(|nth| self.size(handle, nth) - AGAIN).sum::<usize>();
        let chosen = all.iter().cycle().skip(before).take(self.size(handle, nth).min(all.len()));
        let words = |(place, id): (usize, &String)| Words {
            id: id.clone(),
            title: format!("Drop {} – encore & more, launch {arrival}", place + 1),
            url: format!("https://shop.example.org/{handle}/{arrival}?from=bio&drop={}", place + 1),
        };
        chosen.enumerate().map(words).collect()
    }

    fn size(&self, handle: &str, nth: u32) -> usize {
        let mut dice = seed::stream(self.seed, &["campaign", handle, &nth.to_string()]);
        dice.random_range(LINKS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Settings, find};
    use std::collections::HashSet;

    #[test]
    fn a_campaign_changes_hundreds_of_links_once_and_some_of_those_before_it() {
        let plan = find("campaign-launch").unwrap().plan(&Settings::default());
        let campaigns = Campaigns::of(&plan, &Schedule::of(&plan).unwrap());
        let ids = |nth| -> Vec<String> {
            let words = campaigns.words("launch-0001", nth, 7);
            words.into_iter().map(|one| one.id).collect()
        };
        for nth in 0..2 {
            let once: HashSet<String> = ids(nth).into_iter().collect();
            assert!(LINKS.contains(&once.len()) && once.len() == ids(nth).len(), "{}", once.len());
        }
        assert_eq!(ids(0)[ids(0).len() - AGAIN..], ids(1)[..AGAIN]);
        let first: HashSet<String> = ids(0).into_iter().collect();
        assert_eq!(ids(1).iter().filter(|id| first.contains(*id)).count(), AGAIN);
        assert_eq!(campaigns.words("page-0001", 0, 7), []);
    }

    #[test]
    fn no_two_campaigns_say_the_same_of_a_link() {
        let plan = find("campaign-launch").unwrap().plan(&Settings::default());
        let campaigns = Campaigns::of(&plan, &Schedule::of(&plan).unwrap());
        let payloads = |arrival| -> HashSet<String> {
            let words = campaigns.words("launch-0001", 0, arrival);
            words.iter().map(Words::payload).collect()
        };
        assert!(payloads(1).is_disjoint(&payloads(2)));
        assert!(payloads(1).len() >= 250, "and of no two links");
    }
}
