//! The process that carries out one scenario, seen from the run: ordered, heard, and ended in time.

use crate::evidence::shortfall::{Kind, Shortfall};
use crate::private;
use crate::process::tail;
use crate::progress::Bar;
use crate::schedule::Place;
use crate::storm::order::{Order, Said};
use mock_server::clock::{Clock, Moment};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::Instant;

/// What a scenario may take beyond its plan: start, drain, stop.
const SPARE: Duration = Duration::from_secs(60);
/// How long a child may take to end after SIGTERM; its own parts are bounded below this.
const STOP_WITHIN: Duration = Duration::from_secs(25);
/// How long the last lines of an ended child may take to be read.
const LAST_WORD: Duration = Duration::from_secs(1);
/// How long the next target waits for one that starts: whoever does not start at all shall be told soon.
const TURN: Duration = Duration::from_secs(5);
/// How often a bar moves.
const TICK: Duration = Duration::from_millis(250);
/// Lines of `harness.log` that stand in a message.
const LAST_LINES: usize = 15;

/// Has the order carried out, and lets the next target start once this one has; once `stopped` changes,
/// the scenario is asked to end early.
///
/// # Errors
///
/// Why there is no whole recording.
pub async fn run(
    order: &Order,
    bar: &Bar,
    length: Duration,
    place: &mut Place,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), Shortfall> {
    let failed = |why: String| Shortfall { kind: Kind::Failed, why };
    let words = |error: io::Error| failed(format!("failed to start the scenario: {error}"));
    let log = order.folder.join("harness.log");
    let file = private::file(&log).map_err(words)?;
    let mut child = start().map_err(words)?;
    let said = child.stderr.take().ok_or_else(|| failed("the scenario has no log".into()))?;
    let kept = super::log::keep(file, said);
    let mut input = child.stdin.take().ok_or_else(|| failed("the scenario has no input".into()))?;
    // Whoever does not read it has ended, and says why below.
    let _ = order.send(&mut input).await;
    let out = child.stdout.take().ok_or_else(|| failed("the scenario has no output".into()))?;
    let mut lines = BufReader::new(out).lines();
    let clock = Clock::start();
    let within = |time| Instant::from(clock.instant(clock.now().plus(time)));
    let mut tick = tokio::time::interval(TICK);
    let (mut asked, mut more, mut why) = (false, true, None);
    let mut deadline = within(length + SPARE);
    let turn = within(TURN);
    let status = loop {
        tokio::select! {
            status = child.wait() => break status.map_err(words)?,
            line = lines.next_line(), if more => match line {
                Ok(Some(line)) => hear(&line, bar, place, &mut why),
                _ => more = false,
            },
            () = tokio::time::sleep_until(turn), if place.is_starting() => place.started(),
            _ = tick.tick() => bar.tick(clock.now().since(Moment::ZERO)),
            changed = stopped.changed(), if !asked => if changed.is_ok() {
                asked = true;
                bar.say("stopping");
                terminate(&child);
                deadline = within(STOP_WITHIN);
            },
            () = tokio::time::sleep_until(deadline) => {
                let _ = child.start_kill();
                let _ = child.wait().await;
                let _ = tokio::time::timeout(LAST_WORD, kept).await;
                let said = tail(&log, LAST_LINES);
                let kind = if asked { Kind::Interrupted } else { Kind::Crashed };
                return Err(Shortfall { kind, why: format!("the scenario did not end in time\n{said}") });
            }
        }
    };
    drop(input);
    // Its last word may still be on the way; nobody else holds the pipe for long.
    let rest = async {
        while let Ok(Some(line)) = lines.next_line().await {
            hear(&line, bar, place, &mut why);
        }
    };
    let _ = tokio::time::timeout(LAST_WORD, async { tokio::join!(rest, kept) }).await;
    if status.success() {
        return Ok(());
    }
    Err(match why {
        Some(why) => failed(why),
        // Whoever is asked to stop before it listens is ended by the signal.
        None if asked && status.signal() == Some(Signal::SIGTERM as i32) => {
            Shortfall { kind: Kind::Interrupted, why: "Ctrl-C or a signal stopped it".to_owned() }
        }
        None => {
            let said = tail(&log, LAST_LINES);
            let why = format!("the process that carried the scenario out ended: {status}\n{said}");
            Shortfall { kind: Kind::Crashed, why }
        }
    })
}

/// The child in a group of its own; it ends when its standard input does, however that came.
fn start() -> io::Result<Child> {
    Command::new(std::env::current_exe()?)
        .arg("__scenario")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

fn hear(line: &str, bar: &Bar, place: &mut Place, why: &mut Option<String>) {
    match Said::heard(line) {
        Some(Said::Ready) => place.started(),
        Some(Said::Phase(phase)) => bar.say(&phase),
        Some(Said::Load { arrived, planned, faults }) => bar.load(arrived, planned, &faults),
        Some(Said::Lacks(what)) => bar.warn(&what),
        Some(Said::Failure(words)) => *why = Some(words),
        None => {}
    }
}

fn terminate(child: &Child) {
    if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
    }
}
