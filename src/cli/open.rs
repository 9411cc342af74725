//! What most commands begin with: the inventory, the runbooks that are in force, and the hosts.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use super::Global;
use crate::base::{Error, Kind, Result};
use crate::engine::catalog::Catalog;
use crate::engine::drift;
use crate::engine::hosts::Hosts;
use crate::engine::locate::{self, Site};
use crate::engine::plan::Needs;
use crate::host::failure::{Failure, FailureKind};
use crate::model::facts::{self, Facts};
use crate::model::inventory::Inventory;
use crate::ui::patience::patiently;

/// A site, as the person's inventory describes it, and the runbooks for it.
pub struct Workplace {
    pub site: Site,
    pub catalog: Catalog,
    is_quiet: bool,
}

impl Workplace {
    /// # Errors
    /// When there is no inventory, or something is wrong in it.
    pub fn open(global: &Global) -> Result<Workplace> {
        let site = Site::load(&locate::inventory(global.inventory.as_deref())?)?;
        let catalog = Catalog::open(Some(site.folder()))?;
        Ok(Workplace { site, catalog, is_quiet: global.quiet })
    }

    pub fn hosts(&self) -> Hosts {
        Hosts::of(&self.site.inventory, &self.site.path)
    }

    /// What a plan needs to know of the hosts, and the containers that its approval will stand on.
    ///
    /// # Errors
    /// When one of them cannot be reached.
    pub async fn facts_for(&self, hosts: &Hosts, inventory: &Inventory, needs: &Needs) -> Result<Facts> {
        let asked = async {
            let mut facts = hosts.facts_for(inventory, needs).await?;
            let site = facts::Site { inventory, facts: &facts };
            facts.containers = drift::look_for_plan(hosts, site, &needs.containers).await?;
            Ok(facts)
        };
        self.patiently(asked).await.map_err(|failure: Failure| unreachable_host(&failure))
    }

    /// What every host says about itself; why, for those that do not answer.
    pub async fn facts(&self, hosts: &Hosts) -> (Facts, IndexMap<String, Failure>) {
        self.patiently(hosts.facts(&self.site.inventory)).await
    }

    /// Waits for hosts, and is not silent about it.
    pub async fn patiently<T>(&self, answers: impl Future<Output = T>) -> T {
        patiently("answers from the hosts", self.is_quiet, answers).await
    }
}

/// The folder of the inventory in force, where a project's own runbooks and templates are beside it. Without an inventory there
/// are still the built-in ones and the user's own.
///
/// # Errors
/// When an inventory is named and not there.
pub fn site_folder(global: &Global) -> Result<Option<PathBuf>> {
    match locate::inventory(global.inventory.as_deref()) {
        Ok(path) => {
            let path = std::path::absolute(path)
                .map_err(|error| Error::internal("cannot tell the current folder").caused_by(&error))?;
            Ok(path.parent().map(Path::to_owned))
        }
        Err(_) if global.inventory.is_none() => Ok(None),
        Err(error) => Err(error),
    }
}

/// A host that does not answer is something to wait for; one that refuses us is something to mend here.
pub fn unreachable_host(failure: &Failure) -> Error {
    let kind = match failure.kind {
        FailureKind::Unreachable | FailureKind::Timeout | FailureKind::Lost => Kind::Waiting,
        FailureKind::HostKey | FailureKind::Authentication | FailureKind::Privilege | FailureKind::Fenced => {
            Kind::Refused
        }
        FailureKind::Missing | FailureKind::Protocol => Kind::Invalid,
    };
    let error = Error::new(kind, failure.to_string());
    failure.hints.iter().fold(error, |error, hint| error.hint(hint.clone()))
}
