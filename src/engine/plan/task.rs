//! One call of an action, made concrete: its arguments, its operation, its host.

use serde_json::{Map, Value};

use crate::action;
use crate::action::registry::{self, Entry};
use crate::base::amount::Span;
use crate::base::id::StepKey;
use crate::engine::fill;
use crate::model::check::{Call, Check, Patience, Time};
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::{Effect, Form, PlannedCheck, Task};
use crate::model::template::{self, Scope};
use crate::model::touched::Touched;

/// What a call is made concrete in.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub site: Site<'a>,
    pub scope: &'a Scope,
    /// The step that includes the runbook that this is in.
    pub within: Option<&'a StepKey>,
}

/// Where a host is taken from, the first first.
#[derive(Clone, Copy, Default)]
pub(super) struct Hosts<'a> {
    /// What the runbook says, as a template.
    pub on: Option<&'a str>,
    /// When neither that nor the arguments name one: for a check, its step's.
    pub otherwise: Option<&'a str>,
}

/// A task, and the containers that it is about where it may change something.
pub(super) struct Concrete {
    pub task: Task,
    pub touches: Vec<Touched>,
}

/// # Errors
/// In words, what is wrong with the call.
pub(super) fn task(place: Place<'_>, call: &Call, hosts: Hosts<'_>) -> Result<Concrete, String> {
    concrete(place, call, hosts, None).map_err(|why| format!("`{}`: {why}", call.action))
}

/// `that` is the condition of a check: one that waits for an output needs the scope that only a deferred task keeps.
fn concrete(place: Place<'_>, call: &Call, hosts: Hosts<'_>, that: Option<&str>) -> Result<Concrete, String> {
    let Place { site, scope, within } = place;
    let entry = entry(&call.action)?;
    let uses = |name: &str| {
        fill::uses(entry, &call.args, name) || that.is_some_and(|that| template::uses(that, name))
    };
    let (form, named, known) = if uses(fill::OUTPUTS) {
        let known = fill::known(entry, &call.args, scope)?;
        let named = action::host(&known, site)?;
        let scope = fill::narrowed(scope, uses);
        (Form::Deferred { args: call.args.clone(), scope, within: within.cloned() }, named, known)
    } else {
        let args = fill::all(entry, &call.args, scope)?;
        let built = (entry.build)(&args, site)?;
        (Form::Ready(built.operation), built.host, args)
    };
    let host = if (entry.needs_host)(&known) { Some(host(place, hosts, named)?) } else { None };
    let effect = (entry.effect)(&call.args);
    let touches = match effect {
        Effect::Reads => Vec::new(),
        _ if !entry.touches => Vec::new(),
        _ => action::touches(&known, &call.args, host.as_deref(), site)?,
    };
    Ok(Concrete { task: Task { action: call.action.clone(), effect, host, form }, touches })
}

fn entry(action: &str) -> Result<&'static Entry, String> {
    registry::find(action).ok_or_else(|| "there is no such action".to_owned())
}

fn host(place: Place<'_>, hosts: Hosts<'_>, named: Option<String>) -> Result<String, String> {
    let said = hosts.on.map(|on| text(on, place.scope).map_err(|why| format!("`on`: {why}"))).transpose()?;
    let host = match (said, named) {
        (Some(said), Some(named)) if said != named => {
            return Err(format!("`on` says host `{said}`, but what the arguments name is on `{named}`"));
        }
        (Some(said), _) => said,
        (None, Some(named)) => named,
        (None, None) => hosts
            .otherwise
            .map(str::to_owned)
            .ok_or("no host is named: add `on: HOST`, such as `on: \"{{ service.host }}\"`")?,
    };
    if place.site.inventory.hosts.contains_key(&host) {
        return Ok(host);
    }
    let known: Vec<_> = place.site.inventory.hosts.keys().map(|name| format!("`{name}`")).collect();
    Err(format!("there is no host `{host}`: the inventory has {}", known.join(", ")))
}

/// # Errors
/// In words, what is wrong with the check.
pub(super) fn check(
    place: Place<'_>,
    check: &Check,
    step_host: Option<&str>,
) -> Result<PlannedCheck, String> {
    let Check { call, on, that, patience } = check;
    let told = |why: String| format!("`{}`: {why}", call.action);
    let time = |key: &str, time: &Time| match time {
        Time::Fixed(span) => Ok(*span),
        Time::Template(template) => text(template, place.scope)
            .and_then(|text| text.parse::<Span>())
            .map_err(|why| told(format!("`{key}`: {why}"))),
    };
    let patience = Patience {
        within: time("within", &patience.within)?,
        every: patience.every,
        successes: patience.successes,
        stays_good_for: time("stays_good_for", &patience.stays_good_for)?,
    };
    if patience.successes == 0 {
        return Err(told("`successes` is at least 1".to_owned()));
    }
    if patience.every == Span::default() && patience.within != Span::default() {
        return Err(told("`every` is longer than nothing".to_owned()));
    }
    let hosts = Hosts { on: on.as_deref(), otherwise: step_host };
    let Concrete { task, .. } = concrete(place, call, hosts, that.as_deref()).map_err(told)?;
    if task.effect != Effect::Reads {
        return Err(told("it may change something, and a check only reads".to_owned()));
    }
    if matches!(task.form, Form::Ready(Operation::Approve { .. } | Operation::Sleep(_))) {
        return Err(told("it has no result that could be checked".to_owned()));
    }
    let that = match (that, &task.form) {
        (Some(that), Form::Ready(_)) => {
            let that =
                template::render_condition(that, place.scope).map_err(|why| format!("`that`: {why}"))?;
            template::names_in_condition(&that).map_err(|why| format!("`that`: {why}"))?;
            Some(that)
        }
        (that, _) => that.clone(),
    };
    Ok(PlannedCheck { task, that, patience })
}

/// A text that has to be known when the plan is made.
///
/// # Errors
/// In words, also when it uses an output.
pub(super) fn text(text: &str, scope: &Scope) -> Result<String, String> {
    now(text)?;
    template::render_text(text, scope)
}

/// # Errors
/// In words, when the template uses an output.
pub(super) fn now(text: &str) -> Result<(), String> {
    if template::uses(text, fill::OUTPUTS) {
        return Err("it has to be known when the plan is made, and cannot use `outputs`".to_owned());
    }
    Ok(())
}

/// # Errors
/// In words, when a template in it uses an output.
pub(super) fn values(given: &Map<String, Value>, scope: &Scope) -> Result<Map<String, Value>, String> {
    let filled = given.iter().map(|(name, value)| {
        if template::value_uses(value, fill::OUTPUTS) {
            return Err(format!(
                "`{name}`: it has to be known when the plan is made, and cannot use `outputs`"
            ));
        }
        let value = template::render_value(value, scope).map_err(|why| format!("`{name}`: {why}"))?;
        Ok((name.clone(), value))
    });
    filled.collect()
}
