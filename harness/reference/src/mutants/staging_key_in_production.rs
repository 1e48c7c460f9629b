//! The configuration names the wrong secret: it was copied from staging.

use super::Mutant;
use crate::{
    config::Config,
    secrets::{self, SecretsFuture},
};

pub const MUTANT: Mutant = Mutant {
    id: "staging-key-in-production",
    summary: "the staging key is read and sent to production",
    breaks: "environment-separation",
    may_also_break: &["key-from-vault", "clicks-delivered", "click-lag"],
    shown_by: "wrong-environment",
    apply: |seams| {
        seams.secrets = read;
        seams.keys.read = read;
    },
};

/// The same service in the other environment.
pub(super) fn in_staging(config: &Config) -> Config {
    Config { vault_secret: "secret/data/linktree-staging".into(), ..config.clone() }
}

fn read<'a>(http: &'a reqwest::Client, config: &'a Config) -> SecretsFuture<'a> {
    Box::pin(async move { secrets::read(http, &in_staging(config)).await })
}
