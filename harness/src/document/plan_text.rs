//! A plan's format as a person reads it: what the schema says of rules, matchers, picks and windows.

use super::fields::{fields, lines, one_line, resolved};
use serde_json::Value;
use std::fmt::Write;

/// The parts that a rule is made of, in reading order.
const OF_A_RULE: [&str; 5] = ["Rule", "Window", "Matcher", "Pick", "Ratio"];

/// The parts of a scenario that people edit besides.
const OF_A_SCENARIO: [&str; 6] =
    ["Plan", "Phase", "PhaseKind", "Traffic", "Generator", "TimedEvent"];

/// What the schema of a plan says of what people edit, as text.
#[must_use]
pub fn plan_text(schema: &Value, example: &str) -> String {
    let mut text = "\
A plan is everything that a run will do. To edit one:

    windthrow plan viral-spike > plan.json
    windthrow run --plan plan.json

The same plan decides the same arrivals and the same faults; the report says that it is not the
catalogue's. Times are real milliseconds since the traffic began. Every mistake is shown at once, with
its place; `windthrow schema plan` prints the JSON schema, for editors.

A RULE says when, whom, how often and what. This one fails a share of the reads of profiles for ten seconds:

"
    .to_owned();
    for line in example.lines() {
        let _ = writeln!(text, "    {line}");
    }
    text.push_str(
        "\nFaults and their settings: `windthrow list --faults`, `windthrow explain KIND`.\n",
    );
    for name in OF_A_RULE {
        text.push_str(&part(schema, name));
    }
    text.push_str("\nA SCENARIO of a plan\n");
    for name in OF_A_SCENARIO {
        text.push_str(&part(schema, name));
    }
    text
}

fn part(document: &Value, name: &str) -> String {
    let schema = &document["$defs"][name];
    let what = one_line(schema["description"].as_str().unwrap_or_default());
    let mut text = format!("\n  {name}: {what}\n");
    let own = fields_of_its_own(document, schema);
    text.push_str(&lines(&own, 4));
    for one in schema["oneOf"].as_array().into_iter().flatten() {
        let what = one_line(one["description"].as_str().unwrap_or_default());
        let name = one["const"].as_str().map_or_else(|| tag(one), str::to_owned);
        let _ = writeln!(text, "    {name}  {what}");
        let settings: Vec<_> = fields_of_its_own(document, one)
            .into_iter()
            .filter(|field| resolved(document, &one["properties"][&field.path])["const"].is_null())
            .collect();
        text.push_str(&lines(&settings, 6));
    }
    text
}

/// The fields of the first level: what is below has a part of its own.
fn fields_of_its_own(document: &Value, schema: &Value) -> Vec<super::fields::Field> {
    let all = fields(document, schema).into_iter();
    all.filter(|field| !field.path.contains(['.', '['])).collect()
}

/// How a variant is told from the others, as in `by = "share"`.
fn tag(variant: &Value) -> String {
    let mut members = variant["properties"].as_object().into_iter().flatten();
    let tag =
        members.find_map(|(name, inner)| Some(format!("{name} = {:?}", inner["const"].as_str()?)));
    tag.unwrap_or_default()
}
