//! What names and types cannot say: one target, known ids and templates, no secret in the file.

use super::guarantees;
use super::model::File;
use super::shape::place;
use super::template;
use crate::failure::Mistake;
use crate::failure::nearest;
use crate::metrics::Selector;
use scenarios::bounds;
use std::net::IpAddr;
use std::path::Path;
use toml::de::DeTable;

/// Everything that is wrong with a well-shaped file in `folder`.
pub fn check(file: &File, table: &DeTable<'_>, folder: &Path) -> Vec<Mistake> {
    let mut rules = Rules { table, mistakes: Vec::new() };
    rules.target(file, folder);
    rules.front_door(file);
    rules.observe(file, folder);
    rules.guarantees(file);
    rules.secrets(file);
    rules.mistakes
}

struct Rules<'a> {
    table: &'a DeTable<'a>,
    mistakes: Vec<Mistake>,
}

impl Rules<'_> {
    fn wrong(&mut self, path: &str, what: impl Into<String>, help: impl Into<String>) {
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
        if let Some(spawn) = &target.spawn {
            if spawn.command.first().is_none_or(String::is_empty) {
                let help = "name the program, as in [\"node\", \"server.js\"]";
                self.wrong("target.spawn.command", "target.spawn.command is empty", help);
            }
            for argument in &spawn.command {
                self.templates("target.spawn.command", argument);
            }
            for (name, value) in &spawn.env {
                if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                    let what = format!("{name:?} cannot be a variable of the environment");
                    let help = "let its name hold no =, and neither name nor value a NUL";
                    self.wrong("target.spawn.env", what, help);
                }
                self.templates(&format!("target.spawn.env.{name}"), value);
            }
            if !folder.join(&spawn.cwd).is_dir() {
                let what = format!("there is no folder {}", spawn.cwd);
                self.wrong("target.spawn.cwd", what, "paths are relative to this file");
            }
            self.path("target.spawn.ready", &spawn.ready);
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
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let loopback =
            host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if !loopback && !allowed.iter().any(|known| known == host) {
            let help = format!(
                "if this host is yours and may be loaded and faulted, say allow_hosts = [{host:?}]"
            );
            self.wrong(path, format!("{host} is not this machine"), help);
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            self.wrong(path, "the address has a path", "leave only http://host:port");
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
        self.path("front_door.metrics", &door.metrics);
        if !door.page.contains("{handle}") {
            let help = "say where the creator's handle stands, as in /{handle}";
            self.wrong("front_door.page", "front_door.page has no {handle}", help);
        }
        for (name, value) in
            [("event_id", &door.click_fields.event_id), ("handle", &door.click_fields.handle)]
        {
            if value.is_empty() {
                let path = format!("front_door.click_fields.{name}");
                self.wrong(&path, "a click without it cannot be followed", "name the field");
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
        for source in &observe.source {
            if !folder.join(source).exists() {
                let what = format!("there is no file or folder {source}");
                self.wrong("observe.source", what, "paths are relative to this file");
            }
        }
        let metrics = &observe.metrics;
        for (key, name) in [
            ("timeouts", &metrics.timeouts),
            ("auth_errors", &metrics.auth_errors),
            ("latency", &metrics.latency),
            ("cache_hits", &metrics.cache_hits),
            ("cache_misses", &metrics.cache_misses),
            ("cache_stale", &metrics.cache_stale),
        ] {
            if !name.is_empty() && name.parse::<Selector>().is_err() {
                let help = "write name or name{label=\"value\"}, without functions";
                let what = format!("{name:?} names no series");
                self.wrong(&format!("observe.metrics.{key}"), what, help);
            }
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
            if !settings.bounds.is_empty() && settings.source.is_none() {
                let help = "say in `source` where the number comes from, such as a contract or SLO";
                let at = format!("guarantee.{id}");
                self.wrong(&at, format!("the bounds of {id} have no source"), help);
            }
        }
    }

    fn secrets(&mut self, file: &File) {
        if let Some(session) = &file.secrets.session
            && !is_reference(session)
        {
            let help = "write env:NAME or file:PATH; a secret must not stand in this file";
            self.wrong("secrets.session", "secrets.session is not a reference", help);
        }
    }
}

/// `env:NAME` or `file:PATH`.
#[must_use]
pub fn is_reference(text: &str) -> bool {
    let named = |prefix| text.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty());
    named("env:") || named("file:")
}
