//! Drills: failures made on purpose on real hosts, and the measured recovery from them.
//!
//! They need the lab, which `tests/run` brings up. A drill without a lab fails, and says so: it is never skipped.

mod aged;
mod approved;
mod cache_restoring;
mod cleaning;
mod cleaning_actions;
mod cleaning_killed;
mod cleaning_look;
mod damaged;
mod drills;
mod faults;
mod halfway;
mod incidents;
mod interrupted;
mod killed;
mod looks;
mod meanwhile;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "../common/measure.rs"]
mod measure;
mod named;
mod older;
#[path = "../common/passings.rs"]
mod passings;
mod place;
mod power;
mod refused;
mod restoring;
mod rolling;
mod shop;
mod site;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "../common/sshd.rs"]
mod sshd;
mod table;
mod takeover;
#[path = "../common/totals.rs"]
mod totals;
