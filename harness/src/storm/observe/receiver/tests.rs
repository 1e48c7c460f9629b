//! What comes over real sockets adds up, whatever comes between; and nothing planted in it stays unseen.

use super::*;
use crate::storm::observe::canaries::{Canaries, Credentials};
use crate::storm::recorder::{Recorder, Writer};
use flate2::Compression;
use flate2::write::GzEncoder;
use mock_server::redact::Kind;
use mock_server::world::population::Population;
use reqwest::Client;
use std::io::Write;
use std::net::{Ipv4Addr, UdpSocket};
use tempfile::TempDir;

struct Bed {
    receiver: Receiver,
    search: Arc<Search>,
    clock: Clock,
    _recording: (TempDir, Recorder, Writer),
}

async fn bed(channel: Channel, runs_already: bool) -> Bed {
    let folder = tempfile::tempdir().unwrap();
    let (recorder, writing) = Recorder::create(&folder.path().join("history")).unwrap();
    let linktree = vec![("lt_live_0123456789abcdef".to_owned(), Kind::ApiKey)];
    let credentials = Credentials { linktree, vault_token: "", session: "" };
    let canaries = Canaries::of(&credentials, &Population::default(), 7);
    let clock = Clock::start();
    let search = Arc::new(Search::new(Arc::new(canaries), &recorder, clock));
    let names = MetricNames {
        channel,
        push_within_ms: Some(if runs_already { 600_000 } else { 1 }),
        timeouts: "errors{reason=\"timeout\"}".to_owned(),
        ..MetricNames::default()
    };
    let opening = Opening { listen: Listen::default(), names: &names, runs_already };
    let receiver = Receiver::open(opening, &search, clock).await.unwrap().unwrap();
    Bed { receiver, search, clock, _recording: (folder, recorder, writing) }
}

impl Bed {
    fn look(&self) -> Scrape {
        self.receiver.look(|_| false).unwrap()
    }

    /// Waits until so many messages have come.
    async fn after(&self, messages: u64) -> Scrape {
        let came = async {
            loop {
                let scrape = self.look();
                if scrape.pushed.is_some_and(|pushed| pushed.messages >= messages) {
                    return scrape;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), came).await.unwrap()
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> (u16, String) {
        let url = format!("http://127.0.0.1:{}{path}", self.receiver.port);
        let client = Client::builder().no_proxy().build().unwrap();
        let request = headers
            .iter()
            .fold(client.post(url), |request, (name, value)| request.header(*name, *value));
        let answer = request.body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

#[tokio::test]
async fn datagrams_add_up_between_hostile_ones_and_are_searched() {
    let bed = bed(Channel::Dogstatsd, false).await;
    assert_eq!(bed.receiver.value("dogstatsd.host").as_deref(), Some("127.0.0.1"));
    assert_eq!(bed.receiver.value("otlp.url"), None);
    let port: u16 = bed.receiver.value("dogstatsd.port").unwrap().parse().unwrap();
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let send = |bytes: &[u8]| socket.send_to(bytes, (Ipv4Addr::LOCALHOST, port)).unwrap();
    let why = bed.look().figures.unread["latency"].clone();
    assert!(why.contains("nothing was pushed by dogstatsd: hand {dogstatsd.host} and"), "{why}");
    send(b"errors:1|c|#reason:timeout");
    send(b"\xff\x00|");
    send(b"");
    send(&[b'a'; 60_000]);
    send(b"errors:2|c|#reason:timeout,key:lt_live_0123456789abcdef");
    let scrape = bed.after(5).await;
    assert_eq!((scrape.status, scrape.figures.timeouts), (Some(200), Some(3.0)));
    assert!(scrape.figures.unread.is_empty() && scrape.sent < scrape.last);
    assert_eq!(scrape.pushed.map(|pushed| (pushed.malformed, pushed.lost)), Some((2, 0)));
    assert_eq!(bed.search.leaks(), 1);
    let paused = bed.receiver.look(|_| true).unwrap();
    assert!(!paused.is_ok());
}

#[tokio::test]
async fn an_export_is_taken_packed_or_not_and_what_is_none_is_refused() {
    let bed = bed(Channel::Otlp, false).await;
    let export = |count: u64| {
        format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"name":"errors","sum":{{
            "aggregationTemporality":2,"isMonotonic":true,"dataPoints":[{{"asInt":"{count}",
            "timeUnixNano":"{count}","attributes":[{{"key":"reason","value":{{"stringValue":"timeout"}}}}]}}]
            }}}}]}}]}}]}}"#
        )
        .into_bytes()
    };
    let json = ("content-type", "application/json");
    assert_eq!(bed.post("/v1/metrics", &[json], export(3)).await, (200, "{}".to_owned()));
    let packed = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let gzip = ("content-encoding", "gzip");
    assert_eq!(bed.post("/v1/metrics", &[json, gzip], packed(&export(5))).await.0, 200);
    assert_eq!(bed.look().figures.timeouts, Some(5.0));
    // Half a packed body, one that fills the memory, another packing, and no export.
    let half = packed(&export(6))[..40].to_vec();
    let bomb = packed(&vec![b' '; 9 << 20]);
    for (headers, body, status) in [
        (vec![json, gzip], half, 400),
        (vec![json, gzip], bomb, 400),
        (vec![json, ("content-encoding", "br")], export(6), 400),
        (vec![json], b"{".to_vec(), 400),
        (vec![("content-type", "application/x-protobuf")], b"\xff".to_vec(), 400),
        (vec![], export(6), 415),
    ] {
        assert_eq!(bed.post("/v1/metrics", &headers, body).await.0, status, "{headers:?}");
    }
    assert_eq!(bed.post("/v1/traces", &[json], export(6)).await.0, 404);
    assert_eq!(bed.post("/v1/metrics", &[json], export(7)).await.0, 200);
    let scrape = bed.look();
    let counts = scrape.pushed.map(|pushed| (pushed.messages, pushed.malformed, pushed.ignored));
    assert_eq!((scrape.figures.timeouts, counts), (Some(7.0), Some((10, 6, 1))));
}

#[tokio::test]
async fn metric_data_are_put_in_either_form_and_answered_as_aws_does() {
    let bed = bed(Channel::Cloudwatch, false).await;
    let json = [
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", "GraniteServiceVersion20100801.PutMetricData"),
    ];
    let data = br#"{"Namespace":"P","MetricData":[{"MetricName":"errors","Value":2,
        "Dimensions":[{"Name":"reason","Value":"timeout"}]}]}"#;
    assert_eq!(bed.post("/", &json, data.to_vec()).await, (200, "{}".to_owned()));
    let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    let query = "Action=PutMetricData&Namespace=P&MetricData.member.1.MetricName=errors\
        &MetricData.member.1.Value=1&MetricData.member.1.Dimensions.member.1.Name=reason\
        &MetricData.member.1.Dimensions.member.1.Value=timeout";
    let (status, answer) = bed.post("/", &form, query.into()).await;
    assert!(status == 200 && answer.starts_with("<PutMetricDataResponse"), "{answer}");
    assert_eq!(bed.look().figures.timeouts, Some(3.0));
    let (status, answer) = bed.post("/", &json, b"{}".to_vec()).await;
    assert!(status == 400 && answer.contains("InvalidParameterValueException"), "{answer}");
    let (status, answer) = bed.post("/", &form, b"Action=ListMetrics".to_vec()).await;
    assert!(status == 400 && answer.contains("<Code>InvalidParameterValue"), "{answer}");
    assert_eq!(bed.post("/", &json[..1], data.to_vec()).await.0, 400);
}

#[tokio::test]
async fn of_what_runs_already_nothing_is_told_before_it_must_have_pushed() {
    let bed = bed(Channel::Otlp, true).await;
    assert!(bed.receiver.look(|_| false).is_none());
    assert!(bed.clock.now() < bed.receiver.from);
}

#[tokio::test]
async fn whoever_is_no_peer_is_not_heard() {
    let listen = Listen { peers: vec!["10.0.0.0/8".parse().unwrap()], ..Listen::default() };
    let admits = |ip: &str| listen.admits(ip.parse().unwrap());
    assert_eq!(
        ["127.0.0.1", "10.1.2.3", "10.1.2.3", "192.0.2.1"].map(admits),
        [true, true, true, false]
    );
}
