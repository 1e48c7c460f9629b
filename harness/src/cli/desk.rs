//! Arguments of what is done with recorded runs.

use clap::{Args, Subcommand};
use std::path::PathBuf;

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
