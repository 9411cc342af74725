//! Hosts that a run of this machine has done with, and could not give back: it died right after its end, or the host did not answer
//! any more.
//!
//! `opsctl abandon` gives it back, and so does whoever needs such a host next, in the run's name. Only where there is no doubt: the run's journal is here,
//! no process is at it, it is over or says itself that it has given the host back, and the lease is not one that was taken
//! elsewhere, in a turn that the journal does not have.

use super::drive::Engine;
use super::insist::once_more;
use super::leases::{Denied, Terms, purpose};
use super::world::{Claim, Taken, World};
use crate::base::clock::Clock;
use crate::base::{Error, Kind, Result};
use crate::journal::store::{Store, Turn};
use crate::model::plan::Plan;
use crate::run::lease::{Holder, Lease};

impl Engine<'_> {
    /// Whether the host is free now.
    ///
    /// # Errors
    /// When the journal of that run cannot be read, or its host not be given back: then it stays as it is.
    pub(super) async fn give_back_leftover(
        &self,
        host: &str,
        lease: &Lease,
        terms: &Terms<'_>,
    ) -> Result<bool> {
        let Holder::Run { run, epoch, .. } = &lease.holder else { return Ok(false) };
        let dir = terms.store.find(&run.to_string())?;
        let (turn, history) = dir.take_turn(self.operator, Clock::System)?;
        let state = history.state();
        let is_over = state.status.is_final() || !state.leases.contains_key(host);
        if !is_over || *epoch > state.epoch {
            return Ok(false);
        }
        Ok(give_back(self.world, &turn, &history.plan, host, self.operator, terms.store).await.is_ok())
    }
}

/// Gives a host back in the name of a run that has ended, with all of its journal.
///
/// # Errors
/// When the host is somebody else's by now, or does not say that it is nobody's.
pub async fn give_back(
    world: &dyn World,
    turn: &Turn,
    plan: &Plan,
    host: &str,
    operator: &str,
    store: &Store,
) -> Result<()> {
    let lines = turn.dir.lines()?;
    let claim = Claim {
        run: turn.dir.id,
        epoch: turn.journal.state().epoch,
        operator,
        why: &purpose(plan),
        plan: &lines.plan,
        journal: &lines.journal,
        seat: &store.seat()?,
    };
    let host_name = host.to_owned();
    let denied = match once_more(|| world.take(host, &claim)).await {
        Ok(Taken::Held { .. }) => match once_more(|| world.release(host)).await {
            Ok(()) => return Ok(()),
            Err(failure) => Denied::Failed(failure),
        },
        Ok(Taken::Refused { by }) => Denied::Refused { host: host_name, by },
        Ok(Taken::Outrun { records }) => Denied::Outrun { host: host_name, records },
        Err(failure) => Denied::Failed(failure),
    };
    Err(Error::new(Kind::Refused, denied.to_string()))
}
