//! Conditions that decide nothing: always true, or never.
//!
//! Where a condition depends on nothing but choices and booleans, all their values are tried. What depends on the site or on
//! an output can be either.

use minijinja::Value;

use super::{Lint, template};
use crate::base::nearest::listed;
use crate::model::param::{Param, ParamType};

/// More combinations than these are not tried.
const LIMIT: usize = 256;

pub(super) fn check(lint: &mut Lint<'_>, path: &str, when: &str) {
    let when = template::bare(when);
    let Ok(names) = template::names_of_expression(when) else { return };
    let params: Option<Vec<_>> =
        names.iter().map(|name| Some((name.as_str(), values(lint.runbook.params.get(name)?)?))).collect();
    let Some(params) = params else { return };
    let environment = template::environment();
    let Ok(expression) = environment.compile_expression(when) else { return };
    let count: usize = params.iter().map(|(_, values)| values.len()).product();
    if count == 0 || count > LIMIT {
        return;
    }
    let outcomes: Option<Vec<bool>> = (0..count)
        .map(|mut number| {
            let chosen = params.iter().map(|(name, values)| {
                let value = values[number % values.len()].clone();
                number /= values.len();
                (*name, value)
            });
            expression.eval(Value::from_pairs(chosen)).ok().map(|value| value.is_true())
        })
        .collect();
    let Some(outcomes) = outcomes else { return };
    let whatever = match params.is_empty() {
        true => String::new(),
        false => format!(", whatever the value of {}", listed(params.iter().map(|(name, _)| *name))),
    };
    if outcomes.iter().all(|holds| !holds) {
        let message = format!("no condition reaches this step: it is never so{whatever}");
        lint.add(path, message, "correct the condition, or remove the step");
    } else if outcomes.iter().all(|holds| *holds) {
        lint.add(
            path,
            format!("this condition decides nothing: it is always so{whatever}"),
            "remove the `when`",
        );
    }
}

/// All values of a parameter; none where they cannot be counted.
fn values(param: &Param) -> Option<Vec<Value>> {
    match param.kind {
        ParamType::Boolean => Some(vec![Value::from(false), Value::from(true)]),
        ParamType::Choice => Some(param.choices.iter().map(|choice| Value::from(choice.as_str())).collect()),
        _ => None,
    }
}
