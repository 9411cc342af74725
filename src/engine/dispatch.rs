//! One operation, given to the world: performed to its end, or cut short when its time is up or somebody will not wait.
//!
//! What only reads is given up at once. A command that changes something is ended on its host, with all its processes, and what
//! became of them is said: they are proved to be gone, or not. Anything else that changes something is not waited for any longer.

use std::time::Duration;

use futures_util::future::pending;

use super::cancel::{Cancel, Urgency};
use super::world::{Request, World};
use crate::base::amount::Span;
use crate::host::failure::Failure;
use crate::model::operation::{Observation, Operation};
use crate::run::receipt::{Processes, ReceiptKey};
use crate::run::signal::{Signal, Stream};

pub struct Dispatch<'a> {
    pub world: &'a dyn World,
    pub cancel: &'a Cancel,
    pub tell: &'a (dyn Fn(Signal) + Send + Sync),
    pub host: Option<&'a str>,
    pub operation: &'a Operation,
    pub timeout: Option<Duration>,
    /// Of what changes something.
    pub key: Option<&'a ReceiptKey>,
}

pub enum Dispatched {
    /// It came to its end.
    Ended(Observation),
    /// The way to the host failed.
    Failed(Failure),
    /// It did not come to its end in the time that it was given.
    Cut { why: String, processes: Processes },
}

impl Dispatch<'_> {
    pub async fn run(&self, output: &mut (dyn FnMut(Stream, &str) + Send)) -> Dispatched {
        let dispatched = match (self.key, self.host, self.operation) {
            (None, ..) => self.until(output, self.timeout, Urgency::Gentle).await,
            (Some(key), Some(host), Operation::Command(_)) => self.until_ended(output, host, key).await,
            (Some(_), ..) => self.until(output, self.timeout, Urgency::Now).await,
        };
        dispatched.unwrap_or_else(Dispatched::Failed)
    }

    /// Performs it until somebody will not wait any longer.
    async fn until(
        &self,
        output: &mut (dyn FnMut(Stream, &str) + Send),
        timeout: Option<Duration>,
        urgency: Urgency,
    ) -> Result<Dispatched, Failure> {
        let Dispatch { host, operation, key, .. } = *self;
        tokio::select! {
            biased;
            came = self.world.perform(Request { host, operation, timeout, output, key }) => came.map(Dispatched::Ended),
            () = self.cancel.reached(urgency) => {
                let why = "it was cancelled before it ended".to_owned();
                Ok(Dispatched::Cut { why, processes: Processes::Untouched })
            }
        }
    }

    /// Performs it, and ends it on its host when its time is up or somebody will not wait any longer.
    async fn until_ended(
        &self,
        output: &mut (dyn FnMut(Stream, &str) + Send),
        host: &str,
        key: &ReceiptKey,
    ) -> Result<Dispatched, Failure> {
        // The time is up here, not on the way to the host: what is ended there is ended for good.
        let request =
            Request { host: Some(host), operation: self.operation, timeout: None, output, key: Some(key) };
        let mut performing = self.world.perform(request);
        let why = tokio::select! {
            biased;
            came = &mut performing => return came.map(Dispatched::Ended),
            () = self.cancel.reached(Urgency::Now) => "it was cancelled before it ended".to_owned(),
            after = over(self.timeout) => format!("it did not end within {after}"),
        };
        let what = format!("the processes of `{}` on host `{host}` to be gone", key.step);
        (self.tell)(Signal::Waiting { what, at_most: None });
        let mut ending = self.world.end(host, key);
        // What it still writes is taken in. How it now comes to its end says nothing: it was told to.
        let processes = tokio::select! {
            biased;
            processes = &mut ending => processes,
            _ = &mut performing => ending.await,
        };
        Ok(Dispatched::Cut { why, processes })
    }
}

/// Comes back when the time is over, and says how long it was.
async fn over(time: Option<Duration>) -> Span {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => pending().await,
    }
    Span::rounded(time.unwrap_or_default())
}
