//! The path holds the number of the deployment, and the old one is gone.

use super::Mutant;
use crate::webhooks::PATH;
use std::path::Path;

pub const MUTANT: Mutant = Mutant {
    id: "webhook-moves-on-restart",
    summary: "after a start with old data another path is registered, where nobody is",
    breaks: "webhook-registered",
    may_also_break: &["webhook-signature"],
    shown_by: "webhook-flood",
    apply: |seams| seams.webhooks.path = path,
};

/// Marks the folder at the first start.
fn path(folder: &Path) -> &'static str {
    let mark = folder.join("deployed");
    if mark.exists() {
        return "/webhooks/linktree-2";
    }
    let _ = std::fs::write(mark, "1");
    PATH
}
