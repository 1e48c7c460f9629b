//! What came instead of readiness, in words.

use crate::storm::observe::search::Search;
use std::error::Error;
use std::time::Duration;

/// How long one look at the readiness route may take.
pub const PATIENCE: Duration = Duration::from_secs(1);
/// As many characters of a body tell a person which page it is.
const FIRST_CHARS: usize = 80;

/// Looks once.
///
/// # Errors
///
/// What came instead of a 2xx, without what was planted.
pub async fn look(client: &reqwest::Client, url: &str, search: &Search) -> Result<(), String> {
    let mut answer = match client.get(url).timeout(PATIENCE).send().await {
        Ok(answer) if answer.status().is_success() => return Ok(()),
        Ok(answer) => answer,
        Err(error) => return Err(search.redacted(&hindered(url, &error)).into_owned()),
    };
    let body = answer.chunk().await.ok().flatten().unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    // Nothing planted is cut in two before it is taken out.
    let clean: String = search.redacted(text.trim()).chars().take(FIRST_CHARS).collect();
    let begins =
        if clean.is_empty() { String::new() } else { format!(", and its body begins {clean:?}") };
    Err(format!("it answered {}{begins}", answer.status()))
}

/// Why there was no answer.
fn hindered(url: &str, error: &reqwest::Error) -> String {
    let asked = reqwest::Url::parse(url).ok();
    let redirected = error.url().filter(|to| Some(*to) != asked.as_ref());
    let redirected = redirected.map_or(String::new(), |to| format!("a redirect to {to} failed: "));
    if error.is_timeout() {
        return format!("{redirected}no answer within {} s", PATIENCE.as_secs());
    }
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    format!("{redirected}{cause}")
}
