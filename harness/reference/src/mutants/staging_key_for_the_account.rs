//! The check at the start was written for staging, and kept the key of its own.

use super::{Mutant, staging_key_in_production::in_staging};
use crate::{
    config::Config,
    linktree::Route,
    secrets::{self, Secrets, SecretsFuture},
};
use std::sync::{Arc, OnceLock};

pub const MUTANT: Mutant = Mutant {
    id: "staging-key-for-the-account",
    summary: "the account is asked for with the staging key",
    breaks: "environment-separation",
    may_also_break: &[],
    shown_by: "wrong-environment",
    apply: |seams| {
        seams.secrets = both;
        seams.keys.serving = serving;
    },
};

static STAGING: OnceLock<Arc<Secrets>> = OnceLock::new();

/// Reads the production secret, and that of staging beside it.
fn both<'a>(http: &'a reqwest::Client, config: &'a Config) -> SecretsFuture<'a> {
    Box::pin(async move {
        let staging = secrets::read(http, &in_staging(config)).await?;
        let _ = STAGING.set(Arc::new(staging));
        secrets::read(http, config).await
    })
}

fn serving(route: Route, in_force: Arc<Secrets>) -> Arc<Secrets> {
    match route {
        Route::Me => STAGING.get().cloned().unwrap_or(in_force),
        _ => in_force,
    }
}
