//! `list`: what there is.

use crate::cli::ListArgs;
use crate::commands::say;
use crate::failure::Exit;
use comfy_table::{ContentArrangement, Table, presets};
use mock_server::faults::FAULTS;
use reference::mutants::MUTANTS;
use scenarios::catalogue::{PROFILES, SCENARIOS, Settings};
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
            let lasts = PROFILES.map(|profile| {
                let time_scale = profile.usual_scale();
                let settings = Settings { profile, time_scale, ..Settings::default() };
                let lasts = known.plan(&settings).duration_ms().div_ceil(1_000);
                match (known.is_of(profile), known.fits(profile)) {
                    (true, _) => format!("{lasts} s"),
                    (false, true) => format!("({lasts} s)"),
                    (false, false) => "-".to_owned(),
                }
            });
            let [quick, night, soak] = lasts;
            let [tags, summary] = [known.tags.join(", "), known.summary.to_owned()];
            vec![known.id.to_owned(), quick, night, soak, tags, summary]
        };
        let columns = &["id", "quick", "nightly", "soak", "tags", "summary"];
        (columns, SCENARIOS.iter().map(row).collect())
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
