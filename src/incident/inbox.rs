//! What the receiver was told and has not worked on yet: one file a message.
//!
//! A message is answered when its file is durable, and its file goes when all that follows from it is in a record. So a receiver that
//! dies loses nothing; what it did already it does once more when it is back, which changes nothing (see [`intake`](super::intake)).

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::base::{Error, Kind, Result};
use crate::journal::disk;

/// Held until it is dropped: nobody else takes messages for this folder.
#[derive(Debug)]
pub struct Inbox {
    folder: PathBuf,
    _lock: File,
}

impl Inbox {
    /// # Errors
    /// [`Kind::Refused`] when another receiver has it; else when it cannot be made.
    pub fn open(root: &Path) -> Result<Inbox> {
        let folder = root.join("inbox");
        let failed =
            |error: &std::io::Error| disk::failed(format!("cannot use `{}`", folder.display()), error);
        disk::make(&folder).map_err(|error| failed(&error))?;
        let lock = disk::scratch(&folder.join("lock")).map_err(|error| failed(&error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Inbox { folder, _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                let message = format!("another receiver takes the alerts for `{}`", root.display());
                Err(Error::new(Kind::Refused, message).hint("OPSCTL_STATE_DIR=FOLDER opsctl serve"))
            }
            Err(TryLockError::Error(error)) => Err(failed(&error)),
        }
    }

    /// Durable when this returns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&self, body: &[u8]) -> Result<()> {
        // Its name says when it came.
        let name = format!("{}.json", uuid::Uuid::now_v7());
        disk::write(&self.folder, &name, body)
            .map_err(|error| disk::failed(format!("cannot write to `{}`", self.folder.display()), &error))
    }

    /// The files that wait, the oldest first.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn waiting(&self) -> Result<Vec<PathBuf>> {
        let failed = |error| disk::failed(format!("cannot read `{}`", self.folder.display()), &error);
        let mut waiting = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.ends_with(".json") && !name.starts_with('.') {
                waiting.push(path);
            }
        }
        waiting.sort();
        Ok(waiting)
    }

    /// What one of them says.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn body(&self, file: &Path) -> Result<Vec<u8>> {
        disk::read(file).map_err(|error| disk::failed(format!("cannot read `{}`", file.display()), &error))
    }

    /// All that follows from it is on record.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn done(&self, file: &Path) -> Result<()> {
        match fs::remove_file(file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(disk::failed(format!("cannot remove `{}`", file.display()), &error))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_wait_in_the_order_in_which_they_came_until_they_are_done() {
        let root = tempfile::tempdir().unwrap();
        let inbox = Inbox::open(root.path()).unwrap();
        ["one", "two", "three"].iter().for_each(|body| inbox.put(body.as_bytes()).unwrap());
        drop(inbox);
        let inbox = Inbox::open(root.path()).unwrap();
        let bodies = || -> Vec<String> {
            let waiting = inbox.waiting().unwrap();
            waiting.iter().map(|file| String::from_utf8(inbox.body(file).unwrap()).unwrap()).collect()
        };
        assert_eq!(bodies(), ["one", "two", "three"]);
        inbox.done(&inbox.waiting().unwrap()[0]).unwrap();
        assert_eq!(bodies(), ["two", "three"]);
    }

    #[test]
    fn a_second_receiver_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let _first = Inbox::open(root.path()).unwrap();
        let second = Inbox::open(root.path()).unwrap_err();
        assert_eq!(second.kind, Kind::Refused);
    }

    #[test]
    fn what_was_only_half_written_is_no_message() {
        let root = tempfile::tempdir().unwrap();
        let inbox = Inbox::open(root.path()).unwrap();
        fs::write(root.path().join("inbox/.a.json.7.new"), "{").unwrap();
        assert_eq!(inbox.waiting().unwrap(), Vec::<PathBuf>::new());
    }
}
