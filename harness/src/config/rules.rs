//! What names and types cannot say: one target, known ids and templates, no secret in the file.

mod metrics;

use super::alerts;
use super::guarantees;
use super::managers;
use super::model::File;
use super::secret::is_reference;
use super::shape::place;
use super::template;
use super::version;
use crate::failure::Mistake;
use crate::failure::nearest;
use mock_server::contract::SecretsManager;
use mock_server::listen::network;
use scenarios::bounds;
use std::net::IpAddr;
use std::path::Path;
use toml::de::DeTable;

/// Everything that is wrong with what is well-shaped of a file in `folder`. What was taken out of it or put
/// in has been told of already.
pub fn check(file: &File, table: &DeTable<'_>, touched: &[String], folder: &Path) -> Vec<Mistake> {
    let backend = file.secrets.backend;
    let mut rules = Rules { table, touched, backend, mistakes: Vec::new() };
    rules.target(file, folder);
    rules.mock(file);
    rules.front_door(file);
    rules.observe(file, folder);
    rules.alerts(file);
    rules.guarantees(file);
    rules.secrets(file);
    rules.mistakes
}

struct Rules<'a> {
    table: &'a DeTable<'a>,
    touched: &'a [String],
    backend: SecretsManager,
    mistakes: Vec<Mistake>,
}

impl Rules<'_> {
    /// Whether nobody wrote what stands here.
    fn is_touched(&self, path: &str) -> bool {
        self.touched.iter().any(|touched| touched == path)
    }

    fn wrong(&mut self, path: &str, what: impl Into<String>, help: impl Into<String>) {
        if self.is_touched(path) {
            return;
        }
        self.mistakes.push(Mistake::new(place(self.table, path), what, help));
    }

    fn known(&mut self, path: &str, what: &str, name: &str, known: &[&str]) {
        if known.contains(&name) {
            return;
        }
        let help = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("known are: {}", known.join(", ")),
        };
        self.wrong(path, format!("there is no {what} {name}"), help);
    }

    fn target(&mut self, file: &File, folder: &Path) {
        let target = &file.target;
        let kinds = [target.spawn.is_some(), target.url.is_some(), target.embedded.is_some()];
        if kinds.into_iter().filter(|given| *given).count() > 1 {
            let help = "keep one of [target.spawn], [target.url] and [target.embedded]";
            self.wrong("target", "there is more than one target", help);
        }
        if let Some((path, what, help)) = version::mistake(target) {
            self.wrong(path, what, help);
        }
        if let Some(route) = &target.version_route {
            self.path("target.version_route", route);
        }
        if let Some(spawn) = &target.spawn {
            if spawn.command.first().is_none_or(String::is_empty) {
                let help = "name the program, as in [\"node\", \"server.js\"]";
                self.wrong("target.spawn.command", "target.spawn.command is empty", help);
            }
            for argument in &spawn.command {
                self.told(file, "target.spawn.command", argument);
            }
            for (name, value) in &spawn.env {
                if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                    let what = format!("{name:?} cannot be a variable of the environment");
                    let help = "let its name hold no =, and neither name nor value a NUL";
                    self.wrong("target.spawn.env", what, help);
                }
                self.told(file, &format!("target.spawn.env.{name}"), value);
            }
            if !folder.join(&spawn.cwd).is_dir() {
                let what = format!("there is no folder {}", spawn.cwd);
                self.wrong("target.spawn.cwd", what, "paths are relative to this file");
            }
            self.path("target.spawn.ready", &spawn.ready);
            match spawn.host.parse::<IpAddr>() {
                Ok(ip) => self.loaded("target.spawn", "host", &ip.to_string(), &spawn.allow_hosts),
                Err(_) => {
                    let what = format!("{:?} is no address", spawn.host);
                    self.wrong("target.spawn.host", what, "write it as 127.0.0.1 or ::1");
                }
            }
        }
        if let Some(running) = &target.url {
            self.address(&running.base, &running.allow_hosts);
            self.path("target.url.ready", &running.ready);
            if file.mock.tls {
                let what = "what runs already cannot be told the authority of a run";
                let help = "leave mock.tls out, or let Windthrow start it: [target.spawn]";
                self.wrong("mock.tls", what, help);
            }
            if let Some(reset) = &running.reset {
                self.path("target.url.reset", reset);
            }
        }
        if let Some(name) = target.embedded.as_ref().and_then(|embedded| embedded.mutant.as_ref()) {
            let known: Vec<_> = reference::mutants::MUTANTS.iter().map(|known| known.id).collect();
            self.known("target.embedded.mutant", "mutant", name, &known);
        }
    }

    fn templates(&mut self, path: &str, text: &str) {
        for name in template::names(text) {
            self.known(path, "template", name, template::NAMES);
            if let Some((what, help)) = managers::misplaced(name, self.backend)
                && !self.is_touched("secrets.backend")
            {
                self.wrong(path, what, help);
            }
        }
    }

    /// Of what the target is told: nothing listens that the file does not ask for.
    fn told(&mut self, file: &File, path: &str, text: &str) {
        self.templates(path, text);
        let chosen = file.observe.metrics.channel;
        for name in template::names(text) {
            if let Some(channel) = template::channel_of(name).filter(|named| *named != chosen) {
                let help = format!("say channel = {:?} in [observe.metrics]", channel.name());
                self.wrong(path, format!("nothing listens at {{{name}}}"), help);
            }
        }
    }

    /// Nobody's production is put under load by a slip: loopback, unless a host is named.
    fn address(&mut self, base: &str, allowed: &[String]) {
        let path = "target.url.base";
        if base.contains('@') {
            let what = "the address holds a user name or a password";
            let help = "leave only http://host:port: it stands in every report and history";
            return self.wrong(path, what, help);
        }
        let Some(url) = reqwest::Url::parse(base).ok().filter(|url| url.scheme() == "http") else {
            let what = format!("{base:?} is no http:// address");
            return self.wrong(path, what, "write it as http://127.0.0.1:8080");
        };
        self.loaded("target.url", "base", host(&url), allowed);
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            self.wrong(path, "the address has a path", "leave only http://host:port");
        }
    }

    /// A host that is called without end: this machine, unless another is named.
    fn loaded(&mut self, section: &str, key: &str, host: &str, allowed: &[String]) {
        let is_said = || allowed.iter().any(|known| known == host);
        if !is_here(host) && !is_said() && !self.is_touched(&format!("{section}.allow_hosts")) {
            let help = format!(
                "if this host is yours and may be loaded and faulted, say allow_hosts = [{host:?}]"
            );
            self.wrong(&format!("{section}.{key}"), format!("{host} is not this machine"), help);
        }
    }

    /// Nobody else calls the mock by a slip: loopback, unless it is said who may.
    fn mock(&mut self, file: &File) {
        let mock = &file.mock;
        for peer in &mock.peers {
            if let Err(what) = network(peer) {
                self.wrong("mock.peers", what, "name who may call the mock");
            }
        }
        match mock.host.parse::<IpAddr>() {
            Ok(ip) if ip.is_loopback() || !mock.peers.is_empty() => {}
            Ok(_) if self.is_touched("mock.peers") => {}
            Ok(ip) => {
                let what = format!("others can reach {ip}, and nobody is named who may");
                let help = "say in peers who calls it, such as peers = [\"172.17.0.0/16\"] for the \
                            containers of Docker; everybody else is turned away";
                self.wrong("mock.host", what, help);
            }
            Err(_) => {
                let what = format!("{:?} is no address", mock.host);
                let help = "write it as 127.0.0.1 or ::1; what the service is told may be a name: \
                            mock.name";
                self.wrong("mock.host", what, help);
            }
        }
        if let Some(name) = &mock.name
            && !is_host(name)
        {
            let what = format!("{name:?} is no name of a machine");
            self.wrong("mock.name", what, "write it as host.docker.internal, without a port");
        }
    }

    fn path(&mut self, key: &str, path: &str) {
        if !path.starts_with('/') {
            self.wrong(key, format!("{path:?} is no path"), "begin it with /");
        }
    }

    fn front_door(&mut self, file: &File) {
        let door = &file.front_door;
        self.path("front_door.page", &door.page);
        self.path("front_door.clicks", &door.clicks);
        self.path("front_door.webhooks", &door.webhooks);
        if door.metrics.starts_with("http") {
            self.metrics_url(file, "front_door.metrics", &door.metrics);
        } else {
            self.path("front_door.metrics", &door.metrics);
        }
        self.path("front_door.analytics", &door.analytics);
        self.path("front_door.campaigns", &door.campaigns);
        for (key, path) in [("page", &door.page), ("analytics", &door.analytics)] {
            if !path.contains("{handle}") {
                let help = "say where the creator's handle stands, as in /{handle}";
                let key = format!("front_door.{key}");
                self.wrong(&key, format!("{key} has no {{handle}}"), help);
            }
        }
        if !door.session.contains("{token}") {
            let help = "say where a creator's token stands, as in Bearer {token}";
            self.wrong("front_door.session", "front_door.session has no {token}", help);
        }
        if !is_header(&door.session_header) {
            let what = format!("{:?} is no name of a header", door.session_header);
            self.wrong("front_door.session_header", what, "write it as authorization or cookie");
        }
        for (name, value) in
            [("event_id", &door.click_fields.event_id), ("handle", &door.click_fields.handle)]
        {
            if value.is_empty() {
                let path = format!("front_door.click_fields.{name}");
                self.wrong(&path, "a click without it cannot be followed", "name the field");
            }
        }
        let fields = &door.campaign_fields;
        for (name, value) in [
            ("links", &fields.links),
            ("id", &fields.id),
            ("title", &fields.title),
            ("url", &fields.url),
        ] {
            if value.is_empty() {
                let path = format!("front_door.campaign_fields.{name}");
                self.wrong(&path, "a campaign without it changes nothing", "name the field");
            }
        }
    }

    fn observe(&mut self, file: &File, folder: &Path) {
        let observe = &file.observe;
        for log in &observe.logs {
            for name in template::names(log) {
                self.known("observe.logs", "template", name, &[template::DATA_DIR]);
            }
        }
        for name in observe.kept_file.iter().flat_map(|file| template::names(file)) {
            self.known("observe.kept_file", "template", name, &[template::DATA_DIR]);
        }
        if let Some(route) = &observe.kept_route {
            self.path("observe.kept_route", route);
            if observe.kept_file.is_some() {
                let what = "failed webhooks are kept in two places";
                self.wrong("observe.kept_route", what, "leave kept_file or kept_route out");
            }
        }
        for source in &observe.source {
            if !folder.join(source).exists() {
                let what = format!("there is no file or folder {source}");
                self.wrong("observe.source", what, "paths are relative to this file");
            }
        }
        if let Some(url) = &observe.metrics_url {
            self.metrics_url(file, "observe.metrics_url", url);
        }
        self.metrics(file);
    }

    fn alerts(&mut self, file: &File) {
        for (kind, text) in &file.observe.alerts {
            if alerts::name(text).is_err() {
                let help = "write the alert's name, or name{label=\"value\"}";
                let what = format!("{text:?} names no alert");
                self.wrong(&format!("observe.alerts.{}", kind.key()), what, help);
            }
        }
        let webhook = &file.observe.alert_webhook;
        for (key, field) in [("name", &webhook.name), ("status", &webhook.status)] {
            if field.is_empty() {
                let path = format!("observe.alert_webhook.{key}");
                self.wrong(&path, "an alert without it cannot be read", "name the field");
            }
        }
        if webhook.firing.is_empty() {
            let help = "say what its status is then, as in firing = [\"Triggered\"]";
            self.wrong("observe.alert_webhook.firing", "no alert would ever fire", help);
        }
    }

    fn guarantees(&mut self, file: &File) {
        for wrong in bounds::wrong(&file.bounds()) {
            let path = |path: &str| match path.split_once('.') {
                Some((id, name)) => format!("guarantee.{id}.bounds.{name}"),
                None => format!("guarantee.{path}"),
            };
            self.mistakes.push(guarantees::mistake(self.table, wrong, path));
        }
        for (id, settings) in &file.guarantee {
            let at = format!("guarantee.{id}");
            let unsaid = settings.source.is_none() && !self.is_touched(&format!("{at}.source"));
            if !settings.bounds.is_empty() && unsaid {
                let help = "say in `source` where the number comes from, such as a contract or SLO";
                self.wrong(&at, format!("the bounds of {id} have no source"), help);
            }
        }
    }

    fn secrets(&mut self, file: &File) {
        if let Some((path, what, help)) = managers::mistake(file) {
            self.wrong(path, what, help);
        }
        if let Some(session) = &file.secrets.session
            && !is_reference(session)
        {
            let help = "write env:NAME or file:PATH; a secret must not stand in this file";
            self.wrong("secrets.session", "secrets.session is not a reference", help);
        }
    }
}

/// The host of an address, without brackets.
fn host(url: &reqwest::Url) -> &str {
    url.host_str().unwrap_or_default().trim_matches(['[', ']'])
}

/// Whether a host is this machine to itself.
fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether this can stand before the port of an address.
fn is_host(name: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().is_ok() || (!name.is_empty() && name.bytes().all(letters))
}

/// Whether this can name a header (RFC 9110 section 5.1).
fn is_header(name: &str) -> bool {
    reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_ok()
}
