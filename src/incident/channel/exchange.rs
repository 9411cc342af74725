//! Talks HTTP for every way: one deadline for all that a message takes, no redirect, no retry, a bound on what is read.
//!
//! What matters is whether the request may have been taken. No connection: it was not. A request that went out and had no answer:
//! nobody knows, and that is said so.

use std::net::IpAddr;
use std::sync::{Once, OnceLock};
use std::time::{Duration, Instant};

use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};

use super::{Answer, Ask, DEADLINE, Method, Trouble, retry};
use crate::base::amount::Span;
use crate::base::clock::Clock;
use crate::host::http::in_plain_words;

/// An answer is a word or an id. More is not read.
const LONGEST_ANSWER: usize = 64 * 1024;

/// All that is said to one server for one message.
pub struct Exchange {
    clock: Clock,
    /// From the first request on: somebody may have had to unlock a secret before it.
    end: OnceLock<Instant>,
}

impl Exchange {
    pub fn begin(clock: Clock) -> Exchange {
        Exchange { clock, end: OnceLock::new() }
    }

    /// # Errors
    /// When it was not taken, or may not have been.
    pub async fn send(&self, ask: &Ask) -> Result<Answer, Trouble> {
        let end = *self.end.get_or_init(|| Instant::now() + DEADLINE);
        let left = end.saturating_duration_since(Instant::now());
        // Asking for something takes nothing: it can be asked again.
        let unsure = |why: String| match ask.method {
            Method::Get => Trouble::later(why),
            Method::Post | Method::Patch | Method::Delete => Trouble::Unknown(why),
        };
        let request = request(ask, left / 2)?;
        let response = match tokio::time::timeout(left, request.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) if error.is_builder() => return Err(Trouble::Refused(in_plain_words(&error))),
            Ok(Err(error)) if error.is_connect() => {
                return Err(Trouble::later(format!("no connection: {}", in_plain_words(&error))));
            }
            Ok(Err(error)) => return Err(unsure(in_plain_words(&error))),
            Err(_) => return Err(unsure(format!("no answer within {}", Span::rounded(DEADLINE)))),
        };
        let left = end.saturating_duration_since(Instant::now());
        let answer = read(response, left).await;
        retry::judge(answer, self.clock.now())
    }
}

fn request(ask: &Ask, patience: Duration) -> Result<reqwest::RequestBuilder, Trouble> {
    static PROVIDER: Once = Once::new();
    // Another part of the process may have been faster: then it is installed, which is all that matters.
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    let url: Url = ask.url.parse().map_err(|_| Trouble::Refused("its address is not a URL".to_owned()))?;
    let mut client = Client::builder()
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(patience)
        .pool_max_idle_per_host(0)
        .user_agent(concat!("opsctl/", env!("CARGO_PKG_VERSION")));
    if is_here(&url) {
        // A proxy of the environment leads out, and not back.
        client = client.no_proxy();
    }
    if url.scheme() == "http" {
        // Without this the system's certificates are read for nothing, and a machine that has none is an error.
        client = client.tls_certs_only([]);
    }
    let client = client.build().map_err(|error| Trouble::later(in_plain_words(&error)))?;
    let mut request = match ask.method {
        Method::Get => client.get(url),
        Method::Post => client.post(url),
        Method::Patch => client.patch(url),
        Method::Delete => client.delete(url),
    };
    for (name, text) in &ask.headers {
        let mut value = HeaderValue::try_from(text)
            .map_err(|_| Trouble::Refused(format!("what is to be sent as `{name}` cannot be a header")))?;
        value.set_sensitive(true);
        request = request.header(*name, value);
    }
    Ok(match &ask.body {
        Some(body) => request.body(body.clone()),
        None => request,
    })
}

fn is_here(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The status is there; the body may break off, or come too slowly.
async fn read(mut response: Response, left: Duration) -> Answer {
    let status = response.status().as_u16();
    let retry_after = response.headers().get("retry-after");
    let retry_after = retry_after.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut body = Vec::new();
    let reading = async {
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= LONGEST_ANSWER => {
                    body.extend_from_slice(&chunk)
                }
                Ok(None) => return true,
                Ok(Some(_)) | Err(_) => return false,
            }
        }
    };
    let is_whole = tokio::time::timeout(left, reading).await.unwrap_or(false);
    Answer { status, retry_after, body: String::from_utf8_lossy(&body).into_owned(), is_whole }
}
