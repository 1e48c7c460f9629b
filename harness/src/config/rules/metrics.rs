//! Rules of `[observe.metrics]`: how metrics come, from where, and what they are called.

use super::{Rules, host, is_here};
use crate::config::model::File;
use crate::config::template;
use crate::metrics::Channel;

impl Rules<'_> {
    /// The channel, and the name of each series in its grammar.
    pub(super) fn metrics(&mut self, file: &File) {
        let metrics = &file.observe.metrics;
        let channel = metrics.channel;
        for (key, name) in metrics.named() {
            if !name.is_empty() && channel.selector(name).is_err() {
                let help = "write name or name{label=\"value\"}, without functions";
                let what = format!("{name:?} names no series");
                self.wrong(&format!("observe.metrics.{key}"), what, help);
            }
        }
        if channel.is_pushed() {
            self.pushed(file, channel);
            return;
        }
        let help = "leave it out, or say channel = \"dogstatsd\", \"otlp\" or \"cloudwatch\"";
        if metrics.push_within_ms.is_some() {
            let what = "metrics that are scraped are not pushed";
            self.wrong("observe.metrics.push_within_ms", what, help);
        }
        if metrics.push_port != 0 {
            let what = "metrics that are scraped are not pushed";
            self.wrong("observe.metrics.push_port", what, help);
        }
    }

    fn pushed(&mut self, file: &File, channel: Channel) {
        let metrics = &file.observe.metrics;
        let (at, name) = ("observe.metrics.channel", channel.name());
        if metrics.push_within_ms.is_none() && !self.is_touched("observe.metrics.push_within_ms") {
            let help = "say push_within_ms: the interval at which your client flushes or exports, and a \
                        little more, such as push_within_ms = 3000; a short one tells more of a short run";
            self.wrong(at, "how late metrics may be pushed is not said", help);
        }
        if file.observe.metrics_url.is_some() {
            let what = format!("metrics are pushed by {name}, and nothing is scraped");
            self.wrong("observe.metrics_url", what, "leave metrics_url or channel out");
        }
        if file.target.embedded.is_some() {
            let help = "leave channel out: the reference is scraped";
            self.wrong(at, format!("the reference does not push by {name}"), help);
        }
        let is_told = |text: &String| {
            template::names(text).iter().any(|name| template::channel_of(name) == Some(channel))
        };
        if let Some(spawn) = &file.target.spawn {
            if metrics.push_port != 0 {
                let help = format!("leave it out, and hand {} on", template::of_channel(channel));
                let what = "a command is told a port that is free";
                self.wrong("observe.metrics.push_port", what, help);
            }
            if !spawn.command.iter().chain(spawn.env.values()).any(is_told) {
                let help = format!(
                    "put {} into its command or its environment",
                    template::of_channel(channel)
                );
                self.wrong(at, "the target is not told where to push", help);
            }
        }
        let is_said = metrics.push_port != 0 || self.is_touched("observe.metrics.push_port");
        if file.target.url.is_some() && !is_said {
            let help =
                "say push_port: the port to which your service pushes, as in push_port = 8125";
            self.wrong(at, "what runs already cannot be told a port", help);
        }
    }

    /// Where metrics are, if that is a whole address.
    pub(super) fn metrics_url(&mut self, file: &File, path: &str, text: &str) {
        if text.contains('@') {
            let help = "leave only http://host:port/path: it stands in what is said of the run";
            return self.wrong(path, "the address holds a user name or a password", help);
        }
        if file.target.url.is_some() && !template::names(text).is_empty() {
            let help = "write the number: what runs already is given no port";
            return self.wrong(path, "there is no port to put in", help);
        }
        for name in template::names(text) {
            self.known(path, "template", name, &template::PORTS);
        }
        // Any port will do to see whether the rest of it is an address.
        let filled = template::filled(text, |_| Some("1".to_owned()));
        let Some(url) = reqwest::Url::parse(&filled).ok().filter(|url| url.scheme() == "http")
        else {
            let help = "write it as http://127.0.0.1:9100/metrics";
            return self.wrong(path, format!("{text:?} is no http:// address"), help);
        };
        let target = &file.target;
        let (own, allowed) = match (&target.url, &target.spawn) {
            (Some(running), _) => {
                let base = reqwest::Url::parse(&running.base).ok();
                (base.map(|base| host(&base).to_owned()), running.allow_hosts.as_slice())
            }
            (_, Some(spawn)) => (Some(spawn.host.clone()), spawn.allow_hosts.as_slice()),
            (None, None) => (None, &[][..]),
        };
        let host = host(&url);
        if !is_here(host)
            && own.as_deref() != Some(host)
            && !allowed.iter().any(|known| known == host)
        {
            let what = format!("{host} is neither this machine nor where the target is");
            self.wrong(path, what, format!("if it is yours, say allow_hosts = [{host:?}]"));
        }
    }
}
