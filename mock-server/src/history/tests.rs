//! Proves that a history keeps the newest, counts the rest, and wakes whoever waits.

use super::*;
use crate::clock::Moment;
use crate::history::record::Overload;

const PATIENCE: Duration = Duration::from_secs(20);

fn record(n: usize) -> Record {
    Record::Overload(Overload { at: Moment::ZERO, what: n.to_string() })
}

fn exchange(text: &str) -> Record {
    let mut value = serde_json::json!({
        "event": "exchange", "id": 0, "conn": 0, "conn_seq": 0, "method": "GET", "target": "/v1/me",
        "route": "me", "token": "live", "body_bytes": 0, "t_conn": 0, "t_head": 0, "t_req": 0,
        "t_end": 0, "end": "complete",
    });
    let more: serde_json::Value = serde_json::from_str(text).unwrap();
    for (key, field) in more.as_object().unwrap() {
        value[key] = field.clone();
    }
    serde_json::from_value(value).unwrap()
}

fn numbers(records: &[Record]) -> Vec<usize> {
    let number = |record: &Record| match record {
        Record::Overload(overload) => overload.what.parse().unwrap(),
        other => panic!("{other:?}"),
    };
    records.iter().map(number).collect()
}

#[test]
fn the_newest_are_kept_and_the_others_counted() {
    let history = History::new(3, None);
    (0..5).for_each(|n| history.record(record(n)));
    assert_eq!(numbers(&history.records()), [2, 3, 4]);
    assert_eq!((history.dropped(), history.kept()), (2, 2..5));
    history.clear();
    assert_eq!((history.records().len(), history.dropped(), history.kept()), (0, 0, 5..5));
    history.record(record(5));
    assert_eq!(history.kept(), 5..6, "sequence numbers are never given twice");
}

#[test]
fn a_batch_takes_a_place_for_each_click() {
    let history = History::new(4, None);
    let click = r#"{"event_id":"e","payload":"p","status":202,"effect":true}"#;
    history.record(record(0));
    history.record(exchange(&format!(r#"{{"clicks":[{click},{click},{click}]}}"#)));
    assert_eq!((history.exchanges().len(), history.dropped()), (1, 1));
}

#[test]
fn a_history_that_keeps_nothing_still_hands_on_and_counts() {
    let onward = History::new(10, None);
    let history = History::new(0, Some(Arc::new(onward.clone())));
    history.record(record(7));
    assert_eq!(numbers(&onward.records()), [7]);
    assert_eq!((history.records().len(), history.dropped()), (0, 1));
}

#[test]
fn exchanges_are_found_by_route_and_by_rule() {
    let history = History::new(10, None);
    history.record(exchange("{}"));
    let mark = r#"{"rule":"slow","kind":"latency","key":"GET /v1/links","nth":0}"#;
    history.record(exchange(&format!(r#"{{"route":"links","faults":[{mark}]}}"#)));
    assert_eq!(history.to(Route::Me).len(), 1);
    assert_eq!(history.hit_by("slow"), history.to(Route::Links));
    assert!(history.hit_by("fast").is_empty());
}

#[tokio::test]
async fn whoever_waits_is_woken_and_whoever_waits_in_vain_gets_an_error() {
    let history = History::new(10, None);
    let waiting = tokio::spawn({
        let history = history.clone();
        async move { history.wait_for(2, PATIENCE).await }
    });
    history.record(exchange("{}"));
    tokio::task::yield_now().await;
    history.record(exchange("{}"));
    assert_eq!(waiting.await.unwrap().unwrap().len(), 2);
    let within = Duration::from_millis(1);
    let error = history.wait_for(3, within).await.unwrap_err();
    assert_eq!(error, TooFew { wanted: 3, came: 2, within });
}

#[tokio::test]
async fn it_is_settled_when_every_exchange_that_began_is_recorded() {
    let history = History::new(10, None);
    assert!(history.settled(PATIENCE).await);
    history.begun().fetch_add(1, Ordering::AcqRel);
    assert!(!history.settled(Duration::from_millis(1)).await);
    let waiting = tokio::spawn({
        let history = history.clone();
        async move { history.settled(PATIENCE).await }
    });
    history.record(exchange("{}"));
    assert!(waiting.await.unwrap());
}

#[tokio::test]
async fn a_follower_reads_everything_in_order_knows_what_it_missed_and_ends_with_the_mock() {
    let history = History::new(1_000, None);
    let mut follower = history.follow(None);
    let writer = std::thread::spawn({
        let history = history.clone();
        move || {
            (0..900).for_each(|n| history.record(record(n)));
            history.close();
        }
    });
    let mut read = Vec::new();
    while let Some(batch) = follower.next().await {
        assert_eq!((batch.missed, batch.first), (0, read.len() as u64));
        read.extend(batch.records.iter().map(|record| (**record).clone()));
    }
    writer.join().unwrap();
    assert_eq!(numbers(&read), (0..900).collect::<Vec<_>>());

    let small = History::new(2, None);
    let mut late = small.follow(None);
    (0..5).for_each(|n| small.record(record(n)));
    let batch = late.read().unwrap();
    assert_eq!((batch.missed, batch.first, batch.records.len()), (3, 3, 2));
    assert!(late.read().is_none());
}
