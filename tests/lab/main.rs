//! Drills: failures made on purpose on real hosts, and the measured recovery from them.
//!
//! They need the lab, so plain `cargo test` lists them as ignored; `tests/run` brings the lab up and runs them all. A drill
//! that runs without a lab fails, it does not pass.

mod drills;
mod interrupted;
mod looks;
mod site;
