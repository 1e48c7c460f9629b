//! What is decided about webhooks: what is believed, what is kept, and how they are registered.

use std::{path::Path, time::Duration};
use subtle::ConstantTimeEq;

/// How often a registration is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trying {
    /// Until it is made.
    UntilDone,
    /// Once.
    Once,
    /// Not at all.
    Never,
}

/// One value per decision about webhooks.
#[derive(Clone, Copy)]
pub struct WebhookPolicy {
    /// Whether only what is signed is believed.
    pub checks_signatures: bool,
    /// The body that is verified: the bytes that came.
    pub covered: fn(&[u8]) -> Vec<u8>,
    /// Of the signatures in a header so many are looked at: all, since there are two while keys rotate.
    pub signatures: usize,
    /// Whether a given signature is the right one.
    pub same: fn(&[u8], &[u8]) -> bool,
    /// How far the time of a delivery may be off, given what is configured.
    pub tolerance: fn(Duration) -> Duration,
    /// Whether what a delivery says is done before it is believed.
    pub acts_before_it_checks: bool,
    /// Whether what was dealt with is known again.
    pub remembers: bool,
    /// What is kept of a body that cannot be processed; none: only a line in the log.
    pub keeps: fn(&[u8]) -> Option<Vec<u8>>,
    /// Whether what was kept before a start is kept on.
    pub keeps_earlier: bool,
    /// How often the registration is tried.
    pub registers: Trying,
    /// The path that is registered, given the data folder.
    pub path: fn(&Path) -> &'static str,
}

impl Default for WebhookPolicy {
    fn default() -> Self {
        Self {
            checks_signatures: true,
            covered: <[u8]>::to_vec,
            signatures: usize::MAX,
            // In constant time: how much of a guess is right is nobody's business.
            same: |right, given| right.ct_eq(given).into(),
            tolerance: |configured| configured,
            acts_before_it_checks: false,
            remembers: true,
            keeps: |body| Some(body.to_vec()),
            keeps_earlier: true,
            registers: Trying::UntilDone,
            path: |_| super::PATH,
        }
    }
}
