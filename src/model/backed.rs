//! What there can be backups of: the databases and caches of the inventory, by the name that a person gives.

use super::backups::{Backups, Kind};
use super::inventory::Inventory;
use crate::base::nearest::{listed, nearest};
use crate::base::{Error, Result};

/// A database or a cache.
#[derive(Debug, Clone, Copy)]
pub struct Backed<'a> {
    pub kind: Kind,
    /// In the inventory.
    pub name: &'a str,
    pub project: &'a str,
    pub host: &'a str,
    /// None where the inventory does not say where they are.
    pub backups: Option<&'a Backups>,
    /// Whether a database and a cache have that name.
    pub is_double: bool,
}

/// All of an inventory: the databases, then the caches.
pub fn all(inventory: &Inventory) -> impl Iterator<Item = Backed<'_>> {
    let databases = inventory.databases.iter().map(|(name, database)| {
        (Kind::Postgres, name.as_str(), database.project.as_str(), database.backups.as_ref())
    });
    let caches = inventory
        .caches
        .iter()
        .map(|(name, cache)| (Kind::Redis, name.as_str(), cache.project.as_str(), cache.backups.as_ref()));
    databases.chain(caches).map(|(kind, name, project, backups)| Backed {
        kind,
        name,
        project,
        host: inventory.host_of(project),
        backups,
        is_double: inventory.databases.contains_key(name) && inventory.caches.contains_key(name),
    })
}

/// The one of that name; where a database and a cache share it, `database/NAME` or `cache/NAME`.
///
/// # Errors
/// When there is none, or both.
pub fn find<'a>(inventory: &'a Inventory, given: &str) -> Result<Backed<'a>> {
    let found: Vec<Backed> =
        all(inventory).filter(|backed| backed.name == given || backed.long_name() == given).collect();
    match found[..] {
        [one] => Ok(one),
        [] => {
            let error = Error::usage(format!("there is no database and no cache `{given}` in the inventory"));
            let error = match nearest(given, all(inventory).map(|backed| backed.name)) {
                Some(name) => error.hint(format!("did you mean `{name}`?")),
                None => error,
            };
            let known: Vec<String> = all(inventory).map(|backed| backed.typed()).collect();
            Err(error.hint(format!("it has {}", listed(known.iter().map(String::as_str)))))
        }
        _ => Err(Error::usage(format!("`{given}` is a database and a cache"))
            .hint(format!("write `database/{given}` or `cache/{given}`"))),
    }
}

impl<'a> Backed<'a> {
    /// `database` or `cache`.
    pub fn noun(&self) -> &'static str {
        match self.kind {
            Kind::Postgres => "database",
            Kind::Redis => "cache",
        }
    }

    /// As it is to be typed.
    pub fn typed(&self) -> String {
        if self.is_double { self.long_name() } else { self.name.to_owned() }
    }

    fn long_name(&self) -> String {
        format!("{}/{}", self.noun(), self.name)
    }

    /// # Errors
    /// When the inventory does not say where they are kept.
    pub fn keeping(&self) -> Result<&'a Backups> {
        self.backups.ok_or_else(|| self.without_backups())
    }

    /// That the inventory does not say where its backups are kept, with the lines to add.
    pub fn without_backups(&self) -> Error {
        let (noun, name) = (self.noun(), self.name);
        Error::invalid(format!("{noun} `{name}` has no `backups` in the inventory")).hint(format!(
            "say there where they are kept, and how many:\n{noun}s:\n  {name}:\n    backups: {{ directory: /var/backups/{name}, keep: 7 }}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory() -> Inventory {
        let text = "name: t\nhosts:\n  here: { address: local }\nprojects:\n  web: { host: here, directory: /srv }\ndatabases:\n  \
                    argus: { engine: postgres, project: web, service: db, user: u, name: n }\n  \
                    both: { engine: postgres, project: web, service: db, user: u, name: n }\ncaches:\n  \
                    both: { project: web, service: redis }\n";
        serde_yaml::from_str(text).unwrap()
    }

    #[test]
    fn a_name_that_two_have_is_told_apart_by_what_stands_before_it() {
        let inventory = inventory();
        assert_eq!(find(&inventory, "argus").unwrap().host, "here");
        assert_eq!(find(&inventory, "cache/both").unwrap().kind, Kind::Redis);
        assert_eq!(find(&inventory, "database/both").unwrap().kind, Kind::Postgres);
        let error = find(&inventory, "both").unwrap_err();
        assert_eq!(error.message, "`both` is a database and a cache");
        assert_eq!(error.hints, ["write `database/both` or `cache/both`"]);
    }

    #[test]
    fn an_unknown_name_is_told_with_the_nearest_and_all_that_there_are() {
        let error = find(&inventory(), "argos").unwrap_err();
        assert_eq!(
            error.hints,
            ["did you mean `argus`?", "it has `argus`, `database/both` and `cache/both`"]
        );
    }

    #[test]
    fn what_is_missing_in_the_inventory_is_there_to_paste() {
        let inventory = inventory();
        let error = find(&inventory, "argus").unwrap().keeping().unwrap_err();
        let lines = error.hints[0].split_once('\n').unwrap().1;
        assert_eq!(lines, "databases:\n  argus:\n    backups: { directory: /var/backups/argus, keep: 7 }");
    }
}
