//! One exchange with Linktree: builds the request, reads the whole answer within its time limit.

use super::{KeyPlacement, TimeoutKind, Upstream};
use crate::{
    clock,
    linktree::{Answer, Call, Failure, Route},
    secrets::Secrets,
};
use reqwest::{Response, Url, header};
use std::{future::Future, time::Duration};

/// No answer of the contract comes near this size.
const MAX_BODY: usize = 8 << 20;

impl Upstream {
    pub(super) async fn exchange(&self, call: &Call, secrets: &Secrets) -> Result<Answer, Failure> {
        let configured = match call.route {
            Route::Analytics => self.analytics_limit,
            _ => self.retry.attempt_timeout,
        };
        let left = call.deadline.map_or(Duration::MAX, |deadline| deadline - clock::now());
        let limit = (self.policy.time_limit)(call.route, configured).min(left);
        match (self.policy.timeout)(call.route) {
            TimeoutKind::Total => {
                within(Some(limit), self.send_and_read(call, secrets, [None; 2])).await
            }
            TimeoutKind::Head => self.send_and_read(call, secrets, [Some(limit), None]).await,
            TimeoutKind::Silence => self.send_and_read(call, secrets, [Some(limit); 2]).await,
            TimeoutKind::None => self.send_and_read(call, secrets, [None; 2]).await,
        }
    }

    /// With limits of their own for the head, and for each silence in the body.
    async fn send_and_read(
        &self,
        call: &Call,
        secrets: &Secrets,
        [head, silence]: [Option<Duration>; 2],
    ) -> Result<Answer, Failure> {
        let request = self.build(call, secrets)?;
        (self.log.attempt_begins)(&request);
        let sent = clock::now();
        let broken = |_| Failure::Connection;
        let mut response =
            within(head, async { self.http.execute(request).await.map_err(broken) }).await?;
        let head_after = sent.elapsed();
        self.obey_retry_after(&response);
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        loop {
            let chunk = within(silence, async { response.chunk().await.map_err(broken) }).await?;
            let Some(chunk) = chunk else { break };
            if body.len() + chunk.len() > MAX_BODY {
                return Err(Failure::Malformed);
            }
            body.extend_from_slice(&chunk);
        }
        match status {
            200..=299 | 304 => Ok(Answer { status, headers, body, head_after }),
            _ => Err(Failure::Status(status)),
        }
    }

    /// Closes the gate as soon as the head is there, for all calls: the token is throttled, not
    /// the route.
    fn obey_retry_after(&self, response: &Response) {
        let policy = &self.policy.retry_after;
        if !(policy.honours)(response.status().as_u16()) {
            return;
        }
        if let Some(delay) = policy.delay(response.headers(), clock::wall()) {
            let delay = delay.min(self.retry.retry_after_max) + self.retry.retry_after_margin;
            self.gate.close_until(clock::now() + delay);
        }
    }

    fn build(&self, call: &Call, secrets: &Secrets) -> Result<reqwest::Request, Failure> {
        let shape = &self.policy.shape;
        let key = (shape.key)(call.route);
        let mut url = Url::parse(&format!("{}{}{}", self.base, call.prefix, call.path))
            .map_err(|_| Failure::Malformed)?;
        for (name, value) in &call.query {
            url.query_pairs_mut().append_pair(name, value);
        }
        if key == KeyPlacement::HeaderAndQuery {
            url.query_pairs_mut().append_pair("api_key", &secrets.api_key);
        }
        let mut request = self.http.request(call.route.method(), url).bearer_auth(&secrets.api_key);
        if key == KeyPlacement::TwoHeaders {
            request = request.header("X-Api-Key", &secrets.api_key);
        }
        if (shape.accept)(call.route) {
            request = request.header(header::ACCEPT, "application/json");
        }
        if let Some(etag) = &call.if_none_match {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        if let Some(key) = &call.idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = &call.body {
            if (shape.content_type)(call.route) {
                request = request.header(header::CONTENT_TYPE, "application/json");
            }
            request = request.body(body.clone());
        }
        request.build().map_err(|_| Failure::Malformed)
    }
}

async fn within<T>(
    limit: Option<Duration>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, work).await.unwrap_or(Err(Failure::Timeout)),
        None => work.await,
    }
}
