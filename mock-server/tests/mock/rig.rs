//! A mock with a recorder that can be waited for, and a client that sees every byte.

use mock_server::clock::{Clock, Moment};
use mock_server::faults::{Fault, Matcher, Pick, Rule, Window};
use mock_server::history::exchange::Exchange;
use mock_server::history::record::{Overload, Record, Recorder};
use mock_server::listen::Listen;
use mock_server::profile::ContractProfile;
use mock_server::server::{MockConfig, MockLinktree};
use mock_server::world::population::{Group, Population};
use mock_server::world::{PageChange, TimedEvent, WorldEvent};
use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

pub const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Default)]
pub struct Tape {
    exchanges: Mutex<Vec<Exchange>>,
    overloads: Mutex<Vec<Overload>>,
    others: Mutex<Vec<Record>>,
    came: Condvar,
}

impl Recorder for Tape {
    fn record(&self, record: Record) {
        match record {
            Record::Exchange(exchange) => self.exchanges.lock().unwrap().push(*exchange),
            Record::Overload(overload) => self.overloads.lock().unwrap().push(overload),
            other => self.others.lock().unwrap().push(other),
        }
        self.came.notify_all();
    }
}

impl Tape {
    /// The recorded exchanges, once there are `count`.
    pub fn wait(&self, count: usize) -> Vec<Exchange> {
        let short = |all: &mut Vec<Exchange>| all.len() < count;
        let all = self.exchanges.lock().unwrap();
        let (all, timeout) = self.came.wait_timeout_while(all, PATIENCE, short).unwrap();
        assert!(!timeout.timed_out(), "{} of {count} exchanges came", all.len());
        all.clone()
    }

    /// What else was recorded: the vault and the alert receiver record before they answer.
    pub fn others(&self) -> Vec<Record> {
        self.others.lock().unwrap().clone()
    }

    pub fn overloads(&self) -> usize {
        self.overloads.lock().unwrap().len()
    }

    /// What the mock said that it could not bear.
    pub fn complaints(&self) -> Vec<String> {
        self.overloads.lock().unwrap().iter().map(|overload| overload.what.clone()).collect()
    }
}

pub struct Rig {
    pub mock: MockLinktree,
    pub tape: Arc<Tape>,
    pub clock: Clock,
}

pub fn config(tape: &Arc<Tape>) -> MockConfig {
    let group = |prefix: &str, count, links| Group {
        prefix: prefix.into(),
        count,
        min_links: links,
        max_links: links,
        ..Group::default()
    };
    MockConfig {
        profile: ContractProfile::linktree_v1(),
        time_scale: 1,
        seed: 7,
        population: Population { groups: vec![group("viral", 1, 45), group("tail", 3, 3)] },
        world: vec![],
        rules: vec![],
        listen: Listen::default(),
        alert_fields: Default::default(),
        port: 0,
        clock: Clock::start(),
        recorder: Arc::clone(tape) as Arc<dyn Recorder>,
        secrets: vec![mock_server::contract::SecretsManager::Vault],
        vault_token: "vault-token".into(),
        vault_port: 0,
        tls: None,
    }
}

impl Rig {
    pub fn new(adapt: impl FnOnce(&mut MockConfig)) -> Self {
        let tape = Arc::new(Tape::default());
        let mut config = config(&tape);
        adapt(&mut config);
        let clock = config.clock;
        let mock = MockLinktree::start(config).unwrap();
        mock.arm(Moment::ZERO);
        Self { mock, tape, clock }
    }

    pub fn plain() -> Self {
        Self::new(|_| {})
    }

    /// A mock that does this to every request.
    pub fn with_fault(fault: Fault) -> Self {
        Self::new(|config| config.rules = vec![always("it", fault)])
    }

    pub fn client(&self) -> Client {
        Client::to(self.mock.port())
    }

    /// The text of a request with this mock's key.
    pub fn request(&self, method: &str, target: &str, headers: &str, body: &str) -> String {
        format!(
            "{method} {target} HTTP/1.1\r\nHost: linktree\r\nAuthorization: Bearer {}\r\n\
             Content-Length: {}\r\n{headers}\r\n{body}",
            self.mock.api_key(),
            body.len()
        )
    }

    pub fn get(&self, target: &str) -> Answer {
        self.send("GET", target, "", "")
    }

    pub fn send(&self, method: &str, target: &str, headers: &str, body: &str) -> Answer {
        let mut client = self.client();
        client.write(&self.request(method, target, headers, body));
        client.answer()
    }

    /// The bytes that a client sees until the end, and how it ended.
    pub fn raw(&self, target: &str) -> (String, Result<(), ErrorKind>) {
        let mut client = self.client();
        client.write(&self.request("GET", target, "", ""));
        client.rest()
    }
}

pub fn always(id: &str, fault: Fault) -> Rule {
    Rule {
        id: id.into(),
        window: Window { from_ms: 0, until_ms: u64::MAX },
        matcher: Matcher::default(),
        pick: Pick::All,
        fault,
    }
}

/// A planned edit of these pages.
pub fn edit_at(at_ms: u64, handles: &str, change: PageChange) -> TimedEvent {
    TimedEvent { at_ms, event: WorldEvent::Edit { handles: handles.into(), change } }
}

pub fn click(event_id: &str, link_id: &str) -> String {
    format!(
        r#"{{"event_id":"{event_id}","handle":"tail-0001","link_id":"{link_id}","occurred_at":"2026-01-01T00:00:00Z"}}"#
    )
}

pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<String> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Client {
    pub fn to(port: u16) -> Self {
        let client = Self::try_to(port).unwrap();
        client.stream.set_nodelay(true).unwrap();
        client
    }

    pub fn try_to(port: u16) -> Option<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        Some(Self { stream, buffer: Vec::new() })
    }

    pub fn write(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    pub fn close_write(&self) {
        // It fails when the mock has reset the connection already.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Reads until `count` bytes are there.
    pub fn at_least(&mut self, count: usize) -> String {
        while self.buffer.len() < count {
            self.more();
        }
        String::from_utf8_lossy(&self.buffer).into_owned()
    }

    /// Reads one head, up to and with its empty line.
    pub fn head(&mut self) -> String {
        loop {
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                let head: Vec<u8> = self.buffer.drain(..at + 4).collect();
                return String::from_utf8(head).unwrap();
            }
            self.more();
        }
    }

    fn more(&mut self) {
        let mut bytes = [0; 4096];
        let read = self.stream.read(&mut bytes).unwrap();
        assert!(read > 0, "closed after {:?}", String::from_utf8_lossy(&self.buffer));
        self.buffer.extend_from_slice(&bytes[..read]);
    }

    pub fn answer(&mut self) -> Answer {
        let head = self.head();
        let status = head[9..12].parse().unwrap();
        let mut answer = Answer { status, head, body: String::new() };
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        self.at_least(length);
        answer.body = String::from_utf8(self.buffer.drain(..length).collect()).unwrap();
        answer
    }

    /// Everything until the end, and how it ended.
    pub fn rest(&mut self) -> (String, Result<(), ErrorKind>) {
        let mut bytes = std::mem::take(&mut self.buffer);
        let end = self.stream.read_to_end(&mut bytes).map(drop).map_err(|error| error.kind());
        (String::from_utf8_lossy(&bytes).into_owned(), end)
    }

    /// True when nothing comes for a moment.
    pub fn is_silent(&mut self) -> bool {
        self.stream.set_read_timeout(Some(Duration::from_millis(40))).unwrap();
        let read = self.stream.read(&mut [0; 64]);
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        matches!(read, Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()))
    }
}

/// A request to the vault or the alert receiver.
pub fn beside(url: &str, method: &str, target: &str, headers: &str, body: &str) -> Answer {
    let port = url.rsplit_once(':').unwrap().1.parse().unwrap();
    let mut client = Client::to(port);
    let length = body.len();
    client.write(&format!(
        "{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    ));
    client.answer()
}
