//! What is wrong, and what to do about it: probes see, findings say, causes explain, a runbook mends.

pub mod alert;
mod alerts;
mod certificate;
pub mod container;
pub mod coverage;
mod damage;
mod eyes;
pub mod finding;
mod host;
pub mod level;
pub mod look;
mod measure;
mod reading;
pub mod rules;
mod stats;
mod store;
pub mod subject;
pub mod survey;
pub mod target;
mod twice;
pub mod untouched;
pub mod vain;

#[cfg(test)]
mod tests;
