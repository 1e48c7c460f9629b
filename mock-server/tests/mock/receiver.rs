//! A receiver of webhooks that keeps every byte and answers as its script says, and a log to wait for.

use crate::rig::{PATIENCE, Rig, Tape, config};
use mock_server::clock::{Clock, Moment};
use mock_server::history::record::{Delivery, Reachability, Record, Recorder};
use mock_server::server::{MockConfig, MockLinktree};
use mock_server::webhooks::{Oracle, Refusal, SchemeName, WebhookEvent};
use serde_json::Value;
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::UNIX_EPOCH;

/// Things that come on other threads, and can be waited for.
struct Queue<T> {
    all: Mutex<Vec<T>>,
    came: Condvar,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { all: Mutex::default(), came: Condvar::new() }
    }
}

impl<T: Clone> Queue<T> {
    fn push(&self, one: T) {
        self.all.lock().unwrap().push(one);
        self.came.notify_all();
    }

    fn wait(&self, count: usize) -> Vec<T> {
        let all = self.all.lock().unwrap();
        let short = |all: &mut Vec<T>| all.len() < count;
        let (all, timeout) = self.came.wait_timeout_while(all, PATIENCE, short).unwrap();
        assert!(!timeout.timed_out(), "{} of {count} came", all.len());
        all.clone()
    }

    fn so_far(&self) -> Vec<T> {
        self.all.lock().unwrap().clone()
    }
}

/// The deliveries and looks that a mock records.
#[derive(Default)]
pub struct Log {
    deliveries: Queue<Delivery>,
    looks: Queue<Reachability>,
}

impl Recorder for Log {
    fn record(&self, record: Record) {
        match record {
            Record::Delivery(delivery) => self.deliveries.push(*delivery),
            Record::Reachability(look) => self.looks.push(look),
            Record::Overload(overload) => panic!("{overload:?}"),
            _ => {}
        }
    }
}

impl Log {
    pub fn deliveries(&self, count: usize) -> Vec<Delivery> {
        self.deliveries.wait(count)
    }

    pub fn deliveries_so_far(&self) -> Vec<Delivery> {
        self.deliveries.so_far()
    }

    pub fn looks(&self, count: usize) -> Vec<Reachability> {
        self.looks.wait(count)
    }
}

/// One request as it came in, byte for byte.
#[derive(Clone, Debug)]
pub struct Received {
    pub head: String,
    pub body: Vec<u8>,
    /// When its last byte was there, seconds since the Unix epoch.
    pub at_s: i64,
}

impl Received {
    pub fn headers(&self) -> Vec<(String, String)> {
        let pair = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_owned(), value.trim().to_owned()))
        };
        self.head.lines().skip(1).filter_map(pair).collect()
    }

    pub fn header(&self, name: &str) -> Option<String> {
        self.headers().into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// What a careful receiver with this secret says of it.
    pub fn verdict(&self, scheme: SchemeName, secret: &str) -> Result<(), Refusal> {
        let secrets = [secret.to_owned()];
        let oracle = Oracle { scheme, secrets: &secrets, now_s: self.at_s, tolerance_s: 300 };
        oracle.verify(&self.headers(), &self.body)
    }
}

/// Listens on any port, answers `HEAD` with 200 and everything else from its script, then with 200.
/// An answer of 0 is a close without an answer.
pub struct Receiver {
    pub url: String,
    posts: Arc<Queue<Received>>,
    heads: Arc<Queue<Received>>,
}

impl Receiver {
    pub fn new(script: &[u16]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}/webhooks/linktree", listener.local_addr().unwrap());
        let (posts, heads) = (Arc::new(Queue::default()), Arc::new(Queue::default()));
        let script = Arc::new(Mutex::new(VecDeque::from(script.to_vec())));
        let (to_posts, to_heads) = (Arc::clone(&posts), Arc::clone(&heads));
        // It ends with the test's process; a listener cannot be stopped.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let Some(received) = read(&mut stream) else { continue };
                let is_head = received.head.starts_with("HEAD ");
                let status = match is_head {
                    true => 200,
                    false => script.lock().unwrap().pop_front().unwrap_or(200),
                };
                // Kept before it is answered, so that whoever has seen the record finds it here.
                if is_head {
                    to_heads.push(received)
                } else {
                    to_posts.push(received)
                }
                if status != 0 {
                    let _ = write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
                }
            }
        });
        Self { url, posts, heads }
    }

    pub fn posts(&self, count: usize) -> Vec<Received> {
        self.posts.wait(count)
    }

    pub fn posts_so_far(&self) -> usize {
        self.posts.so_far().len()
    }

    pub fn heads(&self, count: usize) -> Vec<Received> {
        self.heads.wait(count)
    }
}

fn read(stream: &mut TcpStream) -> Option<Received> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut bytes = Vec::new();
    let mut some = [0; 4096];
    loop {
        let count = stream.read(&mut some).ok()?;
        bytes.extend_from_slice(&some[..count]);
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
        let Some(end) = end else {
            if count == 0 {
                return None;
            }
            continue;
        };
        let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
        let at_s = Clock::wall().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let received = Received { head, body: bytes[end..].to_vec(), at_s: at_s.cast_signed() };
        let length = received.header("content-length").map_or(0, |text| text.parse().unwrap());
        if received.body.len() >= length {
            return Some(received);
        }
    }
}

/// A mock with one registration at a receiver, for every event.
pub struct Post {
    pub rig: Rig,
    pub log: Arc<Log>,
    pub receiver: Receiver,
    pub webhook: String,
}

impl Post {
    pub fn new(script: &[u16], adapt: impl FnOnce(&mut MockConfig)) -> Self {
        let (log, tape) = (Arc::new(Log::default()), Arc::new(Tape::default()));
        let mut config = config(&tape);
        config.profile.webhooks.retry_ms = vec![1, 1, 1];
        for scope in ["links:write", "webhooks:write"] {
            config.profile.keys.scopes.push(scope.to_owned());
        }
        config.recorder = Arc::clone(&log) as Arc<dyn Recorder>;
        adapt(&mut config);
        let clock = config.clock;
        let mock = MockLinktree::start(config).unwrap();
        let receiver = Receiver::new(script);
        let webhook = mock.register_webhook(&receiver.url, &WebhookEvent::ALL).unwrap().id;
        // Only now, so that planned edits find somebody who wants to hear of them.
        mock.arm(Moment::ZERO);
        let rig = Rig { mock, tape, clock };
        Self { rig, log, receiver, webhook }
    }

    /// Sends a webhook about somebody, and says its id.
    pub fn send(&self, handle: &str) -> String {
        let data = serde_json::Map::from_iter([("link_id".to_owned(), "l1".into())]);
        self.rig.mock.send_webhook(WebhookEvent::LinkUpdated, handle, data).unwrap().unwrap()
    }

    pub fn secret(&self) -> String {
        self.rig.mock.webhook_secret().to_owned()
    }
}

/// A port that is taken, so that no other test gets it, and refuses connections.
pub fn nobody() -> tokio::net::TcpSocket {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(std::net::SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    socket
}
