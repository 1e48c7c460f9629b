//! Compares a TOML document with a JSON schema and finds every wrong name and type at once.
//!
//! serde stops at its first error; a person wants all of them, each with its place and the nearest
//! right name, and together with what is wrong in meaning. So what is right in names and types is
//! handed on beside the mistakes.

use crate::failure::Mistake;
use crate::failure::nearest;
use serde_json::Value;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// A document as the schema sees it.
#[derive(Debug)]
pub struct Compared {
    /// Every name and type that the schema does not have.
    pub mistakes: Vec<Mistake>,
    /// The document without these. A key that may not be missing holds the least that its type allows.
    pub sound: toml::Table,
    /// Where something was taken out or put in; nobody wrote what stands there now.
    pub touched: Vec<String>,
}

/// Compares every name and type in `table` with the schema.
pub fn compare(table: &DeTable<'_>, schema: &Value) -> Compared {
    let mut walk = Walk { root: schema, mistakes: Vec::new(), touched: Vec::new() };
    let sound = walk.table(table, schema, "");
    Compared { mistakes: walk.mistakes, sound, touched: walk.touched }
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
    touched: Vec<String>,
}

impl<'s> Walk<'s> {
    fn wrong(&mut self, span: Range<usize>, what: String, help: String) {
        self.mistakes.push(Mistake::new(span, what, help));
    }

    fn table(&mut self, table: &DeTable<'_>, schema: &'s Value, path: &str) -> toml::Table {
        let schema = self.resolved(schema);
        let known = schema["properties"].as_object();
        let others = &schema["additionalProperties"];
        let (mut sound, mut misspelt) = (toml::Table::new(), Vec::new());
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            let of_known = known.and_then(|known| known.get(name));
            if let Some(inner) = of_known.or(Some(others).filter(|others| others.is_object())) {
                match self.value(value.get_ref(), value.span(), inner, &path) {
                    Some(value) => drop(sound.insert(name.to_owned(), value)),
                    None => self.touched.push(path),
                }
            } else {
                let names = || known.into_iter().flatten().map(|(name, _)| name.as_str());
                let near = nearest(name, names());
                let help = match near {
                    Some(near) => format!("did you mean {near}?"),
                    None => format!("known here: {}", names().collect::<Vec<_>>().join(", ")),
                };
                misspelt.extend(near);
                self.wrong(key.span(), format!("unknown key {path}"), help);
            }
        }
        let required = schema["required"].as_array().into_iter().flatten();
        for name in required.filter_map(Value::as_str) {
            if sound.contains_key(name) {
                continue;
            }
            let wanted = self.resolved(&schema["properties"][name]);
            let there = table.iter().any(|(key, _)| key.get_ref() == name);
            // Whoever has misspelt it has been told so.
            if !there && !misspelt.contains(&name) {
                let span = table.iter().next().map_or(0..0, |(key, _)| key.span());
                let help = format!("add {name} = {}", example(wanted).unwrap_or("…".to_owned()));
                self.wrong(span, format!("{path} has no {name}"), help);
            }
            sound.extend(least(wanted).map(|value| (name.to_owned(), value)));
            self.touched.push(format!("{path}.{name}"));
        }
        sound
    }

    /// The value without what is wrong in it; none where all of it is.
    fn value(
        &mut self,
        value: &DeValue<'_>,
        span: Range<usize>,
        schema: &'s Value,
        path: &str,
    ) -> Option<toml::Value> {
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
            let right = value.as_str().filter(|text| choices.contains(text));
            if right.is_none() {
                let help = format!("choose one of {}", choices.join(", "));
                self.wrong(span, format!("{path} has no such value"), help);
            }
            return right.map(|text| toml::Value::String(text.to_owned()));
        }
        if !wanted.is_empty() && !wanted.contains(&found) {
            let words: Vec<_> = wanted.iter().map(|name| in_words(name)).collect();
            let what = format!("{path} is {}, not {}", in_words(found), words.join(" or "));
            self.wrong(span, what, spelling(wanted[0], schema, path));
            return None;
        }
        Some(match value {
            DeValue::Table(table) => toml::Value::Table(self.table(table, schema, path)),
            DeValue::Array(items) => {
                let mut sound = Vec::new();
                for (index, item) in items.iter().enumerate() {
                    let of = format!("{path}[{index}]");
                    match self.value(item.get_ref(), item.span(), &schema["items"], &of) {
                        Some(item) => sound.push(item),
                        None => self.touched.push(path.to_owned()),
                    }
                }
                toml::Value::Array(sound)
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
                let fits = parsed.filter(|n| {
                    low.is_none_or(|low| *n >= low) && high.is_none_or(|high| *n <= high)
                });
                if fits.is_none() {
                    let bound = |bound: Option<i128>| bound.map_or("…".into(), |b| b.to_string());
                    let help = format!("choose {} to {}", bound(low), bound(high));
                    let what = format!("{path} is {}, which is out of range", number.as_str());
                    self.wrong(span, what, help);
                }
                toml::Value::Integer(i64::try_from(fits?).ok()?)
            }
            DeValue::Float(number) => toml::Value::Float(number.as_str().parse().ok()?),
            DeValue::String(text) => toml::Value::String(text.clone().into_owned()),
            DeValue::Boolean(truth) => toml::Value::Boolean(*truth),
            DeValue::Datetime(date) => toml::Value::Datetime(*date),
        })
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

/// A type of the schema, as people call it.
fn in_words(kind: &str) -> &str {
    match kind {
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a decimal number",
        "boolean" => "true or false",
        "date" => "a date",
        "array" => "a list",
        "object" => "a table",
        other => other,
    }
}

/// How a value of this type is written.
fn spelling(kind: &str, schema: &Value, path: &str) -> String {
    match kind {
        "string" => "put it in quotes".to_owned(),
        "integer" => "write a whole number, without quotes".to_owned(),
        "boolean" => "write true or false, without quotes".to_owned(),
        "object" => format!("write its keys below a line [{path}]"),
        _ => format!("write a list, as in {}", example(schema).unwrap_or("[\"…\"]".to_owned())),
    }
}

/// The example that a key is documented with; JSON's and TOML's texts, numbers and lists look alike.
fn example(schema: &Value) -> Option<String> {
    let example = schema["examples"].get(0)?;
    Some(example.to_string().replace("\",\"", "\", \""))
}

/// The least value of a type.
fn least(schema: &Value) -> Option<toml::Value> {
    match *wanted(schema).first()? {
        "string" => Some(toml::Value::String(String::new())),
        "integer" => Some(toml::Value::Integer(schema["minimum"].as_i64().unwrap_or(0))),
        "array" => Some(toml::Value::Array(Vec::new())),
        "object" => Some(toml::Value::Table(toml::Table::new())),
        _ => None,
    }
}
