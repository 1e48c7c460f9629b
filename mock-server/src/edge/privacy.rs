//! Proves that a private header of a client never reaches the routes.

use super::head::{Head, Parsed};
use super::message::write;
use crate::rendezvous::PRIVATE_PREFIX;
use proptest::prelude::*;

/// A header name in any case, private or not.
fn name() -> impl Strategy<Value = String> {
    let cased = |text: String, upper: Vec<bool>| -> String {
        let letters = text.chars().zip(upper.into_iter().cycle());
        letters.map(|(c, up)| if up { c.to_ascii_uppercase() } else { c }).collect()
    };
    let upper = || prop::collection::vec(any::<bool>(), 1..9);
    prop_oneof![
        ("[a-z-]{0,9}", upper())
            .prop_map(move |(rest, up)| cased(format!("{PRIVATE_PREFIX}{rest}"), up)),
        ("[a-z]{1,9}", upper()).prop_map(move |(text, up)| cased(text, up)),
        Just("X-Windthrow".to_owned()),
    ]
}

proptest! {
    #[test]
    fn the_routes_see_one_private_header_and_it_is_the_edges(
        headers in prop::collection::vec((name(), "[ -9;-~]{0,20}"), 0..8),
        id in any::<u64>(),
    ) {
        let mut request = "GET /v1/me HTTP/1.1\r\n".to_owned();
        for (name, value) in &headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        let Parsed::Whole(head) = Head::parse(request.as_bytes()) else {
            return Err(TestCaseError::reject("no request"));
        };
        let mut forwarded = Vec::new();
        write(&mut forwarded, id, &head, b"");
        let forwarded = String::from_utf8(forwarded).unwrap().to_lowercase();
        let names = forwarded.lines().filter_map(|line| line.split_once(':').map(|(name, _)| name));
        let private: Vec<_> = names.filter(|name| name.starts_with(PRIVATE_PREFIX)).collect();
        prop_assert_eq!(private, ["x-windthrow-exchange"]);
        let ours = format!("x-windthrow-exchange: {id}");
        prop_assert!(forwarded.contains(&ours));
    }
}
