//! What holds of whatever a target answers to a scrape: it is read, and what is read of it can be written
//! again and means the same. And of whatever it pushes: what comes after it counts. Called by the crate's tests
//! and by targets of `cargo fuzz`.

use super::prometheus::Exposition;
use super::{MetricNames, Picks, Reading, Selector, Series, cloudwatch, dogstatsd, otlp};
use mock_server::clock::Moment;
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

/// Takes these bytes as datagrams, and then one more.
///
/// # Panics
///
/// When that does not count.
pub fn datagrams(bytes: &[u8]) {
    pushed(|series| dogstatsd::take(bytes, Moment::ZERO, series));
}

/// Takes these bytes as exports in either form, and then one more.
///
/// # Panics
///
/// When that does not count.
pub fn exports(bytes: &[u8]) {
    for form in [otlp::Form::Json, otlp::Form::Protobuf] {
        pushed(|series| {
            let _ = otlp::take(bytes, form, Moment::ZERO, series);
        });
    }
}

/// Takes these bytes as requests in either form, and then one more.
///
/// # Panics
///
/// When that does not count.
pub fn puts(bytes: &[u8]) {
    for form in [cloudwatch::Form::Json, cloudwatch::Form::Query] {
        pushed(|series| {
            let _ = cloudwatch::take(bytes, form, Moment::ZERO, series);
        });
    }
}

fn pushed(take: impl FnOnce(&mut Series)) {
    let mut series = Series::of(PICKS.names().into_iter().chain(["after".to_owned()]));
    take(&mut series);
    // Whatever the bytes are, they name no such tag.
    let selector = Selector::of_pushed("after{after=\"windthrow\"}");
    let selector = selector.expect("it is a selector");
    let _ = PICKS.figures(&series.since(Moment::ZERO));
    let before = series.pushed.messages;
    dogstatsd::take(b"after:1|c|#after:windthrow", Moment::ZERO, &mut series);
    assert_eq!(series.pushed.messages, before + 1);
    let after = series.since(Moment::ZERO).counted(&selector);
    // It may be doubtful by what stands in the bytes, but it is there.
    assert_ne!(after, Ok(None));
}
