//! The way to wiremock and back, with the real one: nobody gets another's answer while it is replaced, and
//! whoever takes long holds up nobody.

use super::super::Tuning;
use super::tuned;
use crate::rig::{Client, PATIENCE};
use crate::server::MockLinktree;
use std::time::Duration;
use wiremock::matchers::path;
use wiremock::{Mock, ResponseTemplate};

const CLIENTS: usize = 24;
const ROUNDS: usize = 40;

/// Each round asks for something of its own: pages, lists, errors, heads and answers without a body.
#[test]
fn answers_go_to_who_asked_while_wiremock_is_replaced_all_the_time() {
    let rig = tuned(Tuning { swap_after: 7, ..Tuning::default() }, |_| {});
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let rig = &rig;
            scope.spawn(move || {
                let mut socket = rig.client();
                let mut etag = String::new();
                for round in 0..ROUNDS {
                    let handle = format!("tail-000{}", 1 + (client + round) % 3);
                    let page = format!("/v1/profiles/{handle}");
                    let named = |body: &str| body.contains(&format!("\"handle\":\"{handle}\""));
                    let mut ask = |method: &str, target: &str, headers: &str| {
                        socket.write(&rig.request(method, target, headers, ""));
                        socket.answer()
                    };
                    match round % 5 {
                        0 => {
                            let answer = ask("GET", &page, "");
                            assert!(answer.status == 200 && named(&answer.body), "{handle}");
                            etag = answer.header("etag").unwrap();
                        }
                        1 => assert_eq!(ask("HEAD", &page, "").status, 200),
                        2 => {
                            let own = format!("/v1/profiles/nobody-{client}-{round}");
                            assert_eq!(ask("GET", &own, "").status, 404);
                        }
                        3 => {
                            let last = format!("/v1/profiles/tail-000{}", 1 + (client + round) % 3);
                            let answer =
                                ask("GET", &last, &format!("If-None-Match: {etag}, *\r\n"));
                            assert_eq!((answer.status, answer.body.as_str()), (304, ""));
                        }
                        _ => {
                            let answer = ask("GET", "/v1/profiles/viral-0001/links?limit=40", "");
                            assert_eq!(answer.status, 200);
                            assert_eq!(answer.body.matches("\"lnk_").count(), 40);
                        }
                    }
                }
            });
        }
    });
    assert_eq!(rig.tape.complaints(), Vec::<String>::new());
}

#[test]
fn a_route_that_takes_its_time_holds_up_nobody() {
    let long = || {
        let answer = ResponseTemplate::new(200).set_delay(PATIENCE + Duration::from_secs(60));
        Mock::given(path("/long")).respond_with(answer)
    };
    let mock = MockLinktree::builder().route(long).start().unwrap();
    let request = |target: &str| {
        let key = mock.api_key();
        format!("GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n")
    };
    let mut waiting: Vec<_> = (0..4).map(|_| Client::to(mock.port())).collect();
    for client in &mut waiting {
        client.write(&request("/long"));
    }
    let mut quick = Client::to(mock.port());
    for _ in 0..20 {
        quick.write(&request("/v1/me"));
        assert_eq!(quick.answer().status, 200);
        quick.write(&request("/elsewhere"));
        assert_eq!(quick.answer().status, 404);
    }
    assert!(waiting.iter_mut().all(|client| client.is_silent()));
}
