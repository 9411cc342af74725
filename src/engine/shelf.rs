//! Texts that are built in, with a person's or a project's own in their place: how runbooks and templates alike are found.
//!
//! A folder of the kind's name (`runbooks`, `templates`) stands in the user's config folder, and another beside the inventory.
//! A file there takes the place of what has the same name; what is beside the inventory wins. Nothing is read before it is
//! asked for, so that a broken file is in nobody's way but its own.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::base::nearest::{listed, nearest};
use crate::base::{Error, Result};
use crate::engine::locate;

/// What is on a shelf.
#[derive(Debug)]
pub struct Kind {
    /// What messages call one of them.
    pub noun: &'static str,
    pub folder: &'static str,
    /// How the file names end, without the dot.
    pub extension: &'static str,
    /// The names and the texts, in order.
    pub built_in: &'static [(&'static str, &'static str)],
}

/// Where a text comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    BuiltIn,
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::BuiltIn => f.pad("built-in"),
            Origin::File(path) => path.display().fmt(f),
        }
    }
}

/// A text, and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The file as messages call it.
    pub file: String,
    pub text: String,
    pub origin: Origin,
}

#[derive(Debug, Clone)]
pub struct Shelf {
    kind: &'static Kind,
    found: BTreeMap<String, Origin>,
}

impl Shelf {
    /// What is built in, in the user's config folder, and beside the inventory; later ones override.
    ///
    /// # Errors
    /// When a folder is there and cannot be read.
    pub fn open(kind: &'static Kind, inventory_folder: Option<&Path>) -> Result<Shelf> {
        let folders = [locate::config_folder(), inventory_folder.map(Path::to_owned)];
        Shelf::of(kind, folders.into_iter().flatten().map(|folder| folder.join(kind.folder)))
    }

    pub(super) fn of(kind: &'static Kind, folders: impl IntoIterator<Item = PathBuf>) -> Result<Shelf> {
        let built_in = kind.built_in.iter().map(|(name, _)| ((*name).to_owned(), Origin::BuiltIn));
        let mut found: BTreeMap<_, _> = built_in.collect();
        for folder in folders.into_iter().filter(|folder| folder.is_dir()) {
            let refused = |error: std::io::Error| {
                Error::invalid(format!("cannot read the {} in `{}`", kind.folder, folder.display()))
                    .caused_by(&error)
            };
            for file in std::fs::read_dir(&folder).map_err(refused)? {
                let path = file.map_err(refused)?.path();
                if let Some(name) = kind.name_of(&path) {
                    found.insert(name.to_owned(), Origin::File(path));
                }
            }
        }
        Ok(Shelf { kind, found })
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.found.keys().map(String::as_str)
    }

    pub fn contains(&self, name: &str) -> bool {
        self.found.contains_key(name)
    }

    /// The names in order, with where each comes from.
    pub fn origins(&self) -> impl Iterator<Item = (&str, &Origin)> {
        self.found.iter().map(|(name, origin)| (name.as_str(), origin))
    }

    /// Whether it stands in the place of a built-in one.
    pub fn is_override(&self, name: &str) -> bool {
        let is_own = self.found.get(name).is_some_and(|origin| *origin != Origin::BuiltIn);
        is_own && self.kind.built_in(name).is_some()
    }

    /// # Errors
    /// When there is none of that name, with the ones that were probably meant; when it cannot be read.
    pub fn get(&self, name: &str) -> Result<Found> {
        let Kind { noun, folder, extension, .. } = self.kind;
        let Some(origin) = self.found.get(name) else {
            let error = Error::invalid(format!("there is no {noun} `{name}`"));
            let error = match nearest(name, self.names()) {
                Some(meant) => error.hint(format!("did you mean `{meant}`?")),
                None => error,
            };
            return Err(error.hint(format!("known here: {}", listed(self.names()))));
        };
        let (file, text) = match (origin, self.kind.built_in(name)) {
            (Origin::File(path), _) => (path.display().to_string(), read(path)?),
            (Origin::BuiltIn, text) => {
                (format!("{folder}/{name}.{extension} (built-in)"), text.unwrap_or_default().to_owned())
            }
        };
        Ok(Found { file, text, origin: origin.clone() })
    }
}

impl Kind {
    fn built_in(&self, name: &str) -> Option<&'static str> {
        self.built_in.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// The name that a file gives; none when it is not of this kind.
    pub(super) fn name_of<'a>(&self, path: &'a Path) -> Option<&'a str> {
        let fits = path.extension().is_some_and(|extension| extension == self.extension) && path.is_file();
        path.file_stem()?.to_str().filter(|name| fits && !name.starts_with('.'))
    }
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path)
        .map_err(|error| Error::invalid(format!("cannot read `{}`", path.display())).caused_by(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTES: &Kind = &Kind {
        noun: "note",
        folder: "notes",
        extension: "txt",
        built_in: &[("first", "one\n"), ("second", "two\n")],
    };

    #[test]
    fn the_last_folder_wins_over_the_one_before_and_over_what_is_built_in() {
        let (user, project) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(user.path().join("first.txt"), "the user's").unwrap();
        std::fs::write(project.path().join("first.txt"), "the project's").unwrap();
        std::fs::write(project.path().join("own.txt"), "its own").unwrap();
        for passed_over in ["first.md", ".hidden.txt", "txt"] {
            std::fs::write(project.path().join(passed_over), "").unwrap();
        }
        let folders = [user.path(), project.path(), Path::new("/nonexistent")].map(Path::to_owned);
        let shelf = Shelf::of(NOTES, folders).unwrap();
        assert_eq!(shelf.names().collect::<Vec<_>>(), ["first", "own", "second"]);
        let first = shelf.get("first").unwrap();
        assert_eq!(
            (first.text.as_str(), first.origin),
            ("the project's", Origin::File(project.path().join("first.txt")))
        );
        let overrides: Vec<_> = shelf.names().filter(|name| shelf.is_override(name)).collect();
        assert_eq!(overrides, ["first"], "`own` takes no other's place");
        let second = shelf.get("second").unwrap();
        assert_eq!((second.text.as_str(), second.file.as_str()), ("two\n", "notes/second.txt (built-in)"));
    }

    #[test]
    fn what_is_not_there_names_what_was_meant() {
        let error = Shelf::of(NOTES, []).unwrap().get("fist").unwrap_err();
        assert_eq!(error.message, "there is no note `fist`");
        assert_eq!(error.hints[0], "did you mean `first`?");
        assert!(error.hints[1].contains("`second`"));
    }
}
