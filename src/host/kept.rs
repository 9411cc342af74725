//! What a host keeps of runs: copies of their journals, and the places in them that its receipts and leases were made at.

use super::Host;
use super::failure::Failure;
use super::lease::copied;
use super::runner::Opening;
use crate::base::id::RunId;
use crate::model::plan::Digest;
use crate::run::lease::{Head, Holder};

/// A run as a host has it: a prefix of its journal, at least up to the last command that it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    pub plan: Vec<u8>,
    /// Whole lines.
    pub journal: Vec<u8>,
}

/// A record that the host saw: whatever the journal says now, it said this then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Such as "receipt `restart.1`" or "lease 7".
    pub what: String,
    pub head: Head,
}

/// Where a host keeps all this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub folder: String,
    /// Where a run that began now would be kept, as the folder has no room for it. A restart of the host loses that.
    pub memory: Option<String>,
    /// The number of the user that commands run as there.
    pub user: String,
    /// As `ls -n` shows them.
    pub mode: String,
    pub owner: String,
    pub group: String,
}

impl Host {
    /// # Errors
    /// When the host has no shell, tool or folder for it, and as for any command.
    pub async fn place(&self) -> Result<Place, Failure> {
        let mut opening = Opening::start(self).await?;
        let lines = opening.ask("where\n", |_| true).await?;
        let folder = opening.folder.clone();
        let now = lines[0].strip_prefix("where ").filter(|place| *place != folder);
        let memory = now.map(String::from);
        let [user, mode, owner, group] = opening.ownership;
        Ok(Place { folder, memory, user, mode, owner, group })
    }

    /// The runs whose journals it has a copy of.
    ///
    /// # Errors
    /// As for [`Host::place`].
    pub async fn kept_runs(&self) -> Result<Vec<RunId>, Failure> {
        let lines = Opening::start(self).await?.ask("list\n", |line| line == "done").await?;
        Ok(lines.iter().filter_map(|line| RunId::parse(line.strip_prefix("run ")?)).collect())
    }

    /// Its copy of a run; nothing when it has none.
    ///
    /// # Errors
    /// As for [`Host::place`].
    pub async fn copy_of(&self, run: RunId) -> Result<Option<Copy>, Failure> {
        let lines = Opening::start(self).await?.ask(&format!("fetch {run}\n"), |line| line == "done").await?;
        let lines = &lines[..lines.len() - 1];
        Ok(lines.split_first().and_then(|(plan, journal)| {
            let plan = plan.strip_prefix("plan ")?.as_bytes().to_vec();
            Some(Copy { plan, journal: copied(journal) })
        }))
    }

    /// The records of a run that it saw.
    ///
    /// # Errors
    /// As for [`Host::place`].
    pub async fn anchors(&self, run: RunId) -> Result<Vec<Anchor>, Failure> {
        let lines =
            Opening::start(self).await?.ask(&format!("anchors {run}\n"), |line| line == "done").await?;
        let mut anchors = Vec::new();
        let mut lease = "";
        for line in &lines {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["claim", name, seq, digest] => {
                    let head = seq.parse().ok().zip(Digest::parse(digest));
                    let what = format!("receipt `{name}`");
                    anchors.extend(head.map(|(seq, digest)| Anchor { what, head: Head { seq, digest } }));
                }
                ["lease", number] => lease = number,
                _ => match serde_json::from_str(line) {
                    Ok(Holder::Run { run: of, head, .. } | Holder::Released { run: of, head, .. })
                        if of == run && head.seq > 0 =>
                    {
                        anchors.push(Anchor { what: format!("lease {lease}"), head });
                    }
                    _ => {}
                },
            }
        }
        Ok(anchors)
    }
}
