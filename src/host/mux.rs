//! What the `openssh` crate does not say to the master of a connection, or not to the end: OpenSSH's `PROTOCOL.mux`, version 4.
//!
//! - **Commands**, `MUX_C_NEW_SESSION`. The exit code of a command may come before the last of its output, and a master whose
//!   client goes away throws away what is still to come. The crate's client goes with the exit code; here it stays
//!   until the output is through, as `ssh` itself does.
//! - **TCP connections**, `MUX_C_NEW_STDIO_FWD`, which is what `ssh -W` uses. A forwarded port is no proof: ssh accepts on
//!   this side before it has asked the other, so a refused connection looks like one that was closed early. Here the master
//!   answers only once the host's sshd has connected, or has not.
//!
//! Integers are of 32 bits, big endian; strings carry their length.

use std::io::{Error, ErrorKind, Result};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use sendfd::SendWithFd;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;

use super::channel::{Channel, Exit, Input, Pipe, Writer};

const HELLO: u32 = 0x0000_0001;
const NEW_SESSION: u32 = 0x1000_0002;
const NEW_STDIO_FORWARD: u32 = 0x1000_0008;
const PERMISSION_DENIED: u32 = 0x8000_0002;
const FAILURE: u32 = 0x8000_0003;
const EXIT_MESSAGE: u32 = 0x8000_0004;
const SESSION_OPENED: u32 = 0x8000_0006;
const VERSION: u32 = 4;

/// The one request of each connection to the master, and the reserved string after it.
const REQUEST: [u32; 2] = [0, 0];

const NO_ESCAPE: u32 = u32::MAX;

/// No answer of the master's is anywhere near this long.
const LONGEST_PACKET: usize = 1 << 16;

/// A connection to the master. What it opened lasts as long as this does.
pub(super) struct Master(UnixStream);

pub(super) enum Opened<T> {
    Open(T),
    /// In the master's words.
    Refused(String),
}

/// The pipes of a command: two ends of each.
pub(super) struct Pipes {
    stdin: Option<pipe::Sender>,
    stdout: pipe::Receiver,
    stderr: pipe::Receiver,
    theirs: [OwnedFd; 3],
}

impl Pipes {
    pub(super) fn make(input: Input) -> Result<Pipes> {
        let (stdin, their_stdin) = match input {
            Input::Pipe => {
                let (stdin, theirs) = pipe::pipe()?;
                (Some(stdin), theirs.into_blocking_fd()?)
            }
            Input::Nothing => (None, std::fs::File::open("/dev/null")?.into()),
        };
        let (their_stdout, stdout) = pipe::pipe()?;
        let (their_stderr, stderr) = pipe::pipe()?;
        let theirs = [their_stdin, their_stdout.into_blocking_fd()?, their_stderr.into_blocking_fd()?];
        Ok(Pipes { stdin, stdout, stderr, theirs })
    }
}

impl Master {
    /// # Errors
    /// When the master is gone, and with it the connection.
    pub(super) async fn connect(control: &Path) -> Result<Master> {
        let mut master = UnixStream::connect(control).await?;
        send(&mut master, HELLO, &VERSION.to_be_bytes()).await?;
        let hello = receive(&mut master).await?;
        if number(&hello, 0)? != HELLO || number(&hello, 1)? != VERSION {
            return Err(unexpected("greeting"));
        }
        Ok(Master(master))
    }

    /// Starts a line on the host's login shell.
    ///
    /// # Errors
    /// When nobody knows whether it was started.
    pub(super) async fn start(mut self, line: &str, pipes: Pipes) -> Result<Opened<Channel>> {
        let Pipes { stdin, stdout, stderr, theirs } = pipes;
        // No terminal, no X11, no agent, no subsystem; and so no kind of terminal either.
        let options = [0, 0, 0, 0, NO_ESCAPE, 0];
        let mut request: Vec<u8> = REQUEST.into_iter().chain(options).flat_map(u32::to_be_bytes).collect();
        push_string(&mut request, line);
        if let Some(reason) = self.open(NEW_SESSION, &request, &theirs).await? {
            return Ok(Opened::Refused(reason));
        }
        drop(theirs);
        let (mut said, keep) = self.0.into_split();
        Ok(Opened::Open(Channel {
            stdin: stdin.map(|stdin| Box::new(stdin) as Writer),
            stdout: Box::new(stdout),
            stderr: Box::new(stderr),
            exit: Box::pin(async move { exit(&mut said).await.unwrap_or(Exit::Unknown) }),
            keep: Box::new(keep),
        }))
    }

    /// Opens a TCP connection from the host.
    ///
    /// # Errors
    /// When the master is gone or says something unexpected.
    pub(super) async fn dial(mut self, address: &str, port: u16) -> Result<Opened<Pipe>> {
        let mut request: Vec<u8> = REQUEST.into_iter().flat_map(u32::to_be_bytes).collect();
        push_string(&mut request, address);
        request.extend(u32::from(port).to_be_bytes());
        // Two pipes and not one socket: the master closes one direction by closing its descriptor.
        let (writer, remote_input) = pipe::pipe()?;
        let (remote_output, reader) = pipe::pipe()?;
        let theirs = [remote_input.into_blocking_fd()?, remote_output.into_blocking_fd()?];
        Ok(match self.open(NEW_STDIO_FORWARD, &request, &theirs).await? {
            Some(reason) => Opened::Refused(reason),
            None => Opened::Open(Pipe {
                reader: Box::new(reader),
                writer: Box::new(writer),
                keep: Box::new(self.0),
            }),
        })
    }

    /// Asks, and gives the reason when the answer is no.
    async fn open(&mut self, kind: u32, request: &[u8], theirs: &[OwnedFd]) -> Result<Option<String>> {
        send(&mut self.0, kind, request).await?;
        for descriptor in theirs {
            hand_over(&self.0, descriptor.as_raw_fd()).await?;
        }
        let answer = receive(&mut self.0).await?;
        match number(&answer, 0)? {
            SESSION_OPENED => Ok(None),
            // After the number of the request and the length of the text.
            FAILURE | PERMISSION_DENIED => {
                Ok(Some(String::from_utf8_lossy(answer.get(12..).unwrap_or_default()).into_owned()))
            }
            _ => Err(unexpected("answer")),
        }
    }
}

/// The exit code, if there is one: the master also goes without.
async fn exit(said: &mut (impl AsyncRead + Unpin)) -> Result<Exit> {
    loop {
        let packet = receive(said).await?;
        if number(&packet, 0)? == EXIT_MESSAGE {
            return Ok(Exit::Status(number(&packet, 2)? as i32));
        }
    }
}

fn push_string(packet: &mut Vec<u8>, text: &str) {
    packet.extend((text.len() as u32).to_be_bytes());
    packet.extend(text.as_bytes());
}

async fn send(master: &mut UnixStream, kind: u32, body: &[u8]) -> Result<()> {
    let mut packet = (body.len() as u32 + 4).to_be_bytes().to_vec();
    packet.extend(kind.to_be_bytes());
    packet.extend(body);
    master.write_all(&packet).await
}

async fn receive(master: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>> {
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
