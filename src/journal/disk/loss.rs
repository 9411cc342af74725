//! A disk that loses what was not synced, for tests: what a power cut may do, at the death of the process.
//!
//! Of a write, a part at the start reaches the file at once and the rest when the file is synced. A file or a folder that is
//! made or renamed gets its name at once, or only when its folder is synced: until then it goes by a name that nobody looks
//! for, while this process finds it by its own. A seed chooses, so that a loss can be made again.
//!
//! It does not reorder bytes within a file: no journal can tell such a record from an edited one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard};

use super::above;
use crate::base::crash;

static LOSS: LazyLock<Option<Mutex<Loss>>> =
    LazyLock::new(|| crash::lossy_seed().map(|seed| Mutex::new(Loss::new(seed))));

fn loss() -> Option<MutexGuard<'static, Loss>> {
    LOSS.as_ref().map(|loss| loss.lock().expect("nobody panics while holding it"))
}

/// How many bytes of a write are there before it is synced.
pub fn taken_at_once(length: usize) -> usize {
    loss().map_or(length, |mut loss| loss.below(length + 1))
}

/// Where the file or folder of that name is.
pub fn place(path: &Path) -> PathBuf {
    loss().map_or_else(|| path.to_owned(), |loss| loss.place(path))
}

/// Where a file or folder of that name is made.
pub fn made(path: &Path) -> PathBuf {
    loss().map_or_else(|| path.to_owned(), |mut loss| loss.made(path))
}

pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match loss() {
        Some(mut loss) => loss.rename(from, to),
        None => fs::rename(from, to),
    }
}

/// The folder is about to be synced.
pub fn name_all_in(folder: &Path) -> io::Result<()> {
    loss().map_or(Ok(()), |mut loss| loss.name_all_in(folder))
}

#[derive(Debug)]
struct Loss {
    random: u64,
    /// Names that are not durable, and what the file or folder is called until then.
    unnamed: BTreeMap<PathBuf, OsString>,
}

impl Loss {
    fn new(seed: u64) -> Loss {
        Loss { random: seed, unnamed: BTreeMap::new() }
    }

    /// SplitMix64, below a bound.
    fn below(&mut self, bound: usize) -> usize {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    fn place(&self, path: &Path) -> PathBuf {
        let name = self.unnamed.get(path).map(OsString::as_os_str).or(path.file_name());
        match (path.parent(), name) {
            (Some(folder), Some(name)) => self.place(folder).join(name),
            _ => path.to_owned(),
        }
    }

    fn made(&mut self, path: &Path) -> PathBuf {
        let place = self.place(path);
        if place.exists() || self.below(2) == 0 {
            return place;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        self.unnamed.insert(path.to_owned(), format!(".{name}.{}.unnamed", std::process::id()).into());
        self.place(path)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let place = self.place(from);
        let called = place.file_name().unwrap_or_default().to_owned();
        // What is in a folder goes with it.
        let within = self.unnamed.keys().filter(|name| name.starts_with(from)).cloned().collect::<Vec<_>>();
        for name in within {
            let hidden = self.unnamed.remove(&name).unwrap_or_default();
            if let Ok(rest) = name.strip_prefix(from)
                && name != from
            {
                self.unnamed.insert(to.join(rest), hidden);
            }
        }
        if self.below(2) == 0 {
            self.unnamed.remove(to);
            return fs::rename(place, self.place(to));
        }
        self.unnamed.insert(to.to_owned(), called);
        Ok(())
    }

    fn name_all_in(&mut self, folder: &Path) -> io::Result<()> {
        let names = self.unnamed.keys().filter(|name| above(name) == folder).cloned().collect::<Vec<_>>();
        for name in names {
            let place = self.place(&name);
            self.unnamed.remove(&name);
            fs::rename(place, self.place(&name))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of some work at the death of the process, by seed.
    fn left(work: impl Fn(&Path, &mut Loss)) -> Vec<Vec<String>> {
        let left = (0..64).map(|seed| {
            let folder = tempfile::tempdir().unwrap();
            work(folder.path(), &mut Loss::new(seed));
            let mut names: Vec<_> = fs::read_dir(folder.path())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter(|name| !name.ends_with(".unnamed"))
                .collect();
            names.sort();
            names
        });
        let mut left: Vec<_> = left.collect();
        left.sort();
        left.dedup();
        left
    }

    #[test]
    fn a_name_may_be_lost_until_its_folder_is_synced_and_not_after() {
        let make = |folder: &Path, loss: &mut Loss| {
            let place = loss.made(&folder.join("file"));
            fs::write(&place, b"").unwrap();
            assert_eq!(loss.place(&folder.join("file")), place, "it is found while the process lives");
        };
        assert_eq!(left(make), [vec![], vec!["file".to_owned()]]);
        let synced = left(|folder, loss| {
            make(folder, loss);
            loss.name_all_in(folder).unwrap();
        });
        assert_eq!(synced, [["file"]]);
    }

    #[test]
    fn a_rename_that_was_not_synced_happened_or_it_did_not() {
        let seen = left(|folder, loss| {
            fs::write(folder.join("old"), b"old").unwrap();
            fs::write(folder.join("draft"), b"new").unwrap();
            loss.rename(&folder.join("draft"), &folder.join("old")).unwrap();
            assert_eq!(fs::read(loss.place(&folder.join("old"))).unwrap(), b"new");
        });
        assert_eq!(seen, [vec!["draft", "old"], vec!["old"]]);
    }

    #[test]
    fn what_is_in_a_folder_is_found_after_the_folder_was_renamed() {
        let seen = left(|folder, loss| {
            fs::create_dir(loss.made(&folder.join("draft"))).unwrap();
            fs::write(loss.made(&folder.join("draft/file")), b"text").unwrap();
            loss.rename(&folder.join("draft"), &folder.join("run")).unwrap();
            assert_eq!(fs::read(loss.place(&folder.join("run/file"))).unwrap(), b"text");
            loss.name_all_in(folder).unwrap();
            loss.name_all_in(&folder.join("run")).unwrap();
            assert_eq!(fs::read(folder.join("run/file")).unwrap(), b"text");
        });
        assert_eq!(seen, [["run"]]);
    }

    #[test]
    fn any_part_of_a_write_may_be_there_before_it_is_synced() {
        let mut loss = Loss::new(0);
        let taken: std::collections::BTreeSet<_> = (0..200).map(|_| loss.below(5)).collect();
        assert_eq!(taken, (0..5).collect());
    }
}
