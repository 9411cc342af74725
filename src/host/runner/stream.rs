//! What commands write, while they write it: a second channel, on which a host gives pieces of files.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::time::timeout;

use super::{parts, script};
use crate::host::Host;
use crate::host::channel::{Input, Reader, Writer};
use crate::host::failure::{Failure, FailureKind};
use crate::host::line::Marker;

const PATIENCE: Duration = Duration::from_secs(30);

pub(in crate::host) struct Stream {
    stdin: Writer,
    lines: BufReader<Reader>,
    _keep: Box<dyn Send>,
}

impl Stream {
    pub async fn open(host: &Host, folder: &str) -> Result<Stream, Failure> {
        let lost = |why: &str| host.failure(FailureKind::Lost, why).dispatched();
        let marker = Marker::generate();
        let argv = script::stream(marker.as_str(), folder, host.escalation);
        let channel = host.start(&argv, Input::Pipe).await.map_err(Failure::dispatched)?;
        let (stdin, lines, _, keep) = parts(channel).ok_or_else(|| lost("it has no input"))?;
        let mut stream = Stream { stdin, lines, _keep: keep };
        loop {
            let line = stream.line().await.ok_or_else(|| lost("the host does not give what was written"))?;
            if line.ends_with(marker.as_str()) {
                return Ok(stream);
            }
        }
    }

    /// What is in a file of the folder from an offset on, as far as there is some now, and as one piece allows. Nothing when
    /// the channel is lost.
    pub async fn read(&mut self, file: &str, offset: u64) -> Option<Vec<u8>> {
        let request = format!("{file} {offset}\n");
        timeout(PATIENCE, self.stdin.write_all(request.as_bytes())).await.ok()?.ok()?;
        self.stdin.flush().await.ok()?;
        let count: usize = self.line().await?.trim().parse().ok()?;
        let mut bytes = vec![0; count];
        timeout(PATIENCE, self.lines.read_exact(&mut bytes)).await.ok()?.ok()?;
        Some(bytes)
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        let count = timeout(PATIENCE, self.lines.read_until(b'\n', &mut line)).await.ok()?.ok()?;
        (count > 0).then(|| String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned())
    }
}
