//! A YAML text with a name, and mistakes that point into it.
//!
//! All that is wrong with an inventory or a runbook is told in one form: the message, the file, line and column, the line
//! itself with a caret under the exact place, and hints that say the mend.

use std::ops::Range;
use std::path::Path;

use super::index::{Index, Shape};
use crate::base::nearest::{listed, nearest};
use crate::base::{Error, Result};

pub use super::index::join;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file as messages call it.
    pub name: String,
    text: String,
    index: Index,
}

impl Source {
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Source {
        let text: String = text.into();
        // The parser's positions do not count a byte order mark.
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        let index = Index::of(&text);
        Source { name: name.into(), text, index }
    }

    /// # Errors
    /// When the file cannot be read, or is not UTF-8.
    pub fn open(path: &Path) -> Result<Source> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::invalid(format!("cannot read `{}`", path.display())).caused_by(&error))?;
        Ok(Source::new(path.display().to_string(), text))
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value at a path such as `/services/argus/project`; its key where it spans lines or is empty; what is around it
    /// where it was not written down.
    pub fn at(&self, path: &str) -> Place<'_> {
        let Some(node) = self.index.get(path) else {
            return match path.rsplit_once('/') {
                Some((parent, _)) => self.at(parent),
                None => self.place(0..0),
            };
        };
        match &node.key {
            Some(key) if node.shape == Shape::Block || node.value.is_empty() => self.place(key.clone()),
            _ => self.place(node.value.clone()),
        }
    }

    /// The key at a path; the value where there is no key, as for the items of a list.
    pub fn key_at(&self, path: &str) -> Place<'_> {
        match self.index.get(path) {
            Some(super::index::Node { key: Some(key), .. }) => self.place(key.clone()),
            _ => self.at(path),
        }
    }

    pub fn has(&self, path: &str) -> bool {
        self.index.get(path).is_some()
    }

    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    pub(super) fn place(&self, range: Range<usize>) -> Place<'_> {
        Place { source: self, range }
    }

    /// Counted from 1.
    pub fn line_of(&self, offset: usize) -> usize {
        self.text[..offset].matches('\n').count() + 1
    }

    /// All mistakes as one error: the first in the text is the error, the others follow in its detail.
    ///
    /// # Errors
    /// When there is a mistake.
    pub fn refuse(&self, mut mistakes: Vec<Mistake>) -> Result<()> {
        mistakes.sort_by_key(|mistake| mistake.range.start);
        if mistakes.len() < 2 {
            return mistakes.pop().map_or(Ok(()), |only| Err(only.into_error(self)));
        }
        // The hints stay with what they are about, and not after all of it.
        let told = |error: &Error| {
            let hints: String = error.hints.iter().map(|hint| format!("\nhint: {hint}")).collect();
            format!("{}{hints}", error.detail.as_deref().unwrap_or_default())
        };
        let errors: Vec<_> = mistakes.into_iter().map(|mistake| mistake.into_error(self)).collect();
        let others = errors[1..].iter().map(|error| format!("\n\nerror: {}\n{}", error.message, told(error)));
        let detail = told(&errors[0]) + &others.collect::<String>();
        Err(Error::invalid(&errors[0].message).detail(detail))
    }

    fn excerpt(&self, range: &Range<usize>) -> String {
        let start = floor(&self.text, range.start);
        let line_start = self.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line = self.text[line_start..].lines().next().unwrap_or_default();
        let before = &self.text[line_start..start];
        let end = floor(&self.text, range.end.min(line_start + line.trim_end().len()));
        let width = self.text.get(start..end).map_or(0, |marked| marked.chars().count()).max(1);
        let number = self.line_of(start).to_string();
        let gutter = " ".repeat(number.len());
        // A tab stays a tab, so that the caret stands right however wide it is shown.
        let indent: String = before.chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        format!(
            "{gutter}--> {}:{number}:{}\n{gutter} |\n{number} | {line}\n{gutter} | {indent}{}",
            self.name,
            before.chars().count() + 1,
            "^".repeat(width),
        )
    }
}

/// The start of the character that the byte at `offset` belongs to.
fn floor(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// A place in a source.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    source: &'a Source,
    range: Range<usize>,
}

impl Place<'_> {
    pub fn text(&self) -> &str {
        &self.source.text[self.range.clone()]
    }

    /// Counted from 1.
    pub fn line(&self) -> usize {
        self.source.line_of(self.range.start)
    }

    /// The word within this place, where it stands there as a whole word; else this place.
    pub fn word(mut self, word: &str) -> Self {
        let is_part = |c: char| c.is_alphanumeric() || "_-.".contains(c);
        let text = self.text();
        let found = text
            .match_indices(word)
            .find(|(at, _)| !text[..*at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part));
        if let Some((at, _)) = found {
            self.range = self.range.start + at..self.range.start + at + word.len();
        }
        self
    }

    /// A part of the scalar `value` that stands here, where it is written down as it is; else this place.
    pub fn part(mut self, value: &str, part: Range<usize>) -> Self {
        let text = self.text();
        let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'')).map_or(0, char::len_utf8);
        let bare = text.get(quote..text.len().saturating_sub(quote));
        if bare == Some(value) && part.end <= value.len() {
            let start = self.range.start + quote + part.start;
            self.range = start..(start + part.len());
        }
        self
    }

    pub fn mistake(&self, message: impl Into<String>) -> Mistake {
        Mistake { range: self.range.clone(), message: message.into(), hints: Vec::new() }
    }

    pub fn error(&self, message: impl Into<String>) -> Error {
        self.mistake(message).into_error(self.source)
    }
}

/// Something wrong at a place in a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    range: Range<usize>,
    pub message: String,
    pub hints: Vec<String>,
}

impl Mistake {
    pub fn hint(mut self, text: impl Into<String>) -> Mistake {
        self.hints.push(text.into());
        self
    }

    /// Says which of the names that may stand here was meant, and what they are.
    pub fn known<'a>(self, given: &str, known: impl IntoIterator<Item = &'a str>) -> Mistake {
        let known: Vec<_> = known.into_iter().collect();
        let suggested = match nearest(given, known.iter().copied()) {
            Some(name) => self.hint(format!("did you mean `{name}`?")),
            None => self,
        };
        suggested.hint(format!("known here: {}", listed(known)))
    }

    pub fn into_error(self, source: &Source) -> Error {
        let error = Error::invalid(self.message).detail(source.excerpt(&self.range));
        self.hints.into_iter().fold(error, Error::hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown_with_file_line_column_and_caret() {
        let source = Source::new("opsctl.yaml", "name: x\nhosts:\n  äpp: { address: nowhere }\n");
        let error = source.at("/hosts/äpp/address").error("not an address");
        insta::assert_snapshot!(error.detail.unwrap(), @r"
         --> opsctl.yaml:3:19
          |
        3 |   äpp: { address: nowhere }
          |                   ^^^^^^^
        ");
    }

    #[test]
    fn what_was_not_written_down_is_shown_at_what_is_around_it() {
        let source = Source::new("f", "a:\n  b: { c: 1 }\n");
        assert_eq!(source.at("/a/b/missing/deeper").text(), "{ c: 1 }");
        assert_eq!(source.at("/a").text(), "a");
        assert_eq!(source.key_at("/a/b").text(), "b");
        assert_eq!(Source::new("f", "").at("/a").text(), "");
    }

    #[test]
    fn a_part_of_a_scalar_is_found_only_where_it_is_written_as_it_is() {
        let source = Source::new("f", "a: \"{{ x.y }}\"\nb: \"\\t{{ x }}\"\n");
        assert_eq!(source.at("/a").part("{{ x.y }}", 3..6).text(), "x.y");
        assert_eq!(source.at("/b").part("\t{{ x }}", 4..5).text(), "\"\\t{{ x }}\"");
        assert_eq!(source.at("/a").word("x.y").text(), "x.y");
        assert_eq!(source.at("/a").word("x").text(), "\"{{ x.y }}\"");
    }

    #[test]
    fn the_first_mistake_is_the_error_and_the_others_follow_in_its_detail() {
        let source = Source::new("f", "a: 1\nb: 2\n");
        let mistakes = vec![source.at("/b").mistake("second").hint("mend"), source.at("/a").mistake("first")];
        let error = source.refuse(mistakes).unwrap_err();
        assert_eq!(error.message, "first");
        insta::assert_snapshot!(error.detail.unwrap(), @r"
         --> f:1:4
          |
        1 | a: 1
          |    ^

        error: second
         --> f:2:4
          |
        2 | b: 2
          |    ^
        hint: mend
        ");
    }
}
