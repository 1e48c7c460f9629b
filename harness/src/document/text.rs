//! The contract as a person reads it: the same document, operation by operation.

use super::fields::{fields, lines, one_line};
use serde_json::{Map, Value};
use std::fmt::Write;

/// In the order in which they are read.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// What an OpenAPI document says, as text.
#[must_use]
pub fn contract_text(document: &Value) -> String {
    let word = |path: &str| document.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let mut text = format!("{}\n\n{}\n", word("/info/title"), word("/info/description"));
    let of = |key: &str| document[key].as_object().cloned().unwrap_or_default();
    let (paths, webhooks) = (of("paths"), of("webhooks"));
    for tag in document["tags"].as_array().into_iter().flatten() {
        let name = tag["name"].as_str().unwrap_or_default();
        let what = tag["description"].as_str().unwrap_or_default();
        let all = operations(&paths).chain(operations(&webhooks));
        let own: Vec<Asked<'_>> = all.filter(|asked| asked.operation["tags"][0] == name).collect();
        let server = own.iter().find_map(|asked| asked.item["servers"][0]["url"].as_str());
        let server = server.map_or(String::new(), |url| format!(", at {url}"));
        let _ = write!(text, "\n{}{server}\n{what}\n", name.to_uppercase());
        let common = common(&own);
        if !common.is_empty() {
            let _ = write!(text, "Each of these may also answer\n{}", answers(&common, 4));
        }
        for asked in &own {
            text.push_str(&told(document, asked, &common));
        }
    }
    text
}

/// One operation, and where it stands.
struct Asked<'d> {
    method: &'static str,
    path: &'d str,
    item: &'d Value,
    operation: &'d Value,
}

fn operations(paths: &Map<String, Value>) -> impl Iterator<Item = Asked<'_>> {
    paths.iter().flat_map(|(path, item)| {
        let of = move |method: &'static str| {
            let operation = item.get(method)?;
            Some(Asked { method, path, item, operation })
        };
        METHODS.into_iter().filter_map(of)
    })
}

/// Status and when it is given.
type Answers = Vec<(String, String)>;

fn said(operation: &Value) -> Answers {
    let responses = operation["responses"].as_object().into_iter().flatten();
    let when = |answer: &Value| answer["description"].as_str().unwrap_or_default().to_owned();
    responses.map(|(status, answer)| (status.clone(), when(answer))).collect()
}

/// The answers that most of these have in the same words.
fn common(own: &[Asked<'_>]) -> Answers {
    let all: Vec<Answers> = own.iter().map(|asked| said(asked.operation)).collect();
    let mut common = Answers::new();
    for answer in all.iter().flatten() {
        let having = all.iter().filter(|answers| answers.contains(answer)).count();
        if own.len() > 3 && having * 2 > own.len() && !common.contains(answer) {
            common.push(answer.clone());
        }
    }
    common.sort();
    common
}

fn answers(all: &[(String, String)], indent: usize) -> String {
    all.iter().map(|(status, when)| format!("{:indent$}{status}  {when}\n", "")).collect()
}

fn told(document: &Value, asked: &Asked<'_>, common: &[(String, String)]) -> String {
    let Asked { method, path, operation, .. } = asked;
    let word = |key: &str| operation[key].as_str().unwrap_or_default();
    let mut text = format!("\n  {} {path}  ({})\n", method.to_uppercase(), needs(operation));
    let _ = writeln!(text, "    {}.", word("summary"));
    if !word("description").is_empty() {
        let _ = writeln!(text, "    {}", one_line(word("description")));
    }
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let of = |key: &str| parameter[key].as_str().unwrap_or_default();
        if of("in") != "path" {
            let what = [of("description"), of("example")].into_iter().find(|text| !text.is_empty());
            let must = if parameter["required"] == true { "" } else { ", optional" };
            let what = what.unwrap_or_default();
            let _ = writeln!(text, "    {} {}{must}: {what}", of("in"), of("name"));
        }
    }
    if let Some(schema) = json_of(&operation["requestBody"]) {
        text.push_str("    body\n");
        text.push_str(&lines(&fields(document, schema), 6));
    }
    for (status, when) in said(operation).into_iter().filter(|answer| !common.contains(answer)) {
        let _ = writeln!(text, "    answers {status}: {when}");
        let answer = &operation["responses"][&status];
        let of_errors = status.starts_with(['4', '5']);
        if let Some(schema) = json_of(answer).filter(|_| !of_errors) {
            text.push_str(&lines(&fields(document, schema), 6));
        }
    }
    text
}

/// What whoever asks must have.
fn needs(operation: &Value) -> String {
    let Some(need) = operation["security"].get(0).and_then(Value::as_object) else {
        return "no key".to_owned();
    };
    let (name, scopes) =
        need.iter().next().map_or(("", &Value::Null), |(name, of)| (name.as_str(), of));
    match (name, scopes[0].as_str()) {
        ("key", Some(scope)) => format!("scope {scope}"),
        ("key", None) => "any valid key".to_owned(),
        ("vaultToken", _) => "X-Vault-Token".to_owned(),
        (other, _) => format!("the {other}"),
    }
}

/// The schema of a body that is JSON, or nearly.
fn json_of(body: &Value) -> Option<&Value> {
    let content = body["content"].as_object()?;
    content.iter().find(|(kind, _)| kind.ends_with("json")).map(|(_, content)| &content["schema"])
}
