//! Fills `{port}`, `{mock.url}` and their like into the integration's arguments and environment.

use crate::metrics::Channel;

/// The one that may also stand in the names of log files.
pub const DATA_DIR: &str = "data_dir";
/// What contract durations are divided by.
pub const TIME_SCALE: &str = "time_scale";

/// The ports that a target is given: its own, and another for its metrics.
pub const PORTS: [&str; 2] = ["port", "metrics_port"];

/// With what a target logs in at the vault.
pub const VAULT_ROLE: [&str; 2] = ["vault.role_id", "vault.secret_id"];

/// In which environment a target runs: its name, and where each secrets manager keeps its secret.
pub const ENVIRONMENT: [&str; 4] = ["environment", "vault.secret", "aws.secret_id", "gcp.secret"];

/// The file with the certificate of the authority that Linktree, vault and alert receiver have theirs
/// from.
pub const CA_FILE: &str = "ca_file";

/// Where datagrams of metrics go: the host, and the port.
pub const DOGSTATSD_HOST: &str = "dogstatsd.host";
/// See [`DOGSTATSD_HOST`].
pub const DOGSTATSD_PORT: &str = "dogstatsd.port";
/// Where an exporter of OpenTelemetry posts metrics, without `/v1/metrics`.
pub const OTLP: &str = "otlp.url";
/// Where an SDK of AWS puts metrics.
pub const CLOUDWATCH: &str = "cloudwatch.url";

/// The channel of metrics that a name belongs to.
#[must_use]
pub fn channel_of(name: &str) -> Option<Channel> {
    match name {
        DOGSTATSD_HOST | DOGSTATSD_PORT => Some(Channel::Dogstatsd),
        OTLP => Some(Channel::Otlp),
        CLOUDWATCH => Some(Channel::Cloudwatch),
        _ => None,
    }
}

/// The names of a channel, as they are written.
#[must_use]
pub const fn of_channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Prometheus => "{metrics_port}",
        Channel::Dogstatsd => "{dogstatsd.host} and {dogstatsd.port}",
        Channel::Otlp => "{otlp.url}",
        Channel::Cloudwatch => "{cloudwatch.url}",
    }
}

/// The names that may stand in braces (contract.md section 2).
pub const NAMES: &[&str] = &[
    PORTS[0],
    PORTS[1],
    "front.url",
    "mock.url",
    "vault.url",
    "vault.token",
    VAULT_ROLE[0],
    VAULT_ROLE[1],
    ENVIRONMENT[0],
    ENVIRONMENT[1],
    "aws.url",
    "aws.region",
    "aws.access_key_id",
    "aws.secret_access_key",
    "aws.credentials_url",
    ENVIRONMENT[2],
    "gcp.url",
    "gcp.project",
    "gcp.token",
    "gcp.metadata_host",
    ENVIRONMENT[3],
    "alerts.url",
    DOGSTATSD_HOST,
    DOGSTATSD_PORT,
    OTLP,
    CLOUDWATCH,
    "secret.api_key",
    "secret.webhook",
    "secret.session",
    DATA_DIR,
    TIME_SCALE,
    "seed",
    "allowed_origin",
    CA_FILE,
];

/// The names in braces, in order; `{{` and `}}` stand for braces.
#[must_use]
pub fn names(text: &str) -> Vec<&str> {
    parts(text).into_iter().filter_map(|part| part.err()).collect()
}

/// The text with each name replaced; a name without a value stays as it is.
#[must_use]
pub fn filled(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let fill = |part: Result<&str, &str>| match part {
        Ok(plain) => plain.to_owned(),
        Err(name) => value(name).unwrap_or_else(|| format!("{{{name}}}")),
    };
    parts(text).into_iter().map(fill).collect()
}

/// `Ok` for plain text, `Err` for a name in braces.
fn parts(text: &str) -> Vec<Result<&str, &str>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (plain, from) = rest.split_at(at);
        parts.push(Ok(plain));
        if from.starts_with("{{") || from.starts_with("}}") {
            parts.push(Ok(&from[..1]));
            rest = &from[2..];
        } else if let Some(end) = from.strip_prefix('{').and_then(|inner| inner.find('}')) {
            parts.push(Err(&from[1..=end]));
            rest = &from[end + 2..];
        } else {
            parts.push(Ok(&from[..1]));
            rest = &from[1..];
        }
    }
    parts.push(Ok(rest));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_and_doubled_braces_are_plain() {
        let check = |text: &str, expected: &str| {
            let value = |name: &str| (name == "port").then(|| "80".to_owned());
            assert_eq!(filled(text, value), expected);
        };
        check("--port={port}", "--port=80");
        check("{port}{port}", "8080");
        check("{other}", "{other}");
        check("{{port}} {", "{port} {");
        check("a } b", "a } b");
        check("", "");
        assert_eq!(names("{port} {{x}} {mock.url}"), ["port", "mock.url"]);
    }
}
