//! Only pages of the allowed origin may read the API's answers: no wildcard, no look-alike, no reflection.
//!
//! Blind to: origins other than those that ask, and the page itself, which anybody may read. Broken by:
//! `any-origin-reflected`, `origins-by-beginning`, `origins-by-ending`, `dots-match-any-letter`,
//! `null-origin-allowed`, `vary-on-allowed-only`, `errors-reflect-any-origin`.

use super::{Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::Case;
use crate::front_door::FrontRoute;
use crate::history::{Asked, Cross, Did, Operation, Origin};
use crate::measure::Gauge;
use crate::strength::Minimum;
use crate::verdict::{Offences, Verdict, Witness};
use mock_server::clock::Moment;
use std::collections::{BTreeMap, BTreeSet};

const PROMISE: Promise = Promise {
    id: "cors-allowlist",
    statement: "Only known front-end origins are allowed to read the API's answers; no wildcard, no \
                reflected look-alike.",
    priority: Priority::Standard,
    source: "checklist; WHATWG Fetch section 3.3, by which origins are compared to the letter; RFC 9110 \
             section 12.5.5 for Vary: an answer that depends on the origin and does not say so is handed by \
             a cache to another origin's page",
    why: "Whatever page a visitor or a creator has open may otherwise call the API with their rights, and \
          read what it answers.",
    usual_fix: "Use the framework's CORS middleware with a list of whole origins, around all routes of the \
                API so that errors pass it too, and let it set Vary: Origin.",
    blind_to: "Origins other than the dozen that ask here, names of headers that are allowed, and methods \
               that are allowed but that no route has. The allowed host in capitals is not judged, nor is \
               Vary of answers that no cache keeps (POST, OPTIONS, 5xx).",
    bounds: &[],
    minimums: &[ALLOWED, FOREIGN, KINDS, ERRORS],
    when_late: Stands::Always,
    when_overloaded: Stands::Always,
    needs: &[FrontRoute::CrossOrigin],
    sees: &[Sight::FrontDoor],
};

const ALLOWED: Minimum = Minimum { name: "answers that let the allowed origin in", least: 2 };
const FOREIGN: Minimum = Minimum { name: "answers to other origins", least: 30 };
const KINDS: Minimum = Minimum { name: "sorts of other origins", least: 11 };
/// An error often takes another way out.
const ERRORS: Minimum = Minimum { name: "error answers to other origins", least: 8 };

/// See the module.
pub struct CorsAllowlist;

impl Guarantee for CorsAllowlist {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        Box::new(Asking {
            case,
            offences: Offences::default(),
            let_in: 0,
            foreign: 0,
            errors: 0,
            kinds: BTreeSet::new(),
            reads: BTreeMap::new(),
        })
    }
}

struct Asking<'c> {
    case: &'c Case,
    offences: Offences,
    let_in: usize,
    foreign: usize,
    errors: usize,
    kinds: BTreeSet<Origin>,
    /// The answers to reads of each route.
    reads: BTreeMap<FrontRoute, Vec<Read>>,
}

/// An answer that a cache may keep.
struct Read {
    at: Moment,
    acao: Option<String>,
    varies: bool,
    told: String,
}

impl Judge for Asking<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        let Did::Cross(cross) = &operation.did else { return };
        let Some(status) = operation.status else { return };
        let acao = cross.acao.as_deref();
        if cross.from == Origin::Allowed {
            self.let_in += usize::from(acao == Some(&*cross.origin));
        }
        if cross.from.is_foreign() {
            self.foreign += 1;
            self.errors += usize::from(status >= 400);
            self.kinds.insert(cross.from);
        }
        for wrong in wrongs(cross) {
            let at = operation.last;
            let told = self.case.tell_operation(operation);
            self.offences.add(at, || Witness::new(at, wrong).line(told));
        }
        if cross.asked == Asked::Get && status < 500 {
            let varies = cross.vary.as_deref().is_some_and(names_origin);
            let (at, acao) = (operation.last, acao.map(str::to_owned));
            let told = self.case.tell_operation(operation);
            self.reads.entry(cross.route).or_default().push(Read { at, acao, varies, told });
        }
    }

    fn verdict(mut self: Box<Self>) -> Verdict {
        for (route, reads) in &self.reads {
            let differ = reads.iter().find(|read| read.acao != reads[0].acao);
            let unsaid = reads.iter().find(|read| !read.varies);
            if let (Some(other), Some(unsaid)) = (differ, unsaid) {
                let what = format!(
                    "answers of the {route} depend on the origin, and one does not say so with Vary: Origin"
                );
                self.offences.add(unsaid.at, || {
                    let witness = Witness::new(unsaid.at, what).line(&unsaid.told);
                    [&reads[0], other].into_iter().fold(witness, |it, read| it.line(&read.told))
                });
            }
        }
        let wrong = Gauge::none_of("answers that allow too much")
            .counted(self.offences.count(), self.foreign + self.let_in);
        let not_offered = (self.let_in == 0 && self.foreign > 0).then(|| {
            "the allowed origin was let in nowhere: the service was not told of {allowed_origin}, or has \
             nothing for pages of other origins, which `without = [\"cross-origin\"]` would say"
                .to_owned()
        });
        let strength = [
            ALLOWED.seen(self.let_in),
            FOREIGN.seen(self.foreign),
            KINDS.seen(self.kinds.len()),
            ERRORS.seen(self.errors),
        ];
        let observed =
            format!("{} answers to {} sorts of other origins", self.foreign, self.kinds.len());
        let rule = "the allowed origin is allowed to the letter and nobody else is, on errors too; where \
                    answers differ, each says Vary: Origin";
        self.offences
            .verdict(self.foreign + self.let_in, "answers to pages of another origin")
            .at_least(strength)
            .because(not_offered)
            .measured([wrong], observed, rule)
    }
}

/// What is wrong with one answer by itself.
fn wrongs(cross: &Cross<'_>) -> Vec<String> {
    let Cross { origin, asked, route, .. } = cross;
    let of = if *asked == Asked::Preflight { "a preflight" } else { "an answer" };
    let acao = cross.acao.as_deref().unwrap_or_default();
    let mut wrongs = Vec::new();
    if cross.from.is_foreign() && (acao == "*" || acao == origin) {
        wrongs.push(format!("{of} of the {route} allows {origin} by `{acao}`"));
    } else if cross.credentials && acao == "*" {
        wrongs.push(format!("{of} of the {route} allows everybody, with credentials"));
    } else if acao == "*" {
        wrongs.push(format!("{of} of the {route} allows everybody"));
    }
    let methods = cross.methods.as_deref().unwrap_or_default();
    if !acao.is_empty() && methods.split(',').any(|method| method.trim() == "*") {
        wrongs.push(format!("{of} of the {route} allows every method"));
    }
    wrongs
}

fn names_origin(vary: &str) -> bool {
    vary.split(',').map(str::trim).any(|name| name == "*" || name.eq_ignore_ascii_case("origin"))
}

#[cfg(test)]
mod tests;
