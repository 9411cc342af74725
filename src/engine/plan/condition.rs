//! The conditions of steps: worked out now, or kept until the outputs are there that they use.

use super::task::Place;
use crate::engine::fill;
use crate::model::plan::When;
use crate::model::runbook::Step;
use crate::model::template;

/// # Errors
/// In words, when the condition is malformed or names something that there is not.
pub(super) fn when(place: Place<'_>, step: &Step) -> Result<Option<When>, String> {
    let Some(text) = &step.when else { return Ok(None) };
    if template::condition_uses(text, fill::OUTPUTS) {
        return Ok(Some(When::Deferred {
            text: text.clone(),
            scope: fill::narrowed(place.scope, |name| template::condition_uses(text, name)),
            within: place.within.cloned(),
        }));
    }
    let holds = template::holds(text, place.scope).map_err(|why| format!("`when`: {why}"))?;
    Ok(Some(When::Fixed { holds, text: text.clone() }))
}

/// A step of an included runbook is done when the including step's condition holds and its own.
///
/// # Errors
/// In words, when both wait for outputs: they are of two runbooks, and a plan's condition sees those of one.
pub(super) fn both(outer: When, own: Option<When>) -> Result<When, String> {
    match (outer, own) {
        (outer, None) => Ok(outer),
        (outer @ When::Fixed { holds: false, .. }, _) => Ok(outer),
        (_, Some(own @ When::Fixed { holds: false, .. })) => Ok(own),
        (When::Fixed { .. }, Some(own)) => Ok(own),
        (outer, Some(When::Fixed { .. })) => Ok(outer),
        (When::Deferred { .. }, Some(When::Deferred { .. })) => {
            Err("its `when` and that of the including step both use `outputs`: keep one of them".to_owned())
        }
    }
}
