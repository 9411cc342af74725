//! A file with one JSON object a line: what other programs read, and what is left when nothing else can be reached.
//!
//! A line is written once: its name is looked for first, under the file's lock. It is durable before it counts as sent. Of a process that died
//! while it wrote there is at most an unfinished last line, which goes before the next is written.

use std::fs::{self, File, TryLockError};
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Memory, Trouble, webhook};
use crate::incident::envelope::Envelope;

/// The version of the format.
const VERSION: u32 = 1;

/// How long the lock is left alone between two tries: others have it for one line.
const STEP: Duration = Duration::from_millis(10);

/// # Errors
/// When it is not there afterwards, or nobody can tell.
pub fn append(
    path: &Path,
    delivery: &str,
    envelope: &Envelope,
    patience: Duration,
) -> Result<Memory, Trouble> {
    let later =
        |error: std::io::Error| Trouble::later(format!("`{}` cannot be written: {error}", path.display()));
    let is_new = match fs::metadata(path) {
        // A pipe would be waited for.
        Ok(file) if !file.is_file() => {
            return Err(Trouble::Refused(format!("`{}` is not a file", path.display())));
        }
        Ok(_) => false,
        Err(error) if error.kind() == ErrorKind::NotFound => true,
        Err(error) => return Err(later(error)),
    };
    let mut file =
        fs::OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path).map_err(later)?;
    if !is_locked(&file, patience).map_err(later)? {
        return Err(Trouble::later(format!("`{}` is held by another process", path.display())));
    }
    if has(&file, delivery).map_err(later)? {
        return Ok(Memory::new());
    }
    drop_the_unfinished(&mut file).map_err(later)?;
    file.write_all(line(delivery, envelope).as_bytes()).map_err(later)?;
    let synced = file.sync_all().and_then(|()| match path.parent().filter(|_| is_new) {
        Some(folder) if folder.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    });
    let unsure = |error| Trouble::Unknown(format!("`{}` may not be on the disk: {error}", path.display()));
    synced.map(|()| Memory::new()).map_err(unsure)
}

/// Whether the file's lock was had in time.
fn is_locked(file: &File, patience: Duration) -> std::io::Result<bool> {
    let end = Instant::now() + patience;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if Instant::now() >= end => return Ok(false),
            Err(TryLockError::WouldBlock) => std::thread::sleep(STEP),
        }
    }
}

fn line(delivery: &str, envelope: &Envelope) -> String {
    let mut line = json!({ "v": VERSION, "id": delivery });
    if let (Value::Object(line), Value::Object(data)) = (&mut line, webhook::data(envelope)) {
        line.extend(data);
    }
    format!("{line}\n")
}

fn has(file: &File, delivery: &str) -> std::io::Result<bool> {
    let mut reader = BufReader::new(file);
    reader.seek(SeekFrom::Start(0))?;
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(false);
        }
        let is_whole = line.ends_with(b"\n");
        let value: Value = serde_json::from_slice(&line).unwrap_or_default();
        if is_whole && value["id"] == delivery {
            return Ok(true);
        }
    }
}

fn drop_the_unfinished(file: &mut File) -> std::io::Result<()> {
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut text)?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if whole < text.len() { file.set_len(whole as u64) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{envelope, page, wild};
    use super::*;
    use crate::model::channel::MessageKind;
    use crate::model::escalation::Level;

    const SHORT: Duration = Duration::from_millis(20);

    fn lines(path: &Path) -> Vec<Value> {
        let text = fs::read_to_string(path).unwrap();
        assert!(text.ends_with('\n'));
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn what_is_written_a_second_time_is_there_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("told.jsonl");
        for delivery in ["a", "b", "a", "b", "b"] {
            append(&path, delivery, &page(Level::L2, 1), SHORT).unwrap();
        }
        let lines = lines(&path);
        assert_eq!(lines.iter().map(|line| &line["id"]).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(lines[0]["page"], json!({ "level": "L2", "round": 1, "who": "senior engineer" }));
    }

    #[test]
    fn an_unfinished_line_of_a_process_that_died_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("told.jsonl");
        append(&path, "a", &envelope(MessageKind::Alert), SHORT).unwrap();
        let whole = line("b", &envelope(MessageKind::Update));
        for kept in [1, whole.len() / 2, whole.len() - 1] {
            fs::OpenOptions::new()
                .append(true)
                .open(&path)
                .unwrap()
                .write_all(&whole.as_bytes()[..kept])
                .unwrap();
            append(&path, "b", &envelope(MessageKind::Update), SHORT).unwrap();
            let written = lines(&path);
            assert_eq!(written.iter().map(|line| &line["id"]).collect::<Vec<_>>(), ["a", "b"], "{kept}");
            fs::write(&path, line("a", &envelope(MessageKind::Alert))).unwrap();
        }
    }

    #[test]
    fn a_title_of_any_kind_stays_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("told.jsonl");
        let message = Envelope { title: format!("{}\n\r\u{2028}", wild()), ..envelope(MessageKind::Alert) };
        append(&path, "a", &message, SHORT).unwrap();
        assert!(lines(&path)[0]["title"].as_str().unwrap().starts_with("🔥 \"argus\""));
    }

    #[test]
    fn what_cannot_be_written_now_may_be_later_and_a_folder_never() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("no/such/folder.jsonl");
        let message = envelope(MessageKind::Alert);
        assert!(matches!(append(&missing, "a", &message, SHORT), Err(Trouble::Later { .. })));
        assert!(matches!(append(folder.path(), "a", &message, SHORT), Err(Trouble::Refused(_))));
    }

    #[test]
    fn a_lock_that_another_does_not_give_back_is_not_waited_for_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("told.jsonl");
        let other = File::create(&path).unwrap();
        other.lock().unwrap();
        let held = append(&path, "a", &envelope(MessageKind::Alert), SHORT);
        assert!(matches!(held, Err(Trouble::Later { .. })), "{held:?}");
        other.unlock().unwrap();
        append(&path, "a", &envelope(MessageKind::Alert), SHORT).unwrap();
        assert_eq!(lines(&path).len(), 1);
    }
}
