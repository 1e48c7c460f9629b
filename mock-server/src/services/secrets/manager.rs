//! What all secrets managers do alike: a request is understood, the plan decides whether it fails, and it is
//! recorded, whatever becomes of it.

use crate::clock::Moment;
use crate::contract::SecretsManager;
use crate::faults::{Effect, FaultKind, FaultMark, RequestView};
use crate::history::record::{Record, SecretRead};
use crate::keyring::{Environment, Ring, Standing, Version};
use crate::services::ServiceContext;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::time::Duration;

/// What a client may write into the record, such as a path, is cut off after so many characters.
const KEPT: usize = 256;

/// The largest body, bytes.
const MAX_BODY: usize = 1024 * 1024;

/// No client waits so long for an answer; its place is free again then.
const SILENCE: Duration = Duration::from_secs(120);

/// How one secrets manager is asked, and how it answers.
pub(super) trait Manager: Sized + 'static {
    /// Which one it is.
    const NAME: SecretsManager;

    /// Understands who asks for what, before anything is decided.
    fn read(context: &ServiceContext, at: Moment, parts: &Parts, body: &[u8]) -> Asked;

    /// The answer.
    fn answer(call: &Call<'_>, body: &[u8]) -> Answer;

    /// The answer to a body that is too large or broke off.
    fn too_large(call: &Call<'_>) -> Answer;

    /// What it says where the plan lets it fail with this status: the nearest that the real one has.
    fn failing(call: &Call<'_>, status: StatusCode) -> Answer;
}

/// A request, understood as far as the record and the plan need it.
pub(super) struct Asked {
    /// The method, or what stands for it.
    pub method: String,
    /// The path, or what stands for it.
    pub path: String,
    /// What faults know it by: the path at which the vault has the same, below `/v1/`.
    pub key: String,
    pub namespace: Option<String>,
    /// What it shows to be let in.
    pub token: Option<String>,
    /// What that is worth; none where nothing is shown, or nobody looked.
    pub standing: Option<Standing>,
    /// What the record calls that.
    pub label: &'static str,
}

/// A request that is to be answered.
pub(super) struct Call<'c> {
    pub context: &'c ServiceContext,
    pub at: Moment,
    pub parts: &'c Parts,
    pub asked: &'c Asked,
    /// Whether the version before the newest is still handed out as the newest.
    pub stale: bool,
}

impl Call<'_> {
    /// The version that is handed out as the newest of an environment's secret.
    pub fn newest<'r>(&self, ring: &'r Ring, of: Environment) -> Option<&'r Version> {
        self.newest_first(ring, of).next()
    }

    /// All versions as they are to be seen, newest first.
    pub fn newest_first<'r>(
        &self,
        ring: &'r Ring,
        of: Environment,
    ) -> impl Iterator<Item = &'r Version> + use<'r> {
        let all = ring.versions(of);
        let seen = if self.stale && all.len() > 1 { &all[..all.len() - 1] } else { all };
        seen.iter().rev()
    }

    pub fn seed(&self) -> u64 {
        self.context.shared.world.seed
    }
}

/// An answer, and what of it is recorded.
pub(super) struct Answer {
    pub response: Response,
    /// The version of the secret that it hands out.
    pub version: Option<u64>,
}

impl Answer {
    /// One in which no version is handed out.
    pub fn plain(response: impl IntoResponse) -> Self {
        Self { response: response.into_response(), version: None }
    }
}

/// What the plan lets go wrong about one request.
struct Fate {
    /// No answer at all.
    silent: bool,
    /// An error in place of the answer.
    status: Option<StatusCode>,
    late: Duration,
    stale: bool,
    marks: Vec<FaultMark>,
}

/// The routes of a manager: any request, each of which is recorded.
pub(super) fn router<M: Manager>(context: Arc<ServiceContext>) -> Router {
    Router::new().fallback(answered::<M>).with_state(context)
}

async fn answered<M: Manager>(
    State(context): State<Arc<ServiceContext>>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_BODY).await;
    let at = context.clock.now();
    let asked = M::read(&context, at, &parts, body.as_deref().unwrap_or_default());
    let fate = fate(&context, &parts, &asked, at);
    let call = Call { context: &context, at, parts: &parts, asked: &asked, stale: fate.stale };
    if fate.silent {
        record(&call, M::NAME, 0, None, &fate.marks);
        tokio::time::sleep(SILENCE).await;
        return M::failing(&call, StatusCode::SERVICE_UNAVAILABLE).response;
    }
    if !fate.late.is_zero() {
        let mut waiting =
            Waiting { call: &call, manager: M::NAME, marks: &fate.marks, over: false };
        tokio::time::sleep(fate.late).await;
        waiting.over = true;
    }
    let Answer { response, version } = match (fate.status, &body) {
        (Some(status), _) => M::failing(&call, status),
        (None, Ok(body)) => M::answer(&call, body),
        (None, Err(_)) => M::too_large(&call),
    };
    record(&call, M::NAME, response.status().as_u16(), version, &fate.marks);
    response
}

/// Whoever waits for a late answer may give up, and its request is dropped: it is recorded then, without an
/// answer.
struct Waiting<'c> {
    call: &'c Call<'c>,
    manager: SecretsManager,
    marks: &'c [FaultMark],
    over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.over {
            record(self.call, self.manager, 0, None, self.marks);
        }
    }
}

fn fate(context: &ServiceContext, parts: &Parts, asked: &Asked, at: Moment) -> Fate {
    let view = RequestView::vault(parts.method.as_str(), &asked.key);
    let armed = context.shared.world.ms_since_armed(at);
    let decision = context.shared.engine.decide(&view, armed);
    let unknown = StatusCode::INTERNAL_SERVER_ERROR;
    let status = match decision.effect {
        Effect::Answer { status, .. } => Some(StatusCode::from_u16(status).unwrap_or(unknown)),
        _ => None,
    };
    let is_stale = |mark: &FaultMark| mark.kind == FaultKind::VaultStale;
    Fate {
        silent: matches!(decision.effect, Effect::Stall { .. }),
        status,
        late: Duration::from_micros(decision.delay_us),
        stale: decision.marks.iter().any(is_stale),
        marks: decision.marks,
    }
}

fn record(
    call: &Call<'_>,
    manager: SecretsManager,
    status: u16,
    version: Option<u64>,
    marks: &[FaultMark],
) {
    let (context, asked) = (call.context, call.asked);
    let ring = context.keys().ring();
    let clean = |text: &str| ring.scanner().redacted(text).chars().take(KEPT).collect::<String>();
    let marked = |mark: &FaultMark| FaultMark { key: clean(&mark.key), ..mark.clone() };
    context.recorder.record(Record::SecretRead(SecretRead {
        at: call.at,
        manager,
        method: clean(&asked.method),
        path: clean(&asked.path),
        namespace: asked.namespace.as_deref().map(clean),
        token: asked.label.to_owned(),
        status,
        version,
        faults: marks.iter().map(marked).collect(),
    }));
}
