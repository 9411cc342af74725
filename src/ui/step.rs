//! One step of a plan in few words: exactly what, what must be true before and after, how it is taken back. What anybody would
//! expect is not said.

use serde_json::{Map, Value};

use super::paint::{Ink, hang, visible};
use crate::base::amount::Span;
use crate::model::check::Patience;
use crate::model::operation::{Command, HttpRequest, Operation, Program, SecretHeader};
use crate::model::param::written;
use crate::model::plan::{Effect, Form, PlannedCheck, PlannedFailure, PlannedStep, PlannedUndo, Task, When};
use crate::model::runbook::{OnInterrupted, Retry};
use crate::model::template::{self, Scope};

/// What is said of a step, besides its number, key and title.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Telling {
    /// A few words each, for one line together.
    pub notes: Vec<String>,
    /// Painted; what a command has as several lines is several lines here.
    pub lines: Vec<String>,
}

/// How steps are told.
pub struct Teller<'a> {
    /// Also what anybody would expect, and every check in full.
    pub is_verbose: bool,
    /// The step, shown already, that asks the same as a check does.
    pub asked_by: &'a dyn Fn(&Task) -> Option<usize>,
}

impl Teller<'_> {
    pub fn tell(&self, step: &PlannedStep) -> Telling {
        Telling { notes: self.notes(step), lines: self.lines(step) }
    }

    fn notes(&self, step: &PlannedStep) -> Vec<String> {
        let mut notes = Vec::new();
        notes.extend(host(step).map(|host| format!("on {}", visible(host))));
        notes.extend(step.timeout.map(|timeout| format!("timeout {timeout}")));
        notes.extend(step.retry.as_ref().and_then(of_retry));
        if !step.outputs.is_empty() {
            let names: Vec<_> = step.outputs.keys().map(|name| visible(name)).collect();
            notes.push(format!("gives {}", names.join(", ")));
        }
        if step.undo == PlannedUndo::None && step.task.effect != Effect::Reads {
            notes.push("nothing to take back".to_owned());
        }
        match step.on_failure {
            // Said once for all steps, at the end of the plan; said by the steps below this one.
            PlannedFailure::Halt | PlannedFailure::Rescue => {}
            PlannedFailure::Undo => notes.push("if it fails everything is undone".to_owned()),
            PlannedFailure::Continue => notes.push("may fail".to_owned()),
        }
        notes.extend(self.of_interruption(step).map(str::to_owned));
        notes
    }

    /// What is done when nobody knows whether the step took effect.
    fn of_interruption(&self, step: &PlannedStep) -> Option<&'static str> {
        let is_repeatable = matches!(step.task.effect, Effect::Reads | Effect::Ensures);
        match step.on_interrupted {
            OnInterrupted::Rerun => (!is_repeatable).then_some("run again if interrupted"),
            OnInterrupted::Probe if self.is_verbose => Some("if interrupted `done_when` decides"),
            OnInterrupted::Ask if self.is_verbose || is_repeatable || step.done_when.is_some() => {
                Some("if interrupted you are asked")
            }
            OnInterrupted::Probe | OnInterrupted::Ask => None,
        }
    }

    fn lines(&self, step: &PlannedStep) -> Vec<String> {
        let mut lines = Vec::new();
        match &step.when {
            Some(When::Deferred { text, .. }) => {
                lines.push(labelled("only if", &format!("`{}`, decided when its turn comes", visible(text))));
            }
            Some(When::Fixed { text, .. }) if self.is_verbose => {
                lines.push(labelled("only if", &format!("`{}`, which is true", visible(text))));
            }
            Some(When::Fixed { .. }) | None => {}
        }
        let is_asked_twice = !self.is_verbose && is_what_it_expects(step);
        if let Some(check) = step.done_when.as_ref().filter(|_| !is_asked_twice) {
            lines.push(labelled("skipped if", &self.of_check(check, step)));
        }
        if let Some(question) = &step.approve {
            lines.push(Ink::Warn.on(labelled("asks first", &visible(question))));
        }
        let is_empty_wait =
            matches!(&step.task.form, Form::Ready(Operation::Sleep(time)) if time.0.is_zero());
        if !is_empty_wait || step.expect.is_empty() {
            lines.push(self.marked(&step.task));
        }
        let label = if is_empty_wait { "until" } else { "then" };
        for check in &step.expect {
            let mut text = self.of_check(check, step);
            if let (true, Some(done_when)) = (is_asked_twice, &step.done_when) {
                text.push_str("; skipped if it does already");
                text.push_str(&of_staying(done_when.patience));
            }
            lines.push(labelled(label, &text));
        }
        if let PlannedUndo::Task(task) = &step.undo {
            lines.push(labelled("undo", &format!("{}{}", self.marked(task), elsewhere(task, step))));
        }
        lines
    }

    /// The call behind the mark of what it does: `?` asks, `$` changes something, `!` can lose data.
    fn marked(&self, task: &Task) -> String {
        let (mark, ink) = match task.effect {
            Effect::Reads => ('?', Ink::Plain),
            Effect::Ensures | Effect::Changes => ('$', Ink::Command),
            Effect::Destroys => ('!', Ink::Bad),
        };
        ink.on(format!("{mark} {}", hang(&self.call(task), 2)))
    }

    /// A script of opsctl's own is long, and the same in every plan: it is called by its name, and by what it is given here.
    fn call(&self, task: &Task) -> String {
        match &task.form {
            Form::Ready(Operation::Command(Command { program: Program::Script(script), .. }))
                if !self.is_verbose =>
            {
                let lines = script.text().lines().count();
                format!("{} (a script of {lines} lines; -v shows it)", visible(&script.summary()))
            }
            _ => call(task),
        }
    }

    fn of_check(&self, check: &PlannedCheck, step: &PlannedStep) -> String {
        let known = if self.is_verbose { None } else { (self.asked_by)(&check.task) };
        let what = match known {
            Some(number) => format!("step {number}"),
            None => format!("{}{}", self.call(&check.task), elsewhere(&check.task, step)),
        };
        let verdict = match &check.that {
            Some(that) => format!("gives `{}`", visible(that)),
            None => "succeeds".to_owned(),
        };
        format!("{what} {verdict}{}", self.of_patience(check.patience))
    }

    /// How long a check is waited for. Follows the condition that must hold.
    fn of_patience(&self, patience: Patience) -> String {
        let Patience { within, every, successes, .. } = patience;
        let mut words = String::new();
        if successes > 1 {
            words.push_str(&format!(" {successes} times in a row"));
        }
        if !within.0.is_zero() {
            words.push_str(&format!(", within {within}"));
        }
        let is_tried_again = successes > 1 || !within.0.is_zero();
        if is_tried_again && (self.is_verbose || every != Patience::<Span>::default().every) {
            words.push_str(&format!(", asked every {every}"));
        }
        words + &of_staying(patience)
    }
}

fn of_staying(patience: Patience) -> String {
    let time = patience.stays_good_for;
    if time.0.is_zero() { String::new() } else { format!(" and stays so for {time}") }
}

/// Whether a step asks before it begins just what must be true when it ends.
fn is_what_it_expects(step: &PlannedStep) -> bool {
    match (&step.done_when, step.expect.as_slice()) {
        (Some(before), [after]) => (&before.task, &before.that) == (&after.task, &after.that),
        _ => false,
    }
}

/// Where the step takes place; one that only waits does so where it looks.
pub fn host(step: &PlannedStep) -> Option<&String> {
    let looks = step.expect.iter().map(|check| &check.task);
    std::iter::once(&step.task).chain(looks).find_map(|task| task.host.as_ref())
}

fn elsewhere(task: &Task, step: &PlannedStep) -> String {
    let elsewhere = task.host.as_ref().filter(|other| host(step) != Some(other));
    elsewhere.map(|host| format!(" on {}", visible(host))).unwrap_or_default()
}

fn labelled(label: &str, text: &str) -> String {
    format!("{label}: {}", hang(text, label.len() + 2))
}

/// The call as a person would type it; what is not rendered yet, with its arguments.
pub fn call(task: &Task) -> String {
    match &task.form {
        Form::Ready(operation) => of_operation(operation),
        Form::Deferred { args, scope, .. } => {
            format!(
                "{} {} (filled in from an earlier step's output when its turn comes)",
                task.action,
                of_args(args, scope)
            )
        }
    }
}

/// What is known already is filled in, for the reader.
fn of_args(args: &Map<String, Value>, scope: &Scope) -> String {
    let args = args.iter().map(|(name, value)| {
        let value = template::render_value(value, scope).unwrap_or_else(|_| value.clone());
        format!("{}={}", visible(name), visible(&written(&value)))
    });
    args.collect::<Vec<_>>().join(" ")
}

fn of_operation(operation: &Operation) -> String {
    let shown = visible(&operation.to_string());
    match operation {
        Operation::Command(command) if !command.success_codes.is_empty() => {
            let codes: Vec<_> = command.success_codes.iter().map(i32::to_string).collect();
            format!("{shown}\n(exit codes that mean success: {})", codes.join(", "))
        }
        Operation::Http(HttpRequest { headers, secret_headers, .. })
            if !headers.is_empty() || !secret_headers.is_empty() =>
        {
            let headers =
                headers.iter().map(|(name, value)| format!("{}: {}", visible(name), visible(value)));
            let secret = secret_headers.iter().map(|(name, SecretHeader { before, secret })| {
                format!("{}: {}({secret})", visible(name), visible(before))
            });
            let headers = headers.chain(secret);
            format!("{shown}\nwith {}", headers.collect::<Vec<_>>().join("\n     "))
        }
        Operation::Assert { holds: true, .. } => format!("{shown} (it holds)"),
        Operation::Assert { holds: false, .. } => format!("{shown} (it does not hold: the run stops here)"),
        _ => shown,
    }
}

fn of_retry(retry: &Retry) -> Option<String> {
    let Retry { attempts, delay, backoff, max_delay } = retry;
    match (*attempts, *backoff > 1.0) {
        (0 | 1, _) => None,
        (_, false) => Some(format!("{attempts} attempts, {delay} apart")),
        (_, true) => Some(format!("{attempts} attempts, {delay} apart and growing to at most {max_delay}")),
    }
}
