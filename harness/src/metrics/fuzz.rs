//! What holds of whatever a target answers to a scrape: it is read, and what is read of it can be written
//! again and means the same. Called by the crate's tests and by a target of `cargo fuzz`.

use super::prometheus::Exposition;
use super::{MetricNames, Picks};
use std::sync::LazyLock;

static PICKS: LazyLock<Picks> = LazyLock::new(|| Picks::of(&MetricNames::default()));

/// Reads the answer to a scrape.
///
/// # Panics
///
/// When something of the above does not hold.
pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let again = written(&Exposition::parse(&text));
    assert_eq!(written(&Exposition::parse(&again)), again);
    // As text, since there are values that no value equals.
    let figures = |text: &str| format!("{:?}", PICKS.figures(&Exposition::parse(text)));
    assert_eq!(figures(&again), figures(&text));
}

/// What is read of each sample and of each type, written again.
fn written(exposition: &Exposition<'_>) -> String {
    let escaped =
        |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let mut typed: Vec<_> = exposition.typed().collect();
    typed.sort_unstable();
    let mut text: String = typed.iter().map(|name| format!("# TYPE {name}\n")).collect();
    for sample in exposition.samples() {
        let labels = sample.series.labels.iter();
        let labels: Vec<_> =
            labels.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        text += &format!("{}{{{}}} {}\n", sample.series.name, labels.join(","), sample.value);
    }
    text
}
