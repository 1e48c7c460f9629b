//! `GET /v1/analytics/{handle}?from=&to=`: clicks that counted, per link and day, slowly.

use super::profile::not_found;
use super::{Call, Handler, Reply};
use crate::api::bodies::{self, DayOfLink, json};
use crate::history::exchange::Denied;
use crate::world::idempotency::{link, page};
use jiff::ToSpan;
use jiff::civil::Date;

pub(super) struct Analytics;

impl Handler for Analytics {
    fn answer(&self, call: &Call<'_>) -> Reply {
        let handle = call.ticket.handle.as_deref().unwrap_or_default();
        if !call.may_act_for(handle) {
            return Reply::error(403, "forbidden", "the figures belong to another account")
                .denied(Denied::Account);
        }
        let Some(whole) = call.world.page(handle, call.ticket.t_req) else {
            return not_found();
        };
        let days = match range(call) {
            Ok(days) => days,
            Err(message) => return Reply::error(400, "bad_request", message),
        };
        let (mut data, mut total) = (Vec::new(), 0);
        call.world.with_clicks(|book| {
            total = days.iter().map(|(_, day)| book.clicks(page(handle), *day)).sum();
            for id in whole.creator.links.iter().map(|link| link.id.as_str()) {
                let place = link(handle, id);
                for (date, day) in &days {
                    let clicks = book.clicks(place, *day);
                    if clicks > 0 {
                        data.push(DayOfLink { link_id: id.to_owned(), date: date.clone(), clicks });
                    }
                }
            }
        });
        let date = |day: Option<&(String, i64)>| day.map(|(date, _)| date.clone());
        let (from, to) = (date(days.first()), date(days.last()));
        let body = bodies::Analytics { handle: handle.to_owned(), from, to, data, total };
        let mut reply = Reply::json(200, json(body)).with_nonce(&call.world.nonce(call.ticket.id));
        reply.slow_us =
            u64::try_from(call.world.analytics_latency().as_micros()).unwrap_or(u64::MAX);
        reply
    }
}

/// The days that are asked for, both ends included, with their numbers after 1970-01-01 (UTC).
fn range(call: &Call<'_>) -> Result<Vec<(String, i64)>, &'static str> {
    let query = |wanted: &str| {
        let mut values = call.request.url.query_pairs().filter(|(name, _)| name == wanted);
        values.next().map(|(_, value)| value)
    };
    let (from, to) = query("from").zip(query("to")).ok_or("from and to are needed")?;
    let (from, to) =
        date(&from).zip(date(&to)).ok_or("from and to are dates such as 2026-01-31")?;
    let (first, last) = (number(from), number(to));
    if first > last {
        return Err("from is after to");
    }
    if last - first >= i64::from(call.world.profile.analytics.max_days) {
        return Err("the range covers too many days");
    }
    let days = from.series(1.day()).take_while(|day| *day <= to);
    Ok(days.zip(first..).map(|(date, day)| (date.to_string(), day)).collect())
}

/// RFC 3339's `full-date`, and no other form that a library may know.
fn date(text: &str) -> Option<Date> {
    text.parse::<Date>().ok().filter(|date| date.to_string() == text)
}

/// Days after 1970-01-01.
fn number(date: Date) -> i64 {
    date.duration_since(jiff::civil::date(1970, 1, 1)).as_secs().div_euclid(86_400)
}
