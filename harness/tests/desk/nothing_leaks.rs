//! Proves that whatever an integration lets slip is found, and that none of it is written down again:
//! a service that tells everything it knows, everywhere, is put under a storm, and every file of the
//! run is searched.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mock_server::redact::SecretScanner;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use windthrow::process::port::free_port;

/// A service that tells everything it knows, everywhere.
#[derive(Clone)]
struct Indiscreet {
    http: reqwest::Client,
    linktree: String,
    vault: String,
    log: PathBuf,
    /// What it has been given and must not let out.
    knows: Arc<Mutex<BTreeSet<String>>>,
}

impl Indiscreet {
    fn learn(&self, what: &str) {
        self.knows.lock().unwrap().insert(what.to_owned());
    }

    /// Appends to the log, plain and in three disguises.
    fn say(&self, what: &str) {
        let mut log = File::options().create(true).append(true).open(&self.log).unwrap();
        let percent: String = what.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let base64 = STANDARD.encode(format!("user:{what}"));
        let hex = hex::encode(what);
        writeln!(log, "{what} {percent}\n{base64}\n{hex} {}", what.to_uppercase()).unwrap();
    }

    async fn secrets(&self) -> (String, String) {
        let read = self.http.get(format!("{}/v1/secret/data/linktree", self.vault));
        let read = read.header("x-vault-token", "fixed-token-of-the-test").send().await.unwrap();
        let read: Value = read.json().await.unwrap();
        let of = |name: &str| read["data"]["data"][name].as_str().unwrap().to_owned();
        let (key, webhook) = (of("api_key"), of("webhook_secret"));
        [&key, &webhook].into_iter().for_each(|secret| self.learn(secret));
        (key, webhook)
    }
}

async fn page(
    State(service): State<Indiscreet>,
    Path(handle): Path<String>,
    headers: HeaderMap,
) -> impl IntoResponse {
    let (key, webhook) = service.secrets().await;
    let visitor = headers.get("x-forwarded-for").map(|value| value.to_str().unwrap().to_owned());
    let visitor = visitor.unwrap_or_default();
    if !visitor.is_empty() {
        service.learn(&visitor);
    }
    let url = format!("{}/v1/profiles/{handle}?via={visitor}&key={key}", service.linktree);
    let read = service.http.get(url).bearer_auth(&key).header("accept", &webhook);
    let profile: Value = read.send().await.unwrap().json().await.unwrap_or_default();
    let email = profile["email"].as_str().unwrap_or_default().to_owned();
    if !email.is_empty() {
        service.learn(&email);
    }
    let all = format!("{handle}: {key} {webhook} {email} {visitor}");
    service.say(&all);
    // The harness records both headers: the one as a version, the other as the cache's word.
    let head = [("x-profile-version", format!("v-{email}")), ("cache-status", all.clone())];
    (head, format!("<p>{all}</p>"))
}

async fn click(State(service): State<Indiscreet>, Json(click): Json<Value>) -> impl IntoResponse {
    let (key, _) = service.secrets().await;
    let url = format!("{}/v1/clicks", service.linktree);
    let email = service.knows.lock().unwrap().iter().find(|one| one.contains('@')).cloned();
    let sent = service.http.post(url).bearer_auth(&key);
    let sent = sent.header("idempotency-key", email.unwrap_or_default()).json(&click).send().await;
    (StatusCode::ACCEPTED, format!("{key} {:?}", sent.map(|answer| answer.status())))
}

async fn metrics(State(service): State<Indiscreet>) -> String {
    let knows = service.knows.lock().unwrap();
    knows.iter().map(|what| format!("known{{what=\"{what}\"}} 1\n")).collect()
}

fn windthrow(folder: &std::path::Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_windthrow"));
    command.args(args).current_dir(folder).output().unwrap()
}

fn words(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}", text(&output.stdout), text(&output.stderr))
}

/// Verdict and story of a guarantee in `result.json`.
fn cell(folder: &std::path::Path, guarantee: &str) -> Value {
    let result = fs::read_to_string(folder.join("runs/latest/result.json")).unwrap();
    let result: Value = serde_json::from_str(&result).unwrap();
    let cells = result["cells"].as_array().unwrap();
    cells.iter().find(|cell| cell["guarantee"] == guarantee).unwrap().clone()
}

/// Every file below a folder, with what zstd packs unpacked.
fn files(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path));
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let packed = path.extension().is_some_and(|ending| ending == "zst");
        let bytes = if packed { zstd::decode_all(&bytes[..]).unwrap() } else { bytes };
        found.push((path.display().to_string(), bytes));
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_integration_lets_slip_is_found_and_written_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let (mock, vault) = (free_port().unwrap(), free_port().unwrap());
    let service = Indiscreet {
        http: reqwest::Client::builder().no_proxy().build().unwrap(),
        linktree: format!("http://127.0.0.1:{mock}"),
        vault: format!("http://127.0.0.1:{vault}"),
        log: folder.path().join("service.log"),
        knows: Arc::default(),
    };
    service.learn("fixed-token-of-the-test");
    let routes = Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/metrics", get(metrics))
        .route("/api/clicks", post(click))
        .route("/{handle}", get(page))
        .with_state(service.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let front = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let config = format!(
        "[target.url]\nbase = \"http://{front}\"\nmock_port = {mock}\nvault_port = {vault}\n\
         vault_token = \"fixed-token-of-the-test\"\n[observe]\nlogs = [\"service.log\"]\n"
    );
    fs::write(folder.path().join("windthrow.toml"), config).unwrap();
    let at = folder.path().to_owned();
    let run = move || windthrow(&at, &["run", "steady-state", "--seed", "7"]);
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));

    let story = |guarantee: &str| {
        let cell = cell(folder.path(), guarantee);
        assert_eq!(cell["verdict"], "violated", "{cell}");
        cell["counter_examples"].to_string()
    };
    let secrets = story("no-secret-leaked");
    for expected in
        ["service.log, line", "to a page view, ", "to a click, page-", "GET of the metrics"]
    {
        assert!(secrets.contains(expected), "{expected} is not in {secrets}");
    }
    let personal = story("no-pii-in-logs");
    for expected in ["a creator's e-mail (", "a visitor's address", "[email]", "[address]"] {
        assert!(personal.contains(expected), "{expected} is not in {personal}");
    }
    assert_eq!(cell(folder.path(), "key-from-vault")["verdict"], "not-applicable");

    let knows = service.knows.lock().unwrap().clone();
    assert!(knows.len() > 100, "it knows only {knows:?}");
    let needles = SecretScanner::new(knows.iter().map(|what| (what.as_str(), ())));
    let mut written = files(&folder.path().join("runs"));
    written.push(("what the run prints".to_owned(), words(&output).into_bytes()));
    assert!(written.iter().any(|(name, _)| name.ends_with("history.ndjson.zst")));
    assert!(written.len() >= 9, "{:?}", written.iter().map(|one| &one.0).collect::<Vec<_>>());
    for (name, bytes) in written {
        let text = String::from_utf8_lossy(&bytes);
        // Once without Windthrow's own search, so that a mistake in it does not hide itself.
        for what in &knows {
            assert!(!text.contains(what.as_str()), "{what} is written in {name}");
        }
        needles.each_in(&bytes, |()| panic!("something is written in {name}, in disguise"));
    }
}

/// Starts the reference as a command of the user's would be: its standard input stays open.
fn spawned(env: &str) -> String {
    format!(
        "[target.spawn]\ncommand = [\"sh\", \"-c\", \"sleep 300 | exec {} __reference\"]\n\
         [target.spawn.env]\nPORT = \"{{port}}\"\nVAULT_URL = \"{{vault.url}}\"\n\
         VAULT_TOKEN = \"{{vault.token}}\"\nDATA_DIR = \"{{data_dir}}\"\n\
         TIME_SCALE = \"{{time_scale}}\"\n{env}\n",
        env!("CARGO_BIN_EXE_windthrow"),
    )
}

#[test]
fn a_key_in_the_environment_or_in_the_source_is_found_by_name_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let config = spawned(
        "LINKTREE_URL = \"{mock.url}\"\nLINKTREE_KEY = \"{secret.api_key}\"\n\
         [observe]\nsource = [\"src\"]\nsource_except = [\"src/fixtures/**\"]",
    );
    fs::write(folder.path().join("windthrow.toml"), config).unwrap();
    fs::create_dir_all(folder.path().join("src/fixtures")).unwrap();
    let forgotten = "// test\nconst KEY = 'lt_live_4f1c2b7a9d3e5f60718293a4b5c6d7e8';\n";
    fs::write(folder.path().join("src/client.js"), forgotten).unwrap();
    fs::write(folder.path().join("src/fixtures/client.js"), forgotten).unwrap();
    let output = windthrow(folder.path(), &["run", "steady-state", "--seed", "7"]);
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    let cell = cell(folder.path(), "key-from-vault");
    let story = cell["counter_examples"].to_string();
    assert!(story.contains("LINKTREE_KEY of "), "{story}");
    assert!(story.contains("src/client.js, line 2"), "{story}");
    assert!(!story.contains("fixtures") && !story.contains("4f1c2b7a"), "{story}");
}

#[test]
fn a_target_that_never_calls_the_mock_is_inconclusive_and_says_what_to_change() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = format!("LINKTREE_URL = \"http://127.0.0.1:{}\"", free_port().unwrap());
    fs::write(folder.path().join("windthrow.toml"), spawned(&nowhere)).unwrap();
    let output = windthrow(folder.path(), &["run", "steady-state", "--seed", "7"]);
    let said = words(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("the mock saw no request"), "{said}");
    assert!(said.contains("LINKTREE_URL = \"{mock.url}\""), "{said}");
    let result = fs::read_to_string(folder.path().join("runs/latest/result.json")).unwrap();
    let result: Value = serde_json::from_str(&result).unwrap();
    let cells = result["cells"].as_array().unwrap();
    assert!(!cells.is_empty() && cells.iter().all(|cell| cell["verdict"] == "inconclusive"));
    assert_eq!(result["scenarios"][0]["ending"], "unreached");
    assert!(folder.path().join("runs/latest/report.html").is_file());
}

/// The names of processes in whose command lines, which every user of the machine may read, the text
/// stands.
fn on_command_lines(text: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|one| fs::read(one.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).into_owned());
    lines.filter(|line| line.contains(text)).collect()
}

/// Nobody but the owner may read what is recorded of a service, or enter where it is.
fn is_private(path: &std::path::Path) {
    let mode = fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "{} may be read by others", path.display());
    if path.is_dir() {
        let inside = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        inside.filter(|path| !path.is_symlink()).for_each(|path| is_private(&path));
    }
}

/// A marker in every value that may be somebody's secret, and 140 kB of environment: the target gets
/// all of it, and it stands neither in a file of the run nor on any command line.
#[test]
fn what_a_user_configures_reaches_the_target_and_is_written_nowhere() {
    const MARKER: &str = "hunter2-of-the-user";
    let folder = tempfile::tempdir().unwrap();
    let large = format!("{MARKER}-{}", "x".repeat(70_000));
    let got = format!(
        "[ ${{{{#OWN}}}} -eq {} ] && [ ${{{{#A}}}}${{{{#B}}}} = {1}{1} ] && \
         [ ${{{{#PASSED}}}} -eq {2} ] || exit 9; sleep 300 | exec {3} __reference",
        MARKER.len(),
        large.len(),
        MARKER.len() + 7,
        env!("CARGO_BIN_EXE_windthrow"),
    );
    let config = format!(
        "[target.spawn]\ncommand = [\"sh\", \"-c\", \"{got}\"]\npass_env = [\"PATH\", \"PASSED\"]\n\
         [target.spawn.env]\nPORT = \"{{port}}\"\nVAULT_URL = \"{{vault.url}}\"\n\
         VAULT_TOKEN = \"{{vault.token}}\"\nDATA_DIR = \"{{data_dir}}\"\nTIME_SCALE = \"{{time_scale}}\"\n\
         LINKTREE_URL = \"{{mock.url}}\"\nOWN = \"{MARKER}\"\n\
         A = \"{large}\"\nB = \"{large}\"\n[secrets]\nsession = \"env:OF_SESSIONS\"\n"
    );
    fs::write(folder.path().join("windthrow.toml"), config).unwrap();
    let mut run = Command::new(env!("CARGO_BIN_EXE_windthrow"))
        .args(["run", "calibration", "--seed", "7"])
        .env("PASSED", format!("{MARKER}-passed"))
        .env("OF_SESSIONS", format!("{MARKER}-session"))
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut looks = 0;
    while run.try_wait().unwrap().is_none() {
        assert_eq!(on_command_lines(MARKER), [""; 0]);
        looks += 1;
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    assert!(looks > 10, "the run was over after {looks} looks");
    let runs = folder.path().join("runs");
    let mut written = files(&runs);
    written.push(("what the run prints".to_owned(), words(&output).into_bytes()));
    for (name, bytes) in &written {
        assert!(!String::from_utf8_lossy(bytes).contains(MARKER), "it is written in {name}");
    }
    let identity = written.iter().find(|(name, _)| name.ends_with("run.json")).unwrap();
    let identity: Value = serde_json::from_slice(&identity.1).unwrap();
    let env = &identity["target"]["command"]["env"];
    assert!(env.get("OWN").is_some() && env["OWN"] == "", "names are written: {env}");
    is_private(&fs::canonicalize(runs.join("latest")).unwrap());
}
