//! What several judges derive from the history: rates, demand, the breaker's state, what became of
//! clicks and pages, what came to light, what metrics say, exact tails.

pub mod backlog;
pub mod busy;
pub mod calls;
pub mod circuit;
pub mod cold;
pub mod deliverable;
pub mod deliveries;
pub mod demand;
pub mod exposed_ratio;
pub mod fills;
pub mod growth;
pub mod heals;
pub mod leaks;
pub mod outages;
pub mod own_links;
pub mod quantiles;
pub mod rate;
pub mod redeliveries;
pub mod refusals;
pub mod retries;
pub mod rotations;
pub mod scrapes;
pub mod sent;
pub mod spacing;
pub mod stalls;
pub mod tails;
pub mod there;
pub mod threshold;
pub mod ticks;
pub mod too_short;
pub mod trace;
pub mod unserved;
pub mod wanted;
pub mod webhooks;
pub mod well;
