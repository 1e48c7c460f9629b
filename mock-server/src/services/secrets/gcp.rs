//! GCP Secret Manager over REST (version 1), and beside it what a metadata server says to whoever runs on GCP
//! and wants a token.
//!
//! The run's token, or one that the metadata server handed out, may read and list and nothing else. Every
//! project and location is taken; in what is answered a project is called by its number, as the real service
//! does it.

use super::checksum::crc32c;
use super::manager::{Answer, Asked, Call, Manager};
use super::sigv4::text;
use super::{NAMES, owner, payload};
use crate::clock::Moment;
use crate::contract::SecretsManager;
use crate::keyring::{Environment, Holder, Ring, Standing, Version};
use crate::services::ServiceContext;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The project that targets are told.
pub const PROJECT: &str = "windthrow";

const PROJECT_NUMBER: &str = "123456789012";

const METADATA: &str = "/computeMetadata/v1/";

const TOKEN_PATH: &str = "instance/service-accounts/default/token";

const ACCOUNT: &str = "linktree@windthrow.iam.gserviceaccount.com";

/// See the module.
pub(super) struct Gcp;

impl Manager for Gcp {
    const NAME: SecretsManager = SecretsManager::Gcp;

    fn read(context: &ServiceContext, at: Moment, parts: &Parts, _body: &[u8]) -> Asked {
        let token = text(&parts.headers, header::AUTHORIZATION.as_str());
        let token = token.and_then(|text| text.split_once(' '));
        let token = token.filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
        let token = token.map(|(_, token)| token.trim()).filter(|token| !token.is_empty());
        let standing = token.map(|token| context.keys().leases.standing(token, at));
        let path = percent_decode_str(parts.uri.path()).decode_utf8_lossy().into_owned();
        let key = match (path.strip_prefix(METADATA), Resource::read(&path)) {
            (Some(TOKEN_PATH), _) => "auth/gcp/login".to_owned(),
            (Some(_), _) => "auth/gcp".to_owned(),
            (None, Some(Resource { secret: Some(secret), access, .. })) => {
                format!("secret/{}/{secret}", if access { "data" } else { "metadata" })
            }
            (None, _) => "secret/metadata".to_owned(),
        };
        Asked {
            method: parts.method.as_str().to_owned(),
            key,
            namespace: None,
            token: token.map(str::to_owned),
            label: standing.as_ref().map_or("absent", Standing::label),
            standing,
            path,
        }
    }

    fn answer(call: &Call<'_>, _body: &[u8]) -> Answer {
        let path = call.asked.path.as_str();
        if path == "/" || path.starts_with(METADATA.trim_end_matches('/')) {
            return Answer::plain(metadata(call, path.strip_prefix(METADATA).unwrap_or_default()));
        }
        let refusal = match &call.asked.standing {
            Some(Standing::Valid { .. }) => None,
            Some(_) => Some(
                "Request had invalid authentication credentials. Expected OAuth 2 access token, \
                 login cookie or other valid authentication credential.",
            ),
            None => Some(
                "Request is missing required authentication credential. Expected OAuth 2 access \
                 token, login cookie or other valid authentication credential.",
            ),
        };
        if let Some(why) = refusal {
            return Answer::plain(error(StatusCode::UNAUTHORIZED, why));
        }
        let Some(resource) = Resource::read(path) else {
            return Answer::plain(StatusCode::NOT_FOUND.into_response());
        };
        if call.parts.method != Method::GET {
            return Answer::plain(denied(&resource));
        }
        match found(call, &resource) {
            Ok((body, version)) => Answer { version, ..Answer::plain(Said(StatusCode::OK, body)) },
            Err(refusal) => Answer::plain(refusal),
        }
    }

    fn too_large(_call: &Call<'_>) -> Answer {
        Answer::plain(error(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large or broke off"))
    }

    fn failing(call: &Call<'_>, status: StatusCode) -> Answer {
        let resource = Resource::read(&call.asked.path);
        Answer::plain(match (status.as_u16(), resource) {
            (403, Some(resource)) => denied(&resource),
            (404, Some(resource)) => resource.absent(),
            (401, _) => error(status, "Request had invalid authentication credentials."),
            (429, _) => {
                let what = "Quota exceeded for quota metric 'Access requests' and limit 'Access \
                            requests per minute' of service 'secretmanager.googleapis.com'.";
                error(status, what)
            }
            _ => error(status, "The service is currently unavailable."),
        })
    }
}

/// Whether a path is that of a version's payload of this secret.
pub(super) fn is_access(path: &str, name: &str) -> bool {
    Resource::read(path).is_some_and(|one| one.access && one.secret == Some(name))
}

/// What a path names below a project, and perhaps a location.
struct Resource<'p> {
    location: Option<&'p str>,
    secret: Option<&'p str>,
    /// `Some("")` for all of them.
    version: Option<&'p str>,
    /// Whether its payload is asked for.
    access: bool,
}

impl<'p> Resource<'p> {
    fn read(path: &'p str) -> Option<Self> {
        let (path, verb) = match path.rsplit_once(':') {
            Some((path, verb)) => (path, verb),
            None => (path, ""),
        };
        let parts: Vec<&str> = path.strip_prefix("/v1/projects/")?.split('/').collect();
        let (_, rest) = parts.split_first().filter(|(project, _)| !project.is_empty())?;
        let (location, rest) = match rest {
            ["locations", location, rest @ ..] => (Some(*location), rest),
            rest => (None, rest),
        };
        let (secret, version) = match rest {
            ["secrets"] => (None, None),
            ["secrets", secret] => (Some(*secret), None),
            ["secrets", secret, "versions"] => (Some(*secret), Some("")),
            ["secrets", secret, "versions", version] if !version.is_empty() => {
                (Some(*secret), Some(*version))
            }
            _ => return None,
        };
        let access = verb == "access" && version.is_some_and(|version| !version.is_empty());
        (verb.is_empty() || access || version.is_some() || secret.is_some()).then_some(Self {
            location,
            secret,
            version,
            access,
        })
    }

    /// As the service calls the secret of this name.
    fn name(&self, secret: &str) -> String {
        let location = self.location.map_or(String::new(), |place| format!("/locations/{place}"));
        format!("projects/{PROJECT_NUMBER}{location}/secrets/{secret}")
    }

    fn absent(&self) -> Said {
        let name = self.name(self.secret.unwrap_or_default());
        let what = match self.version {
            Some(number) if !matches!(number, "" | "latest") => {
                format!("Secret Version [{name}/versions/{number}] not found.")
            }
            Some("latest") => format!("Secret [{name}] not found or has no versions."),
            _ => format!("Secret [{name}] not found."),
        };
        error(StatusCode::NOT_FOUND, &what)
    }
}

type Found = Result<(Value, Option<u64>), Said>;

fn found(call: &Call<'_>, resource: &Resource<'_>) -> Found {
    let ring = call.context.keys().ring();
    let in_numbers = in_numbers(call.parts);
    let Some(name) = resource.secret else {
        let described = |(name, of)| described(&ring, resource, name, of);
        let all: Vec<Value> = NAMES.map(described).into_iter().collect();
        return Ok((json!({ "secrets": all, "totalSize": all.len() }), None));
    };
    let of = owner(name).ok_or_else(|| resource.absent())?;
    let all: Vec<&Version> = call.newest_first(&ring, of).collect();
    let about = |version: &Version| {
        json!({
            "name": format!("{}/versions/{}", resource.name(name), version.number),
            "createTime": version.created_time,
            "state": if in_numbers { json!(1) } else { json!("ENABLED") },
            "replicationStatus": { "automatic": {} },
            "etag": etag(version),
            "clientSpecifiedPayloadChecksum": true,
        })
    };
    let number = match resource.version {
        None => return Ok((described(&ring, resource, name, of), None)),
        Some("") => return Ok((listed(call, &all, about)?, None)),
        Some(number) => number,
    };
    let version = match number {
        "latest" => all.first().copied(),
        _ => {
            let number: u64 = number.parse().map_err(|_| {
                let what = format!("The version {number} is neither a number nor an alias.");
                error(StatusCode::BAD_REQUEST, &what)
            })?;
            all.into_iter().find(|version| version.number == number)
        }
    };
    let version = version.ok_or_else(|| resource.absent())?;
    if !resource.access {
        return Ok((about(version), None));
    }
    let data = payload(version);
    let body = json!({
        "name": format!("{}/versions/{}", resource.name(name), version.number),
        "payload": {
            "data": STANDARD.encode(&data),
            "dataCrc32c": crc32c(data.as_bytes()).to_string(),
        },
    });
    Ok((body, Some(version.number)))
}

/// A page of the versions.
fn listed(
    call: &Call<'_>,
    all: &[&Version],
    about: impl Fn(&Version) -> Value,
) -> Result<Value, Said> {
    let asked = |name: &str| {
        let query = call.parts.uri.query().unwrap_or_default();
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(known, _)| *known == name).map(|(_, value)| value).filter(|it| !it.is_empty())
    };
    let number = |name: &str| match asked(name).map(str::parse::<usize>) {
        None => Ok(0),
        Some(Ok(number)) => Ok(number),
        Some(Err(_)) => {
            let what = format!("Invalid value at '{name}'.");
            Err(error(StatusCode::BAD_REQUEST, &what))
        }
    };
    let (size, from) = (number("pageSize")?, number("pageToken")?);
    let size = if size == 0 { all.len() } else { size };
    let page: Vec<Value> = all.iter().skip(from).take(size).map(|one| about(one)).collect();
    let mut body = json!({ "versions": page, "totalSize": all.len() });
    if from.saturating_add(size) < all.len() {
        body["nextPageToken"] = (from + size).to_string().into();
    }
    Ok(body)
}

fn described(ring: &Ring, resource: &Resource<'_>, name: &str, of: Environment) -> Value {
    let first = ring.versions(of).first();
    json!({
        "name": resource.name(name),
        "replication": { "automatic": {} },
        "createTime": first.map(|version| version.created_time.as_str()),
        "etag": first.map(etag),
    })
}

/// What changes with each version, as the real service quotes it.
fn etag(version: &Version) -> String {
    format!("\"{:x}\"", crc32c(version.created_time.as_bytes()))
}

/// Whether enumerations are wanted as numbers: `$alt=json;enum-encoding=int`, whatever is escaped of it.
fn in_numbers(parts: &Parts) -> bool {
    let query = parts.uri.query().unwrap_or_default();
    percent_decode_str(query).decode_utf8_lossy().contains("enum-encoding=int")
}

/// What the metadata server says at a path below its version.
fn metadata(call: &Call<'_>, path: &str) -> Response {
    let flavor = HeaderValue::from_static("Google");
    let asked = text(&call.parts.headers, "metadata-flavor");
    // Whoever only looks whether it is there is told.
    let mut response = if call.asked.path == "/" {
        "computeMetadata/\n".into_response()
    } else if asked != Some("Google") {
        StatusCode::FORBIDDEN.into_response()
    } else {
        match path {
            TOKEN_PATH => token(call),
            "instance/service-accounts/default/" => {
                let scopes = ["https://www.googleapis.com/auth/cloud-platform"];
                let account = json!({ "aliases": ["default"], "email": ACCOUNT, "scopes": scopes });
                Said(StatusCode::OK, account).into_response()
            }
            "instance/service-accounts/default/email" => ACCOUNT.into_response(),
            "instance" | "instance/" => "service-accounts/\n".into_response(),
            "project/project-id" => PROJECT.into_response(),
            "project/numeric-project-id" => PROJECT_NUMBER.into_response(),
            "universe/universe-domain" | "universe/universe_domain" => {
                "googleapis.com".into_response()
            }
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    };
    response.headers_mut().insert("metadata-flavor", flavor);
    response
}

fn token(call: &Call<'_>) -> Response {
    let holder = Holder {
        path: "auth/gcp/login",
        display_name: "gcp-linktree".to_owned(),
        metadata: BTreeMap::new(),
    };
    let lease = call.context.keys().log_in(holder, call.at);
    let body = json!({
        "access_token": lease.token,
        "expires_in": lease.left_s(call.at),
        "token_type": "Bearer",
    });
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// What is said, in JSON.
struct Said(StatusCode, Value);

impl IntoResponse for Said {
    fn into_response(self) -> Response {
        let kind = [(header::CONTENT_TYPE, "application/json; charset=UTF-8")];
        (self.0, kind, self.1.to_string()).into_response()
    }
}

/// An error with the name that goes with its status (google.rpc.Code).
fn error(status: StatusCode, what: &str) -> Said {
    let name = match status.as_u16() {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        500 => "INTERNAL",
        501 => "UNIMPLEMENTED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        _ => "UNKNOWN",
    };
    let body = json!({ "error": { "code": status.as_u16(), "message": what, "status": name } });
    Said(status, body)
}

fn denied(resource: &Resource<'_>) -> Said {
    let name = resource.name(resource.secret.unwrap_or_default());
    let permission = if resource.access { "versions.access" } else { "secrets.update" };
    let what = format!(
        "Permission 'secretmanager.{permission}' denied for resource '{name}' (or it may not exist)."
    );
    error(StatusCode::FORBIDDEN, &what)
}
