//! What a service is told of the secrets manager that its configuration names, and that no other is there.

use std::path::Path;
use std::process::Command;

/// What stands in the environment of a service that ends at once, as it is started with these variables.
fn told(folder: &Path, backend: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let lines = variables.iter().map(|(name, template)| format!("{name} = \"{template}\"\n"));
    let config = format!(
        "[secrets]\nbackend = \"{backend}\"\n[target.spawn]\n\
         command = [\"sh\", \"-c\", \"env > seen; exit 3\"]\n[target.spawn.env]\n{}",
        lines.collect::<String>()
    );
    std::fs::write(folder.join("windthrow.toml"), config).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_windthrow"))
        .args(["run", "steady-state", "--seed", "7"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", String::from_utf8_lossy(&output.stderr));
    let seen = std::fs::read_to_string(folder.join("seen")).unwrap();
    let value = |name: &str| {
        let mut lines = seen.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default()
    };
    variables.iter().map(|(name, _)| value(name).to_owned()).collect()
}

#[test]
fn a_service_is_told_what_its_sdk_needs() {
    let folder = tempfile::tempdir().unwrap();
    let aws = told(
        folder.path(),
        "aws",
        &[
            ("A", "{aws.url}"),
            ("B", "{aws.region}"),
            ("C", "{aws.access_key_id}"),
            ("D", "{aws.secret_access_key}"),
            ("E", "{aws.credentials_url}"),
            ("F", "{aws.secret_id}"),
        ],
    );
    let url = aws[0].as_str();
    assert!(url.starts_with("http://127.0.0.1:"), "{aws:?}");
    assert!(aws[2].starts_with("AKIA") && aws[2].len() == 20 && !aws[3].is_empty(), "{aws:?}");
    assert_eq!((aws[1].as_str(), aws[5].as_str()), ("us-east-1", "linktree"));
    assert_eq!(aws[4], format!("{url}/credentials"));

    let gcp = told(
        folder.path(),
        "gcp",
        &[
            ("A", "{gcp.url}"),
            ("B", "{gcp.metadata_host}"),
            ("C", "{gcp.token}"),
            ("D", "{gcp.project}"),
            ("E", "{gcp.secret}"),
        ],
    );
    assert_eq!(gcp[0], format!("http://{}", gcp[1]));
    assert!(!gcp[2].is_empty(), "{gcp:?}");
    assert_eq!((gcp[3].as_str(), gcp[4].as_str()), ("windthrow", "linktree"));
}
