//! How to read a webhook whose body the user writes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which fields of a JSON body that is posted to `{alerts.url}/webhook` say what; `a.b` is the field `b` of the
/// object `a`. The defaults fit the body that the README gives for Datadog's monitors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AlertFields {
    /// What the alert is called.
    pub name: String,
    /// What has become of it.
    pub status: String,
    /// What stands there when it fires, in whatever letters; anything else ends it.
    pub firing: Vec<String>,
    /// Its labels: a text of `name:value` with commas between, a list of these, or an object. Empty where there
    /// are none.
    pub labels: String,
}

impl Default for AlertFields {
    fn default() -> Self {
        Self {
            name: "alertname".to_owned(),
            status: "status".to_owned(),
            firing: ["Triggered", "Re-Triggered", "Renotify", "firing"].map(str::to_owned).to_vec(),
            labels: "tags".to_owned(),
        }
    }
}
