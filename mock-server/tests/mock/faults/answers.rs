//! Faults of the answer: what stands in it instead of what was promised.

use super::sight::{Ending, Sight, look, look_at_profile};
use super::{PROFILE, kinds, only};
use crate::rig::{Rig, always, click};
use mock_server::clock::{Clock, Moment};
use mock_server::faults::{
    BadJson, ContentType, DateFlaw, ExpiredCursor, Fault, HostileStrings, Html, JsonFlaw,
    LateError, PartialFailure, RateHeaders, RateLie, Ratio, RetryAfterSpec, ShortPages, SkewedDate,
    Status,
};
use mock_server::history::exchange::{End, Exchange, RetryAfterForm};
use serde_json::Value;
use std::time::Duration;

/// A 429 with this `Retry-After`: what was seen, and what was recorded.
fn asked_to_wait(spec: RetryAfterSpec) -> (Vec<String>, Exchange) {
    let rig = Rig::with_fault(Fault::Status(Status { codes: vec![429], retry_after: vec![spec] }));
    let sight = look_at_profile(&rig);
    assert_eq!((sight.status(), sight.end), (Some(429), Ending::KeptOpen));
    (sight.values("retry-after"), only(&rig))
}

#[test]
fn a_retry_after_in_the_past_is_a_date_that_was() {
    let (values, record) = asked_to_wait(RetryAfterSpec::Past { s: 60 });
    let date = httpdate::parse_http_date(&values[0]).unwrap();
    let ago = Clock::wall().duration_since(date).unwrap();
    assert!(ago >= Duration::from_secs(60), "{ago:?}");
    let after = record.retry_after.unwrap();
    assert_eq!(after.form, RetryAfterForm::Date);
    assert!(after.until.unwrap() < record.t_req);
}

#[test]
fn an_obsolete_date_is_still_the_second_at_which_to_come_again() {
    for spec in [RetryAfterSpec::Rfc850 { s: 60 }, RetryAfterSpec::Asctime { s: 60 }] {
        let (values, record) = asked_to_wait(spec);
        let date = httpdate::parse_http_date(&values[0]).unwrap();
        let ahead = date.duration_since(Clock::wall()).unwrap();
        assert!((50..=61).contains(&ahead.as_secs()), "{ahead:?}");
        assert_ne!(httpdate::fmt_http_date(date), values[0]);
        let after = record.retry_after.unwrap();
        assert_eq!((after.form, &after.value), (RetryAfterForm::Date, &values[0]));
        let told = after.until.unwrap().since(record.t_first.unwrap());
        assert!((59..=61).contains(&told.as_secs()), "{told:?}");
    }
}

#[test]
fn a_huge_retry_after_is_lawful_and_names_the_last_of_all_moments() {
    let (values, record) = asked_to_wait(RetryAfterSpec::Huge);
    assert_eq!(values, ["99999999999999999999"]);
    assert!(values[0].parse::<u64>().is_err());
    let after = record.retry_after.unwrap();
    assert_eq!((after.form, after.until), (RetryAfterForm::Seconds, Some(Moment(u64::MAX))));
}

#[test]
fn a_malformed_retry_after_stands_there_to_the_letter_and_names_no_moment() {
    for (value, expected) in [("-5", &["-5"][..]), ("soon", &["soon"]), ("1, 120", &["1", "120"])] {
        let (values, record) = asked_to_wait(RetryAfterSpec::Malformed { value: value.into() });
        assert_eq!(values, expected);
        let after = record.retry_after.unwrap();
        assert_eq!(
            (after.form, after.until, after.value.as_str()),
            (RetryAfterForm::Malformed, None, value)
        );
    }
    let (values, record) = asked_to_wait(RetryAfterSpec::Absent);
    assert_eq!((values.len(), record.retry_after), (0, None));
}

#[test]
fn lies_about_the_rate_stand_in_its_headers() {
    let check = |lie, remaining: &[&str], marked: bool| {
        let rig = Rig::with_fault(Fault::RateHeaders(RateHeaders { lies: vec![lie] }));
        let sight = look_at_profile(&rig);
        assert_eq!(sight.values("x-ratelimit-remaining"), remaining, "{lie:?}");
        assert_eq!(sight.status(), Some(200));
        let record = only(&rig);
        assert_eq!((record.faults.len() == 1, record.doubtful), (marked, false), "{lie:?}");
        assert!(record.is_success());
        sight
    };
    check(RateLie::Missing, &[], true);
    check(RateLie::Zero, &["0"], true);
    check(RateLie::Full, &["100"], true);
    check(RateLie::Negative, &["-1"], true);
    check(RateLie::Garbage, &["plenty"], true);
    check(RateLie::Huge, &["99999999999999999999"], true);
    let other = check(RateLie::OtherReset, &["99"], true);
    assert!(other.values("x-ratelimit-reset")[0].parse::<u64>().unwrap() > 1_700_000_000);
}

fn doubtful(rig: &Rig) -> Exchange {
    let record = only(rig);
    assert_eq!(record.end, End::Complete);
    assert!(record.doubtful && !record.is_success());
    record
}

#[test]
fn a_page_for_people_keeps_the_status_or_has_its_own() {
    let rig = Rig::with_fault(Fault::Html(Html { status: None }));
    let sight = look_at_profile(&rig);
    assert_eq!((sight.status(), sight.end), (Some(200), Ending::KeptOpen));
    assert_eq!(sight.values("content-type"), ["text/html; charset=utf-8"]);
    assert!(sight.body().starts_with(b"<!DOCTYPE html>") && sight.values("etag").is_empty());
    let record = doubtful(&rig);
    assert!(!record.is_definite_failure() && record.version.is_none(), "{record:?}");

    let rig = Rig::with_fault(Fault::Html(Html { status: Some(503) }));
    assert_eq!(look_at_profile(&rig).status(), Some(503));
    assert!(doubtful(&rig).is_definite_failure());
}

fn with_flaw(flaw: JsonFlaw) -> (Sight, Exchange) {
    let fault = Fault::BadJson(BadJson { flaws: vec![flaw], percent: 50 });
    let rig = Rig::with_fault(fault);
    let sight = look_at_profile(&rig);
    (sight, doubtful(&rig))
}

#[test]
fn bad_json_has_the_length_and_the_type_that_its_head_says() {
    let (whole, _) = with_flaw(JsonFlaw::DuplicateKeys);
    for flaw in JsonFlaw::ALL {
        let (sight, record) = with_flaw(flaw);
        assert_eq!((sight.status(), sight.end), (Some(200), Ending::KeptOpen), "{flaw:?}");
        assert_eq!(sight.promised(), Some(sight.body().len()));
        assert_eq!(sight.values("content-type"), ["application/json"], "{flaw:?}");
        let parsed = serde_json::from_slice::<Value>(sight.body());
        let lawful = matches!(flaw, JsonFlaw::WrongTypes | JsonFlaw::DuplicateKeys);
        assert_eq!(parsed.is_ok(), lawful, "{flaw:?}");
        assert_eq!(record.version.is_none(), flaw == JsonFlaw::Empty, "{flaw:?}");
        assert_eq!(kinds(&record), ["bad-json"]);
    }
    let (cut, _) = with_flaw(JsonFlaw::Cut);
    assert!(whole.body().starts_with(&cut.body()[..cut.body().len() - 1]));
}

#[test]
fn the_content_type_is_another_or_missing_over_a_right_body() {
    for (value, expected) in [("text/plain", &["text/plain"][..]), ("", &[])] {
        let fault = ContentType { values: vec![value.into()] };
        let rig = Rig::with_fault(Fault::ContentType(fault));
        let sight = look_at_profile(&rig);
        assert_eq!(sight.values("content-type"), expected);
        let body: Value = serde_json::from_slice(sight.body()).unwrap();
        assert_eq!(body["handle"], "tail-0001");
        assert_eq!(doubtful(&rig).version.as_deref(), body["version"].as_str());
    }
}

#[test]
fn hostile_strings_reach_every_field_of_a_user_also_in_lists() {
    let rig = Rig::with_fault(Fault::HostileStrings(HostileStrings {}));
    let plain = Rig::plain();
    for target in [PROFILE, "/v1/profiles/viral-0001/links?limit=45"] {
        let sight = look(&rig, &rig.request("GET", target, "", ""), false);
        assert_eq!((sight.status(), sight.end), (Some(200), Ending::KeptOpen));
        let text = String::from_utf8(sight.body().to_vec()).unwrap();
        let right = plain.get(target).json();
        let mut kept = 0;
        for (path, right) in strings(&right, "") {
            let quoted = format!("{}:{}", path.rsplit('/').next().unwrap(), right);
            let is_users = ["display_name", "bio", "avatar_url", "title", "url"]
                .iter()
                .any(|field| path.ends_with(&format!("\"{field}\"")));
            if is_users {
                assert!(!text.contains(&quoted), "{quoted}");
            } else if !path.ends_with("\"nonce\"") {
                assert!(text.contains(&quoted), "{quoted}");
                kept += 1;
            }
        }
        assert!(kept > 3);
    }
    let records = rig.tape.wait(2);
    assert!(records.iter().all(|record| record.doubtful && kinds(record) == ["hostile-strings"]));
    // An error holds nothing of a user's.
    assert_eq!(rig.get("/v1/profiles/nobody").status, 404);
    assert_eq!(rig.tape.wait(3)[2].faults, []);
}

/// Path and JSON text of every string in a value.
fn strings(value: &Value, path: &str) -> Vec<(String, String)> {
    match value {
        Value::String(_) => vec![(path.to_owned(), value.to_string())],
        Value::Array(items) => items.iter().flat_map(|item| strings(item, path)).collect(),
        Value::Object(members) => {
            let inside = |(key, value)| strings(value, &format!("{path}/\"{key}\""));
            members.iter().flat_map(inside).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn the_date_is_off_missing_or_malformed_and_otherwise_there_once() {
    let dates = |date: Option<DateFlaw>| {
        let rules = date.map(|date| always("it", Fault::SkewedDate(SkewedDate { date })));
        let rig = Rig::new(|config| config.rules = rules.into_iter().collect());
        let dates = look_at_profile(&rig).values("date");
        assert!(only(&rig).is_success());
        dates
    };
    let off_s = |dates: Vec<String>| {
        assert_eq!(dates.len(), 1);
        let date = httpdate::parse_http_date(&dates[0]).unwrap();
        let seconds = |time: std::time::SystemTime| {
            time.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64
        };
        seconds(date) - seconds(Clock::wall())
    };
    assert!(off_s(dates(None)).abs() < 30);
    assert!((off_s(dates(Some(DateFlaw::Off { by_s: -3_600 }))) + 3_600).abs() < 30);
    assert!((off_s(dates(Some(DateFlaw::Off { by_s: 86_400 }))) - 86_400).abs() < 30);
    assert_eq!(dates(Some(DateFlaw::Missing)), Vec::<String>::new());
    assert_eq!(dates(Some(DateFlaw::Malformed { value: "now".into() })), ["now"]);
    let refused = look(&Rig::plain(), "no request\r\n\r\n", false);
    assert_eq!((refused.status(), refused.values("date").len()), (Some(400), 1));
}

#[test]
fn a_late_error_has_its_effect_and_tells_nothing_of_it() {
    let rig = Rig::with_fault(Fault::LateError(LateError { status: 502 }));
    let body = click("e1", "l1");
    let answer = rig.send("POST", "/v1/clicks", "Idempotency-Key: k\r\n", &body);
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (502, &"internal".into()));
    assert_eq!(rig.mock.clicks_counted(), 1);
    let record = only(&rig);
    assert!(record.is_definite_failure() && record.clicks[0].effect);
    assert_eq!((record.status, kinds(&record)), (Some(502), vec!["late-error"]));
    let read = rig.get(PROFILE);
    assert_eq!((read.status, read.header("etag")), (502, None));
    assert_eq!(rig.tape.wait(2)[1].version, None);
}

const LINKS: &str = "/v1/profiles/viral-0001/links";

#[test]
fn a_cursor_has_expired_and_a_first_page_has_not() {
    let rig = Rig::with_fault(Fault::ExpiredCursor(ExpiredCursor {}));
    let first = rig.get(LINKS);
    assert_eq!(first.status, 200);
    let cursor = first.json()["cursor"].as_str().unwrap().to_owned();
    let next = rig.get(&format!("{LINKS}?cursor={cursor}"));
    assert_eq!((next.status, &next.json()["error"]["code"]), (410, &"cursor_expired".into()));
    assert_eq!(rig.get(&format!("{LINKS}?cursor=nonsense")).status, 400, "never was a cursor");
    let marks: Vec<_> = rig.tape.wait(3).iter().map(|record| record.faults.len()).collect();
    assert_eq!(marks, [0, 1, 0]);
}

#[test]
fn short_pages_have_more_and_together_every_link_once() {
    let rig = Rig::with_fault(Fault::ShortPages(ShortPages { min: 7, max: 7 }));
    let (mut ids, mut cursor, mut lengths) = (Vec::new(), String::new(), Vec::new());
    loop {
        let page = rig.get(&format!("{LINKS}?limit=20{cursor}")).json();
        let data = page["data"].as_array().unwrap();
        lengths.push(data.len());
        ids.extend(data.iter().map(|link| link["id"].as_str().unwrap().to_owned()));
        if page["has_more"] == false {
            break;
        }
        cursor = format!("&cursor={}", page["cursor"].as_str().unwrap());
    }
    assert_eq!(lengths, [7, 7, 7, 7, 7, 7, 3]);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 45);
    let marks: Vec<_> = rig.tape.wait(7).iter().map(|record| record.faults.len()).collect();
    assert_eq!(marks, [1, 1, 1, 1, 1, 1, 0], "the last page is as long as it would have been");
    assert_eq!(rig.get(&format!("{LINKS}?limit=5")).json()["data"].as_array().unwrap().len(), 5);
    assert_eq!(rig.tape.wait(8)[7].faults, [], "no shorter than it was asked for");
}

#[test]
fn some_items_of_a_batch_fail_without_an_effect_and_succeed_when_sent_again() {
    let fault = PartialFailure { ratio: Ratio { hits: 1, of: 2 }, codes: vec![503] };
    let first = mock_server::faults::Pick::Nth { from: 0, until: 1 };
    let rig = Rig::new(|config| {
        let rule = always("it", Fault::PartialFailure(fault));
        config.rules = vec![mock_server::faults::Rule { pick: first, ..rule }];
    });
    let events: Vec<_> = (0..40).map(|n| click(&format!("e{n}"), "l1")).collect();
    let batch = format!("{{\"events\":[{}]}}", events.join(","));
    let statuses = |answer: crate::rig::Answer| -> Vec<u64> {
        assert_eq!(answer.status, 200);
        let results = answer.json()["results"].as_array().unwrap().clone();
        results.iter().map(|result| result["status"].as_u64().unwrap()).collect()
    };
    let once = statuses(rig.send("POST", "/v1/clicks/batch", "", &batch));
    let failed = once.iter().filter(|status| **status == 503).count();
    assert!((5..35).contains(&failed) && once.iter().all(|status| [202, 503].contains(status)));
    assert_eq!(rig.mock.clicks_counted(), 40 - failed);
    assert_eq!(statuses(rig.send("POST", "/v1/clicks/batch", "", &batch)), [202; 40]);
    assert_eq!(rig.mock.clicks_counted(), 40);
    let records = rig.tape.wait(2);
    let effects = |record: &Exchange| record.clicks.iter().filter(|click| click.effect).count();
    assert_eq!((effects(&records[0]), effects(&records[1])), (40 - failed, failed));
    assert_eq!((kinds(&records[0]), kinds(&records[1])), (vec!["partial-failure"], vec![]));
}

#[test]
fn some_links_of_a_batch_fail_and_stay_as_they_were() {
    let fault = PartialFailure { ratio: Ratio { hits: 1, of: 2 }, codes: vec![500] };
    let rig = crate::links::rig(|config| {
        config.rules = vec![always("it", Fault::PartialFailure(fault))];
    });
    let listed = rig.get("/v1/profiles/viral-0001/links?limit=40").json();
    let ids: Vec<_> = listed["data"].as_array().unwrap().iter().map(|link| &link["id"]).collect();
    let items: Vec<_> = ids
        .iter()
        .map(|id| format!("{{\"id\":{id},\"title\":\"new\",\"url\":\"https://example.com/\"}}"))
        .collect();
    let batch = format!("{{\"items\":[{}]}}", items.join(","));
    let answer = rig.send("POST", "/v1/links/batch", "", &batch);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let results = answer.json()["results"].as_array().unwrap().clone();
    let failed: Vec<_> = results.iter().filter(|one| one["status"] == 500).collect();
    assert!((5..35).contains(&failed.len()), "{}", answer.body);
    let now = rig.get("/v1/profiles/viral-0001/links?limit=40").json();
    for (link, result) in now["data"].as_array().unwrap().iter().zip(&results) {
        assert_eq!((&link["id"], link["title"] == "new"), (&result["id"], result["status"] == 200));
    }
    let record = rig.tape.wait(3).remove(1);
    let without = record.links.iter().filter(|link| link.status == 500 && !link.effect).count();
    assert_eq!((without, kinds(&record)), (failed.len(), vec!["partial-failure"]));
}

#[test]
fn changes_follow_each_other_and_stand_beside_an_effect() {
    let rig = Rig::new(|config| {
        config.rules = vec![
            always("hostile", Fault::HostileStrings(HostileStrings {})),
            always("type", Fault::ContentType(ContentType { values: vec!["text/x".into()] })),
            always("bom", Fault::BadJson(BadJson { flaws: vec![JsonFlaw::Bom], percent: 50 })),
            always("html", Fault::Html(Html { status: Some(404) })),
            always("nan", Fault::BadJson(BadJson { flaws: vec![JsonFlaw::Nan], percent: 50 })),
            always("cut", Fault::Truncate(mock_server::faults::Truncate { percent: 50 })),
        ];
    });
    let sight = look_at_profile(&rig);
    assert_eq!((sight.status(), sight.end), (Some(404), Ending::Closed));
    assert_eq!(sight.body().len(), sight.promised().unwrap() / 2);
    assert!(sight.body().starts_with(b"<!DOCTYPE"));
    let record = only(&rig);
    let rules: Vec<_> = record.faults.iter().map(|mark| mark.rule.as_str()).collect();
    assert_eq!(rules, ["hostile", "type", "bom", "html", "cut"], "a page is no JSON to spoil");
}

#[test]
fn what_the_server_refuses_by_itself_is_its_own_answer() {
    let rig = Rig::with_fault(Fault::LateError(LateError { status: 500 }));
    let sight = look(&rig, "GET /v1/me HTTP/1.1\r\nHost: x\r\n\r\n", false);
    assert_eq!(sight.status(), Some(401));
    assert_eq!(only(&rig).faults, []);
}

#[test]
fn a_change_that_nobody_got_to_see_is_not_marked() {
    let rig = Rig::new(|config| {
        config.rules = vec![
            always("html", Fault::Html(Html { status: None })),
            always("lost", Fault::LoseAnswer(mock_server::faults::LoseAnswer {})),
        ];
    });
    assert_eq!(look_at_profile(&rig).end, Ending::Closed);
    let record = only(&rig);
    assert_eq!((kinds(&record), record.doubtful), (vec!["lose-answer"], false));
}
