//! Templates and conditions: their syntax, and the names in them.

use std::ops::Range;

use minijinja::Environment;
use serde_json::Value;

use super::Lint;
use super::scope::Scope;
use crate::model::result::ResultKind;
use crate::model::source::join;

/// Why a text is no template, and where in it.
pub(super) struct Broken {
    pub why: String,
    pub range: Option<Range<usize>>,
}

pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    // Without it an error does not say where it is.
    environment.set_debug(true);
    environment
}

pub(super) fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|start| text.contains(start))
}

/// The expression of a text that is one `{{ expression }}`; else the text, which is one without braces.
pub(super) fn bare(text: &str) -> &str {
    let inner = text.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
    inner.filter(|inner| !inner.contains("{{")).unwrap_or(text).trim()
}

/// The names that a template uses and does not itself set, with the fields that are asked of them: `service.host`.
fn names_of_template(text: &str) -> Result<Vec<String>, Broken> {
    let environment = environment();
    let template = environment.template_from_str(text).map_err(|error| broken(&error))?;
    Ok(free(&environment, template.undeclared_variables(true)))
}

pub(super) fn names_of_expression(text: &str) -> Result<Vec<String>, Broken> {
    let environment = environment();
    let expression = environment.compile_expression(text).map_err(|error| broken(&error))?;
    Ok(free(&environment, expression.undeclared_variables(true)))
}

fn free(environment: &Environment<'_>, names: impl IntoIterator<Item = String>) -> Vec<String> {
    let is_global = |name: &String| environment.globals().any(|(global, _)| global == name);
    let mut names: Vec<_> = names.into_iter().filter(|name| !is_global(name)).collect();
    names.sort();
    names
}

fn broken(error: &minijinja::Error) -> Broken {
    let why = error.detail().map(str::to_owned).unwrap_or_else(|| error.kind().to_string());
    Broken { why, range: error.range() }
}

impl Lint<'_> {
    /// Every text in an argument.
    pub(super) fn texts(&mut self, path: &str, value: &Value, scope: &Scope<'_>) {
        match value {
            Value::String(text) => self.text(path, text, scope),
            Value::Array(items) => {
                for (number, item) in items.iter().enumerate() {
                    self.texts(&format!("{path}/{number}"), item, scope);
                }
            }
            Value::Object(map) => {
                for (key, value) in map {
                    self.texts(&join(path, key), value, scope);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A text that may have templates in it.
    pub(super) fn text(&mut self, path: &str, text: &str, scope: &Scope<'_>) {
        if is_template(text) {
            match names_of_template(text) {
                Ok(names) => self.names(path, &names, scope),
                Err(broken) => {
                    let hint = "write a name as `{{ name }}`, a literal brace as `{{ '{' }}`";
                    self.broken(path, text, 0, ("a template", hint), broken);
                }
            }
        }
    }

    /// A condition over parameters, the inventory and outputs: an expression that needs no braces.
    pub(super) fn decision(&mut self, path: &str, text: &str, scope: &Scope<'_>) {
        if is_template(text) {
            self.add(path, "a condition is written without braces", bare(text));
        } else {
            self.expression(path, text, scope);
        }
    }

    /// A list, which is the value of a single template.
    pub(super) fn list(&mut self, path: &str, text: &str, scope: &Scope<'_>) {
        if bare(text) == text.trim() {
            let hint = format!("\"{{{{ {} }}}}\"", text.trim().replace('"', "'"));
            self.add(path, "the list has to be a template", &hint);
        } else {
            self.expression(path, text, scope);
        }
    }

    fn expression(&mut self, path: &str, text: &str, scope: &Scope<'_>) {
        let inner = bare(text);
        match names_of_expression(inner) {
            Ok(names) => self.names(path, &names, scope),
            Err(broken) => {
                let what = ("an expression", "write one such as `outputs.look.errors > 0`");
                self.broken(path, text, text.find(inner).unwrap_or(0), what, broken);
            }
        }
    }

    /// A condition on a result. Templates in it are filled in before; what remains sees the result and nothing else.
    pub(super) fn condition(&mut self, path: &str, text: &str, action: &str, scope: &Scope<'_>) {
        if is_template(text) {
            self.text(path, text, scope);
        } else if self.gives(action) != Some(ResultKind::Nothing) {
            // Where there is no result at all, the call itself is the mistake.
            self.result_expression(path, text, action);
        }
    }

    /// An expression over the result of `action`.
    pub(super) fn result_expression(&mut self, path: &str, text: &str, action: &str) {
        match names_of_expression(text) {
            Err(broken) => {
                self.broken(path, text, 0, ("a condition", "write one such as `status == 200`"), broken);
            }
            Ok(names) => names.iter().for_each(|name| self.result_field(path, name, action)),
        }
    }

    /// The field that a name such as `json.database` begins with. Of an unknown action nothing can be said.
    pub(super) fn result_field(&mut self, path: &str, name: &str, action: &str) {
        let Some(gives) = self.gives(action) else { return };
        let root = name.split('.').next().unwrap_or_default();
        let known = || gives.fields().iter().map(|field| field.name);
        if known().all(|field| field != root) {
            let place = self.source.at(path).word(name);
            let mistake = place.mistake(format!("the result of `{action}` has no field `{root}`"));
            self.push(match gives {
                ResultKind::Nothing => mistake.hint("it gives no result at all: take this from another step"),
                _ => mistake.known(root, known()),
            });
        }
    }

    /// The shape of an action's result; none when there is no such action.
    fn gives(&self, action: &str) -> Option<ResultKind> {
        self.specs.iter().find(|spec| spec.name == action).map(|spec| spec.gives)
    }

    fn names(&mut self, path: &str, names: &[String], scope: &Scope<'_>) {
        let place = self.source.at(path);
        let found: Vec<_> = names.iter().filter_map(|name| scope.mistake(name, &place)).collect();
        self.mistakes.extend(found);
    }

    fn broken(&mut self, path: &str, text: &str, offset: usize, (what, mend): (&str, &str), broken: Broken) {
        let place = self.source.at(path);
        let place = match broken.range {
            Some(range) => place.part(text, offset + range.start..offset + range.end),
            None => place,
        };
        self.push(place.mistake(format!("not {what}: {}", broken.why)).hint(mend));
    }
}
