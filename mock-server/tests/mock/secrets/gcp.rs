//! GCP Secret Manager over REST, and the metadata server beside it.

use super::{LONG, gcp, payload, reads, rig, url};
use crate::rig::beside;
use mock_server::contract::SecretsManager::Gcp;
use std::time::Duration;

#[test]
fn gcp_hands_out_every_version_with_its_checksum() {
    let rig = rig(vec![]);
    let run = |rest: &str| gcp(&rig, "vault-token", rest);
    let first = run("/linktree/versions/latest:access");
    assert_eq!(payload(&first)["api_key"], rig.mock.api_key());
    assert_eq!(first.json()["name"], "projects/123456789012/secrets/linktree/versions/1");
    assert!(first.json()["payload"]["dataCrc32c"].as_str().unwrap().parse::<u32>().is_ok());
    rig.mock.rotate_api_key(LONG);
    let second = run("/linktree/versions/latest:access");
    assert_eq!(payload(&second)["api_key"], rig.mock.api_key());
    assert_eq!(run("/linktree/versions/1:access").body, first.body);
    let escaped = "/linktree/versions/2%3Aaccess?%24alt=json%3Benum-encoding%3Dint";
    assert_eq!(run(escaped).body, second.body);
    assert_eq!(run("/linktree/versions/2").json()["state"], "ENABLED");
    assert_eq!(run("/linktree/versions/2?%24alt=json%3Benum-encoding%3Dint").json()["state"], 1);
    let page = run("/linktree/versions?pageSize=1").json();
    assert!(page["versions"][0]["name"].as_str().unwrap().ends_with("/2"));
    let next = format!("/linktree/versions?pageToken={}", page["nextPageToken"].as_str().unwrap());
    assert!(run(&next).json()["versions"][0]["name"].as_str().unwrap().ends_with("/1"));
    assert_eq!(run("/linktree").json()["name"], "projects/123456789012/secrets/linktree");
    assert_eq!(run("").json()["totalSize"], 2);
    let regional = beside(
        &url(&rig, Gcp),
        "GET",
        "/v1/projects/p/locations/l/secrets/linktree/versions/latest:access",
        "Authorization: Bearer vault-token\r\n",
        "",
    );
    assert_eq!(payload(&regional), payload(&second));

    let check = |token: &str, rest: &str, status: u16, name: &str| {
        let answer = gcp(&rig, token, rest);
        assert_eq!(
            (answer.status, &answer.json()["error"]["status"]),
            (status, &name.into()),
            "{rest}"
        );
    };
    check("none", "/linktree/versions/latest:access", 401, "UNAUTHENTICATED");
    check("x", "/linktree/versions/latest:access", 401, "UNAUTHENTICATED");
    check("vault-token", "/other/versions/latest:access", 404, "NOT_FOUND");
    check("vault-token", "/linktree/versions/3:access", 404, "NOT_FOUND");
    check("vault-token", "/linktree/versions/x:access", 400, "INVALID_ARGUMENT");
    let handed: Vec<_> = reads(&rig).iter().filter_map(|read| read.version).collect();
    assert_eq!(handed, [1, 2, 1, 2, 2]);
}

#[test]
fn gcps_metadata_server_hands_out_tokens_that_expire() {
    let rig = rig(vec![]);
    let at = url(&rig, Gcp);
    let path = "/computeMetadata/v1/instance/service-accounts/default/token";
    assert_eq!(beside(&at, "GET", path, "", "").status, 403, "the flavour is missing");
    let ping = beside(&at, "GET", "/", "", "");
    assert_eq!(ping.header("metadata-flavor").as_deref(), Some("Google"));
    let given = beside(&at, "GET", path, "Metadata-Flavor: Google\r\n", "").json();
    assert_eq!((&given["token_type"], &given["expires_in"]), (&"Bearer".into(), &2_764_800.into()));
    let token = given["access_token"].as_str().unwrap();
    let read = || gcp(&rig, token, "/linktree/versions/latest:access").status;
    assert_eq!(read(), 200);
    rig.mock.expire_vault_tokens(Duration::ZERO);
    assert_eq!(read(), 401);
    let labels: Vec<_> = reads(&rig).into_iter().map(|read| read.token).collect();
    assert_eq!(labels, ["absent", "absent", "absent", "login", "expired"]);
}
