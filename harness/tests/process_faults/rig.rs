//! The integration as real processes, in front of a Linktree whose profile reads wait for a word.

use mock_server::clock::Clock;
use mock_server::listen::Listen;
use mock_server::profile::ContractProfile;
use mock_server::server::{MockConfig, MockLinktree};
use mock_server::world::population::{Group, Population};
use scenarios::history::{Change, Event};
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use windthrow::config::target::TargetSpec;
use windthrow::failure::Failure;
use windthrow::storm::observe::canaries::{Canaries, Credentials};
use windthrow::storm::observe::search::Search;
use windthrow::storm::recorder::{Recorder, Writer};
use windthrow::storm::target::{Secrets, Surroundings, Target};

/// The read that waits, not that of the page's links.
const PROFILE: &str = "GET /v1/profiles/page-0001 HTTP/1.1";

/// Longer than anything here takes; it only keeps a failing test from hanging.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The reference as a child process, in front of a Linktree whose profile reads wait for a word.
pub struct Rig {
    pub target: Target,
    pub recorder: Recorder,
    writer: Writer,
    pub clock: Clock,
    /// A profile read has arrived at Linktree.
    asked: Arc<Notify>,
    /// The word that lets it be answered.
    pub answer: Arc<Notify>,
    pub program: PathBuf,
    pub folder: tempfile::TempDir,
    _mock: MockLinktree,
}

impl Rig {
    pub async fn start() -> Self {
        Self::of(|_| TargetSpec::Embedded { mutant: None }).await
    }

    /// Starts a target whose specification is made of the folder where everything stands.
    pub async fn of(spec: impl FnOnce(&Path) -> TargetSpec) -> Self {
        Self::try_of(spec).await.unwrap()
    }

    /// As [`Rig::of`], of a target that may not come up.
    pub async fn try_of(spec: impl FnOnce(&Path) -> TargetSpec) -> Result<Self, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::start();
        let (recorder, writer) = Recorder::create(&folder.path().join("history")).unwrap();
        let group = Group {
            prefix: "page".into(),
            count: 1,
            min_links: 1,
            max_links: 1,
            ..Group::default()
        };
        let config = MockConfig {
            profile: ContractProfile::linktree_v1(),
            time_scale: 1,
            seed: 7,
            population: Population { groups: vec![group] },
            world: vec![],
            rules: vec![],
            listen: Listen::default(),
            alert_fields: Default::default(),
            port: 0,
            clock,
            recorder: Arc::new(recorder.clone()),
            secrets: vec![mock_server::contract::SecretsManager::Vault],
            vault_token: "vault-token".into(),
            vault_port: 0,
            tls: None,
        };
        let mock = MockLinktree::start(config).unwrap();
        let (asked, answer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let held = hold(mock.port(), Arc::clone(&asked), Arc::clone(&answer)).await;
        // A name of its own, which a test can take away.
        let program = folder.path().join("integration");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_windthrow"), &program).unwrap();
        let data_dir = folder.path().join("data");
        let linktree = mock.credentials();
        let credentials =
            Credentials { linktree, vault_token: "vault-token", session: "session-secret" };
        let canaries = Arc::new(Canaries::of(&credentials, &Population::default(), 7));
        let search = Arc::new(Search::new(canaries, &recorder, clock));
        let around = Surroundings {
            environment: mock_server::keyring::Environment::Live,
            program: &program,
            mock_url: held,
            secrets_manager: mock_server::contract::SecretsManager::Vault,
            receiver: None,
            secrets_url: mock.vault_url(),
            alerts_url: mock.alerts_url(),
            vault_token: "vault-token".into(),
            vault_role: [mock.vault_role_id(), mock.vault_secret_id()],
            secrets: Secrets {
                api_key: mock.api_key(),
                webhook: mock.webhook_secret(),
                session: "session-secret".into(),
            },
            data_dir: &data_dir,
            ca_file: None,
            tls: false,
            time_scale: 1,
            seed: 7,
            log: &folder.path().join("target.log"),
            search: &search,
        };
        let spec = spec(folder.path());
        let target = Target::start(&spec, &around, clock, &recorder).await?;
        Ok(Self { target, recorder, writer, clock, asked, answer, program, folder, _mock: mock })
    }

    pub async fn connect(&self) -> std::io::Result<Client> {
        let address = self.target.url.strip_prefix("http://").unwrap();
        TcpStream::connect(address).await.map(Client)
    }

    /// A connection whose request for a page waits at Linktree.
    pub async fn waiting_for_a_page(&self) -> Client {
        let mut client = self.connect().await.unwrap();
        client.ask("/page-0001").await;
        let asked = tokio::time::timeout(PATIENCE, self.asked.notified()).await;
        asked.expect("the page is read at Linktree");
        client
    }

    pub async fn is_refused(&self) -> bool {
        matches!(self.connect().await, Err(error) if error.kind() == ErrorKind::ConnectionRefused)
    }

    pub async fn serves(&self) -> bool {
        let mut client = self.connect().await.unwrap();
        client.ask("/healthz").await;
        client.answer().await.starts_with("HTTP/1.1 200")
    }

    /// Stops everything; what the history says of the process, in order and in a word each.
    pub async fn changes(self) -> Vec<String> {
        let word =
            |change| serde_json::to_value(change).unwrap()["change"].as_str().unwrap().into();
        self.history().await.into_iter().map(word).collect()
    }

    /// Stops everything; what the history says of the process, in order.
    pub async fn history(self) -> Vec<Change> {
        self.target.stop().await;
        self.writer.finish().unwrap();
        let file = std::fs::File::open(self.folder.path().join("history")).unwrap();
        let lines = BufReader::new(zstd::Decoder::new(file).unwrap()).lines().map(Result::unwrap);
        let changes = lines.filter_map(|line| match serde_json::from_str(&line).unwrap() {
            Event::Process(process) => Some(process.change),
            _ => None,
        });
        changes.collect()
    }
}

/// What the target of a rig in this folder has printed so far.
pub fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("target.log")).unwrap()
}

/// Passes everything on to the mock, but a profile read only after a word, whichever request of its
/// connection it is.
async fn hold(mock_port: u16, asked: Arc<Notify>, answer: Arc<Notify>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((inward, _)) = listener.accept().await {
            let (asked, answer) = (Arc::clone(&asked), Arc::clone(&answer));
            tokio::spawn(async move {
                let Ok(outward) = TcpStream::connect(("127.0.0.1", mock_port)).await else {
                    return;
                };
                let (mut requests, mut to_target) = inward.into_split();
                let (mut answers, mut to_mock) = outward.into_split();
                tokio::spawn(async move { tokio::io::copy(&mut answers, &mut to_target).await });
                let mut bytes = vec![0; 65_536];
                while let Ok(read @ 1..) = requests.read(&mut bytes).await {
                    if String::from_utf8_lossy(&bytes[..read]).contains(PROFILE) {
                        asked.notify_one();
                        answer.notified().await;
                    }
                    if to_mock.write_all(&bytes[..read]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}

pub struct Client(TcpStream);

impl Client {
    pub async fn ask(&mut self, path: &str) {
        let request = format!("GET {path} HTTP/1.1\r\nhost: integration\r\n\r\n");
        self.0.write_all(request.as_bytes()).await.unwrap();
    }

    /// The bytes that come next.
    pub async fn answer(&mut self) -> String {
        let mut bytes = vec![0; 65_536];
        let read = tokio::time::timeout(PATIENCE, self.0.read(&mut bytes)).await;
        let read = read.expect("something happens on the connection").expect("bytes, or an end");
        String::from_utf8_lossy(&bytes[..read]).into_owned()
    }

    /// Everything up to the end of the connection, and whether it ended with a reset.
    pub async fn rest(&mut self) -> (String, bool) {
        let mut bytes = Vec::new();
        let end = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut bytes)).await;
        let end = end.expect("the connection ends");
        let reset = matches!(&end, Err(error) if error.kind() == ErrorKind::ConnectionReset);
        assert!(end.is_ok() || reset, "{end:?}");
        (String::from_utf8_lossy(&bytes).into_owned(), reset)
    }
}

/// Waits until the condition holds.
pub async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("waited for {what}"));
}

/// The letter of proc(5): `T` is stopped, `Z` has ended, none is gone.
pub fn state(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

pub fn has_ended(pid: u32) -> bool {
    matches!(state(pid), None | Some('Z'))
}
