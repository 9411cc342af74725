//! What is too long for a record, such as the output of a command: kept beside the journal under its digest.

use std::io;
use std::path::{Path, PathBuf};

use super::audit::Output;
use super::disk;
use crate::base::{Error, Kind, Result, crash};
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
        crash::point("blob.put");
        disk::make(&self.folder)
            .and_then(|()| disk::write(&self.folder, digest.as_str(), bytes))
            .map_err(|error| disk::failed(format!("cannot write to `{}`", self.folder.display()), &error))?;
        crash::point("blob.kept");
        Ok(digest)
    }

    /// # Errors
    /// [`Kind::Corrupt`] when there is no such blob, or it is not what its name says.
    pub fn get(&self, digest: &Digest) -> Result<Vec<u8>> {
        let corrupt =
            |why: &str| Error::new(Kind::Corrupt, format!("the output `{digest}` of the run {why}"));
        match self.read(digest)? {
            None => Err(corrupt("is missing")),
            Some(bytes) if Digest::of(&bytes) != *digest => Err(corrupt("was changed")),
            Some(bytes) => Ok(bytes),
        }
    }

    /// What became of a blob.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn look(&self, digest: &Digest) -> Result<Output> {
        if Digest::parse(digest.as_str()).is_none() {
            return Ok(Output::Missing);
        }
        Ok(match self.read(digest)? {
            None => Output::Missing,
            Some(bytes) if Digest::of(&bytes) != *digest => Output::Changed,
            Some(_) => Output::Kept,
        })
    }

    fn read(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        let name = digest.as_str();
        // The name comes from a file: it must not lead elsewhere.
        if Digest::parse(name).is_none() {
            let message = format!("the output `{name}` of the run has no digest for a name");
            return Err(Error::new(Kind::Corrupt, message));
        }
        match disk::read(&self.folder.join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::internal(format!("cannot read the output `{name}`")).caused_by(&error)),
        }
    }
}
