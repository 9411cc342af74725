//! A runbook: a YAML procedure of typed parameters and steps, before any value is filled in.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::{Call, Check};
use super::extract::Extract;
use super::param::Param;
use crate::base::amount::Span;

/// A procedure: typed parameters and steps.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Runbook {
    /// Its name, the same as the file's.
    pub runbook: String,
    /// What is wrong, in one line.
    pub title: String,
    /// The names of the alerts that it answers.
    #[serde(default)]
    pub alerts: Vec<String>,
    /// The worst that it does.
    pub risk: Risk,
    /// How bad it is for the site, as messages about it say: `critical` when a whole service is down.
    #[serde(default)]
    pub severity: Severity,
    /// The recovery time that it aims at. Shown, measured and reported against.
    #[serde(default)]
    pub rto: Option<Span>,
    /// Its parameters, by name.
    #[serde(default)]
    pub params: IndexMap<String, Param>,
    /// The parameter that names a host which is lost: the plan is made as if what is on it were on its standby.
    #[serde(default)]
    pub lost: Option<String>,
    /// What is done, in order.
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    /// Changes nothing.
    ReadOnly,
    /// Interrupts something that can be started again.
    Disruptive,
    /// Can lose data.
    Destructive,
}

impl Risk {
    pub fn word(self) -> &'static str {
        match self {
            Risk::ReadOnly => "read-only",
            Risk::Disruptive => "disruptive",
            Risk::Destructive => "destructive",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The site still does its work.
    #[default]
    Warning,
    /// Something does not work at all.
    Critical,
}

impl Severity {
    /// As messages write it.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Warning => "Warning",
            Severity::Critical => "Critical",
        }
    }
}

/// One action of a procedure, and what has to be true before and after it.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name in the plan, the journal and the commands that settle it: letters, digits, `-` and `_`.
    pub id: String,
    /// What it does, in one line.
    pub title: String,
    /// The action, exactly one: `{ compose.restart: { project: ..., service: ... } }`.
    #[serde(rename = "do")]
    pub action: Call,
    /// The host. Without it: the host of what the action names, such as its project or database.
    #[serde(default)]
    pub on: Option<String>,
    /// A condition. When it is false, the step is skipped.
    #[serde(default)]
    pub when: Option<String>,
    /// A list to do the step for, one by one, as `item`.
    #[serde(default)]
    pub for_each: Option<String>,
    /// How many items of `for_each` at once.
    #[serde(default = "one")]
    pub parallel: u32,
    /// How many items of `for_each` may fail before the others are not begun.
    #[serde(default)]
    pub max_failures: u32,
    /// How long one attempt may take, its expectations not included.
    #[serde(default)]
    pub timeout: Option<Span>,
    /// How often, and after which waits, a failed attempt is repeated. Without it: never.
    #[serde(default)]
    pub retry: Option<Retry>,
    /// A check that answers whether this has already happened. It skips a satisfied step, and settles an interrupted one.
    #[serde(default)]
    pub done_when: Option<Check>,
    /// Checks that must hold after the step.
    #[serde(default)]
    pub expect: Vec<Check>,
    /// The action that takes the step back, or `none`.
    #[serde(default)]
    pub undo: Option<Undo>,
    /// The point of no return: nothing takes this step back.
    #[serde(default)]
    pub irreversible: bool,
    /// What a person has to agree to before the step starts.
    #[serde(default)]
    pub approve: Option<String>,
    /// What a failure leads to: `halt`, `undo`, `continue`, or another runbook.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// What to do when nobody knows whether the step took effect. Without it: `rerun` for reads and for actions that state
    /// a desired condition, `probe` where there is a `done_when`, else `ask`.
    #[serde(default)]
    pub on_interrupted: Option<OnInterrupted>,
    /// What later steps may use, as `outputs.STEP.NAME`.
    #[serde(default)]
    pub outputs: IndexMap<String, Extract>,
}

/// How a failed attempt is repeated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// How many attempts in all.
    pub attempts: u32,
    /// The wait before the second attempt.
    #[serde(default = "default_delay")]
    pub delay: Span,
    /// By what each wait is longer than the one before.
    #[serde(default = "default_backoff")]
    pub backoff: f64,
    /// No wait is longer than this.
    #[serde(default = "default_max_delay")]
    pub max_delay: Span,
}

/// The action that takes a step back; `none` says that there is nothing to take back.
#[derive(Debug, Clone, PartialEq)]
pub enum Undo {
    None,
    Action(Call),
}

/// What a failed step leads to: `halt`, `undo`, `continue`, or `{ run: RUNBOOK, with: {...} }`.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum OnFailure {
    /// The run stops there, resumable.
    #[default]
    Halt,
    /// Everything done so far is taken back. A host that cannot be reached is waited for instead.
    Undo,
    /// The run goes on; the step stays failed.
    Continue,
    /// Another runbook is run, and then this step is tried once more.
    Run { runbook: String, with: serde_json::Map<String, serde_json::Value> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnInterrupted {
    /// Doing it twice is the same as doing it once.
    Rerun,
    /// `done_when` decides.
    Probe,
    /// A person decides.
    Ask,
}

fn one() -> u32 {
    1
}

fn default_delay() -> Span {
    Span::secs(1)
}

fn default_backoff() -> f64 {
    2.0
}

fn default_max_delay() -> Span {
    Span::secs(30)
}

impl schemars::JsonSchema for Undo {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Undo".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let call = generator.subschema_for::<Call>();
        schemars::json_schema!({
            "description": "The action that takes the step back, or `none` where there is nothing to take back.",
            "anyOf": [{ "const": "none" }, call],
        })
    }
}

impl schemars::JsonSchema for OnFailure {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OnFailure".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "What a failure of the step leads to: the run halts, is undone, goes on, or first runs another \
                runbook and then tries the step once more.",
            "anyOf": [
                { "enum": ["halt", "undo", "continue"] },
                {
                    "type": "object",
                    "properties": { "run": { "type": "string" }, "with": { "type": "object" } },
                    "required": ["run"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}
