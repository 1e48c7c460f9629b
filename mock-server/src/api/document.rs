//! The document: OpenAPI 3.1 of Linktree's side, with the numbers and names of a contract profile.

use super::bodies::{Error, Problem};
use super::operations::{Answer, OPERATIONS, Operation, Parameter, Trace};
use super::{services, webhooks};
use crate::keyring::Environment;
use crate::profile::{ContractProfile, Keys};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// The API that this profile assumes, as an OpenAPI 3.1 document. Its servers are the templates that a
/// service is told the addresses by.
#[must_use]
pub fn openapi(profile: &ContractProfile) -> Value {
    let settings = SchemaSettings::draft2020_12();
    let mut writer = Writer {
        generator: settings
            .with(|settings| settings.definitions_path = "/components/schemas".into())
            .into_generator(),
        profile,
    };
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let path = paths.entry(format!("/v1{}", operation.path)).or_insert_with(
            || json!({ "servers": [{ "url": "{mock.url}", "variables": variable("mock.url") }] }),
        );
        path[operation.method.to_lowercase()] = writer.operation(operation);
    }
    paths.extend(services::documented(profile.keys.environment));
    let Keys { live_prefix, test_prefix, environment, .. } = &profile.keys;
    let (own, other) = match environment {
        Environment::Live => (live_prefix, test_prefix),
        Environment::Test => (test_prefix, live_prefix),
    };
    let hooks = webhooks::documented(&mut writer.generator, &profile.webhooks);
    let schemas = writer.generator.take_definitions(true);
    json!({
        "openapi": "3.1.1",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": format!("What a Linktree integration talks to ({})", profile.name),
            "version": env!("CARGO_PKG_VERSION"),
            "description": about(profile),
        },
        "tags": [
            { "name": "linktree", "description": "What the service calls." },
            { "name": "webhooks", "description": webhooks::rules(&profile.webhooks) },
            { "name": "vault", "description": "Where the service gets its key." },
            { "name": "alerts", "description": "Where the service's alerts go." },
        ],
        "paths": paths,
        "webhooks": hooks,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": format!(
                        "A key whose prefix is {own}; one with {other} is refused here."
                    ),
                },
                "vaultToken": { "type": "apiKey", "in": "header", "name": "X-Vault-Token" },
            },
        },
    })
}

/// A server's address that is told when the service is started.
pub(crate) fn variable(name: &str) -> Value {
    let default = "http://127.0.0.1:4010";
    let description = "The template of [target.spawn.env] that hands the address over.";
    json!({ name: { "default": default, "description": description } })
}

fn about(profile: &ContractProfile) -> String {
    let ContractProfile { limit, cache, pages, batch, links, .. } = profile;
    let assumed = if profile.assumed {
        "Linktree publishes no REST API, no limits and no webhook headers: all of this is assumed. "
    } else {
        ""
    };
    format!(
        "{assumed}A key may make {} requests in any {} ms; every answer says what is left in `{}`, `{}` and \
         `{}`, and one too many is answered with 429 and `Retry-After` (seconds or a date). Pages of links \
         have at most {} links, {} unless asked otherwise, and a cursor is good for {} ms. A batch has at \
         most {} items, a title {} characters, an address {} bytes. Profiles may be kept for {} s, and shown \
         for another {} s where Linktree fails. A run divides durations in ms, and how long profiles may be \
         kept, by its time scale. `HEAD` is answered wherever `GET` is. JSON is sent without a content coding.",
        limit.requests,
        limit.window_ms,
        limit.limit_header,
        limit.remaining_header,
        limit.reset_header,
        pages.max_limit,
        pages.default_limit,
        pages.cursor_ttl_ms,
        batch.max_items,
        links.title_chars,
        links.url_bytes,
        cache.max_age_s,
        cache.stale_if_error_s,
    )
}

struct Writer<'p> {
    generator: SchemaGenerator,
    profile: &'p ContractProfile,
}

impl Writer<'_> {
    fn operation(&mut self, operation: &Operation) -> Value {
        let is_public = operation.route.is_public();
        let scope = operation.route.scope();
        let mut responses = Map::new();
        for answer in operation.answers {
            let said = self.answer(operation, answer);
            responses.insert(answer.status.to_string(), said);
        }
        if !is_public {
            let challenge = header("What is wanted, as RFC 6750 writes it.");
            self.also(&mut responses, 401, "no key, or one that is not good here");
            responses["401"]["headers"]["WWW-Authenticate"] = challenge;
            self.also(&mut responses, 429, "too many requests with this key");
            let after = header("How long to wait: whole seconds, or a date.");
            responses["429"]["headers"]["Retry-After"] = after;
        }
        if let Some(scope) = scope {
            self.also(&mut responses, 403, &format!("the key lacks the scope {scope}"));
        }
        if operation.body.is_some() {
            self.also(&mut responses, 415, "the body has a content coding");
        }
        let free = operation.path.split('/').filter_map(|part| part.strip_prefix('{'));
        let in_path = free.map(|name| {
            let name = name.trim_end_matches('}');
            json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
        });
        let parameters: Vec<Value> =
            in_path.chain(operation.parameters.iter().map(|one| self.parameter(one))).collect();
        let mut written = json!({
            "tags": ["linktree"],
            "operationId": operation.id(),
            "summary": operation.summary,
            "parameters": parameters,
            "responses": responses,
            // OAuth's scopes are named for a bearer key as well since OpenAPI 3.1.
            "security": if is_public { json!([]) } else { json!([{ "key": Vec::from_iter(scope) }]) },
        });
        if !operation.notes.is_empty() {
            written["description"] = operation.notes.into();
        }
        if let Some(body) = operation.body {
            let schema = body(&mut self.generator);
            let content = json!({ "application/json": { "schema": schema } });
            written["requestBody"] = json!({ "required": true, "content": content });
        }
        written
    }

    fn parameter(&self, parameter: &Parameter) -> Value {
        let Parameter { place, name, required, what } = parameter;
        let pages = &self.profile.pages;
        let schema = match *name {
            "limit" => json!({
                "type": "integer", "minimum": 1, "maximum": pages.max_limit,
                "default": pages.default_limit,
            }),
            "from" | "to" => json!({ "type": "string", "format": "date" }),
            _ => json!({ "type": "string" }),
        };
        json!({ "name": name, "in": place, "required": required, "description": what, "schema": schema })
    }

    /// What every operation may answer besides; a reason more where this one gives that status anyway.
    fn also(&mut self, responses: &mut Map<String, Value>, status: u16, when: &str) {
        let key = status.to_string();
        let earlier = responses.get(&key).and_then(|known| known["description"].as_str());
        let when = earlier.map_or(when.to_owned(), |earlier| format!("{earlier}; or {when}"));
        responses.insert(key, self.error(&when));
    }

    fn error(&mut self, when: &str) -> Value {
        let (schema, kind) = if self.profile.errors.problem_json {
            (self.generator.subschema_for::<Problem>(), "application/problem+json")
        } else {
            (self.generator.subschema_for::<Error>(), "application/json")
        };
        let content = json!({ kind: { "schema": schema } });
        json!({ "description": when, "headers": self.limit_headers(), "content": content })
    }

    fn answer(&mut self, operation: &Operation, answer: &Answer) -> Value {
        if answer.status >= 400 {
            return self.error(answer.when);
        }
        let mut headers = self.limit_headers();
        if operation.answers.iter().any(|one| one.status == 304) {
            headers["ETag"] = header("The page's version, in quotes.");
            headers["Cache-Control"] = header("`max-age` and `stale-if-error`, seconds.");
        }
        let mut said = json!({ "description": answer.when, "headers": headers });
        if let Some(body) = answer.body {
            let mut schema = body(&mut self.generator).to_value();
            if answer.trace != Trace::None {
                let nonce =
                    json!({ "type": "string", "description": "No two answers have the same." });
                let mut trace = json!({ "nonce": nonce });
                if answer.trace == Trace::Version {
                    let what = "The version of the creator's page.";
                    trace["version"] = json!({ "type": "string", "description": what });
                }
                let names: Vec<_> =
                    trace.as_object().into_iter().flatten().map(|(k, _)| k.clone()).collect();
                let trace = json!({ "type": "object", "properties": trace, "required": names });
                schema = json!({ "allOf": [schema, trace] });
            }
            said["content"] = json!({ "application/json": { "schema": schema } });
        }
        said
    }

    fn limit_headers(&self) -> Value {
        let limit = &self.profile.limit;
        let mut headers = json!({
            &limit.limit_header: header("Requests in one window."),
            &limit.remaining_header: header("Requests that are left in it."),
            &limit.reset_header: header("When all are there again."),
        });
        if limit.ietf_headers {
            headers["RateLimit"] = header("What is left, as the IETF's draft writes it.");
            headers["RateLimit-Policy"] = header("The limit, as the IETF's draft writes it.");
        }
        headers
    }
}

fn header(what: &str) -> Value {
    json!({ "description": what, "schema": { "type": "string" } })
}
