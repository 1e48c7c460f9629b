//! The token that is shown to the vault: the one that this service was given, and once that is refused,
//! because it has expired or was revoked, one of a login of its own (AppRole).

use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use std::{fmt, sync::RwLock, time::Duration};

/// Time limit of one request to the vault.
const LIMIT: Duration = Duration::from_secs(3);

/// With which role this service logs in.
#[derive(Clone, PartialEq, Eq)]
pub struct Role {
    /// Its name, no secret.
    pub role_id: String,
    /// What proves that it is this service.
    pub secret_id: String,
}

/// The way into the vault.
pub struct VaultLogin {
    url: String,
    token: RwLock<String>,
    role: Option<Role>,
}

impl fmt::Debug for VaultLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultLogin(hidden)")
    }
}

#[derive(Deserialize)]
struct LoggedIn {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    client_token: String,
}

impl VaultLogin {
    /// Shows this token to the vault at `url`, and logs in as `role` where it is refused.
    pub fn new(url: String, token: String, role: Option<Role>) -> Self {
        Self { url, token: RwLock::new(token), role }
    }

    /// Reads what lies at this path below `/v1/`; once more after a login, where the token is refused.
    pub async fn read(&self, http: &Client, path: &str) -> reqwest::Result<Response> {
        let token = self.token.read().unwrap().clone();
        let answer = self.ask(http, path, &token).send().await?;
        let Some(role) = self.role.as_ref().filter(|_| answer.status() == StatusCode::FORBIDDEN)
        else {
            return answer.error_for_status();
        };
        tracing::warn!("the vault refuses the token; logging in");
        let token = self.log_in(http, role).await?;
        self.token.write().unwrap().clone_from(&token);
        self.ask(http, path, &token).send().await?.error_for_status()
    }

    fn ask(&self, http: &Client, path: &str, token: &str) -> RequestBuilder {
        http.get(format!("{}/v1/{path}", self.url))
            .header("X-Vault-Token", token)
            .header("Accept", "application/json")
            .timeout(LIMIT)
    }

    async fn log_in(&self, http: &Client, role: &Role) -> reqwest::Result<String> {
        let pair = [("role_id", &role.role_id), ("secret_id", &role.secret_id)];
        let asked = http.post(format!("{}/v1/auth/approle/login", self.url)).timeout(LIMIT);
        let pair = serde_json::Map::from_iter(
            pair.map(|(name, value)| (name.into(), value.as_str().into())),
        );
        let answer = asked.json(&pair).send().await?.error_for_status()?;
        let LoggedIn { auth: Auth { client_token } } = answer.json().await?;
        Ok(client_token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{
        Json, Router,
        http::HeaderMap,
        response::IntoResponse,
        routing::{get, post},
    };
    use serde_json::{Value, json};

    /// A vault that knows the token of a login alone, which only this secret gets; what came of a read.
    async fn read(secret_id: Option<&str>) -> [Option<u16>; 2] {
        let secret = get(|headers: HeaderMap| async move {
            match headers.get("x-vault-token") {
                Some(token) if token == "fresh" => "the secret".into_response(),
                _ => StatusCode::FORBIDDEN.into_response(),
            }
        });
        let login = post(|Json(asked): Json<Value>| async move {
            if asked == json!({ "role_id": "r", "secret_id": "s" }) {
                Json(json!({ "auth": { "client_token": "fresh" } })).into_response()
            } else {
                StatusCode::BAD_REQUEST.into_response()
            }
        });
        let router = Router::new().route("/v1/x", secret).route("/v1/auth/approle/login", login);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let role = |secret: &str| Role { role_id: "r".into(), secret_id: secret.into() };
        let login = VaultLogin::new(url, "expired".into(), secret_id.map(role));
        let mut statuses = [None; 2];
        for status in &mut statuses {
            let answer = login.read(&Client::new(), "x").await;
            let found = answer.map_or_else(|error| error.status(), |answer| Some(answer.status()));
            *status = found.map(|status| status.as_u16());
        }
        statuses
    }

    #[tokio::test]
    async fn a_refused_token_is_replaced_by_that_of_a_login() {
        assert_eq!(read(Some("s")).await, [Some(200), Some(200)]);
        assert_eq!(read(Some("wrong")).await, [Some(400), Some(400)], "the login says why");
        assert_eq!(read(None).await, [Some(403), Some(403)], "nobody to log in as");
    }
}
