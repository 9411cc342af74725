//! The cable between a laptop and a host, which can be pulled and put back. What is under way in it then neither arrives nor is
//! refused: nobody notices but by waiting.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

pub struct Cable {
    pub port: u16,
    state: watch::Sender<State>,
    /// Whether somebody takes connections, or refuses them.
    listens: watch::Receiver<bool>,
    task: AbortHandle,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Plugged,
    Pulled,
    /// And somebody on the way says at once that there is none.
    Refused,
}

impl Cable {
    /// To a port of this machine.
    pub async fn to(port: u16) -> Cable {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let near = listener.local_addr().unwrap().port();
        let (state, seen) = watch::channel(State::Plugged);
        let (told, listens) = watch::channel(true);
        let task = tokio::spawn(listen(listener, port, seen, told));
        Cable { port: near, state, listens, task: task.abort_handle() }
    }

    pub fn pull(&self) {
        self.state.send_replace(State::Pulled);
    }

    /// Comes back when nobody is let in any more.
    pub async fn pull_and_refuse(&self) {
        self.state.send_replace(State::Refused);
        self.listens.clone().wait_for(|listens| !listens).await.unwrap();
    }

    /// Comes back when everybody is let in again: who asks earlier is refused.
    pub async fn put_back(&self) {
        self.state.send_replace(State::Plugged);
        self.listens.clone().wait_for(|listens| *listens).await.unwrap();
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(
    listener: TcpListener,
    port: u16,
    mut seen: watch::Receiver<State>,
    told: watch::Sender<bool>,
) {
    let near = listener.local_addr().unwrap();
    // Who holds the port and does not listen refuses for it, and nobody else gets it meanwhile.
    let (mut listener, mut held) = (Some(listener), None);
    loop {
        if *seen.borrow_and_update() == State::Refused {
            if listener.take().is_some() {
                held = Some(hold(near));
            }
        } else if let Some(socket) = held.take() {
            listener = Some(TcpSocket::listen(socket, 64).unwrap());
        }
        told.send_replace(listener.is_some());
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Ok((client, _)) = accepted => drop(tokio::spawn(connect(client, port, seen.clone()))),
            changed = seen.changed() => if changed.is_err() { return },
        }
    }
}

fn hold(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).expect("the port is still free");
    socket
}

/// Comes back when what is sent arrives; not at all when there is no cable any more.
async fn carried(seen: &mut watch::Receiver<State>) -> bool {
    seen.wait_for(|state| *state == State::Plugged).await.is_ok()
}

async fn connect(client: TcpStream, port: u16, mut seen: watch::Receiver<State>) {
    if !carried(&mut seen).await {
        return;
    }
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { return };
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::spawn(carry(from_client, to_server, seen.clone()));
    carry(from_server, to_client, seen).await;
}

/// Also the end of a connection is not heard of while the cable is pulled.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut seen: watch::Receiver<State>) {
    let mut bytes = [0; 16 << 10];
    loop {
        let count = from.read(&mut bytes).await.unwrap_or(0);
        if !carried(&mut seen).await || count == 0 || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
