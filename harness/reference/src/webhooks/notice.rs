//! What a delivery says, as far as this service acts upon it.

use serde::Deserialize;
use serde_json::Value;

/// The events that this service wants to hear of.
pub const WANTED: [&str; 3] = ["link.clicked", "link.updated", "profile.updated"];

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The page of this creator is another now.
    PageChanged(String),
    /// A click was counted.
    Clicked,
    /// Something that nobody here asked for.
    Other,
}

#[derive(Deserialize)]
struct Envelope {
    r#type: String,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    handle: String,
}

impl Notice {
    /// Reads a body.
    ///
    /// # Errors
    /// With the reason why it cannot be processed.
    pub fn read(body: &[u8]) -> Result<Self, &'static str> {
        let value: Value = serde_json::from_slice(body).map_err(|_| "it is no JSON")?;
        let envelope =
            Envelope::deserialize(value).map_err(|_| "it is no event of the contract")?;
        match (envelope.r#type.as_str(), envelope.data) {
            ("link.updated" | "profile.updated", Some(data)) => Ok(Self::PageChanged(data.handle)),
            ("link.clicked", Some(_)) => Ok(Self::Clicked),
            (wanted, None) if WANTED.contains(&wanted) => Err("it has no data"),
            _ => Ok(Self::Other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_asked_for_is_no_mistake_and_what_says_nothing_is() {
        let check = |body: &str, expected| assert_eq!(Notice::read(body.as_bytes()), expected);
        let ann = Notice::PageChanged("ann".into());
        check(r#"{"type":"profile.updated","data":{"handle":"ann"}}"#, Ok(ann));
        check(r#"{"type":"link.clicked","data":{"handle":"ann"}}"#, Ok(Notice::Clicked));
        check(r#"{"type":"link.deleted"}"#, Ok(Notice::Other));
        check(r#"{"type":"link.updated","note":1}"#, Err("it has no data"));
        check(r#"{"type":"link.updated","data":{}}"#, Err("it is no event of the contract"));
        check("{}", Err("it is no event of the contract"));
        check("type=link.updated", Err("it is no JSON"));
    }
}
