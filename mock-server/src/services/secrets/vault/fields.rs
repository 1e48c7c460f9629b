//! The fields of a request's body, read as loosely as a real server reads them.

use super::reply::Reply;
use axum::http::StatusCode;
use serde_json::{Map, Value};

/// Names and values of a body.
#[derive(Default)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// The fields of a body: JSON whatever it is called, unless it is called a form and looks like one.
    pub fn of(body: &[u8], kind: &str) -> Result<Self, Reply> {
        let body = body.trim_ascii();
        if body.is_empty() {
            return Ok(Self::default());
        }
        if kind == "application/x-www-form-urlencoded" && !matches!(body[0], b'{' | b'[') {
            let pairs = super::ask::pairs(&String::from_utf8_lossy(body));
            return Ok(Self(pairs.into_iter().map(|(name, value)| (name, value.into())).collect()));
        }
        match serde_json::from_slice(body) {
            Ok(Some(fields)) => Ok(Self(fields)),
            Ok(None) => Ok(Self::default()), // null
            Err(error) => {
                // Its words would quote the body, which may hold a secret.
                let place = format!("line {} column {}", error.line(), error.column());
                let what = format!("failed to decode JSON input: no object, or broken at {place}");
                Err(Reply::error(StatusCode::BAD_REQUEST, &what))
            }
        }
    }

    /// The field as it stands; none where it is null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// The field as text, empty where there is none.
    ///
    /// # Errors
    ///
    /// Why it is no text: a list, or an object.
    pub fn text(&self, name: &str) -> Result<String, String> {
        Ok(match self.get(name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Bool(so)) => u8::from(*so).to_string(),
            Some(Value::Array(_) | Value::Object(_)) => {
                return Err(format!(
                    "Field validation failed: error converting input for field {name:?}: expected a string"
                ));
            }
        })
    }

    /// The field as a list of texts, which may also be one text with commas; empty where there is none.
    ///
    /// # Errors
    ///
    /// Why it is none: it holds an object or a list.
    pub fn list(&self, name: &str) -> Result<Vec<String>, String> {
        let Some(Value::Array(all)) = self.get(name) else {
            let text = self.text(name)?;
            let parts = text.split(',').map(|part| part.trim().to_owned());
            return Ok(if text.is_empty() { Vec::new() } else { parts.collect() });
        };
        all.iter().map(|one| Self::of_one(name, one).text(name)).collect()
    }

    fn of_one(name: &str, value: &Value) -> Self {
        Self(Map::from_iter([(name.to_owned(), value.clone())]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded";

    #[track_caller]
    fn check(body: &str, kind: &str, expected: Option<Result<&str, ()>>) {
        let found = Fields::of(body.as_bytes(), kind).ok().map(|fields| fields.text("a"));
        let found = found.map(|text| text.map_err(drop));
        assert_eq!(found, expected.map(|text| text.map(str::to_owned)), "{body}");
    }

    #[test]
    fn fields_are_read_from_json_and_forms() {
        check(r#"{"a":"x"}"#, "application/json", Some(Ok("x")));
        check(r#"{"a":"x"}"#, FORM, Some(Ok("x"))); // what curl says unless it is told
        check(r#"{"a":"x"}"#, "", Some(Ok("x")));
        check("a=x&b=y", FORM, Some(Ok("x")));
        check("a=x", "application/json", None);
        check(r#"{"a":"x","a":"y"}"#, "", Some(Ok("y")));
    }

    #[test]
    fn values_become_text_where_they_can() {
        check(r#"{"a":7}"#, "", Some(Ok("7")));
        check(r#"{"a":true}"#, "", Some(Ok("1")));
        check(r#"{"a":null}"#, "", Some(Ok("")));
        check("{}", "", Some(Ok("")));
        check("null", "", Some(Ok("")));
        check("", "", Some(Ok("")));
        check(r#"{"a":["x"]}"#, "", Some(Err(())));
        check(r#"{"a":{}}"#, "", Some(Err(())));
    }

    #[test]
    fn lists_are_read_from_lists_and_from_text_with_commas() {
        let check = |body: &str, expected: Option<&[&str]>| {
            let fields = Fields::of(body.as_bytes(), "").ok().unwrap();
            let expected = expected.map(|all| all.iter().map(|one| (*one).to_owned()).collect());
            assert_eq!(fields.list("a").ok(), expected, "{body}");
        };
        check("{}", Some(&[]));
        check(r#"{"a":[]}"#, Some(&[]));
        check(r#"{"a":["x",5,""]}"#, Some(&["x", "5", ""]));
        check(r#"{"a":"x, y"}"#, Some(&["x", "y"]));
        check(r#"{"a":{}}"#, None);
        check(r#"{"a":[{}]}"#, None);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for body in ["{", "[1]", "5", "\"x\"", "{} x", "\u{feff}{}"] {
            check(body, "application/json", None);
        }
        check("[1]", FORM, None);
    }
}
