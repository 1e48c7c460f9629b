//! Every operation of the contract: method, path, what is sent, and what may be answered.

use super::bodies::{
    Account, Analytics, Click, ClickAccepted, ClickBatch, ClickResults, Health, Link, LinkBatch,
    LinkChange, LinkPage, LinkResults, Profile, Registration, RegistrationRequest, Registrations,
};
use crate::contract::Route;
use schemars::{JsonSchema, Schema, SchemaGenerator};

/// One method on one path.
#[derive(Debug)]
pub struct Operation {
    /// What plans and histories call it.
    pub route: Route,
    /// The method; `HEAD` is answered wherever `GET` is.
    pub method: &'static str,
    /// The path below `/v1`, with `{name}` for a part that is free.
    pub path: &'static str,
    /// What it is for, a sentence without its full stop.
    pub summary: &'static str,
    /// What is not seen from the rest.
    pub notes: &'static str,
    /// What may be said beside path and body.
    pub parameters: &'static [Parameter],
    /// What is sent.
    pub body: Option<Shape>,
    /// What may be answered, beside what every operation may answer.
    pub answers: &'static [Answer],
}

/// A type's schema, made where it is needed.
pub type Shape = fn(&mut SchemaGenerator) -> Schema;

/// Something in the query or a header.
#[derive(Debug)]
pub struct Parameter {
    /// `query` or `header`.
    pub place: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// What it says.
    pub what: &'static str,
}

/// One answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// When it is given.
    pub when: &'static str,
    /// What it says; none for an answer without a body, and errors have the body of errors.
    pub body: Option<Shape>,
    /// What is in it besides.
    pub trace: Trace,
}

/// What lets an answer be found again in what a visitor sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// Nothing.
    None,
    /// `nonce`, which no two answers of a run share.
    Nonce,
    /// `nonce`, and `version`: that of the creator's page.
    Version,
}

const fn error(status: u16, when: &'static str) -> Answer {
    Answer { status, when, body: None, trace: Trace::None }
}

fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

const fn ok<T: JsonSchema>(status: u16, when: &'static str, trace: Trace) -> Answer {
    Answer { status, when, body: Some(of::<T>), trace }
}

const fn query(name: &'static str, required: bool, what: &'static str) -> Parameter {
    Parameter { place: "query", name, required, what }
}

const NOBODY: Answer = error(404, "nobody has this handle");
const NO_LINK: Answer = error(404, "there is no such link");

const LIST: &[Parameter] = &[
    query("cursor", false, "the `cursor` of the page before; empty or absent for the first page"),
    query("limit", false, "links on a page at the most"),
];

const LISTED: &[Answer] = &[
    ok::<LinkPage>(200, "a page, which may be shorter than asked for", Trace::Version),
    error(
        400,
        "the cursor is not one of this list, the limit is out of range, or `offset` or `page` is asked for",
    ),
    NOBODY,
    error(410, "the cursor has expired; begin with the first page"),
];

/// All of them, in the order in which a service meets them.
pub const OPERATIONS: &[Operation] = &[
    Operation {
        route: Route::Health,
        method: "GET",
        path: "/health",
        summary: "Whether Linktree is up; needs no key and counts for no limit",
        notes: "",
        parameters: &[],
        body: None,
        answers: &[ok::<Health>(200, "it is", Trace::None)],
    },
    Operation {
        route: Route::Me,
        method: "GET",
        path: "/me",
        summary: "The account behind the key, the key's scopes and its age",
        notes: "",
        parameters: &[],
        body: None,
        answers: &[ok::<Account>(200, "the account", Trace::Nonce)],
    },
    Operation {
        route: Route::Profile,
        method: "GET",
        path: "/profiles/{handle}",
        summary: "What a creator's page says, but for its links",
        notes: "",
        parameters: &[Parameter {
            place: "header",
            name: "If-None-Match",
            required: false,
            what: "the `ETag` of an earlier answer",
        }],
        body: None,
        answers: &[
            ok::<Profile>(200, "the profile, with `ETag` and `Cache-Control`", Trace::Version),
            error(304, "it is as `If-None-Match` knows it"),
            NOBODY,
        ],
    },
    Operation {
        route: Route::ProfileLinks,
        method: "GET",
        path: "/profiles/{handle}/links",
        summary: "A creator's links, page by page",
        notes: "A link may be inserted or removed between two pages.",
        parameters: LIST,
        body: None,
        answers: LISTED,
    },
    Operation {
        route: Route::Links,
        method: "GET",
        path: "/links",
        summary: "The links of the key's own account, page by page",
        notes: "A link may be inserted or removed between two pages.",
        parameters: LIST,
        body: None,
        answers: LISTED,
    },
    Operation {
        route: Route::Link,
        method: "PATCH",
        path: "/links/{id}",
        summary: "Changes some fields of one link",
        notes: "",
        parameters: &[],
        body: Some(of::<LinkChange>),
        answers: &[
            ok::<Link>(200, "the link as it is now", Trace::Version),
            error(400, "the body is no change of a link"),
            error(403, "the link belongs to another account"),
            NO_LINK,
            error(422, "a value cannot stand in a link"),
        ],
    },
    Operation {
        route: Route::LinksBatch,
        method: "POST",
        path: "/links/batch",
        summary: "New titles and addresses of many links, each with a result of its own",
        notes: "It counts as one request. Some items may fail while others are written.",
        parameters: &[],
        body: Some(of::<LinkBatch>),
        answers: &[
            ok::<LinkResults>(200, "what became of each item", Trace::Nonce),
            error(400, "the body is no batch of links, or too large a one"),
        ],
    },
    Operation {
        route: Route::Clicks,
        method: "POST",
        path: "/clicks",
        summary: "Reports one click",
        notes: "A click has its effect once for each `event_id`, sent singly or in a batch, however often. \
                The same key with the same click is answered as the first time.",
        parameters: &[Parameter {
            place: "header",
            name: "Idempotency-Key",
            required: true,
            what: "the same whenever this click is sent again",
        }],
        body: Some(of::<Click>),
        answers: &[
            ok::<ClickAccepted>(202, "it counts, or has counted before", Trace::None),
            error(400, "the body is not a click, or `Idempotency-Key` is missing"),
            NOBODY,
            error(
                422,
                "the key or the event id was used for another click, or `occurred_at` is no instant",
            ),
        ],
    },
    Operation {
        route: Route::ClicksBatch,
        method: "POST",
        path: "/clicks/batch",
        summary: "Reports many clicks, each with a result of its own",
        notes: "It counts as one request, and each `event_id` has its effect once. Some events may fail \
                while others count.",
        parameters: &[],
        body: Some(of::<ClickBatch>),
        answers: &[
            ok::<ClickResults>(200, "what became of each event", Trace::None),
            error(400, "the body is no batch of clicks, or too large a one"),
        ],
    },
    Operation {
        route: Route::Analytics,
        method: "GET",
        path: "/analytics/{handle}",
        summary: "Clicks that counted, by link and day",
        notes: "Slow by design. A key sees the figures of its own account.",
        parameters: &[
            query("from", true, "the first day, such as 2026-01-31"),
            query("to", true, "the last day, included"),
        ],
        body: None,
        answers: &[
            ok::<Analytics>(200, "the figures", Trace::Nonce),
            error(400, "from and to are no dates, in the wrong order, or too far apart"),
            error(403, "the figures belong to another account"),
            NOBODY,
        ],
    },
    Operation {
        route: Route::Webhooks,
        method: "POST",
        path: "/webhooks",
        summary: "Registers an address for events",
        notes: "The same address again has the registration that is there. Whether the address answers is \
                asked with `HEAD`: below 500, and neither 404 nor 410.",
        parameters: &[],
        body: Some(of::<RegistrationRequest>),
        answers: &[
            ok::<Registration>(200, "it was registered already", Trace::Nonce),
            ok::<Registration>(201, "it is registered", Trace::Nonce),
            error(400, "the body is not JSON"),
            error(422, "address, events or secret cannot be used"),
        ],
    },
    Operation {
        route: Route::Webhooks,
        method: "GET",
        path: "/webhooks",
        summary: "All registrations",
        notes: "",
        parameters: &[],
        body: None,
        answers: &[ok::<Registrations>(200, "they are", Trace::Nonce)],
    },
    Operation {
        route: Route::Webhooks,
        method: "DELETE",
        path: "/webhooks/{id}",
        summary: "Ends a registration",
        notes: "",
        parameters: &[],
        body: None,
        answers: &[error(204, "it has ended"), error(404, "there is no webhook of this id")],
    },
];

impl Operation {
    /// A name of its own, such as `getProfilesHandleLinks`.
    #[must_use]
    pub fn id(&self) -> String {
        let parts = self.path.split(['/', '{', '}']).filter(|part| !part.is_empty());
        let capital = |part: &str| part[..1].to_uppercase() + &part[1..];
        let name: String = parts.map(capital).collect();
        format!("{}{name}", self.method.to_lowercase())
    }

    /// The free parts that this method and these parts of a path have, if they are this operation.
    pub(crate) fn matches<'p>(
        &self,
        method: &str,
        path: &[&'p str],
    ) -> Option<Vec<(&'static str, &'p str)>> {
        let known = self.path[1..].split('/');
        if self.method != method || known.clone().count() != path.len() {
            return None;
        }
        let mut free = Vec::new();
        for (known, part) in known.zip(path) {
            match known.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(_) if part.is_empty() => return None,
                Some(name) => free.push((name, *part)),
                None if known != *part => return None,
                None => {}
            }
        }
        Some(free)
    }
}
