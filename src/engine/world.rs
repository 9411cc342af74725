//! The one seam between the engine and everything it cannot take back.
//!
//! The engine decides, appends and folds; whatever touches a host goes through a [`World`]. The real one is
//! [`Hosts`](super::hosts::Hosts). Tests put a simulated one in its place, so that every failure at every step can be made.

use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::host::failure::Failure;
use crate::model::operation::{Observation, Operation};
use crate::run::signal::Stream;

pub struct Request<'a> {
    /// Absent for what no host takes part in.
    pub host: Option<&'a str>,
    pub operation: &'a Operation,
    pub timeout: Option<Duration>,
    /// Is told each line of output as it comes.
    pub output: &'a mut (dyn FnMut(Stream, &str) + Send),
}

pub trait World: Send + Sync {
    fn perform<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Observation, Failure>>;
}
