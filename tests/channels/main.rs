//! The ways on which people are told, against servers that hold a message against the published schema of theirs, and that misbehave.
//!
//! The mail server and the Alertmanager are real ones.

mod alertmanager;
mod grafana;
mod mail;
mod misbehaving;
mod pagerduty;
mod scene;
mod schema;
mod server;
mod silences;
mod slack;
mod teams;
mod webhook;
mod whole;
