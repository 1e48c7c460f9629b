//! `explain`: everything that is known of one id.

use crate::cli::ContractArgs;
use crate::commands::{contract_document, say};
use crate::failure::{Exit, Failure, nearest};
use crate::{config, document};
use mock_server::faults::{FAULTS, FaultInfo};
use reference::mutants::{self, MUTANTS};
use scenarios::catalogue::{self, SCENARIOS};
use scenarios::guarantees::{self, Bound, GUARANTEES};
use scenarios::strength::Minimum;

/// Prints what is known of a scenario, guarantee, mutant or fault, of a key of the configuration, of the
/// contract or of plans.
///
/// # Errors
///
/// [`Failure::NothingMatched`] with the nearest id; [`Failure`] when the contract profile or the configuration
/// cannot be used.
pub fn explain(id: &str, contract: &ContractArgs) -> Result<Exit, Failure> {
    let mut known = true;
    match id {
        "contract" => {
            say(document::contract_text(&contract_document(contract)?).trim_end());
        }
        "plan" => {
            let example = FAULTS.iter().find(|known| known.kind == "status");
            let fault = example.map(FaultInfo::example_json).unwrap_or_default();
            say(document::plan_text(&document::plan_schema(), &rule(&fault)).trim_end());
        }
        _ => known = false,
    }
    if let Some(guarantee) = guarantees::find(id) {
        known = true;
        let promise = guarantee.promise();
        say(format_args!("guarantee {id} ({:?})\n", promise.priority));
        say(format_args!("{}\n", promise.statement));
        say(format_args!("rule and bound:  {}", promise.source));
        say(format_args!("if it is broken: {}", promise.why));
        say(format_args!("usual fix:       {}", promise.usual_fix));
        say(format_args!("blind to:        {}", promise.blind_to));
        say(format_args!("sees:            {}", listed(promise.sees)));
        if !promise.needs.is_empty() {
            say(format_args!("needs:           {} (front_door)", listed(promise.needs)));
        }
        for Bound { name, what, unit, default, .. } in promise.bounds {
            say(format_args!("bound:           {name} = {default} ({unit}): {what}"));
        }
        for Minimum { name, least } in promise.minimums {
            say(format_args!("judged from:     at least {least} {name}"));
        }
        let set = format!("in [guarantee.{id}] bounds, or [promises.{id}] of a contract profile");
        let set = if promise.bounds.is_empty() { "it has none of its own" } else { &set };
        say(format_args!("set bounds:      {set}"));
        let breakers: Vec<_> =
            MUTANTS.iter().filter(|mutant| mutant.breaks == id).map(|mutant| mutant.id).collect();
        say(format_args!("mutants:         {}", breakers.join(", ")));
    }
    if let Some(scenario) = catalogue::find(id) {
        known = true;
        say(format_args!("scenario {id}\n\n{}\n", scenario.summary));
        say(format_args!("tags:   {}", scenario.tags.join(", ")));
        say(format_args!("run it: windthrow run {id}"));
        say(format_args!(
            "plan:   windthrow plan {id} > plan.json, edit it, windthrow run --plan plan.json"
        ));
    }
    if let Some(mutant) = mutants::find(id) {
        known = true;
        say(format_args!("mutant {id}\n\n{}\n", mutant.summary));
        say(format_args!("breaks:         {}", mutant.breaks));
        say(format_args!("may also break: {}", mutant.may_also_break.join(", ")));
        say(format_args!("shown by:       windthrow run {} --mutant {id}", mutant.shown_by));
    }
    if let Some(fault) = FAULTS.iter().find(|fault| fault.kind == id) {
        known = true;
        say(format_args!(
            "fault {id}\n\n{}\n\nin a plan:\n{}",
            fault.summary,
            fault.example_json()
        ));
    }
    if let Some(text) = document::config_text(config::keys(), id) {
        known = true;
        say(text.trim_end());
    }
    if known {
        return Ok(Exit::Held);
    }
    let entries = document::entries(config::keys());
    let ids = GUARANTEES.iter().map(|guarantee| guarantee.promise().id);
    let ids = ids.chain(SCENARIOS.iter().map(|scenario| scenario.id));
    let ids = ids.chain(MUTANTS.iter().map(|mutant| mutant.id));
    let ids = ids.chain(FAULTS.iter().map(|fault| fault.kind)).chain(["contract", "plan"]);
    let ids = ids.chain(entries.iter().map(|entry| entry.name.as_str()));
    let near = nearest(id, ids).map_or(String::new(), |near| format!("did you mean {near}? "));
    Err(Failure::NothingMatched {
        what: format!("nothing is called {id}"),
        help: format!(
            "{near}see windthrow list, with --guarantees, --mutants or --faults; or explain contract, or plan, or \
             any key or table of windthrow.toml"
        ),
    })
}

/// A rule with this fault, as it stands in a plan.
fn rule(fault: &str) -> String {
    let fault = fault.replace('\n', "\n  ");
    format!(
        "{{\n  \"id\": \"half-down\",\n  \"window\": {{ \"from_ms\": 5000, \"until_ms\": 15000 }},\n  \
         \"matcher\": {{ \"routes\": [\"profile\"] }},\n  \
         \"pick\": {{ \"by\": \"share\", \"ratio\": {{ \"hits\": 1, \"of\": 2 }} }},\n  \"fault\": {fault}\n}}"
    )
}

fn listed(items: &[impl std::fmt::Display]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
