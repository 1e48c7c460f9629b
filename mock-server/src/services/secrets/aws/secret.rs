//! One secret as AWS shows it: its ARN, its versions and the labels that a rotation moves.

use super::said::{Said, error, invalid, no_value};
use super::{ACCOUNT, Fields};
use crate::keyring::{Environment, Ring, Version, uuid};
use crate::services::secrets::manager::Call;
use crate::services::secrets::sigv4::{Signed, text};
use crate::services::secrets::{NAMES, owner, payload};
use axum::http::{StatusCode, header};
use serde_json::{Map, Value, json};

/// One secret as a request names it.
pub(super) struct Secret {
    name: &'static str,
    of: Environment,
    arn: String,
}

impl Secret {
    pub fn named(call: &Call<'_>, id: &str) -> Option<Self> {
        let (name, of) = NAMES.into_iter().find(|(name, _)| *name == name_in(id))?;
        let header = text(&call.parts.headers, header::AUTHORIZATION.as_str())?;
        let region = Signed::read(header)?.region.to_owned();
        let end = &uuid(call.seed(), "aws-secret", name)[..6];
        Some(Self {
            name,
            of,
            arn: format!("arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:{name}-{end}"),
        })
    }

    fn version_id(&self, call: &Call<'_>, version: &Version) -> String {
        uuid(call.seed(), "aws-version", &format!("{} {}", self.name, version.number))
    }

    /// The versions as they are to be seen, newest first, with their ids and labels.
    fn versions<'r>(&self, call: &Call<'_>, ring: &'r Ring) -> Vec<Labelled<'r>> {
        let labels =
            ["AWSCURRENT", "AWSPREVIOUS"].map(Some).into_iter().chain(std::iter::repeat(None));
        let labelled = |(version, label)| Labelled {
            id: self.version_id(call, version),
            version,
            stages: Option::into_iter(label).collect(),
        };
        call.newest_first(ring, self.of).zip(labels).map(labelled).collect()
    }

    pub fn value(
        &self,
        call: &Call<'_>,
        ring: &Ring,
        fields: &Fields,
    ) -> Result<(Value, Option<u64>), Said> {
        let (id, stage) = (fields.text("VersionId")?, fields.text("VersionStage")?);
        let all = self.versions(call, ring);
        let found = match (id, stage) {
            (Some(id), stage) => {
                let found = all.iter().find(|one| one.id == id);
                let found = found.ok_or_else(|| no_value(&format!("VersionId: {id}")))?;
                if stage.is_some_and(|stage| !found.stages.contains(&stage)) {
                    let what = "You provided a VersionStage that is not associated to the \
                                provided VersionId.";
                    return Err(error(StatusCode::BAD_REQUEST, "InvalidRequestException", what));
                }
                found
            }
            (None, stage) => {
                let stage = stage.unwrap_or("AWSCURRENT");
                let found = all.iter().find(|one| one.stages.contains(&stage));
                found.ok_or_else(|| no_value(&format!("staging label: {stage}")))?
            }
        };
        let body = json!({
            "ARN": self.arn,
            "Name": self.name,
            "VersionId": found.id,
            "SecretString": payload(found.version),
            "VersionStages": found.stages,
            "CreatedDate": found.created(),
        });
        Ok((body, Some(found.version.number)))
    }

    /// What `ListSecrets` says of it.
    pub fn entry(&self, call: &Call<'_>, ring: &Ring) -> Value {
        let mut entry = self.described(call, ring);
        if let Some(entry) = entry.as_object_mut()
            && let Some(stages) = entry.remove("VersionIdsToStages")
        {
            entry.insert("SecretVersionsToStages".to_owned(), stages);
        }
        entry
    }

    pub fn described(&self, call: &Call<'_>, ring: &Ring) -> Value {
        let all = self.versions(call, ring);
        let labelled = all.iter().filter(|one| !one.stages.is_empty());
        let stages: Map<String, Value> =
            labelled.map(|one| (one.id.clone(), json!(one.stages))).collect();
        let created = ring.versions(self.of).first().map(|version| epoch_s(&version.created_time));
        let changed = all.first().map(Labelled::created);
        json!({
            "ARN": self.arn,
            "Name": self.name,
            "LastChangedDate": changed,
            "CreatedDate": created,
            "VersionIdsToStages": stages,
        })
    }

    pub fn listed(&self, call: &Call<'_>, ring: &Ring, fields: &Fields) -> Result<Value, Said> {
        let with_old = fields.0.get("IncludeDeprecated") == Some(&Value::Bool(true));
        let most = match fields.0.get("MaxResults") {
            None | Some(Value::Null) => 100,
            Some(most) => {
                let most = most.as_u64().filter(|most| (1..=100).contains(most));
                most.ok_or_else(|| invalid("MaxResults", "Member must be between 1 and 100"))?
            }
        };
        let from: usize = match fields.text("NextToken")? {
            None => 0,
            Some(token) => token.parse().map_err(|_| {
                let what = "The provided NextToken is not valid.";
                error(StatusCode::BAD_REQUEST, "InvalidNextTokenException", what)
            })?,
        };
        let all = self.versions(call, ring);
        let mut shown = all.iter().filter(|one| with_old || !one.stages.is_empty()).skip(from);
        let one = |one: &Labelled<'_>| {
            json!({
                "VersionId": one.id,
                "VersionStages": one.stages,
                "LastAccessedDate": one.created(),
                "CreatedDate": one.created(),
            })
        };
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let versions: Vec<Value> = shown.by_ref().take(most).map(one).collect();
        let mut body = json!({ "ARN": self.arn, "Name": self.name, "Versions": versions });
        if shown.next().is_some() {
            body["NextToken"] = (from + most).to_string().into();
        }
        Ok(body)
    }
}

/// A version with the id and the labels that it has here.
struct Labelled<'r> {
    id: String,
    version: &'r Version,
    stages: Vec<&'static str>,
}

impl Labelled<'_> {
    fn created(&self) -> f64 {
        epoch_s(&self.version.created_time)
    }
}

/// Seconds since the Unix epoch, with milliseconds behind the point.
fn epoch_s(time: &str) -> f64 {
    let time: jiff::Timestamp = time.parse().unwrap_or_default();
    time.as_duration().as_millis_f64().round() / 1_000.0
}

/// The name in an id: the name itself, or one that stands in an ARN with or without its random end.
pub(super) fn name_in(id: &str) -> &str {
    let Some((_, name)) = id.split_once(":secret:") else { return id };
    if owner(name).is_some() {
        return name;
    }
    name.rsplit_once('-').map_or(name, |(name, _)| name)
}
