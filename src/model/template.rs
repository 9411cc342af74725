//! Filling in templates, strictly: a name that is not there is an error that says so, never an empty string.
//!
//! A text that is exactly one `{{ expression }}` gives the value itself, so that numbers and lists stay what they are; any
//! other text gives a string. An object of the inventory stands for its `name`. In a shell line every value becomes one
//! quoted word (see [`shell`]); in a condition it becomes a literal. Nothing in a template can reach a file, the network,
//! the clock or chance, so the same scope always gives the same text.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use minijinja::value::Value as Shown;
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior};
use serde_json::{Map, Value};

mod fault;
mod object;
mod place;
pub mod shell;

pub use object::named;
pub use shell::render as render_shell;

pub type Scope = Map<String, Value>;

static TEXT: LazyLock<Environment<'static>> = LazyLock::new(|| environment(print));
static LITERAL: LazyLock<Environment<'static>> = LazyLock::new(|| environment(print_literal));

type Print = fn(&mut Output, &mut State, &Shown) -> Result<(), Error>;

fn environment(print: Print) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(print);
    // Not for its output: only so does an error know the undefined expression by name.
    environment.set_debug(true);
    environment.add_filter("pointer", pointer);
    // They are about HTML, and would only look as if they made something safe for a shell.
    for filter in ["safe", "escape", "e"] {
        environment.remove_filter(filter);
    }
    environment
}

/// What a JSON pointer (RFC 6901) leads to: `json | pointer("/build/version")`. Nothing where it leads nowhere.
fn pointer(value: &Shown, path: &str) -> Result<Shown, Error> {
    let value = serde_json::to_value(value).map_err(|error| refused(error.to_string()))?;
    Ok(value.pointer(path).map_or(Shown::from(()), object::shown_value))
}

/// Fills in a text; a view of the inventory becomes its name.
///
/// # Errors
/// In words, when the template is malformed, or names something that `scope` does not have.
pub fn render(text: &str, scope: &Scope) -> Result<Value, String> {
    evaluate(text, scope).map(object::named)
}

/// As [`render`], in everything that `value` holds. Keys are not templates.
///
/// # Errors
/// As [`render`].
pub fn render_value(value: &Value, scope: &Scope) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => render(text, scope)?,
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| render_value(item, scope)).collect::<Result<_, _>>()?)
        }
        Value::Object(map) => {
            let filled = map.iter().map(|(key, value)| Ok((key.clone(), render_value(value, scope)?)));
            Value::Object(filled.collect::<Result<_, String>>()?)
        }
        plain => plain.clone(),
    })
}

/// Fills in a text that is always text, such as a title.
///
/// # Errors
/// As [`render`], and when the value is a list or nothing at all.
pub fn render_text(text: &str, scope: &Scope) -> Result<String, String> {
    render_with(&TEXT, text, scope)
}

/// Fills in a text and keeps views of the inventory whole, so that the items of a `for_each` have fields.
///
/// # Errors
/// As [`render`].
pub fn evaluate(text: &str, scope: &Scope) -> Result<Value, String> {
    let Some(expression) = sole_expression(text) else {
        return render_text(text, scope).map(Value::String);
    };
    let value = expression_value(expression, scope)?;
    serde_json::to_value(&value).map_err(|error| format!("`{expression}`: {error}"))
}

/// Fills in a condition whose names belong to a result that is not there yet: each `{{ expression }}` in it becomes a
/// literal.
///
/// # Errors
/// As [`render`], and when a template stands inside quotes.
pub fn render_condition(text: &str, scope: &Scope) -> Result<String, String> {
    let rendered = render_with(&LITERAL, text, scope)?;
    let mut quote = None;
    let mut escaped = false;
    place::put(&rendered, |step| match step {
        place::Step::Char(c) => {
            match (quote, c) {
                _ if escaped => escaped = false,
                (Some(_), '\\') => escaped = true,
                (Some(open), _) if open == c => quote = None,
                (None, '\'' | '"') => quote = Some(c),
                _ => {}
            }
            Ok(())
        }
        place::Step::Value if quote.is_some() => {
            Err(format!("a value inside quotes in `{text}`: it brings its own, leave them out"))
        }
        place::Step::Value => Ok(()),
    })
}

/// Whether a condition holds: an expression without braces, such as `status == 200 and json.database == "ok"`.
///
/// # Errors
/// In words, when the condition is malformed, or names something that `scope` does not have.
pub fn holds(expression: &str, scope: &Scope) -> Result<bool, String> {
    value_of(expression, scope).map(|value| object::holds(&value))
}

/// What an expression without braces gives.
///
/// # Errors
/// As [`holds`].
pub fn value_of(expression: &str, scope: &Scope) -> Result<Value, String> {
    let value = expression_value(expression, scope)?;
    serde_json::to_value(&value).map_err(|error| format!("`{expression}`: {error}"))
}

/// The names that a template uses and does not define itself, with the fields it asks of them: `service`, `service.host`.
///
/// # Errors
/// In words, when the template is malformed.
pub fn names(text: &str) -> Result<BTreeSet<String>, String> {
    let template = TEXT.template_from_str(text).map_err(|error| fault::syntax(&error, text))?;
    Ok(template.undeclared_variables(true).into_iter().collect())
}

/// As [`names`], of a condition.
///
/// # Errors
/// In words, when the condition is malformed.
pub fn names_in_condition(expression: &str) -> Result<BTreeSet<String>, String> {
    let compiled = compiled(expression)?;
    Ok(compiled.undeclared_variables(true).into_iter().collect())
}

/// Whether a template uses the name `root`. What is malformed uses nothing: rendering it says what is wrong.
pub fn uses(text: &str, root: &str) -> bool {
    names(text).is_ok_and(|names| names.iter().any(|name| is_under(name, root)))
}

/// As [`uses`], of a condition.
pub fn condition_uses(expression: &str, root: &str) -> bool {
    names_in_condition(expression).is_ok_and(|names| names.iter().any(|name| is_under(name, root)))
}

/// As [`uses`], anywhere in `value`.
pub fn value_uses(value: &Value, root: &str) -> bool {
    match value {
        Value::String(text) => uses(text, root),
        Value::Array(items) => items.iter().any(|item| value_uses(item, root)),
        Value::Object(map) => map.values().any(|value| value_uses(value, root)),
        _ => false,
    }
}

fn is_under(name: &str, root: &str) -> bool {
    name.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The expression of a text that is nothing but `{{ expression }}`.
fn sole_expression(text: &str) -> Option<&str> {
    let inside = text.strip_prefix("{{")?.strip_suffix("}}")?;
    let inside = inside.strip_prefix('-').unwrap_or(inside);
    let inside = inside.strip_suffix('-').unwrap_or(inside).trim();
    TEXT.compile_expression(inside).is_ok().then_some(inside)
}

fn compiled(expression: &str) -> Result<minijinja::Expression<'_, '_>, String> {
    if expression.trim_start().starts_with("{{") {
        return Err(format!("`{expression}` is a condition already: leave out the braces"));
    }
    TEXT.compile_expression(expression).map_err(|error| fault::syntax(&error, expression))
}

fn expression_value(expression: &str, scope: &Scope) -> Result<Shown, String> {
    let value = compiled(expression)?
        .eval(object::shown(scope))
        .map_err(|error| fault::told(&error, expression, scope))?;
    if value.is_undefined() { Err(fault::undefined(expression, scope)) } else { Ok(value) }
}

fn render_with(environment: &Environment<'static>, text: &str, scope: &Scope) -> Result<String, String> {
    if place::has_marks(text) {
        return Err("the template holds a character of Unicode's private use".to_owned());
    }
    let template = environment.template_from_str(text).map_err(|error| fault::syntax(&error, text))?;
    template.render(object::shown(scope)).map_err(|error| fault::told(&error, text, scope))
}

/// A value as people read it.
fn print(out: &mut Output, _: &mut State, value: &Shown) -> Result<(), Error> {
    out.write_str(&object::printed(value)?).map_err(Error::from)
}

fn print_literal(out: &mut Output, _: &mut State, value: &Shown) -> Result<(), Error> {
    let value = serde_json::to_value(value).map_err(|error| refused(error.to_string()))?;
    let literal = match object::named(value) {
        Value::Null => "none".to_owned(),
        value => value.to_string(),
    };
    place::mark(out, &literal)
}

fn refused(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, why.into())
}

#[cfg(test)]
mod tests;
