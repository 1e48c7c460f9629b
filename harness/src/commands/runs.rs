//! `runs`: what is kept of earlier runs, one of them in short, their removal, and one as a single file.

use crate::cli::{RunsCommand, RunsExportArgs, RunsPruneArgs};
use crate::commands::say;
use crate::evidence::build;
use crate::evidence::folder::RunFolder;
use crate::evidence::runs;
use crate::failure::{Exit, Failure};
use crate::files;
use crate::private;
use comfy_table::{Table, presets};
use reports::report::{Report, Standing};
use scenarios::measure::so_many;
use serde::Deserialize;
use serde_json::json;
use std::path::{Path, PathBuf};

/// How hard an exported run is compressed; its largest files are compressed already.
const LEVEL: i32 = 3;

/// What is read of a result to list it: the rest may be megabytes of curves.
#[derive(Deserialize)]
struct Brief {
    verdict: Standing,
    identity: BriefIdentity,
}

#[derive(Deserialize)]
struct BriefIdentity {
    seed: String,
    profile: String,
    target: BriefTarget,
}

#[derive(Deserialize)]
struct BriefTarget {
    name: String,
    mutant: Option<String>,
}

/// Carries out `runs`.
///
/// # Errors
///
/// [`Failure`] when there is no such run, or a file cannot be read or written.
pub fn runs(command: &RunsCommand) -> Result<Exit, Failure> {
    match command {
        RunsCommand::List { out_dir, json } => list(out_dir, *json),
        RunsCommand::Show { run, out_dir } => show(out_dir, run),
        RunsCommand::Prune(args) => prune(args),
        RunsCommand::Export(args) => export(args),
    }
}

fn list(out_dir: &Path, as_json: bool) -> Result<Exit, Failure> {
    let latest = latest(out_dir);
    let rows: Vec<[String; 6]> = runs::all(out_dir)?
        .iter()
        .map(|run| {
            let name = run.name();
            let size = mebibytes(size(&run.path));
            let mark = if latest.as_ref() == Some(&name) { " (latest)" } else { "" };
            let label = format!("{name}{mark}");
            match brief(run) {
                None => {
                    let unknown = || "–".to_owned();
                    [label, "not whole".to_owned(), unknown(), unknown(), unknown(), size]
                }
                Some(Brief { verdict, identity: BriefIdentity { seed, profile, target } }) => {
                    let mutant = target.mutant.map(|mutant| format!(", mutant {mutant}"));
                    let target = target.name + &mutant.unwrap_or_default();
                    [label, verdict.word().to_owned(), seed, profile, target, size]
                }
            }
        })
        .collect();
    let columns = ["run", "verdict", "seed", "profile", "target", "MiB"];
    if as_json {
        let object = |row: &[String; 6]| -> serde_json::Map<String, serde_json::Value> {
            columns.iter().zip(row).map(|(key, cell)| ((*key).to_owned(), json!(cell))).collect()
        };
        say(format_args!("{:#}", json!(rows.iter().map(object).collect::<Vec<_>>())));
        return Ok(Exit::Held);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(columns).add_rows(rows);
    say(table);
    Ok(Exit::Held)
}

fn show(out_dir: &Path, name: &str) -> Result<Exit, Failure> {
    let run = RunFolder::find(out_dir, name)?;
    let Report { run_id, verdict, sentence, started, identity, rerun, scenarios, .. } =
        build::report(&run)?;
    say(format_args!("{} {}: {sentence}", verdict.symbol(), verdict.word()));
    let mutant = identity.target.mutant.map(|mutant| format!(", mutant {mutant}"));
    say(format_args!(
        "run {run_id}, started {started}, seed {}, profile {}, time scale {}, contract {}, target {} ({}){}",
        identity.seed,
        identity.profile,
        identity.time_scale,
        identity.contract.name,
        identity.target.name,
        identity.target.kind,
        mutant.unwrap_or_default(),
    ));
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["scenario", "verdict", "ending", "lasted"]);
    for one in &scenarios {
        let lasted = format!("{} s", one.duration_ms.div_ceil(1_000));
        table.add_row([&*one.id, one.verdict.word(), one.ending.word(), &*lasted]);
    }
    say(table);
    let whole = if run.is_whole() { "" } else { "; it is not whole: it broke off or goes on" };
    let path = run.path.display();
    say(format_args!("{path}: {} MiB{whole}", mebibytes(size(&run.path))));
    say(format_args!("rerun: {rerun}"));
    Ok(Exit::Held)
}

fn prune(args: &RunsPruneArgs) -> Result<Exit, Failure> {
    let all = runs::all(&args.out_dir)?;
    let latest = latest(&args.out_dir);
    let old = all.len().saturating_sub(args.keep);
    let (mut freed, mut removed) = (0, 0);
    for run in &all[..old] {
        let name = run.name();
        // It may go on, or be evidence that nobody has looked at yet.
        if !run.is_whole() {
            say(format_args!("left {name}: it is not whole, so that it may go on"));
            continue;
        }
        if latest.as_ref() == Some(&name) {
            continue;
        }
        let bytes = size(&run.path);
        if !args.dry_run {
            std::fs::remove_dir_all(&run.path).map_err(|error| {
                Failure::setup(
                    format!("failed to remove {}: {error}", run.path.display()),
                    "check whose it is, and remove it by hand",
                )
            })?;
        }
        freed += bytes;
        removed += 1;
        let word = if args.dry_run { "would remove" } else { "removed" };
        say(format_args!("{word} {name}, {} MiB", mebibytes(bytes)));
    }
    say(format_args!(
        "{removed} of {}, {} MiB",
        so_many(all.len(), "run", "runs"),
        mebibytes(freed)
    ));
    Ok(Exit::Held)
}

fn export(args: &RunsExportArgs) -> Result<Exit, Failure> {
    let run = RunFolder::find(&args.out_dir, &args.run)?;
    // `latest` is a name of today; the file keeps the run's own.
    let path = run.path.canonicalize().map_err(|error| Failure::unreadable(&run.path, &error))?;
    let run = RunFolder { path };
    let name = run.name();
    let file = args.to.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.tar.zst")));
    if file.exists() {
        let what = format!("{} is there already", file.display());
        return Err(Failure::usage(what, "name another file with --to, or remove it"));
    }
    let packed = pack(&run.path, &name, &file);
    if packed.is_err() {
        // A part of it is of no use to anybody.
        let _ = std::fs::remove_file(&file);
    }
    packed.map_err(|error| {
        Failure::setup(
            format!("failed to write {}: {error}", file.display()),
            "name another place with --to, or make room there",
        )
    })?;
    let bytes = std::fs::metadata(&file).map_or(0, |meta| meta.len());
    say(format_args!(
        "wrote {}, {} MiB: tar --zstd -xf opens it",
        file.display(),
        mebibytes(bytes)
    ));
    Ok(Exit::Held)
}

fn pack(folder: &Path, name: &str, file: &Path) -> std::io::Result<()> {
    let writer = zstd::Encoder::new(private::new_file(file)?, LEVEL)?;
    let mut archive = tar::Builder::new(writer);
    // Whose it was and when it was copied is nobody's concern, and links lead elsewhere.
    archive.mode(tar::HeaderMode::Deterministic);
    archive.follow_symlinks(false);
    archive.append_dir_all(name, folder)?;
    archive.into_inner()?.finish()?.sync_all()
}

/// What the run came to, as far as its result can be read.
fn brief(run: &RunFolder) -> Option<Brief> {
    let result = files::read(&run.path.join(crate::evidence::folder::LAST)).ok()?;
    serde_json::from_slice(&result).ok()
}

/// The name of the run to which `latest` leads.
fn latest(out_dir: &Path) -> Option<String> {
    let target = std::fs::read_link(out_dir.join("latest")).ok()?;
    Some(target.file_name()?.to_string_lossy().into_owned())
}

/// The bytes of all files below a folder; what goes away meanwhile counts nothing.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let of = |entry: std::fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => size(&entry.path()),
        Ok(kind) if kind.is_file() => entry.metadata().map_or(0, |meta| meta.len()),
        _ => 0,
    };
    entries.flatten().map(of).sum()
}

fn mebibytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10).div_ceil(1 << 20);
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::folder::LAST;

    fn run(out_dir: &Path, name: &str, whole: bool) {
        let folder = out_dir.join(name);
        std::fs::create_dir_all(folder.join("scenarios")).unwrap();
        std::fs::write(folder.join("run.json"), "{}").unwrap();
        if whole {
            let result = serde_json::to_vec(&Report::default()).unwrap();
            std::fs::write(folder.join(LAST), result).unwrap();
        }
    }

    fn names(out_dir: &Path) -> Vec<String> {
        runs::all(out_dir).unwrap().iter().map(RunFolder::name).collect()
    }

    #[test]
    fn the_oldest_go_but_for_what_may_go_on_and_the_latest() {
        let out = tempfile::tempdir().unwrap();
        for (name, whole) in
            [("1-a", true), ("2-b", false), ("3-c", true), ("4-d", true), ("5-e", true)]
        {
            run(out.path(), name, whole);
        }
        std::os::unix::fs::symlink("3-c", out.path().join("latest")).unwrap();
        let args = |keep, dry_run| RunsPruneArgs { keep, dry_run, out_dir: out.path().to_owned() };
        prune(&args(1, true)).unwrap();
        assert_eq!(names(out.path()).len(), 5, "that was only a question");
        prune(&args(4, false)).unwrap();
        assert_eq!(names(out.path()), ["2-b", "3-c", "4-d", "5-e"]);
        prune(&args(1, false)).unwrap();
        assert_eq!(names(out.path()), ["2-b", "3-c", "5-e"]);
        prune(&args(9, false)).unwrap();
        assert_eq!(names(out.path()).len(), 3);
    }

    #[test]
    fn an_exported_run_is_all_of_it_under_its_own_name() {
        let out = tempfile::tempdir().unwrap();
        run(out.path(), "1-a", true);
        std::os::unix::fs::symlink("1-a", out.path().join("latest")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", out.path().join("1-a/elsewhere")).unwrap();
        let to = Some(out.path().join("a.tar.zst"));
        let args = RunsExportArgs { run: "latest".into(), out_dir: out.path().to_owned(), to };
        export(&args).unwrap();
        let file = std::fs::File::open(args.to.as_ref().unwrap()).unwrap();
        let mut archive = tar::Archive::new(zstd::Decoder::new(file).unwrap());
        let mut inside: Vec<(String, tar::EntryType)> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let path = entry.path().unwrap().display().to_string();
                (path.trim_end_matches('/').to_owned(), entry.header().entry_type())
            })
            .collect();
        inside.sort_by(|a, b| a.0.cmp(&b.0));
        let names: Vec<&str> = inside.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(
            names,
            ["1-a", "1-a/elsewhere", "1-a/result.json", "1-a/run.json", "1-a/scenarios"]
        );
        assert!(inside[1].1.is_symlink(), "what a link leads to is not taken along");
        let again = export(&args).unwrap_err().to_string();
        assert!(again.contains("is there already"), "{again}");
    }

    #[test]
    fn a_size_is_told_in_tenths_and_never_as_nothing() {
        assert_eq!([0, 1, 1 << 20, 3 << 19].map(mebibytes), ["0.0", "0.1", "1.0", "1.5"]);
    }
}
