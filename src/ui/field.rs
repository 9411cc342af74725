//! Labels and what they say, in two columns: `host      app`.

use super::paint::{Ink, hang};

/// A block of labelled lines. A label that is repeated is written once.
#[derive(Debug, Clone)]
pub struct Fields {
    indent: usize,
    width: usize,
    last: String,
    text: String,
}

impl Fields {
    /// `indent` spaces, then labels in a column of `width`.
    pub fn new(indent: usize, width: usize) -> Fields {
        Fields { indent, width, last: String::new(), text: String::new() }
    }

    pub fn add(&mut self, label: &str, ink: Ink, text: &str) {
        let shown = if label == self.last { "" } else { label };
        let text = hang(text, self.indent + self.width);
        // A long label still has a space behind it.
        let gap = self.width.saturating_sub(shown.chars().count()).max(1);
        let label_and_gap = format!("{}{}", Ink::Dim.on(shown), " ".repeat(gap));
        let line = format!("{}{label_and_gap}{}", " ".repeat(self.indent), ink.on(text));
        self.text.push_str(&line);
        self.text.push('\n');
        self.last = label.to_owned();
    }

    pub fn into_text(self) -> String {
        self.text
    }
}
