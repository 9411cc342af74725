//! What most commands begin with: the inventory, the runbooks that are in force, and the hosts.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use super::Global;
use crate::base::{Error, Kind, Result};
use crate::engine::catalog::Catalog;
use crate::engine::hosts::Hosts;
use crate::host::failure::{Failure, FailureKind};
use crate::model::facts::Facts;
use crate::model::inventory::Inventory;

/// A site, as the person's inventory describes it.
pub struct Workplace {
    pub inventory: Inventory,
    /// The inventory file.
    pub path: PathBuf,
    pub catalog: Catalog,
}

impl Workplace {
    /// # Errors
    /// When there is no inventory, or something is wrong in it or in a runbook beside it.
    pub fn open(global: &Global) -> Result<Workplace> {
        let path = Inventory::find(global.inventory.as_deref())?;
        let (inventory, _) = Inventory::load(&path)?;
        let catalog = Catalog::open(folder_of(&path))?;
        Ok(Workplace { inventory, path, catalog })
    }

    pub fn hosts(&self) -> Hosts {
        Hosts::of(&self.inventory, &self.path)
    }

    /// What `hosts` say about themselves.
    ///
    /// # Errors
    /// When one of them cannot be reached: a plan needs them all.
    pub async fn facts_of(&self, hosts: &Hosts, names: &[String]) -> Result<Facts> {
        let (facts, unreachable) = hosts.facts(&self.inventory, names).await;
        match unreachable.into_iter().next() {
            None => Ok(facts),
            Some((_, failure)) => Err(unreachable_host(&failure)),
        }
    }

    /// What every host says about itself; why, for those that do not answer.
    pub async fn facts(&self, hosts: &Hosts) -> (Facts, IndexMap<String, Failure>) {
        let names: Vec<String> = self.inventory.hosts.keys().cloned().collect();
        hosts.facts(&self.inventory, &names).await
    }
}

pub fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A host that does not answer is something to wait for; one that refuses us is something to mend here.
pub fn unreachable_host(failure: &Failure) -> Error {
    let kind = match failure.kind {
        FailureKind::Unreachable | FailureKind::Timeout | FailureKind::Lost => Kind::Waiting,
        FailureKind::HostKey | FailureKind::Authentication | FailureKind::Privilege => Kind::Refused,
        FailureKind::Missing | FailureKind::Protocol => Kind::Invalid,
    };
    let error = Error::new(kind, failure.to_string());
    failure.hints.iter().fold(error, |error, hint| error.hint(hint.clone()))
}
