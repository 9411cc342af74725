//! The one way from the journal to the disk: files and folders that only their owner reads, and that are there after a power
//! cut.
//!
//! Bytes are durable when [`File::sync`] returned, and the name of what was made or renamed when [`sync`] of its folder did.
//! What relies on less is found by the tests, on a disk that loses everything else (see [`loss`]).

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use crate::base::Error;

#[cfg_attr(not(feature = "crash-points"), path = "disk/faithful.rs")]
#[cfg_attr(feature = "crash-points", path = "disk/loss.rs")]
mod loss;

/// A file that is written at its end.
#[derive(Debug)]
pub struct File {
    file: fs::File,
    /// What a lossy disk has not taken yet.
    held: Vec<u8>,
}

impl File {
    /// Makes a file that was not there.
    pub fn create_new(path: &Path) -> io::Result<File> {
        Ok(File::from(private().append(true).create_new(true).open(loss::made(path))?))
    }

    pub fn open(path: &Path) -> io::Result<File> {
        Ok(File::from(private().append(true).open(loss::place(path))?))
    }

    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let taken = if self.held.is_empty() { loss::taken_at_once(bytes.len()) } else { 0 };
        let (at_once, later) = bytes.split_at(taken);
        self.held.extend_from_slice(later);
        self.file.write_all(at_once)
    }

    /// Makes the bytes durable.
    pub fn sync(&mut self) -> io::Result<()> {
        self.file.write_all(&self.held)?;
        self.held.clear();
        self.file.sync_data()
    }

    /// Cuts off what is after so many bytes, durably.
    pub fn cut(&mut self, length: u64) -> io::Result<()> {
        if self.file.metadata()?.len() > length {
            self.file.set_len(length)?;
            self.file.sync_all()?;
        }
        Ok(())
    }
}

impl From<fs::File> for File {
    fn from(file: fs::File) -> File {
        File { file, held: Vec::new() }
    }
}

/// Makes the folder and those above it, durably; one that is there already stays as it is.
pub fn make(path: &Path) -> io::Result<()> {
    if is_folder(path) {
        return Ok(());
    }
    let above = above(path);
    make(above)?;
    match DirBuilder::new().mode(0o700).create(loss::made(path)) {
        // Another process was quicker.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => made?,
    }
    sync(above)
}

/// Whether there is a folder of that name.
pub fn is_folder(path: &Path) -> bool {
    loss::place(path).is_dir()
}

/// Makes the names in a folder durable.
pub fn sync(folder: &Path) -> io::Result<()> {
    loss::name_all_in(folder)?;
    fs::File::open(loss::place(folder))?.sync_all()
}

/// Writes a file that is either there completely or not at all. Durable when this returns.
pub fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let draft = folder.join(format!(".{name}.{}.new", std::process::id()));
    let file = private().write(true).create(true).truncate(true).open(loss::made(&draft))?;
    let mut file = File::from(file);
    file.write(bytes)?;
    file.sync()?;
    rename(&draft, &folder.join(name))?;
    sync(folder)
}

/// Gives a file or a folder another name, in the same folder.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    loss::rename(from, to)
}

/// The bytes of a file from a place on.
pub fn read_from(path: &Path, start: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut file = open(path)?;
    if file.metadata()?.len() > start {
        file.seek(SeekFrom::Start(start))?;
        file.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_from(path, 0)
}

/// Opens a file to read it.
pub fn open(path: &Path) -> io::Result<fs::File> {
    fs::File::open(loss::place(path))
}

/// Opens a file that no guarantee is about, and makes it where it is missing.
pub fn scratch(path: &Path) -> io::Result<fs::File> {
    private().read(true).write(true).create(true).truncate(false).open(loss::made(path))
}

/// What could not be done, and where there is no room left, how to make some: in memory there is a place for that run's journal.
pub fn failed(what: impl Into<String>, error: &io::Error) -> Error {
    let failed = Error::internal(what).caused_by(error);
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            failed.hint("OPSCTL_STATE_DIR=/dev/shm/opsctl-runs opsctl cleanup disk")
        }
        _ => failed,
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// The folder that a path is in.
fn above(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}
