//! Where the inventory is: found like git finds its repository.

use std::env;
use std::path::{Path, PathBuf};

use crate::base::{Error, Result};
use crate::model::inventory::Inventory;
use crate::model::source::Source;

/// The inventory's file name.
pub const FILE: &str = "opsctl.yaml";

/// The variable that names the inventory where no option does.
pub const VARIABLE: &str = "OPSCTL_INVENTORY";

/// An inventory with its source, for messages that point into it.
#[derive(Debug, Clone)]
pub struct Site {
    pub path: PathBuf,
    pub inventory: Inventory,
    pub source: Source,
}

impl Site {
    /// # Errors
    /// Of the kind invalid, when the file cannot be read or something in it is wrong.
    pub fn load(path: &Path) -> Result<Site> {
        let source = Source::open(path)?;
        let mut inventory = Inventory::read(&source)?;
        // A run is resumed from any folder.
        let path = std::path::absolute(path)
            .map_err(|error| Error::internal("cannot tell the current folder").caused_by(&error))?;
        let folder = path.parent().unwrap_or(Path::new("/"));
        for record in inventory.dns.values_mut() {
            record.provider.secret_mut().anchor(folder);
        }
        for channel in inventory.channels.values_mut() {
            channel.to.secrets_mut().into_iter().for_each(|secret| secret.anchor(folder));
        }
        if let Some(token) = &mut inventory.incidents.receiver.token {
            token.anchor(folder);
        }
        let lost = inventory.hosts.iter().filter(|(_, host)| host.lost);
        for host in lost.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
            inventory = inventory.without(&host).map_err(Error::invalid)?;
        }
        Ok(Site { path, inventory, source })
    }

    /// The folder that relative paths in the inventory are relative to, and that the project's own runbooks are beside.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }
}

/// The inventory that is in force: `--inventory`, `$OPSCTL_INVENTORY`, `opsctl.yaml` here or in a folder above, and then in
/// the user's config folder.
///
/// # Errors
/// Of the kind invalid, when there is none.
pub fn inventory(option: Option<&Path>) -> Result<PathBuf> {
    let variable = env::var_os(VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    let here = env::current_dir()
        .map_err(|error| Error::internal("cannot tell the current folder").caused_by(&error))?;
    find(option, variable.as_deref(), &here, config_folder().as_deref())
}

/// opsctl's folder in `$XDG_CONFIG_HOME`, else in `~/.config`. A relative path there is not one (XDG Base Directory
/// Specification).
pub fn config_folder() -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(base.join("opsctl"))
}

fn find(
    option: Option<&Path>,
    variable: Option<&Path>,
    here: &Path,
    config: Option<&Path>,
) -> Result<PathBuf> {
    for (path, said_by) in [(option, "--inventory"), (variable, "$OPSCTL_INVENTORY")] {
        let Some(path) = path else { continue };
        return match path.is_file() {
            true => Ok(path.to_owned()),
            false => Err(Error::invalid(format!("there is no inventory at `{}`", path.display()))
                .cause(format!("that is what `{said_by}` says"))
                .hint("opsctl --inventory PATH/TO/opsctl.yaml ...")),
        };
    }
    let above = here.ancestors().map(|folder| folder.join(FILE));
    let all = above.chain(config.map(|folder| folder.join(FILE)));
    all.into_iter().find(|path| path.is_file()).ok_or_else(|| {
        let config = config.map(|folder| format!(", nor in `{}`", folder.display())).unwrap_or_default();
        Error::invalid("there is no inventory")
            .cause(format!("no `{FILE}` in `{}` or above{config}", here.display()))
            .hint("opsctl --inventory PATH/TO/opsctl.yaml ...")
            .hint(format!("export {VARIABLE}=PATH/TO/opsctl.yaml"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_inventory_wins_and_what_is_named_wins_over_it() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        let [top, named, fallback] = ["opsctl.yaml", "named.yaml", "config/opsctl.yaml"].map(|name| {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
            path
        });
        let config = root.path().join("config");
        assert_eq!(find(None, None, &deep, Some(&config)).unwrap(), top);
        assert_eq!(find(None, Some(&named), &deep, None).unwrap(), named);
        assert_eq!(find(Some(&fallback), Some(&named), &deep, None).unwrap(), fallback);
        std::fs::remove_file(&top).unwrap();
        assert_eq!(find(None, None, &deep, Some(&config)).unwrap(), fallback);
    }

    #[test]
    fn an_inventory_that_is_named_and_not_there_is_never_replaced_by_another() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join(FILE), "").unwrap();
        let error = find(None, Some(Path::new("/nonexistent.yaml")), root.path(), None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no inventory at `/nonexistent.yaml`: that is what `$OPSCTL_INVENTORY` says"
        );
        assert_eq!(error.kind.exit_code(), 3);
    }

    #[test]
    fn no_inventory_anywhere_says_where_it_was_looked_for() {
        let root = tempfile::tempdir().unwrap();
        let error = find(None, None, root.path(), Some(Path::new("/nonexistent"))).unwrap_err();
        assert!(error.causes[0].ends_with("or above, nor in `/nonexistent`"), "{error}");
        assert!(!error.hints.is_empty());
    }
}
