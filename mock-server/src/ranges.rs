//! Finds every number, text and list of a value that is larger or smaller than its type allows. The
//! bounds stand beside the fields, as `#[schemars(range(…))]` and `length(…)`, and nowhere else.
//!
//! A plan is somebody else's file: what passes here can be added, multiplied and held in memory.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// One value that is outside its bounds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {what} ({fix})")]
pub struct OutOfRange {
    /// Its key, as in `limit.window_ms` or `retry_ms[3]`.
    pub path: String,
    /// What is wrong, with the value.
    pub what: String,
    /// What to do, with the bounds.
    pub fix: String,
}

impl OutOfRange {
    /// Something that is wrong with the value at `path`.
    pub fn new(path: impl Into<String>, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { path: path.into(), what: what.into(), fix: fix.into() }
    }
}

/// Everything in `value` that is outside its bounds.
#[must_use]
pub fn outside<T: Serialize + JsonSchema>(value: &T) -> Vec<OutOfRange> {
    outside_each(std::slice::from_ref(value)).into_iter().map(|(_, wrong)| wrong).collect()
}

/// Everything in these values that is outside its bounds, with the index of the value.
#[must_use]
pub fn outside_each<T: Serialize + JsonSchema>(values: &[T]) -> Vec<(usize, OutOfRange)> {
    let schema = schema::<T>();
    let of_one = |(index, value)| {
        let mut walk = Walk { root: &schema, found: Vec::new() };
        match serde_json::to_value(value) {
            Ok(value) => walk.value(&value, &schema, ""),
            // What was read from text can be written again, so this is nobody's plan.
            Err(error) => walk.wrong("", format!("it cannot be written: {error}"), "write it anew"),
        }
        walk.found.into_iter().map(move |wrong| (index, wrong))
    };
    values.iter().enumerate().flat_map(of_one).collect()
}

/// The schema of a type, which takes longer to make than most values take to be compared with it.
fn schema<T: JsonSchema>() -> Arc<Value> {
    static KNOWN: Mutex<BTreeMap<Cow<'static, str>, Arc<Value>>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let make = || Arc::new(schemars::schema_for!(T).to_value());
    Arc::clone(known.entry(T::schema_id()).or_insert_with(make))
}

/// Every whole number of a type that has no bounds of its own; for tests that nobody forgets one.
#[must_use]
pub fn unbounded<T: JsonSchema>() -> Vec<String> {
    let mut found = Vec::new();
    collect(&schemars::schema_for!(T).to_value(), "", &mut found);
    found
}

fn collect(schema: &Value, path: &str, found: &mut Vec<String>) {
    let is_integer = types(schema).any(|name| name == "integer" || name == "number");
    if is_integer && (schema["minimum"].is_null() || schema["maximum"].is_null()) {
        found.push(path.to_owned());
    }
    match schema {
        Value::Object(members) => {
            for (key, inner) in members {
                collect(inner, &format!("{path}/{key}"), found);
            }
        }
        Value::Array(items) => items.iter().for_each(|inner| collect(inner, path, found)),
        _ => {}
    }
}

struct Walk<'s> {
    root: &'s Value,
    found: Vec<OutOfRange>,
}

impl<'s> Walk<'s> {
    fn wrong(&mut self, path: &str, what: impl Into<String>, fix: impl Into<String>) {
        self.found.push(OutOfRange::new(path, what, fix));
    }

    fn value(&mut self, value: &Value, schema: &'s Value, path: &str) {
        // An internally tagged enum names its settings beside what it says of itself.
        if let Some(reference) = schema["$ref"].as_str() {
            let target = self.root.pointer(reference.trim_start_matches('#'));
            self.value(value, target.unwrap_or(&Value::Null), path);
        }
        for list in ["allOf", "anyOf", "oneOf"] {
            let inner = schema[list].as_array().into_iter().flatten();
            inner.filter(|one| fits(value, one)).for_each(|one| self.value(value, one, path));
        }
        match value {
            Value::Number(_) => self.number(value, schema, path),
            Value::String(text) => {
                self.length(text.chars().count(), schema, ["minLength", "maxLength"], path);
            }
            Value::Array(items) => {
                self.length(items.len(), schema, ["minItems", "maxItems"], path);
                for (index, item) in items.iter().enumerate() {
                    self.value(item, &schema["items"], &format!("{path}[{index}]"));
                }
            }
            Value::Object(members) => self.members(members, schema, path),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn members(&mut self, members: &Map<String, Value>, schema: &'s Value, path: &str) {
        for (key, value) in members {
            let inner = &schema["properties"][key];
            let inner = if inner.is_null() { &schema["additionalProperties"] } else { inner };
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            self.value(value, inner, &path);
        }
    }

    fn number(&mut self, value: &Value, schema: &'s Value, path: &str) {
        let (low, high) = (whole(&schema["minimum"]), whole(&schema["maximum"]));
        let fits = whole(value).is_some_and(|number| {
            low.is_none_or(|low| low <= number) && high.is_none_or(|high| number <= high)
        });
        if !fits && let Some(bounds) = in_words(low, high) {
            self.wrong(path, format!("{value} is out of range"), format!("choose {bounds}"));
        }
    }

    fn length(&mut self, length: usize, schema: &'s Value, keys: [&str; 2], path: &str) {
        let [low, high] = keys.map(|key| whole(&schema[key]));
        let length = i128::try_from(length).unwrap_or(i128::MAX);
        if low.is_none_or(|low| low <= length) && high.is_none_or(|high| length <= high) {
            return;
        }
        let unit = if keys[0] == "minItems" { "entries" } else { "characters" };
        if let Some(bounds) = in_words(low, high) {
            self.wrong(path, format!("it has {length} {unit}"), format!("have {bounds}"));
        }
    }
}

/// Whether a value is of this alternative: its tag, its name, or else its type.
fn fits(value: &Value, alternative: &Value) -> bool {
    let Some(members) = value.as_object() else {
        return !(value.is_null() ^ types(alternative).any(|name| name == "null"));
    };
    let tagged =
        alternative["properties"].as_object().into_iter().flatten().all(|(key, inner)| {
            inner["const"].is_null() || members.get(key) == Some(&inner["const"])
        });
    let required = alternative["required"].as_array().into_iter().flatten();
    let named = required.filter_map(Value::as_str).all(|key| members.contains_key(key));
    tagged && named && !types(alternative).any(|name| name == "null" || name == "string")
}

/// The types that a schema names.
fn types(schema: &Value) -> impl Iterator<Item = &str> {
    let one = schema["type"].as_str().into_iter();
    one.chain(schema["type"].as_array().into_iter().flatten().filter_map(Value::as_str))
}

fn whole(value: &Value) -> Option<i128> {
    value.as_u64().map(i128::from).or_else(|| value.as_i64().map(i128::from))
}

fn in_words(low: Option<i128>, high: Option<i128>) -> Option<String> {
    match (low, high) {
        (Some(low), Some(high)) => Some(format!("{low} to {high}")),
        (None, Some(high)) => Some(format!("at most {high}")),
        (Some(low), None) => Some(format!("at least {low}")),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::{FAULTS, Fault, Rule};
    use crate::profile::ContractProfile;
    use crate::world::TimedEvent;
    use crate::world::population::Population;

    /// What is wrong with a value of which one number or list was changed.
    fn check<T: Serialize + JsonSchema + serde::de::DeserializeOwned>(
        lawful: &T,
        pointer: &str,
        value: Value,
        expected: &[&str],
    ) {
        let mut json = serde_json::to_value(lawful).unwrap();
        *json.pointer_mut(pointer).expect(pointer) = value;
        let changed: T = serde_json::from_value(json).unwrap();
        let found: Vec<_> = outside(&changed).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_value_outside_its_bounds_is_named_with_key_value_and_bounds() {
        let profile = ContractProfile::linktree_v1();
        assert_eq!(outside(&profile), []);
        let window = "limit.window_ms: 0 is out of range (choose 1 to 86400000)";
        check(&profile, "/limit/window_ms", 0.into(), &[window]);
        let most = "limit.window_ms: 18446744073709551615 is out of range (choose 1 to 86400000)";
        check(&profile, "/limit/window_ms", u64::MAX.into(), &[most]);
        let pause = "webhooks.retry_ms[1]: 604800001 is out of range (choose 0 to 604800000)";
        let pauses = vec![0_u64, 604_800_001];
        check(&profile, "/webhooks/retry_ms", pauses.into(), &[pause]);
        let long = "webhooks.disable_on: it has 101 entries (have at most 100)";
        check(&profile, "/webhooks/disable_on", vec![410; 101].into(), &[long]);
        let empty = "keys.live_prefix: it has 0 characters (have 1 to 32)";
        check(&profile, "/keys/live_prefix", "".into(), &[empty]);
    }

    #[test]
    fn settings_are_found_in_whichever_alternative_they_stand() {
        let rule = |fault: &str| Rule::new("r", toml::from_str(fault).unwrap());
        let late = "kind = \"latency\"\ndistribution = \"constant\"\nms = 1\n";
        let said = "fault.ms: 3600001 is out of range (choose 0 to 3600000)";
        check(&rule(late), "/fault/ms", 3_600_001.into(), &[said]);
        let stall = "kind = \"stall\"\nat = { trickle = { every_ms = 1 } }\n";
        let said = "fault.at.trickle.every_ms: 3600001 is out of range (choose 0 to 3600000)";
        check(&rule(stall), "/fault/at/trickle/every_ms", 3_600_001.into(), &[said]);
        let html = "kind = \"html\"\nstatus = 200\n";
        let said = "fault.status: 600 is out of range (choose 200 to 599)";
        check(&rule(html), "/fault/status", 600.into(), &[said]);
        let date = "kind = \"skewed-date\"\ndate = { off = { by_s = 1 } }\n";
        let said = "fault.date.off.by_s: -9223372036854775808 is out of range \
                    (choose -3153600000 to 3153600000)";
        check(&rule(date), "/fault/date/off/by_s", i64::MIN.into(), &[said]);
    }

    #[test]
    fn no_number_is_without_bounds() {
        assert_eq!(unbounded::<ContractProfile>(), [""; 0]);
        assert_eq!(unbounded::<Rule>(), [""; 0]);
        assert_eq!(unbounded::<Population>(), [""; 0]);
        assert_eq!(unbounded::<TimedEvent>(), [""; 0]);
    }

    /// Whatever number of whichever fault is made absurd, the schema or the fault itself says so.
    #[test]
    fn an_absurd_number_of_any_fault_is_refused() {
        for info in FAULTS {
            let fault: Fault = toml::from_str(info.example_toml).unwrap();
            assert_eq!(outside(&Rule::new("r", fault.clone())), [], "{}", info.kind);
            let json = serde_json::to_value(&fault).unwrap();
            for (key, _) in json.as_object().unwrap().iter().filter(|(_, value)| value.is_u64()) {
                let with = |most: u64| {
                    let mut changed = json.clone();
                    changed[key] = most.into();
                    serde_json::from_value::<Fault>(changed).ok()
                };
                let most = [u64::MAX, u32::MAX.into(), u16::MAX.into(), u8::MAX.into()];
                let rule = Rule::new("r", most.into_iter().find_map(with).expect(key));
                let lawful = info.kind == "tls-alert"; // all eight bits of an alert are some alert
                assert!(lawful || !outside(&rule).is_empty(), "{rule:?}");
            }
        }
    }
}
