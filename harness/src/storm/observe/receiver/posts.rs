//! Metrics that are posted: OTLP and CloudWatch, answered as those answer.

use super::Heard;
use crate::metrics::{Channel, cloudwatch, otlp};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;
use std::borrow::Cow;
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The largest body, packed or not.
const LARGEST: usize = 8 << 20;

/// A server that listens until this is dropped.
pub(super) struct Listening(JoinHandle<()>);

pub(super) async fn listen(
    address: (IpAddr, u16),
    heard: Arc<Heard>,
) -> io::Result<(u16, Listening)> {
    let listener = TcpListener::bind(address).await?;
    let port = listener.local_addr()?.port();
    let router = Router::new().fallback(receive).with_state(heard);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = async move {
        // It ends only with the runtime, or when it is aborted.
        let _ = axum::serve(listener, service).await;
    };
    Ok((port, Listening(tokio::spawn(serving))))
}

impl Listening {
    /// Whoever posts hears whether it was taken.
    #[allow(clippy::unused_self)] // the other kind of listening has something to say here
    pub const fn lost(&self) -> u64 {
        0
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn receive(
    State(heard): State<Arc<Heard>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    if !heard.listen.admits(from.ip()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST).await else {
        return malformed(&heard, StatusCode::PAYLOAD_TOO_LARGE);
    };
    let Some(body) = unpacked(&head.headers, &body) else {
        return malformed(&heard, StatusCode::BAD_REQUEST);
    };
    heard.search.pushed(&body, heard.channel.name());
    let is_otlp = heard.channel == Channel::Otlp;
    match (&head.method, head.uri.path()) {
        (&Method::POST, "/v1/metrics") if is_otlp => export(&heard, &head.headers, &body),
        (&Method::POST, "/") if !is_otlp => put(&heard, &head.headers, &body),
        _ => {
            // Traces and logs, for one, which are none of ours.
            let mut series = heard.series();
            series.pushed.messages += 1;
            series.pushed.ignored += 1;
            StatusCode::NOT_FOUND.into_response()
        }
    }
}

fn malformed(heard: &Heard, status: StatusCode) -> Response {
    let mut series = heard.series();
    series.pushed.messages += 1;
    series.pushed.malformed += 1;
    status.into_response()
}

/// The body as it was before it was packed; none where that fails, or takes too much room.
fn unpacked<'b>(headers: &HeaderMap, body: &'b Bytes) -> Option<Cow<'b, [u8]>> {
    match headers.get(header::CONTENT_ENCODING).map(|name| name.as_bytes()) {
        None | Some(b"identity" | b"") => Some(Cow::Borrowed(body)),
        Some(name) if name.eq_ignore_ascii_case(b"gzip") => {
            let mut whole = Vec::new();
            let most = LARGEST as u64 + 1;
            GzDecoder::new(&body[..]).take(most).read_to_end(&mut whole).ok()?;
            (whole.len() <= LARGEST).then_some(Cow::Owned(whole))
        }
        Some(_) => None,
    }
}

/// The kind of the body, without what it says of itself.
fn kind(headers: &HeaderMap) -> String {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn export(heard: &Heard, headers: &HeaderMap, body: &[u8]) -> Response {
    let (form, kind, answer) = match kind(headers).as_str() {
        "application/json" => (otlp::Form::Json, "application/json", "{}"),
        "application/x-protobuf" => (otlp::Form::Protobuf, "application/x-protobuf", ""),
        _ => return malformed(heard, StatusCode::UNSUPPORTED_MEDIA_TYPE),
    };
    let now = heard.clock.now();
    if otlp::take(body, form, now, &mut heard.series()) {
        ([(header::CONTENT_TYPE, kind)], answer).into_response()
    } else {
        StatusCode::BAD_REQUEST.into_response()
    }
}

const AMZ_JSON: &str = "application/x-amz-json-1.0";

fn put(heard: &Heard, headers: &HeaderMap, body: &[u8]) -> Response {
    let target = headers.get("x-amz-target").map(|target| target.as_bytes());
    let form = match kind(headers).as_str() {
        "application/x-www-form-urlencoded" => cloudwatch::Form::Query,
        AMZ_JSON if target == Some(b"GraniteServiceVersion20100801.PutMetricData") => {
            cloudwatch::Form::Json
        }
        _ => return malformed(heard, StatusCode::BAD_REQUEST),
    };
    let now = heard.clock.now();
    let is_taken = cloudwatch::take(body, form, now, &mut heard.series());
    let (status, kind, answer) = match (form, is_taken) {
        (cloudwatch::Form::Json, true) => (StatusCode::OK, AMZ_JSON, "{}"),
        (cloudwatch::Form::Json, false) => (StatusCode::BAD_REQUEST, AMZ_JSON, REFUSED_JSON),
        (cloudwatch::Form::Query, true) => (StatusCode::OK, "text/xml", TAKEN_XML),
        (cloudwatch::Form::Query, false) => (StatusCode::BAD_REQUEST, "text/xml", REFUSED_XML),
    };
    (status, [(header::CONTENT_TYPE, kind)], answer).into_response()
}

const REFUSED_JSON: &str = r#"{"__type":"com.amazonaws.cloudwatch.v2010_08_01#InvalidParameterValueException","message":"the metric data cannot be read"}"#;
const TAKEN_XML: &str = r#"<PutMetricDataResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><ResponseMetadata><RequestId>windthrow</RequestId></ResponseMetadata></PutMetricDataResponse>"#;
const REFUSED_XML: &str = r#"<ErrorResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><Error><Type>Sender</Type><Code>InvalidParameterValue</Code><Message>the metric data cannot be read</Message></Error><RequestId>windthrow</RequestId></ErrorResponse>"#;
