//! `preflight`: five small questions to a live deployment, at most one request each, never a load.

mod answer;

use crate::cli::{PreflightArgs, PreflightCheck};
use crate::commands::say;
use crate::config::secret;
use crate::contract;
use crate::failure::{Exit, Failure};
use answer::{endpoint, links, told, words};
use reqwest::{Client, Method, Response, StatusCode, Url, redirect};
use serde::Serialize;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

/// How long one answer may take (checklist.md, "Preflight").
const PATIENCE: Duration = Duration::from_secs(5);

/// Requests that must be left in the limit's window (checklist.md, "Preflight").
const HEADROOM: u64 = 20;

/// What became of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Passed,
    Failed,
    Unknown,
    Skipped,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Line {
    check: PreflightCheck,
    state: State,
    what: String,
}

/// Asks the deployment.
///
/// # Errors
///
/// [`Failure::Usage`] for an address or a key that cannot be used; whatever the deployment does is
/// a line of the result.
pub async fn preflight(args: &PreflightArgs) -> Result<Exit, Failure> {
    let asking = Asking::new(args)?;
    let warnings: Vec<String> = asking.warning().into_iter().collect();
    // Before anything is sent.
    warnings.iter().for_each(|warning| eprintln!("! {warning}"));
    let mut lines = Vec::new();
    for check in PreflightCheck::ALL {
        let (state, what) = if args.skip.contains(&check) {
            (State::Skipped, "skipped as asked".to_owned())
        } else {
            asking.ask(check, &lines).await
        };
        lines.push(Line { check, state, what });
    }
    if args.json {
        say(format_args!(
            "{:#}",
            serde_json::json!({ "format": 1, "checks": lines, "warnings": warnings })
        ));
    } else {
        for line in &lines {
            let mark = match line.state {
                State::Passed => "✓",
                State::Failed => "✗",
                State::Unknown => "?",
                State::Skipped => "–",
            };
            say(format_args!("{mark} {:<12} {}", line.check.name(), line.what));
        }
    }
    Ok(exit(&lines))
}

/// One failure outranks whatever is unknown; only what was seen to be right passes.
fn exit(lines: &[Line]) -> Exit {
    let any = |state| lines.iter().any(|line| line.state == state);
    if any(State::Failed) {
        Exit::Violated
    } else if any(State::Unknown) || !any(State::Passed) {
        Exit::Inconclusive
    } else {
        Exit::Held
    }
}

struct Asking {
    client: Client,
    base: Url,
    key: String,
    handle: Option<String>,
    webhook: Option<Url>,
    remaining_header: String,
    headroom: std::cell::Cell<Option<(State, String)>>,
}

impl Asking {
    fn new(args: &PreflightArgs) -> Result<Self, Failure> {
        let contract = contract::load(args.contract.as_deref())?;
        let client = Client::builder()
            .timeout(PATIENCE)
            .redirect(redirect::Policy::none())
            .user_agent(concat!("windthrow-preflight/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Failure::setup(error.to_string(), "this machine has no TLS roots?"))?;
        Ok(Self {
            client,
            base: base(&args.base_url)?,
            key: secret::resolve(&args.key, Path::new("."))
                .map_err(|failure| of_flag("--key", failure))?,
            handle: args.handle.clone(),
            webhook: args.webhook.as_deref().map(|url| address("--webhook", url)).transpose()?,
            remaining_header: contract.limit.remaining_header,
            headroom: std::cell::Cell::new(None),
        })
    }

    /// Whether the key can be read on its way.
    fn warning(&self) -> Option<String> {
        let host = self.base.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let open = self.base.scheme() == "http" && !here;
        open.then(|| {
            format!("the key goes to {host} over plain http, where everybody on the way can read it: use https")
        })
    }

    async fn ask(&self, check: PreflightCheck, before: &[Line]) -> (State, String) {
        let unreachable = before
            .iter()
            .any(|line| line.check == PreflightCheck::Reachable && line.state == State::Failed);
        if unreachable && check != PreflightCheck::Webhook {
            return (State::Unknown, "not asked: Linktree was not reachable".to_owned());
        }
        match check {
            PreflightCheck::Reachable => self.reachable().await,
            PreflightCheck::Key => self.key().await,
            PreflightCheck::Permissions => self.permissions().await,
            // The answer to the question before tells it: no request of its own.
            PreflightCheck::Headroom => self.headroom.take().unwrap_or_else(no_answer),
            PreflightCheck::Links => self.links().await,
            PreflightCheck::Webhook => self.webhook().await,
        }
    }

    async fn get(&self, path: &str, with_key: bool) -> Result<Response, String> {
        let base = self.base.as_str().trim_end_matches('/');
        let mut request =
            self.client.get(format!("{base}/v1{path}")).header("accept", "application/json");
        if with_key {
            request = request.bearer_auth(&self.key);
        }
        request.send().await.map_err(|error| words(&error))
    }

    async fn reachable(&self) -> (State, String) {
        match self.get("/health", false).await {
            Ok(answer) if answer.status().is_success() => {
                (State::Passed, format!("GET /v1/health answered {}", answer.status()))
            }
            Ok(answer) if answer.status() == StatusCode::NOT_FOUND => {
                let why = "GET /v1/health answered 404: is --base-url Linktree's, and without /v1?";
                (State::Failed, why.to_owned())
            }
            Ok(answer) => (State::Failed, format!("GET /v1/health answered {}", told(&answer))),
            Err(why) => (State::Failed, format!("GET /v1/health: {why} (--base-url)")),
        }
    }

    async fn key(&self) -> (State, String) {
        match self.get("/me", true).await {
            Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED => {
                let why =
                    "the key was refused (401): is it live's, not staging's, and not replaced?";
                (State::Failed, why.to_owned())
            }
            other => judged(other, "GET /v1/me", "the key is known"),
        }
    }

    async fn permissions(&self) -> (State, String) {
        let Some(handle) = &self.handle else { return no_handle() };
        let answer = self.get(&format!("/profiles/{handle}"), true).await;
        self.headroom.set(Some(self.headroom_of(answer.as_ref())));
        match answer {
            Ok(answer) if answer.status() == StatusCode::FORBIDDEN => {
                let why = "the key may not read profiles (403): it needs the scope profile:read";
                (State::Failed, why.to_owned())
            }
            Ok(answer) if answer.status() == StatusCode::NOT_FOUND => {
                (State::Failed, format!("nobody is called {handle} (404): see --handle"))
            }
            other => judged(other, "the profile", "the key may read profiles"),
        }
    }

    /// A missing header is unknown, not zero.
    fn headroom_of(&self, answer: Result<&Response, &String>) -> (State, String) {
        let name = &self.remaining_header;
        let Ok(answer) = answer else {
            return no_answer();
        };
        let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
        match value.map(str::parse::<u64>) {
            None => (State::Unknown, format!("the answer has no {name}")),
            Some(Err(_)) => (State::Unknown, format!("{name} is no number")),
            Some(Ok(left)) if left > HEADROOM => {
                (State::Passed, format!("requests left in the window: {left}"))
            }
            Some(Ok(left)) => (
                State::Failed,
                format!("requests left in the window: {left}, more than {HEADROOM} are needed"),
            ),
        }
    }

    async fn links(&self) -> (State, String) {
        let Some(handle) = &self.handle else { return no_handle() };
        let answer = match self.get(&format!("/profiles/{handle}/links?limit=1"), true).await {
            Ok(answer) if answer.status().is_success() => answer,
            Ok(answer) if answer.status() == StatusCode::NOT_FOUND => {
                return (
                    State::Failed,
                    format!("there are no links of {handle} (404): see --handle"),
                );
            }
            other => return judged(other, "the links", ""),
        };
        match links(answer).await {
            Ok(()) => (State::Passed, "the links can be read".to_owned()),
            Err(why) => (State::Failed, why),
        }
    }

    async fn webhook(&self) -> (State, String) {
        let Some(url) = &self.webhook else {
            return (State::Unknown, "no --webhook was given (or --skip webhook)".to_owned());
        };
        match self.client.request(Method::HEAD, url.clone()).send().await {
            Ok(answer) => match endpoint(answer.status()) {
                Ok(is_there) => {
                    (State::Passed, format!("HEAD answered {}{is_there}", told(&answer)))
                }
                Err(why) => (State::Failed, format!("HEAD answered {}{why}", told(&answer))),
            },
            Err(error) => (State::Failed, format!("HEAD: {}", words(&error))),
        }
    }
}

fn no_answer() -> (State, String) {
    (State::Unknown, "there was no answer to read it from".to_owned())
}

fn no_handle() -> (State, String) {
    let why = "no --handle was given: name a creator whose page the key must be able to read";
    (State::Unknown, why.to_owned())
}

fn judged(answer: Result<Response, String>, what: &str, passed: &str) -> (State, String) {
    match answer {
        Ok(answer) if answer.status().is_success() => (State::Passed, passed.to_owned()),
        Ok(answer) if answer.status() == StatusCode::TOO_MANY_REQUESTS => {
            (State::Unknown, format!("{what} was rate limited (429); ask again later"))
        }
        Ok(answer) => (State::Failed, format!("{what} answered {}", told(&answer))),
        Err(why) => (State::Failed, format!("{what}: {why}")),
    }
}

/// Linktree's address, to which `/v1` is added.
fn base(text: &str) -> Result<Url, Failure> {
    let url = address("--base-url", text)?;
    let path = url.path().trim_end_matches('/');
    let Some(before) = path.strip_suffix("/v1") else { return Ok(url) };
    let mut right = url.clone();
    right.set_path(before);
    let right = right.as_str().trim_end_matches('/');
    Err(Failure::usage(
        "failed to use --base-url: it ends in /v1, which is added to it",
        format!("write it as {right}"),
    ))
}

/// The failure with the flag that it is about.
fn of_flag(flag: &str, failure: Failure) -> Failure {
    match failure {
        Failure::Usage { what, help } => Failure::usage(format!("{flag}: {what}"), help),
        other => other,
    }
}

fn address(flag: &str, text: &str) -> Result<Url, Failure> {
    let wrong = |why: &str| {
        let example = if text.contains(['/', '@', '?']) { "host" } else { text };
        Failure::usage(
            format!("failed to use {flag}: {why}"),
            format!("write it as https://{example}"),
        )
    };
    if !text.contains("://") {
        return Err(wrong("it does not begin with https:// or http://"));
    }
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(wrong("it is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err(wrong("it holds a credential or a query"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_seen_to_be_right_passes() {
        let check = |states: &[State], expected| {
            let line = |state: &State| Line {
                check: PreflightCheck::Key,
                state: *state,
                what: String::new(),
            };
            let lines: Vec<_> = states.iter().map(line).collect();
            assert_eq!(exit(&lines), expected, "{states:?}");
        };
        check(&[State::Passed, State::Skipped], Exit::Held);
        check(&[State::Passed, State::Unknown], Exit::Inconclusive);
        check(&[State::Unknown, State::Failed], Exit::Violated);
        check(&[State::Skipped], Exit::Inconclusive);
        check(&[], Exit::Inconclusive);
    }

    #[test]
    fn an_address_carries_no_secret() {
        assert!(address("--base-url", "https://api.example.org").is_ok());
        assert!(address("--webhook", "https://x.example.org/v1").is_ok());
        for v1 in ["https://api.example.org/v1", "https://api.example.org/v1/"] {
            let Failure::Usage { what, help } = base(v1).unwrap_err() else {
                panic!("{v1} is used")
            };
            assert_eq!(help, "write it as https://api.example.org", "{what}");
        }
        for wrong in ["api", "ftp://x", "https://u:p@x", "https://x/?key=1"] {
            let shown = address("--base-url", wrong).unwrap_err().to_string();
            assert!(shown.contains("--base-url") && !shown.contains("u:p"), "{shown}");
        }
    }
}
