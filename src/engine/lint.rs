//! What `opsctl runbook check` refuses.
//!
//! A runbook that passes can still fail on a host, but not for what could be seen on paper: a step that cannot be taken back
//! and does not say so, a name that cannot exist, a branch that nothing reaches. All mistakes are told, each with its place
//! and its mend. Nothing here looks at an inventory: a runbook is right or wrong on every site alike.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::catalog::{Catalog, Entry};
use crate::action::{Field, registry};
use crate::base::Result;
use crate::model::check::{Check, Patience, Time};
use crate::model::param::ParamType;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;
use crate::model::runbook::{OnFailure, OnInterrupted, Risk, Runbook, Step, Undo};
use crate::model::source::{Mistake, Source, join};

mod call;
mod extract;
pub(super) mod fit;
mod include;
mod reach;
mod scope;
mod template;

use call::Role;
use scope::Scope;

/// What a runbook may call.
pub struct Spec {
    pub name: &'static str,
    pub gives: ResultKind,
    pub effect: fn(&Map<String, Value>) -> Effect,
    /// The JSON Schema of the arguments.
    pub schema: Value,
    /// What an argument is: only a condition is written without braces.
    pub field: fn(&str) -> Field,
}

impl Spec {
    pub fn of(entry: &registry::Entry) -> Spec {
        Spec {
            name: entry.name,
            gives: entry.gives,
            effect: entry.effect,
            schema: (entry.schema)().to_value(),
            field: entry.field,
        }
    }

    /// All actions that there are.
    pub fn all() -> Vec<Spec> {
        registry::all().iter().map(Spec::of).collect()
    }
}

/// Refuses a runbook that has a mistake.
///
/// # Errors
/// Of the kind invalid, with all mistakes and their places.
pub fn refuse(entry: &Entry, specs: &[Spec], catalog: &Catalog) -> Result<()> {
    entry.source.refuse(check(entry, specs, catalog))
}

/// All mistakes of a runbook.
pub fn check(entry: &Entry, specs: &[Spec], catalog: &Catalog) -> Vec<Mistake> {
    let Entry { runbook, source, .. } = entry;
    let mut lint = Lint { runbook, source, specs, catalog, mistakes: Vec::new() };
    lint.head();
    lint.steps();
    lint.mistakes
}

struct Lint<'a> {
    runbook: &'a Runbook,
    source: &'a Source,
    specs: &'a [Spec],
    catalog: &'a Catalog,
    mistakes: Vec<Mistake>,
}

impl Lint<'_> {
    fn head(&mut self) {
        let runbook = self.runbook;
        if !is_id(&runbook.runbook) {
            self.add("/runbook", format!("`{}` cannot be a name", runbook.runbook), ID_HINT);
        }
        self.filled("/title", &runbook.title);
        if runbook.steps.is_empty() {
            self.add(
                "/steps",
                "a runbook without steps",
                "add a step: `- { id: ..., title: ..., do: { ... } }`",
            );
        }
        for (name, param) in &runbook.params {
            let path = join("/params", name);
            if !is_variable(name) {
                let mistake = self.source.key_at(&path).mistake(format!("`{name}` cannot be a parameter"));
                self.push(
                    mistake.hint(format!("write `{}`: templates read `-` as minus", name.replace('-', "_"))),
                );
            } else if scope::ROOTS.contains(&name.as_str()) {
                let mistake =
                    self.source.key_at(&path).mistake(format!("`{name}` means something else in templates"));
                self.push(mistake.hint(format!("write `the_{name}`")));
            }
            scope::param(self, &path, param);
        }
        if let Some(lost) = &runbook.lost
            && runbook.params.get(lost).is_none_or(|param| param.kind != ParamType::Host)
        {
            let hint = "write the name of a parameter of the type `host`";
            self.add("/lost", format!("`{lost}` is no parameter that names a host"), hint);
        }
    }

    fn steps(&mut self) {
        let runbook = self.runbook;
        let mut scope = Scope::of(&runbook.params);
        let mut lines: HashMap<&str, usize> = HashMap::new();
        for (number, step) in runbook.steps.iter().enumerate() {
            let path = format!("/steps/{number}");
            let place = self.source.at(&join(&path, "id"));
            if !is_id(&step.id) {
                self.push(place.mistake(format!("`{}` cannot be the id of a step", step.id)).hint(ID_HINT));
            }
            if let Some(first) = lines.insert(&step.id, place.line()) {
                let mistake = place.mistake(format!("the id `{}` is used twice", step.id));
                self.push(mistake.hint(format!("write another one: the first is on line {first}")));
            }
            self.step(&path, step, &scope);
            scope.after(step);
        }
    }

    fn step(&mut self, path: &str, step: &Step, before: &Scope<'_>) {
        let at = |key: &str| join(path, key);
        let each = step.for_each.as_deref().map(|each| {
            self.list(&at("for_each"), each, &before.early());
            scope::item_kind(each, before)
        });
        let scope = before.with_item(each);
        let early = scope.early();

        self.filled(&at("title"), &step.title);
        self.text(&at("title"), &step.title, &early);
        step.on.iter().for_each(|on| self.text(&at("on"), on, &early));
        step.approve.iter().for_each(|question| self.text(&at("approve"), question, &early));
        step.approve.iter().for_each(|question| self.filled(&at("approve"), question));
        if let Some(when) = &step.when {
            self.decision(&at("when"), when, &scope);
            reach::check(self, &at("when"), when);
        }
        let effect = self.call(&at("do"), &step.action, Role::Step, &scope);
        if step.action.action == call::RUNBOOK {
            include::fields(self, path);
        }
        step.done_when.iter().for_each(|check| self.check(&at("done_when"), check, &scope));
        for (number, check) in step.expect.iter().enumerate() {
            self.check(&format!("{path}/expect/{number}"), check, &scope);
        }
        if let Some(Undo::Action(undo)) = &step.undo {
            self.call(&at("undo"), undo, Role::Undo, &scope.with_own(step));
        }
        if let OnFailure::Run { runbook, with } = &step.on_failure {
            let path = at("on_failure");
            include::check(self, &join(&path, "run"), runbook, &join(&path, "with"), with, &early);
        }
        for (name, extract) in &step.outputs {
            extract::check(self, &join(&at("outputs"), name), name, extract, &step.action.action);
        }
        self.safety(path, step, effect);
        self.numbers(path, step);
    }

    /// What a step does to the world, and what it has to say about that.
    fn safety(&mut self, path: &str, step: &Step, effect: Effect) {
        let id = &step.id;
        let call = join(&join(path, "do"), &step.action.action);
        if step.irreversible && step.undo.is_some() {
            let hint = "remove `irreversible`, or the `undo`";
            self.add(
                &join(path, "irreversible"),
                format!("`{id}` has an `undo` and is irreversible at once"),
                hint,
            );
        } else if effect > Effect::Reads && step.undo.is_none() && !step.irreversible {
            let message = format!("`{id}` changes something, and does not say how that is taken back");
            let mistake = self.source.key_at(&call).mistake(message);
            self.push(
                mistake
                    .hint("undo: { ACTION: { ... } }")
                    .hint("undo: none             # where there is nothing to take back")
                    .hint("irreversible: true     # the point of no return"),
            );
        }
        if effect == Effect::Destroys && step.approve.is_none() {
            let mistake =
                self.source.key_at(&call).mistake(format!("`{id}` can lose data, and nobody is asked"));
            self.push(mistake.hint("approve: \"...\"        # what a person has to agree to"));
        }
        let needed = match effect {
            Effect::Reads => Risk::ReadOnly,
            Effect::Ensures | Effect::Changes => Risk::Disruptive,
            Effect::Destroys => Risk::Destructive,
        };
        self.risk(&call, id, needed);
        if step.on_interrupted == Some(OnInterrupted::Probe) && step.done_when.is_none() {
            let hint = "add `done_when`, or write `on_interrupted: ask`";
            self.add(
                &join(path, "on_interrupted"),
                format!("`{id}` has no `done_when` that could decide"),
                hint,
            );
        }
    }

    /// Refuses what does more than the runbook admits.
    fn risk(&mut self, path: &str, what: &str, needed: Risk) {
        if needed > self.runbook.risk {
            let (needed, said) = (word(needed), word(self.runbook.risk));
            let place = self.source.key_at(path);
            let mistake = place.mistake(format!("`{what}` is {needed}, and the runbook calls itself {said}"));
            self.push(mistake.hint(format!("risk: {needed}")));
        }
    }

    fn numbers(&mut self, path: &str, step: &Step) {
        let at = |key: &str| join(path, key);
        if step.parallel == 0 {
            self.add(&at("parallel"), "none at once would never end", "write how many at once, such as `1`");
        }
        for key in ["parallel", "max_failures"] {
            if step.for_each.is_none() && self.source.has(&at(key)) {
                let place = self.source.key_at(&at(key));
                self.push(
                    place.mistake(format!("`{key}` without `for_each`")).hint("add `for_each`, or remove it"),
                );
            }
        }
        if let OnFailure::Run { with, .. } = &step.on_failure
            && step.parallel > 1
            && !with.values().any(|value| value.to_string().contains("item"))
        {
            let mistake = "items that fail would all run it side by side, and it is the same for each";
            self.add(
                &at("on_failure"),
                mistake,
                "leave out `parallel`, or say in `with` which `item` it is for",
            );
        }
        if step.timeout.is_some_and(|timeout| timeout.0.is_zero()) {
            self.add(&at("timeout"), "no time at all", "write how long an attempt may take, such as `60s`");
        }
        if let Some(retry) = &step.retry {
            if retry.attempts == 0 {
                self.add(
                    &join(&at("retry"), "attempts"),
                    "no attempt at all",
                    "write how many in all, such as `3`",
                );
            }
            if !retry.backoff.is_finite() || retry.backoff < 1.0 {
                let hint = "write by what each wait is longer than the one before, such as `2`";
                self.add(&join(&at("retry"), "backoff"), "the waits would become shorter", hint);
            }
        }
    }

    fn check(&mut self, path: &str, check: &Check, scope: &Scope<'_>) {
        self.call(path, &check.call, Role::Check, scope);
        check.on.iter().for_each(|on| self.text(&join(path, "on"), on, &scope.early()));
        check
            .that
            .iter()
            .for_each(|that| self.condition(&join(path, "that"), that, &check.call.action, scope));
        let Patience { within, every, successes, stays_good_for } = &check.patience;
        for (key, time) in [("within", within), ("stays_good_for", stays_good_for)] {
            if let Time::Template(text) = time {
                self.text(&join(path, key), text, &scope.early());
            }
        }
        if *successes == 0 {
            self.add(
                &join(path, "successes"),
                "no success is asked for",
                "write how many in a row, such as `3`",
            );
        }
        if *successes > 1 && within.is_zero() {
            let hint = "add `within: 60s`";
            self.add(
                &join(path, "successes"),
                format!("{successes} successes in a row, and no time for them"),
                hint,
            );
        }
        if every.0.is_zero() && !within.is_zero() {
            self.add(&join(path, "every"), "no pause between two tries", "write one such as `1s`");
        }
    }

    fn filled(&mut self, path: &str, text: &str) {
        if text.trim().is_empty() {
            self.add(path, "expected text, found nothing", "write one line that says it");
        }
    }

    fn push(&mut self, mistake: Mistake) {
        self.mistakes.push(mistake);
    }

    fn add(&mut self, path: &str, message: impl Into<String>, hint: &str) {
        self.push(self.source.at(path).mistake(message).hint(hint));
    }
}

const ID_HINT: &str = "use letters, digits, `-` and `_`, beginning with a letter";

fn is_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
}

fn is_variable(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn word(risk: Risk) -> &'static str {
    match risk {
        Risk::ReadOnly => "read-only",
        Risk::Disruptive => "disruptive",
        Risk::Destructive => "destructive",
    }
}

#[cfg(test)]
mod tests;
