//! The text of one approved scenario: TOML below the head that snapshots of insta have, so that
//! `cargo insta review` shows it like the others.

use super::{Approved, Finding};
use crate::failure::Failure;
use crate::reading;
use serde::Serialize;
use std::fmt::Write;
use std::path::Path;

/// How the files of a baseline end.
pub const ENDING: &str = "snap";
/// Who wrote it, as insta has it.
const HEAD: &str = "---\nsource: windthrow baseline\n---\n";
const HELP: &str =
    "`windthrow baseline set` writes these files; put the approved one back, or set it anew";

/// The file of what was approved, with its head.
#[must_use]
pub fn text(approved: &Approved) -> String {
    format!("{HEAD}{}", body(approved))
}

/// The same without the head: a line for each promise, so that a change is a line.
///
/// # Panics
///
/// Never: all of it can be written as TOML.
#[must_use]
pub fn body(approved: &Approved) -> String {
    let mut text = String::new();
    let mut line =
        |key: &str, value: String| writeln!(text, "{key} = {value}").expect("memory takes it");
    line("scenario", value(&approved.scenario));
    line("profile", value(&approved.profile));
    line("time_scale", value(&approved.time_scale));
    line("contract", value(&approved.contract));
    line("target", value(&approved.target));
    line("plan", value(&approved.plan));
    if let Some(reason) = &approved.reason {
        line("reason", value(reason));
    }
    let watched: String =
        approved.watches.iter().map(|id| format!("    {},\n", value(id))).collect();
    line("watches", if watched.is_empty() { "[]".to_owned() } else { format!("[\n{watched}]") });
    text += "\n[guarantees]\n";
    for (id, finding) in &approved.guarantees {
        text += &format!("{id} = {}\n", value(finding));
    }
    text
}

fn value(value: &impl Serialize) -> String {
    let mut text = String::new();
    value.serialize(toml::ser::ValueSerializer::new(&mut text)).expect("all of it is TOML");
    text
}

/// Reads one.
///
/// # Errors
///
/// [`Failure::Usage`] when it cannot be read, or approves without a reason what needs one;
/// [`Failure::Syntax`] with the place when it is not such a file.
pub fn read(path: &Path) -> Result<Approved, Failure> {
    parse(path, &reading::text(path)?)
}

fn parse(path: &Path, text: &str) -> Result<Approved, Failure> {
    let end = text.strip_prefix("---\n").and_then(|rest| Some(4 + rest.find("\n---\n")? + 5));
    let Some(begin) = end else {
        let message =
            "it has not the head of a snapshot, which stands between two lines of three hyphens";
        return Err(Failure::syntax(path, text, (0, text.len().min(3)).into(), message, HELP));
    };
    let approved: Approved = toml::from_str(&text[begin..]).map_err(|error| {
        let at = error.span().unwrap_or_default();
        let at = (begin + at.start, at.len());
        Failure::syntax(path, text, at.into(), error.message(), HELP)
    })?;
    let named = path.file_stem().and_then(|stem| stem.to_str());
    if named != Some(&approved.scenario) {
        let what = format!("{} holds what was approved of {}", path.display(), approved.scenario);
        return Err(Failure::usage(what, "name the file like its scenario"));
    }
    let without_reason = approved.reason.as_deref().is_none_or(|reason| reason.trim().is_empty());
    if let (true, Some((id, Finding { verdict, .. }))) = (without_reason, approved.unsound().next())
    {
        return Err(Failure::usage(
            format!("{}: {id} is {} and no reason is given", path.display(), verdict.word()),
            "say why in `reason`, or approve a run in which it holds",
        ));
    }
    Ok(approved)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{HELD, approved, finding};
    use super::*;
    use crate::failure::Exit;
    use reports::report::{Severity, Standing};

    #[test]
    fn what_is_written_reads_back_the_same() {
        let strange = "it's \"mine\" \\ ümlaut\nline";
        let finding = Finding {
            severity: Severity::Should,
            bound: strange.to_owned(),
            ..finding(Standing::Violated)
        };
        let mut all = approved("steady-state", &[("base-url", HELD)]);
        all.guarantees.insert("click-lag".to_owned(), finding);
        all.reason = Some(strange.to_owned());
        let path = Path::new("steady-state.snap");
        assert_eq!(parse(path, &text(&all)).unwrap(), all);
        all.watches.clear();
        assert_eq!(parse(path, &text(&all)).unwrap(), all);
    }

    /// Proves that whoever reviews snapshots with insta reviews these as well: insta finds in the file
    /// what this module says is its body.
    #[test]
    fn insta_reads_the_same_body() {
        let folder = tempfile::tempdir().unwrap();
        let all = approved("steady-state", &[("base-url", HELD)]);
        std::fs::write(folder.path().join("steady-state.snap"), text(&all)).unwrap();
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(folder.path());
        settings.set_prepend_module_to_snapshot(false);
        settings.bind(|| insta::assert_snapshot!("steady-state", body(&all)));
    }

    #[test]
    fn a_file_is_as_approved() {
        let mut all = approved("steady-state", &[("base-url", HELD), ("click-lag", HELD)]);
        all.guarantees.get_mut("click-lag").unwrap().bound = "within_ms = 60000".to_owned();
        let expected = "\
---
source: windthrow baseline
---
scenario = \"steady-state\"
profile = \"quick\"
time_scale = 10
contract = \"linktree-v1\"
target = \"embedded\"
plan = \"0123456789ab\"
watches = [
    \"json-headers\",
]

[guarantees]
base-url = { verdict = \"held\", exercised = true, minimum_met = true }
click-lag = { verdict = \"held\", bound = \"within_ms = 60000\", exercised = true, minimum_met = true }
";
        assert_eq!(text(&all), expected);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_with_its_place() {
        let check = |name: &str, text: &str, word: &str| {
            let refused = parse(Path::new(name), text).unwrap_err();
            assert_eq!(refused.exit(), Exit::Usage);
            let said = format!("{:?}", miette::Report::new(refused));
            assert!(said.contains(word) && said.contains(name), "{said}");
        };
        let good = text(&approved("steady-state", &[("base-url", HELD)]));
        check("steady-state.snap", &good.replace("---", "--"), "head of a snapshot");
        check("steady-state.snap", &good.replace("exercised", "exercisd"), "exercisd");
        check("steady-state.snap", &good.replace("plan =", "<<<<<<< HEAD\nplan ="), "<<<<<<<");
        check("other.snap", &good, "approved of steady-state");
        for verdict in ["violated", "inconclusive"] {
            let bad = good.replace("\"held\"", &format!("{verdict:?}"));
            check("steady-state.snap", &bad, "no reason is given");
            let blank = bad.replace("watches", "reason = \" \"\nwatches");
            check("steady-state.snap", &blank, "no reason is given");
            let said = bad.replace("watches", "reason = \"until the breaker is there\"\nwatches");
            assert!(parse(Path::new("steady-state.snap"), &said).is_ok());
        }
        check("steady-state.snap", "", "head of a snapshot");
    }
}
