//! The table of every fault and what a raw client sees of it, made by looking.
//!
//! It stands in `tests/fault_table.md`. After a change that is meant, write it anew with
//! `WINDTHROW_WRITE_FAULT_TABLE=1 cargo test -p mock-server --test mock the_fault_table`.

use super::sight::{Ending, Sight, connect, look};
use super::words::described;
use super::{handshakes, kinds};
use crate::rig::{Rig, click};
use mock_server::clock::Moment;
use mock_server::faults::{Caution, FAULTS, Fault, Harm, Latency, Place, Stage, Stall, StallAt};
use mock_server::history::exchange::{End, Exchange};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

/// Settings beside those of the examples.
const VARIANTS: &[&str] = &[
    "kind = 'status'\ncodes = [503]",
    "kind = 'status'\ncodes = [429]\nretry_after = [{ form = 'seconds', s = 7 }]",
    "kind = 'status'\ncodes = [429]\nretry_after = [{ form = 'date', s = 60 }]",
    "kind = 'status'\ncodes = [429]\nretry_after = [{ form = 'rfc850', s = 60 }]",
    "kind = 'status'\ncodes = [429]\nretry_after = [{ form = 'asctime', s = 60 }]",
    "kind = 'status'\ncodes = [429]\nretry_after = [{ form = 'past', s = 60 }]",
    "kind = 'status'\ncodes = [429]\nretry_after = [{ form = 'huge' }]",
    "kind = 'status'\ncodes = [429]\nretry_after = [{ form = 'malformed', value = '-5' }]",
    "kind = 'status'\ncodes = [429]\nretry_after = [{ form = 'malformed', value = '1, 120' }]",
    "kind = 'status'\ncodes = [429]\nretry_after = [{ form = 'absent' }]",
    "kind = 'rate-headers'\nlies = ['missing']",
    "kind = 'rate-headers'\nlies = ['full']",
    "kind = 'rate-headers'\nlies = ['garbage']",
    "kind = 'rate-headers'\nlies = ['other-reset']",
    "kind = 'rate-headers'\nlies = ['huge']",
    "kind = 'skewed-date'\ndate = { off = { by_s = 86400 } }",
    "kind = 'skewed-date'\ndate = 'missing'",
    "kind = 'skewed-date'\ndate = { malformed = { value = 'yesterday' } }",
    "kind = 'html'\nstatus = 503",
    "kind = 'content-type'\nvalues = ['text/html']",
    "kind = 'content-type'",
    "kind = 'bad-json'\nflaws = ['cut']",
    "kind = 'bad-json'\nflaws = ['trailing-garbage']",
    "kind = 'bad-json'\nflaws = ['wrong-types']",
    "kind = 'bad-json'\nflaws = ['bom']",
    "kind = 'bad-json'\nflaws = ['nan']",
    "kind = 'bad-json'\nflaws = ['duplicate-keys']",
    "kind = 'bad-json'\nflaws = ['deep-nesting']",
    "kind = 'bad-json'\nflaws = ['empty']",
    "kind = 'bad-json'\nflaws = ['invalid-utf8']",
    "kind = 'latency'\ndistribution = 'constant'\nms = 30",
    "kind = 'latency'\ndistribution = 'uniform'\nmin_ms = 10\nmax_ms = 50",
    "kind = 'latency'\ndistribution = 'long-tail'\nmin_ms = 10\nalpha_milli = 1200\nmax_ms = 500",
    "kind = 'stall'\nat = 'before-head'",
    "kind = 'stall'\nat = 'before-body'",
    "kind = 'stall'\nat = { mid-body = { percent = 50 } }",
    "kind = 'stall'\nat = { trickle = { every_ms = 1 } }",
    "kind = 'reset'\nat = 'accept'",
    "kind = 'reset'\nat = 'before-head'",
    "kind = 'bad-chunk'\nflaws = ['missing-end']",
    "kind = 'bad-chunk'\nflaws = ['short-chunk']",
    "kind = 'malformed-head'\nflaws = ['two-lengths']",
    "kind = 'malformed-head'\nflaws = ['huge-field']",
    "kind = 'malformed-head'\nflaws = ['no-colon']",
    "kind = 'malformed-head'\nflaws = ['nul-byte']",
    "kind = 'bad-certificate'\nflaw = 'wrong-host'",
    "kind = 'bad-certificate'\nflaw = 'unknown-authority'",
    "kind = 'bad-handshake'\nhow = 'reset'",
    "kind = 'bad-handshake'\nhow = 'old-protocol'",
];

#[test]
fn the_fault_table_says_what_a_raw_client_sees_of_every_fault() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fault_table.md");
    let found = table();
    if std::env::var_os("WINDTHROW_WRITE_FAULT_TABLE").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    for (kept, found) in kept.lines().zip(found.lines()) {
        assert_eq!(kept, found, "see the head of this file for how to write the table anew");
    }
    assert_eq!(kept.lines().count(), found.lines().count(), "the table has other rows");
}

fn table() -> String {
    let at_the_edge = |place| matches!(place, Place::Respond | Place::Edge);
    let listed = FAULTS.iter().filter(|info| at_the_edge(info.place));
    let settings = |info: &mock_server::faults::FaultInfo| {
        let mine = move |text: &&str| parsed(text).info().kind == info.kind;
        let variants: Vec<Fault> = VARIANTS.iter().copied().filter(mine).map(parsed).collect();
        std::iter::once(parsed(info.example_toml)).chain(variants).collect::<Vec<_>>()
    };
    let faults: Vec<Fault> = listed.flat_map(settings).collect();
    let next = Mutex::new(0..faults.len());
    let rows = Mutex::new(vec![String::new(); faults.len()]);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(index) = { next.lock().unwrap().next() } {
                    let row = row(&faults[index]);
                    rows.lock().unwrap()[index] = row;
                }
            });
        }
    });
    let mut out = "# Every fault, and what a raw client sees of it\n\n\
        Made by a test that looks (`tests/mock/faults/table.rs`). Headers are shown where they differ \
        from those of an answer without a fault.\n\n\
        | fault | settings | what a client sees of a read | effect of a write | in the history |\n\
        |---|---|---|---|---|\n"
        .to_owned();
    rows.into_inner().unwrap().iter().for_each(|row| out.push_str(row));
    out
}

fn parsed(text: &str) -> Fault {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn row(fault: &Fault) -> String {
    if fault.info().calls_for(Caution::HitsHandshakes) {
        return handshake_row(fault);
    }
    let rig = Rig::with_fault(fault.clone());
    let (request, plain) = read(&rig, fault);
    let sight = seen(&rig, &request, fault);
    let ended = rig.clock.now();
    let record = recorded(rig);
    harmed(fault, &record);
    let mut settings = serde_json::to_value(fault).unwrap();
    settings.as_object_mut().unwrap().remove("kind");
    let (kind, words) = (
        fault.kind().name(),
        described(&sight, &plain, fault) + &pace(fault, &sight, &record, ended),
    );
    let (done, history) = (effect(fault), history(&record));
    format!("| {kind} | `{settings}` | {words} | {done} | {history} |\n").replace("||", "| none |")
}

/// Of a fault that only a client meets which speaks TLS.
fn handshake_row(fault: &Fault) -> String {
    let (looks, blind, record) = handshakes::seen(fault);
    let words = match looks == blind {
        true => looks,
        false => format!("{looks}; a client that does not verify: {blind}"),
    };
    let mut settings = serde_json::to_value(fault).unwrap();
    settings.as_object_mut().unwrap().remove("kind");
    let (kind, history) = (fault.kind().name(), history(&record));
    format!("| {kind} | `{settings}` | over TLS: {words} | no: it is never read | {history} |\n")
}

/// What became of the attempt is what the fault says of itself.
fn harmed(fault: &Fault, record: &Exchange) {
    match fault.harm() {
        Harm::Fails => assert!(record.is_definite_failure(), "{record:?}"),
        Harm::None | Harm::Slows { .. } => assert!(record.is_success(), "{record:?}"),
        Harm::MayFail => {}
        Harm::HitsNone => panic!("{fault:?} hit an attempt"),
    }
}

/// How slow it was, where that is what the fault is about.
fn pace(fault: &Fault, sight: &Sight, record: &Exchange, ended: Moment) -> String {
    let first = record.t_first.unwrap_or(record.t_req);
    let least = |ms: u64| {
        assert!(first.since(record.t_req) >= Duration::from_millis(ms), "{record:?}");
        format!("; the first byte no sooner than after {ms} ms")
    };
    match fault {
        Fault::Latency(Latency::Constant { ms }) => least(*ms),
        Fault::Latency(Latency::Uniform { min_ms, .. } | Latency::LongTail { min_ms, .. }) => {
            least(*min_ms)
        }
        // Its seed is that of the mock, and so its time is always the same.
        Fault::Latency(Latency::Lognormal { .. }) => least(10),
        Fault::Bandwidth(line) => {
            let most = sight.bytes.len() as u64 * 1_000 / line.bytes_per_s;
            let took = record.t_w.unwrap().since(first);
            assert!(took >= Duration::from_millis(most), "{took:?}");
            format!("; no more than {} bytes a second", line.bytes_per_s)
        }
        Fault::SlowClose(close) => {
            // The wait begins just after the last byte was recorded.
            assert!(ended.since(record.t_w.unwrap()) >= Duration::from_millis(close.ms));
            format!("; the FIN no sooner than {} ms after the last byte", close.ms)
        }
        Fault::Stall(Stall { at: StallAt::Trickle { every_ms: 1 } }) => {
            let took = record.t_w.unwrap().since(first);
            assert!(took >= Duration::from_millis(sight.body().len() as u64), "{took:?}");
            "; one byte each 1 ms".to_owned()
        }
        _ => String::new(),
    }
}

/// The read at which a fault shows, and what it looks like without one.
fn read(rig: &Rig, fault: &Fault) -> (String, Sight) {
    let plain = Rig::plain();
    let links = "/v1/profiles/viral-0001/links";
    let target = match fault {
        Fault::ExpiredCursor(_) => {
            format!("{links}?cursor={}", plain.get(links).json()["cursor"].as_str().unwrap())
        }
        Fault::ShortPages(_) => links.to_owned(),
        _ => super::PROFILE.to_owned(),
    };
    let request = |rig: &Rig| match fault {
        Fault::PartialFailure(_) => rig.request("POST", "/v1/clicks/batch", "", &batch()),
        _ => rig.request("GET", &target, "", ""),
    };
    // A mock of its own, so that both have seen as many requests.
    let sight = look(&Rig::plain(), &request(&plain), false);
    (request(rig), sight)
}

fn batch() -> String {
    let events: Vec<_> = (0..6).map(|n| click(&format!("e{n}"), "l1")).collect();
    format!("{{\"events\":[{}]}}", events.join(","))
}

fn seen(rig: &Rig, request: &str, fault: &Fault) -> Sight {
    let silent = match fault {
        Fault::Stall(stall) => stall.at != (StallAt::Trickle { every_ms: 1 }),
        Fault::Hold(_) => true,
        _ => false,
    };
    let deadline = rig.clock.now().plus(crate::rig::PATIENCE);
    loop {
        let sight = look(rig, request, silent);
        // Its window has just begun: a client that was quicker than that is reset.
        let early = match fault {
            Fault::Refuse(_) => sight.end != Ending::Refused,
            Fault::NoConnect(_) => sight.end != Ending::Unanswered,
            _ => false,
        };
        if !early || rig.clock.now() > deadline {
            return sight;
        }
    }
}

/// The last record of a mock that has been stopped.
fn recorded(rig: Rig) -> Exchange {
    let open = rig.mock.held().len();
    if open == 0 && rig.mock.probes() > 0 {
        // Whoever left is recorded soon, unless it is a refusal, which lasts until the end.
        let refusing = connect(&rig).is_err();
        if !refusing {
            rig.tape.wait(1);
        }
    } else {
        rig.tape.wait(1);
    }
    rig.mock.stop();
    rig.tape.wait(1).pop().unwrap()
}

/// Whether a click that is sent into the fault is counted.
fn effect(fault: &Fault) -> &'static str {
    if fault.stage() == Stage::Connection {
        return "no: it is never read";
    }
    let rig = Rig::with_fault(fault.clone());
    let request = match fault {
        Fault::PartialFailure(_) => rig.request("POST", "/v1/clicks/batch", "", &batch()),
        _ => rig.request("POST", "/v1/clicks", "Idempotency-Key: k\r\n", &click("e1", "l1")),
    };
    seen(&rig, &request, fault);
    let record = rig.tape.wait(1).remove(0);
    match record.clicks.iter().filter(|click| click.effect).count() {
        0 => "no",
        all if all == record.clicks.len() => "yes",
        _ => "of some items",
    }
}

fn history(record: &Exchange) -> String {
    let end = match record.end {
        End::Complete => "complete",
        End::ClientAbort => "the client gave up",
        End::ServerReset => "broken off by the server",
        End::Truncated => "cut short",
        End::Open => "open at the end",
    };
    let status = record.status.map_or(String::new(), |status| format!(", {status}"));
    let doubtful = if record.doubtful { ", doubtful" } else { "" };
    let request = if record.is_connection_only() { ", no request" } else { "" };
    let marks = kinds(record).join(", ");
    let marks = if marks.is_empty() { "no mark".to_owned() } else { format!("marked {marks}") };
    format!("{end}{status}{doubtful}{request}; {marks}")
}
