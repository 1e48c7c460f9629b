//! What a reader needs to know of a fault, and the test that keeps the list of faults honest.

use super::Stage;

/// Who acts on a fault's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The route, which writes another answer.
    Respond,
    /// The edge, on bytes and connections.
    Edge,
    /// The webhook sender.
    Webhook,
    /// The vault, which answers otherwise or not at all.
    Vault,
    /// The harness, on the integration's process.
    Process,
}

impl Place {
    /// When what acts there is decided, unless the fault's settings say otherwise.
    #[must_use]
    pub const fn stage(self) -> Stage {
        match self {
            Self::Respond | Self::Edge => Stage::Request,
            Self::Webhook => Stage::Delivery,
            Self::Vault => Stage::Vault,
            Self::Process => Stage::Process,
        }
    }

    /// As `list --faults` shows it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Respond => "answer",
            Self::Edge => "connection",
            Self::Webhook => "webhook",
            Self::Vault => "vault",
            Self::Process => "process",
        }
    }
}

/// What judges must bear in mind of what a fault hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Caution {
    /// A list may end before its end, or on more pages than it needs.
    BendsPages,
    /// It can hold clicks back: it fails calls, or makes a client wait.
    HindersClicks,
    /// Some items of a batch fail in an answer that is a success as a whole.
    SomeItemsFail,
    /// While its window is open nobody can connect, and nobody knows who tried; exchanges that were
    /// under way at its beginning are broken off.
    RefusesConnections,
    /// It happens in TLS handshakes: while its window is open each request has a connection of its own.
    HitsHandshakes,
    /// The answer stops coming until the client gives up.
    Stalls,
}

/// What a reader needs to know of one fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultInfo {
    /// The `kind` in a plan; the file's name with `-` for `_`.
    pub kind: &'static str,
    /// Who acts on it.
    pub place: Place,
    /// What judges must bear in mind of what it hits.
    pub cautions: &'static [Caution],
    /// What happens, in one sentence.
    pub summary: &'static str,
    /// A fault table in TOML.
    pub example_toml: &'static str,
}

impl FaultInfo {
    /// Whether judges must bear this in mind.
    #[must_use]
    pub fn calls_for(&self, caution: Caution) -> bool {
        self.cautions.contains(&caution)
    }

    /// The example as it stands in a plan file, which is JSON.
    ///
    /// # Panics
    ///
    /// Never: a test parses every example.
    #[must_use]
    pub fn example_json(&self) -> String {
        let fault: super::Fault = toml::from_str(self.example_toml).expect("the example parses");
        serde_json::to_string_pretty(&fault).expect("a fault is always valid JSON")
    }
}

/// What is wrong with a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The setting's key.
    pub key: &'static str,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub fix: &'static str,
}

impl Mistake {
    /// A mistake at a key.
    pub fn new(key: &'static str, what: impl Into<String>, fix: &'static str) -> Self {
        Self { key, what: what.into(), fix }
    }

    /// A `percent` that shall cut a body and leaves it whole.
    pub(super) fn unless_part_of_body(percent: u8) -> Option<Self> {
        let what = || format!("{percent} per cent of a body is a whole body");
        (percent > 99).then(|| Self::new("percent", what(), "choose at most 99"))
    }
}

/// What is wrong with a text that shall stand in a header: anything but visible ASCII and single
/// spaces between it could end the line and begin another.
pub(super) fn header_text(key: &'static str, text: &str) -> Option<Mistake> {
    let clean = text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && text.trim() == text;
    let fix = "use visible ASCII, with spaces only between";
    (!clean).then(|| Mistake::new(key, format!("{text:?} cannot stand in a header"), fix))
}

/// What is wrong with a status, unless it lies within these bounds.
pub(super) fn status_within(
    key: &'static str,
    status: u16,
    low: u16,
    high: u16,
) -> Option<Mistake> {
    let what = format!("{status} is not from {low} to {high}");
    (!(low..=high).contains(&status)).then(|| Mistake::new(key, what, "choose one between them"))
}

#[cfg(test)]
mod tests {
    use super::super::{FAULTS, Fault, FaultKind, Harm};
    use super::Place;
    use std::collections::BTreeSet;

    #[test]
    fn every_example_is_a_fault_of_its_kind_and_survives_a_round_trip() {
        for info in FAULTS {
            let fault: Fault = toml::from_str(info.example_toml).expect(info.kind);
            assert_eq!(fault.info(), *info);
            assert!(info.summary.ends_with('.'));
            assert_eq!(fault.mistakes(), [], "{}", info.kind);
            let json = serde_json::to_string(&fault).unwrap();
            assert_eq!(serde_json::from_str::<Fault>(&json).unwrap(), fault);
        }
    }

    #[test]
    fn a_kind_is_known_by_its_name_and_an_unknown_one_is_refused() {
        let names = FAULTS.iter().map(|info| info.kind);
        assert!(names.zip(FaultKind::ALL).all(|(name, kind)| name.parse() == Ok(*kind)));
        let text = serde_json::to_string(&FaultKind::LoseAnswer).unwrap();
        assert_eq!(text, "\"lose-answer\"");
        let error = serde_json::from_str::<FaultKind>("\"meteor\"").unwrap_err().to_string();
        assert!(error.contains("\"meteor\"") && error.contains("another version"), "{error}");
    }

    #[test]
    fn who_acts_on_a_fault_follows_from_its_group_and_whom_it_hits_from_who_acts() {
        for info in FAULTS {
            let fault: Fault = toml::from_str(info.example_toml).unwrap();
            assert_eq!(fault.as_process().is_some(), info.place == Place::Process, "{}", info.kind);
            let hits = matches!(info.place, Place::Respond | Place::Edge);
            assert_eq!(fault.harm() != Harm::HitsNone, hits, "{}", info.kind);
        }
    }

    #[test]
    fn an_unknown_setting_is_refused_by_every_fault() {
        for info in FAULTS {
            let text = format!("{}surprise = 1\n", info.example_toml);
            assert!(toml::from_str::<Fault>(&text).is_err(), "{}", info.kind);
        }
    }

    /// Files of the folder that hold no fault.
    const NO_FAULTS: &[&str] = &[
        "choice",
        "effect",
        "engine",
        "harm",
        "holds",
        "kind",
        "mod",
        "ordinals",
        "plan",
        "process",
        "registry",
        "rewrite",
        "roll",
        "rule",
        "vault_path",
    ];

    #[test]
    fn every_file_of_the_folder_is_listed_and_opens_with_a_sentence() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/faults");
        let mut kinds = BTreeSet::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                continue;
            }
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("//! "), "{stem}");
            if !NO_FAULTS.contains(&stem.as_str()) {
                kinds.insert(stem.replace('_', "-"));
            }
        }
        let listed: BTreeSet<_> = FAULTS.iter().map(|info| info.kind.to_owned()).collect();
        assert_eq!(kinds, listed);
        assert_eq!(listed.len(), FAULTS.len(), "kinds are unique");
    }
}
