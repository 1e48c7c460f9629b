//! What the process of a scenario says beside its work, line by line, into `harness.log`.

use crate::kept::Kept;
use std::fs::File;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::task::JoinHandle;

/// A longer line is several, bytes: one whose bytes are no text is three times as long when it is kept.
const LINE: u64 = 32 << 10;

/// Keeps all that comes, to its end.
pub fn keep(file: File, from: impl AsyncRead + Unpin + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(async move {
        let (mut kept, mut from, mut line) = (Kept::new(file), BufReader::new(from), Vec::new());
        while let Ok(1..) = (&mut from).take(LINE).read_until(b'\n', &mut line).await {
            if !line.ends_with(b"\n") {
                line.push(b'\n');
            }
            kept.line(String::from_utf8_lossy(&line).into_owned());
            line.clear();
        }
        kept.end();
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn kept(said: Vec<u8>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("harness.log");
        keep(File::create(&path).unwrap(), std::io::Cursor::new(said)).await.unwrap();
        std::fs::read_to_string(path).unwrap()
    }

    #[tokio::test]
    async fn every_line_is_kept_and_an_endless_one_is_several() {
        assert_eq!(kept(b"one\n\nlast \xff".into()).await, "one\n\nlast \u{fffd}\n");
        let lines = kept(vec![0xff; (LINE + 3) as usize]).await;
        let lengths: Vec<_> = lines.lines().map(|line| line.chars().count() as u64).collect();
        assert_eq!(lengths, [LINE, 3]);
    }

    #[tokio::test]
    async fn of_a_flood_the_beginning_and_the_end_are_kept() {
        let said: String = (0..30_000).map(|number| format!("{number:>1023}\n")).collect();
        let text = kept(said.into_bytes()).await;
        assert!(text.len() < 17 << 20, "{} bytes", text.len());
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        assert_eq!((lines[0], *lines.last().unwrap()), ("0", "29999"));
        let told = lines.iter().filter(|line| line.contains(" lines left out here")).count();
        assert_eq!(told, 1);
    }
}
