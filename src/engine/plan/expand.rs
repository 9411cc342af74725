//! From the steps of a runbook to those of a plan: items of lists, included runbooks, and the steps that mend.

use serde_json::{Map, Value};

use super::task::{self, Hosts, Place};
use super::{Library, scope};
use crate::action::runbook::Include;
use crate::base::error::{Error, Result};
use crate::base::id::StepKey;
use crate::engine::fill;
use crate::model::check::Check;
use crate::model::facts::Site;
use crate::model::plan::{Effect, Group, PlannedFailure, PlannedStep, PlannedUndo, When};
use crate::model::runbook::{OnFailure, OnInterrupted, Runbook, Step, Undo};
use crate::model::template::{self, Scope};

pub(super) fn steps(
    library: Library<'_>,
    site: Site<'_>,
    runbook: &Runbook,
    scope: &Scope,
) -> Result<Vec<PlannedStep>> {
    let mut expansion = Expansion { library, site, open: Vec::new(), steps: Vec::new() };
    expansion.runbook(runbook, scope, None)?;
    Ok(expansion.steps)
}

struct Expansion<'l, 's> {
    library: Library<'l>,
    site: Site<'s>,
    /// The runbooks that are being expanded, the outermost first.
    open: Vec<String>,
    steps: Vec<PlannedStep>,
}

impl Expansion<'_, '_> {
    fn runbook(&mut self, runbook: &Runbook, scope: &Scope, within: Option<&StepKey>) -> Result<()> {
        if self.open.contains(&runbook.runbook) {
            let circle = self.open.iter().chain([&runbook.runbook]).map(String::as_str).collect::<Vec<_>>();
            return Err(Error::invalid(format!("runbook `{}` leads back to itself", runbook.runbook))
                .cause(circle.join(" -> ")));
        }
        self.open.push(runbook.runbook.clone());
        for step in &runbook.steps {
            let id = StepKey::new(&step.id);
            let key = within.map_or_else(|| id.clone(), |within| within.child(&id));
            self.step(step, &key, scope, within)?;
        }
        self.open.pop();
        Ok(())
    }

    fn step(&mut self, step: &Step, key: &StepKey, scope: &Scope, within: Option<&StepKey>) -> Result<()> {
        let told = |why: String| self.told(key, why);
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
        if step.action.action == "runbook" {
            return self.include(step, key, place);
        }
        let planned = planned(place, step, key, group).map_err(|why| self.told(key, why))?;
        self.steps.push(planned);
        if let OnFailure::Run { runbook, with } = &step.on_failure {
            let from = self.steps.len();
            self.nested(key, runbook, with, scope)?;
            for mending in self.steps[from..].iter_mut().filter(|step| step.rescues.is_none()) {
                mending.rescues = Some(key.clone());
            }
        }
        Ok(())
    }

    fn include(&mut self, step: &Step, key: &StepKey, place: Place<'_>) -> Result<()> {
        let told = |why: String| self.told(key, why);
        if let Some(field) = beyond_include(step) {
            return Err(told(format!(
                "`{field}` says nothing about a whole runbook: put it on the steps of that one"
            )));
        }
        let Include { name, with } = serde_json::from_value(Value::Object(step.action.args.clone()))
            .map_err(|error| told(format!("`runbook`: {error}")))?;
        let when = when(place, step).map_err(&told)?;
        let from = self.steps.len();
        self.nested(key, &name, &with, place.scope)?;
        if let Some(when) = when {
            for index in from..self.steps.len() {
                // What mends a step is only ever reached through that step.
                if self.steps[index].rescues.is_none() {
                    let own = self.steps[index].when.take();
                    let both =
                        both(when.clone(), own).map_err(|why| self.told(&self.steps[index].key, why))?;
                    self.steps[index].when = Some(both);
                }
            }
        }
        Ok(())
    }

    /// The steps of another runbook, below `key`.
    fn nested(&mut self, key: &StepKey, name: &str, with: &Map<String, Value>, outer: &Scope) -> Result<()> {
        let runbook = (self.library.find)(name).ok_or_else(|| {
            self.told(key, format!("there is no runbook `{name}`")).hint("opsctl runbook list")
        })?;
        let given = task::values(with, outer).map_err(|why| self.told(key, format!("`with`: {why}")))?;
        let params = (self.library.bind)(runbook, given).map_err(|error| Error {
            message: format!("step `{key}`: runbook `{name}`: {}", error.message),
            ..Error { kind: crate::base::error::Kind::Invalid, ..error }
        })?;
        self.runbook(runbook, &scope(self.library.seen, &params), Some(key))
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

fn planned(
    place: Place<'_>,
    step: &Step,
    key: &StepKey,
    group: Option<Group>,
) -> Result<PlannedStep, String> {
    let hosts = Hosts { on: step.on.as_deref(), otherwise: None };
    let task = task::task(place, &step.action, hosts)?;
    let host = task.host.clone().map_or_else(|| said_host(place, step), |host| Ok(Some(host)))?;
    let check = |field: &str, check: &Check| {
        task::check(place, check, host.as_deref()).map_err(|why| format!("`{field}`: {why}"))
    };
    let mut expect = Vec::new();
    if let Some(until) = step.action.args.get("until").filter(|_| step.action.action == "wait") {
        let until: Check =
            serde_json::from_value(until.clone()).map_err(|error| format!("`until`: {error}"))?;
        expect.push(check("until", &until)?);
    }
    for expected in &step.expect {
        expect.push(check("expect", expected)?);
    }
    let done_when = step.done_when.as_ref().map(|done_when| check("done_when", done_when)).transpose()?;
    let undo = match (&step.undo, step.irreversible) {
        (Some(Undo::Action(_)), true) => return Err("it has an `undo` and is `irreversible`".to_owned()),
        (_, true) => PlannedUndo::Irreversible,
        (Some(Undo::Action(call)), false) => {
            // As for a check: what it names has its own host, and everything else is where the step was.
            let hosts = Hosts { on: None, otherwise: host.as_deref() };
            let undo = task::task(place, call, hosts).map_err(|why| format!("`undo`: {why}"))?;
            PlannedUndo::Task(undo)
        }
        (Some(Undo::None) | None, false) => PlannedUndo::None,
    };
    for (name, extract) in &step.outputs {
        extract.validate().map_err(|why| format!("`outputs`: `{name}`: {why}"))?;
    }
    let text =
        |field: &str, text: &str| task::text(text, place.scope).map_err(|why| format!("`{field}`: {why}"));
    Ok(PlannedStep {
        key: key.clone(),
        title: text("title", &step.title)?,
        when: when(place, step)?,
        on_interrupted: on_interrupted(step, task.effect)?,
        task,
        done_when,
        expect,
        undo,
        approve: step.approve.as_deref().map(|question| text("approve", question)).transpose()?,
        timeout: step.timeout,
        retry: step.retry.clone(),
        on_failure: match step.on_failure {
            OnFailure::Halt => PlannedFailure::Halt,
            OnFailure::Undo => PlannedFailure::Undo,
            OnFailure::Continue => PlannedFailure::Continue,
            OnFailure::Run { .. } => PlannedFailure::Rescue,
        },
        outputs: step.outputs.clone(),
        group,
        rescues: None,
    })
}

/// The host that a step names although its action needs none: its checks may.
fn said_host(place: Place<'_>, step: &Step) -> Result<Option<String>, String> {
    let said = step.on.as_deref().map(|on| task::text(on, place.scope));
    said.transpose().map_err(|why| format!("`on`: {why}"))
}

fn when(place: Place<'_>, step: &Step) -> Result<Option<When>, String> {
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
fn both(outer: When, own: Option<When>) -> Result<When, String> {
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

fn on_interrupted(step: &Step, effect: Effect) -> Result<OnInterrupted, String> {
    match (step.on_interrupted, &step.done_when) {
        (Some(OnInterrupted::Probe), None) => Err("`on_interrupted: probe` needs a `done_when`".to_owned()),
        (Some(said), _) => Ok(said),
        (None, _) if effect <= Effect::Ensures => Ok(OnInterrupted::Rerun),
        (None, Some(_)) => Ok(OnInterrupted::Probe),
        (None, None) => Ok(OnInterrupted::Ask),
    }
}
