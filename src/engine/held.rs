//! What a process holds of hosts in its turn at a run: the leases, and the records that the hosts are to have a copy of.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::world::Claim;
use crate::base::clock::Timestamp;
use crate::base::id::{RunId, StepKey};
use crate::host::Records;
use crate::host::lease::Hold;
use crate::model::plan::Digest;
use crate::run::event::{Event, Phase, Record};
use crate::run::lease::{Head, Holder};
use crate::run::receipt::ReceiptKey;

/// A process's turn at a run, as far as hosts are concerned.
#[derive(Default)]
pub(super) struct Turn {
    pub run: Option<RunId>,
    pub holds: BTreeMap<String, Hold>,
    pub records: Arc<Records>,
    /// The records that announced attempts.
    heads: HashMap<(StepKey, u32, Phase), Head>,
    pub last: Option<Head>,
}

impl Turn {
    pub fn begin(claim: &Claim<'_>) -> Turn {
        let records = Arc::new(Records::of(claim.journal));
        Turn { run: Some(claim.run), records, last: last(claim.journal), ..Turn::default() }
    }

    /// The record that announced an attempt, if this process wrote it.
    pub fn head_of(&self, key: &ReceiptKey) -> Option<Head> {
        self.heads.get(&(key.step.clone(), key.attempt, key.phase)).cloned()
    }

    pub fn note(&mut self, record: &Record) {
        if self.run.is_none() {
            return;
        }
        // As the journal has it: its bytes are made by the same rule.
        let Ok(line) = serde_json::to_vec(record) else { return };
        let head = Head { seq: record.seq, digest: Digest::of(&line) };
        if let Event::StepStarted { step, attempt, phase } = &record.event {
            self.heads.insert((step.clone(), *attempt, *phase), head.clone());
        }
        self.last = Some(head);
        self.records.push(line);
    }
}

/// As the lease describes it.
pub(super) fn holder(claim: &Claim<'_>) -> Holder {
    Holder::Run {
        run: claim.run,
        epoch: claim.epoch,
        operator: claim.operator.to_owned(),
        why: claim.why.to_owned(),
        since: Timestamp::now(),
        head: last(claim.journal).unwrap_or(Head { seq: 0, digest: Digest::of(claim.plan) }),
    }
}

fn last(journal: &[u8]) -> Option<Head> {
    let lines: Vec<_> =
        journal.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")).collect();
    let line = lines.last()?;
    Some(Head { seq: lines.len() as u64, digest: Digest::of(&line[..line.len() - 1]) })
}
