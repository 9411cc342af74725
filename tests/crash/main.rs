//! The real binary is killed at its named points, on a disk that keeps everything and on one that loses what was not synced.
//!
//! Built with the feature `crash-points` only.

#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "../common/mod.rs"]
mod common;

#[allow(dead_code, reason = "shared with the tests of the command line, which use all of it")]
#[path = "../cli/scene.rs"]
mod scene;

mod dice;
mod ending;
mod journal;
mod life;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "../common/measure.rs"]
mod measure;
mod network;
mod operators;
#[path = "../common/passings.rs"]
mod passings;
mod points;
mod procedure;
mod process;
mod proxy;
mod random;
mod site;
#[path = "../common/totals.rs"]
mod totals;
mod until;
mod verdict;
