//! One step of a plan, in full: where, exactly what, what must be true before and after, and how it is taken back.

use serde_json::{Map, Value};

use super::field::Fields;
use super::paint::{Ink, visible};
use crate::model::check::Patience;
use crate::model::operation::{Command, Operation};
use crate::model::plan::{Effect, Form, PlannedCheck, PlannedFailure, PlannedStep, PlannedUndo, Task, When};
use crate::model::runbook::{OnInterrupted, Retry};

/// The column of the labels.
const LABEL: usize = 13;

/// The lines below the step's title.
pub fn text(step: &PlannedStep, indent: usize) -> String {
    let mut fields = Fields::new(indent, LABEL);
    fields.add("step", Ink::Plain, &visible(step.key.as_str()));
    if let Some(When::Fixed { holds: false, text }) = &step.when {
        // What is certain not to run is not shown as if it did.
        fields.add("skipped", Ink::Plain, &format!("`{}` is false", visible(text)));
        return fields.into_text();
    }
    if let Some(host) = &step.task.host {
        fields.add("on", Ink::Plain, &visible(host));
    }
    match &step.when {
        Some(When::Deferred { text, .. }) => {
            fields.add("when", Ink::Plain, &format!("`{}`, decided when its turn comes", visible(text)));
        }
        Some(When::Fixed { text, .. }) => {
            fields.add("when", Ink::Plain, &format!("`{}`, which is true", visible(text)));
        }
        None => {}
    }
    if let Some(check) = &step.done_when {
        add_check(&mut fields, "done when", check, step, "; then the step is skipped");
    }
    if let Some(question) = &step.approve {
        fields.add("asks first", Ink::Warn, &visible(question));
    }
    add_task(&mut fields, label_of(&step.task), &step.task);
    if let Some(timeout) = step.timeout {
        fields.add("timeout", Ink::Plain, &format!("{timeout} for each attempt"));
    }
    if let Some(retry) = &step.retry {
        fields.add("retry", Ink::Plain, &of_retry(retry));
    }
    for check in &step.expect {
        add_check(&mut fields, "expects", check, step, "");
    }
    if !step.outputs.is_empty() {
        let names: Vec<_> = step.outputs.keys().map(|name| visible(name)).collect();
        fields.add("outputs", Ink::Plain, &format!("{}, for later steps", names.join(", ")));
    }
    add_undo(&mut fields, step);
    match step.on_failure {
        // Said once for all steps, at the end of the plan; said by the steps below this one.
        PlannedFailure::Halt | PlannedFailure::Rescue => {}
        PlannedFailure::Undo => {
            fields.add("if it fails", Ink::Plain, "everything done so far is undone");
        }
        PlannedFailure::Continue => fields.add("if it fails", Ink::Plain, "the run goes on"),
    }
    if let Some(text) = of_interruption(step) {
        fields.add("interrupted", Ink::Plain, text);
    }
    fields.into_text()
}

fn label_of(task: &Task) -> &'static str {
    match &task.form {
        Form::Ready(Operation::Sleep(_)) => "waits",
        Form::Ready(Operation::Assert { .. }) => "checks",
        Form::Ready(Operation::Approve { .. }) => "asks",
        Form::Ready(_) | Form::Deferred { .. } => match task.effect {
            Effect::Reads => "reads",
            Effect::Ensures => "ensures",
            Effect::Changes => "changes",
            Effect::Destroys => "destroys",
        },
    }
}

/// The call as a person would type it; what is not rendered yet, with its arguments.
pub fn add_task(fields: &mut Fields, label: &str, task: &Task) {
    match &task.form {
        Form::Ready(operation) => add_operation(fields, label, operation),
        Form::Deferred { args, .. } => {
            fields.add(label, Ink::Command, &visible(&task.action));
            add_args(fields, args);
            fields.below("(filled in from an earlier step's output when its turn comes)");
        }
    }
}

fn add_args(fields: &mut Fields, args: &Map<String, Value>) {
    for (name, value) in args {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        fields.below(&format!("  {name}: {}", visible(&value)));
    }
}

/// The operation as a person would type it, and below it what a command line does not say.
fn add_operation(fields: &mut Fields, label: &str, operation: &Operation) {
    let ink = if label == "destroys" { Ink::Bad } else { Ink::Command };
    match operation {
        Operation::Command(command) => {
            fields.add(label, ink, &visible(&operation.to_string()));
            add_command(fields, command);
        }
        Operation::Exec(exec) => {
            fields.add(label, ink, &visible(&operation.to_string()));
            fields.below(&format!("(read through Docker, answer within {})", exec.deadline));
        }
        Operation::Docker(_) => fields.add(label, ink, &visible(&operation.to_string())),
        Operation::Http(request) => {
            fields.add(label, ink, &visible(&operation.to_string()));
            for (name, value) in &request.headers {
                fields.below(&format!("  {}: {}", visible(name), visible(value)));
            }
            if let Some(body) = &request.body {
                fields.below(&format!("  body: {}", visible(body)));
            }
        }
        Operation::Connect { .. } => fields.add(label, ink, &visible(&operation.to_string())),
        Operation::Sleep(span) => fields.add(label, Ink::Plain, &span.to_string()),
        Operation::Assert { holds, message } => {
            let verdict = if *holds { "holds" } else { "does not hold: the run stops here" };
            fields.add(label, Ink::Plain, &format!("{} ({verdict})", visible(message)));
        }
        Operation::Approve { question } => fields.add(label, Ink::Warn, &visible(question)),
    }
}

fn add_command(fields: &mut Fields, command: &Command) {
    if let Some(stdin) = &command.stdin {
        fields.below("with this as its standard input:");
        fields.below(&visible(stdin).lines().map(|line| format!("  {line}\n")).collect::<String>());
    }
    if !command.success_codes.is_empty() {
        let codes: Vec<_> = command.success_codes.iter().map(i32::to_string).collect();
        fields.below(&format!("(exit codes that mean success: {})", codes.join(", ")));
    }
}

fn add_check(fields: &mut Fields, label: &str, check: &PlannedCheck, step: &PlannedStep, then: &str) {
    add_task(fields, label, &check.task);
    if let Some(host) = check.task.host.as_ref().filter(|host| step.task.host.as_ref() != Some(host)) {
        fields.below(&format!("on {}", visible(host)));
    }
    let that = check.that.as_ref().map_or("it succeeds".to_owned(), |that| format!("`{}`", visible(that)));
    fields.below(&format!("{that}{}{then}", of_patience(check.patience)));
}

/// How long a check is waited for, in words. Follows the condition that must hold.
fn of_patience(patience: Patience) -> String {
    let Patience { within, every, successes, stays_good_for } = patience;
    let times = if successes > 1 { format!(" {successes} times in a row") } else { String::new() };
    let mut words = match (within.0.is_zero(), successes) {
        (true, 0..=1) => ", asked once".to_owned(),
        (true, _) => format!(",{times}, every {every}"),
        (false, _) => format!(", until it holds{times}, every {every}, for at most {within}"),
    };
    if !stays_good_for.0.is_zero() {
        words.push_str(&format!(", and it must stay so for {stays_good_for}"));
    }
    words
}

fn of_retry(retry: &Retry) -> String {
    let Retry { attempts, delay, backoff, max_delay } = retry;
    if *attempts <= 1 {
        return "one attempt only".to_owned();
    }
    if *backoff <= 1.0 {
        return format!("{attempts} attempts in all, {delay} apart");
    }
    format!(
        "{attempts} attempts in all, {delay} apart, each wait {backoff} times longer, at most {max_delay}"
    )
}

fn add_undo(fields: &mut Fields, step: &PlannedStep) {
    match &step.undo {
        PlannedUndo::Task(task) => {
            add_task(fields, "undo", task);
            if let Some(host) = task.host.as_ref().filter(|host| step.task.host.as_ref() != Some(host)) {
                fields.below(&format!("on {}", visible(host)));
            }
        }
        PlannedUndo::Irreversible => fields.add("undo", Ink::Bad, "impossible"),
        PlannedUndo::None if step.task.effect == Effect::Reads => {}
        PlannedUndo::None => fields.add("undo", Ink::Plain, "nothing to take back"),
    }
}

/// What is done when nobody knows whether the step took effect; not said where repeating it is what anybody would expect.
fn of_interruption(step: &PlannedStep) -> Option<&'static str> {
    match (step.on_interrupted, step.task.effect) {
        (OnInterrupted::Rerun, Effect::Reads | Effect::Ensures) => None,
        (OnInterrupted::Rerun, Effect::Changes | Effect::Destroys) => Some("it is run again"),
        (OnInterrupted::Probe, _) => Some("`done when` decides whether it is run again"),
        (OnInterrupted::Ask, _) => Some("you are asked whether it took effect"),
    }
}
