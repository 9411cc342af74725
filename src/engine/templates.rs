//! The templates of messages: those built in, and a person's or a project's own in their place.

use std::path::Path;

use crate::base::Result;
use crate::engine::shelf::{self, Found, Origin, Shelf};

macro_rules! built_in {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../templates/", $name, ".txt")))),*]
    };
}

static TEMPLATES: shelf::Kind = shelf::Kind {
    noun: "template",
    folder: "templates",
    extension: "txt",
    built_in: built_in! {
        "alert"
        "handoff"
        "page"
        "postmortem"
        "resolution"
        "state"
        "summary"
        "update"
    },
};

#[derive(Debug, Clone)]
pub struct Templates {
    shelf: Shelf,
}

impl Templates {
    /// The built-in templates, those of the user's config folder, and those beside the inventory; later ones override.
    ///
    /// # Errors
    /// When a folder is there and cannot be read.
    pub fn open(inventory_folder: Option<&Path>) -> Result<Templates> {
        Shelf::open(&TEMPLATES, inventory_folder).map(|shelf| Templates { shelf })
    }

    /// The names in order, with where each comes from.
    pub fn origins(&self) -> impl Iterator<Item = (&str, &Origin)> {
        self.shelf.origins()
    }

    /// Whether it stands in the place of a built-in one.
    pub fn is_override(&self, name: &str) -> bool {
        self.shelf.is_override(name)
    }

    /// # Errors
    /// When there is no such template, with the ones that were probably meant; when it cannot be read.
    pub fn get(&self, name: &str) -> Result<Found> {
        self.shelf.get(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_of_the_folder_is_built_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(TEMPLATES.folder);
        let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        paths.sort();
        let names: Vec<_> = paths.iter().filter_map(|path| TEMPLATES.name_of(path)).collect();
        assert_eq!(names, TEMPLATES.built_in.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    }
}
