//! The proofs of this layer: what is durable is read back exactly, and what was changed is found.

mod auditing;
mod damage;
#[cfg(feature = "crash-points")]
mod dying;
mod keeping;
mod locking;
mod travelling;
mod writing;

use std::collections::BTreeMap;
use std::path::Path;

use super::journal::Journal;
use crate::base::clock::{Clock, Timestamp};
use crate::base::id::{RunId, StepKey};
use crate::model::operation::Operation;
use crate::model::plan::{Effect, Form, Plan, PlannedFailure, PlannedStep, PlannedUndo, Task};
use crate::model::runbook::{OnInterrupted, Risk};
use crate::run::event::{Event, Outcome, Phase, Record};

fn plan() -> Plan {
    let step = |name: &str| PlannedStep {
        key: StepKey::new(name),
        title: "naïve \"quoted\" title\n".to_owned(),
        task: Task {
            action: "wait".to_owned(),
            effect: Effect::Reads,
            host: None,
            form: Form::Ready(Operation::Sleep(Default::default())),
        },
        when: None,
        done_when: None,
        expect: Vec::new(),
        undo: PlannedUndo::None,
        touches: Vec::new(),
        approve: None,
        timeout: None,
        retry: None,
        on_failure: PlannedFailure::Halt,
        on_interrupted: OnInterrupted::Rerun,
        outputs: Default::default(),
        group: None,
        rescues: None,
    };
    Plan {
        v: 1,
        site: "test".to_owned(),
        runbook: "test".to_owned(),
        origin: "built-in".to_owned(),
        title: "Test".to_owned(),
        risk: Risk::ReadOnly,
        severity: Default::default(),
        affects: Vec::new(),
        rto: None,
        subject: None,
        lost: None,
        params: Default::default(),
        inventory: "opsctl.yaml".to_owned(),
        hosts: BTreeMap::new(),
        basis: Default::default(),
        steps: vec![step("a"), step("b")],
    }
}

fn clock() -> Clock {
    Clock::fixed(Timestamp::UNIX_EPOCH)
}

fn created() -> Event {
    Event::RunCreated {
        run: RunId::generate(),
        plan: plan().digest(),
        runbook: "test".to_owned(),
        operator: "ada".to_owned(),
    }
}

fn epoch() -> Event {
    Event::EpochStarted { operator: "ada".to_owned(), pid: 1 }
}

fn started(step: &str) -> Event {
    Event::StepStarted { step: StepKey::new(step), attempt: 1, phase: Phase::Do }
}

fn finished(step: &str) -> Event {
    let outputs = BTreeMap::from([("line".to_owned(), "größe\n\u{0}\"".into())]);
    let outcome = Outcome::Succeeded { outputs, log: None, ms: 7 };
    Event::StepFinished { step: StepKey::new(step), attempt: 1, phase: Phase::Do, outcome }
}

/// A journal of four records in `folder`.
fn written(folder: &Path) -> Vec<Record> {
    let mut journal = Journal::create(folder, &plan(), clock()).unwrap();
    [created(), epoch(), started("a"), finished("a")].map(|event| journal.append(event).unwrap()).to_vec()
}
