//! What a step can do: one file per family, one type per action.
//!
//! An action turns its arguments into an [`Operation`] and says what it calls a success. It never performs anything: that
//! is the engine's, through a host. A new action is a new type, one line in [`registry`], and its golden tests.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;

pub mod registry;

/// The arguments of an action, and what they mean. The type's doc comment and those of its fields are its reference.
pub trait Action: DeserializeOwned + schemars::JsonSchema {
    /// `family.verb`.
    const NAME: &'static str;

    /// What the action does to the world, as far as its arguments (rendered or not) tell.
    fn effect(args: &Map<String, Value>) -> Effect;

    /// The host that it is done on when the step names none: where the project, database or cache of its arguments is.
    ///
    /// # Errors
    /// In words, when the arguments name something that the inventory does not have.
    fn host(&self, site: Site<'_>) -> Result<Option<String>, String>;

    /// # Errors
    /// In words, when the arguments name something that does not exist.
    fn build(&self, site: Site<'_>) -> Result<Operation, String>;

    /// What the action itself calls a success, where no `that` says otherwise.
    ///
    /// # Errors
    /// In words, what was wrong with `result` (see [`Observation`](crate::model::operation::Observation) for its fields).
    fn judge(result: &Value) -> Result<(), String>;
}
