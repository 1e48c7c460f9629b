//! Which addresses are called at all: plain HTTP to this machine, and to whom the configuration names.

use super::registrations::RegistrationError;
use crate::listen::IpNet;
use reqwest::Url;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What the name `localhost` stands for: nobody is asked, so no resolver can lead elsewhere.
pub(super) const LOCALHOST: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
    SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0),
];

/// The address, if it is plain HTTP to this machine or to one that is named (see
/// [`Listen::hooks`](crate::listen::Listen::hooks)); no name but `localhost` is looked up.
pub(super) fn callable(text: &str, named: &[IpNet]) -> Result<Url, RegistrationError> {
    let url = || text.to_owned();
    let wrong = |what: &str| RegistrationError::Url { url: url(), what: what.to_owned() };
    let mut parsed = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    if parsed.scheme() != "http" {
        return Err(wrong("only http is called"));
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        let what = "credentials in the address would stand in every record".to_owned();
        return Err(RegistrationError::Url { url: "[address with credentials]".to_owned(), what });
    }
    let host = parsed.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let here = match bare.parse::<IpAddr>() {
        Ok(ip) => is_callable(ip.to_canonical(), named),
        Err(_) => host == "localhost",
    };
    parsed.set_fragment(None);
    if here { Ok(parsed) } else { Err(RegistrationError::Host { url: url() }) }
}

fn is_callable(ip: IpAddr, named: &[IpNet]) -> bool {
    let is_private = match ip {
        IpAddr::V4(ip) => ip.is_private(),
        IpAddr::V6(ip) => ip.is_unique_local(),
    };
    let is_named =
        |net: &IpNet| net.contains(&ip) && (is_private || net.prefix_len() == net.max_prefix_len());
    ip.is_loopback() || named.iter().any(is_named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listen::network;

    #[test]
    fn beyond_this_machine_only_who_is_named_is_called() {
        let check = |named: &[&str], url: &str, expected: bool| {
            let named: Vec<_> = named.iter().map(|text| network(text).unwrap()).collect();
            assert_eq!(callable(url, &named).is_ok(), expected, "{url} for {named:?}");
        };
        let docker = &["172.17.0.0/16", "fd00:1::/32"][..];
        check(docker, "http://172.17.0.5:8080/hook", true);
        check(docker, "http://[::ffff:172.17.0.5]:8080/hook", true);
        check(docker, "http://[fd00:1::5]/hook", true);
        check(docker, "http://127.0.0.1/hook", true);
        for elsewhere in ["172.18.0.5", "10.0.0.1", "169.254.169.254", "[fd01::1]", "app.internal"]
        {
            check(docker, &format!("http://{elsewhere}/"), false);
        }
        check(docker, "https://172.17.0.5/", false);
        let wide = &["0.0.0.0/0", "::/0"][..];
        check(wide, "http://192.168.1.5/", true);
        for public in ["203.0.113.9", "169.254.169.254", "0.0.0.0", "[2001:db8::1]", "[fe80::1]"] {
            check(wide, &format!("http://{public}/"), false);
            check(&[public.trim_matches(['[', ']'])], &format!("http://{public}/"), true);
        }
    }

    #[test]
    fn only_plain_http_to_this_machine_will_do() {
        let check = |url: &str, expected: Option<&str>| {
            let said = callable(url, &[]).err();
            let said = said.map(|error| error.to_string());
            match expected {
                None => assert_eq!(said, None, "{url}"),
                Some(word) => assert!(said.as_ref().unwrap().contains(word), "{url}: {said:?}"),
            }
        };
        check("http://127.0.0.1:8080/hook", None);
        check("http://127.9.9.9/", None);
        check("http://localhost:1", None);
        check("http://LOCALHOST:1", None);
        check("http://[::1]:80/x?y=z", None);
        check("http://[::ffff:127.0.0.1]/", None);
        check("http://2130706433/", None); // 127.0.0.1 as one number, as browsers read it
        check("https://127.0.0.1/", Some("only http"));
        check("ftp://127.0.0.1/", Some("only http"));
        check("hook", Some("address such as"));
        check("http://10.0.0.1/", Some("not named"));
        check("http://169.254.169.254/", Some("not named"));
        check("http://0.0.0.0/", Some("not named"));
        check("http://[::]/", Some("not named"));
        check("http://example.org/", Some("not named"));
        check("http://localhost.example.org/", Some("not named"));
        check("http://127.0.0.1.example.org/", Some("not named"));
        check("http://127.0.0.1@example.org/", Some("credentials"));
        let error = callable("http://u:pass@localhost/", &[]);
        assert!(!error.unwrap_err().to_string().contains("pass"));
    }
}
