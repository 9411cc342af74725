//! The program that runs on a host for a turn at a run, on one channel: it holds the lease, begins every command once, and
//! says what became of it.
//!
//! An [`Opening`] is a runner that has found its folder and has taken nothing yet: it answers one request after the other. A
//! [`Runner`] has the lease, and answers many at a time. Neither outlives its channel; what they began does.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;

use self::answer::Answer;
pub(super) use self::opening::Opening;
use super::channel::{Channel, Reader, Writer};
use crate::base::crash;

pub(super) mod answer;
mod opening;
pub(super) mod script;
pub(super) mod stream;

/// Bytes that are kept of what the shell around the runner says on its standard error.
const MOST_SAID: usize = 4 << 10;

pub(super) struct Runner {
    pub fence: u64,
    input: UnboundedSender<Vec<u8>>,
    waiting: Waiting,
    tags: AtomicU64,
    /// How many records of the journal the host has been sent.
    sent: Mutex<usize>,
    tasks: [AbortHandle; 2],
}

/// Who waits for an answer, by tag. Gone when the channel is.
#[derive(Clone)]
struct Waiting(Arc<Mutex<Option<ByTag>>>);

type ByTag = HashMap<u64, UnboundedSender<Answer>>;

/// The lines of a journal, for every host that has a part in its run.
#[derive(Debug, Default)]
pub struct Records(Mutex<Vec<Vec<u8>>>);

impl Records {
    /// `journal`: whole lines, with their newlines.
    pub fn of(journal: &[u8]) -> Records {
        let records = Records::default();
        let lines = journal.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
        lines.for_each(|line| records.push(line[..line.len() - 1].to_vec()));
        records
    }

    /// Without its newline.
    pub fn push(&self, line: Vec<u8>) {
        lock(&self.0).push(line);
    }
}

impl Runner {
    fn new(opening: Opening, fence: u64, sent: usize) -> Runner {
        let Opening { stdin, lines, keep, .. } = opening;
        let waiting = Waiting(Arc::new(Mutex::new(Some(HashMap::new()))));
        let (input, requests) = unbounded_channel();
        let writing = tokio::spawn(write(stdin, requests)).abort_handle();
        let answers = waiting.clone();
        let reading = tokio::spawn(async move {
            let _keep = keep;
            read(lines, &answers).await;
            lock(&answers.0).take();
        });
        let tasks = [writing, reading.abort_handle()];
        Runner { fence, input, waiting, tags: AtomicU64::new(1), sent: Mutex::new(sent), tasks }
    }

    pub fn is_alive(&self) -> bool {
        lock(&self.waiting.0).is_some()
    }

    /// Sends a request, and before it the records that the host has not got yet. `words`: the verb, then what follows the tag;
    /// `lines` come after. The answers end without a last one when the channel is lost.
    pub fn ask(&self, records: &Records, words: (&str, &str), lines: &str) -> UnboundedReceiver<Answer> {
        let tag = self.tags.fetch_add(1, Ordering::Relaxed);
        let (answers, receiver) = unbounded_channel();
        if let Some(waiting) = lock(&self.waiting.0).as_mut() {
            waiting.insert(tag, answers);
        }
        let (verb, rest) = words;
        let mut sent = lock(&self.sent);
        let mut bytes = Vec::new();
        let records = lock(&records.0);
        for line in records.iter().skip(*sent) {
            bytes.extend_from_slice(b"record\n");
            bytes.extend_from_slice(line);
            bytes.push(b'\n');
        }
        *sent = records.len();
        bytes.extend_from_slice(format!("{verb} {tag} {rest}\n{lines}").as_bytes());
        // Nobody reads any more: then nobody answers either.
        let _ = self.input.send(bytes);
        receiver
    }

    /// Sends what has no answer.
    pub fn tell(&self, line: &str) {
        let _ = self.input.send(line.as_bytes().to_vec());
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

async fn write(mut stdin: Writer, mut requests: UnboundedReceiver<Vec<u8>>) {
    while let Some(bytes) = requests.recv().await {
        if stdin.write_all(&bytes).await.is_err() || stdin.flush().await.is_err() {
            return;
        }
        crash::point("host.sent");
    }
}

async fn read(mut lines: BufReader<Reader>, waiting: &Waiting) {
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).await.is_ok_and(|count| count > 0) {
        crash::point("host.answered");
        let text = String::from_utf8_lossy(&line);
        if let Some((tag, answer)) = answer::parse(text.trim_end_matches('\n'))
            && let Some(waiting) = lock(&waiting.0).as_mut()
        {
            let is_last = !matches!(answer, Answer::Line(..));
            if let Some(asked) = waiting.get(&tag) {
                // Whoever asked may have gone away.
                let _ = asked.send(answer);
            }
            if is_last {
                waiting.remove(&tag);
            }
        }
        line.clear();
    }
}

/// Reads to the end, so that nothing on the host waits for it, and keeps how it began.
async fn listen(mut stderr: Reader, said: Arc<Mutex<Vec<u8>>>) {
    let mut bytes = vec![0; 1024];
    while let Ok(count) = stderr.read(&mut bytes).await
        && count > 0
    {
        let mut said = lock(&said);
        let room = MOST_SAID.saturating_sub(said.len());
        said.extend_from_slice(&bytes[..count.min(room)]);
    }
}

/// Splits a channel into what is written, what is read, and what only has to live on.
type Parts = (Writer, BufReader<Reader>, Arc<Mutex<Vec<u8>>>, Box<dyn Send>);

fn parts(channel: Channel) -> Option<Parts> {
    let Channel { stdin, stdout, stderr, exit, keep } = channel;
    let said = Arc::new(Mutex::new(Vec::new()));
    let listening = tokio::spawn(listen(stderr, said.clone()));
    Some((stdin?, BufReader::new(stdout), said, Box::new((exit, keep, listening))))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
