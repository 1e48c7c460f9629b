//! What holds of every failure, whatever file of whomever it speaks of.

use super::Failure;
use reports::text::clean;

/// The longest text that a failure is told in, bytes.
const MOST: usize = 256 << 10;

/// A failure as it is printed without colours; every place of it is one of its file.
///
/// # Panics
///
/// When it says nothing, is longer than anybody reads, or holds what moves the cursor or is not seen.
pub fn told(failure: Failure) -> String {
    let theme = miette::GraphicalTheme::unicode_nocolor();
    let handler = miette::GraphicalReportHandler::new_themed(theme);
    let mut text = String::new();
    handler.render_report(&mut text, &failure.clean()).expect("every place is one of the text");
    assert!(text.trim().len() > 20, "{text}");
    assert!(
        text.len() <= MOST,
        "{} bytes: {}",
        text.len(),
        &text[..text.floor_char_boundary(MOST)]
    );
    assert_eq!(clean(&text), text);
    text
}
