//! Pages: filled once, collapsed, revalidated, and always of the right creator.

use crate::{Service, stub::Mood};
use std::time::Duration;

#[tokio::test]
async fn a_page_is_filled_by_cursor_and_then_shown_from_the_cache() {
    let service = Service::start(None).await;
    let (status, version, cache, html) = service.page("ann").await;
    assert_eq!((status, version.as_str()), (200, "v-ann"));
    assert!(cache.starts_with("reference; fwd=miss"), "{cache}");
    assert!(html.contains("&lt;ann&gt;") && !html.contains("secret@"), "{html}");
    let places = [1, 2].map(|n| html.find(&format!("ann link {n}")).unwrap());
    assert!(places[0] < places[1] && !html.contains("ann link 3"), "{html}");
    let (_, _, cache, again) = service.page("ann").await;
    assert!(cache.starts_with("reference; hit; ttl="), "{cache}");
    assert_eq!(again, html);
    assert_eq!(service.stub.seen("").len(), 3, "profile and two pages of links");
    for seen in service.stub.seen("") {
        assert_eq!(seen.header("authorization"), Some("Bearer lt_live_key"));
        assert_eq!(seen.header("accept"), Some("application/json"));
        assert!(seen.uri.starts_with("/v1/profiles/ann") && !seen.uri.contains("lt_live"));
    }
}

#[tokio::test]
async fn visitors_of_one_page_share_a_fill_and_others_do_not() {
    let service = Service::start(None).await;
    *service.stub.latency.lock().unwrap() = Duration::from_millis(30);
    let page = |handle| service.page(handle);
    let (a, b, c, d) = tokio::join!(page("ann"), page("bob"), page("ann"), page("bob"));
    assert_eq!([a.1, b.1, c.1, d.1], ["v-ann", "v-bob", "v-ann", "v-bob"]);
    assert!(c.2.contains("; collapsed") || a.2.contains("; collapsed"), "{} {}", a.2, c.2);
    assert_eq!(service.stub.seen("").len(), 6);
}

#[tokio::test]
async fn an_expired_page_is_vouched_for_or_shown_stale() {
    let service = Service::start(None).await;
    *service.stub.cache_control.lock().unwrap() = "max-age=0, stale-if-error=600";
    service.page("ann").await;
    let (_, _, cache, _) = service.page("ann").await;
    assert!(cache.starts_with("reference; fwd=stale; stored"), "{cache}");
    assert_eq!(service.stub.seen("").len(), 4, "a 304 needs one call");
    for mood in [Mood::Status(500, None), Mood::Status(401, None), Mood::Stall] {
        service.stub.set(mood);
        let (status, version, cache, _) = service.page("ann").await;
        assert_eq!((status, version.as_str()), (200, "v-ann"), "{mood:?}");
        assert!(cache.contains("ttl=-1"), "{mood:?}: {cache}");
    }
}

#[tokio::test]
async fn what_cannot_be_a_handle_is_not_asked_for() {
    let service = Service::start(None).await;
    for handle in ["UPPER", "a%20b", "a%2Flinks", &"x".repeat(31)] {
        assert_eq!(service.page(handle).await.0, 404, "{handle}");
    }
    assert!(service.stub.seen("").is_empty());
    assert_eq!(service.page("nobody").await.0, 404);
    assert_eq!(service.page("nobody").await.0, 404);
    assert_eq!(service.stub.seen("").len(), 1, "an unknown handle is remembered");
}

#[tokio::test]
async fn a_trickle_is_given_up_in_time() {
    let service = Service::start(None).await;
    service.stub.set(Mood::Trickle);
    service.page("ann").await;
    let timeouts = "linktree_upstream_requests_total{route=\"profile\",outcome=\"timeout\"}";
    assert!(service.front.metric(timeouts).await >= Some(1.0));
}
