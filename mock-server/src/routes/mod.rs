//! The routes of the contract: who may call, what is decided, and what the answer says.
//!
//! Every route is one mounted wiremock mock. [`Guarded`] does what they share, in this order: the
//! fault decision, authentication, scope, the limit, and only then the route itself. Bodies and
//! status come from here; what happens to their bytes is the edge's work.

mod analytics;
mod answer;
mod clicks;
mod clicks_batch;
mod health;
mod link;
mod links;
mod links_batch;
mod listing;
mod me;
mod path;
mod profile;
mod profile_links;
mod rewrite;
mod unknown;
mod webhooks;

pub(crate) use answer::{Body, Receipts, Reply, error_body};
pub(crate) use path::{classify, resolved};

use crate::contract::Route;
use crate::faults::engine::Engine;
use crate::faults::holds::Holds;
use crate::faults::{Effect, RequestView, RetryAfterSpec, Stage};
use crate::history::exchange::Denied;
use crate::keyring::{Account, Token};
use crate::profile::ResetForm;
use crate::rendezvous::{EXCHANGE_HEADER, Instructions, Rendezvous, Ticket};
use crate::world::World;
use crate::world::limiter::Standing;
use crate::world::link_change::LinkChange;
use crate::world::profiles::Wrote;
use rewrite::Rewriting;
use std::sync::Arc;
use wiremock::{Match, Mock, MockServer, Request, Respond, ResponseTemplate};

/// What all routes share.
pub(crate) struct Shared {
    /// Routes that the embedding program adds to those of the contract.
    pub own: Vec<OwnRoute>,
    pub world: World,
    pub rendezvous: Rendezvous,
    pub engine: Engine,
    pub holds: Holds,
}

/// Makes one mock of the embedding program, for every new wiremock server.
pub(crate) type OwnRoute = Box<dyn Fn() -> Mock + Send + Sync>;

/// One request, as a route sees it.
pub(crate) struct Call<'a> {
    pub ticket: &'a Ticket,
    pub request: &'a Request,
    pub world: &'a World,
    /// The most items that a page of a list may have, whatever was asked for.
    pub limit_override: Option<usize>,
    /// Says which items of a batch shall fail.
    pub rewriting: &'a Rewriting,
}

impl Call<'_> {
    /// The status with which a fault refuses one item of a batch; nothing is to be done for it then.
    pub fn refused_item(&self, id: &str) -> Option<u16> {
        self.rewriting.refused_item(id)
    }
}

impl Call<'_> {
    /// The handle of the account that the key belongs to.
    pub fn own_handle(&self) -> Option<String> {
        match &self.ticket.token.valid()?.account {
            Account::Every => self.world.population.first_handle(),
            Account::One(handle) => Some(handle.clone()),
        }
    }

    /// Whether the key may see and change what belongs to this creator alone.
    pub fn may_act_for(&self, handle: &str) -> bool {
        self.ticket.token.valid().is_some_and(|key| key.account.covers(handle))
    }

    /// Writes into a link, if that is the key's business, and sends a webhook to whoever wants to hear of it.
    pub fn write_link(&self, id: &str, change: &LinkChange) -> Wrote {
        let may = |handle: &str| self.may_act_for(handle);
        let wrote = self.world.write_link(id, change, self.ticket.t_req, may);
        if let Wrote::Done { link, handle, effect: true, .. } = &wrote {
            self.world.webhooks.link_updated(handle, link);
        }
        wrote
    }
}

/// One route of the contract.
pub(crate) trait Handler: Send + Sync {
    /// Does the work and says what it came to.
    fn answer(&self, call: &Call<'_>) -> Reply;

    /// The clicks and links of a request that is not processed, with the status that it met
    /// instead; 0 when it met none.
    fn unprocessed(&self, _request: &Request, _status: u16) -> Receipts {
        Receipts::default()
    }
}

/// Matches what the edge has recorded as a request to this route, so that the history names the route
/// whose answer was given.
struct Is(Route, Arc<Shared>);

impl Match for Is {
    fn matches(&self, request: &Request) -> bool {
        let known = exchange(request).and_then(|id| self.1.rendezvous.route(id));
        known.unwrap_or(Route::Unknown) == self.0
    }
}

/// The exchange that the edge asks for.
fn exchange(request: &Request) -> Option<u64> {
    request.headers.get(EXCHANGE_HEADER)?.to_str().ok()?.parse().ok()
}

/// Every route of the contract, and the catch-all.
fn all() -> [(Route, Box<dyn Handler>); 12] {
    [
        (Route::Health, Box::new(health::Health)),
        (Route::Me, Box::new(me::Me)),
        (Route::Profile, Box::new(profile::Profile)),
        (Route::ProfileLinks, Box::new(profile_links::ProfileLinks)),
        (Route::Clicks, Box::new(clicks::Clicks)),
        (Route::ClicksBatch, Box::new(clicks_batch::ClicksBatch)),
        (Route::Links, Box::new(links::Links)),
        (Route::Link, Box::new(link::Link)),
        (Route::LinksBatch, Box::new(links_batch::LinksBatch)),
        (Route::Analytics, Box::new(analytics::Analytics)),
        (Route::Webhooks, Box::new(webhooks::Webhooks)),
        (Route::Unknown, Box::new(unknown::Unknown)),
    ]
}

/// Mounts one mock for each route, the catch-all, and the embedding program's own.
pub(crate) async fn mount(server: &MockServer, shared: &Arc<Shared>) {
    for (route, answers) in all() {
        let priority = if route == Route::Unknown { u8::MAX } else { 5 };
        let guarded = Guarded { answers, shared: Arc::clone(shared) };
        Mock::given(Is(route, Arc::clone(shared)))
            .respond_with(guarded)
            .with_priority(priority)
            .mount(server)
            .await;
    }
    for make in &shared.own {
        make().mount(server).await;
    }
}

/// The guards of these routes, for whoever asks them without wiremock.
pub(crate) fn guarded(shared: &Arc<Shared>, routes: &[Route]) -> Vec<(Route, Guarded)> {
    let asked = all().into_iter().filter(|(route, _)| routes.contains(route));
    asked.map(|(route, answers)| (route, Guarded { answers, shared: Arc::clone(shared) })).collect()
}

/// A route behind what all routes share.
pub(crate) struct Guarded {
    answers: Box<dyn Handler>,
    shared: Arc<Shared>,
}

impl Respond for Guarded {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        // Only the edge lays down tickets: nobody else gets an answer on this port.
        let Some(ticket) = exchange(request).and_then(|id| self.shared.rendezvous.take(id)) else {
            return ResponseTemplate::new(421);
        };
        let (reply, instructions) = self.decide(&ticket, request);
        self.shared.rendezvous.decide(ticket.id, instructions);
        reply.into_template(&self.shared.world.profile)
    }
}

impl Guarded {
    /// What is answered, and what the edge shall do and record besides.
    pub fn decide(&self, ticket: &Ticket, request: &Request) -> (Reply, Instructions) {
        let world = &self.shared.world;
        let key = ticket.request_key();
        let view = RequestView {
            stage: Stage::Request,
            method: &ticket.method,
            route: ticket.route,
            handle: ticket.handle.as_deref(),
            key: &key,
        };
        let mut decision = self.shared.engine.decide(&view, world.ms_since_armed(ticket.t_req));
        let (standing, refusal) = self.admit(ticket);
        if refusal.is_some() {
            // The server refuses before it would fail; faults on the connection still happen.
            decision.cancel_answer();
        }
        let mut retry_after = None;
        let mut over_limit = false;
        let rewriting = Rewriting::new(std::mem::take(&mut decision.rewrites));
        let limit_override = rewriting.page_limit();
        let call = Call { ticket, request, world, limit_override, rewriting: &rewriting };
        let mut reply = match (&decision.effect, refusal) {
            (Effect::Answer { status, retry_after: after }, _) => {
                retry_after.clone_from(after);
                Reply::error(*status, "unavailable", "the service cannot answer now")
                    .with_receipts(self.answers.unprocessed(request, *status))
            }
            (effect, _) if !effect.shape().processed => {
                Reply::empty(503).with_receipts(self.answers.unprocessed(request, 0))
            }
            (_, Some(refusal)) => {
                over_limit = refusal.status == 429;
                if over_limit {
                    let s = standing.map_or(1, |standing| standing.reset_s()).max(1);
                    retry_after =
                        Some(RetryAfterSpec::Seconds { s: u32::try_from(s).unwrap_or(u32::MAX) });
                }
                let receipts = self.answers.unprocessed(request, refusal.status);
                refusal.with_receipts(receipts)
            }
            (Effect::LateError { status }, None) => self.answer(&call).failed_late(*status),
            (_, None) => self.answer(&call),
        };
        self.add_limit_headers(&mut reply, standing);
        let rewritten = rewriting.apply(&mut reply, &call);
        if ticket.method == "HEAD" {
            // It stands in the body, which nobody gets.
            reply.nonce = None;
        }
        let effect_mark = decision.take_edge_mark();
        let mut marks = decision.marks;
        marks.extend(rewritten.done);
        let Receipts { clicks, links, registration } = std::mem::take(&mut reply.receipts);
        let instructions = Instructions {
            delay_us: decision.delay_us.saturating_add(reply.slow_us),
            effect: decision.effect,
            marks,
            answer_marks: rewritten.marks,
            effect_mark,
            date: rewritten.date,
            doubtful: rewritten.doubtful,
            retry_after,
            clicks,
            links,
            listed: reply.listed.take(),
            registration,
            version: reply.version.take(),
            nonce: reply.nonce.take(),
            denied: reply.denied,
            over_limit,
        };
        (reply, instructions)
    }

    /// What the route says, which reads no body in a content coding (RFC 9110 section 15.5.16).
    fn answer(&self, call: &Call<'_>) -> Reply {
        if call.ticket.route == Route::Unknown || !is_encoded(call.request) {
            return self.answers.answer(call);
        }
        let message = "bodies are read as they are: send it without Content-Encoding";
        Reply::error(415, "unsupported_media_type", message)
            .with_header("accept-encoding", "identity")
            .with_receipts(self.answers.unprocessed(call.request, 415))
    }

    /// Authentication, scope and limit. Every authenticated request counts, whatever becomes of it.
    fn admit(&self, ticket: &Ticket) -> (Option<Standing>, Option<Reply>) {
        if ticket.route.is_public() {
            return (None, None);
        }
        let world = &self.shared.world;
        let Some(key) = ticket.token.valid() else {
            return (None, Some(unauthorized(&ticket.token)));
        };
        let standing = world.admit(&key.id, ticket.t_req);
        let refusal = if !standing.admitted {
            Some(Reply::error(429, "rate_limited", "too many requests for this key"))
        } else {
            ticket.route.scope().filter(|scope| !key.has_scope(scope)).map(missing_scope)
        };
        (Some(standing), refusal)
    }

    fn add_limit_headers(&self, reply: &mut Reply, standing: Option<Standing>) {
        let world = &self.shared.world;
        let limit = &world.profile.limit;
        let remaining = standing.map_or(limit.requests, |standing| standing.remaining);
        let reset_s = standing.map_or(0, |standing| standing.reset_s());
        let reset = match limit.reset_form {
            ResetForm::DeltaSeconds => reset_s,
            ResetForm::EpochSeconds => {
                let now = crate::clock::Clock::wall()
                    .duration_since(std::time::UNIX_EPOCH)
                    .unwrap_or_default();
                (now + std::time::Duration::from_millis(999)).as_secs() + reset_s
            }
        };
        reply.add_header(limit.limit_header.clone(), limit.requests.to_string());
        reply.add_header(limit.remaining_header.clone(), remaining.to_string());
        reply.add_header(limit.reset_header.clone(), reset.to_string());
        if limit.ietf_headers {
            let policy = format!("\"default\";q={};w={}", limit.requests, world.window_s());
            reply.add_header("ratelimit-policy", policy);
            reply.add_header("ratelimit", format!("\"default\";r={remaining};t={reset_s}"));
        }
    }
}

/// Whether there is a body, and it is said to be compressed or otherwise coded.
fn is_encoded(request: &Request) -> bool {
    let lines = request.headers.get_all("content-encoding").iter();
    let mut codings = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let is_plain = |coding: &[u8]| coding.is_empty() || coding.eq_ignore_ascii_case(b"identity");
    !request.body.is_empty() && codings.any(|coding| !is_plain(coding.trim_ascii()))
}

/// A refusal as RFC 6750 section 3.1 has it: no error code for whoever showed no credential.
fn unauthorized(token: &Token) -> Reply {
    let why = token.refusal.unwrap_or_default();
    let challenge = if token.is_absent() { "Bearer" } else { "Bearer error=\"invalid_token\"" };
    let reply = Reply::error(401, "unauthorized", why).with_header("www-authenticate", challenge);
    if token.is_of_the_other { reply.denied(Denied::Environment) } else { reply }
}

fn missing_scope(scope: &str) -> Reply {
    let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
    Reply::error(403, "missing_scope", &format!("this key lacks the scope {scope}"))
        .with_header("www-authenticate", &challenge)
        .denied(Denied::Scope)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::SCOPES;
    use std::collections::BTreeSet;

    #[test]
    fn the_contracts_scopes_are_those_that_its_routes_ask_for() {
        let asked: BTreeSet<_> = all().iter().filter_map(|(route, _)| route.scope()).collect();
        assert_eq!(asked, SCOPES.iter().copied().collect());
    }
}
