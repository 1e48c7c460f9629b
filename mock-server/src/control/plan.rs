//! The rules: read, replaced, added to, taken from; `ETag` and `If-Match` keep two people apart.

use super::input::{Input, Name};
use super::problem::Problem;
use super::{ApiResult, ApiState};
use crate::faults::Rule;
use crate::faults::engine::PlanError;
use crate::server::rules::{ChangeError, Revised};
use axum::Json;
use axum::extract::State;
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

/// What `/plan` holds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rules {
    rules: Vec<Rule>,
}

type Tagged<T> = ([(HeaderName, HeaderValue); 1], Json<T>);

/// The entity tag of a revision (RFC 9110 section 8.8.3).
pub(super) fn etag(revision: u64) -> HeaderValue {
    // Digits in quotes are always a lawful value.
    HeaderValue::from_str(&format!("\"{revision}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

fn tagged<T>(revision: u64, body: T) -> Tagged<T> {
    ([(ETAG, etag(revision))], Json(body))
}

/// The revision that `If-Match` insists on (RFC 9110 section 13.1.1), if it does.
fn insisted(headers: &HeaderMap) -> ApiResult<Option<u64>> {
    let Some(value) = headers.get(IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let number = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    number.and_then(|number| number.parse().ok()).map(Some).ok_or_else(|| {
        let message = format!("If-Match: {text} is not an ETag of /plan");
        Problem::new(StatusCode::PRECONDITION_FAILED, "outdated", message)
            .help("repeat the ETag of GET /plan, quotes included")
    })
}

pub(super) async fn read(State(api): ApiState) -> Tagged<Rules> {
    let Revised { rules, revision } = api.mock.revised_rules();
    tagged(revision, Rules { rules })
}

pub(super) async fn replace(
    State(api): ApiState,
    headers: HeaderMap,
    Input(Rules { rules }): Input<Rules>,
) -> ApiResult<Tagged<Rules>> {
    let revision = api.mock.set_rules_of(insisted(&headers)?, rules.clone())?;
    tracing::info!(rules = rules.len(), revision, "the rules were replaced");
    Ok(tagged(revision, Rules { rules }))
}

pub(super) async fn add(
    State(api): ApiState,
    headers: HeaderMap,
    Input(rule): Input<Rule>,
) -> ApiResult<(StatusCode, Tagged<Rule>)> {
    let added = api.mock.add_rule_to(insisted(&headers)?, rule.clone());
    let revision = added.map_err(|error| match error {
        ChangeError::Plan(PlanError::Twice { id }) => {
            let message = format!("the rule {id:?} is there already");
            Problem::new(StatusCode::CONFLICT, "rule_exists", message)
                .help("choose another id, or DELETE the rule first")
        }
        other => other.into(),
    })?;
    tracing::info!(rule = rule.id, revision, "a rule was added");
    Ok((StatusCode::CREATED, tagged(revision, rule)))
}

pub(super) async fn one(State(api): ApiState, Name(id): Name) -> ApiResult<Tagged<Rule>> {
    let Revised { rules, revision } = api.mock.revised_rules();
    let rule = rules.into_iter().find(|rule| rule.id == id);
    let absent = || Problem::from(ChangeError::Absent { id: id.clone() });
    Ok(tagged(revision, rule.ok_or_else(absent)?))
}

pub(super) async fn remove(
    State(api): ApiState,
    headers: HeaderMap,
    Name(id): Name,
) -> ApiResult<(StatusCode, [(HeaderName, HeaderValue); 1])> {
    let revision = api.mock.remove_rule_from(insisted(&headers)?, &id)?;
    tracing::info!(rule = id, revision, "a rule was taken out");
    Ok((StatusCode::NO_CONTENT, [(ETAG, etag(revision))]))
}
