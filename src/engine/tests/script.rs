//! A world with a script: what each request is answered is said beforehand.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::engine::world::{Claim, Request, Taken, World};
use crate::host::failure::{Failure, FailureKind};
use crate::model::operation::{Observation, Operation};
use crate::run::event::Record;
use crate::run::lease::Folder;
use crate::run::receipt::{Processes, Receipt, ReceiptKey};
use crate::run::signal::Stream;

type Result<T> = std::result::Result<T, Failure>;

pub type Answer = Result<Value>;

pub fn exit(code: i32) -> Answer {
    Ok(json!({ "status": code, "stdout": "a line\n", "stderr": "" }))
}

pub fn lost(is_dispatched: bool) -> Answer {
    failure(FailureKind::Lost, is_dispatched)
}

pub fn failure(kind: FailureKind, is_dispatched: bool) -> Answer {
    Err(gone(kind, is_dispatched))
}

pub fn gone(kind: FailureKind, is_dispatched: bool) -> Failure {
    let (host, message) = ("app".to_owned(), "it is gone".to_owned());
    Failure { host, kind, message, is_dispatched, hints: Vec::new() }
}

/// Commands are answered by the first word, one answer after the other, the last again and again. So are questions for receipts.
#[derive(Default)]
pub struct Script {
    answers: Mutex<BTreeMap<String, VecDeque<Answer>>>,
    receipts: Mutex<VecDeque<Result<Receipt>>>,
    takes_of: Mutex<BTreeMap<String, VecDeque<Result<Taken>>>>,
    releases: Mutex<VecDeque<Result<()>>>,
    holds: Mutex<VecDeque<Result<()>>>,
    /// How long every request takes.
    pub takes: Duration,
    /// How many lines each command writes at once.
    pub lines: usize,
    /// What becomes of a command that is ended, and how long that takes.
    pub ends: (Processes, Duration),
    asked: Mutex<Vec<Asked>>,
    noted: Mutex<Vec<Record>>,
}

#[derive(Clone)]
pub struct Asked {
    pub word: String,
    pub host: String,
    pub key: Option<String>,
    pub operation: Operation,
}

impl Script {
    pub fn new<'a>(answers: impl IntoIterator<Item = (&'a str, Vec<Answer>)>) -> Script {
        let answers = answers.into_iter().map(|(word, answers)| (word.to_owned(), answers.into())).collect();
        Script {
            answers: Mutex::new(answers),
            receipts: Mutex::new([Ok(Receipt::Unkept { why: "no receipts here".to_owned() })].into()),
            takes: Duration::from_millis(10),
            lines: 1,
            ..Script::default()
        }
    }

    pub fn with_receipts(self, receipts: impl IntoIterator<Item = Result<Receipt>>) -> Script {
        Script { receipts: Mutex::new(receipts.into_iter().collect()), ..self }
    }

    /// What comes of taking a host; otherwise it is ours.
    pub fn with_take(self, host: &str, taken: impl IntoIterator<Item = Result<Taken>>) -> Script {
        self.takes_of.lock().unwrap().insert(host.to_owned(), taken.into_iter().collect());
        self
    }

    pub fn with_release(self, released: impl IntoIterator<Item = Result<()>>) -> Script {
        Script { releases: Mutex::new(released.into_iter().collect()), ..self }
    }

    pub fn with_holds(self, held: impl IntoIterator<Item = Result<()>>) -> Script {
        Script { holds: Mutex::new(held.into_iter().collect()), ..self }
    }

    pub fn held(fence: u64) -> Taken {
        Taken::Held {
            fence,
            folder: Folder { path: "/var/lib/opsctl".to_owned(), id: "f".to_owned(), is_in_memory: false },
        }
    }

    fn note_question(&self, word: &str, host: &str, key: Option<&ReceiptKey>) {
        let operation = Operation::Sleep(Default::default());
        let (word, host, key) = (word.to_owned(), host.to_owned(), key.map(ToString::to_string));
        self.asked().push(Asked { word, host, key, operation });
    }

    fn asked(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.asked.lock().unwrap()
    }

    /// What was asked this, in order.
    pub fn all(&self, word: &str) -> Vec<Asked> {
        self.asked().iter().filter(|asked| asked.word == word).cloned().collect()
    }

    pub fn times(&self, word: &str) -> usize {
        self.all(word).len()
    }

    /// The hosts that were asked this, in order.
    pub fn hosts(&self, word: &str) -> Vec<String> {
        self.all(word).into_iter().map(|asked| asked.host).collect()
    }

    /// The records that it was told of.
    pub fn noted(&self) -> Vec<Record> {
        self.noted.lock().unwrap().clone()
    }
}

/// One after the other, the last again and again.
fn next<T: Clone>(answers: &mut VecDeque<T>) -> Option<T> {
    if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
}

impl World for Script {
    fn perform<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Observation>> {
        async move {
            let word = request.operation.to_string();
            self.asked().push(Asked {
                word: word.clone(),
                host: request.host.unwrap_or("here").to_owned(),
                key: request.key.map(ToString::to_string),
                operation: request.operation.clone(),
            });
            (0..self.lines).for_each(|_| (request.output)(Stream::Out, "a line"));
            tokio::time::sleep(self.takes).await;
            let mut answers = self.answers.lock().unwrap();
            let answers = answers.get_mut(&word).unwrap_or_else(|| panic!("`{word}` has no answer"));
            next(answers).unwrap().map(|value| Observation { value })
        }
        .boxed()
    }

    fn receipt<'a>(&'a self, host: &'a str, key: &'a ReceiptKey) -> BoxFuture<'a, Result<Receipt>> {
        self.note_question("(receipt)", host, Some(key));
        async { next(&mut self.receipts.lock().unwrap()).unwrap() }.boxed()
    }

    fn end<'a>(&'a self, host: &'a str, key: &'a ReceiptKey) -> BoxFuture<'a, Processes> {
        self.note_question("(end)", host, Some(key));
        let (processes, takes) = self.ends;
        async move {
            tokio::time::sleep(takes).await;
            processes
        }
        .boxed()
    }

    fn take<'a>(&'a self, host: &'a str, claim: &'a Claim<'a>) -> BoxFuture<'a, Result<Taken>> {
        self.note_question("(take)", host, None);
        let said = self.takes_of.lock().unwrap().get_mut(host).and_then(next);
        async move { said.unwrap_or(Ok(Script::held(claim.epoch))) }.boxed()
    }

    fn holds<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<()>> {
        self.note_question("(holds)", host, None);
        async { next(&mut self.holds.lock().unwrap()).unwrap_or(Ok(())) }.boxed()
    }

    fn release<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<()>> {
        self.note_question("(release)", host, None);
        async { next(&mut self.releases.lock().unwrap()).unwrap_or(Ok(())) }.boxed()
    }

    fn note(&self, record: &Record) {
        self.noted.lock().unwrap().push(record.clone());
    }
}
