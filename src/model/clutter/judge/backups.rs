//! Backups: those that `prune.sh` would remove, told before it does. The rule is written twice, here and there; a test runs both.

use super::fate;
use crate::base::clock::elapsed;
use crate::model::choice::{flaw, reason};
use crate::model::clutter::contents::{Keep, Vault};
use crate::model::clutter::survey::{Item, Kind, Reason};
use crate::model::manifest::{Backup, Listing};

/// `verified`: how many of the newest verified ones stay.
pub(super) fn items(vault: &Vault, verified: u32) -> Vec<Item> {
    let noun = match vault.kind {
        crate::model::backups::Kind::Postgres => "database",
        crate::model::backups::Kind::Redis => "cache",
    };
    let reasons = reasons(&vault.listing, vault.keep, verified);
    let item = |(backup, reason): (&Backup, Option<Reason>)| Item {
        bytes: backup.bytes.unwrap_or_default(),
        // With its manifest.
        files: 1 + u64::from(backup.manifest.is_some()),
        of: Some(format!("{noun}/{}", vault.name)),
        ..Item::new(Kind::Backup, &backup.file, &vault.mount, fate(reason))
    };
    vault.listing.backups.iter().zip(reasons).map(item).collect()
}

/// Why each stays, the newest first.
fn reasons(listing: &Listing, keep: Keep, verified: u32) -> Vec<Option<Reason>> {
    let (mut plain, mut good) = (0, 0);
    let reasons = listing.backups.iter().map(|backup| {
        let age = elapsed(backup.written, listing.now).as_secs();
        let is_old = keep.seconds.is_some_and(|seconds| seconds > 0 && age > seconds);
        let is_for_a_reason = reason(backup).is_some();
        let is_good = backup.verified().is_some() && flaw(backup).is_none() && !is_for_a_reason;
        // What has no manifest is not among those that are counted.
        plain += u32::from(backup.manifest.is_some() && !is_for_a_reason);
        let newer = good;
        good += u32::from(is_good);
        if backup.manifest.as_ref().is_none_or(|manifest| manifest.run.is_empty()) {
            Some(Reason::NotOurs)
        } else if newer == 0 || is_good && good <= verified {
            Some(Reason::Verified)
        } else if keep.rpo_seconds.is_some_and(|seconds| seconds > 0 && age <= seconds) {
            Some(Reason::Rpo)
        } else if is_for_a_reason {
            (!is_old).then_some(Reason::NotOurs)
        } else if plain <= keep.count {
            Some(Reason::Newest)
        } else {
            (keep.seconds.is_some_and(|seconds| seconds > 0) && !is_old).then_some(Reason::Young)
        }
    });
    reasons.collect()
}
