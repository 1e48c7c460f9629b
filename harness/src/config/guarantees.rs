//! `[guarantee]`, checked against the registry and shown by the schema with every bound and its unit.

use super::shape::{name, place};
use crate::failure::Mistake;
use scenarios::bounds::Wrong;
use scenarios::guarantees::{Bound, GUARANTEES};
use serde_json::{Map, Value, json};
use toml::de::DeTable;

/// The mistake at its place in a document, which has the bounds as `in_path` says.
pub fn mistake(table: &DeTable<'_>, wrong: Wrong, in_path: impl Fn(&str) -> String) -> Mistake {
    let path = in_path(&wrong.path);
    let at = if wrong.is_name { name(table, &path) } else { place(table, &path) };
    Mistake::new(at, wrong.what, wrong.advice)
}

/// The schema of the table: one entry for each guarantee, like `settings` but with its own bounds.
pub fn schema(settings: &Value) -> Value {
    let mut entries = Map::new();
    for promise in GUARANTEES.iter().map(|known| known.promise()) {
        let bounds = promise.bounds.iter().map(|one| (one.name.to_owned(), bound(one)));
        let mut entry = settings.clone();
        entry["description"] = promise.statement.into();
        let properties = &mut entry["properties"]["bounds"];
        *properties = json!({
            "description": properties["description"],
            "type": "object",
            "properties": Value::Object(bounds.collect()),
            "additionalProperties": false,
        });
        entries.insert(promise.id.to_owned(), entry);
    }
    json!({ "type": "object", "properties": entries, "additionalProperties": false })
}

fn bound(bound: &Bound) -> Value {
    let range = bound.unit.range();
    json!({
        "description": format!("{} ({})", bound.what, bound.unit),
        "type": "integer",
        "minimum": range.start(),
        "maximum": range.end(),
        "default": bound.default,
    })
}
