//! The path of the secret was written down when there was one environment.

use super::Mutant;
use crate::{
    config::Config,
    secrets::{self, SecretsFuture},
};

pub const MUTANT: Mutant = Mutant {
    id: "live-key-in-staging",
    summary: "the live key is read and sent to staging",
    breaks: "environment-separation",
    may_also_break: &["key-from-vault", "clicks-delivered", "click-lag"],
    shown_by: "wrong-environment-in-staging",
    apply: |seams| {
        seams.secrets = read;
        seams.keys.read = read;
    },
};

/// The same service in production.
pub(super) fn in_production(config: &Config) -> Config {
    Config { vault_secret: "secret/data/linktree".into(), ..config.clone() }
}

fn read<'a>(http: &'a reqwest::Client, config: &'a Config) -> SecretsFuture<'a> {
    Box::pin(async move { secrets::read(http, &in_production(config)).await })
}
