//! Compares a TOML document with a JSON schema and finds every wrong name and type at once.
//!
//! serde stops at its first error; a person wants all of them, each with its place and the nearest
//! right name.

use crate::failure::Mistake;
use crate::failure::nearest;
use serde_json::Value;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// Every name and type in `table` that the schema does not have.
pub fn compare(table: &DeTable<'_>, schema: &Value) -> Vec<Mistake> {
    let mut walk = Walk { root: schema, mistakes: Vec::new() };
    walk.table(table, schema, "");
    walk.mistakes
}

/// Where the name stands that a dotted path ends with, or the closest table.
pub fn name(table: &DeTable<'_>, path: &str) -> Range<usize> {
    let mut at = table;
    let mut span = 0..0;
    for part in path.split('.') {
        let Some((key, value)) = at.iter().find(|(key, _)| key.get_ref() == part) else { break };
        span = key.span();
        let DeValue::Table(inner) = value.get_ref() else { break };
        at = inner;
    }
    span
}

/// Where a dotted path stands in the document: its value if it is there, or the closest table.
pub fn place(table: &DeTable<'_>, path: &str) -> Range<usize> {
    let mut at = table;
    let mut span = 0..0;
    for part in path.split('.') {
        let Some((key, value)) = at.iter().find(|(key, _)| key.get_ref() == part) else { break };
        match value.get_ref() {
            DeValue::Table(inner) => {
                span = key.span();
                at = inner;
            }
            _ => return value.span(),
        }
    }
    span
}

struct Walk<'s> {
    root: &'s Value,
    mistakes: Vec<Mistake>,
}

impl<'s> Walk<'s> {
    fn table(&mut self, table: &DeTable<'_>, schema: &'s Value, path: &str) {
        let schema = self.resolved(schema);
        let known = schema["properties"].as_object();
        let others = &schema["additionalProperties"];
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            if let Some(inner) = known.and_then(|known| known.get(name)) {
                self.value(value.get_ref(), value.span(), inner, &path);
            } else if others.is_object() {
                self.value(value.get_ref(), value.span(), others, &path);
            } else {
                let names = || known.into_iter().flatten().map(|(name, _)| name.as_str());
                let help = match nearest(name, names()) {
                    Some(near) => format!("did you mean {near}?"),
                    None => format!("known here: {}", names().collect::<Vec<_>>().join(", ")),
                };
                self.mistakes.push(Mistake::new(key.span(), format!("unknown key {path}"), help));
            }
        }
        let required = schema["required"].as_array().into_iter().flatten();
        for name in required.filter_map(Value::as_str) {
            if !table.iter().any(|(key, _)| key.get_ref() == name) {
                let what = format!("{path} has no {name}");
                let span = table.iter().next().map_or(0..0, |(key, _)| key.span());
                self.mistakes.push(Mistake::new(span, what, format!("add {name} = …")));
            }
        }
    }

    fn value(&mut self, value: &DeValue<'_>, span: Range<usize>, schema: &'s Value, path: &str) {
        let schema = self.resolved(schema);
        let wanted = wanted(schema);
        let found = match value {
            DeValue::String(_) => "string",
            DeValue::Integer(_) => "integer",
            DeValue::Float(_) => "number",
            DeValue::Boolean(_) => "boolean",
            DeValue::Datetime(_) => "date",
            DeValue::Array(_) => "array",
            DeValue::Table(_) => "object",
        };
        if let Some(choices) = choices(schema) {
            let right = value.as_str().is_some_and(|text| choices.contains(&text));
            if !right {
                let help = format!("choose one of {}", choices.join(", "));
                self.mistakes.push(Mistake::new(span, format!("{path} has no such value"), help));
            }
            return;
        }
        if !wanted.is_empty() && !wanted.contains(&found) {
            let shown = |name: &str| if name == "object" { "table" } else { name }.to_owned();
            let wanted: Vec<_> = wanted.iter().map(|name| shown(name)).collect();
            let what = format!("{path} is {}, not {}", shown(found), wanted.join(" or "));
            self.mistakes.push(Mistake::new(span, what, "change its type".to_owned()));
            return;
        }
        match value {
            DeValue::Table(table) => self.table(table, schema, path),
            DeValue::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let path = format!("{path}[{index}]");
                    self.value(item.get_ref(), item.span(), &schema["items"], &path);
                }
            }
            DeValue::Integer(number) => {
                let parsed = i128::from_str_radix(number.as_str(), number.radix()).ok();
                let low = schema["minimum"].as_f64().map(|bound| bound as i128);
                let high = schema["maximum"].as_f64().map(|bound| bound as i128).or_else(|| {
                    match schema["format"].as_str() {
                        Some("uint16") => Some(u16::MAX.into()),
                        Some("uint32") => Some(u32::MAX.into()),
                        Some("uint64") => Some(i64::MAX.into()), // TOML has no larger ones
                        _ => None,
                    }
                });
                let fits = parsed.is_some_and(|n| {
                    low.is_none_or(|low| n >= low) && high.is_none_or(|high| n <= high)
                });
                if !fits {
                    let bound = |bound: Option<i128>| bound.map_or("…".into(), |b| b.to_string());
                    let help = format!("choose {} to {}", bound(low), bound(high));
                    let what = format!("{path} is {}, which is out of range", number.as_str());
                    self.mistakes.push(Mistake::new(span, what, help));
                }
            }
            _ => {}
        }
    }

    /// Follows references, and the one real alternative of an optional value.
    fn resolved(&self, schema: &'s Value) -> &'s Value {
        let mut schema = schema;
        loop {
            if let Some(reference) = schema["$ref"].as_str() {
                let pointer = reference.trim_start_matches('#');
                schema = self.root.pointer(pointer).unwrap_or(&Value::Null);
            } else if let Some(any) = schema["anyOf"].as_array()
                && let [one] = any.iter().filter(|s| s["type"] != "null").collect::<Vec<_>>()[..]
            {
                schema = one;
            } else {
                return schema;
            }
        }
    }
}

/// The types that a schema allows, without `null`, which TOML does not have.
fn wanted(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => {
            several.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect()
        }
        _ => Vec::new(),
    }
}

/// The words of an enum, whether documented one by one or not.
fn choices(schema: &Value) -> Option<Vec<&str>> {
    if let Some(words) = schema["enum"].as_array() {
        return Some(words.iter().filter_map(Value::as_str).collect());
    }
    let one_of = schema["oneOf"].as_array()?;
    one_of.iter().map(|one| one["const"].as_str()).collect()
}
