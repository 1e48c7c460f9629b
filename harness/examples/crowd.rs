//! The crowd alone: so many arrivals a second, for so long, at a trivial page server, with everything
//! recorded and searched as in a run. Prints one line at the end:
//!
//! ```text
//! rate=6000 seconds=6 arrivals=35846 sent=35846 late_p50_us=591 late_p99_us=4085 late_max_us=7423 cpu_us_per_arrival=69.0 releases=8467 spins=453 dispatcher_cpu_ms=304 peak_mib=31 history_mib=1.1
//! ```
//!
//! ```sh
//! cargo run --release --example crowd -- --rate 6000 --seconds 10
//! ```
//!
//! | argument | what it is |
//! |---|---|
//! | `--rate N` | arrivals a second, one GET each; 6,000 unless said |
//! | `--seconds T` | for how long; 10 unless said |
//! | `--users N` | how many may be under way at once; 400 unless said |
//! | `--creators N` | how many pages there are; 400 unless said |
//! | `--url URL` | a page server that stands already, as `http://host:port`; else one is started, in a process of its own |
//! | `--no-history` | nothing is recorded or searched: what is left is the visitors' own cost |
//! | `--serve [PORT]` | only the page server: prints its `http://host:port` and answers until its standard input ends |
//!
//! Processor time is that of this process (visitors, dispatcher, search, writer) from the first arrival
//! until the history is complete, and never the page server's. goose prints `N users launched.` before.

use mock_server::clock::Clock;
use mock_server::redact::Kind;
use mock_server::world::population::{Group, Population};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use scenarios::front_door::FrontDoor;
use scenarios::history::{GeneratorReport, Operation};
use scenarios::plan::{
    Creators, Generator, KeyPlan, Pace, Phase, PhaseKind, Plan, Shape, Step, Traffic,
};
use scenarios::traffic::actions::Action;
use scenarios::traffic::{Answer, LEAD, OperationSink, Storm};
use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use windthrow::storm::observe::canaries::{Canaries, Credentials};
use windthrow::storm::observe::search::Search;
use windthrow::storm::process_faults::due::DueFaults;
use windthrow::storm::recorder::Recorder;
use windthrow::storm::tap::Tap;

struct Arguments {
    rate: u32,
    seconds: u64,
    users: u32,
    creators: u32,
    url: Option<String>,
    history: bool,
    serve: Option<u16>,
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn arguments() -> Result<Arguments> {
    let mut all = Arguments {
        rate: 6_000,
        seconds: 10,
        users: 400,
        creators: 400,
        url: None,
        history: true,
        serve: None,
    };
    let mut words = std::env::args().skip(1).peekable();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--rate" => all.rate = value()?.parse()?,
            "--seconds" => all.seconds = value()?.parse()?,
            "--users" => all.users = value()?.parse()?,
            "--creators" => all.creators = value()?.parse()?,
            "--url" => all.url = Some(value()?),
            "--no-history" => all.history = false,
            "--serve" => {
                let port = words.next_if(|next| next.parse::<u16>().is_ok());
                all.serve = Some(port.map_or(Ok(0), |port| port.parse())?);
            }
            // Cargo's own, when it is run as a benchmark.
            "--bench" => {}
            _ => return Err(format!("{word} is no argument; see the head of crowd.rs").into()),
        }
    }
    Ok(all)
}

fn population(creators: u32) -> Population {
    let group = Group {
        prefix: "page".into(),
        count: creators,
        min_links: 3,
        max_links: 12,
        ..Group::default()
    };
    Population { groups: vec![group] }
}

fn plan(of: &Arguments) -> Plan {
    let until_ms = of.seconds * 1_000;
    Plan {
        id: "crowd".into(),
        summary: "page views at a steady rate".into(),
        seed: 7,
        time_scale: 1,
        population: population(of.creators),
        phases: vec![Phase {
            name: "storm".into(),
            kind: PhaseKind::Storm,
            from_ms: 0,
            // Whoever is late is still sent, so that what could not be kept up with is seen as lateness.
            until_ms: until_ms + 30_000,
        }],
        traffic: vec![Traffic {
            id: "crowd".into(),
            from_ms: 0,
            until_ms,
            pace: Pace::Open { shape: Shape::Steady { rate: of.rate } },
            creators: Creators::Zipf { group: "page".into(), exponent_milli: 1_000 },
            does: vec![Step::always(Action::Page)],
        }],
        faults: vec![],
        world: vec![],
        key: KeyPlan::default(),
        generator: Generator { users: of.users, timeout_ms: 30_000, p99_lateness_ms: 20 },
        guarantees: vec![],
        watches: Vec::new(),
        tls: false,
        exclusive: true,
    }
}

/// The answer to whoever asks for a path: a page of some 2 kB with a dozen links.
fn page(path: &str) -> Vec<u8> {
    let handle = path.trim_start_matches('/').split('?').next().unwrap_or_default();
    let mut body = format!(
        "<!doctype html><html><head><meta charset=utf-8><title>{handle}</title>\
         <meta name=\"profile-version\" content=\"v0-12345678\"></head><body><h1>{handle}</h1><ul>\n"
    );
    for link in 1..=12 {
        let _ = writeln!(
            body,
            "<li><a href=\"https://shop.example.org/{handle}?a={link}&amp;b=2\" \
             data-link-id=\"{handle}-l{link}\" rel=\"noopener nofollow\">It&#39;s new, no. {link}</a></li>"
        );
    }
    body.push_str("</ul></body></html>\n");
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {length}\r\n\
         x-profile-version: v0-12345678\r\ncache-status: bench; hit; ttl=30\r\n\
         date: Sun, 01 Mar 2026 02:00:31 GMT\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Answers until standard input ends.
async fn serve(port: u16) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(answer(socket));
        }
    });
    let end = || std::io::stdin().read_to_end(&mut Vec::new());
    tokio::task::spawn_blocking(end).await??;
    Ok(())
}

async fn answer(mut socket: TcpStream) {
    let _ = socket.set_nodelay(true);
    let (mut head, mut pages) = (vec![0; 8_192], std::collections::HashMap::new());
    // One small request at a time comes on a connection, in one piece.
    while let Ok(length @ 1..) = socket.read(&mut head).await {
        let line = String::from_utf8_lossy(&head[..length]);
        let target = line.split(' ').nth(1).unwrap_or("/");
        let path = target.split('?').next().unwrap_or_default().to_owned();
        let answer = pages.entry(path).or_insert_with_key(|path| page(path));
        if socket.write_all(answer).await.is_err() {
            return;
        }
    }
}

/// The page server in a process of its own, which ends with this one.
struct Server(Child);

impl Server {
    fn start() -> Result<(Self, String)> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("--serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut url = String::new();
        let stdout = child.stdout.take().ok_or("the page server says nothing")?;
        BufReader::new(stdout).read_line(&mut url)?;
        Ok((Self(child), url.trim().to_owned()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its standard input ends.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

struct Nowhere;

impl OperationSink for Nowhere {
    fn operation(&self, _: Operation<'static>) {}
    fn answer(&self, _: &Operation<'_>, _: &Answer) {}
}

fn canaries(creators: u32) -> Canaries {
    let key = |n| (format!("lt_live_{n:032x}"), Kind::ApiKey);
    let credentials = Credentials {
        linktree: (0..3).map(key).collect(),
        vault_token: "vault-0123456789",
        session: "session-0123456789",
    };
    Canaries::of(&credentials, &population(creators), 7)
}

/// Processor time of this process so far, and its peak memory, KiB.
fn used() -> Result<(Duration, i64)> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let us = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    // Darwin counts bytes, all others KiB.
    let kib = if cfg!(target_os = "macos") { 1_024 } else { 1 };
    Ok((Duration::from_micros(u64::try_from(us)?), usage.max_rss() / kib))
}

async fn throw(of: &Arguments, url: String) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("windthrow-crowd-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("history.ndjson.zst");
    let clock = Clock::start();
    let (mut sink, mut recording): (Arc<dyn OperationSink>, _) = (Arc::new(Nowhere), None);
    if of.history {
        let (recorder, writer) = Recorder::create(&path)?;
        let canaries = Arc::new(canaries(of.creators));
        recorder.conceal(&canaries);
        let (_, counting) = DueFaults::of(&[], clock, &recorder);
        let tap = Tap::new(counting, &recorder);
        tap.search_with(&Arc::new(Search::new(canaries, &recorder, clock)));
        (sink, recording) = (Arc::new(tap), Some(writer));
    }
    let armed = clock.now().plus(LEAD + Duration::from_millis(500));
    let storm = Storm {
        plan: plan(of),
        front_url: url,
        front: FrontDoor::default(),
        session_secret: String::new(),
        armed,
        clock,
        sink,
        stop: Arc::new(AtomicBool::new(false)),
    };
    let begun = tokio::spawn(async move {
        tokio::time::sleep_until(clock.instant(armed).into()).await;
        used().map(|used| used.0).map_err(|error| error.to_string())
    });
    let report = scenarios::traffic::run(storm).await?;
    if let Some(writer) = recording {
        writer.finish()?;
    }
    let (cpu, peak_kib) = used()?;
    let cpu = cpu.saturating_sub(begun.await??);
    let history = std::fs::metadata(&path).map_or(0, |data| data.len());
    std::fs::remove_dir_all(&folder)?;
    tell(of, &report, cpu, peak_kib, history);
    Ok(())
}

#[allow(clippy::cast_precision_loss)] // figures for people
fn tell(of: &Arguments, report: &GeneratorReport, cpu: Duration, peak_kib: i64, history: u64) {
    let late = |share| report.lateness.quantile_us(share);
    let dispatch = report.dispatch.unwrap_or_default();
    println!(
        "rate={} seconds={} arrivals={} sent={} late_p50_us={} late_p99_us={} late_max_us={} \
         cpu_us_per_arrival={:.1} releases={} spins={} dispatcher_cpu_ms={} peak_mib={} \
         history_mib={:.1}",
        of.rate,
        of.seconds,
        report.scheduled,
        report.sent,
        late(0.5),
        late(0.99),
        report.lateness.max_us(),
        cpu.as_micros() as f64 / report.sent.max(1) as f64,
        dispatch.releases,
        dispatch.spins,
        dispatch.cpu_us / 1_000,
        peak_kib / 1_024,
        history as f64 / f64::from(1 << 20),
    );
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = arguments()?;
    if let Some(port) = arguments.serve {
        return serve(port).await;
    }
    match &arguments.url {
        Some(url) => throw(&arguments, url.clone()).await,
        None => {
            let (_server, url) = Server::start()?;
            throw(&arguments, url).await
        }
    }
}
