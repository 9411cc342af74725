//! One process at a time has its turn at a run.
//!
//! The lock is the kernel's (`flock` on an open file), so it goes with the process, however that dies. Who holds it is written
//! into the file, for the message that the second one gets; nothing is ever decided by that text.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::folder;
use crate::base::clock::Timestamp;
use crate::base::{Error, Kind, Result};

const FILE: &str = "lock";

/// Held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
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
        let failed = |error: std::io::Error| {
            Error::internal(format!("cannot lock `{}`", path.display())).caused_by(&error)
        };
        let mut file = open(&path).map_err(failed)?;
        // Somebody who only looks whether it is held has it for a moment.
        for _ in 0..10 {
            match file.try_lock() {
                Ok(()) => {
                    let text = serde_json::to_vec(holder)
                        .map_err(|error| Error::internal("cannot write the lock").caused_by(&error))?;
                    file.set_len(0).and_then(|()| file.write_all(&text)).map_err(failed)?;
                    return Ok(Lock { _file: file });
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
        let mut file = File::open(run.join(FILE)).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(read(&mut file).unwrap_or_else(|| Holder {
                operator: "unknown".to_owned(),
                pid: 0,
                since: Timestamp::UNIX_EPOCH,
            })),
            Ok(()) | Err(TryLockError::Error(_)) => None,
        }
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    folder::private().read(true).write(true).create(true).truncate(false).open(path)
}

fn read(file: &mut File) -> Option<Holder> {
    let mut text = Vec::new();
    file.rewind().ok()?;
    file.read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}
