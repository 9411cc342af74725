//! Values in a shell line: each becomes one word, whatever it holds.
//!
//! Quoting alone is not enough: inside double quotes the value's own quotes would be literal and `$(...)` in it would run;
//! in a comment a line break would end the comment. So the line is read as a POSIX shell reads it (XCU 2.2, 2.3, 2.6), and
//! a value is only accepted where a word may stand. `| raw` puts a value in as it is: then its author answers for it.

use std::fmt;
use std::sync::{Arc, LazyLock};

use minijinja::value::{Object, ObjectRepr, Value as Shown, ValueKind};
use minijinja::{Environment, Error, Output, State};

use super::{Scope, object, place, refused};
use crate::model::operation::quoted;

static SHELL: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = super::environment(print_word);
    environment
        .add_filter("raw", |value: &Shown| object::printed(value).map(|text| Shown::from_object(Raw(text))));
    environment
});

/// A value that its author wants as it is. A type of its own, so that nothing that is made from it inherits the mark.
#[derive(Debug)]
struct Raw(String);

impl Object for Raw {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Fills in a line for `sh -c`.
///
/// # Errors
/// In words, as [`render`](super::render), and when a value stands where no quoting can make it safe.
pub fn render(text: &str, scope: &Scope) -> Result<String, String> {
    let rendered = super::render_with(&SHELL, text, scope)?;
    // The `)` of a pattern cannot be told from that of `$(...)` without parsing the whole shell language.
    let ambiguous = text.contains("esac") && text.contains("$(");
    let mut reader =
        Reader { spoiled_by: ambiguous.then_some("`case` beside `$(...)`"), ..Reader::default() };
    place::put(&rendered, |step| match step {
        place::Step::Char(c) => {
            reader.read(c);
            Ok(())
        }
        place::Step::Value => reader.accept(),
    })
}

fn print_word(out: &mut Output, _: &mut State, value: &Shown) -> Result<(), Error> {
    if let Some(Raw(text)) = value.downcast_object_ref::<Raw>() {
        return out.write_str(text).map_err(Error::from);
    }
    if matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        return Err(refused("is a list, and a list is not one word: use `argv`, or `for_each`"));
    }
    let text = object::printed(value)?;
    if text.contains('\0') {
        return Err(refused("is not text: it holds a NUL"));
    }
    place::mark(out, &quoted(&text))
}

/// Where in a shell line we are.
#[derive(Default)]
struct Reader {
    /// What is open, innermost last.
    open: Vec<Open>,
    last: Option<char>,
    is_escaped: bool,
    /// What shells disagree on, or what is not made of words: no value is accepted after it.
    spoiled_by: Option<&'static str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Single,
    Double,
    Backquote,
    Comment,
    /// `$(...)` or `(...)`: words again, whatever it stands in.
    Parenthesis,
    /// `${...}`
    Brace,
}

impl Reader {
    fn read(&mut self, c: char) {
        let before = self.last.replace(c);
        if self.is_escaped {
            self.is_escaped = false;
            // An escaped character is no beginning of anything.
            self.last = Some('\\');
            return;
        }
        match (self.open.last().copied(), c) {
            (Some(Open::Single), '\'')
            | (Some(Open::Double), '"')
            | (Some(Open::Backquote), '`')
            | (Some(Open::Comment), '\n')
            | (Some(Open::Parenthesis), ')')
            | (Some(Open::Brace), '}') => {
                self.open.pop();
            }
            (Some(Open::Single | Open::Comment), _) => {}
            (_, '\\') => self.is_escaped = true,
            (_, '`') => self.open.push(Open::Backquote),
            (_, '(') if before == Some('$') => self.open.push(Open::Parenthesis),
            (_, '{') if before == Some('$') => self.open.push(Open::Brace),
            (Some(Open::Brace), '\'' | '"') => self.spoiled_by = Some("a quote inside `${...}`"),
            (Some(Open::Double), _) => {}
            (_, '\'') if before == Some('$') => self.spoiled_by = Some("`$'...'`"),
            (_, '"') => self.open.push(Open::Double),
            (_, '\'') => self.open.push(Open::Single),
            (_, '(') => self.open.push(Open::Parenthesis),
            (_, '#') if before.is_none_or(|c| c.is_whitespace() || ";&|()".contains(c)) => {
                self.open.push(Open::Comment);
            }
            (_, '<') if before == Some('<') => self.spoiled_by = Some("`<<`: give it as `stdin`"),
            _ => {}
        }
    }

    fn accept(&mut self) -> Result<(), String> {
        if let Some(what) = self.spoiled_by {
            return Err(format!("a value cannot be quoted after {what}"));
        }
        let place = match self.open.last() {
            Some(Open::Single | Open::Double) => {
                return Err("a value inside quotes: it brings its own, leave them out".to_owned());
            }
            Some(Open::Comment) => "in a comment",
            Some(Open::Brace) => "inside `${...}`",
            _ if self.open.contains(&Open::Backquote) => "inside backquotes: write `$(...)` instead",
            _ if self.is_escaped => "after a backslash",
            _ if self.last == Some('$') => "after a `$`",
            _ => {
                self.last = Some('_');
                return Ok(());
            }
        };
        Err(format!("a value cannot be quoted {place}"))
    }
}
