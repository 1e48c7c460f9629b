//! Arguments of `prove`.

use super::jobs;
use clap::Args;
use std::path::PathBuf;

/// Arguments of `prove`.
#[derive(Debug, Args)]
pub struct ProveArgs {
    /// Mutants whose id contains one of these (with --honest: scenarios); all without any
    pub patterns: Vec<String>,
    /// Instead of mutants the reference as it is: every promise must hold with every seed; prints how much
    /// of each was seen with the worst of them
    #[arg(long)]
    pub honest: bool,
    /// Runs of each mutant, each with a seed of its own
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub seeds: u32,
    /// The first seed
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// At most so many mutants at once; as many as the machine has room for when absent
    #[arg(long, value_name = "N", value_parser = jobs)]
    pub jobs: Option<usize>,
    /// Where runs are kept
    #[arg(long, default_value = "runs", env = "WINDTHROW_OUT_DIR", value_name = "DIR")]
    pub out_dir: PathBuf,
}
