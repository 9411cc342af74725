//! A plan: a runbook bound to an inventory and parameters. Concrete steps, hosts and commands, in order, with a digest.
//!
//! A plan is pinned: a run performs what its plan says, whatever happens to the runbook or the inventory meanwhile. All
//! templates are rendered, except in steps that use an earlier step's output: those keep what is needed to render them.

use std::collections::BTreeMap;
use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::affected::Affected;
use super::check::Patience;
use super::extract::Extract;
use super::facts::{Facts, Site};
use super::inventory::{Host, Inventory, is_default};
use super::operation::Operation;
use super::runbook::{OnInterrupted, Retry, Risk, Severity};
use super::touched::Touched;
use crate::base::amount::Span;
use crate::base::id::StepKey;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The version of this format.
    pub v: u32,
    pub site: String,
    pub runbook: String,
    /// `built-in`, or the file that it was read from.
    pub origin: String,
    pub title: String,
    pub risk: Risk,
    #[serde(default, skip_serializing_if = "is_default")]
    pub severity: Severity,
    /// The services that what is wrong has to do with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affects: Vec<Affected>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rto: Option<Span>,
    pub params: Map<String, Value>,
    /// What a destructive plan can destroy, by the name that is typed to approve it; of any other plan nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The host that it gives up: all that was on it is on its standby then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
    /// The inventory file, for a later `resume`: relative paths in host entries are relative to it.
    pub inventory: String,
    /// The hosts that the steps use, as they were when the plan was made.
    pub hosts: BTreeMap<String, Host>,
    pub basis: Basis,
    pub steps: Vec<PlannedStep>,
}

/// What the plan was made from. Steps that use an output are built from it when their turn comes, also after a `resume`, so
/// that a changed inventory never changes a run that is under way.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Basis {
    pub inventory: Inventory,
    pub facts: Facts,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    pub key: StepKey,
    pub title: String,
    #[serde(rename = "do")]
    pub task: Task,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_when: Option<PlannedCheck>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<PlannedCheck>,
    pub undo: PlannedUndo,
    /// The containers that it and its undo are about, where they may change something and name a project. Each project once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub touches: Vec<Touched>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approve: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    pub on_failure: PlannedFailure,
    pub on_interrupted: OnInterrupted,
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub outputs: IndexMap<String, Extract>,
    /// The `for_each` that it is an item of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Group>,
    /// The step whose failure leads here. The step is passed over when that one did not fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescues: Option<StepKey>,
}

/// The items of one `for_each`: neighbours in the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub of: StepKey,
    pub parallel: u32,
    pub max_failures: u32,
}

/// One call of an action on a host: rendered and built, or still to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    pub action: String,
    pub effect: Effect,
    /// Absent for what no host takes part in, such as an approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    pub form: Form,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    Ready(Operation),
    /// Uses an earlier step's output: rendered and built when its turn comes.
    Deferred {
        args: Map<String, Value>,
        /// What templates may name, besides `outputs`.
        scope: Map<String, Value>,
        /// The step that includes the runbook whose outputs are meant. Absent for those of the plan's own runbook.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        within: Option<StepKey>,
    },
}

/// What an action does to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Changes nothing: may be repeated at will.
    Reads,
    /// States a desired condition: doing it twice is the same as doing it once.
    Ensures,
    /// Changes something each time it is done.
    Changes,
    /// Can lose data.
    Destroys,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Already worked out.
    Fixed { holds: bool, text: String },
    /// Uses an earlier step's output.
    Deferred {
        text: String,
        scope: Map<String, Value>,
        /// As in [`Form::Deferred`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        within: Option<StepKey>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedCheck {
    pub task: Task,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub that: Option<String>,
    pub patience: Patience,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlannedUndo {
    /// There is nothing to take back.
    None,
    Task(Box<Task>),
    /// The point of no return.
    Irreversible,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlannedFailure {
    Halt,
    Undo,
    Continue,
    /// The steps that have this one in `rescues` are run, then this step is tried once more.
    Rescue,
}

/// The sha256 of something, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// A digest as it was written down.
    pub fn parse(text: &str) -> Option<Digest> {
        let is_digest = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_digest.then(|| Digest(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl PlannedUndo {
    pub fn task(&self) -> Option<&Task> {
        match self {
            PlannedUndo::Task(task) => Some(task.as_ref()),
            PlannedUndo::None | PlannedUndo::Irreversible => None,
        }
    }
}

impl Task {
    /// The host that it changes.
    pub fn changed_host(&self) -> Option<&str> {
        self.host.as_deref().filter(|_| self.effect > Effect::Reads)
    }
}

impl Basis {
    pub fn site(&self) -> Site<'_> {
        Site { inventory: &self.inventory, facts: &self.facts }
    }
}

impl Plan {
    /// Covers every rendered command, check and condition: what an approval is bound to.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }

    /// The one byte form of the plan, as `plan.json` holds it.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a plan is made of maps with string keys")
    }

    pub fn step(&self, key: &StepKey) -> Option<&PlannedStep> {
        self.steps.iter().find(|step| step.key == *key)
    }

    /// The containers that the steps are about, as far as they name a project.
    pub fn touches(&self) -> Vec<Touched> {
        Touched::merged(self.steps.iter().flat_map(|step| &step.touches))
    }
}
