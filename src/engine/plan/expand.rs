//! From the steps of a runbook to those of a plan: items of lists, included runbooks, and the steps that mend.

use serde_json::{Map, Value};

use super::task::{self, Place};
use super::{Find, condition, step};
use crate::action::runbook::Include;
use crate::base::id::StepKey;
use crate::base::{Error, Kind, Result};
use crate::model::facts::Site;
use crate::model::param;
use crate::model::plan::{Group, PlannedStep, When};
use crate::model::runbook::{OnFailure, Runbook, Step, Undo};
use crate::model::template::{self, Scope};
use crate::model::view;

pub(super) fn steps(
    find: Find<'_>,
    site: Site<'_>,
    runbook: &Runbook,
    params: &Map<String, Value>,
) -> Result<Vec<PlannedStep>> {
    let inventory = view::inventory(site.inventory);
    let mut expansion = Expansion { find, site, inventory, open: Vec::new(), steps: Vec::new() };
    expansion.runbook(runbook, params, None)?;
    Ok(expansion.steps)
}

struct Expansion<'a> {
    find: Find<'a>,
    site: Site<'a>,
    /// What every template may name as `inventory`.
    inventory: Value,
    /// The runbooks that are being expanded, the outermost first.
    open: Vec<String>,
    steps: Vec<PlannedStep>,
}

impl Expansion<'_> {
    fn runbook(
        &mut self,
        runbook: &Runbook,
        params: &Map<String, Value>,
        within: Option<&StepKey>,
    ) -> Result<()> {
        if self.open.contains(&runbook.runbook) {
            let circle = self.open.iter().chain([&runbook.runbook]).map(String::as_str).collect::<Vec<_>>();
            return Err(Error::invalid(format!("runbook `{}` leads back to itself", runbook.runbook))
                .cause(circle.join(" -> ")));
        }
        self.open.push(runbook.runbook.clone());
        let mut scope = params.clone();
        scope.insert("inventory".to_owned(), self.inventory.clone());
        for step in &runbook.steps {
            let id = StepKey::new(&step.id);
            let key = within.map_or_else(|| id.clone(), |within| within.child(&id));
            self.step(step, &key, &scope, within)?;
        }
        self.open.pop();
        Ok(())
    }

    fn step(&mut self, step: &Step, key: &StepKey, scope: &Scope, within: Option<&StepKey>) -> Result<()> {
        let told = |why: String| self.told(key, why);
        // A condition that does not ask for the item is asked first: the list may be of what there is none of.
        if !step.when.as_ref().is_some_and(|when| template::condition_uses(when, "item")) {
            let when = condition::when(Place { site: self.site, scope, within }, step).map_err(told)?;
            if let Some(When::Fixed { holds: false, .. }) = when {
                self.steps.push(step::passed_over(step, key, scope, when));
                return Ok(());
            }
        }
        let Some(list) = &step.for_each else {
            if step.parallel != 1 || step.max_failures != 0 {
                return Err(told("`parallel` and `max_failures` need `for_each`".to_owned()));
            }
            return self.single(step, key, scope, within, None);
        };
        if step.parallel == 0 {
            return Err(told("`parallel` is at least 1".to_owned()));
        }
        let items = items(list, scope).map_err(|why| told(format!("`for_each`: {why}")))?;
        for (name, item) in items {
            let mut scope = scope.clone();
            scope.insert("item".to_owned(), item);
            let group = Group { of: key.clone(), parallel: step.parallel, max_failures: step.max_failures };
            self.single(step, &key.item(&name), &scope, within, Some(group))?;
        }
        Ok(())
    }

    /// A step that stands for itself: one item, if it has any.
    fn single(
        &mut self,
        step: &Step,
        key: &StepKey,
        scope: &Scope,
        within: Option<&StepKey>,
        group: Option<Group>,
    ) -> Result<()> {
        let place = Place { site: self.site, scope, within };
        let when = condition::when(place, step).map_err(|why| self.told(key, why))?;
        let is_passed_over = matches!(when, Some(When::Fixed { holds: false, .. }));
        match step.action.action.as_str() {
            "runbook" if !is_passed_over => return self.include(step, key, place, when),
            // It keeps its place among the items.
            action if is_passed_over => {
                let group = group.filter(|_| action != "runbook");
                self.steps.push(PlannedStep { group, ..step::passed_over(step, key, scope, when) });
                return Ok(());
            }
            _ => {}
        }
        let planned = step::planned(place, step, key).map_err(|why| self.told(key, why))?;
        self.steps.push(PlannedStep { when, group, ..planned });
        if let OnFailure::Run { runbook, with } = &step.on_failure {
            let from = self.steps.len();
            self.nested(key, runbook, with, scope)?;
            for mending in self.steps[from..].iter_mut().filter(|step| step.rescues.is_none()) {
                mending.rescues = Some(key.clone());
            }
        }
        Ok(())
    }

    fn include(&mut self, step: &Step, key: &StepKey, place: Place<'_>, when: Option<When>) -> Result<()> {
        let told = |why: String| self.told(key, why);
        if let Some(field) = beyond_include(step) {
            return Err(told(format!(
                "`{field}` says nothing about a whole runbook: put it on the steps of that one"
            )));
        }
        let Include { name, with } = serde_json::from_value(Value::Object(step.action.args.clone()))
            .map_err(|error| told(format!("`runbook`: {error}")))?;
        let from = self.steps.len();
        self.nested(key, &name, &with, place.scope)?;
        if let Some(when) = when {
            for index in from..self.steps.len() {
                // What mends a step is only ever reached through that step.
                if self.steps[index].rescues.is_none() {
                    let own = self.steps[index].when.take();
                    let both = condition::both(when.clone(), own)
                        .map_err(|why| self.told(&self.steps[index].key, why))?;
                    self.steps[index].when = Some(both);
                }
            }
        }
        Ok(())
    }

    /// The steps of another runbook, below `key`.
    fn nested(&mut self, key: &StepKey, name: &str, with: &Map<String, Value>, outer: &Scope) -> Result<()> {
        let below = |error: Error| Error {
            kind: Kind::Invalid,
            message: format!("step `{key}`: runbook `{name}`: {}", error.message),
            ..error
        };
        let runbook = (self.find)(name).map_err(below)?;
        let given = task::values(with, outer).map_err(|why| self.told(key, format!("`with`: {why}")))?;
        let params = param::bind(&runbook.params, given, self.site.inventory).map_err(below)?;
        self.runbook(&runbook, &params, Some(key))
    }

    fn told(&self, key: &StepKey, why: String) -> Error {
        Error::invalid(format!("step `{key}`: {why}"))
    }
}

/// A field of a step that has no meaning for an included runbook, of which each step has its own.
fn beyond_include(step: &Step) -> Option<&'static str> {
    let given = [
        ("on", step.on.is_some()),
        ("parallel", step.parallel != 1),
        ("max_failures", step.max_failures != 0),
        ("timeout", step.timeout.is_some()),
        ("retry", step.retry.is_some()),
        ("done_when", step.done_when.is_some()),
        ("expect", !step.expect.is_empty()),
        ("undo", matches!(step.undo, Some(Undo::Action(_)))),
        ("irreversible", step.irreversible),
        ("approve", step.approve.is_some()),
        ("on_failure", step.on_failure != OnFailure::Halt),
        ("on_interrupted", step.on_interrupted.is_some()),
        ("outputs", !step.outputs.is_empty()),
    ];
    given.into_iter().find_map(|(name, is_given)| is_given.then_some(name))
}

/// The items of a list, with the name of each.
fn items(list: &str, scope: &Scope) -> Result<Vec<(String, Value)>, String> {
    task::now(list)?;
    let Value::Array(items) = template::evaluate(list, scope)? else {
        return Err(format!("`{list}` is not a list: write one such as `{{{{ service.instances }}}}`"));
    };
    let named = items.into_iter().map(|item| {
        let name = match template::named(item.clone()) {
            Value::String(name) => name,
            Value::Number(number) => number.to_string(),
            Value::Bool(is) => is.to_string(),
            other => return Err(format!("`{other}` has no name")),
        };
        // The name becomes a part of the step's, between brackets.
        if name.is_empty() || name.contains(['[', ']']) || name.chars().any(char::is_control) {
            return Err(format!("{name:?} cannot be the name of a step's item"));
        }
        Ok((name, item))
    });
    named.collect()
}
