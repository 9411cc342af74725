//! The few inks that opsctl writes with, and how text from outside is made fit to be shown.
//!
//! Everything is written in full colour and with its marks; [`Look`](super::look::Look) takes away what the terminal or the
//! person does not want, at the very end. So colour can never change the text, and it never is the only thing that says
//! something: every mark stands beside its word.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    Good,
    Bad,
    Warn,
    Dim,
    Bold,
    /// Something to paste.
    Command,
    Plain,
}

impl Ink {
    fn style(self) -> Style {
        match self {
            Ink::Good => AnsiColor::Green.on_default(),
            Ink::Bad => AnsiColor::Red.on_default().bold(),
            Ink::Warn => AnsiColor::Yellow.on_default().bold(),
            Ink::Dim => Style::new().dimmed(),
            Ink::Bold => Style::new().bold(),
            Ink::Command => AnsiColor::Cyan.on_default(),
            Ink::Plain => Style::new(),
        }
    }

    pub fn on(self, text: impl Display) -> String {
        let style = self.style();
        format!("{style}{text}{style:#}")
    }
}

/// Text that a host or a service wrote, without its colours and cursor movements: it must not draw on our screen. Of a
/// line that was written over with carriage returns, the last state is kept.
pub fn clean(text: &str) -> String {
    let bare = anstream::adapter::strip_str(text).to_string();
    let lines = bare.lines().map(|line| {
        let last = line.rsplit('\r').find(|part| !part.trim().is_empty()).unwrap_or("");
        visible(last.trim_end())
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Text as it is, with what a terminal would obey, or would show in another order than it is executed, written out. For
/// commands, which have to be seen exactly.
pub fn visible(text: &str) -> String {
    let is_obeyed = |c: char| c.is_control() && c != '\n' && c != '\t';
    let is_reordering =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut seen = String::with_capacity(text.len());
    for c in text.chars() {
        if is_obeyed(c) || is_reordering(c) { seen.extend(c.escape_default()) } else { seen.push(c) }
    }
    seen
}

/// `text` with every line after the first moved right by `columns`.
pub fn hang(text: &str, columns: usize) -> String {
    text.trim_end().replace('\n', &format!("\n{}", " ".repeat(columns)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_host_writes_cannot_move_the_cursor_or_colour_the_screen() {
        assert_eq!(clean("\u{1b}[31mred\u{1b}[0m\u{1b}[2Jgone"), "redgone");
        assert_eq!(clean("bell\u{7}"), "bell");
        assert_eq!(clean("pull 10%\rpull 100%\r"), "pull 100%");
        assert_eq!(clean("one\r\ntwo"), "one\ntwo");
    }

    #[test]
    fn a_command_shows_what_a_terminal_would_obey_or_reorder() {
        assert_eq!(visible("printf '\u{1b}[8m' a\n  b"), "printf '\\u{1b}[8m' a\n  b");
        assert_eq!(visible("rm \u{202e}txt.exe"), "rm \\u{202e}txt.exe");
        assert_eq!(visible("größe ✔"), "größe ✔");
    }
}
