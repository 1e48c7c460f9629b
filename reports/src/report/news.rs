//! Tells what is new in a run since what was approved, or since another run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cell, Severity, Standing};

/// What became of a promise, the worst first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// Violated, and it was not.
    Broken,
    /// It was judged, and is not any more.
    Open,
    /// A scenario that was not carried out.
    Missing,
    /// Violated as before.
    StillBroken,
    /// Not judged, as before.
    StillOpen,
    /// It was violated, and holds.
    Mended,
    /// It was not judged, and holds.
    Judged,
    /// It holds, and nobody has approved it yet.
    Unapproved,
    /// The same verdict on something else: another plan, bound or severity.
    #[default]
    Altered,
}

impl ChangeKind {
    /// All of them, the worst first.
    pub const ALL: [Self; 9] = [
        Self::Broken,
        Self::Open,
        Self::Missing,
        Self::StillBroken,
        Self::StillOpen,
        Self::Mended,
        Self::Judged,
        Self::Unapproved,
        Self::Altered,
    ];

    /// One character, for those who do not see colour.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Broken | Self::StillBroken => "✗",
            Self::Open | Self::StillOpen | Self::Missing => "?",
            Self::Mended | Self::Judged => "✓",
            Self::Unapproved | Self::Altered => "~",
        }
    }

    /// What became of it, in words.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Broken => "newly violated",
            Self::Open => "not judged any more",
            Self::Missing => "not run",
            Self::StillBroken => "violated as approved",
            Self::StillOpen => "not judged as approved",
            Self::Mended => "mended",
            Self::Judged => "judged now",
            Self::Unapproved => "not approved yet",
            Self::Altered => "to be reviewed",
        }
    }

    /// What nobody may overlook: it is worse than before.
    pub const fn is_worse(self) -> bool {
        matches!(self, Self::Broken | Self::Open | Self::Missing)
    }
}

/// One difference, or one trouble that is known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// What became of it.
    pub kind: ChangeKind,
    /// The scenario.
    pub scenario: String,
    /// The promise; none where it is the whole scenario.
    pub guarantee: Option<String>,
    /// What a violation means for the run.
    pub severity: Severity,
    /// The verdict that was approved, if any.
    pub was: Option<Standing>,
    /// The verdict now, if any.
    pub is: Option<Standing>,
    /// What was seen, what is missing or what differs.
    pub words: String,
    /// The command that shows it again; empty where there is nothing to see.
    pub rerun: String,
}

impl Change {
    /// `breaker-opens in calibration`, or the scenario alone.
    pub fn place(&self) -> String {
        match &self.guarantee {
            Some(guarantee) => format!("{guarantee} in {}", self.scenario),
            None => self.scenario.clone(),
        }
    }

    /// All of it in a line: what became of it, where, both verdicts where they differ, and what was seen.
    pub fn told(&self) -> String {
        let soft = match self.severity {
            Severity::Must => "",
            Severity::Should => ", which should hold",
            Severity::Info => ", for information",
        };
        let verdicts = match (self.was, self.is) {
            (Some(was), Some(is)) if was != is => {
                format!(" ({} before, {} now)", was.word(), is.word())
            }
            (Some(was), None) => format!(" ({} before)", was.word()),
            _ => String::new(),
        };
        let words = if self.words.is_empty() { "" } else { ": " };
        let (word, place) = (self.kind.word(), self.place());
        format!("{word}{soft}: {place}{verdicts}{words}{}", self.words)
    }
}

/// What a run is beside a baseline.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct News {
    /// With what it is compared: a baseline as it was named, or another run.
    pub since: String,
    /// Why they cannot be compared, and then nothing else is said; absent where they can.
    pub incomparable: Option<String>,
    /// Everything that differs or is known to be bad, the worst first.
    pub changes: Vec<Change>,
}

/// How many there are of each kind: `3 newly violated, 1 mended, 2 new promises`; nothing of none.
pub fn counted(changes: &[Change]) -> String {
    let of_kind = |kind: ChangeKind| {
        let (whole, promises): (Vec<_>, Vec<_>) = changes
            .iter()
            .filter(|change| change.kind == kind)
            .partition(|change| change.guarantee.is_none());
        if kind != ChangeKind::Unapproved {
            return vec![(whole.len() + promises.len(), kind.word().to_owned())];
        }
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        [(promises.len(), "promise"), (whole.len(), "scenario")]
            .map(|(count, what)| (count, format!("new {what}{}", plural(count))))
            .into()
    };
    let counts = ChangeKind::ALL.into_iter().flat_map(of_kind).filter(|(count, _)| *count > 0);
    counts.map(|(count, words)| format!("{count} {words}")).collect::<Vec<_>>().join(", ")
}

impl News {
    /// All of it in one sentence.
    pub fn sentence(&self) -> String {
        let since = &self.since;
        let is_known =
            |one: &Change| matches!(one.kind, ChangeKind::StillBroken | ChangeKind::StillOpen);
        match (&self.incomparable, counted(&self.changes)) {
            (Some(why), _) => format!("Not compared with {since}: {why}."),
            (None, counts) if counts.is_empty() => format!("Nothing is new since {since}."),
            (None, counts) if self.changes.iter().all(is_known) => {
                format!("Nothing is new since {since}: {counts}.")
            }
            (None, counts) => format!("Since {since}: {counts}."),
        }
    }

    /// The verdict that it is as grave as: what is worse decides.
    pub(crate) fn gravity(&self) -> Standing {
        match self.changes.first().map(|worst| worst.kind) {
            Some(ChangeKind::Broken) => Standing::Violated,
            Some(kind) if kind.is_worse() => Standing::Inconclusive,
            _ if self.incomparable.is_some() => Standing::Inconclusive,
            _ => Standing::NotApplicable,
        }
    }

    /// What is worse or better than it was, by kind, for a first look.
    pub(crate) fn headlines(&self) -> Vec<(ChangeKind, Vec<String>)> {
        use ChangeKind::{Broken, Judged, Mended, Missing, Open};
        let places = |kind: ChangeKind| {
            let of_kind = self.changes.iter().filter(|change| change.kind == kind);
            (kind, of_kind.map(Change::place).collect::<Vec<_>>())
        };
        let kinds = [Broken, Open, Missing, Mended, Judged].map(places);
        kinds.into_iter().filter(|(_, places)| !places.is_empty()).collect()
    }

    /// What is not the same on both sides, so that verdicts may differ by that: each with its scenarios.
    pub(crate) fn caveats(&self) -> Vec<(&str, Vec<&str>)> {
        let whole = |one: &&Change| one.guarantee.is_none() && one.kind == ChangeKind::Altered;
        let mut caveats: Vec<(&str, Vec<&str>)> = Vec::new();
        for change in self.changes.iter().filter(whole) {
            match caveats.iter_mut().find(|(words, _)| *words == change.words) {
                Some((_, scenarios)) => scenarios.push(&change.scenario),
                None => caveats.push((&change.words, vec![&change.scenario])),
            }
        }
        caveats
    }

    /// Whether a violation is `new` or `known`; nothing where the baseline says neither.
    pub(crate) fn mark(&self, cell: &Cell) -> Option<&'static str> {
        let of_cell = |change: &&Change| {
            change.guarantee.as_ref() == Some(&cell.guarantee) && change.scenario == cell.scenario
        };
        let mut marks =
            self.changes.iter().filter(of_cell).filter_map(|change| match change.kind {
                ChangeKind::Broken => Some("new"),
                ChangeKind::StillBroken => Some("known"),
                _ => None,
            });
        marks.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(kind: ChangeKind, guarantee: Option<&str>) -> Change {
        let guarantee = guarantee.map(str::to_owned);
        Change { kind, guarantee, scenario: "calm".into(), ..Change::default() }
    }

    fn check(changes: &[Change], expected: &str) {
        let news = News { since: "base".into(), changes: changes.to_vec(), ..News::default() };
        assert_eq!(news.sentence(), expected);
    }

    #[test]
    fn what_is_new_is_counted_and_what_is_known_is_not_called_new() {
        use ChangeKind::{Broken, Mended, StillBroken, StillOpen, Unapproved};
        check(&[], "Nothing is new since base.");
        let known = [change(StillBroken, Some("a")), change(StillOpen, Some("b"))];
        let told = "1 violated as approved, 1 not judged as approved";
        check(&known, &format!("Nothing is new since base: {told}."));
        let all = [
            change(Broken, Some("a")),
            change(Broken, Some("b")),
            change(Mended, Some("c")),
            change(Unapproved, Some("d")),
            change(Unapproved, Some("e")),
            change(Unapproved, None),
        ];
        let told = "2 newly violated, 1 mended, 2 new promises, 1 new scenario";
        check(&all, &format!("Since base: {told}."));
    }

    #[test]
    fn what_cannot_be_compared_says_why_and_marks_nothing() {
        let why = "profile: nightly there, quick here";
        let news = News { since: "base".into(), incomparable: Some(why.into()), ..News::default() };
        assert_eq!(news.sentence(), format!("Not compared with base: {why}."));
        assert_eq!(news.mark(&Cell::default()), None);
    }
}
