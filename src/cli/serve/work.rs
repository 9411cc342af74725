//! What follows from the alerts that were taken: incidents are opened and looked after, triage is asked, and what may run by itself is begun.
//!
//! All of it is done in passes, and each pass does what is to be done by what is on record. So a receiver that begins anew goes on where the one
//! before it ended, whatever it was at.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use super::automatic::{self, Automat};
use super::http::Door;
use crate::base::clock::{Clock, Timestamp};
use crate::base::id::IncidentId;
use crate::base::{Error, Result};
use crate::cli::incident::office::Room;
use crate::cli::open::Workplace;
use crate::cli::remedy::runbook_for;
use crate::cli::triage::survey_of;
use crate::engine::hosts::Hosts;
use crate::incident::desk::{Hand, Incident};
use crate::incident::event::{Event, Record};
use crate::incident::intake;
use crate::incident::notice::Notice;
use crate::incident::proposal::triaged;
use crate::triage::survey::Survey;

pub struct Work<'a> {
    pub room: &'a Room,
    pub workplace: &'a Workplace,
    pub hosts: &'a Hosts,
    pub door: &'a Door,
    pub automat: Automat,
    /// What went wrong with what, so that it is said once.
    pub failures: HashMap<String, String>,
    pub say: &'a dyn Fn(&str),
}

/// What an incident wants of a look at everything.
#[derive(Clone, Copy)]
struct Wish {
    incident: IncidentId,
    /// The look is to be put on record.
    for_the_record: bool,
    /// Something may be run by itself.
    for_a_run: bool,
}

impl Work<'_> {
    /// One pass. What fails is said, and done again in the next one.
    pub async fn pass(&mut self) {
        let counts = &self.door.counts;
        let mut is_well = self.take_in();
        is_well &= self.settle_run();
        let mut wishes = Vec::new();
        let incidents = self.open_incidents(&mut is_well);
        let mut unsent = 0;
        for incident in &incidents {
            match self.look_after(incident).await {
                Ok(short) => unsent += short,
                Err(error) => is_well &= self.failed(&incident.short(), &error),
            }
        }
        // What just happened counts.
        let incidents = self.read(&incidents);
        let now = Timestamp::now();
        let all = self.all();
        for incident in &incidents {
            let for_the_record = wants_triage(incident);
            let for_a_run = self.automat.wants(incident, &all, self.workplace, now);
            let id = incident.state.opening.incident;
            if for_the_record || for_a_run {
                wishes.push(Wish { incident: id, for_the_record, for_a_run });
            }
        }
        if !wishes.is_empty() {
            let survey = survey_of(self.workplace, self.hosts).await;
            for wish in wishes {
                if let Err(error) = self.grant(wish, &survey).await {
                    is_well &= self.failed(&wish.incident.short(), &error);
                }
            }
        }
        if let Err(error) = self.room.desk.note_tick(now) {
            is_well &= self.failed("desk", &error);
        }
        counts.open.store(incidents.len() as u64, Ordering::Relaxed);
        counts.unsent.store(unsent, Ordering::Relaxed);
        counts.worked_at.store(now.as_second().max(0) as u64, Ordering::Relaxed);
        counts.is_failing.store(!is_well, Ordering::Relaxed);
    }

    /// Takes the messages that wait into their incidents. Whether that went well.
    fn take_in(&mut self) -> bool {
        let waiting = match self.door.inbox.waiting() {
            Ok(waiting) => waiting,
            Err(error) => return self.failed("inbox", &error),
        };
        let mut messages = Vec::new();
        for file in waiting {
            match self.door.inbox.body(&file) {
                Ok(body) => messages.push((file, Notice::read(&body))),
                Err(error) => return self.failed("inbox", &error),
            }
        }
        for (index, (file, notice)) in messages.iter().enumerate() {
            // In a flood only the newest of what comes one after the other counts: it says how all of its group stands.
            let is_followed = |notice: &Notice| {
                let next = messages[index + 1..].iter().filter_map(|(_, next)| next.as_ref().ok());
                next.filter(|next| next.group == notice.group)
                    .map(Notice::is_firing)
                    .next()
                    .is_some_and(|is_firing| is_firing == notice.is_firing())
            };
            let taken = match notice {
                Ok(notice) if is_followed(notice) => Ok(()),
                Ok(notice) => self.open_or_update(notice),
                Err(why) => {
                    (self.say)(&format!(
                        "a message that was taken cannot be read, and is passed over: {why}"
                    ));
                    Ok(())
                }
            };
            if let Err(error) = taken.and_then(|()| self.door.inbox.done(file)) {
                return self.failed("inbox", &error);
            }
            self.door.counts.waiting.fetch_sub(1, Ordering::Relaxed);
        }
        self.failures.remove("inbox");
        true
    }

    fn open_or_update(&mut self, notice: &Notice) -> Result<()> {
        let before = self.room.desk.ids()?.len();
        let taken = intake::take_in(&self.room.desk, notice, &self.room.site, &Clock::System)?;
        if let Some(incident) = taken
            && self.room.desk.ids()?.len() > before
        {
            (self.say)(&format!("incident {} is opened: {}", incident.short(), notice.group));
        }
        Ok(())
    }

    /// Follows the run of our own to its end.
    fn settle_run(&mut self) -> bool {
        let Some((errand, Some(failed))) = self.automat.ended() else { return true };
        (self.say)(&failed);
        let noted =
            self.take(errand.incident).and_then(|mut hand| hand.append(Event::Noted { text: failed }));
        match noted {
            Ok(()) => true,
            Err(error) => self.failed(&errand.incident.short(), &error),
        }
    }

    /// Those that are not resolved. One that cannot be read is said.
    fn open_incidents(&mut self, is_well: &mut bool) -> Vec<IncidentId> {
        let ids = match self.room.desk.ids() {
            Ok(ids) => ids,
            Err(error) => {
                *is_well &= self.failed("desk", &error);
                return Vec::new();
            }
        };
        let mut open = Vec::new();
        for id in ids {
            match self.room.desk.read(id) {
                Ok(incident) if self.is_ours(&incident) => open.push(id),
                Ok(_) => {}
                Err(error) => *is_well &= self.failed(&id.short(), &error),
            }
        }
        open
    }

    /// Whether it is of this site, and somebody is still to be told something.
    fn is_ours(&self, incident: &Incident) -> bool {
        let state = &incident.state;
        state.opening.site == self.room.site.inventory.name && (!state.is_resolved() || state.owes())
    }

    fn read(&self, incidents: &[IncidentId]) -> Vec<Incident> {
        let read = incidents.iter().filter_map(|incident| self.room.desk.read(*incident).ok());
        read.filter(|incident| !incident.state.is_resolved()).collect()
    }

    /// Those in which something may have been begun without asking; none where nothing may.
    fn all(&self) -> Vec<Incident> {
        if self.room.site.inventory.incidents.automatic.is_empty() {
            return Vec::new();
        }
        let ids = self.room.desk.ids().unwrap_or_default();
        ids.into_iter().filter_map(|incident| self.room.desk.read(incident).ok()).collect()
    }

    fn take(&self, incident: IncidentId) -> Result<Hand> {
        self.room.desk.take(incident, Record::ITSELF, Clock::System)
    }

    /// How many messages were not taken.
    async fn look_after(&mut self, incident: &IncidentId) -> Result<u64> {
        let mut hand = self.take(*incident)?;
        let ticked = self.room.look_after(&mut hand).await?;
        let short = [&ticked.flushed.waiting, &ticked.flushed.refused, &ticked.flushed.unknown];
        self.failures.remove(&incident.short());
        Ok(short.into_iter().map(|posted| posted.len() as u64).sum())
    }

    /// What a look at everything says, for an incident that wants to know.
    async fn grant(&mut self, wish: Wish, survey: &Survey) -> Result<()> {
        let mut hand = self.take(wish.incident)?;
        if hand.state().is_resolved() {
            return Ok(());
        }
        if wish.for_the_record {
            self.put_on_record(&mut hand, survey)?;
        }
        if wish.for_a_run && hand.state().held.is_none() {
            let incident = Incident { state: hand.state().clone(), records: hand.records().to_vec() };
            if let Some(errand) = automatic::errand(&incident, survey, self.workplace) {
                hand.append(Event::Noted { text: errand.note() })?;
                (self.say)(&errand.note());
                self.automat.begin(errand, self.workplace)?;
                self.door.counts.runs.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.room.look_after(&mut hand).await.map(drop)
    }

    fn put_on_record(&self, hand: &mut Hand, survey: &Survey) -> Result<()> {
        let runbook = survey.causes.iter().find_map(|cause| runbook_for(self.workplace, cause));
        hand.append(triaged(survey, runbook.map(|runbook| runbook.runbook)))?;
        match survey.level {
            Some(level) if level > hand.state().level => {
                let why = "triage finds that it reaches further".to_owned();
                hand.append(Event::Escalated { level, why })
            }
            _ => Ok(()),
        }
    }

    /// Says what went wrong, unless it was said already. Never true.
    fn failed(&mut self, what: &str, error: &Error) -> bool {
        let text = error.to_string();
        if self.failures.get(what) != Some(&text) {
            (self.say)(&format!("{what}: {text}"));
            self.failures.insert(what.to_owned(), text);
        }
        false
    }
}

/// Whether it lasts, and alerts came that triage has not looked at.
fn wants_triage(incident: &Incident) -> bool {
    let state = &incident.state;
    let looked_at = state.triage.as_ref().map(|triage| triage.at);
    let is_new = |record: &&Record| {
        matches!(record.event, Event::Alerted { .. }) && looked_at.is_none_or(|at| record.at > at)
    };
    state.milestones.mitigated_at.is_none()
        && intake::firing(state).next().is_some()
        && incident.records.iter().rev().any(|record| is_new(&record))
}
