//! An HTTP server of a test: it keeps every request, and answers as the test says, also in ways that no server should.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// By their names in small letters.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Request {
    pub fn json(&self) -> Result<Value, String> {
        match self.headers.get("content-type").map(String::as_str) {
            Some(kind) if kind.starts_with("application/json") => {
                serde_json::from_str(&self.body).map_err(|error| format!("no JSON: {error}"))
            }
            other => Err(format!("content-type {other:?}")),
        }
    }
}

pub enum Reply {
    Text(u16, String),
    Header(u16, &'static str, String),
    /// The request is read, and nothing comes back.
    Hang,
    /// A byte now and then, for ever.
    Trickle,
    /// The connection is reset once the request is there.
    Reset,
    /// The answer breaks off after its head.
    Lost(u16),
}

impl Reply {
    pub fn json(status: u16, value: &Value) -> Reply {
        Reply::Text(status, value.to_string())
    }
}

pub struct Server {
    pub url: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub fn start(answer: impl FnMut(&Request) -> Reply + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(Mutex::new(answer));
        let kept = seen.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, kept) = (answer.clone(), kept.clone());
                thread::spawn(move || {
                    let stream = stream.unwrap();
                    let Some(request) = read(&stream) else { return };
                    kept.lock().unwrap().push(request.clone());
                    let reply = answer.lock().unwrap()(&request);
                    // Who asked may have gone.
                    let _ = give(stream, reply);
                });
            }
        });
        Server { url, seen }
    }

    /// One reply for every request.
    pub fn always(reply: impl Fn() -> Reply + Send + 'static) -> Server {
        Server::start(move |_| reply())
    }

    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// `METHOD PATH` of every request.
    pub fn asked(&self) -> Vec<String> {
        self.seen().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }
}

/// The last byte of a body stays unread, so that closing the connection resets it.
fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::with_capacity(1, stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    let unread = usize::from(length > 0);
    reader.read_exact(&mut body[..length - unread]).ok()?;
    if unread > 0 {
        // Looked at, and left where it is.
        let mut last = [0];
        let mut peeked = 0;
        while peeked == 0 {
            peeked = stream.peek(&mut last).ok()?;
        }
        body[length - 1] = last[0];
    }
    Some(Request { method, path, headers, body: String::from_utf8(body).ok()? })
}

fn give(mut stream: TcpStream, reply: Reply) -> std::io::Result<()> {
    let head = |status: u16, length: usize, more: String| {
        format!("HTTP/1.1 {status} x\r\nContent-Length: {length}\r\n{more}\r\n")
    };
    if !matches!(reply, Reply::Reset) {
        stream.set_read_timeout(Some(Duration::from_millis(1)))?;
        let _ = stream.read(&mut [0]);
        stream.set_read_timeout(None)?;
    }
    match reply {
        Reply::Text(status, body) => write!(stream, "{}{body}", head(status, body.len(), String::new())),
        Reply::Header(status, name, value) => {
            write!(stream, "{}", head(status, 0, format!("{name}: {value}\r\n")))
        }
        // Until who asked has had enough.
        Reply::Hang => stream.read(&mut [0]).map(drop),
        Reply::Trickle => {
            write!(stream, "{}", head(200, 1_000_000, String::new()))?;
            loop {
                stream.write_all(b"o")?;
                thread::sleep(Duration::from_millis(200));
            }
        }
        Reply::Reset => Ok(()),
        Reply::Lost(status) => write!(stream, "{}{{\"ok\":", head(status, 1_000, String::new())),
    }
}
