//! Typed values out of a YAML source, and its errors in our words.
//!
//! The library finds the mistake and its place; the form in which it is shown is the same as for everything else that is
//! wrong in a file.

use std::ops::Range;

use serde::de::DeserializeOwned;
use serde_yaml::Error as Yaml;

use super::source::{Mistake, Source};
use crate::base::Result;

impl Source {
    /// The whole text as one typed value. Unknown and duplicate keys are refused; only `true` and `false` are booleans.
    ///
    /// # Errors
    /// The first mistake, with its place.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        let options = serde_yaml::options! { strict_booleans: true, with_snippet: false };
        serde_yaml::from_str_with_options(self.text(), options)
            .map_err(|error| mistake(self, &error).into_error(self))
    }
}

fn mistake(source: &Source, error: &Yaml) -> Mistake {
    let range = range(source, error);
    let line = source.line_of(range.start);
    if let Some(tab) = tab_in_indentation(source, line) {
        return source
            .place(tab.clone())
            .mistake("a tab in the indentation")
            .hint("indent with spaces: YAML allows no tabs there");
    }
    if let Some(template) = bare_template(source, range.start) {
        let quoted = format!("\"{}\"", &source.text()[template.clone()].replace('"', "'"));
        return source.place(template).mistake("a template has to stand in quotes").hint(quoted);
    }
    let range = if is_about_a_value(error) { value_of(source, range) } else { range };
    let found = found(source, &range);
    let expects = |what: &str| {
        let (what, hint) = kind(what);
        let mistake = source.place(range.clone()).mistake(format!("expected {what}, found {found}"));
        match hint {
            Some(hint) => mistake.hint(hint),
            None => mistake,
        }
    };
    let at = |message: String| source.place(range.clone()).mistake(message);
    match error {
        Yaml::SerdeUnknownField { field, expected, .. } => {
            at(format!("unknown key `{field}`")).known(field, expected.iter().copied())
        }
        Yaml::SerdeUnknownVariant { variant, expected, .. } => {
            at(format!("unknown value `{variant}`")).known(variant, expected.iter().copied())
        }
        Yaml::SerdeMissingField { field, .. } => missing(source, range.start, field),
        Yaml::DuplicateMappingKey { key, .. } => {
            let key = key.clone().unwrap_or_else(|| source.text()[range.clone()].to_owned());
            let mistake = at(format!("the key `{key}` is given twice"));
            match first_of(source, range.start, &key) {
                Some(line) => mistake.hint(format!("remove one of the two: the first is on line {line}")),
                None => mistake.hint("remove one of the two"),
            }
        }
        Yaml::NullIntoString { .. } => source
            .at(path(source, range.start))
            .mistake("expected text, found nothing")
            .hint("write a value after the `:`"),
        Yaml::InvalidBooleanStrict { .. } => {
            at(format!("expected `true` or `false`, found {found}")).hint("write `true` or `false`")
        }
        Yaml::Unexpected { expected, .. } | Yaml::InvalidScalar { ty: expected, .. } => expects(expected),
        Yaml::SerdeInvalidType { expected, .. } | Yaml::SerdeInvalidValue { expected, .. } => {
            expects(expected)
        }
        Yaml::Message { msg, .. } => match msg.split_once(": write ") {
            Some((message, mend)) => at(message.to_owned()).hint(format!("write {mend}")),
            None => at(msg.clone()),
        },
        Yaml::Eof { .. } => {
            at(format!("`{}` is empty", source.name)).hint("write what belongs in it, or name another file")
        }
        Yaml::MultipleDocuments { .. } => at("a second document begins here".to_owned())
            .hint("remove the line `---` above it and what follows"),
        Yaml::UnknownAnchor { .. } => {
            let alias = word(source.text(), range.start);
            let quoted = format!("\"{}\"", &source.text()[alias.clone()]);
            source.place(alias).mistake("an alias without its anchor").hint(quoted)
        }
        Yaml::Budget { .. } => {
            at("the file is larger or more deeply nested than any that is meant".to_owned())
        }
        Yaml::ExternalMessage { msg, .. } => at(format!("not YAML: {msg}"))
            .hint("look for a quote or a bracket left open, or a wrong indentation, here or just above"),
        other => {
            let text = other.render_with_formatter(&serde_yaml::UserMessageFormatter);
            let text = text.split(" at line ").next().unwrap_or(&text);
            at(text.to_owned())
        }
    }
}

/// Where the error is: the whole scalar or collection, not only its first character.
fn range(source: &Source, error: &Yaml) -> Range<usize> {
    let text = source.text();
    let Some(location) = error.location() else { return 0..0 };
    let start = match location.span().byte_offset() {
        Some(offset) => offset as usize,
        None => offset_of(text, location.line() as usize, location.column() as usize),
    }
    .min(text.len());
    let length = location.span().byte_len().unwrap_or(0) as usize;
    match source.index().around(start) {
        Some((_, around)) if around.start == start && around.len() > length => around,
        _ => start..(start + length).min(text.len()),
    }
}

fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = text[start..].lines().next().unwrap_or_default();
    start + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at)
}

fn path(source: &Source, offset: usize) -> &str {
    source.index().around(offset).map_or("", |(path, _)| path)
}

/// The library tells it at the last key of the map that it is missing from, or at the map where that is empty.
fn missing(source: &Source, offset: usize, field: &str) -> Mistake {
    let index = source.index();
    let path = index.map_with_key_at(offset).or_else(|| index.collection_at(offset)).unwrap_or_default();
    let whole = match path.rsplit('/').next() {
        Some(name) if !name.is_empty() && name.parse::<usize>().is_err() => format!(" in `{name}`"),
        _ => String::new(),
    };
    source.at(path).mistake(format!("missing key `{field}`{whole}")).hint(format!("add `{field}: ...`"))
}

/// The line of the first of two equal keys, the second of which is at `offset`.
fn first_of(source: &Source, offset: usize, key: &str) -> Option<usize> {
    source.index().sibling(offset, key).map(|range| source.line_of(range.start))
}

/// `{{ name }}` without quotes reads as a map within a map. Found by where the error is: at its first or second brace.
fn bare_template(source: &Source, offset: usize) -> Option<Range<usize>> {
    let text = source.text();
    let start = [offset, offset.checked_sub(1)?]
        .into_iter()
        .find(|start| text.get(*start..).is_some_and(|rest| rest.starts_with("{{")))?;
    let line = text[start..].lines().next()?;
    let end = line.find("}}").map_or(line.trim_end().len(), |end| end + 2);
    Some(start..start + end)
}

/// In the line of the error, or in the one after it: the parser takes some tabs for the end of what it reads.
fn tab_in_indentation(source: &Source, line: usize) -> Option<Range<usize>> {
    let mut start = 0;
    for (number, text) in source.text().split_inclusive('\n').enumerate() {
        let indentation = text.len() - text.trim_start().len();
        if (line..=line + 1).contains(&(number + 1))
            && let Some(tab) = text[..indentation].find('\t')
            && !text.trim().is_empty()
        {
            return Some(start + tab..start + tab + 1);
        }
        start += text.len();
    }
    None
}

/// What stands there, in short.
fn found(source: &Source, range: &Range<usize>) -> String {
    let text = source.text()[range.clone()].trim();
    let is_collection = source.index().collection_at(range.start).is_some();
    match text.chars().next() {
        None => "nothing".to_owned(),
        Some('[' | '-') if is_collection => "a list".to_owned(),
        Some(_) if is_collection => "a map".to_owned(),
        Some(_) if text.contains('\n') => "text that runs on in the next line".to_owned(),
        Some(_) => format!("`{text}`"),
    }
}

/// Such an error is raised by what reads the value, but may be told at its key.
fn is_about_a_value(error: &Yaml) -> bool {
    matches!(
        error,
        Yaml::SerdeInvalidType { .. } | Yaml::SerdeInvalidValue { .. } | Yaml::SerdeUnknownVariant { .. }
    )
}

fn value_of(source: &Source, range: Range<usize>) -> Range<usize> {
    let node = source.index().around(range.start).and_then(|(path, _)| source.index().get(path));
    match node {
        Some(node) if node.key.as_ref() == Some(&range) => node.value.clone(),
        _ => range,
    }
}

/// The run of characters that begins at `start` and that YAML takes as one.
fn word(text: &str, start: usize) -> Range<usize> {
    let ends = |c: char| c.is_whitespace() || ",]}".contains(c);
    let length = text[start..].find(ends).unwrap_or(text.len() - start);
    start..start + length
}

/// The library's word for what it expects, in ours, and how to write that.
fn kind(expected: &str) -> (&str, Option<String>) {
    let fixed = |kind, hint: &str| (kind, Some(format!("write {hint}")));
    match expected {
        "mapping start" | "a map" => fixed("a map", "`{ key: value }`"),
        "sequence start" | "a sequence" => fixed("a list", "`[first, second]`"),
        "string scalar" | "a string" | "string" => {
            fixed("text", "one value, in quotes where it has `{`, `[` or `: `")
        }
        "u8" | "u16" | "u32" | "u64" | "usize" => {
            fixed("a whole number, 0 or more", "digits only, such as `3`")
        }
        "i8" | "i16" | "i32" | "i64" | "isize" => fixed("a whole number", "digits only, such as `3`"),
        "f32" | "f64" | "float" => fixed("a number", "a number, such as `1.5`"),
        other if other.starts_with("struct ") => fixed("a map", "`{ key: value }`"),
        other => match other.split_once(", such as ") {
            Some((other, example)) => fixed(other, example),
            None => (other, None),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Error;
    use crate::model::inventory::Inventory;
    use crate::model::runbook::Runbook;

    fn shown(error: Error) -> String {
        let hints: String = error.hints.iter().map(|hint| format!("hint: {hint}\n")).collect();
        format!("error: {}\n{}\n{hints}\n", error.message, error.detail.unwrap_or_default())
    }

    #[test]
    fn what_is_not_yaml_is_shown_where_it_stops_being() {
        let texts = [
            "name: \"o\nhosts:\n  app: { address: local }\n",
            "name: o\nhosts:\n\tapp: { address: local }\n",
            "name: o\nhosts:\n  app: local\n   web: local\n",
            "name: o\nhosts: *site\n",
            "name: o\nhosts: {}\n---\nname: p\n",
            "",
        ];
        let all: String =
            texts.map(|text| shown(Source::new("f", text).parse::<Inventory>().unwrap_err())).concat();
        insta::assert_snapshot!(all);
    }

    #[test]
    fn what_is_wrong_within_a_step_is_shown_at_its_exact_place() {
        let steps = [
            "do: { a: {}, b: {} }",
            "do: { a: 3 }",
            "do: nothing",
            "do: {}",
            "do: { a: { x: 1, x: 2 } }",
            "do: { a: { x: {{ y }} } }",
            "do: { a: {} }\n    done_when: { http.get: {}, witin: 3s }",
            "do: { a: {} }\n    done_when: { within: 3s }",
            "do: { a: {} }\n    done_when: { http.get: {}, within: 3 }",
            "do: { a: {} }\n    expect: [{ http.get: {}, successes: x }]",
            "do: { a: {} }\n    undo: nothing",
            "do: { a: {} }\n    undo: { a: {}, b: {} }",
            "do: { a: {} }\n    undo: [a, b]",
            "do: { a: {} }\n    on_failure: { run: a, wth: {} }",
            "do: { a: {} }\n    on_failure: hlt",
            "do: { a: {} }\n    irreversible: yes",
            "do: { a: {} }\n    retry: { attempts: 3, bakoff: 1 }",
        ];
        let all = steps.map(|step| {
            let text = format!(
                "runbook: x\ntitle: t\nrisk: disruptive\nsteps:\n  - id: a\n    title: b\n    {step}\n"
            );
            shown(Source::new("f", text).parse::<Runbook>().unwrap_err())
        });
        insta::assert_snapshot!(all.concat());
    }
}
