//! What a resumed run finds, before it does anything.

use super::cancel::Urgency;
use super::drive::{Came, Engine, taken_over};
use crate::base::Result;
use crate::journal::store::Turn;
use crate::run::known::At;
use crate::run::outlook::outlook;
use crate::run::signal::Signal;

impl Engine<'_> {
    /// Asks the hosts for the receipts of all that the turn before left open, and tells what will be done about it. It says
    /// nothing when nothing is open.
    ///
    /// # Errors
    /// When a host refuses us, because somebody else has taken it over.
    pub async fn tell_outlook(&self, turn: &Turn) -> Result<()> {
        let state = turn.journal.state();
        let mut answers = Vec::new();
        for step in state.in_doubt() {
            if let Came::Answer { step, answer, .. } =
                self.look(turn.dir.id, step.clone(), At::Receipt, state).await
            {
                answers.push((step, answer.map_err(|failure| taken_over(&failure))?));
            }
        }
        let open = outlook(self.plan, state, &answers, self.cancel.urgency() == Urgency::Everything);
        if !open.is_empty() {
            (self.tell)(Signal::Outlook(open));
        }
        Ok(())
    }
}
