//! `opsctl runbook actions`.

use serde_json::{Value, json};

use super::Global;
use crate::action::reference::{Argument, Reference};
use crate::action::registry;
use crate::base::nearest::{listed, nearest};
use crate::base::{Error, Result};
use crate::model::result::Field;
use crate::ui;
use crate::ui::paint::Ink;
use crate::ui::table::{Cell, Table};

/// Lists all actions, or tells all about the one of that name.
pub fn run(name: Option<&str>, global: &Global) -> Result<()> {
    match name {
        None => list(global),
        Some(name) => tell(name, global),
    }
}

fn list(global: &Global) -> Result<()> {
    if global.json {
        let actions: Vec<_> = registry::all().iter().map(json).collect();
        return ui::look::give(&format!("{}\n", Value::Array(actions)));
    }
    let mut table = Table::new(&["ACTION", "EFFECT", "PURPOSE"]);
    for Reference { name, effect, purpose, .. } in registry::all().iter().map(Reference::of) {
        // The first sentence: the rest is for who asks about this one.
        let purpose = purpose.split_inclusive(". ").next().unwrap_or_default();
        table.row([Cell::new(Ink::Bold, name), effect.into(), purpose.into()]);
    }
    ui::look::give(&table.text())?;
    ui::look::say("one with its arguments: opsctl runbook actions NAME\n");
    Ok(())
}

fn tell(name: &str, global: &Global) -> Result<()> {
    let entry = registry::find(name).ok_or_else(|| unknown(name))?;
    if global.json {
        return ui::look::give(&format!("{}\n", json(entry)));
    }
    let Reference { name, purpose, effects, arguments, gives, .. } = Reference::of(entry);
    let mut text = format!("{} ({effects})\n{purpose}\n\n", Ink::Bold.on(name));
    let mut table = Table::new(&["ARGUMENT", "TYPE", "DEFAULT", "MEANING"]);
    arguments.iter().for_each(|argument| add_argument(&mut table, argument));
    text.push_str(&table.text());
    let mut table = Table::new(&["RESULT", "MEANING"]);
    gives.fields().iter().for_each(|field| add_field(&mut table, "", field));
    if !table.is_empty() {
        text.push_str(&format!("\n{}", table.text()));
    }
    ui::look::give(&text)
}

fn add_argument(table: &mut Table, argument: &Argument) {
    let Argument { name, kind, is_required, default, about } = argument;
    let default = match (default, is_required) {
        (Some(default), _) => default.as_str().into(),
        (None, true) => Cell::new(Ink::Warn, "required"),
        (None, false) => "".into(),
    };
    table.row([Cell::new(Ink::Bold, name.as_str()), kind.as_str().into(), default, about.as_str().into()]);
}

fn add_field(table: &mut Table, of: &str, field: &Field) {
    let name = format!("{of}{}", field.name);
    table.row([Cell::new(Ink::Bold, name.as_str()), field.about.into()]);
    let each = format!("{name}[].");
    field.each.iter().for_each(|field| add_field(table, &each, field));
}

fn json(entry: &registry::Entry) -> Value {
    let Reference { name, purpose, effect, gives, .. } = Reference::of(entry);
    json!({
        "action": name,
        "purpose": purpose,
        "effect": effect,
        "arguments": (entry.schema)(),
        "result": gives.fields().iter().map(described).collect::<Vec<_>>(),
    })
}

fn described(field: &Field) -> Value {
    let mut shown = json!({ "name": field.name, "about": field.about });
    if !field.each.is_empty() {
        shown["each"] = field.each.iter().map(described).collect();
    }
    shown
}

fn unknown(name: &str) -> Error {
    let known = || registry::all().iter().map(|entry| entry.name);
    let error = Error::usage(format!("there is no action `{name}`"));
    match nearest(name, known()) {
        Some(meant) => error.hint(format!("opsctl runbook actions {meant}")),
        None => error.hint(format!("there are {}", listed(known()))),
    }
}
