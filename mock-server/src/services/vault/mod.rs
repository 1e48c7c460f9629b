//! The vault that hands out the run's credentials, in the shape of HashiCorp Vault's KV version 2, with
//! what its clients ask besides: state, logins, tokens and their lives, metadata, mounts.
//!
//! Statuses and names are those of a real server, and `tests/openbao` compares them with one. A token
//! may read what lies under `secret/` and look after itself, and nothing else.

mod ask;
mod durations;
mod fields;
mod jwt;
mod reply;
mod secrets;
mod system;
mod tokens;

use crate::clock::Moment;
use crate::history::record::{Record, SecretRead};
use crate::keyring::{Lease, Standing};
use crate::services::ServiceContext;
use ask::{Ask, Operation};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use reply::Reply;
use std::sync::Arc;

/// Where the vault keeps the integration's secret.
pub const VAULT_PATH: &str = "/v1/secret/data/linktree";

/// Where the vault keeps the staging environment's secret, for whoever wrongly reaches for it.
pub const STAGING_PATH: &str = "/v1/secret/data/linktree-staging";

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
    let namespace = namespace_of(&parts.headers);
    let reply = match &body {
        Ok(body) => {
            let caller = Caller { context: &context, at, standing: standing.as_ref(), namespace };
            caller.answered(&parts, body)
        }
        Err(_) => Reply::error(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large or broke off"),
    };
    record(&context, at, &parts, standing.as_ref(), reply.status(), reply.version());
    reply.into_response(parts.headers.get(NAMESPACE))
}

const NAMESPACE: &str = "x-vault-namespace";

/// Vault takes its token from its own header, or as a bearer.
fn token_of(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = || text(header::AUTHORIZATION.as_str())?.strip_prefix("Bearer ");
    let own = text("x-vault-token").filter(|token| !token.is_empty());
    own.or_else(bearer).map(str::trim).filter(|token| !token.is_empty())
}

/// The namespace that a header names, without slashes around it; `root` is none.
fn namespace_of(headers: &HeaderMap) -> Option<&str> {
    let name = headers.get(NAMESPACE)?.to_str().ok()?.trim_matches('/');
    Some(name).filter(|name| !name.is_empty() && *name != "root")
}

fn record(
    context: &ServiceContext,
    at: Moment,
    parts: &Parts,
    standing: Option<&Standing>,
    status: StatusCode,
    version: Option<u64>,
) {
    let ring = context.keys().ring();
    let clean = |text: &str| ring.scanner().redacted(text).chars().take(KEPT).collect::<String>();
    let record = SecretRead {
        at,
        method: clean(parts.method.as_str()),
        path: clean(parts.uri.path()),
        namespace: namespace_of(&parts.headers).map(clean),
        token: standing.map_or("absent", Standing::label).to_owned(),
        status: status.as_u16(),
        version,
    };
    context.recorder.record(Record::SecretRead(record));
}

/// Who asks, and when.
struct Caller<'c> {
    context: &'c ServiceContext,
    at: Moment,
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
        if let Some(reply) = system::state(self, &path, parts) {
            return reply;
        }
        match Ask::read(parts, path, body) {
            Ok(ask) => self.routed(&ask),
            Err(refused) => refused,
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
            _ => {}
        }
        let Some(lease) = self.lease() else { return Reply::denied() };
        match ask.path.split_once('/').unwrap_or((ask.path.as_str(), "")) {
            ("secret", _) => secrets::answer(self, ask),
            ("auth", _) => tokens::own(self, ask, lease),
            // A token's private place, in which nothing was ever put.
            ("cubbyhole", rest) if !rest.is_empty() && ask.operation == Operation::Read => {
                Reply::nothing_here()
            }
            _ => Reply::forbidden(),
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
