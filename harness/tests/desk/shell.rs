//! A shell in which `windthrow` is the real binary, for command lines as they are printed.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A service that does not come up: its runs are over at once, and everything else of them is there.
pub const SERVICE: &str = "[target.spawn]\ncommand = [\"sh\", \"-c\", \"exit 3\"]\n";

/// A folder in which `windthrow` is this binary.
pub struct Desk {
    all: TempDir,
    pub folder: PathBuf,
}

pub struct Said {
    pub line: String,
    pub text: String,
    code: Option<i32>,
}

impl Desk {
    pub fn new() -> Self {
        let all = tempfile::tempdir().unwrap();
        let [folder, programs] = ["service", "programs"].map(|name| all.path().join(name));
        fs::create_dir(&folder).unwrap();
        fs::create_dir(&programs).unwrap();
        let program = env!("CARGO_BIN_EXE_windthrow");
        std::os::unix::fs::symlink(program, programs.join("windthrow")).unwrap();
        Self { all, folder }
    }

    /// A desk at which this service is tested.
    pub fn with(service: &str) -> Self {
        let desk = Self::new();
        fs::write(desk.folder.join("windthrow.toml"), service).unwrap();
        desk
    }

    /// Where it finds its programs first.
    pub fn programs(&self) -> PathBuf {
        self.all.path().join("programs")
    }

    pub fn sh(&self, line: &str) -> Said {
        let path = format!("{}:/usr/bin:/bin", self.programs().display());
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).current_dir(&self.folder).env("PATH", path);
        for name in ["WINDTHROW_SEED", "WINDTHROW_CONFIG", "WINDTHROW_OUT_DIR"] {
            shell.env_remove(name);
        }
        let Output { status, stdout, stderr } = shell.output().unwrap();
        let text = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Said { line: line.to_owned(), text: text.join("\n"), code: status.code() }
    }
}

impl Said {
    pub fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{} said {}", self.line, self.text);
        self
    }

    /// Wherever lines were broken.
    pub fn says(&self, words: &[&str]) {
        let squeezed = |text: &str| -> String {
            text.chars().filter(|c| !c.is_whitespace() && *c != '│').collect()
        };
        let text = squeezed(&self.text);
        for word in words {
            let said = text.contains(&squeezed(word));
            assert!(said, "{} does not say {word:?} but {}", self.line, self.text);
        }
    }
}
