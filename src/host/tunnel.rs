//! A local socket that leads somewhere only the host can reach.
//!
//! HTTP clients want a socket to connect to; what we have is a pair of pipes. Each accepted connection is dialled afresh and
//! pumped until either side closes. A way that cannot be opened closes the connection: why is the dialler's to remember.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};

use tokio::io::copy;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

use super::channel::Pipe;

/// Closes with all its connections when it is dropped.
pub(super) struct Tunnel {
    path: PathBuf,
    _connections: JoinSet<()>,
}

impl Tunnel {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn open<D, F>(path: PathBuf, dial: D) -> io::Result<Tunnel>
    where
        D: Fn() -> F + Send + 'static,
        F: Future<Output = Option<Pipe>> + Send + 'static,
    {
        let listener = UnixListener::bind(&path)?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let Ok((stream, _)) = accepted else { return };
                        let way = dial();
                        connections.spawn(async move {
                            if let Some(pipe) = way.await {
                                pump(stream, pipe).await;
                            }
                        });
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Tunnel { path, _connections: tasks })
    }

    /// A tunnel of one connection, over a pipe that is already open.
    pub(super) fn once(path: PathBuf, pipe: Pipe) -> io::Result<Tunnel> {
        let listener = UnixListener::bind(&path)?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            if let Ok((stream, _)) = listener.accept().await {
                pump(stream, pipe).await;
            }
        });
        Ok(Tunnel { path, _connections: tasks })
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Until either side has no more to say. A client that closes has its answer; a server that closes has given it.
async fn pump(mut stream: UnixStream, mut pipe: Pipe) {
    let (mut from_client, mut to_client) = stream.split();
    tokio::select! {
        _ = copy(&mut from_client, &mut pipe.writer) => {}
        _ = copy(&mut pipe.reader, &mut to_client) => {}
    }
    drop(pipe.keep);
}
