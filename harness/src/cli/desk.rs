//! Arguments of what is done with recorded runs: comparing them, and approving what they found.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Arguments of `compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// What it is compared with: a run, or a baseline's folder or file
    pub base: String,
    /// The run's folder, its name under --out-dir, or how its name or its id begins
    #[arg(default_value = "latest")]
    pub run: String,
    /// Where runs are kept
    #[arg(long, default_value = "runs", env = "WINDTHROW_OUT_DIR", value_name = "DIR")]
    pub out_dir: PathBuf,
    /// End with 6 also where nothing is worse and yet something is not as approved; of a baseline what was
    /// found is written beside it, for `cargo insta review` or `windthrow baseline set`
    #[arg(long)]
    pub exact: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// What to do with a baseline.
#[derive(Debug, Subcommand)]
pub enum BaselineCommand {
    /// Approve what a run found; refused while something is violated or inconclusive, unless a reason is
    /// given
    Set(BaselineSetArgs),
    /// Show what is approved
    Show(BaselineShowArgs),
}

/// Arguments of `baseline set`.
#[derive(Debug, Args)]
pub struct BaselineSetArgs {
    /// The run's folder, its name under --out-dir, or how its name or its id begins
    #[arg(default_value = "latest")]
    pub run: String,
    /// Where runs are kept
    #[arg(long, default_value = "runs", env = "WINDTHROW_OUT_DIR", value_name = "DIR")]
    pub out_dir: PathBuf,
    /// The baseline's folder; files of scenarios that the run does not have stay as they are
    #[arg(long, default_value = "windthrow-baseline", value_name = "DIR")]
    pub baseline: PathBuf,
    /// Why it is approved although something is violated or inconclusive
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Arguments of `baseline show`.
#[derive(Debug, Args)]
pub struct BaselineShowArgs {
    /// The baseline's folder, or one of its files
    #[arg(long, default_value = "windthrow-baseline", value_name = "PATH")]
    pub baseline: PathBuf,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// What to do with the runs that are kept.
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// The oldest first: verdict, seed, profile, target and size
    List {
        /// Where runs are kept
        #[arg(long, default_value = "runs", env = "WINDTHROW_OUT_DIR", value_name = "DIR")]
        out_dir: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// One of them in short
    Show {
        /// The run's folder, its name under --out-dir, or how its name or its id begins
        #[arg(default_value = "latest")]
        run: String,
        /// Where runs are kept
        #[arg(long, default_value = "runs", env = "WINDTHROW_OUT_DIR", value_name = "DIR")]
        out_dir: PathBuf,
    },
    /// Remove the oldest; never the latest, nor one that is not whole and may go on
    Prune(RunsPruneArgs),
    /// One of them as a single file, with all of its evidence
    Export(RunsExportArgs),
}

/// Arguments of `runs prune`.
#[derive(Debug, Args)]
pub struct RunsPruneArgs {
    /// So many of the newest stay
    #[arg(long, value_name = "N")]
    pub keep: usize,
    /// Only say what would be removed
    #[arg(long)]
    pub dry_run: bool,
    /// Where runs are kept
    #[arg(long, default_value = "runs", env = "WINDTHROW_OUT_DIR", value_name = "DIR")]
    pub out_dir: PathBuf,
}

/// Arguments of `runs export`.
#[derive(Debug, Args)]
pub struct RunsExportArgs {
    /// The run's folder, its name under --out-dir, or how its name or its id begins
    #[arg(default_value = "latest")]
    pub run: String,
    /// The file; <name>.tar.zst in this folder when absent
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// Where runs are kept
    #[arg(long, default_value = "runs", env = "WINDTHROW_OUT_DIR", value_name = "DIR")]
    pub out_dir: PathBuf,
}
