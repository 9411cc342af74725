//! What is on the disks of a host: asked of Docker, of Compose, of the files, and of the runs that are kept here and there.

use crate::engine::hosts::Hosts;
use crate::host::failure::Failure;
use crate::journal::store::Store;
use crate::model::clutter::contents::Contents;
use crate::model::facts::Site;

/// Everything on a host that a cleanup has to know of. Changes nothing, and needs no room on the host.
///
/// # Errors
/// When the host does not answer. What of it cannot be asked is in the contents.
pub async fn look(_hosts: &Hosts, _site: Site<'_>, _host: &str, _store: &Store) -> Result<Contents, Failure> {
    todo!()
}
