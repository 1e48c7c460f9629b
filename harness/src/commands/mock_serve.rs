//! `mock serve`: the mock alone, until somebody ends it.
//!
//! Standard output gets what a service needs as `NAME=value` lines and a line that exports them, for a
//! shell that reads it as a script; standard error one line for every fault that hit.

use crate::cli::MockServeArgs;
use crate::commands::say;
use crate::contract;
use crate::failure::{Exit, Failure};
use crate::process::Signals;
use crate::reading;
use crate::shell;
use mock_server::contract::SecretsManager;
use mock_server::control::{Control, ControlConfig, ControlError};
use mock_server::faults::FaultMark;
use mock_server::faults::plan::FaultPlan;
use mock_server::history::RecordFile;
use mock_server::history::record::{Record, Recorder};
use mock_server::listen::Listen;
use mock_server::server::{MockError, MockLinktree};
use mock_server::services::secrets;
use mock_server::tls::Authority;
use reports::text::clean;
use scenarios::measure::so_many;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long exchanges under way may take after the first signal; a second one ends them at once.
const GRACE: Duration = Duration::from_secs(5);

const FREE_PORT: &str = "choose another port with --port and --control-port, or 0 for any";

/// Serves until Ctrl-C or SIGTERM.
///
/// # Errors
///
/// [`Failure`] for wrong files and arguments, or when a port cannot be had.
pub async fn serve(args: &MockServeArgs) -> Result<Exit, Failure> {
    let plan = args.plan.as_deref().map(read_plan).transpose()?.unwrap_or_default();
    let profile = contract::load(args.profile_file.as_deref())?;
    let file = args.history.as_deref().map(open_history).transpose()?;
    // From here on a signal is never lost, and the end is orderly.
    let mut signals = Signals::listen()
        .map_err(|error| Failure::setup(error.to_string(), "signals must be available"))?;

    let (peers, hooks) = (args.peers.clone(), args.peers.clone());
    let listen = Listen { host: args.host, name: args.name.clone(), peers, hooks };
    let names = listen.names();
    let mut managers = args.secrets.clone();
    managers.sort_unstable();
    managers.dedup();
    let mut mock = MockLinktree::builder()
        .profile(profile)
        .plan(plan)
        .seed(args.seed)
        .time_scale(args.time_scale)
        .listen(listen)
        .port(args.port)
        .secrets(&managers)
        .recorder(Arc::new(Teller { file: file.clone() }))
        .vault_token(format!("vault-{:016x}", args.seed));
    if let Some(file) = &args.tls_ca_file {
        mock = mock.tls(authority(&names, file)?);
    }
    let mock = Arc::new(mock.start().map_err(|error| refused(&error))?);
    // After 65535, and beside any port, there is any other.
    let next = args.port.checked_add(1).filter(|_| args.port != 0);
    let port = args.control_port.or(next).unwrap_or(0);
    let config = ControlConfig {
        listen: SocketAddr::new(args.control_host, port),
        token: args.control_token.clone(),
    };
    let control =
        Control::start(Arc::clone(&mock), config).await.map_err(|error| match &error {
            ControlError::NoToken { .. } => Failure::usage(
                error.to_string(),
                "give --control-token or WINDTHROW_CONTROL_TOKEN, or leave --control-host out",
            ),
            _ => Failure::setup(error.to_string(), FREE_PORT),
        })?;
    say(announcement(&mock, &control, args));

    signals.next().await;
    tracing::info!("stopping: exchanges under way may take {GRACE:?}; a second signal ends them");
    tokio::select! {
        finished = mock.drain(GRACE) => if !finished {
            tracing::warn!("some exchanges were still under way after {GRACE:?}");
        },
        () = signals.next() => {}
    }
    let stopping = Arc::clone(&mock);
    // It joins a thread, which must not hold up the control API's last answers.
    let _ = tokio::task::spawn_blocking(move || stopping.shut_down()).await;
    control.stop().await;
    if let (Some(file), Some(path)) = (file, &args.history) {
        file.finish().map_err(|error| unwritable(path, &error))?;
    }
    Ok(Exit::Held)
}

fn read_plan(path: &Path) -> Result<FaultPlan, Failure> {
    const HELP: &str = "a plan holds rules, and may hold population and world; \
                        `windthrow explain` shows an example of each fault";
    let text = reading::text(path)?;
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
        FaultPlan::from_json(&text).map_err(|error| Failure::json(path, &text, &error, HELP))
    } else {
        FaultPlan::from_toml(&text).map_err(|error| {
            let at = error.span().unwrap_or_default();
            Failure::syntax(path, &text, at.into(), error.message(), HELP)
        })
    }
}

/// An authority for this mock alone, which clients trust by this file.
fn authority(names: &[String], file: &Path) -> Result<Authority, Failure> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let authority = Authority::new(&names)
        .map_err(|error| Failure::setup(error.to_string(), "the system must have randomness"))?;
    std::fs::write(file, authority.pem()).map_err(|error| {
        let what = format!("failed to write {}: {error}", file.display());
        Failure::setup(what, "choose another file with --tls-ca-file, or make room there")
    })?;
    Ok(authority)
}

fn open_history(path: &Path) -> Result<Arc<RecordFile>, Failure> {
    RecordFile::append(path).map(Arc::new).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    let what = format!("failed to write {}: {error}", path.display());
    Failure::setup(what, "choose another file with --history, or make room there")
}

fn refused(error: &MockError) -> Failure {
    match error {
        MockError::PortInUse { .. } | MockError::Start { .. } => {
            Failure::setup(error.to_string(), FREE_PORT)
        }
        MockError::Profile(_) => {
            Failure::usage(error.to_string(), "mend the file given with --profile-file")
        }
        MockError::Population(_)
        | MockError::Plan(_)
        | MockError::World { .. }
        | MockError::Process(_) => {
            Failure::usage(error.to_string(), "mend the file given with --plan")
        }
    }
}

/// What a service needs, as a script for any POSIX shell.
fn announcement(mock: &MockLinktree, control: &Control, args: &MockServeArgs) -> String {
    let profile = mock.profile();
    let handles = mock.handles();
    let assumed = if profile.assumed { " (assumed)" } else { "" };
    let first = handles.first().map_or(String::new(), |first| format!(", the first is {first}"));
    let scale = args.time_scale;
    let mut variables = vec![
        ("LINKTREE_URL", mock.url()),
        ("LINKTREE_API_KEY", mock.api_key()),
        ("LINKTREE_WEBHOOK_SECRET", mock.webhook_secret()),
        ("ALERTS_URL", mock.alerts_url()),
        ("WINDTHROW_CONTROL_URL", control.url()),
        ("WINDTHROW_SEED", mock.seed().to_string()),
    ];
    let managers = SecretsManager::ALL.into_iter();
    let listening = managers.filter_map(|one| Some((one, mock.secrets_url(one)?)));
    variables.extend(listening.flat_map(|(one, url)| opening(mock, one, url)));
    // Absolute, for a service may have a working directory of its own.
    let file = args.tls_ca_file.iter().filter_map(|file| std::path::absolute(file).ok());
    for file in file {
        let names = ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"];
        variables.extend(names.map(|name| (name, file.display().to_string())));
    }
    let assignment = |(name, value): &(&str, String)| format!("{name}={}", shell::word(value));
    let assignments: Vec<String> = variables.iter().map(assignment).collect();
    let lines = [
        format!("# windthrow mock: contract {}{assumed}, time scale {scale}", profile.name),
        format!(
            "# {}{first}; routes begin with /v1",
            so_many(handles.len(), "creator", "creators")
        ),
        "# GET / of the control API lists what it can do".to_owned(),
        assignments.join("\n"),
        // Whoever reads this as a script wants it for the service that is started next.
        format!("export {}", variables.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" ")),
        "# ready; Ctrl-C or SIGTERM ends it".to_owned(),
    ];
    lines.join("\n")
}

/// What opens a secrets manager, as its clients are told it.
fn opening(
    mock: &MockLinktree,
    manager: SecretsManager,
    url: String,
) -> Vec<(&'static str, String)> {
    let token = mock.vault_token().to_owned();
    match manager {
        SecretsManager::Vault => vec![
            ("VAULT_URL", url),
            ("VAULT_TOKEN", token),
            ("VAULT_ROLE_ID", mock.vault_role_id()),
            ("VAULT_SECRET_ID", mock.vault_secret_id()),
        ],
        SecretsManager::Aws => vec![
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", url),
            ("AWS_REGION", secrets::REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", secrets::ACCESS_KEY_ID.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", token),
        ],
        SecretsManager::Gcp => {
            let host = url.split_once("//").map_or("", |(_, host)| host).to_owned();
            vec![
                ("GCP_SECRET_MANAGER_URL", url),
                ("GCP_TOKEN", token),
                ("GOOGLE_CLOUD_PROJECT", secrets::PROJECT.to_owned()),
                ("GCE_METADATA_HOST", host),
            ]
        }
    }
}

/// Tells of faults on standard error, and hands records to the history's file.
struct Teller {
    file: Option<Arc<RecordFile>>,
}

impl Recorder for Teller {
    fn record(&self, record: Record) {
        match &record {
            Record::Exchange(exchange) => {
                let what = format!("{} {}", exchange.method, exchange.target);
                tell(&exchange.faults, &what, exchange.status);
            }
            Record::Delivery(delivery) => {
                let what = format!("{} to {}", delivery.webhook_event, delivery.url);
                tell(&delivery.faults, &what, delivery.status);
            }
            _ => {}
        }
        if let Some(file) = &self.file {
            file.record(record);
        }
    }
}

fn tell(faults: &[FaultMark], what: &str, status: Option<u16>) {
    let what = clean(what);
    for FaultMark { rule, kind, .. } in faults {
        tracing::info!(rule = clean(rule), fault = kind.name(), status, "{what}");
    }
}
