//! The outputs of a step.

use super::{Lint, is_variable};
use crate::model::extract::Extract;
use crate::model::source::join;

const WAYS: [&str; 6] = ["regex", "pointer", "count", "first", "last", "value"];

pub(super) fn check(lint: &mut Lint<'_>, path: &str, name: &str, extract: &Extract, action: &str) {
    if !is_variable(name) {
        let mistake = lint.source.key_at(path).mistake(format!("`{name}` cannot be an output"));
        lint.push(mistake.hint(format!("write `{}`: templates read `-` as minus", name.replace('-', "_"))));
    }
    let given = [
        extract.regex.is_some(),
        extract.pointer.is_some(),
        extract.count.is_some(),
        extract.first.is_some(),
        extract.last.is_some(),
        extract.value.is_some(),
    ];
    let given: Vec<_> =
        WAYS.into_iter().zip(given).filter(|(_, is_given)| *is_given).map(|(way, _)| way).collect();
    match given[..] {
        [_] => {}
        [] => {
            let mistake = lint.source.key_at(path).mistake(format!("`{name}` does not say what to take"));
            lint.push(mistake.hint("add one of `regex`, `pointer`, `count`, `first`, `last` and `value`"));
        }
        [_, second, ..] => {
            let mistake = lint.source.key_at(&join(path, second)).mistake("more than one thing to take");
            lint.push(mistake.hint(format!("leave only one of {}", crate::base::nearest::listed(given))));
        }
    }
    for (key, pattern) in [("regex", &extract.regex), ("count", &extract.count)] {
        if let Some(pattern) = pattern
            && let Err(error) = regex::Regex::new(pattern)
        {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
            let hint = "see the syntax at docs.rs/regex; look-around and back-references are not there";
            lint.add(&join(path, key), format!("not a regular expression: {why}"), hint);
        }
    }
    if let Some(pointer) = &extract.pointer
        && !(pointer.is_empty() || pointer.starts_with('/'))
    {
        let mistake =
            lint.source.at(&join(path, "pointer")).mistake(format!("`{pointer}` is not a JSON pointer"));
        lint.push(mistake.hint(format!("write `/{}`", pointer.trim_start_matches("$.").replace('.', "/"))));
    }
    if let Some(from) = &extract.from {
        lint.result_field(&join(path, "from"), from, action);
    }
    if let Some(value) = &extract.value {
        lint.result_expression(&join(path, "value"), value, action);
    }
}
