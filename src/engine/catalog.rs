//! The runbooks that there are: those built in, and a person's or a project's own in their place.
//!
//! Nothing is parsed before it is asked for, so that a broken runbook is in nobody's way but its own.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::base::nearest::{listed, nearest};
use crate::base::{Error, Result};
use crate::engine::locate;
use crate::model::runbook::Runbook;
use crate::model::source::Source;

macro_rules! built_in {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../runbooks/", $name, ".yaml")))),*]
    };
}

const BUILT_IN: &[(&str, &str)] = built_in! {
    "cache-down"
    "database-down"
    "instance-down"
    "resources"
    "service-down"
};

/// The folder of a project's own runbooks, beside its inventory; also in the user's config folder.
pub const FOLDER: &str = "runbooks";

/// Where a runbook comes from.
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

/// A runbook with the text that it was read from.
#[derive(Debug, Clone)]
pub struct Entry {
    pub runbook: Runbook,
    pub source: Source,
    pub origin: Origin,
}

/// One line of what there is. A runbook that cannot be read is there too, with its error.
#[derive(Debug)]
pub struct Listing {
    pub name: String,
    pub origin: Origin,
    /// Whether it stands in the place of a built-in one.
    pub is_override: bool,
    pub runbook: Result<Runbook>,
}

#[derive(Debug, Clone)]
pub struct Catalog {
    found: BTreeMap<String, Origin>,
}

impl Catalog {
    /// The built-in runbooks, those of the user's config folder, and those beside the inventory; later ones override.
    ///
    /// # Errors
    /// When a folder is there and cannot be read.
    pub fn open(inventory_folder: Option<&Path>) -> Result<Catalog> {
        let folders = [locate::config_folder(), inventory_folder.map(Path::to_owned)];
        Catalog::of(folders.into_iter().flatten().map(|folder| folder.join(FOLDER)))
    }

    fn of(folders: impl IntoIterator<Item = PathBuf>) -> Result<Catalog> {
        let built_in = BUILT_IN.iter().map(|(name, _)| ((*name).to_owned(), Origin::BuiltIn));
        let mut found: BTreeMap<_, _> = built_in.collect();
        for folder in folders.into_iter().filter(|folder| folder.is_dir()) {
            let refused = |error: std::io::Error| {
                Error::invalid(format!("cannot read the runbooks in `{}`", folder.display()))
                    .caused_by(&error)
            };
            for file in std::fs::read_dir(&folder).map_err(refused)? {
                let path = file.map_err(refused)?.path();
                if let Some(name) = name_of(&path) {
                    found.insert(name.to_owned(), Origin::File(path));
                }
            }
        }
        Ok(Catalog { found })
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.found.keys().map(String::as_str)
    }

    pub fn contains(&self, name: &str) -> bool {
        self.found.contains_key(name)
    }

    /// All runbooks by name.
    pub fn list(&self) -> Vec<Listing> {
        let listing = |(name, origin): (&String, &Origin)| Listing {
            name: name.clone(),
            origin: origin.clone(),
            is_override: *origin != Origin::BuiltIn && built_in(name).is_some(),
            runbook: self.get(name).map(|entry| entry.runbook),
        };
        self.found.iter().map(listing).collect()
    }

    /// # Errors
    /// When there is no such runbook, with the ones that were probably meant; when it cannot be read.
    pub fn get(&self, name: &str) -> Result<Entry> {
        let Some(origin) = self.found.get(name) else {
            let error = Error::invalid(format!("there is no runbook `{name}`"));
            let error = match nearest(name, self.names()) {
                Some(meant) => error.hint(format!("did you mean `{meant}`?")),
                None => error,
            };
            return Err(error.hint(format!("known here: {}", listed(self.names()))));
        };
        let source = match (origin, built_in(name)) {
            (Origin::File(path), _) => Source::open(path)?,
            (Origin::BuiltIn, text) => {
                Source::new(format!("{FOLDER}/{name}.yaml (built-in)"), text.unwrap_or_default())
            }
        };
        Entry::read(name, source, origin.clone())
    }
}

impl Entry {
    /// A runbook from a file of any folder; the file's name is the runbook's.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(path: &Path) -> Result<Entry> {
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        Entry::read(name, Source::open(path)?, Origin::File(path.to_owned()))
    }

    fn read(name: &str, source: Source, origin: Origin) -> Result<Entry> {
        let runbook: Runbook = source.parse()?;
        if runbook.runbook != name {
            let place = source.at("/runbook");
            let message = format!("the runbook calls itself `{}`, and its file `{name}`", runbook.runbook);
            return Err(place.error(message).hint(format!("write `runbook: {name}`, or rename the file")));
        }
        Ok(Entry { runbook, source, origin })
    }
}

fn built_in(name: &str) -> Option<&'static str> {
    BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

fn name_of(path: &Path) -> Option<&str> {
    let is_yaml = path.extension().is_some_and(|extension| extension == "yaml") && path.is_file();
    path.file_stem()?.to_str().filter(|name| is_yaml && !name.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_runbook_of_the_folder_is_built_in_and_can_be_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        names.sort();
        let names: Vec<_> = names.iter().filter_map(|path| name_of(path)).collect();
        assert_eq!(names, BUILT_IN.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        for listing in Catalog::of([]).unwrap().list() {
            let runbook = listing.runbook.unwrap_or_else(|error| panic!("{error}\n{:?}", error.detail));
            assert_eq!(runbook.runbook, listing.name);
        }
    }

    #[test]
    fn the_last_folder_wins_over_the_one_before_and_over_what_is_built_in() {
        let (user, project) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (folder, title) in [(&user, "the user's"), (&project, "the project's")] {
            let text = format!("runbook: resources\ntitle: {title}\nrisk: read-only\nsteps: []\n");
            std::fs::write(folder.path().join("resources.yaml"), text).unwrap();
        }
        std::fs::write(project.path().join("notes.txt"), "").unwrap();
        let folders = [user.path(), project.path(), Path::new("/nonexistent")].map(Path::to_owned);
        let catalog = Catalog::of(folders).unwrap();
        let entry = catalog.get("resources").unwrap();
        assert_eq!(entry.runbook.title, "the project's");
        assert_eq!(entry.origin, Origin::File(project.path().join("resources.yaml")));
        assert_eq!(catalog.names().count(), BUILT_IN.len());
        assert!(catalog.list().iter().all(|listing| listing.is_override == (listing.name == "resources")));
    }

    #[test]
    fn a_broken_runbook_is_listed_with_its_error_and_hides_no_other() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("broken.yaml"), "runbook: [").unwrap();
        let catalog = Catalog::of([folder.path().to_owned()]).unwrap();
        let broken: Vec<_> = catalog.list().into_iter().filter(|listing| listing.runbook.is_err()).collect();
        assert_eq!(broken.len(), 1);
        assert_eq!(broken[0].name, "broken");
    }

    #[test]
    fn a_runbook_that_is_not_there_names_the_one_that_was_meant() {
        let error = Catalog::of([]).unwrap().get("sevice-down").unwrap_err();
        assert_eq!(error.hints[0], "did you mean `service-down`?");
        assert!(error.hints[1].contains("`instance-down`"));
    }

    #[test]
    fn a_runbook_bears_the_name_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.yaml");
        std::fs::write(&path, "runbook: other\ntitle: t\nrisk: read-only\nsteps: []\n").unwrap();
        let error = Entry::open(&path).unwrap_err();
        assert_eq!(error.message, "the runbook calls itself `other`, and its file `mine`");
        assert!(error.detail.unwrap().contains("mine.yaml:1:10"));
    }
}
