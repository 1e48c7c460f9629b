//! Looks whether the target is ready, and says what came instead.

use crate::storm::observe::search::Search;
use reqwest::Client;
use reqwest::header::LOCATION;
use std::error::Error;
use std::time::Duration;

/// How long one look at the readiness route may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// As many characters of a body tell a person which page it is.
const FIRST_CHARS: usize = 80;
/// Looks once.
///
/// # Errors
///
/// What came instead of a 2xx, without what was planted.
pub async fn look(client: &Client, url: &str, search: &Search) -> Result<(), String> {
    let mut answer = match client.get(url).timeout(PATIENCE).send().await {
        Ok(answer) if answer.status().is_success() => return Ok(()),
        Ok(answer) => answer,
        Err(error) if error.is_timeout() => {
            return Err(format!("no answer within {} s", PATIENCE.as_secs()));
        }
        Err(error) => return Err(cause(&error)),
    };
    let mut told = format!("it answered {}", answer.status());
    // Nothing planted is cut in two before it is taken out.
    let start = |bytes: &[u8]| -> String {
        let text = String::from_utf8_lossy(bytes);
        search.redacted(text.trim()).chars().take(FIRST_CHARS).collect()
    };
    if let Some(to) = answer.headers().get(LOCATION) {
        told.push_str(&format!(" to {}", start(to.as_bytes())));
    }
    let body = answer.chunk().await.ok().flatten().unwrap_or_default();
    let begins = start(&body);
    if !begins.is_empty() {
        told.push_str(&format!(", and its body begins {begins:?}"));
    }
    Err(told)
}

/// The innermost reason, such as `Connection refused (os error 111)`.
pub fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::super::client;
    use super::*;
    use crate::storm::observe::canaries::{Canaries, Credentials};
    use crate::storm::recorder::Recorder;
    use mock_server::clock::Clock;
    use mock_server::world::population::Population;
    use std::sync::Arc;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// What is said of a target that gives this answer; none gives none at all.
    async fn check(answer: Option<&'static str>, expected: Result<(), &str>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/healthz", listener.local_addr().unwrap());
        // Without an answer the listener is dropped here, and its port refuses.
        let server = answer.map(move |answer| {
            tokio::spawn(async move {
                let (mut asking, _) = listener.accept().await.unwrap();
                assert!(asking.read(&mut [0; 1_024]).await.unwrap() > 0);
                asking.write_all(format!("HTTP/1.1 {answer}").as_bytes()).await.unwrap();
            })
        });
        let folder = tempfile::tempdir().unwrap();
        let (recorder, _) = Recorder::create(&folder.path().join("history")).unwrap();
        let credentials =
            Credentials { linktree: vec![], vault_token: "hunter2-hunter2", session: "" };
        let canaries = Canaries::of(&credentials, &Population::default(), 7);
        let search = Search::new(Arc::new(canaries), &recorder, Clock::start());
        let seen = look(&client().unwrap(), &url, &search).await;
        assert_eq!(seen, expected.map_err(str::to_owned));
        if let Some(server) = server {
            server.await.unwrap();
        }
    }

    #[tokio::test]
    async fn it_is_said_what_came_instead_of_readiness() {
        check(Some("204 No Content\r\n\r\n"), Ok(())).await;
        check(
            Some("301 Moved Permanently\r\nlocation: https://localhost/up\r\ncontent-length: 0\r\n\r\n"),
            Err("it answered 301 Moved Permanently to https://localhost/up"),
        )
        .await;
        check(
            Some("503 Service Unavailable\r\ncontent-length: 25\r\n\r\nno pool: hunter2-hunter2!"),
            Err("it answered 503 Service Unavailable, and its body begins \"no pool: [secret]!\""),
        )
        .await;
        check(None, Err("Connection refused (os error 111)")).await;
    }

    /// Proves for whatever is asked of a target that nobody else is: neither another host nor another
    /// port, whatever the method.
    #[tokio::test]
    async fn a_redirect_to_somewhere_else_is_the_answer() {
        let elsewhere = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let away = format!("http://{}/taken", elsewhere.local_addr().unwrap());
        for (status, post) in [(302, false), (308, false), (307, true)] {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            let url = format!("http://{}/", listener.local_addr().unwrap());
            let answer =
                format!("HTTP/1.1 {status} x\r\nlocation: {away}\r\ncontent-length: 0\r\n\r\n");
            let server = tokio::spawn(async move {
                let (mut asking, _) = listener.accept().await.unwrap();
                assert!(asking.read(&mut [0; 1_024]).await.unwrap() > 0);
                asking.write_all(answer.as_bytes()).await.unwrap();
            });
            let client = client().unwrap();
            let asked = if post { client.post(url) } else { client.get(url) };
            assert_eq!(asked.send().await.unwrap().status(), status);
            server.await.unwrap();
        }
        let nobody = tokio::time::timeout(Duration::from_millis(50), elsewhere.accept()).await;
        assert!(nobody.is_err(), "somebody else was asked");
    }
}
