//! How an incident is looked after: how often people are told, when a page climbs, what may be done without asking.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::inventory::is_default;
use crate::base::amount::Span;
use crate::base::secret::Secret;

/// What is not given is as it is by default.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Telling {
    /// The time zone of the readers, such as `Europe/Berlin`. By default that of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// How often people are told while it lasts.
    #[serde(default, skip_serializing_if = "is_default")]
    pub update_every: Cadence,
    /// How often the last level is paged when nobody answers, before it is paged every half hour only. By default 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounds: Option<u32>,
    /// After which time without a word whoever acknowledged is taken not to have it any more. By default 30m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forget_after: Option<Span>,
    /// What `opsctl serve` takes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub receiver: Receiver,
    /// The runbooks that may be run for an alert without asking.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub automatic: Vec<Automatic>,
}

/// How long people may be without a word.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cadence {
    /// In the first two hours of a critical incident; after them three times as long. By default 20m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical: Option<Span>,
    /// In a warning. By default 1h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<Span>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Receiver {
    /// The bearer token that Alertmanager sends. Without one, only this machine may send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
    /// How many runs may be begun without asking in an hour. By default 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs_in_an_hour: Option<u32>,
}

/// A runbook that may be run for an alert without asking. One that destroys something never is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Automatic {
    /// The alert's name.
    pub alert: String,
    /// The runbook.
    pub runbook: String,
}
