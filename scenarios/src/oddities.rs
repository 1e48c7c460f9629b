//! What the front door answered with success though nobody can: it decides nothing, and explains a lot.

use crate::history::{Did, Operation};
use std::collections::BTreeSet;

/// What visitors sent that is no click, or by a method that pages do not have, and was answered 2xx.
#[derive(Debug, Default)]
pub struct Oddities {
    clicks: BTreeSet<(u16, String)>,
    methods: BTreeSet<(u16, String)>,
}

impl Oddities {
    /// Takes note of one operation.
    pub fn operation(&mut self, operation: &Operation<'_>) {
        let Some(status) = operation.status.filter(|status| (200..300).contains(status)) else {
            return;
        };
        match &operation.did {
            Did::GarbledClick(odd) => self.clicks.insert((status, odd.kind.to_string())),
            // Whoever is asked for the methods that there are may say so.
            Did::WrongMethod(odd) if odd.kind != "OPTIONS" => {
                self.methods.insert((status, odd.kind.to_string()))
            }
            _ => false,
        };
    }

    /// A line for each kind of click and one for methods, the same in every scenario.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let click = |(status, kind): &(u16, String)| {
            format!("what is no click was answered {status} ({kind}): it cannot be delivered")
        };
        self.clicks.iter().map(click).chain(self.method()).collect()
    }

    /// One of the methods stands for all: a page that takes one takes most.
    fn method(&self) -> Option<String> {
        let usual = self.methods.iter().find(|(_, method)| method == "POST");
        let (status, method) = usual.or_else(|| self.methods.first())?;
        Some(format!(
            "{method} /{{handle}} was answered {status}: a page has GET and HEAD alone, so say 405"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Oddity;
    use crate::testing::page;

    #[track_caller]
    fn check(
        did: fn(Oddity<'static>) -> Did<'static>,
        sent: &[(&'static str, u16)],
        expected: &[&str],
    ) {
        let mut oddities = Oddities::default();
        for (kind, status) in sent {
            let status = Some(*status);
            let operation =
                Operation { status, did: did(Oddity::of(kind)), ..page("ann", 1, 2, "v") };
            oddities.operation(&operation);
        }
        assert_eq!(oddities.words(), expected);
    }

    #[test]
    fn what_is_no_click_and_was_taken_is_told_once_for_each_kind() {
        check(
            Did::GarbledClick,
            &[("a list", 202), ("a form", 400), ("line breaks in the id", 202), ("a list", 202)],
            &[
                "what is no click was answered 202 (a list): it cannot be delivered",
                "what is no click was answered 202 (line breaks in the id): it cannot be delivered",
            ],
        );
        // An odd click is one.
        check(Did::OddClick, &[("a time long ago", 202)], &[]);
    }

    #[test]
    fn a_page_that_takes_another_method_is_told() {
        check(
            Did::WrongMethod,
            &[("BREW", 200), ("POST", 200), ("PUT", 405), ("OPTIONS", 204)],
            &["POST /{handle} was answered 200: a page has GET and HEAD alone, so say 405"],
        );
        check(Did::WrongMethod, &[("OPTIONS", 204), ("BREW", 404)], &[]);
    }
}
