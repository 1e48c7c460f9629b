//! Proves what a raw client of the integration meets, at the level of bytes, when its process is
//! killed, stopped or stands still; and that the history tells the same.

use mock_server::clock::Clock;
use mock_server::faults::{Fault, Kill, Matcher, Pause, Pick, Rule, Strike, Window};
use mock_server::profile::ContractProfile;
use mock_server::server::{MockConfig, MockLinktree};
use mock_server::world::population::{Group, Population};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use scenarios::history::Event;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use windthrow::config::target::TargetSpec;
use windthrow::storm::observe::canaries::{Canaries, Credentials};
use windthrow::storm::observe::search::Search;
use windthrow::storm::process_faults::due::DueFaults;
use windthrow::storm::process_faults::{self, Lost};
use windthrow::storm::recorder::{Recorder, Writer};
use windthrow::storm::target::{Secrets, Surroundings, Target};

/// Longer than anything here takes; it only keeps a failing test from hanging.
const PATIENCE: Duration = Duration::from_secs(30);

/// The reference as a child process, in front of a Linktree whose profile reads wait for a word.
struct Rig {
    target: Target,
    recorder: Recorder,
    writer: Writer,
    clock: Clock,
    /// A profile read has arrived at Linktree.
    asked: Arc<Notify>,
    /// The word that lets it be answered.
    answer: Arc<Notify>,
    program: PathBuf,
    folder: tempfile::TempDir,
    _mock: MockLinktree,
}

impl Rig {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::start();
        let (recorder, writer) = Recorder::create(&folder.path().join("history")).unwrap();
        let group = Group { prefix: "page".into(), count: 1, min_links: 1, max_links: 1 };
        let config = MockConfig {
            profile: ContractProfile::linktree_v1(),
            time_scale: 1,
            seed: 7,
            population: Population { groups: vec![group] },
            world: vec![],
            rules: vec![],
            port: 0,
            clock,
            recorder: Arc::new(recorder.clone()),
            vault_token: "vault-token".into(),
            vault_port: 0,
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
            program: &program,
            mock_url: held,
            vault_url: mock.vault_url(),
            alerts_url: mock.alerts_url(),
            vault_token: "vault-token".into(),
            secrets: Secrets {
                api_key: mock.api_key(),
                webhook: mock.webhook_secret(),
                session: "session-secret".into(),
            },
            data_dir: &data_dir,
            time_scale: 1,
            seed: 7,
            log: &folder.path().join("target.log"),
            search: &search,
        };
        let spec = TargetSpec::Embedded { mutant: None };
        let target = Target::start(&spec, &around, clock, &recorder).await.unwrap();
        Self { target, recorder, writer, clock, asked, answer, program, folder, _mock: mock }
    }

    async fn connect(&self) -> std::io::Result<Client> {
        let address = self.target.url.strip_prefix("http://").unwrap();
        TcpStream::connect(address).await.map(Client)
    }

    /// A connection whose request for a page waits at Linktree.
    async fn waiting_for_a_page(&self) -> Client {
        let mut client = self.connect().await.unwrap();
        client.ask("/page-0001").await;
        self.asked.notified().await;
        client
    }

    async fn is_refused(&self) -> bool {
        matches!(self.connect().await, Err(error) if error.kind() == ErrorKind::ConnectionRefused)
    }

    async fn serves(&self) -> bool {
        let mut client = self.connect().await.unwrap();
        client.ask("/healthz").await;
        client.answer().await.starts_with("HTTP/1.1 200")
    }

    /// Stops everything; what the history says of the process, in order and in a word each.
    async fn changes(self) -> Vec<String> {
        self.target.stop().await;
        self.writer.finish().unwrap();
        changes(&self.folder.path().join("history"))
    }
}

fn changes(history: &Path) -> Vec<String> {
    let file = std::fs::File::open(history).unwrap();
    let lines = BufReader::new(zstd::Decoder::new(file).unwrap()).lines().map(Result::unwrap);
    let mut changes = Vec::new();
    for line in lines {
        if let Event::Process(process) = serde_json::from_str(&line).unwrap() {
            let change = serde_json::to_value(&process.change).unwrap();
            changes.push(change["change"].as_str().unwrap().to_owned());
        }
    }
    changes
}

/// Passes everything on to the mock, but a profile read only after a word.
async fn hold(mock_port: u16, asked: Arc<Notify>, answer: Arc<Notify>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut inward, _)) = listener.accept().await {
            let (asked, answer) = (Arc::clone(&asked), Arc::clone(&answer));
            tokio::spawn(async move {
                let mut first = vec![0; 65_536];
                let Ok(read) = inward.read(&mut first).await else { return };
                if String::from_utf8_lossy(&first[..read]).contains("/v1/profiles/") {
                    asked.notify_one();
                    answer.notified().await;
                }
                let Ok(mut outward) = TcpStream::connect(("127.0.0.1", mock_port)).await else {
                    return;
                };
                if outward.write_all(&first[..read]).await.is_ok() {
                    let _ = copy_bidirectional(&mut inward, &mut outward).await;
                }
            });
        }
    });
    url
}

struct Client(TcpStream);

impl Client {
    async fn ask(&mut self, path: &str) {
        let request = format!("GET {path} HTTP/1.1\r\nhost: integration\r\n\r\n");
        self.0.write_all(request.as_bytes()).await.unwrap();
    }

    /// The bytes that come next.
    async fn answer(&mut self) -> String {
        let mut bytes = vec![0; 65_536];
        let read = tokio::time::timeout(PATIENCE, self.0.read(&mut bytes)).await;
        let read = read.expect("something happens on the connection").expect("bytes, or an end");
        String::from_utf8_lossy(&bytes[..read]).into_owned()
    }

    /// Everything up to the end of the connection, and whether it ended with a reset.
    async fn rest(&mut self) -> (String, bool) {
        let mut bytes = Vec::new();
        let end = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut bytes)).await;
        let end = end.expect("the connection ends");
        let reset = matches!(&end, Err(error) if error.kind() == ErrorKind::ConnectionReset);
        assert!(end.is_ok() || reset, "{end:?}");
        (String::from_utf8_lossy(&bytes).into_owned(), reset)
    }
}

/// Waits until the condition holds.
async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("waited for {what}"));
}

/// The letter of proc(5): `T` is stopped, `Z` has ended, none is gone.
fn state(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

fn has_ended(pid: u32) -> bool {
    matches!(state(pid), None | Some('Z'))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_cuts_connections_and_refuses_new_ones_until_it_is_back() {
    let mut rig = Rig::start().await;
    let mut idle = rig.connect().await.unwrap();
    idle.ask("/healthz").await;
    assert!(idle.answer().await.starts_with("HTTP/1.1 200"));
    let mut waiting = rig.waiting_for_a_page().await;
    rig.target.kill("killed").await;
    assert_eq!(waiting.rest().await.0, "", "no byte of an answer");
    assert_eq!(idle.rest().await.0, "");
    assert!(rig.is_refused().await);
    rig.target.launch().await.unwrap();
    assert!(rig.serves().await, "on the same port");
    assert_eq!(rig.changes().await, ["started", "ready", "killed", "started", "ready"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_is_silence_and_then_the_answer() {
    let rig = Rig::start().await;
    let mut old = rig.connect().await.unwrap();
    rig.target.pause("asleep");
    let pid = rig.target.pid().unwrap();
    eventually("the pause", || state(pid) == Some('T')).await;
    old.ask("/healthz").await;
    let mut new = rig.connect().await.expect("the kernel accepts for it");
    new.ask("/healthz").await;
    // A process that does not run cannot answer, however long one waits.
    let silence = tokio::time::timeout(Duration::from_millis(100), old.answer()).await;
    assert!(silence.is_err(), "{silence:?}");
    rig.target.resume();
    assert!(old.answer().await.starts_with("HTTP/1.1 200"));
    assert!(new.answer().await.starts_with("HTTP/1.1 200"));
    assert_eq!(rig.changes().await, ["started", "ready", "paused", "resumed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_answers_what_is_in_flight_and_refuses_the_rest() {
    let mut rig = Rig::start().await;
    let mut waiting = rig.waiting_for_a_page().await;
    let answer = Arc::clone(&rig.answer);
    let stopped = rig.target.terminate("stopped", PATIENCE);
    // The signal is sent before Linktree answers: a future that is polled first goes first.
    let answered = async {
        answer.notify_one();
        waiting.rest().await
    };
    let ((), (page, reset)) = tokio::join!(biased; stopped, answered);
    assert!(page.starts_with("HTTP/1.1 200") && page.ends_with("</html>\n"), "{page}");
    assert!(!reset);
    assert!(rig.is_refused().await);
    rig.target.launch().await.unwrap();
    assert!(rig.serves().await);
    assert_eq!(
        rig.changes().await,
        ["started", "ready", "terminated", "ended", "started", "ready"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_takes_longer_than_its_grace_is_a_kill() {
    let mut rig = Rig::start().await;
    let mut waiting = rig.waiting_for_a_page().await;
    rig.target.terminate("stopped", Duration::from_millis(50)).await;
    assert_eq!(waiting.rest().await.0, "");
    assert!(rig.is_refused().await && !rig.target.is_ready());
    assert_eq!(rig.changes().await, ["started", "ready", "terminated", "killed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_that_the_end_of_a_plan_cuts_off_is_finished() {
    let mut rig = Rig::start().await;
    rig.target.kill("killed").await;
    rig.target.finish_start().await.unwrap();
    assert!(rig.is_refused().await, "it was not started again");
    let cut_off = tokio::time::timeout(Duration::ZERO, rig.target.launch()).await;
    assert!(cut_off.is_err() && !rig.target.is_ready());
    rig.target.finish_start().await.unwrap();
    assert!(rig.target.is_ready() && rig.serves().await);
    assert_eq!(rig.changes().await, ["started", "ready", "killed", "started", "ready"]);
}

fn rule(id: &str, fault: Fault) -> Rule {
    let window = Window { from_ms: 0, until_ms: 1 };
    Rule { id: id.into(), window, matcher: Matcher::default(), pick: Pick::All, fault }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_carried_out_in_order_until_the_target_is_lost() {
    let mut rig = Rig::start().await;
    let on = Strike::WindowStart;
    let rules = [
        rule("killed", Fault::Kill(Kill { on, down_ms: 1 })),
        rule("asleep", Fault::Pause(Pause { on, for_ms: 1 })),
        rule("killed-again", Fault::Kill(Kill { on, down_ms: 1 })),
    ];
    let (mut faults, _counting) = DueFaults::of(&rules, rig.clock, &rig.recorder);
    let killed_from_outside = async {
        // Four starts and ends of the process are certain once the second new one is ready.
        eventually("the second restart", || {
            let log = std::fs::read_to_string(rig.folder.path().join("target.log")).unwrap();
            log.matches("serving").count() == 3
        })
        .await;
    };
    faults.arm(rig.clock.now());
    let lost = tokio::select! {
        lost = process_faults::inject_all(&mut rig.target, &mut faults) => panic!("lost too soon: {lost:?}"),
        () = killed_from_outside => tokio::time::timeout(PATIENCE, async {
            let pid = rig.target.pid().unwrap();
            kill(Pid::from_raw(i32::try_from(pid).unwrap()), Signal::SIGKILL).unwrap();
            process_faults::inject_all(&mut rig.target, &mut faults).await
        }).await.unwrap(),
    };
    assert!(matches!(&lost, Lost::Died { how } if how.contains("SIGKILL")), "{lost:?}");
    let changes = rig.changes().await;
    let expected = ["started", "ready", "killed", "started", "ready", "paused", "resumed"];
    assert_eq!(changes[..7], expected, "{changes:?}");
    assert_eq!(changes[7..9], ["killed", "started"], "{changes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_does_not_come_back_is_lost_and_leaves_nobody_behind() {
    let mut rig = Rig::start().await;
    std::fs::remove_file(&rig.program).unwrap();
    let rules = [rule("killed", Fault::Kill(Kill { on: Strike::WindowStart, down_ms: 0 }))];
    let (mut faults, _counting) = DueFaults::of(&rules, rig.clock, &rig.recorder);
    faults.arm(rig.clock.now());
    let pid = rig.target.pid().unwrap();
    let lost = process_faults::inject_all(&mut rig.target, &mut faults).await;
    assert!(matches!(&lost, Lost::NotReady { how } if how.contains("failed to start")), "{lost:?}");
    assert!(has_ended(pid) && rig.target.pid().is_none());
    assert_eq!(rig.changes().await, ["started", "ready", "killed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_target_can_be_stopped_and_leaves_nobody_behind() {
    for killed in [false, true] {
        let rig = Rig::start().await;
        let pid = rig.target.pid().unwrap();
        rig.target.pause("asleep");
        eventually("the pause", || state(pid) == Some('T')).await;
        if killed {
            drop(rig.target);
        } else {
            rig.target.stop().await;
        }
        eventually("its end", || has_ended(pid)).await;
    }
}
