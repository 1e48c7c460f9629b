//! Placeholder; replaced at the merge.

use crate::case::Case;
use crate::history::Operation;

/// One line of a chart.
pub struct Series {
    /// Chart.
    pub group: String,
    /// Line.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// Points.
    pub points: Vec<(u64, f64)>,
}

/// Builder.
pub struct Timeline;

impl Timeline {
    /// New.
    #[must_use]
    pub fn new(_case: &Case) -> Self {
        Self
    }
    /// See.
    pub fn operation(&mut self, _operation: &Operation<'_>) {}
    /// End.
    #[must_use]
    pub fn finish(self) -> Vec<Series> {
        Vec::new()
    }
}
