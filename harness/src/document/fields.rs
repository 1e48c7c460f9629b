//! The fields of a JSON schema as lines for people: path, type, what it means.

use serde_json::Value;

/// Levels below the schema that are written out; what is deeper is named by its type.
const DEEPEST: usize = 4;

/// The most that types hold, which says nothing of what may stand there.
const OF_TYPES: [u64; 3] = [u16::MAX as u64, u32::MAX as u64, u64::MAX];

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// As in `data[].id`.
    pub path: String,
    /// What may stand there.
    pub kind: String,
    /// Whether it may be missing.
    pub optional: bool,
    /// What it means.
    pub what: String,
}

/// The fields of `schema`, which is part of `document`.
pub fn fields(document: &Value, schema: &Value) -> Vec<Field> {
    let mut found = Vec::new();
    Walk { document, found: &mut found }.below(schema, "", 0);
    found
}

/// What may stand at a place, in a word or two.
pub fn kind(document: &Value, schema: &Value) -> String {
    let schema = resolved(document, schema);
    if let Some(constant) = schema["const"].as_str() {
        return constant.to_owned();
    }
    let named = || -> Option<Vec<&str>> {
        schema["oneOf"].as_array()?.iter().map(|one| one["const"].as_str()).collect()
    };
    let words = schema["enum"].as_array();
    let words: Option<Vec<&str>> =
        words.map(|words| words.iter().filter_map(Value::as_str).collect());
    if let Some(words) = words.or_else(named) {
        return words.join(" | ");
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => {
            several.iter().filter_map(Value::as_str).filter(|one| *one != "null").collect()
        }
        _ => Vec::new(),
    };
    let range = |word: &str| match (schema["minimum"].as_u64(), schema["maximum"].as_u64()) {
        (Some(low), Some(high)) if !OF_TYPES.contains(&high) => format!("{word} {low} to {high}"),
        _ => word.to_owned(),
    };
    match types.as_slice() {
        ["string"] => "text".to_owned(),
        ["integer"] => range("whole number"),
        ["boolean"] => "true or false".to_owned(),
        ["array"] => format!("list of {}", kind(document, &schema["items"])),
        ["object"] => "object".to_owned(),
        [] if schema["oneOf"].is_array() || schema["anyOf"].is_array() => {
            "one of several".to_owned()
        }
        [] => "anything".to_owned(),
        several => several.join(" or "),
    }
}

struct Walk<'d, 'f> {
    document: &'d Value,
    found: &'f mut Vec<Field>,
}

impl Walk<'_, '_> {
    fn members(&mut self, schema: &Value, path: &str, depth: usize) {
        let schema = resolved(self.document, schema).clone();
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.members(part, path, depth);
        }
        let required = schema["required"].as_array().into_iter().flatten();
        let required: Vec<&str> = required.filter_map(Value::as_str).collect();
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            // A part of an allOf may say more of what another part has.
            let known = self.found.iter().any(|field| field.path == path);
            if !known {
                let field = self.field(&path, inner, !required.contains(&name.as_str()));
                self.found.push(field);
            }
            self.below(inner, &path, depth + 1);
        }
    }

    fn below(&mut self, schema: &Value, path: &str, depth: usize) {
        if depth >= DEEPEST {
            return;
        }
        let schema = resolved(self.document, schema).clone();
        if schema["items"].is_object() {
            self.below(&schema["items"], &format!("{path}[]"), depth);
        } else {
            self.members(&schema, path, depth);
        }
    }

    fn field(&self, path: &str, schema: &Value, optional: bool) -> Field {
        let what = schema["description"].as_str();
        let of_type = || resolved(self.document, schema)["description"].as_str();
        let what = what.or_else(of_type).unwrap_or_default();
        let kind = kind(self.document, schema);
        Field { path: path.to_owned(), kind, optional, what: one_line(what) }
    }
}

/// A description without its line breaks.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Follows references, and the one real alternative of what may be null.
pub fn resolved<'v>(document: &'v Value, schema: &'v Value) -> &'v Value {
    let mut schema = schema;
    loop {
        if let Some(reference) = schema["$ref"].as_str() {
            let Some(target) = document.pointer(reference.trim_start_matches('#')) else {
                return schema;
            };
            schema = target;
        } else if let Some(any) = schema["anyOf"].as_array()
            && let [one] = any.iter().filter(|one| one["type"] != "null").collect::<Vec<_>>()[..]
        {
            schema = one;
        } else {
            return schema;
        }
    }
}

/// The fields as lines that begin with these spaces.
pub fn lines(fields: &[Field], indent: usize) -> String {
    let widest = |of: &dyn Fn(&Field) -> usize, most: usize| {
        fields.iter().map(of).filter(|width| *width <= most).max().unwrap_or(0)
    };
    let (path, kind) = (widest(&|one| one.path.len(), 34), widest(&|one| one.kind.len(), 24));
    let line = |field: &Field| {
        let Field { path: name, kind: word, optional, what } = field;
        let what = if *optional { format!("optional; {what}") } else { what.clone() };
        let line = format!("{:indent$}{name:path$}  {word:kind$}  {what}", "");
        format!("{}\n", line.trim_end())
    };
    fields.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_are_found_through_references_lists_and_parts() {
        let document = json!({ "$defs": {
            "Link": {
                "type": "object", "required": ["id"],
                "properties": { "id": { "type": "string", "description": "Its\nid." } },
            },
        } });
        let schema = json!({ "allOf": [
            { "type": "object", "properties": { "data": {
                "description": "Links.", "type": "array", "items": { "$ref": "#/$defs/Link" },
            } } },
            { "type": "object", "required": ["n"], "properties": { "n": {
                "type": ["integer", "null"], "minimum": 1, "maximum": 9, "description": "How many.",
            } } },
        ] });
        let field = |path: &str, kind: &str, optional, what: &str| Field {
            path: path.into(),
            kind: kind.into(),
            optional,
            what: what.into(),
        };
        let expected = [
            field("data", "list of object", true, "Links."),
            field("data[].id", "text", false, "Its id."),
            field("n", "whole number 1 to 9", false, "How many."),
        ];
        assert_eq!(fields(&document, &schema), expected);
        let words = json!({ "oneOf": [{ "const": "a" }, { "const": "b" }] });
        assert_eq!(kind(&document, &words), "a | b");
    }
}
