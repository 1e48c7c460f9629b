//! Which build is tested: as `[target]` says, or as a command or the running target itself does.

use crate::config::Config;
use crate::config::model::usual_env;
use crate::config::target::TargetSpec;
use reports::text::clean;
use scenarios::measure::humane;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// A version that takes longer to tell is not told.
const WITHIN: Duration = Duration::from_secs(10);
/// Longer ones are cut: it stands in a line with others.
const MAX_CHARS: usize = 80;

/// The version, where the configuration says how to know it; that of the reference is Windthrow's.
///
/// # Errors
///
/// Why it could not be known.
pub async fn of(config: &Config, target: &TargetSpec) -> Result<Option<String>, String> {
    let section = &config.file.target;
    let told = match target {
        TargetSpec::Embedded { .. } => Some(env!("CARGO_PKG_VERSION").to_owned()),
        TargetSpec::Spawn { .. } | TargetSpec::Url { .. } => {
            match (&section.version, &section.version_command, &section.version_route, target) {
                (Some(version), ..) => Some(version.clone()),
                (_, Some(command), ..) => Some(said_by(command, &config.folder).await?),
                (_, _, Some(route), TargetSpec::Url { running }) => Some(
                    answered_at(&format!("{}{route}", running.base.trim_end_matches('/'))).await?,
                ),
                _ => None,
            }
        }
    };
    told.map(|text| first_line(&text)).transpose()
}

fn first_line(text: &str) -> Result<String, String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    let line = line.ok_or("nothing was said")?;
    Ok(clean(line).chars().take(MAX_CHARS).collect())
}

async fn said_by(command: &[String], folder: &Path) -> Result<String, String> {
    let (program, arguments) = command.split_first().ok_or("the command is empty")?;
    let usual = usual_env().into_iter().filter_map(|name| Some((std::env::var_os(&name)?, name)));
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(usual.map(|(value, name)| (name, value)))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(WITHIN, output).await;
    let output = output.map_err(|_| format!("{program} said nothing within {}", humane(WITHIN)))?;
    let output = output.map_err(|error| format!("failed to start {program}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{program} ended with {}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

async fn answered_at(url: &str) -> Result<String, String> {
    let unanswered = |error: reqwest::Error| format!("failed to ask {url}: {error}");
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(WITHIN)
        .build()
        .map_err(unanswered)?;
    let answer = client.get(url).send().await.map_err(unanswered)?;
    if !answer.status().is_success() {
        return Err(format!("{url} answered {}", answer.status()));
    }
    answer.text().await.map_err(unanswered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::routing::get;

    const SPAWN: &str = "[target.spawn]\ncommand = [\"server\"]\n";

    fn config(keys: &str, target: &str) -> Config {
        let file = toml::from_str(&format!("[target]\n{keys}\n{target}")).unwrap();
        Config { file, folder: ".".into(), ..Config::default() }
    }

    async fn told(config: &Config) -> Result<Option<String>, String> {
        of(config, &TargetSpec::of(config).unwrap()).await
    }

    #[tokio::test]
    async fn the_configuration_or_a_command_says_which_build_it_is() {
        let of = |keys: &str| config(keys, SPAWN);
        assert_eq!(told(&of("")).await, Ok(None));
        assert_eq!(told(&of("version = \" v1.4\"")).await, Ok(Some("v1.4".into())));
        let printed = told(&of("version_command = [\"printf\", \"\\n deadbee \\nmore\"]")).await;
        assert_eq!(printed, Ok(Some("deadbee".into())));
        let silent = told(&of("version_command = [\"true\"]")).await;
        assert_eq!(silent, Err("nothing was said".into()));
        let failed = told(&of("version_command = [\"false\"]")).await.unwrap_err();
        assert!(failed.starts_with("false ended with"), "{failed}");
        let absent = told(&of("version_command = [\"no-such-program\"]")).await.unwrap_err();
        assert!(absent.starts_with("failed to start no-such-program"), "{absent}");
        let reference = told(&Config::default()).await.unwrap();
        assert_eq!(reference.as_deref(), Some(env!("CARGO_PKG_VERSION")));
    }

    #[tokio::test]
    async fn what_runs_already_is_asked_itself() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = Router::new().route("/version", get(|| async { "1.4.2\n" }));
        tokio::spawn(async move { axum::serve(listener, service).await });
        let at = |route: &str| {
            let target = format!("[target.url]\nbase = \"http://{address}\"\nmock_port = 4010\n");
            config(&format!("version_route = \"{route}\""), &target)
        };
        assert_eq!(told(&at("/version")).await, Ok(Some("1.4.2".into())));
        let refused = told(&at("/other")).await.unwrap_err();
        assert!(refused.ends_with("answered 404 Not Found"), "{refused}");
    }
}
