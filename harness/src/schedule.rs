//! In which order scenarios are started, so that all lanes end early and together.

use scenarios::plan::Plan;

/// More plans than this are not worth a search: the longest first is good enough.
const SEARCHED: usize = 12;

/// The order in which `jobs` lanes, each taking the next plan when it is free, end earliest. Plans
/// that need the machine for themselves come last.
#[must_use]
pub fn in_running_order(plans: &[Plan], jobs: usize) -> Vec<&Plan> {
    let mut order: Vec<&Plan> = plans.iter().collect();
    order.sort_by_key(|plan| (plan.exclusive, std::cmp::Reverse(plan.duration_ms())));
    let alone = order.split_off(order.partition_point(|plan| !plan.exclusive));
    if order.len() <= SEARCHED {
        let lengths: Vec<u64> = order.iter().map(|plan| plan.duration_ms()).collect();
        let starts = starts(&lengths, jobs.max(1));
        let mut begun: Vec<(u64, &Plan)> = starts.into_iter().zip(order).collect();
        begun.sort_by_key(|(start, _)| *start);
        order = begun.into_iter().map(|(_, plan)| plan).collect();
    }
    order.extend(alone);
    order
}

/// When each of these lengths, longest first, begins in its lane, if they are shared out among the
/// lanes so that the longest lane is the shortest possible.
fn starts(lengths: &[u64], lanes: usize) -> Vec<u64> {
    let mut search =
        Search { lengths, loads: vec![0; lanes], starts: Vec::new(), best: (u64::MAX, Vec::new()) };
    search.go_on();
    search.best.1
}

struct Search<'a> {
    lengths: &'a [u64],
    loads: Vec<u64>,
    starts: Vec<u64>,
    /// The longest lane of the best way so far, and its starts.
    best: (u64, Vec<u64>),
}

impl Search<'_> {
    fn go_on(&mut self) {
        let longest = self.loads.iter().copied().max().unwrap_or(0);
        if longest >= self.best.0 {
            return;
        }
        let Some(&length) = self.lengths.get(self.starts.len()) else {
            self.best = (longest, self.starts.clone());
            return;
        };
        let mut tried = Vec::new();
        for lane in 0..self.loads.len() {
            let load = self.loads[lane];
            // Lanes that are equally full are the same.
            if tried.contains(&load) {
                continue;
            }
            tried.push(load);
            self.starts.push(load);
            self.loads[lane] = load + length;
            self.go_on();
            self.loads[lane] = load;
            self.starts.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mock_server::profile::ContractProfile;
    use scenarios::catalogue::{Settings, run_plan};

    /// Starts, and the end of the last.
    fn check(lengths: &[u64], lanes: usize, expected: &[u64], end: u64) {
        let starts = starts(lengths, lanes);
        assert_eq!(starts, expected, "{lengths:?} in {lanes} lanes");
        let last = starts.iter().zip(lengths).map(|(start, length)| start + length).max();
        assert_eq!(last.unwrap_or(0), end);
    }

    #[test]
    fn lanes_are_shared_out_so_that_the_longest_is_short() {
        check(&[], 2, &[], 0);
        check(&[5, 3], 1, &[0, 5], 8);
        check(&[3, 3, 2, 2, 2], 2, &[0, 3, 0, 2, 4], 6); // the longest first alone would need 7
        check(&[5, 4, 3], 5, &[0, 0, 0], 5);
    }

    #[test]
    fn every_plan_is_run_once_and_those_that_need_the_machine_last() {
        let contract = ContractProfile::linktree_v1();
        let run = run_plan(&Settings::default(), contract, &[]);
        for jobs in [0, 1, 2, 3, 9] {
            let order = in_running_order(&run.scenarios, jobs);
            let mut ids: Vec<&str> = order.iter().map(|plan| plan.id.as_str()).collect();
            let alone: Vec<bool> = order.iter().map(|plan| plan.exclusive).collect();
            assert!(alone.is_sorted(), "{ids:?}");
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), run.scenarios.len());
        }
    }
}
