//! Receives the metrics that the target pushes, where the configuration says that it does: one port, for the
//! one channel that is named.
//!
//! What comes is searched for what was planted, and adds up; a look at it is recorded like a scrape. It says
//! what had happened by the time before which everything has surely been pushed, and nothing that came later,
//! so that judges read it as they read a scrape that took so long.

mod datagrams;
mod posts;

use super::search::Search;
use crate::config::template;
use crate::metrics::{Channel, MetricNames, Picks, Series};
use mock_server::clock::{Clock, Moment};
use mock_server::listen::Listen;
use scenarios::history::OpFailure;
use scenarios::observed::Scrape;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a receiver has heard, shared with who listens.
pub(super) struct Heard {
    channel: Channel,
    listen: Listen,
    series: Mutex<Series>,
    search: Arc<Search>,
    clock: Clock,
}

impl Heard {
    fn series(&self) -> MutexGuard<'_, Series> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listens until it is dropped.
pub struct Receiver {
    heard: Arc<Heard>,
    picks: Picks,
    within: Duration,
    /// From when on it can be told how much counters have grown.
    from: Moment,
    port: u16,
    listening: Listening,
}

enum Listening {
    Datagrams(datagrams::Listening),
    Posts(posts::Listening),
}

/// Where a receiver listens, and for whom.
pub struct Opening<'p> {
    /// The address, what it is called, and who may call.
    pub listen: Listen,
    /// What its series are called, and how they come.
    pub names: &'p MetricNames,
    /// Whether the target runs already, and may have counted before.
    pub runs_already: bool,
}

impl Receiver {
    /// Begins to listen; none where the target is scraped.
    ///
    /// # Errors
    ///
    /// The system's word when no port could be had.
    pub async fn open(
        opening: Opening<'_>,
        search: &Arc<Search>,
        clock: Clock,
    ) -> io::Result<Option<Self>> {
        let Opening { listen, names, runs_already } = opening;
        if !names.channel.is_pushed() {
            return Ok(None);
        }
        let picks = Picks::of(names);
        let (host, port) = (listen.host, names.push_port);
        let heard = Arc::new(Heard {
            channel: names.channel,
            listen,
            series: Mutex::new(Series::of(picks.names())),
            search: Arc::clone(search),
            clock,
        });
        let within = Duration::from_millis(names.push_within_ms.unwrap_or_default());
        let from = clock.now().plus(if runs_already { within } else { Duration::ZERO });
        let (port, listening) = if names.channel == Channel::Dogstatsd {
            let (port, listening) = datagrams::listen((host, port), Arc::clone(&heard))?;
            (port, Listening::Datagrams(listening))
        } else {
            let (port, listening) = posts::listen((host, port), Arc::clone(&heard)).await?;
            (port, Listening::Posts(listening))
        };
        Ok(Some(Self { heard, picks, within, from, port, listening }))
    }

    /// What stands for a template's name, if this receiver has it.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<String> {
        (template::channel_of(name)? == self.heard.channel).then(|| {
            let url = self.heard.listen.url(self.port, false);
            match name {
                template::DOGSTATSD_PORT => self.port.to_string(),
                template::DOGSTATSD_HOST => {
                    let host = url.trim_start_matches("http://").rsplit_once(':');
                    host.map_or("", |host| host.0).trim_matches(['[', ']']).to_owned()
                }
                _ => url,
            }
        })
    }

    /// What has come by now, as a scrape; none before it can be told. While the target stands still, and as
    /// long after that as it may take to push, nothing is known.
    #[must_use]
    pub fn look(&self, stood_still_since: impl Fn(Moment) -> bool) -> Option<Scrape> {
        let lost = match &self.listening {
            Listening::Datagrams(listening) => listening.lost(),
            Listening::Posts(listening) => listening.lost(),
        };
        let last = self.heard.clock.now();
        if last < self.from {
            return None;
        }
        let sent = last.minus(self.within);
        let mut series = self.heard.series();
        series.pushed.lost = lost;
        let pushed = Some(series.pushed);
        let mut figures = self.picks.figures(&series.since(sent));
        drop(series);
        if pushed.is_some_and(|pushed| pushed.messages == 0) {
            self.nothing_came(&mut figures.unread);
        }
        if stood_still_since(sent) {
            let failure = Some(OpFailure::Timeout);
            return Some(Scrape { sent, last, status: None, failure, figures, pushed });
        }
        Some(Scrape { sent, last, status: Some(200), failure: None, figures, pushed })
    }

    fn nothing_came(&self, unread: &mut std::collections::BTreeMap<String, String>) {
        let channel = self.heard.channel;
        let why = format!(
            "nothing was pushed by {}: hand {} to your service",
            channel.name(),
            template::of_channel(channel),
        );
        for (key, _) in MetricNames::default().named() {
            unread.insert(key.to_owned(), why.clone());
        }
    }
}

#[cfg(test)]
mod tests;
