//! Ctrl-C, as the engine hears of it: said once, heard by everybody, also by who listens later.

use tokio::sync::watch;

#[derive(Debug, Default)]
pub struct Cancel {
    said: watch::Sender<bool>,
}

impl Cancel {
    /// From now on nothing begins, and what may be given up is given up.
    pub fn request(&self) {
        self.said.send_replace(true);
    }

    pub fn is_requested(&self) -> bool {
        *self.said.borrow()
    }

    /// Comes back once it was requested.
    pub async fn requested(&self) {
        let mut heard = self.said.subscribe();
        // It only fails when there is no sender any more, and that is `self`.
        let _ = heard.wait_for(|said| *said).await;
    }
}
