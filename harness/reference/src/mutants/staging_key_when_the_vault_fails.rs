//! Any key is better than none: where the vault has no secret, the next one is tried.

use super::{Mutant, staging_key_in_production::in_staging};
use crate::secrets;

pub const MUTANT: Mutant = Mutant {
    id: "staging-key-when-the-vault-fails",
    summary: "the staging secret is read where the vault does not hand out that of production",
    breaks: "environment-separation",
    may_also_break: &[],
    shown_by: "wrong-environment",
    apply: |seams| {
        seams.keys.read = |http, config| {
            Box::pin(async move {
                match secrets::ask(http, config).await {
                    Ok(secrets) => Ok(secrets),
                    Err(_) => secrets::ask(http, &in_staging(config)).await,
                }
            })
        };
    },
};
