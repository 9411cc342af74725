//! Opens a TCP connection from the host, over the SSH connection, and knows whether it stands.
//!
//! A forwarded port is no proof: ssh accepts on this side before it has asked the other, so a refused connection looks like
//! one that was closed early. What `ssh -W` uses does tell: the master answers only once the host's sshd has connected, or has
//! not. The `openssh` crate lacks this one request, so it is spoken here: OpenSSH's `PROTOCOL.mux`, version 4, section 8,
//! `MUX_C_NEW_STDIO_FWD`. Integers are of 32 bits, big endian; strings carry their length.

use std::io::{Error, ErrorKind, Result};
use std::os::fd::AsRawFd;
use std::path::Path;

use sendfd::SendWithFd;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;

use super::channel::Pipe;

const HELLO: u32 = 0x0000_0001;
const NEW_STDIO_FORWARD: u32 = 0x1000_0008;
const PERMISSION_DENIED: u32 = 0x8000_0002;
const FAILURE: u32 = 0x8000_0003;
const SESSION_OPENED: u32 = 0x8000_0006;
const VERSION: u32 = 4;

/// No answer of the master's is anywhere near this long.
const LONGEST_PACKET: usize = 1 << 16;

pub(super) enum Dialled {
    Open(Pipe),
    Refused,
}

/// # Errors
/// When the master is gone or says something unexpected.
pub(super) async fn dial(control: &Path, address: &str, port: u16) -> Result<Dialled> {
    let mut master = UnixStream::connect(control).await?;
    send(&mut master, HELLO, |packet| packet.extend(VERSION.to_be_bytes())).await?;
    let hello = receive(&mut master).await?;
    if number(&hello, 0)? != HELLO || number(&hello, 1)? != VERSION {
        return Err(unexpected("greeting"));
    }
    send(&mut master, NEW_STDIO_FORWARD, |packet| {
        packet.extend(0u32.to_be_bytes()); // the request
        packet.extend(0u32.to_be_bytes()); // reserved: an empty string
        packet.extend((address.len() as u32).to_be_bytes());
        packet.extend(address.as_bytes());
        packet.extend(u32::from(port).to_be_bytes());
    })
    .await?;
    // Two pipes and not one socket: the master closes one direction by closing its descriptor.
    let (writer, remote_input) = pipe::pipe()?;
    let (remote_output, reader) = pipe::pipe()?;
    for descriptor in [remote_input.into_blocking_fd()?, remote_output.into_blocking_fd()?] {
        hand_over(&master, descriptor.as_raw_fd()).await?;
    }
    let answer = receive(&mut master).await?;
    match number(&answer, 0)? {
        SESSION_OPENED => Ok(Dialled::Open(Pipe {
            reader: Box::new(reader),
            writer: Box::new(writer),
            // The session lasts as long as this.
            keep: Box::new(master),
        })),
        FAILURE | PERMISSION_DENIED => Ok(Dialled::Refused),
        _ => Err(unexpected("answer")),
    }
}

async fn send(master: &mut UnixStream, kind: u32, fill: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
    let mut packet = kind.to_be_bytes().to_vec();
    fill(&mut packet);
    master.write_all(&(packet.len() as u32).to_be_bytes()).await?;
    master.write_all(&packet).await
}

async fn receive(master: &mut UnixStream) -> Result<Vec<u8>> {
    let length = master.read_u32().await? as usize;
    if length > LONGEST_PACKET {
        return Err(unexpected("length"));
    }
    let mut packet = vec![0; length];
    master.read_exact(&mut packet).await?;
    Ok(packet)
}

fn number(packet: &[u8], index: usize) -> Result<u32> {
    let bytes = packet.get(index * 4..index * 4 + 4).and_then(|bytes| bytes.try_into().ok());
    bytes.map(u32::from_be_bytes).ok_or_else(|| unexpected("length"))
}

async fn hand_over(master: &UnixStream, descriptor: i32) -> Result<()> {
    loop {
        master.writable().await?;
        match master.send_with_fd(&[0], &[descriptor]) {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

fn unexpected(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("ssh's control socket gave an unexpected {what}"))
}
