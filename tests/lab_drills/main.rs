//! Drills: failures made on purpose on real hosts, and the measured recovery from them.
//!
//! They need the lab, which `tests/run` brings up. A drill without a lab fails, and says so: it is never skipped.

mod drills;
mod interrupted;
mod looks;
mod older;
mod site;
