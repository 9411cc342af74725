//! Asks a URL, from the host or from here.
//!
//! No answer is an answer: `status` 0, and `error` in plain words. Redirects are not followed, since a health check that is
//! sent to a login page is not healthy; proxies of the environment are not used; every request has its own connection, so
//! that one to an instance that was restarted is never a leftover of the one before.
//!
//! Over SSH the host itself connects (see [`mux`](super::mux)), and TLS is between here and the server: names and certificates are
//! those of the URL.

use std::path::Path;
use std::sync::Once;
use std::time::{Duration, Instant};

use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Url};
use serde_json::{Map, Value, json};

use super::dial::{Dial, no_answer, plain};
use super::failure::{Failure, FailureKind};
use super::tunnel::Tunnel;
use super::{Host, Transport};
use crate::model::operation::{HttpRequest, SecretHeader};

impl Host {
    pub(super) async fn ask(&self, request: &HttpRequest) -> Result<Value, Failure> {
        let start = Instant::now();
        let keep = self.limits.output;
        if matches!(self.transport, Transport::Local(_)) {
            return Ok(ask(request, None, start, keep).await);
        }
        let Some((host, port)) = place(&request.url) else {
            return Ok(silence(not_a_url(&request.url), start));
        };
        let pipe = match self.dial(&host, port, request.deadline.0).await? {
            Dial::Open(pipe) => pipe,
            Dial::Refused(why) => return Ok(silence(why, start)),
        };
        let tunnel = Tunnel::once(self.socket("http"), pipe)
            .map_err(|error| self.failure(FailureKind::Missing, format!("cannot make a socket: {error}")))?;
        let value = tokio::select! {
            value = ask(request, Some(tunnel.path()), start, keep) => value,
            failure = self.lost() => return Err(failure.dispatched()),
        };
        if value["status"] == 0 {
            // A connection that was lost looks like a server that hung up.
            self.check().await.map_err(Failure::dispatched)?;
        }
        Ok(value)
    }
}

/// `status`, `body`, `json`, `headers`, `ms`, `error`. Over `socket`, where there is one, whatever the URL's host is.
pub(super) async fn ask(request: &HttpRequest, socket: Option<&Path>, start: Instant, keep: usize) -> Value {
    let left = request.deadline.0.saturating_sub(start.elapsed());
    match tokio::time::timeout(left, exchange(request, socket, start, keep)).await {
        Ok(Ok(value)) => value,
        Ok(Err(why)) => silence(why, start),
        Err(_) => silence(no_answer(request.deadline.0), start),
    }
}

async fn exchange(
    request: &HttpRequest,
    socket: Option<&Path>,
    start: Instant,
    keep: usize,
) -> Result<Value, String> {
    let url: Url = request.url.parse().map_err(|_| not_a_url(&request.url))?;
    let method = Method::from_bytes(request.method.as_bytes())
        .map_err(|_| format!("`{}` is not an HTTP method", request.method))?;
    let client = client(&url, socket)?;
    let mut asked = client.request(method, url);
    for (name, value) in &request.headers {
        asked = asked.header(name, value);
    }
    let mut secrets = Vec::new();
    for (name, SecretHeader { before, secret }) in &request.secret_headers {
        let secret = secret.reveal().await.map_err(|why| format!("it was not sent: {why}"))?;
        let mut value = HeaderValue::try_from(format!("{before}{}", secret.text()))
            .map_err(|_| format!("it was not sent: the secret of `{name}` cannot be a header"))?;
        value.set_sensitive(true);
        asked = asked.header(name, value);
        secrets.push(secret);
    }
    let masked = |text: &str| secrets.iter().fold(text.to_owned(), |text, secret| secret.masked(&text));
    if let Some(body) = &request.body {
        asked = asked.body(body.clone());
    }
    let mut answer = asked.send().await.map_err(|error| in_plain_words(&error))?;
    let status = answer.status().as_u16();
    let mut headers = Map::new();
    for name in answer.headers().keys() {
        let values = answer.headers().get_all(name).iter();
        let values: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        headers.insert(name.as_str().to_owned(), masked(&values.join(", ")).into());
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| in_plain_words(&error))? {
        let room = keep.saturating_sub(body.len()).min(chunk.len());
        body.extend_from_slice(&chunk[..room]);
        if room < chunk.len() {
            break;
        }
    }
    let body = masked(&String::from_utf8_lossy(&body));
    let json = serde_json::from_str(&body).unwrap_or(Value::Null);
    Ok(json!({
        "status": status, "body": body, "json": json, "headers": headers, "ms": elapsed(start), "error": null,
    }))
}

fn client(url: &Url, socket: Option<&Path>) -> Result<Client, String> {
    static PROVIDER: Once = Once::new();
    // Another part of the process may have been faster: then it is installed, which is all that matters.
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    let mut client = Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(0)
        .user_agent(concat!("opsctl/", env!("CARGO_PKG_VERSION")));
    if url.scheme() == "http" {
        // Without this the system's certificates are read for nothing, and a machine that has none is an error.
        client = client.tls_certs_only([]);
    }
    if let Some(socket) = socket {
        client = client.unix_socket(socket);
    }
    client.build().map_err(|error| in_plain_words(&error))
}

fn silence(why: String, start: Instant) -> Value {
    json!({ "status": 0, "body": "", "json": null, "headers": {}, "ms": elapsed(start), "error": why })
}

fn elapsed(start: Instant) -> u64 {
    start.elapsed().min(Duration::from_secs(u64::from(u32::MAX))).as_millis() as u64
}

fn not_a_url(url: &str) -> String {
    format!("`{url}` is not a URL")
}

/// Where a URL leads: the name as it stands there, for the host to resolve.
fn place(url: &str) -> Option<(String, u16)> {
    let url: Url = url.parse().ok()?;
    let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']').to_owned();
    Some((host, url.port_or_known_default()?))
}

/// The innermost cause, which is what happened; the layers around it only say where.
pub fn in_plain_words(error: &reqwest::Error) -> String {
    let mut innermost: &(dyn std::error::Error + 'static) = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let text = match innermost.downcast_ref::<std::io::Error>() {
        Some(error) => plain(error),
        None => innermost.to_string(),
    };
    if text.contains("connection closed before message completed") {
        "the connection was closed before an answer came".to_owned()
    } else if text.contains("InvalidContentType") {
        "the other side does not speak TLS".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::base::amount::Span;
    use crate::model::operation::Via;
    use crate::model::result::{ResultKind, assert_fields};

    fn get(url: String) -> HttpRequest {
        HttpRequest::get(url, Span::millis(500), Via::Here)
    }

    async fn answering(answer: &'static [u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(answer).await;
        });
        url
    }

    async fn asked(url: String) -> Value {
        ask(&get(url), None, Instant::now(), 64).await
    }

    #[tokio::test]
    async fn an_answer_has_all_its_fields() {
        let url = answering(
            b"HTTP/1.1 503 x\r\nContent-Type: text/plain\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 9\r\n\r\n{\"up\": 0}",
        );
        let value = asked(url.await).await;
        assert_eq!(value["status"], 503);
        assert_eq!(value["body"], "{\"up\": 0}");
        assert_eq!(value["json"], json!({ "up": 0 }));
        assert_eq!(value["headers"]["x-a"], "1, 2");
        assert!(value["ms"].is_u64());
        assert_fields(ResultKind::Http.fields(), &value);
        assert_eq!(value["error"], Value::Null);
    }

    #[tokio::test]
    async fn no_answer_is_said_in_plain_words() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closed = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        let value = asked(closed).await;
        assert_eq!((&value["status"], &value["error"]), (&json!(0), &json!("connection refused")));
        assert_eq!(value["headers"], json!({}));
        assert_fields(ResultKind::Http.fields(), &value);

        let value = asked(answering(b"").await).await;
        assert_eq!(value["error"], "the connection was closed before an answer came");

        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let value = asked(format!("http://{}/", silent.local_addr().unwrap())).await;
        assert_eq!(value["error"], "no answer within 500ms");

        let value = asked(answering(b"HTTP/1.1 200 x\r\n\r\n").await.replace("http:", "https:")).await;
        assert_eq!(value["error"], "the other side does not speak TLS");

        assert_eq!(asked("no url".into()).await["error"], "`no url` is not a URL");
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_not_followed() {
        let url = answering(b"HTTP/1.1 302 x\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
        let value = asked(url.await).await;
        assert_eq!(value["status"], 302);
        assert_eq!(value["headers"]["location"], "http://127.0.0.1:1/");
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_bound() {
        let url = answering(
            b"HTTP/1.1 200 x\r\n\r\n0123456789012345678901234567890123456789012345678901234567890123456789",
        );
        assert_eq!(asked(url.await).await["body"].as_str().unwrap().len(), 64);
    }
}
