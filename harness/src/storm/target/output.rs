//! What the integration prints: line by line, with its time, searched and without what was planted,
//! into `target.log`.

use crate::storm::observe::search::{Search, Spot};
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
    search: Arc<Search>,
}

impl Output {
    /// Lines go to the end of `file`, without what `search` finds in them.
    #[must_use]
    pub fn new(file: File, clock: Clock, search: Arc<Search>) -> Self {
        Self { file: Arc::new(Mutex::new(file)), clock, search }
    }

    /// Reads a stream to its end.
    pub fn follow(
        &self,
        stream: &'static str,
        from: impl AsyncRead + Unpin + Send + 'static,
    ) -> JoinHandle<()> {
        let output = self.clone();
        tokio::spawn(async move {
            let mut from = BufReader::with_capacity(LINE, from);
            let mut line = Vec::new();
            for number in 1.. {
                line.clear();
                match read_line(&mut from, &mut line).await {
                    Ok(true) => output.line(&line, stream, number),
                    Ok(false) | Err(_) => return,
                }
            }
        })
    }

    fn line(&self, bytes: &[u8], stream: &str, number: u64) {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_end_matches(['\r', '\n']);
        let clean = self.search.log_line(text, || Spot(stream.into(), format!("line {number}")));
        let at = self.clock.now();
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk shows in the history, which is written to the same place.
        let _ = writeln!(file, "{at} {clean}");
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
    use crate::storm::observe::canaries::{Canaries, Credentials};
    use crate::storm::recorder::Recorder;
    use mock_server::world::population::Population;

    async fn written(bytes: &'static [u8]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("target.log");
        let file = File::create(&path).unwrap();
        let (recorder, _) = Recorder::create(&folder.path().join("history")).unwrap();
        let credentials =
            Credentials { linktree: vec![], vault_token: "hunter2-hunter2", session: "" };
        let canaries = Canaries::of(&credentials, &Population::default(), 7);
        let search = Search::new(Arc::new(canaries), &recorder, Clock::start());
        let output = Output::new(file, Clock::start(), Arc::new(search));
        output.follow("stdout", bytes).await.unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let without_time = |line: &str| line.split_once(" s ").unwrap().1.to_owned();
        text.lines().map(without_time).collect()
    }

    #[tokio::test]
    async fn lines_are_kept_and_secrets_are_not() {
        assert_eq!(
            written(b"one\r\nkey=hunter2-hunter2!\n\nlast \xff").await,
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
