//! opsctl: operations procedures as executable, checkpointed runbooks against Docker Compose hosts.
//!
//! The map of the house, from the roof to the ground. A file knows only what is below it; `tests/layers.rs` holds that.
//!
//! | layer | what it is |
//! |---|---|
//! | `cli` | clap types, one file per command |
//! | `ui` | reads events, never the engine: line, live, json, report, error |
//! | `incident` | what people are told: the incident, its record, messages, who is called, and the ways on which it goes out |
//! | `triage` | probes, findings, scenario, runbook |
//! | `engine` | load, decide, perform, append, fold |
//! | `action` | one file per action family; building an operation is apart from performing it |
//! | `host` | transport (ssh, local), Docker, HTTP through the host |
//! | `journal` | the append-only truth of a run, and where runs are kept |
//! | `run` | pure: event, state (the transition table), decide |
//! | `model` | pure data: inventory, runbook, check, template, plan |
//! | `base` | id, error, amount, secret, clock |

pub mod action;
pub mod base;
pub mod cli;
pub mod engine;
pub mod host;
pub mod incident;
pub mod journal;
pub mod model;
pub mod run;
pub mod triage;
pub mod ui;
