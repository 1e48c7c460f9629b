//! The forms in which a secret is searched for like itself.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// In lower case: the secret itself, its bytes in hex, one by one, and the characters that it surely
/// becomes within base64 of either alphabet.
pub(super) fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_ascii_lowercase(), hex::encode(secret)];
    forms.extend(lists(secret));
    for before in 0..3 {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(secret.as_bytes());
        // Characters that also hold bits of what stands before or after are left out.
        let sure = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let form = engine.encode(&bytes)[sure.clone()].to_ascii_lowercase();
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
    }
    forms
}

/// The bytes one by one, as buffers are printed: `6c 74` (Node.js, `% x` of Go), `6c:74`, `6c-74` (.NET),
/// `0x6c, 0x74` (C), `108,116` (JSON), `108, 116` (Python, Java, Rust), `108 116` (Go).
fn lists(secret: &str) -> impl Iterator<Item = String> {
    type Written = fn(u8) -> String;
    let plain: Written = |byte| format!("{byte:02x}");
    let prefixed: Written = |byte| format!("0x{byte:02x}");
    let decimal: Written = |byte| byte.to_string();
    let ways = [
        (plain, " "),
        (plain, ":"),
        (plain, "-"),
        (prefixed, ", "),
        (decimal, ","),
        (decimal, ", "),
        (decimal, " "),
    ];
    let list = |(written, between): (Written, &str)| {
        secret.bytes().map(written).collect::<Vec<_>>().join(between)
    };
    ways.into_iter().map(list)
}
