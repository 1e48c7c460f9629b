//! Proves what a raw client of the integration meets, at the level of bytes, when its process is
//! killed, stopped or stands still; and that the history tells the same.

mod leavers;
mod rig;

use mock_server::faults::{Fault, Kill, Matcher, Pause, Pick, Rule, Strike, Window};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rig::{PATIENCE, Rig, eventually, has_ended, log, state};
use std::sync::Arc;
use std::time::Duration;
use windthrow::storm::process_faults::due::DueFaults;
use windthrow::storm::process_faults::{self, Lost};

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
    assert_eq!(
        rig.changes().await,
        ["started", "ready", "killed", "gone", "started", "ready", "gone"]
    );
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
    assert_eq!(rig.changes().await, ["started", "ready", "paused", "resumed", "gone"]);
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
        ["started", "ready", "terminated", "ended", "gone", "started", "ready", "gone"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_takes_longer_than_its_grace_is_a_kill() {
    let mut rig = Rig::start().await;
    let mut waiting = rig.waiting_for_a_page().await;
    rig.target.terminate("stopped", Duration::from_millis(50)).await;
    assert_eq!(waiting.rest().await.0, "");
    assert!(rig.is_refused().await && !rig.target.is_ready());
    assert_eq!(rig.changes().await, ["started", "ready", "terminated", "killed", "gone"]);
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
    assert_eq!(
        rig.changes().await,
        ["started", "ready", "killed", "gone", "started", "ready", "gone"]
    );
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
        let restarted = || log(rig.folder.path()).matches("serving").count() == 3;
        eventually("the second restart", restarted).await;
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
    let expected = ["started", "ready", "killed", "gone", "started", "ready", "paused", "resumed"];
    assert_eq!(changes[..8], expected, "{changes:?}");
    assert_eq!(changes[8..11], ["killed", "gone", "started"], "{changes:?}");
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
    assert_eq!(rig.changes().await, ["started", "ready", "killed", "gone"]);
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
