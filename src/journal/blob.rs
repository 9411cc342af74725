//! What is too long for a record, such as the output of a command: kept beside the journal under its digest.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::folder;
use crate::base::{Error, Kind, Result};
use crate::model::plan::Digest;

/// The blobs of one run.
#[derive(Debug, Clone)]
pub struct Blobs {
    folder: PathBuf,
}

impl Blobs {
    pub(super) fn of(run: &Path) -> Blobs {
        Blobs { folder: run.join("blobs") }
    }

    /// Keeps `bytes`, durably, before a record names them. The same bytes are kept once.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        if self.get(&digest).is_ok() {
            return Ok(digest);
        }
        folder::make(&self.folder)
            .and_then(|()| folder::write(&self.folder, digest.as_str(), bytes))
            .map_err(|error| {
                Error::internal(format!("cannot write to `{}`", self.folder.display())).caused_by(&error)
            })?;
        Ok(digest)
    }

    /// # Errors
    /// [`Kind::Corrupt`] when there is no such blob, or it is not what its name says.
    pub fn get(&self, digest: &Digest) -> Result<Vec<u8>> {
        let name = digest.as_str();
        let corrupt = |why: &str| Error::new(Kind::Corrupt, format!("the output `{name}` of the run {why}"));
        // The name comes from a file: it must not lead elsewhere.
        if name.len() != 64 || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(corrupt("has no digest for a name"));
        }
        let bytes = fs::read(self.folder.join(name)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => corrupt("is missing"),
            _ => Error::internal(format!("cannot read the output `{name}`")).caused_by(&error),
        })?;
        if Digest::of(&bytes) != *digest {
            return Err(corrupt("was changed"));
        }
        Ok(bytes)
    }
}
