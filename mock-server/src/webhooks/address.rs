//! Which addresses are called at all: plain HTTP to this machine.

use super::registrations::RegistrationError;
use reqwest::Url;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What the name `localhost` stands for: nobody is asked, so no resolver can lead elsewhere.
pub(super) const LOCALHOST: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
    SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0),
];

/// The address, if it is plain HTTP to this machine.
pub(super) fn loopback(text: &str) -> Result<Url, RegistrationError> {
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
        Ok(ip) => ip.to_canonical().is_loopback(),
        Err(_) => host == "localhost",
    };
    parsed.set_fragment(None);
    if here { Ok(parsed) } else { Err(RegistrationError::Host { url: url() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_to_this_machine_will_do() {
        let check = |url: &str, expected: Option<&str>| {
            let said = loopback(url).err();
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
        check("http://10.0.0.1/", Some("loopback only"));
        check("http://169.254.169.254/", Some("loopback only"));
        check("http://0.0.0.0/", Some("loopback only"));
        check("http://[::]/", Some("loopback only"));
        check("http://example.org/", Some("loopback only"));
        check("http://localhost.example.org/", Some("loopback only"));
        check("http://127.0.0.1.example.org/", Some("loopback only"));
        check("http://127.0.0.1@example.org/", Some("credentials"));
        let error = loopback("http://u:pass@localhost/");
        assert!(!error.unwrap_err().to_string().contains("pass"));
    }
}
