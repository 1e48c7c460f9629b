//! What a request asks of the vault: the operation, the path below `/v1/`, the query, the body's fields.

use super::fields::Fields;
use super::reply::Reply;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use percent_encoding::percent_decode_str;

/// What is to be done at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Read,
    List,
    Update,
    Delete,
    Head,
    Patch,
    Options,
}

/// One request, understood as far as that is the same everywhere.
pub(super) struct Ask {
    pub operation: Operation,
    /// Below `/v1/`, with its escapes undone.
    pub path: String,
    /// Names and values, with their escapes undone.
    pub query: Vec<(String, String)>,
    pub fields: Fields,
}

impl Ask {
    /// Reads a request, or says what is wrong with it, whoever asks.
    pub fn read(parts: &Parts, path: String, body: &[u8]) -> Result<Self, Reply> {
        let operation = super::operation(&parts.method).ok_or_else(Reply::no_such_method)?;
        let query = pairs(parts.uri.query().unwrap_or_default());
        let operation = listed(operation, &query)?;
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let fields = match operation {
            Operation::Update => Fields::of(body, kind)?,
            Operation::Patch if kind == "application/merge-patch+json" => Fields::of(body, kind)?,
            Operation::Patch => {
                let what = format!(
                    "PATCH requires Content-Type of application/merge-patch+json, provided {kind}"
                );
                return Err(Reply::error(StatusCode::UNSUPPORTED_MEDIA_TYPE, &what));
            }
            Operation::Options => {
                let what = "cannot handle internal-only request operation";
                return Err(Reply::error(StatusCode::BAD_REQUEST, what));
            }
            Operation::Read | Operation::List | Operation::Delete | Operation::Head => {
                Fields::default()
            }
        };
        if operation == Operation::Update && path.ends_with('/') {
            return Err(Reply::error(
                StatusCode::BAD_REQUEST,
                "cannot write to a path ending in '/'",
            ));
        }
        Ok(Self { operation, path, query, fields })
    }
}

/// A read with `list=true` is a list.
fn listed(operation: Operation, query: &[(String, String)]) -> Result<Operation, Reply> {
    let asked = query.iter().find(|(name, _)| name == "list").map(|(_, value)| value.as_str());
    match (operation, asked) {
        (Operation::Read, Some("1" | "t" | "T" | "true" | "TRUE" | "True")) => Ok(Operation::List),
        (_, None | Some("" | "0" | "f" | "F" | "false" | "FALSE" | "False")) => Ok(operation),
        (Operation::Read, Some(_)) => Err(Reply::bad_request()),
        _ => Ok(operation),
    }
}

/// The path without empty parts and dots, if it has any: a real server sends its clients there.
pub(super) fn cleaned(path: &str) -> Option<String> {
    // Those before the version are no path of the vault at all.
    let below = path.strip_prefix("/v1/")?;
    let odd = |part: &str| matches!(part, "" | "." | "..");
    let inner = below.strip_suffix('/').unwrap_or(below);
    if inner.is_empty() || !inner.split('/').any(odd) {
        return (below == "/").then(|| "/v1/".to_owned());
    }
    let mut kept = vec!["v1"];
    for part in inner.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            part => kept.push(part),
        }
    }
    let end = if below.ends_with('/') { "/" } else { "" };
    Some(format!("/{}{end}", kept.join("/")))
}

/// The path below the version, with its escapes undone.
pub(super) fn below_v1(path: &str) -> Option<String> {
    let below = path.strip_prefix("/v1/")?;
    Some(percent_decode_str(below).decode_utf8_lossy().into_owned())
}

/// The namespace that a path names before what is mounted, and the path within it; `""` for none.
pub(super) fn mounted(path: &str) -> (&str, &str) {
    const MOUNTED: [&str; 5] = ["auth", "cubbyhole", "identity", "secret", "sys"];
    let is_mount = |at: usize| {
        let first = path[at..].split_once('/').map(|(first, _)| first);
        first.is_some_and(|first| MOUNTED.contains(&first))
    };
    let starts = path.match_indices('/').map(|(at, _)| at + 1);
    match std::iter::once(0).chain(starts).find(|at| is_mount(*at)) {
        Some(at) if at > 0 => (&path[..at - 1], &path[at..]),
        _ => ("", path),
    }
}

/// Names and values of a query or form, with their escapes undone.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    let plain = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    };
    let pair = |text: &str| {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        (plain(name), plain(value))
    };
    text.split('&').filter(|text| !text.is_empty()).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_paths_lead_to_their_plain_form() {
        let check = |path: &str, expected: Option<&str>| {
            assert_eq!(cleaned(path).as_deref(), expected, "{path}");
        };
        check("/v1/secret/data/linktree", None);
        check("/v1/secret/metadata/", None);
        check("/v1/", None);
        check("/v1//secret/data/linktree", Some("/v1/secret/data/linktree"));
        check("/v1/secret//data/linktree", Some("/v1/secret/data/linktree"));
        check("/v1/secret/data/../data/./linktree", Some("/v1/secret/data/linktree"));
        check("/v1/secret//metadata/", Some("/v1/secret/metadata/"));
        check("/v1/../../x", Some("/x"));
        check("/v1//", Some("/v1/"));
        check("//v1/secret/data/linktree", None);
    }

    #[test]
    fn a_namespace_stands_before_what_is_mounted() {
        let check = |path: &str, namespace: &str, within: &str| {
            assert_eq!(mounted(path), (namespace, within), "{path}");
        };
        check("secret/data/linktree", "", "secret/data/linktree");
        check("ns1/secret/data/linktree", "ns1", "secret/data/linktree");
        check("a/b/auth/approle/login", "a/b", "auth/approle/login");
        check("secret/data/sys/x", "", "secret/data/sys/x");
        for plain in ["", "team", "team/", "nothing/at/all", "kv/data/linktree", "team/secret"] {
            check(plain, "", plain);
        }
    }

    #[test]
    fn names_and_values_are_read_with_their_escapes_undone() {
        let owned = |all: &[(&str, &str)]| -> Vec<(String, String)> {
            all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        assert_eq!(pairs("a=1&b=x+y%26&&c"), owned(&[("a", "1"), ("b", "x y&"), ("c", "")]));
        assert_eq!(pairs(""), []);
    }
}
