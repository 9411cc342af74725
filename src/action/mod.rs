//! What a step can do: one file per family, one type per action.
//!
//! An action turns its arguments into an [`Operation`] and says what it calls a success. It never performs anything: that
//! is the engine's, through a host. A new action is a new type, one line in [`registry`], and its golden tests.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

mod approve;
mod assert;
mod backups;
mod cleanup;
mod command;
mod compose;
mod container;
mod disk;
mod dns;
mod dump;
mod env;
mod http;
mod image;
mod network;
mod pin;
mod place;
mod postgres;
mod proxy;
mod redis;
mod redis_backup;
mod redis_restore;
mod redis_script;
pub mod reference;
pub mod registry;
mod release;
mod restore;
pub mod runbook;
mod server;
mod sound;
mod swap;
mod tables;
mod tcp;
mod tls;
mod untouched;
mod verdict;
mod volume;
mod wait;
mod word;

pub use place::{host, project, touches};

/// The arguments of an action, and what they mean. The type's doc comment and those of its fields are its reference.
pub trait Action: DeserializeOwned + schemars::JsonSchema {
    /// `family.verb`.
    const NAME: &'static str;

    /// The shape of its result.
    const GIVES: ResultKind;

    /// Whether it is about containers: an approval stands on those that a step is about.
    const TOUCHES: bool = true;

    /// What the action does to the world, as far as its arguments (rendered or not) tell.
    fn effect(args: &Map<String, Value>) -> Effect;

    /// How an argument is filled in before the action sees it.
    fn field(_name: &str) -> Field {
        Field::Template
    }

    /// Whether a host takes part in it. The arguments may be rendered or not.
    fn needs_host(_args: &Map<String, Value>) -> bool {
        true
    }

    /// # Errors
    /// In words, when the arguments make no sense, or name something that does not exist.
    fn build(&self, site: Site<'_>) -> Result<Operation, String>;

    /// What the action itself calls a success, where no `that` says otherwise.
    ///
    /// # Errors
    /// In words, what was wrong with `result` (see [`Observation`](crate::model::operation::Observation) for its fields).
    fn judge(operation: &Operation, result: &Value) -> Result<(), String>;
}

/// What an argument of an action is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// A value with templates in it.
    Template,
    /// A line for `sh -c`: what templates put into it is quoted.
    Shell,
    /// A condition over the step's scope: the action sees whether it holds.
    Condition,
    /// A check, or a runbook's parameters: handled by the planner, never filled in here.
    Untouched,
}
