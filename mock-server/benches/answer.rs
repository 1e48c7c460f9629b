//! What an answer costs: the mock against plain wiremock and plain hyper with the same body.
//!
//! Client and server share the machine. `one` is a request and its answer on one kept connection;
//! `at once` is a round of 32 requests on 32 kept connections. The mock's answers carry its limit
//! and cache headers, too. Plain wiremock keeps every request, and so grows while it is measured.

mod rivals;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mock_server::history::record::{Record, Recorder};
use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

const AT_ONCE: usize = 32;

struct Forget;

impl Recorder for Forget {
    fn record(&self, record: Record) {
        black_box(record);
    }
}

/// A client that keeps its connection, and reads answers by their content length.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: vec![0; 16 * 1024] }
    }

    fn ask(&mut self, request: &[u8]) {
        self.stream.write_all(request).unwrap();
    }

    /// The body of the answer, which must be 200.
    fn body(&mut self) -> &[u8] {
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[filled..]).unwrap();
            assert!(read > 0, "closed in the middle of an answer");
            filled += read;
            let Some(end) = self.buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n")
            else {
                continue;
            };
            let head = std::str::from_utf8(&self.buffer[..end]).unwrap();
            assert!(head.starts_with("HTTP/1.1 200"), "{head}");
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
            });
            let start = end + 4;
            let length: usize = length.expect("a content length");
            while filled < start + length {
                filled += self.stream.read(&mut self.buffer[filled..]).unwrap();
            }
            return &self.buffer[start..start + length];
        }
    }
}

fn answer(criterion: &mut Criterion) {
    let mock = rivals::mock(Arc::new(Forget)).expect("the mock starts on any port");
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n",
        rivals::TARGET,
        mock.api_key()
    );
    let request = request.as_bytes();
    let edge = SocketAddr::from(([127, 0, 0, 1], mock.port()));
    let mut client = Client::to(edge);
    client.ask(request);
    let body = client.body().to_vec();

    let any_port = || TcpListener::bind("127.0.0.1:0").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let wiremock = runtime.block_on(rivals::wiremock(any_port(), &body));
    let listener = any_port();
    let hyper = listener.local_addr().unwrap();
    std::thread::spawn(move || rivals::hyper(listener, &body));
    let servers = [("hyper", hyper), ("wiremock", *wiremock.address()), ("mock", edge)];

    let mut group = criterion.benchmark_group("one");
    group.measurement_time(Duration::from_secs(4)).warm_up_time(Duration::from_secs(1));
    for (name, address) in servers {
        let mut client = Client::to(address);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                client.ask(request);
                black_box(client.body());
            });
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("32 at once");
    group.measurement_time(Duration::from_secs(4)).warm_up_time(Duration::from_secs(1));
    group.throughput(Throughput::Elements(AT_ONCE as u64));
    for (name, address) in servers {
        let mut clients: Vec<_> = (0..AT_ONCE).map(|_| Client::to(address)).collect();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                clients.iter_mut().for_each(|client| client.ask(request));
                clients.iter_mut().for_each(|client| {
                    black_box(client.body());
                });
            });
        });
    }
    group.finish();
}

criterion_group!(benches, answer);
criterion_main!(benches);
