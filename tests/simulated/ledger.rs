//! What the simulated hosts keep for themselves, whatever becomes of the controller: who has them, and a receipt of each command.

use std::collections::BTreeMap;
use std::time::Duration;

use opsctl::base::id::RunId;
use opsctl::run::event::Phase;
use opsctl::run::receipt::ReceiptKey;
use tokio::time::Instant;

#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// The highest fence of each host, and who has it.
    leases: BTreeMap<String, (u64, Option<RunId>)>,
    claims: BTreeMap<String, Claim>,
}

/// A command that has begun.
#[derive(Debug, Clone)]
pub struct Claim {
    pub key: ReceiptKey,
    pub host: String,
    pub standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Standing {
    /// It takes so much longer, from when somebody first looks.
    Runs {
        left: Duration,
        until: Option<Instant>,
    },
    Ended {
        status: i32,
    },
    /// It was killed, or its host was started anew.
    Cut,
}

impl Ledger {
    /// The new fence; who has the host instead, when it is somebody else.
    pub fn take(&mut self, host: &str, run: RunId) -> Result<u64, RunId> {
        let (fence, holder) = self.leases.entry(host.to_owned()).or_default();
        match *holder {
            Some(other) if other != run => Err(other),
            _ => {
                (*fence, *holder) = (*fence + 1, Some(run));
                Ok(*fence)
            }
        }
    }

    pub fn fence(&self, host: &str) -> u64 {
        self.leases.get(host).map_or(0, |(fence, _)| *fence)
    }

    pub fn release(&mut self, host: &str) {
        if let Some((fence, holder)) = self.leases.get_mut(host) {
            (*fence, *holder) = (*fence + 1, None);
        }
    }

    /// The hosts that nobody has given back.
    pub fn held(&self) -> Vec<String> {
        let held = self.leases.iter().filter(|(_, (_, holder))| holder.is_some());
        held.map(|(host, _)| host.clone()).collect()
    }

    pub fn claim(&self, key: &ReceiptKey) -> Option<&Claim> {
        self.claims.get(&key.to_string())
    }

    pub fn set(&mut self, key: &ReceiptKey, host: &str, standing: Standing) {
        let claim = Claim { key: key.clone(), host: host.to_owned(), standing };
        self.claims.insert(key.to_string(), claim);
    }

    /// The commands whose time has come by now.
    pub fn due(&mut self) -> Vec<Claim> {
        let now = Instant::now();
        let mut due = Vec::new();
        for claim in self.claims.values_mut() {
            if let Standing::Runs { left, until } = &mut claim.standing
                && *until.get_or_insert(now + *left) <= now
            {
                due.push(claim.clone());
            }
        }
        due
    }

    /// Whether a command of the step, and not of its undo, was ever claimed.
    pub fn has_claim(&self, step: &str) -> bool {
        self.of_step(step).next().is_some()
    }

    /// Whether one was ever cut off: then its receipt says nothing.
    pub fn was_cut(&self, step: &str) -> bool {
        self.of_step(step).any(|claim| claim.standing == Standing::Cut)
    }

    fn of_step(&self, step: &str) -> impl Iterator<Item = &Claim> {
        let is_of = move |claim: &&Claim| claim.key.step.as_str() == step && claim.key.phase == Phase::Do;
        self.claims.values().filter(is_of)
    }

    /// The commands that run.
    pub fn running(&self) -> impl Iterator<Item = &Claim> {
        self.claims.values().filter(|claim| matches!(claim.standing, Standing::Runs { .. }))
    }
}
