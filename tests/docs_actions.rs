//! `docs/actions.md` says what the code says. With `OPSCTL_UPDATE_DOCS=1` this test writes it anew.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use opsctl::action::reference::Reference;
use opsctl::action::registry;
use opsctl::model::result::{Field, ResultKind};

const HEAD: &str = "\
# Actions

What a step, a check or an undo can do; `opsctl runbook actions [NAME]` says the same. Generated from the code: change it there, and then
run `OPSCTL_UPDATE_DOCS=1 cargo test --test docs_actions`.

An action **reads** (it may be repeated at will), **ensures** a desired condition (doing it twice is the same as doing it once), **changes**
something each time, or **destroys**. Any argument may be a template; `reads` and `ensures` only count where they are written out. `that` in
a check, and `outputs`, look at the fields of the result.

";

fn generated() -> String {
    let references: Vec<_> = registry::all().iter().map(Reference::of).collect();
    let mut text = HEAD.to_owned();
    text.push_str("| action | effect | purpose | result |\n|---|---|---|---|\n");
    for Reference { name, effects, purpose, gives, .. } in &references {
        let effects = effects.replace("; ", ";<br>");
        let anchor = name.replace('.', "");
        writeln!(text, "| [`{name}`](#{anchor}) | {effects} | {purpose} | {} |", link(*gives)).unwrap();
    }
    for Reference { name, purpose, arguments, gives, .. } in &references {
        write!(text, "\n## {name}\n\n{purpose} Result: {}.\n\n", link(*gives)).unwrap();
        text.push_str("| argument | type | default | meaning |\n|---|---|---|---|\n");
        for argument in arguments {
            let default = match (&argument.default, argument.is_required) {
                (Some(default), _) => format!("`{default}`"),
                (None, true) => "**required**".to_owned(),
                (None, false) => String::new(),
            };
            writeln!(
                text,
                "| `{}` | {} | {default} | {} |",
                argument.name,
                argument.kind,
                argument.about.replace('|', "\\|")
            )
            .unwrap();
        }
    }
    text.push_str("\n# Results\n");
    let mut told = Vec::new();
    for gives in references.iter().map(|reference| reference.gives) {
        if !told.contains(&gives) && gives != ResultKind::Nothing {
            told.push(gives);
            write!(text, "\n## {}\n\n| field | meaning |\n|---|---|\n", title(gives)).unwrap();
            gives.fields().iter().for_each(|field| add(&mut text, "", field));
        }
    }
    text
}

fn add(text: &mut String, of: &str, field: &Field) {
    writeln!(text, "| `{of}{}` | {} |", field.name, field.about).unwrap();
    field.each.iter().for_each(|each| add(text, &format!("{of}{}[].", field.name), each));
}

fn link(gives: ResultKind) -> String {
    match gives {
        ResultKind::Nothing => "none".to_owned(),
        gives => {
            format!("[{}](#{})", title(gives).to_lowercase(), title(gives).to_lowercase().replace(' ', "-"))
        }
    }
}

fn title(gives: ResultKind) -> &'static str {
    match gives {
        ResultKind::Nothing => "Nothing",
        ResultKind::Command => "End of a command",
        ResultKind::Containers => "State of containers",
        ResultKind::Logs => "Lines of logs",
        ResultKind::Stats => "Load of containers",
        ResultKind::Http => "Answer to a request",
        ResultKind::Connection => "Try at a connection",
        ResultKind::Disks => "Disks of a host",
        ResultKind::Certificate => "Certificate that is served",
        ResultKind::Assertion => "Assertion",
    }
}

#[test]
fn the_reference_of_actions_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/actions.md");
    let generated = generated();
    if std::env::var_os("OPSCTL_UPDATE_DOCS").is_some_and(|value| value == "1") {
        fs::write(&path, &generated).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    let differs = written.lines().zip(generated.lines()).find(|(written, generated)| written != generated);
    assert!(
        written == generated,
        "docs/actions.md is not what the code says, from {differs:?} on: \
         OPSCTL_UPDATE_DOCS=1 cargo test --test docs_actions"
    );
}
