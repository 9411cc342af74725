//! What a stream can show, and the two ways out: talk to standard error, data to standard output.

use std::io::{self, Write};
use std::os::fd::AsFd;

use anstream::{AutoStream, ColorChoice};

use crate::base::{Error, Result};

/// What the reader's terminal and wishes allow: `NO_COLOR`, `CLICOLOR_FORCE`, `TERM` and the locale are honoured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    pub is_coloured: bool,
    pub is_utf8: bool,
}

/// The marks, and what stands for each of them where the locale is not UTF-8. One character for one: columns stay aligned.
const MARKS: &[(char, char)] = &[
    ('✔', '+'),
    ('✘', 'x'),
    ('▶', '>'),
    ('–', '-'),
    ('↩', '<'),
    ('…', '.'),
    ('█', '#'),
    ('▒', '='),
    ('░', '.'),
];

impl Look {
    #[cfg(test)]
    pub const PLAIN: Look = Look { is_coloured: false, is_utf8: true };

    pub fn of_stdout() -> Look {
        Look {
            is_coloured: is_coloured(AutoStream::choice(&io::stdout())),
            is_utf8: locale_is_utf8(variable),
        }
    }

    pub fn of_stderr() -> Look {
        Look {
            is_coloured: is_coloured(AutoStream::choice(&io::stderr())),
            is_utf8: locale_is_utf8(variable),
        }
    }

    /// `text` with nothing in it that the stream cannot show.
    pub fn fit(self, text: &str) -> String {
        let text =
            if self.is_coloured { text.to_owned() } else { anstream::adapter::strip_str(text).to_string() };
        if self.is_utf8 {
            return text;
        }
        let plain = |c| MARKS.iter().find(|(mark, _)| *mark == c).map_or(c, |(_, plain)| *plain);
        text.chars().map(plain).collect()
    }
}

/// How wide a line of talk may be, where nobody says how wide the terminal is.
const COLUMNS: usize = 80;

/// How many columns whoever reads a stream has: POSIX' `COLUMNS`, else those of the terminal.
pub fn columns(stream: impl AsFd) -> usize {
    let wanted = variable("COLUMNS").and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
    let has = || terminal_size::terminal_size_of(stream).map(|(width, _)| usize::from(width.0));
    wanted.or_else(has).filter(|columns| *columns > 0).unwrap_or(COLUMNS)
}

/// Says something to the person. A closed standard error stops nothing: a recovery goes on without its audience.
pub fn say(text: &str) {
    let _ = io::stderr().lock().write_all(Look::of_stderr().fit(text).as_bytes());
}

/// Gives data to whoever reads standard output. A reader that has seen enough (`| head`) is not an error.
///
/// # Errors
/// When it cannot be written, such as to a full disk.
pub fn give(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(Look::of_stdout().fit(text).as_bytes()).and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::internal("cannot write to standard output").caused_by(&error))
        }
        _ => Ok(()),
    }
}

fn is_coloured(choice: ColorChoice) -> bool {
    choice != ColorChoice::Never
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// POSIX: the first of these that is set and not empty decides.
fn locale_is_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()))
        .unwrap_or_default()
        .to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::paint::Ink;

    #[test]
    fn the_first_locale_variable_that_is_set_decides() {
        let locale = |all: &'static str, lang: &'static str| {
            locale_is_utf8(|name| match name {
                "LC_ALL" => Some(all.to_owned()),
                "LANG" => Some(lang.to_owned()),
                _ => None,
            })
        };
        assert!(locale("", "en_GB.UTF-8"));
        assert!(locale("C.utf8", "C"));
        assert!(!locale("C", "en_GB.UTF-8"));
        assert!(!locale("", ""));
    }

    #[test]
    fn without_utf_8_each_mark_becomes_one_plain_character() {
        let plain = Look { is_coloured: false, is_utf8: false };
        for (mark, _) in MARKS {
            let text = plain.fit(&mark.to_string());
            assert!(text.is_ascii() && text.len() == 1, "{mark}");
        }
        assert_eq!(plain.fit("✔ größe"), "+ größe");
    }

    /// Run by the test below, in a process of its own with its own environment.
    #[test]
    fn say_a_painted_line() {
        say(&format!("{}\n", Ink::Bad.on("the line")));
    }

    fn said_with(wishes: &[&str]) -> String {
        let itself = std::env::current_exe().unwrap();
        let output = std::process::Command::new(itself)
            .args(["--exact", "ui::look::tests::say_a_painted_line", "--nocapture"])
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .envs(wishes.iter().map(|wish| (wish, "1")))
            .output()
            .unwrap();
        String::from_utf8(output.stderr).unwrap()
    }

    #[test]
    fn a_wish_for_colour_is_honoured_but_no_color_is_stronger() {
        assert_eq!(said_with(&["NO_COLOR", "CLICOLOR_FORCE"]), "the line\n");
        assert_eq!(said_with(&["CLICOLOR_FORCE"]), format!("{}\n", Ink::Bad.on("the line")));
    }
}
