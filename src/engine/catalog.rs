//! The runbooks that there are: those built in, and a person's or a project's own in their place.
//!
//! Nothing is parsed before it is asked for, so that a broken runbook is in nobody's way but its own.

use std::path::Path;

use crate::base::Result;
use crate::engine::shelf::{self, Shelf};
use crate::model::runbook::Runbook;
use crate::model::source::Source;

pub use crate::engine::shelf::Origin;

macro_rules! built_in {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../runbooks/", $name, ".yaml")))),*]
    };
}

static RUNBOOKS: shelf::Kind = shelf::Kind {
    noun: "runbook",
    folder: "runbooks",
    extension: "yaml",
    built_in: built_in! {
        "cache-backup"
        "cache-damaged"
        "cache-down"
        "cache-full"
        "cache-restore"
        "cache-trial"
        "certificate-expiring"
        "database-backup"
        "database-down"
        "database-release"
        "database-restore"
        "database-tables"
        "database-trial"
        "disk-full"
        "host-down"
        "host-lost"
        "instance-down"
        "network-broken"
        "out-of-memory"
        "recreate"
        "resources"
        "roll"
        "service-down"
        "serving"
        "standby"
        "volume-removal"
    },
};

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
    shelf: Shelf,
}

impl Catalog {
    /// The built-in runbooks, those of the user's config folder, and those beside the inventory; later ones override.
    ///
    /// # Errors
    /// When a folder is there and cannot be read.
    pub fn open(inventory_folder: Option<&Path>) -> Result<Catalog> {
        Shelf::open(&RUNBOOKS, inventory_folder).map(|shelf| Catalog { shelf })
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.shelf.names()
    }

    pub fn contains(&self, name: &str) -> bool {
        self.shelf.contains(name)
    }

    /// All runbooks by name.
    pub fn list(&self) -> Vec<Listing> {
        let listing = |(name, origin): (&str, &Origin)| Listing {
            name: name.to_owned(),
            origin: origin.clone(),
            is_override: self.shelf.is_override(name),
            runbook: self.get(name).map(|entry| entry.runbook),
        };
        self.shelf.origins().map(listing).collect()
    }

    /// # Errors
    /// When there is no such runbook, with the ones that were probably meant; when it cannot be read.
    pub fn get(&self, name: &str) -> Result<Entry> {
        let found = self.shelf.get(name)?;
        Entry::read(name, Source::new(found.file, found.text), found.origin)
    }

    pub fn has(&self, name: &str) -> bool {
        self.shelf.get(name).is_ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog(folder: Option<&Path>) -> Catalog {
        Catalog { shelf: Shelf::of(&RUNBOOKS, folder.map(Path::to_owned)).unwrap() }
    }

    #[test]
    fn every_runbook_of_the_folder_is_built_in_and_can_be_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(RUNBOOKS.folder);
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        names.sort();
        let names: Vec<_> = names.iter().filter_map(|path| RUNBOOKS.name_of(path)).collect();
        assert_eq!(names, RUNBOOKS.built_in.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        for listing in catalog(None).list() {
            let runbook = listing.runbook.unwrap_or_else(|error| panic!("{error}\n{:?}", error.detail));
            assert_eq!(runbook.runbook, listing.name);
        }
    }

    #[test]
    fn a_runbook_of_the_projects_own_takes_the_place_of_the_built_in_one() {
        let folder = tempfile::tempdir().unwrap();
        let text = "runbook: resources\ntitle: the project's\nrisk: read-only\nsteps: []\n";
        std::fs::write(folder.path().join("resources.yaml"), text).unwrap();
        let catalog = catalog(Some(folder.path()));
        assert_eq!(catalog.get("resources").unwrap().runbook.title, "the project's");
        assert_eq!(catalog.names().count(), RUNBOOKS.built_in.len());
        assert!(catalog.list().iter().all(|listing| listing.is_override == (listing.name == "resources")));
    }

    #[test]
    fn a_broken_runbook_is_listed_with_its_error_and_hides_no_other() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("broken.yaml"), "runbook: [").unwrap();
        let broken: Vec<_> = catalog(Some(folder.path()))
            .list()
            .into_iter()
            .filter(|listing| listing.runbook.is_err())
            .collect();
        assert_eq!(broken.len(), 1);
        assert_eq!(broken[0].name, "broken");
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
