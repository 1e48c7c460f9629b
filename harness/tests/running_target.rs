//! A target that runs already: it is loaded at its address, calls the mock at its fixed ports, is
//! asked to reset, and is still there afterwards. Everything is on the loopback of IPv6, if there is one.

use std::fs;
use std::process::{Child, Command, Stdio};
use windthrow::process::port::free_port;

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_runs_already_is_judged_as_it_stands_and_left_running() {
    let folder = tempfile::tempdir().unwrap();
    let has_six = std::net::TcpListener::bind(("::1", 0)).is_ok();
    let (host, named) = if has_six { ("::1", "[::1]") } else { ("127.0.0.1", "127.0.0.1") };
    let [front, mock, vault] = [(); 3].map(|()| free_port().unwrap());
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let reference = Command::new(env!("CARGO_BIN_EXE_windthrow"))
        .arg("__reference")
        .env("HOST", host)
        .env("PORT", front.to_string())
        .env("LINKTREE_URL", format!("http://{named}:{mock}"))
        .env("VAULT_URL", format!("http://{named}:{vault}"))
        .env("VAULT_TOKEN", "fixed-token")
        .env("DATA_DIR", &data)
        .env("TIME_SCALE", "10")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut reference = Running(reference);
    let config = format!(
        "[mock]\nhost = \"{host}\"\n[observe]\nmetrics_url = \"http://{named}:{front}/no/such/metrics\"\n\
         [target.url]\nbase = \"http://{named}:{front}\"\nmock_port = {mock}\n\
         vault_port = {vault}\nvault_token = \"fixed-token\"\n"
    );
    fs::write(folder.path().join("windthrow.toml"), config).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_windthrow"))
        .args(["run", "steady-state", "--seed", "7"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stderr),
        String::from_utf8_lossy(&output.stdout)
    );
    // On a loaded machine what depends on visitors is inconclusive.
    assert!(matches!(output.status.code(), Some(0 | 3)), "{said}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("(url)"), "{output:?}");
    let lacks: Vec<&str> = said.lines().filter(|line| line.starts_with("! GET ")).collect();
    assert!(
        matches!(lacks[..], [one] if one.contains("/no/such/metrics was answered 404")),
        "{said}"
    );
    assert!(matches!(reference.0.try_wait(), Ok(None)), "it must be left running");

    // What is not ours cannot be killed.
    let output = Command::new(env!("CARGO_BIN_EXE_windthrow"))
        .args(["run", "crash-and-replay", "--seed", "7"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("crash-and-replay"), "{output:?}");

    // A reset that the target does not offer is said before any storm.
    let config = fs::read_to_string(folder.path().join("windthrow.toml")).unwrap();
    fs::write(folder.path().join("windthrow.toml"), config + "reset = \"/no/such/route\"\n")
        .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_windthrow"))
        .args(["run", "steady-state", "--seed", "7"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&output.stdout).contains("404 Not Found"), "{output:?}");
}
