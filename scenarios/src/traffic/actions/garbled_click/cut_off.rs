//! A body that breaks off before its declared end, as when somebody walks into a tunnel.

use bytes::Bytes;
use http_body::{Body, Frame};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Sleep;

/// So long that what was written is on its way before the connection is closed.
const LINGERS: Duration = Duration::from_millis(20);

/// Sends its beginning, and then breaks the connection.
pub struct CutOff {
    beginning: Option<Bytes>,
    end: Option<Pin<Box<Sleep>>>,
}

impl CutOff {
    /// Breaks off after these bytes.
    pub fn after(beginning: Vec<u8>) -> Self {
        Self { beginning: Some(beginning.into()), end: None }
    }
}

impl Body for CutOff {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(beginning) = self.beginning.take() {
            return Poll::Ready(Some(Ok(Frame::data(beginning))));
        }
        let end = self.end.get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGERS)));
        ready!(end.as_mut().poll(context));
        Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::CONTENT_LENGTH;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn the_beginning_arrives_and_the_end_never_does() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let body = reqwest::Body::wrap(CutOff::after(b"begin".into()));
        let request = reqwest::Client::new().post(url).header(CONTENT_LENGTH, 9).body(body);
        let sent = tokio::spawn(request.send());
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut heard = Vec::new();
        // It ends by a reset or without one, but it ends.
        let _ = socket.read_to_end(&mut heard).await;
        let heard = String::from_utf8(heard).unwrap();
        assert!(heard.contains("content-length: 9\r\n") && heard.ends_with("\r\nbegin"), "{heard}");
        assert!(sent.await.unwrap().is_err());
    }
}
