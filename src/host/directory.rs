//! The private folder of one connection: its control socket, its log, the sockets that lead through it.
//!
//! The path has to be short, since a Unix socket's may have about 100 bytes and ssh adds 17 of its own for a moment: so it is
//! `$XDG_RUNTIME_DIR`, else `/tmp`, and not `$TMPDIR`, which is long on some systems; `/dev/shm` where there is no room, which must not
//! keep anybody from making some. Only its owner may look into it.
//!
//! A process that is killed leaves its folder behind. Each folder therefore holds a file that its process keeps locked, and
//! whoever makes the next one removes those that nobody holds.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

const PREFIX: &str = "opsctl-";
const LOCK: &str = "lock";
const MEMORY: &str = "/dev/shm";

#[derive(Debug)]
pub(super) struct Private {
    pub directory: TempDir,
    /// Locked as long as the process lives.
    pub lock: File,
}

pub(super) fn create() -> io::Result<Private> {
    let make = |parent: &Path| {
        sweep(parent);
        create_in(parent)
    };
    make(&parent()).or_else(|error| match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => make(Path::new(MEMORY)),
        _ => Err(error),
    })
}

fn create_in(parent: &Path) -> io::Result<Private> {
    let directory = tempfile::Builder::new()
        .prefix(PREFIX)
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir_in(parent)?;
    // Locked under another name first: a lock file that is there is a lock that is held.
    let fresh = directory.path().join("new");
    let lock = File::create(&fresh)?;
    lock.lock()?;
    std::fs::rename(fresh, directory.path().join(LOCK))?;
    Ok(Private { directory, lock })
}

fn parent() -> PathBuf {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    runtime
        .filter(|path| path.is_absolute() && path.is_dir() && path.as_os_str().len() <= 40)
        .unwrap_or_else(|| PathBuf::from("/tmp"))
}

/// What cannot be removed (somebody else's, or in use after all) is left alone: it only takes room.
fn sweep(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let path = entry.path();
        let is_abandoned = File::open(path.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok());
        if is_abandoned {
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_abandoned_folder_is_removed_and_one_in_use_is_not() {
        let parent = tempfile::tempdir().unwrap();
        let used = create_in(parent.path()).unwrap();
        let abandoned = create_in(parent.path()).unwrap();
        let left = abandoned.directory.keep();
        drop(abandoned.lock);
        sweep(parent.path());
        assert!(used.directory.path().exists());
        assert!(!left.exists());
    }

    #[test]
    fn a_control_socket_fits_into_the_path_of_a_socket() {
        let private = create().unwrap();
        // ssh binds `master.` and 16 letters first; 104 bytes is the shortest limit of the systems opsctl runs on.
        assert!(private.directory.path().join("master.0123456789abcdef").as_os_str().len() < 104);
        let mode = std::fs::metadata(private.directory.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
