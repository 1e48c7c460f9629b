//! Durations as a vault's clients write them: whole seconds, or numbers with units such as `1h30m`.

use serde_json::Value;
use std::time::Duration;

/// The duration, whole seconds; none where none is wanted.
///
/// # Errors
///
/// Why it is no duration.
pub(super) fn read(value: Option<&Value>) -> Result<Option<Duration>, &'static str> {
    let text = match value {
        None => return Ok(None),
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(_) => return Err("could not parse duration from input"),
    };
    if text.is_empty() {
        return Ok(None);
    }
    if text.starts_with('-') {
        return Err("cannot provide negative value");
    }
    let seconds = match text.parse::<u32>() {
        Ok(seconds) => f64::from(seconds),
        Err(_) => in_units(&text).ok_or("a number of seconds is wanted, or units as in 1h30m")?,
    };
    // A century is longer than any token lives.
    if seconds > 3_155_760_000.0 {
        return Err("the duration is too long");
    }
    let whole = Duration::from_secs_f64(seconds).as_secs();
    Ok((whole > 0).then(|| Duration::from_secs(whole)))
}

fn in_units(text: &str) -> Option<f64> {
    let (mut rest, mut sum) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        sum += number * unit;
        rest = &rest[end..];
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn seconds_and_units_are_read_and_what_is_none_is_refused() {
        let check = |value: Value, expected: Result<Option<u64>, ()>| {
            let found = read(Some(&value)).map(|found| found.map(|found| found.as_secs()));
            assert_eq!(found.map_err(drop), expected, "{value}");
        };
        check(json!(3600), Ok(Some(3_600)));
        check(json!("3600"), Ok(Some(3_600)));
        check(json!("1h"), Ok(Some(3_600)));
        check(json!("1h30m"), Ok(Some(5_400)));
        check(json!("1.5h"), Ok(Some(5_400)));
        check(json!("1d"), Ok(Some(86_400)));
        check(json!("1500ms"), Ok(Some(1)));
        for none in [json!(0), json!(""), json!("0s"), json!("500ms")] {
            check(none, Ok(None));
        }
        for odd in [json!(-5), json!("-5s"), json!("x"), json!("2w"), json!(1.5), json!("1.5")] {
            check(odd, Err(()));
        }
        for odd in [json!(true), json!([]), json!({}), json!(1e30), json!("99999999999999h")] {
            check(odd, Err(()));
        }
        for odd in ["h", ".s", "1..5s", "1h m", "e", "1e3s", "∞h"] {
            check(json!(odd), Err(()));
        }
        assert_eq!(read(None), Ok(None));
    }
}
