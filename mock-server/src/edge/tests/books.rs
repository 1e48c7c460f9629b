//! After a storm of every kind of request nothing is left of it but its records, each once.

use super::super::Tuning;
use super::tuned;
use crate::faults::*;
use crate::rig::{Client, Rig, always, click};
use std::collections::BTreeSet;
use std::sync::Arc;

const THREADS: usize = 4;
const ROUNDS: usize = 130;

#[test]
fn after_a_storm_the_books_are_even() {
    let me = std::env::current_exe().unwrap();
    let name = "edge::tests::books::a_storm_in_a_process_of_its_own";
    let args = ["--exact", name, "--ignored", "--nocapture"];
    let run = std::process::Command::new(me).args(args).output().unwrap();
    let printed = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{printed}{}", String::from_utf8_lossy(&run.stderr));
    assert!(printed.contains("1 passed"), "{printed}");
}

/// Files that this process has open, and what they are.
fn files() -> Vec<String> {
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        std::fs::read_link(entry.ok()?.path()).ok().map(|path| path.display().to_string())
    };
    std::fs::read_dir("/proc/self/fd").unwrap().filter_map(name).collect()
}

/// Waits, within patience, until it is so.
fn becomes(rig_clock: crate::clock::Clock, what: &str, so: impl Fn() -> bool) {
    let deadline = rig_clock.now().plus(crate::rig::PATIENCE);
    while !so() {
        assert!(rig_clock.now() < deadline, "{what}; files: {:?}", files());
        std::thread::yield_now();
    }
}

fn some(id: &str, of: u32, fault: Fault) -> Rule {
    let mut rule = always(id, fault);
    rule.matcher.handle = Some("viral-*".into());
    rule.pick = Pick::Share { ratio: Ratio { hits: 1, of } };
    rule
}

fn storm(tuning: Tuning) -> Rig {
    tuned(tuning, |config| {
        let stall = |at| Fault::Stall(Stall { at });
        let reset = |at| Fault::Reset(Reset { at });
        let mut unheard = always("stalled", stall(StallAt::BeforeHead));
        unheard.matcher.handle = Some("tail-0002".into());
        config.rules = vec![
            unheard,
            some("slow", 3, Fault::Latency(Latency::Constant { ms: 1 })),
            some("silent", 7, stall(StallAt::BeforeBody)),
            some("drip", 6, stall(StallAt::Trickle { every_ms: 1 })),
            some("gone", 5, reset(ResetAt::BeforeHead)),
            some("half", 5, reset(ResetAt::MidBody)),
            some("short", 4, Fault::Truncate(Truncate { percent: 50 })),
            some("lost", 4, Fault::LoseAnswer(LoseAnswer {})),
        ];
    })
}

/// One client of the `kind`; none of them waits for an end that only it could bring about.
fn client(rig: &Rig, kind: usize, name: &str) {
    let good = || rig.request("GET", "/v1/profiles/tail-0001", "", "");
    let faulty = || rig.request("GET", "/v1/profiles/viral-0001/links", "", "");
    let key = format!("Idempotency-Key: {name}\r\n");
    let post = || rig.request("POST", "/v1/clicks", &key, &click(name, "l1"));
    let mut client = Client::to(rig.mock.port());
    match kind {
        0 => {
            for _ in 0..3 {
                client.write(&good());
                assert_eq!(client.answer().status, 200);
            }
        }
        1 => {
            client.write(&good().repeat(3));
            client.close_write();
            assert_eq!(client.rest().0.matches("HTTP/1.1 200").count(), 3);
        }
        2 => client.write(&good()),
        3 => client.write(&good()[..30]),
        4 => client.write(&post()[..post().len() - 9]),
        5 => client.write("\x16\x03\x01 no request\r\n\r\n"),
        6 => client.write(&format!("GET / HTTP/1.1\r\nA: {}", "x".repeat(40_000))),
        7 => {
            client.write(&post());
            assert_eq!(client.answer().status, 202);
        }
        8 => client.write("CONNECT host:80 HTTP/1.1\r\n\r\n\x16\x03\x01"),
        9 => client.write(&rig.request("GET", "/v1/profiles/tail-0002", "", "")),
        10 => client.write("POST /v1/clicks HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz"),
        _ => {
            client.write(&faulty());
            client.close_write();
            let _ = client.rest(); // some are reset, and shall be
        }
    }
}

#[test]
#[ignore = "it counts the files of a process of its own"]
fn a_storm_in_a_process_of_its_own() {
    // The first runtime of a process opens two sockets for signals, and they stay.
    drop(tokio::runtime::Builder::new_current_thread().enable_all().build());
    let before = files().len();
    let rig = storm(Tuning { swap_after: 100, backend: 8, ..Tuning::default() });
    // A server's thread opens its files a little after the server can be reached, and before it
    // answers.
    client(&rig, 0, "first");
    let vault = rig.mock.vault_url();
    let mut vault = Client::to(vault.rsplit(':').next().unwrap().parse().unwrap());
    vault.write("GET / HTTP/1.0\r\n\r\n");
    assert!(vault.rest().0.starts_with("HTTP/1.0 "));
    drop(vault);
    let idle = files().len();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let rig = &rig;
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    client(rig, round % 13, &format!("click-{thread}-{round}"));
                }
            });
        }
    });
    let clock = rig.clock;
    becomes(clock, "connections stay open", || rig.mock.connections() == 0);
    assert_eq!((rig.mock.in_flight(), rig.mock.at_rendezvous()), (0, 0));
    // Eight idle connections to wiremock have sixteen ends.
    becomes(clock, "files stay open", || files().len() <= idle + 16);
    let begun = rig.mock.probes();
    let tape = Arc::clone(&rig.tape);
    rig.mock.stop();
    becomes(clock, "files stay open after the end", || files().len() <= before);

    let records = tape.wait(usize::try_from(begun).unwrap());
    let ids: BTreeSet<u64> = records.iter().map(|record| record.id).collect();
    assert_eq!((records.len() as u64, ids), (begun, (0..begun).collect()), "each once");
    let ends: BTreeSet<String> = records.iter().map(|one| format!("{:?}", one.end)).collect();
    let all = ["ClientAbort", "Complete", "ServerReset", "Truncated"].map(str::to_owned);
    assert_eq!(ends, BTreeSet::from(all), "the storm was one");
    assert!(records.len() > THREADS * ROUNDS, "{}", records.len());
    assert_eq!(tape.complaints(), Vec::<String>::new());
}
