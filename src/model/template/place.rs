//! Where in a text a value was put.
//!
//! Whether a value is safe depends on what stands around it, which a template engine does not know. So the values are
//! written between two marks that no template and no value may hold, and the finished text is read once from the start.

use minijinja::{Error, Output};

use super::refused;

const BEGIN: char = '\u{f5a0}';
const END: char = '\u{f5a1}';

pub(super) fn has_marks(text: &str) -> bool {
    text.contains([BEGIN, END])
}

pub(super) fn mark(out: &mut Output, value: &str) -> Result<(), Error> {
    if has_marks(value) {
        return Err(refused("holds a character of Unicode's private use"));
    }
    out.write_str(&format!("{BEGIN}{value}{END}")).map_err(Error::from)
}

pub(super) enum Step {
    /// The next character that the template's author wrote.
    Char(char),
    /// A value stands here.
    Value,
}

/// Reads `text` from the start and takes the marks out, unless `look` objects.
pub(super) fn put(text: &str, mut look: impl FnMut(Step) -> Result<(), String>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut is_value = false;
    for c in text.chars() {
        match c {
            BEGIN => {
                look(Step::Value)?;
                is_value = true;
            }
            END => is_value = false,
            _ => {
                if !is_value {
                    look(Step::Char(c))?;
                }
                out.push(c);
            }
        }
    }
    Ok(out)
}
