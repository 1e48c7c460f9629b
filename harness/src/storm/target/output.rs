//! What the integration prints: line by line, with its time, searched and without what was planted,
//! into `target.log`, which any terminal can show.

use crate::kept::Kept;
use crate::storm::observe::pieces::{Pieces, lines};
use crate::storm::observe::search::{Search, Spot};
use crate::storm::observe::torn::Torn;
use mock_server::clock::Clock;
use reports::text::{clean, without_styles};
use scenarios::observed::Place;
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::JoinHandle;

/// As much of a stream as is read at once.
const READ: usize = 64 * 1024;

/// Where lines go; clones write into the same file.
#[derive(Clone)]
pub struct Output {
    kept: Arc<Mutex<Kept<File>>>,
    clock: Clock,
    search: Arc<Search>,
}

impl Output {
    /// Lines go to the end of `file` as long as there is room, without what `search` finds in them; what
    /// is left out has been searched like the rest.
    #[must_use]
    pub fn new(file: File, clock: Clock, search: Arc<Search>) -> Self {
        Self { kept: Arc::new(Mutex::new(Kept::new(file))), clock, search }
    }

    /// The target has ended: what it said last is written, whatever came before.
    pub fn end(&self) {
        self.kept().end();
    }

    fn kept(&self) -> MutexGuard<'_, Kept<File>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a stream to its end.
    pub fn follow(
        &self,
        stream: &'static str,
        mut from: impl AsyncRead + Unpin + Send + 'static,
    ) -> JoinHandle<()> {
        let output = self.clone();
        tokio::spawn(async move {
            let (mut pieces, mut bytes, mut number) = (Pieces::default(), vec![0; READ], 0);
            let mut torn = Torn::default();
            let mut line = |line: &[u8]| {
                output.line(line, &mut torn, stream, number + 1);
                number += lines(line);
            };
            loop {
                match from.read(&mut bytes).await {
                    Ok(0) => break,
                    Ok(count) => pieces.push(&bytes[..count], &output.search, &mut line),
                    Err(error) => {
                        let what = format!("{stream} could not be read to its end: {error}");
                        output.search.unseen(Place::Log, what);
                        break;
                    }
                }
            }
            pieces.finish(&output.search, &mut line);
        })
    }

    fn line(&self, bytes: &[u8], torn: &mut Torn, stream: &str, number: u64) {
        let text = String::from_utf8_lossy(bytes);
        // Colours first: what stands in pieces between them would be whole without them.
        let text = without_styles(text.trim_end_matches(['\r', '\n']));
        let spot = || Spot(stream.into(), format!("line {number}"));
        let shown = clean(&self.search.log_line(&text, torn, spot));
        // Several are searched together where one goes on in the next.
        for line in shown.split('\n') {
            self.kept().line(format!("{} {line}\n", self.clock.now()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storm::observe::canaries::{Canaries, Credentials};
    use crate::storm::observe::pieces::LINE;
    use crate::storm::recorder::Recorder;
    use mock_server::world::population::Population;

    async fn written(bytes: &'static [u8]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("target.log");
        let file = File::create(&path).unwrap();
        let (recorder, _) = Recorder::create(&folder.path().join("history")).unwrap();
        let session = "session-0123456789-abcdefghij";
        let credentials = Credentials { linktree: vec![], vault_token: "hunter2-hunter2", session };
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
    async fn no_line_moves_the_cursor_or_hides_another() {
        let colours = "\u{1b}[32minfo\u{1b}[0m \u{1b}[2Jgone\rover\u{202e}\u{200b}\u{7}\n";
        assert_eq!(written(colours.as_bytes()).await, ["info ?[2Jgone over\u{fffd}\u{fffd}?"]);
        let pieces = written(b"hunter2-\x1b[31mhunter2!").await;
        assert_eq!(pieces, ["[secret]!"]);
    }

    #[tokio::test]
    async fn an_endless_line_is_cut() {
        static LONG: [u8; LINE + 10] = [b'x'; LINE + 10];
        let lines = written(&LONG).await;
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [LINE, 10]);
    }

    #[tokio::test]
    async fn a_secret_across_the_cut_of_a_line_is_taken_out_whole() {
        let long = format!("{}hunter2-hunter2!", "x".repeat(LINE - 5));
        let lines = written(long.leak().as_bytes()).await;
        assert!(lines[0].ends_with("xx[secret]"), "beside what stands before it");
        assert_eq!((lines[0].len(), &lines[1..]), (LINE - 5 + 8, &["!".to_owned()][..]));
    }

    #[tokio::test]
    async fn a_secret_in_two_writes_between_which_another_one_came_is_taken_out_whole() {
        let torn =
            b"s=session-\x1b[31m0123456789{\"level\":30}\nGET /\n-abcdefghij ok\n-abcdefghij\n";
        let lines = written(torn).await;
        assert_eq!(lines, ["s=[secret]…{\"level\":30}", "GET /", "…[secret] ok", "-abcdefghij"]);
    }

    #[tokio::test]
    async fn a_secret_in_two_lines_of_a_mail_is_taken_out_whole() {
        let mail = b"Subject: x\r\n\r\nyour token is hunter2-=\r\nhunter2=2C and we =\nare\n";
        let lines = written(mail).await;
        assert_eq!(lines, ["Subject: x", "", "your token is [secret]=2C and we =", "are"]);
    }
}
