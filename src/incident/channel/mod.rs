//! The wire formats: how a message looks on each way, and what an answer there means.
//!
//! Each way has a file of its own. What is sent and what an answer means are pure functions in it; one [`exchange`] talks HTTP for all of
//! them, with one deadline. Nothing is retried here: what may be tried again is said as [`Trouble::Later`], and the outbox does it.

pub mod alertmanager;
pub mod email;
pub mod exchange;
pub mod file;
pub mod grafana;
pub mod mask;
pub mod pagerduty;
pub mod retry;
pub mod slack;
pub mod stdout;
pub mod teams;
pub mod text;
pub mod trial;
pub mod webhook;

use std::time::Duration;

use serde_json::{Map, Value};

/// How long one message may take on one way, connecting and all its questions included.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// What a channel gave to refer to the incident later.
pub type Memory = Map<String, Value>;

/// Why a message was not taken, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It will never be taken as it is.
    Refused(String),
    /// It was not taken. `after` is what the other side asked for.
    Later { why: String, after: Option<Duration> },
    /// It went out, and nobody knows whether it was taken.
    Unknown(String),
}

impl Trouble {
    pub fn later(why: impl Into<String>) -> Trouble {
        Trouble::Later { why: why.into(), after: None }
    }
}

/// One HTTP request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    pub method: Method,
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

impl Ask {
    pub fn get(url: String) -> Ask {
        Ask { method: Method::Get, url, headers: Vec::new(), body: None }
    }

    pub fn json(method: Method, url: String, body: &Value) -> Ask {
        let headers = vec![("content-type", "application/json; charset=utf-8".to_owned())];
        Ask { method, url, headers, body: Some(body.to_string()) }
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Ask {
        self.headers.push((name, value.into()));
        self
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub retry_after: Option<String>,
    pub body: String,
    /// Whether the body is there to its end.
    pub is_whole: bool,
}

impl Answer {
    /// The body of an answer without which nobody knows what happened.
    pub fn value(&self) -> Result<Value, Trouble> {
        if !self.is_whole {
            return Err(Trouble::Unknown("the answer broke off".to_owned()));
        }
        serde_json::from_str(&self.body)
            .map_err(|_| Trouble::Unknown(format!("the answer is not JSON: {}", text::said(&self.body))))
    }
}

/// A path on a server whose URL may end in a slash.
fn below(url: &str, path: &str) -> String {
    format!("{}/{path}", url.trim_end_matches('/'))
}

#[cfg(test)]
pub(crate) mod sample;
