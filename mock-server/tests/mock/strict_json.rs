//! Reads JSON and refuses a name that stands twice in one object, as many readers of lines do not.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeSet;
use std::fmt;

/// Asserts that each object of this JSON has each name once.
#[track_caller]
pub fn check(json: &str) {
    if let Err(error) = serde_json::from_str::<Strict>(json) {
        panic!("{error}: {json}");
    }
}

struct Strict;

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(Look)
    }
}

struct Look;

impl<'de> Visitor<'de> for Look {
    type Value = Strict;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON with each name once")
    }

    fn visit_unit<E>(self) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_str<E>(self, _: &str) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Strict, A::Error> {
        while items.next_element::<Strict>()?.is_some() {}
        Ok(Strict)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Strict, A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = fields.next_key::<String>()? {
            fields.next_value::<Strict>()?;
            if let Some(twice) = names.replace(name) {
                return Err(A::Error::custom(format!("{twice:?} stands twice")));
            }
        }
        Ok(Strict)
    }
}

#[test]
fn a_name_that_stands_twice_in_one_object_is_noticed() {
    let read = |json: &str| serde_json::from_str::<Strict>(json).is_ok();
    assert!(read(r#"{"a":1,"b":{"a":[null,true,-1,2.5,"a"]},"c":[{"a":1},{"a":2}]}"#));
    assert!(!read(r#"{"a":1,"b":2,"a":3}"#));
    assert!(!read(r#"[{"b":{"a":1,"a":1}}]"#));
}
