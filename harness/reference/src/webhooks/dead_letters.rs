//! Deliveries that could not be processed: a file with a line of JSON for each, on disk before the answer.
//!
//! Whoever has mended what was wrong reads it, and has each payload processed again.

use super::policy::WebhookPolicy;
use crate::clock;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::{Arc, Mutex},
};

/// The file in the data folder.
pub const FAILED_WEBHOOKS: &str = "failed-webhooks.jsonl";

/// A delivery that could not be processed.
pub struct DeadLetter {
    /// Its id.
    pub id: String,
    /// Why not.
    pub reason: &'static str,
    /// What it said.
    pub payload: Vec<u8>,
}

impl DeadLetter {
    /// As a line, with the payload as text where it is one.
    fn line(&self) -> Vec<u8> {
        let mut line = json!({
            "id": self.id,
            "kept_unix_ms": clock::wall_ms(),
            "reason": self.reason,
        });
        match std::str::from_utf8(&self.payload) {
            Ok(text) => line["payload"] = text.into(),
            Err(_) => line["payload_base64"] = STANDARD.encode(&self.payload).into(),
        }
        format!("{line}\n").into_bytes()
    }
}

/// The file.
#[derive(Clone)]
pub struct DeadLetters(Arc<Mutex<File>>);

impl DeadLetters {
    /// Opens or creates the file in `folder`, for its owner alone.
    ///
    /// # Errors
    /// When the folder or the file cannot be used.
    pub fn open(folder: &Path, policy: WebhookPolicy) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut options = OpenOptions::new();
        options.create(true).read(true).append(true).mode(0o600);
        let mut file = options.open(folder.join(FAILED_WEBHOOKS))?;
        if !policy.keeps_earlier {
            file.set_len(0)?;
        }
        if !ends_a_line(&mut file)? {
            // A process that died while it wrote has left half a line.
            file.write_all(b"\n")?;
        }
        Ok(Self(Arc::new(Mutex::new(file))))
    }

    /// Keeps one; when this returns, it is on disk.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn keep(&self, letter: DeadLetter) -> io::Result<()> {
        let file = self.0.clone();
        let written = tokio::task::spawn_blocking(move || {
            let mut file = file.lock().unwrap();
            file.write_all(&letter.line())?;
            file.sync_data()
        });
        written.await.map_err(io::Error::other)?
    }
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_kept_survives_and_half_a_line_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FAILED_WEBHOOKS);
        let open = || DeadLetters::open(folder.path(), WebhookPolicy::default()).unwrap();
        let letter = |payload: &[u8]| DeadLetter {
            id: "msg_1".into(),
            reason: "it is no JSON",
            payload: payload.to_vec(),
        };
        open().keep(letter(b"one \"two\"")).await.unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], b"{\"id\":"].concat()).unwrap();
        open().keep(letter(b"\xff")).await.unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let read = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
        assert_eq!(read(lines[0])["payload"], "one \"two\"");
        assert_eq!(read(lines[2])["payload_base64"], "/w==");
        assert_eq!(lines.len(), 3);
    }
}
