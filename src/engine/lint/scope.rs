//! The names that a template of a step may use.

use indexmap::IndexMap;

use super::Lint;
use crate::model::param::{Param, ParamType};
use crate::model::runbook::Step;
use crate::model::source::{Mistake, Place, join};
use crate::model::view;

/// The names that are there beside the parameters.
pub(super) const ROOTS: [&str; 3] = ["item", "outputs", "inventory"];

/// The kind of an `item`, where it can be told.
pub(super) type Item = Option<ParamType>;

#[derive(Clone)]
pub(super) struct Scope<'a> {
    params: &'a IndexMap<String, Param>,
    /// Present in a step with `for_each`.
    item: Option<Item>,
    /// The earlier steps with the names of their outputs.
    steps: Vec<(&'a str, Vec<&'a str>)>,
    /// Those of them that may be found done already: what they give is for the record alone.
    skipped: Vec<&'a str>,
    /// Whether it is for what has to be known when the plan is made, before there is any output.
    is_early: bool,
}

impl<'a> Scope<'a> {
    pub(super) fn of(params: &'a IndexMap<String, Param>) -> Scope<'a> {
        Scope { params, item: None, steps: Vec::new(), skipped: Vec::new(), is_early: false }
    }

    pub(super) fn after(&mut self, step: &'a Step) {
        self.steps.push((&step.id, step.outputs.keys().map(String::as_str).collect()));
        if step.done_when.is_some() {
            self.skipped.push(&step.id);
        }
    }

    /// An undo comes after its step: it may use that step's outputs.
    pub(super) fn with_own<'b>(&self, step: &'b Step) -> Scope<'b>
    where
        'a: 'b,
    {
        let mut scope: Scope<'b> = self.clone();
        scope.after(step);
        scope.skipped.retain(|id| *id != step.id);
        scope
    }

    pub(super) fn with_item(&self, item: Option<Item>) -> Scope<'a> {
        Scope { item, ..self.clone() }
    }

    pub(super) fn early(&self) -> Scope<'a> {
        Scope { is_early: true, ..self.clone() }
    }

    /// What is wrong with a name such as `service.host`, or `outputs.disk.free`, that stands at `place`.
    pub(super) fn mistake(&self, name: &str, place: &Place<'_>) -> Option<Mistake> {
        let mut parts = name.split('.');
        let root = parts.next().unwrap_or_default();
        let place = place.clone().word(name);
        match root {
            "inventory" => {
                let field = parts.next()?;
                let message = || place.mistake(format!("the inventory has no `{field}`"));
                (!view::INVENTORY_FIELDS.contains(&field))
                    .then(|| message().known(field, view::INVENTORY_FIELDS))
            }
            "outputs" if self.is_early => {
                let mistake =
                    place.mistake("this has to be known when the plan is made, and there are no outputs yet");
                Some(mistake.hint("use a parameter or the inventory here"))
            }
            "outputs" => self.output(parts.next()?, parts.next(), &place),
            "item" => match self.item {
                None => {
                    let mistake = place.mistake("`item` is only there in a step with `for_each`");
                    Some(mistake.hint("for_each: \"{{ service.instances }}\""))
                }
                Some(kind) => field(kind?, "item", parts.next()?, &place),
            },
            _ => match self.params.get(root) {
                Some(param) => field(param.kind, root, parts.next()?, &place),
                None => {
                    let known = self.params.keys().map(String::as_str).chain(ROOTS);
                    Some(place.mistake(format!("there is no `{root}` here")).known(root, known))
                }
            },
        }
    }

    fn output(&self, step: &str, output: Option<&str>, place: &Place<'_>) -> Option<Mistake> {
        let Some((_, outputs)) = self.steps.iter().find(|(id, _)| *id == step) else {
            let mistake = place.mistake(format!("no earlier step `{step}` has outputs"));
            // In `outputs.my-step.x` the hyphen is a minus.
            let longer = self.steps.iter().find(|(id, _)| id.starts_with(&format!("{step}-")));
            return Some(match longer {
                Some((id, _)) => {
                    mistake.hint(format!("write `outputs[\"{id}\"]`: templates read `-` as minus"))
                }
                None if self.with_outputs().next().is_none() => {
                    mistake.hint("add `outputs: { ... }` to an earlier step")
                }
                None => mistake.known(step, self.with_outputs()),
            });
        };
        if self.skipped.contains(&step) {
            let mistake = place.mistake("a step that `done_when` skips gives no outputs");
            return Some(mistake.hint("take the outputs in a step of its own, which only reads"));
        }
        let output = output?;
        (!outputs.contains(&output)).then(|| {
            let mistake = place.mistake(format!("the step `{step}` has no output `{output}`"));
            match outputs.is_empty() {
                true => mistake.hint(format!("add `outputs: {{ {output}: {{ ... }} }}` to it")),
                false => mistake.known(output, outputs.iter().copied()),
            }
        })
    }

    fn with_outputs(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter(|(_, outputs)| !outputs.is_empty()).map(|(id, _)| *id)
    }

    fn kind(&self, param: &str) -> Option<ParamType> {
        self.params.get(param).map(|param| param.kind)
    }
}

fn field(kind: ParamType, name: &str, field: &str, place: &Place<'_>) -> Option<Mistake> {
    match view::fields(kind) {
        None => {
            let mistake = place.mistake(format!("`{name}` is a {} and has no `{field}`", kind.word()));
            Some(mistake.hint(format!("write `{name}`")))
        }
        Some(fields) if fields.contains(&field) => None,
        Some(fields) => {
            let mistake = place.mistake(format!("the {} `{name}` has no `{field}`", kind.word()));
            Some(mistake.known(field, fields.iter().copied()))
        }
    }
}

/// What the items of a `for_each` are: told only for the instances of a service, and those of a parameter.
pub(super) fn item_kind(each: &str, scope: &Scope<'_>) -> Item {
    let each = super::template::bare(each);
    if scope.kind(each) == Some(ParamType::Instances) {
        return Some(ParamType::Instance);
    }
    let owner = each.strip_suffix(".instances")?;
    let is_service =
        scope.kind(owner) == Some(ParamType::Service) || owner.trim_start().starts_with("inventory.services");
    is_service.then_some(ParamType::Instance)
}

/// The declaration of a parameter.
pub(super) fn param(lint: &mut Lint<'_>, path: &str, param: &Param) {
    let is_choice = param.kind == ParamType::Choice;
    if is_choice && param.choices.is_empty() {
        lint.add(&join(path, "type"), "a choice of nothing", "add `choices: [first, second]`");
    } else if !is_choice && !param.choices.is_empty() {
        let message = format!("`choices` of a {}", param.kind.word());
        lint.add(&join(path, "choices"), message, "write `type: choice`, or remove the choices");
    } else if let Some(default) = &param.default
        && let Err(why) = param.plain(default)
    {
        let place = lint.source.at(&join(path, "default"));
        let mistake = place.mistake(why);
        lint.push(match is_choice {
            true => {
                mistake.known(default.as_str().unwrap_or_default(), param.choices.iter().map(String::as_str))
            }
            false => mistake.hint("write a default of the type, or none to make it required"),
        });
    }
}
