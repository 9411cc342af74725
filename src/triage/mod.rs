//! What is wrong, and what to do about it: probes see, findings say, a scenario names, a runbook mends.

pub mod container;
pub mod look;
pub mod scenario;
pub mod untouched;
