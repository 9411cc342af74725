//! Ctrl-C, as the engine hears of it: heard by everybody, also by who listens later. It only ever becomes more urgent.

use tokio::sync::watch;

#[derive(Debug, Default)]
pub struct Cancel {
    said: watch::Sender<Urgency>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Urgency {
    /// Nobody wants the run to stop.
    #[default]
    None,
    /// Nothing begins any more, and what may be given up is given up. What changes something comes to its end.
    Gentle,
    /// That is ended too.
    Now,
    /// And what a turn before left running at its hosts: it is looked for first.
    Everything,
}

impl Cancel {
    /// From now on it is at least so urgent.
    pub fn request(&self, urgency: Urgency) {
        self.said.send_modify(|said| *said = urgency.max(*said));
    }

    pub fn urgency(&self) -> Urgency {
        *self.said.borrow()
    }

    pub fn is_requested(&self) -> bool {
        self.urgency() > Urgency::None
    }

    /// Comes back once it is so urgent.
    pub async fn reached(&self, urgency: Urgency) {
        let mut heard = self.said.subscribe();
        // It only fails when there is no sender any more, and that is `self`.
        let _ = heard.wait_for(|said| *said >= urgency).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_listens_later_hears_it_too_and_it_never_becomes_less_urgent() {
        let cancel = Cancel::default();
        assert!(!cancel.is_requested());
        cancel.request(Urgency::Now);
        cancel.request(Urgency::Gentle);
        assert_eq!(cancel.urgency(), Urgency::Now);
        cancel.reached(Urgency::Gentle).await;
        cancel.reached(Urgency::Now).await;
    }
}
