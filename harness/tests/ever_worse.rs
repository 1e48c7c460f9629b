//! Proves with the real binary that a worse service never gets a milder verdict: one short storm over
//! the reference, over ever worse mutants of it, and over a service that refuses everybody.

use scenarios::catalogue::{Settings, run_plan};
use scenarios::plan::{Creators, Pace, Phase, PhaseKind, RunPlan, Shape, Step, Traffic};
use scenarios::traffic::actions::Action;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use windthrow::evidence::plans;
use windthrow::process::port::free_port;

const SCENARIO: &str = "outage-and-replay";
/// What is judged: whether visitors are served, in an outage as well, and at whose cost.
const PROMISES: [&str; 3] = ["pages-served", "stale-on-outage", "client-rate-cap"];
/// More than the worse cache holds, and so few that the limiter has room for each of them.
const CREATORS: u32 = 10;
const RATE: u32 = 60;

/// The phases of an outage that is just longer than `max-age`, 4 s.
const PHASES: [(PhaseKind, &str, u64); 4] = [
    (PhaseKind::Warmup, "pages are filled", 2_500),
    (PhaseKind::Control, "an ordinary day", 3_000),
    (PhaseKind::Outage, "Linktree is gone", 6_500),
    (PhaseKind::Heal, "Linktree is back", 8_000),
];

/// From better to worse.
const CHAIN: [Service; 4] = [
    Service::Reference(None),
    Service::Reference(Some("small-cache")),
    Service::Reference(Some("no-cache-no-limiter")),
    Service::RefusesAll,
];

#[derive(Clone, Copy, Debug)]
enum Service {
    /// The reference, or a mutant of it.
    Reference(Option<&'static str>),
    /// Asks Linktree for each page, and answers 503 whatever Linktree says.
    RefusesAll,
}

fn plan() -> RunPlan {
    let contract = mock_server::profile::ContractProfile::linktree_v1();
    let mut run = run_plan(&Settings::default(), contract, &[SCENARIO]);
    let plan = &mut run.scenarios[0];
    let mut from_ms = 0;
    plan.phases.clear();
    for (kind, name, ms) in PHASES {
        let until_ms = from_ms + ms;
        plan.phases.push(Phase { name: name.into(), kind, from_ms, until_ms });
        from_ms = until_ms;
    }
    let outage = plan.phases[2].clone();
    plan.population.groups.truncate(1);
    plan.population.groups[0].count = CREATORS;
    let group = plan.population.groups[0].prefix.clone();
    plan.traffic = vec![Traffic {
        id: "visitors".into(),
        from_ms: 200,
        until_ms: from_ms - 1_500,
        pace: Pace::Open { shape: Shape::Steady { rate: RATE } },
        creators: Creators::InTurn { group },
        does: vec![Step::always(Action::Page)],
    }];
    plan.faults.retain(|rule| rule.id == "unavailable");
    plan.faults[0].window.from_ms = outage.from_ms;
    plan.faults[0].window.until_ms = outage.until_ms;
    plan.world.clear();
    plan.guarantees = PROMISES.map(str::to_owned).to_vec();
    plan.watches.clear();
    run
}

/// What is said of each promise, and of the run.
struct Said {
    run: &'static str,
    promises: [String; PROMISES.len()],
}

/// From mild to severe, as the words of a report.
const SEVERITY: [&str; 3] = ["held", "inconclusive", "violated"];

fn severity(verdict: &str) -> usize {
    let place = SEVERITY.iter().position(|word| *word == verdict);
    place.unwrap_or_else(|| panic!("{verdict} is no verdict"))
}

fn said(folder: &Path, output: &Output) -> Said {
    let shown = String::from_utf8_lossy(&output.stdout);
    let file = fs::read(folder.join("runs/latest/result.json"));
    let result: Value = serde_json::from_slice(&file.expect("a result")).unwrap();
    assert_eq!(result["scenarios"][0]["ending"], "completed", "{shown}");
    let promises = PROMISES.map(|id| {
        let cells = result["cells"].as_array().unwrap();
        let cell = cells.iter().find(|cell| cell["guarantee"] == id);
        cell.unwrap_or_else(|| panic!("{id}: {shown}"))["verdict"].as_str().unwrap().to_owned()
    });
    // The worst wins, which is also what the exit code says.
    let worst = promises.iter().map(|verdict| severity(verdict)).max().unwrap();
    assert_eq!(output.status.code(), Some([0, 3, 1][worst]), "{shown}");
    Said { run: SEVERITY[worst], promises }
}

fn judged(service: Service) -> Said {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plan.json"), plans::to_bytes(&plan()).0).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_windthrow"));
    command.args(["run", "--plan", "plan.json"]).current_dir(folder.path());
    match service {
        Service::Reference(mutant) => {
            command.args(mutant.iter().flat_map(|mutant| ["--mutant", mutant]));
        }
        Service::RefusesAll => {
            let [mock, vault] = [(); 2].map(|()| free_port().unwrap());
            let front = refuse_all(mock);
            let config = format!(
                "[target.url]\nbase = \"http://127.0.0.1:{front}\"\nmock_port = {mock}\n\
                 vault_port = {vault}\n"
            );
            fs::write(folder.path().join("windthrow.toml"), config).unwrap();
        }
    }
    let output = command.output().expect("the binary runs");
    said(folder.path(), &output)
}

/// Serves until the test ends; gives the port.
fn refuse_all(mock: u16) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for visitor in listener.incoming().flatten() {
            thread::spawn(move || refuse(visitor, mock));
        }
    });
    port
}

/// One connection, one request. The visitor may be gone, and so may Linktree.
fn refuse(visitor: TcpStream, mock: u16) -> Option<()> {
    let mut request = BufReader::new(visitor);
    let mut line = String::new();
    request.read_line(&mut line).ok()?;
    let mut field = String::new();
    while request.read_line(&mut field).ok()? > 2 {
        field.clear();
    }
    let path = line.split(' ').nth(1)?;
    let status = if path == "/healthz" { "200 OK" } else { "503 Service Unavailable" };
    if let Ok(mut linktree) = TcpStream::connect((Ipv4Addr::LOCALHOST, mock)) {
        let close = "Host: 127.0.0.1\r\nConnection: close\r\n\r\n";
        let _ = write!(linktree, "GET /v1/profiles{path} HTTP/1.1\r\n{close}");
        let _ = BufReader::new(linktree).read_line(&mut field);
    }
    let mut visitor = request.into_inner();
    write!(visitor, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").ok()
}

#[test]
fn ever_worse_services_are_never_judged_more_mildly() {
    assert_eq!(plan().check(), Ok(()));
    let runs = CHAIN.map(|service| thread::spawn(move || judged(service)));
    let chain = runs.map(|run| run.join().unwrap());
    let mut told = String::new();
    for (service, Said { run, promises }) in CHAIN.iter().zip(&chain) {
        let each: Vec<_> = PROMISES.iter().zip(promises).collect();
        writeln!(told, "{service:?}: {run} {each:?}").unwrap();
    }
    eprint!("{told}");
    assert!(chain.is_sorted_by_key(|one| severity(one.run)), "{told}");
    let [reference, .., almost_nothing, nothing] = &chain;
    assert_ne!(reference.run, "violated", "{told}");
    assert_eq!([almost_nothing.run, nothing.run], ["violated"; 2], "{told}");
}
