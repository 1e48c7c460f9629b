//! What guarantees' figures are read from, whichever channel it came by: series with labels.

use super::point::Unit;
use super::selector::Selector;
use scenarios::observed::Histogram;

/// A figure, none where there is no such metric, or why it cannot be told though there is one.
pub type Read<T> = Result<Option<T>, String>;

/// The state of all series at a moment.
pub trait Reading {
    /// What the counters that a selector picks have counted; 0 where the metric is there without any of
    /// them.
    ///
    /// # Errors
    ///
    /// Why that cannot be told.
    fn counted(&self, selector: &Selector) -> Read<f64>;

    /// The sum of the gauges that it picks.
    ///
    /// # Errors
    ///
    /// Why that cannot be told.
    fn now(&self, selector: &Selector) -> Read<f64>;

    /// The greatest of the gauges that it picks, in seconds: each of several processes may have one.
    ///
    /// # Errors
    ///
    /// Why that cannot be told.
    fn greatest(&self, selector: &Selector) -> Read<f64>;

    /// The histogram with this name, over all series that it picks, in seconds; `unsaid` is the unit of
    /// those that come without one.
    ///
    /// # Errors
    ///
    /// Why that cannot be told.
    fn histogram(&self, selector: &Selector, unsaid: Unit) -> Read<Histogram>;
}
