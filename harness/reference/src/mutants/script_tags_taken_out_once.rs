//! Biographies may have markup, of which a pattern takes out the scripts.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "script-tags-taken-out-once",
    summary: "a biography is markup without script elements, but with handlers",
    breaks: "html-sanitised",
    may_also_break: &[],
    shown_by: "hostile-content",
    apply: |seams| {
        seams.front.html.bio = |bio| {
            let mut rest = bio;
            let mut kept = String::new();
            while let Some((before, behind)) = rest.split_once("<script") {
                kept.push_str(before);
                rest = behind.split_once("</script>").map_or("", |(_, behind)| behind);
            }
            kept + rest
        };
    },
};
