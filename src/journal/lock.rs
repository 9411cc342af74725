//! One process at a time has its turn at a run.
//!
//! The lock is the kernel's (`flock` on an open file), so it goes with the process, however that dies. Who holds it is written
//! into the file, for the message that the second one gets; nothing is ever decided by that text. It is written after the
//! lock was taken and cleared before it is given back, so that whoever looks in between finds no name, and looks again, where
//! the name of an earlier holder would be wrong.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::disk;
use crate::base::clock::Timestamp;
use crate::base::{Error, Kind, Result, crash};

pub(super) const FILE: &str = "lock";

/// Held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub operator: String,
    pub pid: u32,
    pub since: Timestamp,
}

impl Lock {
    /// Takes the lock of the run in `run`.
    ///
    /// # Errors
    /// [`Kind::Refused`] with the holder, when another process has it.
    pub fn take(run: &Path, holder: &Holder) -> Result<Lock> {
        let path = run.join(FILE);
        let failed =
            |error: std::io::Error| disk::failed(format!("cannot lock `{}`", path.display()), &error);
        let mut file = disk::scratch(&path).map_err(failed)?;
        // Somebody who only looks whether it is held has it for a moment.
        for _ in 0..10 {
            match file.try_lock() {
                Ok(()) => {
                    let text = serde_json::to_vec(holder)
                        .map_err(|error| Error::internal("cannot write the lock").caused_by(&error))?;
                    file.set_len(0).and_then(|()| file.write_all(&text)).map_err(failed)?;
                    crash::point("lock.taken");
                    return Ok(Lock { file });
                }
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(20)),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        let refused = match read(&mut file) {
            Some(Holder { operator, pid, since }) => {
                format!("the run is held by `{operator}` (process {pid} on this machine, since {since:.0})")
            }
            None => "the run is held by another process on this machine".to_owned(),
        };
        Err(Error::new(Kind::Refused, refused).hint("opsctl runs follow latest"))
    }

    /// Who holds the lock at this moment: the run moves. Without one, a run that should be moving is interrupted.
    pub fn holder(run: &Path) -> Option<Holder> {
        let mut file = disk::open(&run.join(FILE)).ok()?;
        // The holder may be about to write its name, or have just cleared it.
        for _ in 0..10 {
            match file.try_lock_shared() {
                Err(TryLockError::WouldBlock) => match read(&mut file) {
                    Some(holder) => return Some(holder),
                    None => thread::sleep(Duration::from_millis(5)),
                },
                Ok(()) | Err(TryLockError::Error(_)) => return None,
            }
        }
        Some(Holder { operator: "unknown".to_owned(), pid: 0, since: Timestamp::UNIX_EPOCH })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Where that fails, a name stays that nothing is decided by.
        let _ = self.file.set_len(0);
    }
}

/// The name in the file, once it is whole: no part of it from the start is JSON.
fn read(file: &mut File) -> Option<Holder> {
    let mut text = Vec::new();
    file.rewind().ok()?;
    file.read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}
