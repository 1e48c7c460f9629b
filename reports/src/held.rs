//! Tells what the integration's processes held, and whether it grew. Nothing is promised of it: figures, and
//! no verdict.

use crate::report::{Course, Held, Report};
use crate::text::number;

/// Looks that are a course: as many as a chart has, five minutes' worth. What a storm of seconds shows is no
/// growth.
const LEAST_LOOKS: u64 = 60;

impl Course {
    /// The course of these values, in order of time; none without any.
    pub fn of(values: &[u64]) -> Option<Self> {
        let quarter = values.len().div_ceil(4);
        let median = |some: &[u64]| {
            let mut sorted = some.to_vec();
            sorted.sort_unstable();
            sorted.get(sorted.len() / 2).copied()
        };
        let first = median(&values[..quarter])?;
        let last = median(&values[values.len() - quarter..])?;
        Some(Self { first, last, most: values.iter().copied().max()? })
    }

    /// In words: `31 MiB in the first quarter, 33 MiB in the last, 34 MiB at most`.
    fn told(&self, value: impl Fn(u64) -> String) -> String {
        let [first, last, most] = [self.first, self.last, self.most].map(value);
        format!("{first} in the first quarter, {last} in the last, {most} at most")
    }
}

impl Held {
    /// In words, for people.
    pub fn words(&self) -> String {
        let mib = |bytes: u64| format!("{} MiB", number(bytes as f64 / 1_048_576.0));
        let memory = format!("memory of the target: {}", self.resident_bytes.told(mib));
        match self.open_files {
            Some(files) => format!("{memory}; open files: {}", files.told(|n| n.to_string())),
            None => memory,
        }
    }
}

impl Report {
    /// Of each scenario that lasted, what the target held, with the scenario's id.
    pub(crate) fn held(&self) -> impl Iterator<Item = (&str, String)> {
        let seen = self.scenarios.iter().filter_map(|one| Some((&*one.id, one.evidence.held?)));
        seen.filter(|(_, held)| held.looks >= LEAST_LOOKS).map(|(id, held)| (id, held.words()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_is_told_by_medians_of_its_ends() {
        let grown: Vec<u64> = (0..100).map(|n| (30 + n / 10) * 1_048_576).collect();
        let resident_bytes = Course::of(&grown).unwrap();
        let held = Held { looks: 100, resident_bytes, open_files: Course::of(&[20, 900, 21]) };
        assert_eq!(
            held.words(),
            "memory of the target: 31 MiB in the first quarter, 38 MiB in the last, 39 MiB at most; open \
             files: 20 in the first quarter, 21 in the last, 900 at most"
        );
        assert_eq!(Course::of(&[]), None);
        assert_eq!(Course::of(&[7]), Some(Course { first: 7, last: 7, most: 7 }));
    }
}
