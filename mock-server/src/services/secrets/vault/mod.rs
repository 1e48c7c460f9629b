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

use super::manager::{Answer, Asked, Call, Manager};
use crate::clock::Moment;
use crate::contract::SecretsManager;
use crate::keyring::{Environment, Lease, Standing};
use crate::services::ServiceContext;
use ask::{Ask, Operation};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use reply::Reply;

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

/// See the module.
pub(super) struct Vault;

impl Manager for Vault {
    const NAME: SecretsManager = SecretsManager::Vault;

    fn read(context: &ServiceContext, at: Moment, parts: &Parts, _body: &[u8]) -> Asked {
        let token = token_of(&parts.headers);
        let standing = token.map(|token| context.keys().leases.standing(token, at));
        // Asked before it is used up.
        let wraps = token.is_some_and(|token| context.keys().wrappings.opens(token, at));
        let label =
            if wraps { "wrapping" } else { standing.as_ref().map_or("absent", Standing::label) };
        // In whatever namespace: each is a view of the same.
        let path = ask::below_v1(parts.uri.path()).unwrap_or_default();
        Asked {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            key: ask::mounted(&path).1.to_owned(),
            namespace: namespace_of(parts),
            token: token.map(str::to_owned),
            standing,
            label,
        }
    }

    fn answer(call: &Call<'_>, body: &[u8]) -> Answer {
        sent(call, Caller { call }.answered(call.parts, body))
    }

    fn too_large(call: &Call<'_>) -> Answer {
        let what = "the body is too large or broke off";
        sent(call, Reply::error(StatusCode::PAYLOAD_TOO_LARGE, what))
    }

    fn failing(call: &Call<'_>, status: StatusCode) -> Answer {
        sent(call, Reply::failing(status))
    }
}

fn sent(call: &Call<'_>, reply: Reply) -> Answer {
    let version = reply.version();
    Answer { version, response: reply.into_response(call.parts.headers.get(NAMESPACE)) }
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

/// Who asks, and when.
struct Caller<'c> {
    call: &'c Call<'c>,
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
        let wrappings = &self.context().keys().wrappings;
        match self.token().and_then(|token| wrappings.open(token, self.at())) {
            Some(_) => Reply::forbidden(),
            None => Reply::denied(),
        }
    }

    /// The token's life, if it is valid.
    fn lease(&self) -> Option<&Lease> {
        match self.standing() {
            Some(Standing::Valid { lease, .. }) => Some(lease.as_ref()),
            _ => None,
        }
    }

    fn context(&self) -> &ServiceContext {
        self.call.context
    }

    fn at(&self) -> Moment {
        self.call.at
    }

    fn token(&self) -> Option<&str> {
        self.call.asked.token.as_deref()
    }

    fn standing(&self) -> Option<&Standing> {
        self.call.asked.standing.as_ref()
    }

    fn namespace(&self) -> Option<&str> {
        self.call.asked.namespace.as_deref()
    }

    fn seed(&self) -> u64 {
        self.call.seed()
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
