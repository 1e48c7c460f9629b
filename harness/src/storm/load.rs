//! Who comes: the plan's visitors, thrown by goose at one entrance from one moment on.

use super::measure::micros;
use crate::failure::Failure;
use crate::process::system;
use mock_server::clock::{Clock, Moment};
use scenarios::front_door::FrontDoor;
use scenarios::history::GeneratorReport;
use scenarios::plan::Plan;
use scenarios::traffic::{self, OperationSink, Storm, TrafficError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long visitors may take to go home once they are called; longer than the slowest answer.
const HOME_WITHIN: Duration = Duration::from_secs(15);

/// All that visitors know of what stands.
pub struct Entrance {
    /// `http://host:port` of the integration.
    pub url: String,
    /// How its routes are spelled.
    pub front: FrontDoor,
    /// Signs the sessions of those among them who are creators.
    pub session_secret: String,
    /// Where they report what they met.
    pub sink: Arc<dyn OperationSink>,
}

/// Visitors on their way.
pub struct Load {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Result<GeneratorReport, TrafficError>>,
}

impl Load {
    /// Sends the plan's visitors; the first arrives at `armed`, best [`traffic::LEAD`] ahead.
    #[must_use]
    pub fn begin(plan: &Plan, entrance: Entrance, armed: Moment, clock: Clock) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let storm = Storm {
            plan: plan.clone(),
            front_url: entrance.url,
            front: entrance.front,
            session_secret: entrance.session_secret,
            armed,
            clock,
            sink: entrance.sink,
            stop: Arc::clone(&stop),
        };
        Self { stop, task: tokio::spawn(traffic::run(storm)) }
    }

    /// Calls home whoever is still there, and waits for them. The report holds the processor time of
    /// this process, and none of what stands.
    ///
    /// # Errors
    ///
    /// [`Failure::Setup`] when the load generator failed; that is never the integration's doing.
    pub async fn end(self) -> Result<GeneratorReport, Failure> {
        self.stop.store(true, Ordering::Release);
        let report = match tokio::time::timeout(HOME_WITHIN, self.task).await {
            Ok(Ok(Ok(report))) => report,
            Ok(Ok(Err(error))) => {
                return Err(Failure::bug(format!("the load generator failed: {error}")));
            }
            Ok(Err(error)) => {
                return Err(Failure::bug(format!("the load generator crashed: {error}")));
            }
            Err(_) => {
                let within_s = HOME_WITHIN.as_secs();
                return Err(Failure::bug(format!(
                    "the load generator did not stop within {within_s} s"
                )));
            }
        };
        let harness_cpu_us = system::cpu(std::process::id()).map(micros);
        Ok(GeneratorReport { harness_cpu_us, ..report })
    }
}
