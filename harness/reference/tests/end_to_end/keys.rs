//! The key: taken over from the vault when Linktree refuses the old one, kept while the vault has none.

use crate::{Service, eventually};

#[tokio::test]
async fn a_revoked_key_is_replaced_at_once_and_its_age_is_shown() {
    let service = Service::start(None).await;
    let age = "linktree_api_key_age_seconds";
    eventually("an age", async || service.front.metric(age).await.is_some()).await;
    // Since the year 2000, in which the key was made.
    assert!(service.front.metric(age).await > Some(25.0 * 365.0 * 86_400.0));
    *service.stub.key.lock().unwrap() = "lt_live_new";
    *service.stub.in_the_vault.lock().unwrap() = Some("lt_live_new");
    assert_eq!(service.page("ann").await.0, 200);
    let refused =
        service.stub.seen("/v1/profiles/ann")[0].header("authorization").map(str::to_owned);
    assert_eq!(refused.as_deref(), Some("Bearer lt_live_key"));
}

#[tokio::test]
async fn a_sealed_vault_leaves_the_key_that_was() {
    let service = Service::start(None).await;
    assert_eq!(service.page("ann").await.0, 200);
    *service.stub.in_the_vault.lock().unwrap() = None;
    *service.stub.key.lock().unwrap() = "lt_live_new";
    assert_eq!(service.page("bob").await.0, 503);
    assert_eq!(service.page("ann").await.0, 200, "what was filled is shown");
    *service.stub.in_the_vault.lock().unwrap() = Some("lt_live_new");
    eventually("a page", async || service.page("bob").await.0 == 200).await;
}
