//! What `windthrow.toml` may hold, key by key, as its JSON schema says it.

use super::fields::{kind, one_line, resolved};
use serde_json::Value;
use std::fmt::Write;

/// Of keys without a default something that may stand there, as in TOML.
const EXAMPLES: [(&str, &str); 28] = [
    ("alerts", "{ latency = \"High latency\" }"),
    ("allow_hosts", "[\"10.0.0.7\"]"),
    ("base", "\"http://127.0.0.1:8080\""),
    ("bounds", "{ within_ms = 30000 }"),
    ("breaker_window_ms", "10000"),
    ("click_backoff_base_ms", "1000"),
    ("click_backoff_cap_ms", "30000"),
    ("click_backoff_factor_milli", "2000"),
    ("command", "[\"node\", \"server.js\"]"),
    ("env", "{ PORT = \"{port}\" }"),
    ("kept_file", "\"{data_dir}/failed-webhooks.jsonl\""),
    ("kept_route", "\"/admin/failed-webhooks\""),
    ("links_shown_max", "50"),
    ("logs", "[\"{data_dir}/app.log\"]"),
    ("metrics_url", "\"http://127.0.0.1:{metrics_port}/metrics\""),
    ("minimum", "100"),
    ("mock_port", "4010"),
    ("mutant", "\"breaker-opens-at-six\""),
    ("name", "\"host.docker.internal\""),
    ("p99_lateness_ms", "20"),
    ("peers", "[\"172.17.0.0/16\"]"),
    ("push_within_ms", "3000"),
    ("rate_cap", "60"),
    ("reset", "\"/test/reset\""),
    ("scopes", "[\"profile:read\", \"links:read\", \"clicks:write\"]"),
    ("source", "\"our SLO 4\""),
    ("source_except", "[\"test/**\"]"),
    ("without", "[\"webhooks\"]"),
];

/// The same, where one name stands in several tables or a default says nothing.
const EXAMPLES_OF_PATHS: [(&str, &str); 6] = [
    ("observe.source", "[\"src\"]"),
    ("secrets.session", "\"env:SESSION_SECRET\""),
    ("target.url.vault_token", "\"as-it-stands\""),
    ("target.version", "\"1.4.2\""),
    ("target.version_command", "[\"git\", \"describe\", \"--always\", \"--dirty\"]"),
    ("target.version_route", "\"/version\""),
];

/// A table of the file, or a key of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The table in which it stands; empty at the top.
    pub table: String,
    /// Its name.
    pub name: String,
    /// What it means.
    pub what: String,
    /// What may stand there; nothing for a table.
    pub kind: Option<String>,
    /// What holds without it; null where nothing does.
    pub default: Value,
    /// Whether its table is useless without it.
    pub required: bool,
}

/// Every table and every key, in the schema's order; what people name themselves is `<id>`.
#[must_use]
pub fn entries(schema: &Value) -> Vec<Entry> {
    let mut found = Vec::new();
    walk(schema, schema, "", &mut found);
    found
}

fn walk(document: &Value, table: &Value, path: &str, found: &mut Vec<Entry>) {
    let table = resolved(document, table);
    let required: Vec<&str> =
        table["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, property) in table["properties"].as_object().into_iter().flatten() {
        let inner = resolved(document, property);
        let of_many = resolved(document, &inner["additionalProperties"]);
        let below = [(inner, ""), (of_many, ".<id>")];
        let below = below.into_iter().find(|(schema, _)| schema["properties"].is_object());
        let what = property["description"].as_str().or(inner["description"].as_str());
        found.push(Entry {
            table: path.to_owned(),
            name: name.clone(),
            what: one_line(what.unwrap_or_default()),
            kind: below.is_none().then(|| kind(document, property)),
            default: property["default"].clone(),
            required: required.contains(&name.as_str()),
        });
        if let Some((schema, more)) = below {
            let dot = if path.is_empty() { "" } else { "." };
            walk(document, schema, &format!("{path}{dot}{name}{more}"), found);
        }
    }
}

impl Entry {
    /// As in `declared.click_slots`.
    #[must_use]
    pub fn path(&self) -> String {
        if self.table.is_empty() {
            self.name.clone()
        } else {
            format!("{}.{}", self.table, self.name)
        }
    }

    /// Whether somebody who asks for this means it: its name, its path, or its header.
    #[must_use]
    pub fn is_meant(&self, asked: &str) -> bool {
        let asked = asked.trim_matches(['[', ']']);
        asked == self.name || asked == self.path()
    }

    /// What its number counts, where its name or what is said of it tells.
    fn unit(&self) -> Option<&'static str> {
        if self.name.ends_with("_milli") {
            return Some("thousandths");
        }
        let real = self.what.contains("real milliseconds");
        self.name.ends_with("_ms").then_some(match real {
            true => "milliseconds, the same at every time scale",
            false => "contract milliseconds: divided by the time scale",
        })
    }

    /// What may stand behind its `=`.
    #[must_use]
    pub fn example(&self) -> Option<String> {
        let path = self.path();
        let of_path = EXAMPLES_OF_PATHS.iter().find(|(known, _)| *known == path);
        let of_name = EXAMPLES.iter().find(|(known, _)| *known == self.name);
        let says_nothing = match &self.default {
            Value::Null => true,
            Value::Array(list) => list.is_empty(),
            Value::Object(map) => map.is_empty(),
            Value::String(text) => text.is_empty(),
            _ => false,
        };
        let own = (!says_nothing).then(|| toml_of(&self.default));
        let known = of_path.or(of_name).map(|(_, example)| (*example).to_owned());
        if of_path.is_some() { known } else { own.or(known) }
    }
}

/// A default as it stands in TOML.
#[must_use]
pub fn toml_of(value: &Value) -> String {
    match value {
        Value::String(text) if text.contains('"') => format!("'{text}'"),
        Value::Array(list) => {
            format!("[{}]", list.iter().map(toml_of).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// What is to be known of a table or key; nothing where the file has none of this name.
#[must_use]
pub fn config_text(schema: &Value, asked: &str) -> Option<String> {
    let all = entries(schema);
    let meant: Vec<&Entry> = all.iter().filter(|one| one.is_meant(asked)).collect();
    let texts: Vec<String> = meant.iter().map(|one| text(one, &all)).collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}

fn text(one: &Entry, all: &[Entry]) -> String {
    let header =
        if one.table.is_empty() { "the file".to_owned() } else { format!("[{}]", one.table) };
    let Some(kind) = &one.kind else {
        let path = one.path();
        let inside = |key: &&Entry| key.table == path || key.table == format!("{path}.<id>");
        let mut text = format!("table [{path}] of windthrow.toml\n\n{}\n\n", one.what);
        for key in all.iter().filter(inside) {
            let value = match (&key.kind, &key.default) {
                (None, _) => "a table of its own".to_owned(),
                (_, Value::Null) if key.required => "must be there".to_owned(),
                (_, Value::Null) => "no default".to_owned(),
                (_, default) => format!("= {}", toml_of(default)),
            };
            let _ = writeln!(text, "  {} {value}\n      {}", key.name, key.what);
        }
        return text;
    };
    let mut text = format!("key {} in {header} of windthrow.toml\n\n{}\n\n", one.name, one.what);
    let _ = writeln!(text, "holds:    {kind}");
    if let Some(unit) = one.unit() {
        let _ = writeln!(text, "unit:     {unit}");
    }
    let default = match &one.default {
        Value::Null if one.required => "none: it must be there".to_owned(),
        Value::Null => "none: it may be left out".to_owned(),
        default => toml_of(default),
    };
    let _ = writeln!(text, "default:  {default}");
    if let Some(example) = one.example() {
        let header = header.replace("<id>", "click-lag");
        let _ = writeln!(text, "example:  {header}\n          {} = {example}", one.name);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    /// Proves of every key that it is explained, and that its example is one.
    #[test]
    fn each_key_says_what_it_is_with_its_default_and_an_example_that_is_right() {
        let schema = config::keys();
        let all = entries(schema);
        assert!(all.len() > 90, "{}", all.len());
        for entry in &all {
            let path = entry.path();
            for asked in [path.clone(), entry.name.clone(), format!("[{path}]")] {
                let text = config_text(schema, &asked).unwrap_or_else(|| panic!("{asked}"));
                assert!(!entry.what.is_empty() && text.contains(&entry.what), "{path}: {text}");
            }
            if entry.kind.is_none() {
                continue;
            }
            let example = entry.example().unwrap_or_else(|| panic!("{path} has no example"));
            let table = entry.table.replace("<id>", "click-lag");
            let toml = format!("[{table}]\n{} = {example}\n", entry.name);
            let mut mistakes = config::misnamed(&toml);
            // What else its table needs is not the example's affair.
            mistakes.retain(|told| !told.contains(" has no "));
            assert!(mistakes.is_empty(), "{toml}{mistakes:?}");
        }
        assert_eq!(config_text(schema, "no_such_key"), None);
    }

    #[test]
    fn a_key_says_its_unit() {
        let schema = config::keys();
        let text = |asked| config_text(schema, asked).unwrap();
        for words in ["kept for clicks", "default:  24", "[declared]\n          click_slots = 24"] {
            assert!(text("click_slots").contains(words), "{}", text("click_slots"));
        }
        assert!(text("breaker_open_ms").contains("contract milliseconds"));
        assert!(text("ready_within_ms").contains("the same at every time scale"));
        assert!(text("declared").contains("click_slots = 24"), "{}", text("declared"));
    }
}
