//! `list`: what there is.

use crate::cli::ListArgs;
use crate::commands::say;
use crate::failure::Exit;
use comfy_table::{ContentArrangement, Table, presets};
use mock_server::faults::FAULTS;
use reference::mutants::MUTANTS;
use scenarios::catalogue::{Profile, SCENARIOS, Settings};
use scenarios::guarantees::{Bound, GUARANTEES};
use serde_json::{Value, json};

/// Prints the list.
#[must_use]
pub fn list(args: &ListArgs) -> Exit {
    let (columns, rows): (&[&str], Vec<Vec<String>>) = if args.what.guarantees {
        let row = |known: &&dyn scenarios::guarantees::Guarantee| {
            let promise = known.promise();
            let priority = format!("{:?}", promise.priority).to_lowercase();
            let bound = |bound: &Bound| format!("{} = {}", bound.name, bound.default);
            let bounds = promise.bounds.iter().map(bound).collect::<Vec<_>>().join(", ");
            vec![promise.id.to_owned(), priority, promise.statement.to_owned(), bounds]
        };
        (&["id", "priority", "promise", "bounds"], GUARANTEES.iter().map(row).collect())
    } else if args.what.mutants {
        let row = |mutant: &reference::mutants::Mutant| {
            [mutant.id, mutant.breaks, mutant.shown_by, mutant.summary].map(str::to_owned).to_vec()
        };
        (&["id", "breaks", "shown by", "summary"], MUTANTS.iter().map(row).collect())
    } else if args.what.faults {
        let row = |fault: &mock_server::faults::FaultInfo| {
            [fault.kind, fault.place.label(), fault.summary].map(str::to_owned).to_vec()
        };
        (&["kind", "acts on", "summary"], FAULTS.iter().map(row).collect())
    } else {
        let row = |known: &&scenarios::catalogue::ScenarioInfo| {
            let [quick, night] =
                [(Profile::Quick, 10), (Profile::Nightly, 1)].map(|(profile, scale)| {
                    let settings = Settings { profile, time_scale: scale, ..Settings::default() };
                    format!("{} s", known.plan(&settings).duration_ms().div_ceil(1_000))
                });
            let quick = if known.is_quick() { quick } else { format!("({quick})") };
            vec![known.id.to_owned(), quick, night, known.tags.join(", "), known.summary.to_owned()]
        };
        (&["id", "quick", "nightly", "tags", "summary"], SCENARIOS.iter().map(row).collect())
    };
    if args.json {
        let object = |row: &Vec<String>| {
            let fields = columns.iter().zip(row);
            Value::Object(
                fields.map(|(name, cell)| (name.replace(' ', "_"), json!(cell))).collect(),
            )
        };
        say(format_args!("{:#}", Value::Array(rows.iter().map(object).collect())));
    } else {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(columns.to_vec()).add_rows(rows);
        say(table);
    }
    Exit::Held
}
