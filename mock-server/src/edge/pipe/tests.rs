//! Nobody gets another one's answer, whatever is cut, delayed, left or broken.

use super::*;
use proptest::prelude::*;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::{LocalSet, spawn_local};

const PATIENCE: Duration = Duration::from_secs(10);

/// One request of a property test.
#[derive(Clone, Debug)]
struct Plan {
    to_head: bool,
    status: u16,
    body: usize,
    /// Turns of the loop before it asks.
    asks_after: usize,
    /// Whether it is forgotten as soon as it was asked.
    leaves: bool,
}

fn plan() -> impl Strategy<Value = Plan> {
    let status = prop::sample::select(vec![200_u16, 200, 204, 304, 404]);
    let body = prop_oneof![4 => 0_usize..300, 1 => 20_000_usize..90_000];
    (any::<bool>(), status, body, 0_usize..9, prop::bool::weighted(0.2)).prop_map(
        |(to_head, status, body, asks_after, leaves)| Plan {
            to_head,
            status,
            body,
            asks_after,
            leaves,
        },
    )
}

async fn turns(count: usize) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

/// A pipe and the other end of its connection.
async fn pipe() -> (Rc<Pipe>, TcpStream) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let (near, far) =
        tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    let pipe = Pipe::new(near.unwrap());
    spawn_local(Rc::clone(&pipe).work());
    (pipe, far.unwrap().0)
}

async fn ask(pipe: &Pipe, id: usize, to_head: bool) -> io::Result<UpstreamAnswer> {
    let due = Instant::now() + PATIENCE;
    pipe.ask(to_head, due, |out| out.extend_from_slice(format!("{id}\n").as_bytes())).await
}

/// What the server of these tests answers to a request, and what is to come of it.
fn answer(id: usize, plan: &Plan) -> (Vec<u8>, UpstreamAnswer) {
    let body = vec![b'a' + u8::try_from(id % 26).unwrap(); plan.body];
    let code = axum::http::StatusCode::from_u16(plan.status).unwrap();
    let reason = code.canonical_reason().unwrap();
    let head = format!(
        "HTTP/1.1 {} {reason}\r\nx-id: {id}\r\ncontent-length: {}\r\n\r\n",
        plan.status,
        body.len()
    );
    let bodiless = plan.to_head || matches!(plan.status, 204 | 304);
    let body = if bodiless { Vec::new() } else { body };
    let bytes = [head.into_bytes(), body.clone()].concat();
    let lines = format!("x-id: {id}\r\n").into_bytes();
    let (status, reason, to_head) = (plan.status, reason.into(), plan.to_head);
    (bytes, UpstreamAnswer { status, reason, lines, body, to_head })
}

/// Answers each line in its turn, in pieces of these lengths.
async fn serve(mut stream: TcpStream, plans: Rc<Vec<Plan>>, cuts: Vec<usize>) {
    let (mut seen, mut cuts) = (Vec::new(), cuts.into_iter().cycle());
    loop {
        let Some(end) = seen.iter().position(|byte| *byte == b'\n') else {
            if stream.read_buf(&mut seen).await.unwrap_or(0) == 0 {
                return;
            }
            continue;
        };
        let line: Vec<u8> = seen.drain(..=end).collect();
        let id: usize = String::from_utf8(line).unwrap().trim().parse().unwrap();
        let (bytes, _) = answer(id, &plans[id]);
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (piece, later) = rest.split_at(cuts.next().unwrap().min(rest.len()));
            stream.write_all(piece).await.unwrap();
            turns(piece.len() % 4).await;
            rest = later;
        }
    }
}

/// Runs with tasks on one thread, as the edge does.
fn on_one_thread(work: impl Future<Output = ()>, paused: bool) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(paused).build().unwrap();
    LocalSet::new().block_on(&runtime, work);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn everybody_gets_the_answer_to_what_was_asked(
        plans in prop::collection::vec(plan(), 1..40),
        cuts in prop::collection::vec(prop_oneof![1_usize..40, 1_000_usize..70_000], 1..30),
    ) {
        on_one_thread(async {
            let plans = Rc::new(plans);
            let (pipe, far) = pipe().await;
            spawn_local(serve(far, Rc::clone(&plans), cuts));
            let askers: Vec<_> = (0..plans.len()).map(|id| {
                let (pipe, plans) = (Rc::clone(&pipe), Rc::clone(&plans));
                spawn_local(async move {
                    let plan = &plans[id];
                    turns(plan.asks_after).await;
                    let asked = ask(&pipe, id, plan.to_head);
                    if plan.leaves {
                        tokio::select! { biased; _ = asked => {}, () = turns(2) => {} }
                    } else {
                        assert_eq!(asked.await.unwrap(), answer(id, plan).1);
                    }
                })
            }).collect();
            for asker in askers {
                asker.await.unwrap();
            }
            // Whoever left has no place any more once its answer has come.
            while pipe.load() > 0 {
                turns(1).await;
            }
            let state = pipe.state.borrow();
            assert_eq!(state.free.len(), state.slots.len());
            assert!(!state.retired);
        }, false);
    }
}

#[test]
fn when_it_breaks_all_who_wait_are_told_and_nobody_may_ask_any_more() {
    on_one_thread(
        async {
            for said in ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal", "nonsense\r\n"] {
                let (pipe, mut far) = pipe().await;
                let all = async { tokio::join!(ask(&pipe, 1, false), ask(&pipe, 2, false)) };
                let breaks = async {
                    far.write_all(said.as_bytes()).await.unwrap();
                    turns(3).await;
                    drop(far);
                };
                let ((one, other), ()) = tokio::join!(all, breaks);
                assert!(one.is_err() && other.is_err(), "{said}");
                assert!(pipe.is_retired());
                let late = ask(&pipe, 3, false).await.unwrap_err();
                assert_eq!(late.kind(), io::ErrorKind::BrokenPipe);
            }
        },
        false,
    );
}

#[test]
fn an_answer_that_nobody_asked_for_breaks_it() {
    on_one_thread(
        async {
            let (pipe, mut far) = pipe().await;
            far.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            while !pipe.is_retired() {
                turns(1).await;
            }
        },
        false,
    );
}

/// Each has its own time, and an answer that comes after it is not the next one's.
#[test]
fn whoever_has_waited_for_ten_seconds_is_told_and_the_others_wait_on() {
    on_one_thread(
        async {
            let (pipe, mut far) = pipe().await;
            let plan = Plan { to_head: false, status: 200, body: 9, asks_after: 0, leaves: false };
            let began = Instant::now();
            let early = async {
                let error = ask(&pipe, 1, false).await.unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::TimedOut);
                assert_eq!(Instant::now().duration_since(began).as_secs(), 10);
                assert!(pipe.is_retired(), "nobody else shall wait behind it");
                far.write_all(&answer(1, &plan).0).await.unwrap();
                far.write_all(&answer(2, &plan).0).await.unwrap();
            };
            let later = async {
                tokio::time::sleep(Duration::from_secs(6)).await;
                assert_eq!(ask(&pipe, 2, false).await.unwrap(), answer(2, &plan).1);
            };
            tokio::join!(early, later);
            assert!(Instant::now().duration_since(began) < Duration::from_secs(16));
            assert_eq!(pipe.load(), 0);
        },
        true,
    );
}
