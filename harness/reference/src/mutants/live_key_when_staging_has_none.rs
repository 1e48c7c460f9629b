//! Staging has often no secret of its own, so that it was given one to fall back on.

use super::{Mutant, live_key_in_staging::in_production};
use crate::secrets;

pub const MUTANT: Mutant = Mutant {
    id: "live-key-when-staging-has-none",
    summary: "the production secret is read where the vault does not hand out that of staging",
    breaks: "environment-separation",
    may_also_break: &[],
    shown_by: "wrong-environment-in-staging",
    apply: |seams| {
        seams.keys.read = |http, config| {
            Box::pin(async move {
                match secrets::ask(http, config).await {
                    Ok(secrets) => Ok(secrets),
                    Err(_) => secrets::ask(http, &in_production(config)).await,
                }
            })
        };
    },
};
