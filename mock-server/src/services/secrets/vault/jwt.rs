//! Looks at the JSON Web Token of a Kubernetes service account as far as nobody else is needed: its form
//! and its time. Who signed it only a cluster could say, so every signature is taken.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// Whose token it is; a part that the token does not name is what a cluster calls it by default.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub namespace: String,
    pub name: String,
    pub uid: String,
    /// Tokens of older clusters lie in a secret.
    pub secret_name: String,
}

/// The account, at this time in seconds since the epoch.
///
/// # Errors
///
/// Why no server would take the token.
pub(super) fn account(token: &str, now_s: u64) -> Result<Account, &'static str> {
    const FORM: &str =
        "jwt is no JSON Web Token: three parts in base64url, the first two JSON objects";
    let parts: Vec<&str> = token.trim().split('.').collect();
    let [head, claims, signature] = parts[..] else { return Err(FORM) };
    let head = object(head).ok_or(FORM)?;
    let claims = object(claims).ok_or(FORM)?;
    if !head.get("alg").is_some_and(Value::is_string) {
        return Err("the head of jwt names no algorithm (alg)");
    }
    if signature.is_empty() || URL_SAFE_NO_PAD.decode(signature).is_err() {
        return Err("jwt is not signed");
    }
    let time = |name: &str| claims.get(name).and_then(Value::as_f64);
    #[allow(clippy::cast_precision_loss)] // seconds of a calendar fit
    let now_s = now_s as f64;
    if time("exp").is_some_and(|end| end <= now_s) {
        return Err("jwt has expired (exp)");
    }
    if time("nbf").is_some_and(|begin| begin > now_s) {
        return Err("jwt is not valid yet (nbf)");
    }
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let new = |path: &str| claims.get("kubernetes.io")?.pointer(path).and_then(text);
    let old =
        |name: &str| claims.get(&format!("kubernetes.io/serviceaccount/{name}")).and_then(text);
    let or_default = |found: Option<String>| found.unwrap_or_else(|| "default".to_owned());
    Ok(Account {
        namespace: or_default(new("/namespace").or_else(|| old("namespace"))),
        name: or_default(new("/serviceaccount/name").or_else(|| old("service-account.name"))),
        uid: new("/serviceaccount/uid").or_else(|| old("service-account.uid")).unwrap_or_default(),
        secret_name: old("secret.name").unwrap_or_default(),
    })
}

fn object(part: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(head: &str, claims: &str, signature: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{signature}", part(head), part(claims))
    }

    #[track_caller]
    fn check(token: &str, expected: Result<[&str; 4], &str>) {
        match (account(token, 1_000), expected) {
            (Ok(found), Ok(expected)) => {
                let Account { namespace, name, uid, secret_name } = &found;
                assert_eq!([namespace, name, uid, secret_name], expected);
            }
            (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
            (found, _) => panic!("{token}: {found:?}"),
        }
    }

    #[test]
    fn an_account_is_read_from_tokens_new_and_old() {
        let new = r#"{"exp":1001,"nbf":1000,"kubernetes.io":{"namespace":"shop","serviceaccount":{"name":"page","uid":"u"}}}"#;
        check(&token(r#"{"alg":"RS256"}"#, new, "c2ln"), Ok(["shop", "page", "u", ""]));
        let old = r#"{"kubernetes.io/serviceaccount/namespace":"shop","kubernetes.io/serviceaccount/service-account.name":"page","kubernetes.io/serviceaccount/secret.name":"s"}"#;
        check(&token(r#"{"alg":"RS256"}"#, old, "c2ln"), Ok(["shop", "page", "", "s"]));
        check(&token(r#"{"alg":"none"}"#, "{}", "c2ln"), Ok(["default", "default", "", ""]));
    }

    #[test]
    fn what_no_server_would_take_is_refused() {
        for odd in ["", "x", "x.y.z", "a.b", "a.b.c.d"] {
            check(odd, Err("three parts"));
        }
        check(&token("[]", "{}", "c2ln"), Err("three parts"));
        check(&token("{}", "{}", "c2ln"), Err("alg"));
        check(&token(r#"{"alg":"RS256"}"#, "{}", ""), Err("not signed"));
        check(&token(r#"{"alg":"RS256"}"#, r#"{"exp":1000}"#, "c2ln"), Err("expired"));
        check(&token(r#"{"alg":"RS256"}"#, r#"{"nbf":1001}"#, "c2ln"), Err("not valid yet"));
    }
}
