//! Calls of actions: that the action exists, that its arguments fit, and that it may stand there.

use serde_json::{Map, Value};

use super::fit::Fit;
use super::scope::Scope;
use super::{Lint, Spec, include};
use crate::action::Field;
use crate::model::check::{Call, Check};
use crate::model::plan::Effect;
use crate::model::result::ResultKind;
use crate::model::source::join;

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Step,
    /// It may only read.
    Check,
    Undo,
}

/// What the planner puts other steps or checks in the place of.
pub(super) const RUNBOOK: &str = "runbook";
const WAIT: &str = "wait";

impl Lint<'_> {
    /// `path` is that of the map whose key is the action. Gives what the call does to the world.
    pub(super) fn call(&mut self, path: &str, call: &Call, role: Role, scope: &Scope<'_>) -> Effect {
        let Call { action, args } = call;
        let path = join(path, action);
        if action == RUNBOOK {
            self.included(&path, args, role, scope);
            return Effect::Reads;
        }
        let Some(spec) = self.specs.iter().find(|spec| spec.name == action) else {
            let mistake = self.source.key_at(&path).mistake(format!("there is no action `{action}`"));
            let known = self.specs.iter().map(|spec| spec.name);
            self.push(mistake.known(action, known));
            return Effect::Reads;
        };
        self.arguments(&path, spec, args, scope);
        if role == Role::Check && spec.gives == ResultKind::Nothing {
            let mistake = self
                .source
                .key_at(&path)
                .mistake(format!("`{action}` gives no result that could be checked"));
            self.push(mistake.hint("make it a step of its own"));
        }
        let effect = (spec.effect)(args);
        if role == Role::Check && effect != Effect::Reads {
            let mistake = self
                .source
                .key_at(&path)
                .mistake(format!("a check only reads, and `{action}` changes something"));
            self.push(
                match args.contains_key("reads") || spec.schema.pointer("/properties/reads").is_none() {
                    true => mistake.hint("make it a step of its own"),
                    false => mistake.hint("add `reads: true`, if it changes nothing"),
                },
            );
        }
        effect
    }

    fn arguments(&mut self, path: &str, spec: &Spec, args: &Map<String, Value>, scope: &Scope<'_>) {
        let mut fit = Fit { root: &spec.schema, misfits: Vec::new() };
        // The check that is waited for is looked at as a check.
        let plain: Map<_, _> = args
            .iter()
            .filter(|(key, _)| !(spec.name == WAIT && *key == "until"))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        fit.map(path, &spec.schema, &plain, &format!("`{}`", spec.name));
        for misfit in fit.misfits {
            let place = match misfit.is_at_key {
                true => self.source.key_at(&misfit.path),
                false => self.source.at(&misfit.path),
            };
            let mistake = match misfit.message.split_once(": write ") {
                Some((message, mend)) => place.mistake(message).hint(format!("write {mend}")),
                None => place.mistake(&misfit.message),
            };
            let known = misfit.known.iter().map(String::as_str);
            self.push(match (&misfit.about, misfit.known.is_empty()) {
                _ if !mistake.hints.is_empty() => mistake,
                (_, false) => mistake.known(&misfit.given, known),
                (Some(about), true) => mistake.hint(about.lines().next().unwrap_or_default()),
                (None, true) if misfit.is_at_key => mistake.hint(format!("add `{}: ...`", misfit.given)),
                (None, true) => mistake.hint("write another value"),
            });
        }
        for (key, value) in plain.iter() {
            let path = join(path, key);
            match value.as_str() {
                Some(condition) if (spec.field)(key) == Field::Condition => {
                    self.decision(&path, condition, scope)
                }
                _ => self.texts(&path, value, scope),
            }
        }
        match spec.name {
            WAIT => self.wait(path, args, scope),
            "command" => self.one_of(path, args, "argv", "shell"),
            _ => {}
        }
    }

    fn wait(&mut self, path: &str, args: &Map<String, Value>, scope: &Scope<'_>) {
        self.one_of(path, args, "for", "until");
        let Some(until) = args.get("until") else { return };
        let path = join(path, "until");
        match serde_json::from_value::<Check>(until.clone()) {
            Err(error) => {
                self.add(&path, error.to_string(), "write a check, such as `http.get: { url: ... }`")
            }
            Ok(check) => {
                self.check(&path, &check, scope);
                if check.patience.within.is_zero() {
                    let mistake = self.source.key_at(&path).mistake("a wait without an end");
                    self.push(mistake.hint("add `within: 60s`: how long it is waited for at most"));
                }
            }
        }
    }

    fn one_of(&mut self, path: &str, args: &Map<String, Value>, one: &str, other: &str) {
        if args.contains_key(one) == args.contains_key(other) {
            let mistake =
                self.source.key_at(path).mistake(format!("exactly one of `{one}` and `{other}` is expected"));
            self.push(match args.contains_key(one) {
                true => mistake.hint(format!("remove `{one}` or `{other}`")),
                false => mistake.hint(format!("add `{one}: ...`")),
            });
        }
    }

    fn included(&mut self, path: &str, args: &Map<String, Value>, role: Role, scope: &Scope<'_>) {
        if role != Role::Step {
            let mistake = self.source.key_at(path).mistake("a runbook can only be the `do` of a step");
            return self.push(mistake.hint("write one action here"));
        }
        for key in args.keys().filter(|key| !["name", "with"].contains(&key.as_str())) {
            let mistake = self.source.key_at(&join(path, key)).mistake(format!("`runbook` has no `{key}`"));
            self.push(mistake.known(key, ["name", "with"]));
        }
        let none = Map::new();
        let with = match args.get("with") {
            None => &none,
            Some(Value::Object(with)) => with,
            Some(_) => {
                self.add(
                    &join(path, "with"),
                    "expected a map of parameters",
                    "write `with: { name: value }`",
                );
                &none
            }
        };
        match args.get("name").and_then(Value::as_str) {
            Some(name) => {
                include::check(self, &join(path, "name"), name, &join(path, "with"), with, &scope.early())
            }
            None => {
                let mistake = self.source.key_at(path).mistake("`runbook` needs `name`");
                self.push(mistake.hint("runbook: { name: RUNBOOK, with: { ... } }"));
            }
        }
    }
}
