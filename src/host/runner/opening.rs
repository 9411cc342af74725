//! A runner that was started and holds nothing yet.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::time::timeout;

use super::{Runner, lock, parts, script};
use crate::host::Host;
use crate::host::channel::{Input, Reader, Writer};
use crate::host::failure::{Failure, FailureKind};
use crate::host::line::Marker;

/// For an answer. What is asked takes milliseconds, and a host may be very busy.
const PATIENCE: Duration = Duration::from_secs(30);

pub(in crate::host) struct Opening {
    /// Where it keeps leases and receipts, as long as there is room.
    pub folder: String,
    /// The user's number, then the folder's mode, owner and group, as `ls -n` shows them.
    pub ownership: [String; 4],
    pub(super) stdin: Writer,
    pub(super) lines: BufReader<Reader>,
    pub(super) keep: Box<dyn Send>,
    said: Arc<Mutex<Vec<u8>>>,
    host: String,
}

impl Opening {
    /// Starts the runner, which finds or makes its folder.
    ///
    /// # Errors
    /// When the host has no shell, tool or folder to do it with, and as for any command. Nothing was changed but the folder.
    pub async fn start(host: &Host) -> Result<Opening, Failure> {
        let marker = Marker::generate();
        let argv = script::runner(marker.as_str(), host.state_dir.as_deref(), host.escalation);
        let channel = host.start(&argv, Input::Pipe).await?;
        let protocol = |why: &str| host.failure(FailureKind::Protocol, why);
        let (stdin, mut lines, said, keep) =
            parts(channel).ok_or_else(|| protocol("the runner has no input"))?;
        let greeting = timeout(PATIENCE, greeting(&mut lines, &marker)).await;
        let Ok(Some(greeting)) = greeting else {
            host.check().await?;
            let said = String::from_utf8_lossy(&lock(&said)).trim().to_owned();
            return Err(host.no_runner(greeting.is_err(), &said));
        };
        let (word, rest) = greeting.split_once(' ').unwrap_or((&greeting, ""));
        if word != "ready" {
            let (_, why) = rest.split_once(' ').unwrap_or(("", rest));
            let refused = host.failure(FailureKind::Missing, format!("it cannot keep receipts: {why}"));
            return Err(match rest.starts_with("folder") {
                true => refused.hint("sudo install -d -m 2770 -g docker /var/lib/opsctl"),
                false => refused,
            });
        }
        let mut words = rest.splitn(5, ' ').map(String::from);
        let mut next =
            || words.next().ok_or_else(|| protocol("the runner greets without saying where it is"));
        let ownership = [next()?, next()?, next()?, next()?];
        let folder = next()?;
        Ok(Opening { folder, ownership, stdin, lines, keep, said, host: host.name().to_owned() })
    }

    /// Sends a request and reads lines until one of which `is_last` is true, which is the last one given.
    pub async fn ask(
        &mut self,
        request: &str,
        is_last: impl Fn(&str) -> bool,
    ) -> Result<Vec<String>, Failure> {
        let lost = |why: &str| Failure::new(&self.host, FailureKind::Lost, why).dispatched();
        let asked = async {
            self.stdin.write_all(request.as_bytes()).await?;
            self.stdin.flush().await?;
            let mut given = Vec::new();
            let mut line = Vec::new();
            loop {
                line.clear();
                if self.lines.read_until(b'\n', &mut line).await? == 0 {
                    return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof));
                }
                let text = String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned();
                given.push(text);
                if given.last().is_some_and(|line| is_last(line)) {
                    return Ok(given);
                }
            }
        };
        match timeout(PATIENCE, asked).await {
            Ok(Ok(lines)) => Ok(lines),
            Ok(Err(_)) => {
                let said = String::from_utf8_lossy(&lock(&self.said)).trim().to_owned();
                Err(lost(format!("the runner ended: {said}").trim_end_matches(": ")))
            }
            Err(_) => Err(lost("the runner did not answer")),
        }
    }

    /// From here on it has the lease. `sent`: how many records it has a copy of.
    pub fn into_runner(self, fence: u64, sent: usize) -> Runner {
        Runner::new(self, fence, sent)
    }
}

/// What follows the greeting, after all that a login shell says first.
async fn greeting(lines: &mut BufReader<Reader>, marker: &Marker) -> Option<String> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&line);
        if let Some((_, greeting)) = text.split_once(&format!("{} ", marker.as_str())) {
            return Some(greeting.trim_end_matches('\n').to_owned());
        }
    }
}

impl Host {
    fn no_runner(&self, is_late: bool, said: &str) -> Failure {
        let (kind, what) = match (is_late, self.escalation) {
            (true, _) => (FailureKind::Timeout, "the runner did not start in time"),
            (false, Some(_)) => (FailureKind::Privilege, "`sudo` did not start the runner"),
            (false, None) => (FailureKind::Missing, "the login shell did not start the runner"),
        };
        let failure = self.failure(kind, format!("{what}: {said}").trim_end_matches(": "));
        if kind == FailureKind::Privilege { failure.hint("sudo -n true") } else { failure }
    }
}
