//! The screen: what a person or a program sees of plans, runs, errors and health. Reads events, never the engine.
//!
//! Standard output is data, standard error is talk. Whatever a host wrote is cleaned before it is shown; colour and marks are
//! taken away where they are not wanted, and never change the words.

pub mod age;
pub mod alerts;
pub mod audit;
pub mod backups;
mod beat;
pub mod channel;
pub mod clutter;
pub mod concern;
pub mod coverage;
pub mod doctor;
pub mod drift;
mod ending;
pub mod error;
mod field;
pub mod incident;
mod json;
mod line;
mod live;
pub mod lock;
pub mod look;
mod narrator;
mod opening;
mod outline;
mod outlook;
pub mod paint;
pub mod patience;
pub mod plan;
pub mod prompt;
pub mod recovery;
pub mod releases;
pub mod report;
pub mod reporter;
pub mod restore;
#[cfg(test)]
mod sample;
pub mod status;
mod step;
mod steps;
#[cfg(test)]
mod story;
pub mod summary;
pub mod table;
pub mod triage;
pub mod undo;
mod watch;
mod words;
mod wrap;
