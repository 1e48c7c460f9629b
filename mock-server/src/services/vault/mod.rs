//! The vault that hands out the run's credentials, in the shape of HashiCorp Vault's KV version 2, with
//! what its clients ask besides: state, logins, tokens and their lives, metadata, mounts.
//!
//! Statuses and names are those of a real server, and `tests/openbao` compares them with one. A token
//! may read what lies under `secret/` and look after itself, and nothing else. A namespace may be named in a
//! header, in the path before what is mounted, or in both; every one is a view of the same.

mod ask;
mod capabilities;
mod durations;
mod fields;
mod jwt;
mod reply;
mod secrets;
mod system;
mod tokens;
mod wrapping;

use crate::clock::Moment;
use crate::faults::{Effect, FaultMark, RequestView};
use crate::history::record::{Record, SecretRead};
use crate::keyring::{Environment, Lease, Standing};
use crate::services::ServiceContext;
use ask::{Ask, Operation};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use reply::Reply;
use std::sync::Arc;
use std::time::Duration;

/// Where the vault keeps the integration's secret, in production.
pub const VAULT_PATH: &str = "/v1/secret/data/linktree";

/// Where it keeps the staging environment's, for whoever wrongly reaches for it.
pub const STAGING_PATH: &str = "/v1/secret/data/linktree-staging";

/// Where the vault keeps the secret of an environment.
#[must_use]
pub const fn path_of(environment: Environment) -> &'static str {
    match environment {
        Environment::Live => VAULT_PATH,
        Environment::Test => STAGING_PATH,
    }
}

/// What a client may write into the record, such as a path, is cut off after so many characters.
const KEPT: usize = 256;

/// The largest body, bytes.
const MAX_BODY: usize = 1024 * 1024;

/// The vault's routes.
pub(crate) fn router(context: Arc<ServiceContext>) -> Router {
    Router::new().fallback(answer).with_state(context)
}

/// Any request; each is recorded, whatever becomes of it.
async fn answer(State(context): State<Arc<ServiceContext>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_BODY).await;
    let at = context.clock.now();
    let token = token_of(&parts.headers);
    let standing = token.map(|token| context.keys().leases.standing(token, at));
    // Asked before it is used up.
    let wraps = token.is_some_and(|token| context.keys().wrappings.opens(token, at));
    let label =
        if wraps { "wrapping" } else { standing.as_ref().map_or("absent", Standing::label) };
    let namespace = namespace_of(&parts);
    let namespace = namespace.as_deref();
    let seen = Seen { context: &context, at, parts: &parts, token: label, namespace };
    let fault = fault(&context, &parts, at);
    let reply = match (&fault, &body) {
        (Some((Effect::Stall { .. }, mark)), _) => {
            seen.record(0, None, Some(mark));
            tokio::time::sleep(SILENCE).await;
            return Reply::failing(StatusCode::SERVICE_UNAVAILABLE).into_response(None);
        }
        (Some((Effect::Answer { status, .. }, _)), _) => {
            let unknown = StatusCode::INTERNAL_SERVER_ERROR;
            Reply::failing(StatusCode::from_u16(*status).unwrap_or(unknown))
        }
        (_, Ok(body)) => {
            let standing = standing.as_ref();
            let caller = Caller { context: &context, at, token, standing, namespace };
            caller.answered(&parts, body)
        }
        (_, Err(_)) => {
            Reply::error(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large or broke off")
        }
    };
    seen.record(reply.status().as_u16(), reply.version(), fault.as_ref().map(|(_, mark)| mark));
    reply.into_response(parts.headers.get(NAMESPACE))
}

/// No client waits so long for an answer; its place is free again then.
const SILENCE: Duration = Duration::from_secs(120);

/// What the plan lets the vault do wrong about this request, if anything.
fn fault(context: &ServiceContext, parts: &Parts, at: Moment) -> Option<(Effect, FaultMark)> {
    // In whatever namespace: each is a view of the same.
    let path = ask::below_v1(parts.uri.path()).unwrap_or_default();
    let view = RequestView::vault(parts.method.as_str(), ask::mounted(&path).1);
    let armed = context.shared.world.ms_since_armed(at);
    let mut decision = context.shared.engine.decide(&view, armed);
    Some((decision.effect, decision.marks.pop()?))
}

const NAMESPACE: &str = "x-vault-namespace";

/// Vault takes its token from its own header, or as a bearer.
fn token_of(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = || text(header::AUTHORIZATION.as_str())?.strip_prefix("Bearer ");
    let own = text("x-vault-token").filter(|token| !token.is_empty());
    own.or_else(bearer).map(str::trim).filter(|token| !token.is_empty())
}

/// The namespace that a header names, and within it the one that the path does, without slashes around
/// them; `root` is none.
fn namespace_of(parts: &Parts) -> Option<String> {
    let header = parts.headers.get(NAMESPACE).and_then(|value| value.to_str().ok());
    let header = header.unwrap_or_default().trim_matches('/');
    let path = ask::below_v1(parts.uri.path()).unwrap_or_default();
    let names = [header, ask::mounted(&path).0];
    let names: Vec<_> = names.into_iter().filter(|name| !matches!(*name, "" | "root")).collect();
    (!names.is_empty()).then(|| names.join("/"))
}

/// A request as it is recorded.
struct Seen<'c> {
    context: &'c ServiceContext,
    at: Moment,
    parts: &'c Parts,
    token: &'c str,
    namespace: Option<&'c str>,
}

impl Seen<'_> {
    fn record(&self, status: u16, version: Option<u64>, fault: Option<&FaultMark>) {
        let (context, parts) = (self.context, self.parts);
        let ring = context.keys().ring();
        let clean =
            |text: &str| ring.scanner().redacted(text).chars().take(KEPT).collect::<String>();
        let marked = |mark: &FaultMark| FaultMark { key: clean(&mark.key), ..mark.clone() };
        context.recorder.record(Record::SecretRead(SecretRead {
            at: self.at,
            method: clean(parts.method.as_str()),
            path: clean(parts.uri.path()),
            namespace: self.namespace.map(clean),
            token: self.token.to_owned(),
            status,
            version,
            faults: fault.map(marked).into_iter().collect(),
        }));
    }
}

/// Who asks, and when.
struct Caller<'c> {
    context: &'c ServiceContext,
    at: Moment,
    token: Option<&'c str>,
    standing: Option<&'c Standing>,
    namespace: Option<&'c str>,
}

impl Caller<'_> {
    fn answered(&self, parts: &Parts, body: &[u8]) -> Reply {
        let raw = parts.uri.path();
        if let Some(clean) = ask::cleaned(raw) {
            return Reply::moved(&clean, parts.uri.query());
        }
        let Some(path) = ask::below_v1(raw) else { return Reply::nothing_here() };
        let path = ask::mounted(&path).1.to_owned();
        if let Some(reply) = system::state(self, &path, parts) {
            return reply;
        }
        let wanted = wrapping::wanted(&parts.headers);
        match (wanted, Ask::read(parts, path, body)) {
            (Ok(None), Ok(ask)) => self.routed(&ask),
            (Ok(Some(ttl)), Ok(ask)) => wrapping::wrapped(self, &ask, self.routed(&ask), ttl),
            (Err(refused), _) | (_, Err(refused)) => refused,
        }
    }

    fn routed(&self, ask: &Ask) -> Reply {
        // What needs no token.
        match ask.path.as_str() {
            "auth/approle/login" if ask.operation != Operation::List => {
                return tokens::approle(self, ask);
            }
            "auth/kubernetes/login" if ask.operation != Operation::List => {
                return tokens::kubernetes(self, ask);
            }
            path if path == system::MOUNTS || path.starts_with("sys/internal/ui/mounts/") => {
                return system::mounts(self, ask);
            }
            wrapping::UNWRAP => return wrapping::unwrap(self, ask),
            _ => {}
        }
        let Some(lease) = self.lease() else { return self.without_lease() };
        match ask.path.split_once('/').unwrap_or((ask.path.as_str(), "")) {
            ("secret", _) => secrets::answer(self, ask),
            ("auth", _) => tokens::own(self, ask, lease),
            _ if ask.path == capabilities::SELF => capabilities::of_self(self, ask),
            // A token's private place, in which nothing was ever put.
            ("cubbyhole", rest) if !rest.is_empty() && ask.operation == Operation::Read => {
                Reply::nothing_here()
            }
            _ => Reply::forbidden(),
        }
    }

    /// What a token hears that opens nothing here; one that wraps an answer is used up by it.
    fn without_lease(&self) -> Reply {
        let wrappings = &self.context.keys().wrappings;
        match self.token.and_then(|token| wrappings.open(token, self.at)) {
            Some(_) => Reply::forbidden(),
            None => Reply::denied(),
        }
    }

    /// The token's life, if it is valid.
    fn lease(&self) -> Option<&Lease> {
        match self.standing {
            Some(Standing::Valid { lease, .. }) => Some(lease.as_ref()),
            _ => None,
        }
    }

    fn seed(&self) -> u64 {
        self.context.shared.world.seed
    }
}

/// Methods that a real server knows; others are refused before anything else.
fn operation(method: &Method) -> Option<Operation> {
    Some(match method.as_str() {
        "GET" => Operation::Read,
        "LIST" => Operation::List,
        "POST" | "PUT" => Operation::Update,
        "DELETE" => Operation::Delete,
        "HEAD" => Operation::Head,
        "PATCH" => Operation::Patch,
        "OPTIONS" => Operation::Options,
        _ => return None,
    })
}
