//! What happened, as the lines of a witness's story.

use super::Case;
use crate::case::JudgedExchange;
use crate::history::{OpFailure, Operation};
use mock_server::clock::Moment;
use mock_server::history::exchange::End;

impl Case {
    /// A line of a witness's story about an exchange.
    #[must_use]
    pub fn tell(&self, exchange: &JudgedExchange) -> String {
        let outcome = match exchange.status {
            Some(status) => status.to_string(),
            None => "no answer".to_owned(),
        };
        let faults: Vec<&str> = exchange.faults.iter().map(|mark| mark.rule.as_str()).collect();
        let faults =
            if faults.is_empty() { String::new() } else { format!(" [{}]", faults.join(", ")) };
        let wait = exchange
            .retry_after
            .as_ref()
            .map_or(String::new(), |after| format!(", Retry-After: {}", after.value));
        format!(
            "{} upstream #{} {} {} → {outcome}{wait} ({}) at {}{faults}",
            self.at(exchange.t_req),
            exchange.id,
            exchange.head.method,
            exchange.target,
            end_words(exchange.end),
            self.at(exchange.t_known()),
        )
    }

    /// That something of the target went on after its end.
    #[must_use]
    pub fn tell_outlived(&self, end: Moment, why: &str) -> String {
        format!("the target outlived its end at {}: {why}", self.at(end))
    }

    /// A line of a witness's story about a visitor.
    #[must_use]
    pub fn tell_operation(&self, operation: &Operation<'_>) -> String {
        let (what, noted) = (operation.did.action().info().story, operation.did.story());
        let status = operation.status.map_or("no answer".to_owned(), |status| status.to_string());
        let answer = match operation.failure {
            Some(why) => format!("{status}, {}", failure_words(why)),
            None => status,
        };
        let (sent, last) = (self.at(operation.sent), self.at(operation.last));
        format!("{sent} {what} {} → {answer}{noted} at {last}", operation.handle)
    }
}

const fn failure_words(failure: OpFailure) -> &'static str {
    match failure {
        OpFailure::Timeout => "the visitor gave up",
        OpFailure::Connect => "there was no connection",
        OpFailure::Broken => "the connection broke or what came was no HTTP",
    }
}

const fn end_words(end: End) -> &'static str {
    match end {
        End::Complete => "complete",
        End::ClientAbort => "client gave up",
        End::ServerReset => "connection reset",
        End::Truncated => "cut short",
        End::Open => "still open",
    }
}
