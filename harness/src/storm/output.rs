//! What the integration prints: line by line, with its time, without secrets, into `target.log`.

use mock_server::clock::Clock;
use std::fs::File;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::task::JoinHandle;

/// A longer line is written in pieces.
const LINE: usize = 64 * 1024;

/// Where lines go; clones write into the same file.
#[derive(Clone)]
pub struct Output {
    file: Arc<Mutex<File>>,
    clock: Clock,
    secrets: Arc<Vec<String>>,
}

impl Output {
    /// Lines go to the end of `file`; each of `secrets` is written as `[secret]`.
    #[must_use]
    pub fn new(file: File, clock: Clock, secrets: Vec<String>) -> Self {
        let secrets = secrets.into_iter().filter(|secret| !secret.is_empty()).collect();
        Self { file: Arc::new(Mutex::new(file)), clock, secrets: Arc::new(secrets) }
    }

    /// Reads a stream to its end.
    pub fn follow(&self, from: impl AsyncRead + Unpin + Send + 'static) -> JoinHandle<()> {
        let output = self.clone();
        tokio::spawn(async move {
            let mut from = BufReader::with_capacity(LINE, from);
            let mut line = Vec::new();
            loop {
                line.clear();
                match read_line(&mut from, &mut line).await {
                    Ok(true) => output.line(&line),
                    Ok(false) | Err(_) => return,
                }
            }
        })
    }

    fn line(&self, bytes: &[u8]) {
        let mut text = String::from_utf8_lossy(bytes).trim_end_matches(['\r', '\n']).to_owned();
        for secret in self.secrets.iter() {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), "[secret]");
            }
        }
        let at = self.clock.now();
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk shows in the history, which is written to the same place.
        let _ = writeln!(file, "{at} {text}");
    }
}

/// One line, or as much of it as [`LINE`] holds; false at the end.
async fn read_line(
    from: &mut (impl AsyncBufReadExt + Unpin),
    line: &mut Vec<u8>,
) -> std::io::Result<bool> {
    loop {
        let bytes = from.fill_buf().await?;
        if bytes.is_empty() {
            return Ok(!line.is_empty());
        }
        let end = bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        let take = end.unwrap_or(bytes.len()).min(LINE);
        line.extend_from_slice(&bytes[..take]);
        from.consume(take);
        if end.is_some() || line.len() >= LINE {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn written(bytes: &'static [u8]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("target.log");
        let file = File::create(&path).unwrap();
        let output = Output::new(file, Clock::start(), vec!["hunter2".into(), String::new()]);
        output.follow(bytes).await.unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let without_time = |line: &str| line.split_once(" s ").unwrap().1.to_owned();
        text.lines().map(without_time).collect()
    }

    #[tokio::test]
    async fn lines_are_kept_and_secrets_are_not() {
        assert_eq!(
            written(b"one\r\nkey=hunter2!\n\nlast \xff").await,
            ["one", "key=[secret]!", "", "last \u{fffd}"]
        );
    }

    #[tokio::test]
    async fn an_endless_line_is_cut() {
        static LONG: [u8; LINE + 10] = [b'x'; LINE + 10];
        let lines = written(&LONG).await;
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [LINE, 10]);
    }
}
