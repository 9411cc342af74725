//! One process's turn at a run: it takes the hosts that it needs, moves the run until it rests or ends, and gives them back.

use super::cancel::Urgency;
use super::drive::{Engine, taken_over};
use super::insist::insist;
use super::leases::{Denied, Terms, needed};
use crate::base::{Error, Kind, Result};
use crate::host::failure::FailureKind;
use crate::journal::store::Turn;
use crate::run::event::{Choice, End, Event, Rest};
use crate::run::signal::Signal;
use crate::run::state::Course;

impl Engine<'_> {
    /// Begins an epoch, takes the hosts, records `decisions`, moves the run, and gives the hosts back.
    ///
    /// A turn that does not get its hosts changes nothing. Then a fresh run is abandoned, and one that was resumed stays as it
    /// was; where only a host does not answer, it waits for that.
    ///
    /// # Errors
    /// As [`Engine::drive`].
    pub async fn turn(
        &self,
        turn: &mut Turn,
        decisions: Vec<Event>,
        terms: &Terms<'_>,
    ) -> Result<Option<Denied>> {
        tokio::select! {
            biased;
            taken = self.take_turn(turn, decisions, terms) => taken,
            never = self.vigil.keep() => match never {},
        }
    }

    async fn take_turn(
        &self,
        turn: &mut Turn,
        decisions: Vec<Event>,
        terms: &Terms<'_>,
    ) -> Result<Option<Denied>> {
        let is_fresh = turn.journal.state().epoch == 0;
        let began = Event::EpochStarted { operator: self.operator.to_owned(), pid: std::process::id() };
        self.write(turn, began).await?;
        let turns_back = decisions.iter().any(|event| matches!(event, Event::UndoRequested { .. }));
        let state = turn.journal.state();
        let course = if turns_back { Course::Back } else { state.course };
        let hosts = needed(self.plan, state, course);
        if let Some(denied) = self.take_hosts(turn, &hosts, terms).await? {
            return self.stand_back(turn, decisions, denied, is_fresh).await;
        }
        if terms.ends_what_was_left {
            self.cancel.request(Urgency::Everything);
        }
        // What is asked for now changes what will be done about what is open; to go on does not.
        if !is_fresh && !turns_back {
            self.tell_outlook(turn).await?;
        }
        for event in decisions {
            self.write(turn, event).await?;
        }
        if turns_back {
            self.tell_outlook(turn).await?;
        }
        self.drive(turn).await?;
        self.give_back_hosts(turn).await?;
        Ok(None)
    }

    /// What is left to do without the hosts. The reason comes back unless the run says it by its rest.
    async fn stand_back(
        &self,
        turn: &mut Turn,
        decisions: Vec<Event>,
        denied: Denied,
        is_fresh: bool,
    ) -> Result<Option<Denied>> {
        let rest = match &denied {
            Denied::Cancelled => Rest::Cancelled { by: self.operator.to_owned() },
            Denied::Failed(failure) if failure.is_out_of_reach() && !is_fresh => {
                let (host, message) = (failure.host.clone(), failure.message.clone());
                Rest::WaitingForHost { step: None, host, message }
            }
            _ if is_fresh => {
                let (by, reason) = (self.operator.to_owned(), Some(denied.to_string()));
                self.write(turn, Event::Decision { by, choice: Choice::Abandon, reason }).await?;
                self.write(turn, Event::RunEnded { end: End::Abandoned }).await?;
                return Ok(Some(denied));
            }
            _ => return Ok(Some(denied)),
        };
        for event in decisions {
            self.write(turn, event).await?;
        }
        self.write(turn, Event::RunRested { rest }).await?;
        Ok(None)
    }

    /// Makes an event durable. A process that was away asks first whether its hosts are still its own.
    ///
    /// # Errors
    /// When the journal cannot be written; [`Kind::Refused`] when a host is somebody else's by now, and [`Kind::Waiting`] when it
    /// does not say: then nothing was written.
    pub(super) async fn write(&self, turn: &mut Turn, event: Event) -> Result<()> {
        while self.vigil.was_away() {
            for host in turn.journal.state().held() {
                let what = format!("host `{host}` to say whether it is still locked for this run");
                insist(&what, self.tell, || self.world.holds(host)).await.map_err(|failure| {
                    if failure.kind == FailureKind::Fenced {
                        return taken_over(&failure);
                    }
                    let message = "this process was away, and cannot tell whether the run is still its own";
                    Error::new(Kind::Waiting, message).cause(failure.to_string())
                })?;
            }
        }
        let record = turn.journal.append(event)?;
        self.world.note(&record);
        (self.tell)(Signal::Recorded(record));
        Ok(())
    }
}

impl Engine<'_> {
    /// Begins an epoch, takes every host that the run still needs, and gives them back with all records that there are: from any of
    /// them another machine may go on.
    ///
    /// # Errors
    /// As [`Engine::turn`].
    pub async fn hand_off(&self, turn: &mut Turn, terms: &Terms<'_>) -> Result<Result<Vec<String>, Denied>> {
        let handing = async {
            let began = Event::EpochStarted { operator: self.operator.to_owned(), pid: std::process::id() };
            self.write(turn, began).await?;
            let state = turn.journal.state();
            let hosts = needed(self.plan, state, state.course);
            if let Some(denied) = self.take_hosts(turn, &hosts, terms).await? {
                return Ok(Err(denied));
            }
            let held = turn.journal.state().held().map(str::to_owned).collect();
            self.give_back_hosts(turn).await?;
            Ok(Ok(held))
        };
        tokio::select! {
            biased;
            handed = handing => handed,
            never = self.vigil.keep() => match never {},
        }
    }
}
