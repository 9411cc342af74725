//! The receiver's door: what comes in by HTTP is checked, made durable, and answered. Nothing here waits for what follows from it.
//!
//! It has a thread of its own, so that it answers while the rest waits for hosts or for the turn at an incident.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{get, post};
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use tokio::sync::Notify;

use super::metrics;
use crate::base::secret::Revealed;
use crate::base::{Error, Result};
use crate::incident::inbox::Inbox;
use crate::incident::notice::Notice;

/// A message of Alertmanager with 1,000 alerts has about 600 KiB.
const LONGEST_BODY: usize = 1024 * 1024;

/// A sender that takes longer for its message has lost the way.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// Where so many wait, the disk is not to be filled with more: who is refused sends again.
const MOST_WAITING: u64 = 10_000;

/// What both sides of the receiver share.
pub struct Door {
    pub inbox: Inbox,
    /// Without one, everybody who reaches the door may send.
    pub token: Option<Revealed>,
    /// That there is something to work on.
    pub bell: Notify,
    pub counts: Counts,
}

/// Since the receiver began, or as it is at this moment.
#[derive(Debug, Default)]
pub struct Counts {
    pub taken: AtomicU64,
    pub refused: AtomicU64,
    pub waiting: AtomicU64,
    pub open: AtomicU64,
    pub runs: AtomicU64,
    pub unsent: AtomicU64,
    /// In seconds since 1970.
    pub worked_at: AtomicU64,
    /// Whether the newest look at what waits, or at an incident, came to nothing.
    pub is_failing: AtomicBool,
}

/// Opens the door; it stays open for as long as the program runs.
///
/// # Errors
/// When the address cannot be had.
pub fn open(door: Arc<Door>, listen: SocketAddr) -> Result<SocketAddr> {
    let failed = |error: &std::io::Error| {
        Error::usage(format!("cannot listen on `{listen}`"))
            .caused_by(error)
            .hint("opsctl serve --listen 127.0.0.1:9096")
    };
    let listener = TcpListener::bind(listen).map_err(|error| failed(&error))?;
    listener.set_nonblocking(true).map_err(|error| failed(&error))?;
    let address = listener.local_addr().map_err(|error| failed(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::internal("cannot start the runtime").caused_by(&error))?;
    thread::spawn(move || {
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            axum::serve(listener, router(door)).await
        })
    });
    Ok(address)
}

fn router(door: Arc<Door>) -> Router {
    Router::new()
        .route("/alerts", post(alerts))
        .route("/healthz", get(health))
        .route("/metrics", get(figures))
        .with_state(door)
}

type Answer = (StatusCode, String);

fn answer(status: StatusCode, text: &str) -> Answer {
    (status, format!("{text}\n"))
}

async fn alerts(State(door): State<Arc<Door>>, headers: HeaderMap, body: Body) -> Answer {
    let taken = door.take(&headers, body).await;
    let count = if taken.0.is_success() { &door.counts.taken } else { &door.counts.refused };
    count.fetch_add(1, Ordering::Relaxed);
    taken
}

async fn health(State(door): State<Arc<Door>>) -> Answer {
    match door.counts.is_failing.load(Ordering::Relaxed) {
        true => answer(StatusCode::SERVICE_UNAVAILABLE, "the alerts that were taken cannot be worked on"),
        false => answer(StatusCode::OK, "ok"),
    }
}

async fn figures(State(door): State<Arc<Door>>) -> ([(header::HeaderName, &'static str); 1], String) {
    ([(header::CONTENT_TYPE, metrics::FORMAT)], metrics::text(&door.counts))
}

impl Door {
    async fn take(&self, headers: &HeaderMap, body: Body) -> Answer {
        if !self.lets_in(headers) {
            return answer(StatusCode::UNAUTHORIZED, "the bearer token is missing or wrong");
        }
        if self.counts.waiting.load(Ordering::Relaxed) >= MOST_WAITING {
            return answer(StatusCode::SERVICE_UNAVAILABLE, "too many messages wait already");
        }
        let body = match tokio::time::timeout(BODY_WITHIN, whole(body)).await {
            Ok(Ok(body)) => body,
            Ok(Err(refusal)) => return refusal,
            Err(_) => return answer(StatusCode::REQUEST_TIMEOUT, "the message did not come to its end"),
        };
        if let Err(why) = Notice::read(&body) {
            return answer(StatusCode::BAD_REQUEST, &why);
        }
        match self.inbox.put(&body) {
            Ok(()) => {
                self.counts.waiting.fetch_add(1, Ordering::Relaxed);
                self.bell.notify_one();
                answer(StatusCode::OK, "taken")
            }
            // Alertmanager sends again what was answered with 5xx.
            Err(_) => answer(StatusCode::INSUFFICIENT_STORAGE, "the message cannot be kept"),
        }
    }

    /// The digests are compared: how long that takes tells nothing about the token.
    fn lets_in(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return true };
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| {
            let (scheme, given) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| given.trim())
        });
        given.is_some_and(|given| Sha256::digest(given) == Sha256::digest(token.text()))
    }
}

async fn whole(body: Body) -> Result<Vec<u8>, Answer> {
    let mut pieces = body.into_data_stream();
    let mut whole = Vec::new();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| answer(StatusCode::BAD_REQUEST, "the message was cut off"))?;
        if whole.len() + piece.len() > LONGEST_BODY {
            return Err(answer(StatusCode::PAYLOAD_TOO_LARGE, "a message may have 1 MiB: set `max_alerts`"));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole)
}
