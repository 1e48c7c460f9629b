//! All faults in reading order, each with a sentence and an example for a plan file.

/// What a reader needs to know of one fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultInfo {
    /// The `kind` in a plan; the file's name with `-` for `_`.
    pub kind: &'static str,
    /// What happens, in one sentence.
    pub summary: &'static str,
    /// A fault table in TOML.
    pub example_toml: &'static str,
}

impl FaultInfo {
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

/// Every fault that a rule may name.
pub const FAULTS: &[FaultInfo] = &[
    FaultInfo {
        kind: "status",
        summary: "The answer is an error, with or without Retry-After; nothing is done.",
        example_toml: "kind = \"status\"\ncodes = [429, 503]\nretry_after = [{ form = \"seconds\", s = 2 }, { form = \"date\", s = 2 }]\n",
    },
    FaultInfo {
        kind: "latency",
        summary: "The answer comes later.",
        example_toml: "kind = \"latency\"\ndistribution = \"lognormal\"\nmedian_ms = 200\nsigma_milli = 800\nmax_ms = 5000\n",
    },
    FaultInfo {
        kind: "stall",
        summary: "The answer stops coming, until the client gives up.",
        example_toml: "kind = \"stall\"\nat = { trickle = { every_ms = 4000 } }\n",
    },
    FaultInfo {
        kind: "reset",
        summary: "The connection is reset, before the head or inside the body.",
        example_toml: "kind = \"reset\"\nat = \"mid-body\"\n",
    },
    FaultInfo {
        kind: "truncate",
        summary: "The body ends before its length, with a close.",
        example_toml: "kind = \"truncate\"\npercent = 50\n",
    },
    FaultInfo {
        kind: "lose-answer",
        summary: "The request has its effect, but the connection closes without an answer.",
        example_toml: "kind = \"lose-answer\"\n",
    },
];

#[cfg(test)]
mod tests {
    use super::super::Fault;
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_example_is_a_fault_of_its_kind_and_survives_a_round_trip() {
        for info in FAULTS {
            let fault: Fault = toml::from_str(info.example_toml).expect(info.kind);
            assert_eq!(fault.kind(), info.kind);
            assert!(info.summary.ends_with('.'));
            let json = serde_json::to_string(&fault).unwrap();
            assert_eq!(serde_json::from_str::<Fault>(&json).unwrap(), fault);
        }
    }

    #[test]
    fn an_unknown_setting_is_refused_by_every_fault() {
        for info in FAULTS {
            let text = format!("{}surprise = 1\n", info.example_toml);
            assert!(toml::from_str::<Fault>(&text).is_err(), "{}", info.kind);
        }
    }

    #[test]
    fn every_file_of_the_folder_is_listed_and_opens_with_a_sentence() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/faults");
        let mut kinds = BTreeSet::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("//! "), "{stem}");
            if !["mod", "engine", "registry", "roll"].contains(&stem.as_str()) {
                kinds.insert(stem.replace('_', "-"));
            }
        }
        let listed: BTreeSet<_> = FAULTS.iter().map(|info| info.kind.to_owned()).collect();
        assert_eq!(kinds, listed);
        assert_eq!(listed.len(), FAULTS.len(), "kinds are unique");
    }
}
