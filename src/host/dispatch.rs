//! Commands that change a host: begun once under a key, whoever asks again, and followed to their end.
//!
//! A short command costs one round trip, and its few lines come with its end. Of one that goes on, what it writes is fetched
//! as it comes, by offset, so that nothing is missed or shown twice, whenever somebody began to look.

use std::time::Duration;

use tokio::time::timeout;

use super::Host;
use super::capture::Lines;
use super::failure::{Failure, FailureKind};
use super::lease::Hold;
use super::run::{Output, Sink};
use super::runner::answer::{Answer, End, State};
use super::runner::script;
use super::runner::stream::Stream;
use crate::model::operation::Command;
use crate::run::event::Phase;
use crate::run::lease::Head;
use crate::run::receipt::{Processes, Receipt, ReceiptKey};
use crate::run::signal::Stream as Source;

/// A command that takes longer is worth looking at while it runs.
const SHORT: Duration = Duration::from_millis(150);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// For ending a process group, which the runner gives five seconds.
const ENDING: Duration = Duration::from_secs(15);

impl Host {
    /// Begins the command, once, and follows it to its end. Asked again with the same key it follows the one that was begun, or
    /// gives what came of it: with its output from the first byte. `head` is the journal's record that announces it.
    ///
    /// # Errors
    /// [`FailureKind::Fenced`] when somebody else has taken the host over: then it was not begun. Else as for
    /// [`Host::run`](Host::run).
    pub async fn dispatch(
        &self,
        hold: &Hold,
        key: &ReceiptKey,
        head: Option<Head>,
        command: &Command,
        output: Sink<'_>,
    ) -> Result<Output, Failure> {
        let runner = self.runner(hold).await?;
        let script = script::command(command, &key.run.to_string());
        let head = head.map_or_else(|| "0 -".to_owned(), |head| format!("{} {}", head.seq, head.digest));
        let mut lines = format!("{script}\n");
        let mut input = String::new();
        if let Some(stdin) = &command.stdin {
            lines += &format!("{stdin}\n");
            input = count(stdin).to_string();
        }
        let words = format!("{} {head} {} {input}", file_name(key), count(&script));
        let mut answers = runner.ask(&hold.records, ("run", &words), &lines);

        let mut following = Following::new(self.limits.kept_of(command));
        let folder = format!("runs/{}/{}", key.run, file_name(key));
        let mut stream = None;
        let mut inline = Vec::new();
        let end = loop {
            let pause = if stream.is_none() { SHORT } else { PAUSE };
            match timeout(pause, answers.recv()).await {
                Ok(Some(Answer::Line(source, line))) => inline.push((source, line)),
                Ok(Some(end)) => break Some(end),
                Ok(None) => break None,
                Err(_) => {
                    if stream.is_none() {
                        stream = Some(Stream::open(self, &hold.home).await?);
                    }
                    if let Some(stream) = &mut stream {
                        following.fetch(stream, &folder, &mut *output).await.ok_or_else(|| self.cut_off())?;
                    }
                }
            }
        };
        let Some(end) = end else { return Err(self.runner_lost().await) };
        let status = match end {
            Answer::End { how: End::Status(status), is_whole } => {
                if is_whole && stream.is_none() {
                    inline.into_iter().for_each(|(source, line)| following.line(source, &line, &mut *output));
                } else {
                    let mut stream = match stream {
                        Some(stream) => stream,
                        None => Stream::open(self, &hold.home).await?,
                    };
                    following
                        .fetch(&mut stream, &folder, &mut *output)
                        .await
                        .ok_or_else(|| self.cut_off())?;
                }
                status
            }
            Answer::End { how, .. } => return Err(self.not_begun(&how, command).await),
            Answer::Cut => {
                let message = "the command left no exit code: it was killed, or the host went down";
                return Err(self.failure(FailureKind::Lost, message).dispatched());
            }
            _ => {
                let message = format!("it cannot write a receipt below `{}`", hold.folder.path);
                return Err(self.failure(FailureKind::Missing, message));
            }
        };
        let (stdout, stderr) = following.finish(output);
        Ok(Output { status, stdout, stderr })
    }

    /// What is known of the command of that key.
    ///
    /// # Errors
    /// As for [`Host::holds`].
    pub async fn receipt(&self, hold: &Hold, key: &ReceiptKey) -> Result<Receipt, Failure> {
        let runner = self.runner(hold).await?;
        let answer = runner.ask(&hold.records, ("look", &file_name(key)), "").recv().await;
        Ok(match answer {
            Some(Answer::Look(State::Ended(End::Status(status)))) => Receipt::Ended { status },
            Some(Answer::Look(State::None | State::Ended(_))) => Receipt::Unclaimed,
            Some(Answer::Look(State::Running)) => Receipt::Running,
            Some(_) => {
                Receipt::Cut { why: "it left no exit code: it was killed, or the host went down".to_owned() }
            }
            None => return Err(self.runner_lost().await),
        })
    }

    /// Ends the process group of the command of that key, and looks whether it is gone.
    pub async fn end(&self, hold: &Hold, key: &ReceiptKey) -> Processes {
        let ended = async {
            let runner = self.runner(hold).await.ok()?;
            runner.ask(&hold.records, ("finish", &file_name(key)), "").recv().await
        };
        match timeout(ENDING, ended).await {
            Ok(Some(Answer::Gone(true))) => Processes::Ended,
            _ => Processes::Unproved,
        }
    }

    async fn not_begun(&self, how: &End, command: &Command) -> Failure {
        match how {
            End::Folder => {
                let directory = command.directory.as_deref().unwrap_or_default();
                let message = format!("there is no folder `{directory}`, or it cannot be entered");
                self.failure(FailureKind::Missing, message)
            }
            End::Fenced => self.fenced().await,
            End::Unwritten | End::Status(_) => self
                .failure(FailureKind::Missing, "it cannot write the command's receipt, so nothing was begun"),
        }
    }

    fn cut_off(&self) -> Failure {
        self.failure(FailureKind::Lost, "the connection was lost while the output was read").dispatched()
    }
}

/// What was written so far, of both streams.
struct Following {
    out: (Lines, u64),
    err: (Lines, u64),
}

impl Following {
    fn new(keep: usize) -> Following {
        Following { out: (Lines::new(keep), 0), err: (Lines::new(keep), 0) }
    }

    fn line(&mut self, source: Source, line: &str, output: Sink<'_>) {
        let (lines, _) = self.of(source);
        lines.push(format!("{line}\n").as_bytes(), &mut |line| output(source, line));
    }

    /// Fetches what has been written since. Nothing when the connection is lost.
    async fn fetch(&mut self, stream: &mut Stream, file: &str, output: Sink<'_>) -> Option<()> {
        for (source, ending) in [(Source::Out, "out"), (Source::Err, "err")] {
            let (lines, offset) = self.of(source);
            loop {
                let bytes = stream.read(&format!("{file}.{ending}"), *offset).await?;
                if bytes.is_empty() {
                    break;
                }
                *offset += bytes.len() as u64;
                lines.push(&bytes, &mut |line| output(source, line));
            }
        }
        Some(())
    }

    fn of(&mut self, source: Source) -> &mut (Lines, u64) {
        match source {
            Source::Out => &mut self.out,
            Source::Err => &mut self.err,
        }
    }

    fn finish(self, output: Sink<'_>) -> (String, String) {
        let out = self.out.0.finish(&mut |line| output(Source::Out, line));
        let err = self.err.0.finish(&mut |line| output(Source::Err, line));
        (out, err)
    }
}

/// How many lines a text is sent as.
fn count(text: &str) -> usize {
    text.split('\n').count()
}

/// The name of a receipt within its run's folder: readable, and another one for every key.
pub fn file_name(key: &ReceiptKey) -> String {
    const LONGEST: usize = 150;
    let mut name = String::new();
    for byte in key.step.as_str().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => name.push(char::from(byte)),
            _ => name += &format!("%{byte:02X}"),
        }
    }
    if name.len() > LONGEST {
        let digest = crate::model::plan::Digest::of(key.step.as_str().as_bytes());
        name.truncate(LONGEST);
        name += &format!("~{}", &digest.as_str()[..16]);
    }
    let undo = if key.phase == Phase::Undo { ".undo" } else { "" };
    format!("{name}.{}{undo}", key.attempt)
}

/// What a receipt's name says of the step: its key, and in words which attempt it is of, unless it is the first.
pub fn step_of(file_name: &str) -> String {
    let (name, phase) = match file_name.strip_suffix(".undo") {
        Some(name) => (name, "undo of "),
        None => (file_name, ""),
    };
    let (name, attempt) = name.rsplit_once('.').unwrap_or((name, "1"));
    let mut bytes = Vec::new();
    let mut rest = name.as_bytes();
    while let [first, others @ ..] = rest {
        let escaped = (*first == b'%').then(|| std::str::from_utf8(others.get(..2)?).ok()).flatten();
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &others[2..];
            }
            None => {
                bytes.push(*first);
                rest = others;
            }
        }
    }
    let step = String::from_utf8_lossy(&bytes);
    if attempt == "1" { format!("{phase}{step}") } else { format!("{phase}{step} (attempt {attempt})") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::{RunId, StepKey};

    fn name(step: &str, attempt: u32, phase: Phase) -> String {
        file_name(&ReceiptKey { run: RunId::generate(), step: StepKey::new(step), attempt, phase })
    }

    #[test]
    fn every_key_has_a_file_of_its_own() {
        assert_eq!(name("database/restart[argus-2]", 3, Phase::Do), "database%2Frestart%5Bargus-2%5D.3");
        assert_eq!(step_of("database%2Frestart%5Bargus-2%5D.3"), "database/restart[argus-2] (attempt 3)");
        assert_eq!(step_of("a.1.undo"), "undo of a");
        assert_eq!(name("a", 1, Phase::Undo), "a.1.undo");
        assert_ne!(name("a.1", 1, Phase::Do), name("a", 11, Phase::Do));
        let long = "x".repeat(300);
        assert!(name(&long, 1, Phase::Undo).len() < 200);
        assert_ne!(name(&format!("{long}a"), 1, Phase::Do), name(&format!("{long}b"), 1, Phase::Do));
    }
}
