//! Writes the whole report as `result.json`, for programs; its schema is published with it.

use std::io::{self, Write};

use schemars::{Schema, schema_for};

use super::Renderer;
use crate::report::Report;

/// Writes `result.json`: everything, unshortened.
#[derive(Debug, Clone, Copy)]
pub struct Json;

/// The JSON schema of `result.json`.
pub fn schema() -> Schema {
    schema_for!(Report)
}

impl Renderer for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn file_name(&self) -> Option<&'static str> {
        Some("result.json")
    }

    fn render(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, report)?;
        writeln!(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::renderers::{check_snapshot, rendered};

    #[test]
    fn the_example_is_as_approved() {
        check_snapshot("json", &rendered(&Json, &Report::example()));
    }

    /// Proves that a change of the result's shape is noticed by a person.
    #[test]
    fn the_schema_is_as_approved() {
        check_snapshot("schema", &serde_json::to_string_pretty(&schema()).unwrap());
    }

    /// Proves that `report RUN` can work from the file alone.
    #[test]
    fn what_was_written_reads_back_the_same() {
        let report = Report::example();
        let read: Report = serde_json::from_str(&rendered(&Json, &report)).unwrap();
        assert_eq!(read, report);
    }

    #[test]
    fn a_value_that_is_no_number_does_not_make_the_file_unreadable() {
        let mut report = Report::example();
        report.scenarios[1].series[0].points = vec![(0, f64::NAN), (1, 2.0)];
        let read: Report = serde_json::from_str(&rendered(&Json, &report)).unwrap();
        assert_eq!(read.scenarios[1].series[0].points, [(1, 2.0)]);
    }
}
