//! Questions to the person at the terminal.
//!
//! Asked only where both standard input and standard error are terminals: an answer from a pipe was not given to this question.
//! They block: call them where nothing else has to move meanwhile.

use std::io::{self, BufRead, IsTerminal, Write};

use super::look::Look;
use super::paint::{Ink, visible};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Yes,
    No,
    /// Nobody can be asked: refuse, with what to type instead.
    NotATerminal,
}

/// Asks a question whose safe answer is no.
///
/// # Errors
/// When the terminal cannot be read or written.
pub fn confirm(question: &str) -> io::Result<Answer> {
    if !is_interactive() {
        return Ok(Answer::NotATerminal);
    }
    ask(question, &mut io::stdin().lock(), &mut io::stderr().lock(), Look::of_stderr())
}

/// Asks to type a name, for what cannot be taken back: a hand that is quicker than the eye cannot type it.
///
/// # Errors
/// When the terminal cannot be read or written.
pub fn confirm_by_name(question: &str, name: &str) -> io::Result<Answer> {
    if !is_interactive() {
        return Ok(Answer::NotATerminal);
    }
    ask_name(question, name, &mut io::stdin().lock(), &mut io::stderr().lock(), Look::of_stderr())
}

/// Asks for a few words; nothing where nobody can be asked, or nothing was typed.
///
/// # Errors
/// When the terminal cannot be read or written.
pub fn words(question: &str) -> io::Result<Option<String>> {
    if !is_interactive() {
        return Ok(None);
    }
    let question = format!("{} ", Ink::Bold.on(visible(question)));
    let typed = answer_to(&question, &mut io::stdin().lock(), &mut io::stderr().lock(), Look::of_stderr())?;
    Ok(typed.filter(|typed| !typed.is_empty()))
}

/// Whether there is somebody to ask.
pub fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn ask(question: &str, input: &mut impl BufRead, out: &mut impl Write, look: Look) -> io::Result<Answer> {
    loop {
        let question = format!("{} [y/N] ", Ink::Bold.on(visible(question)));
        let Some(answer) = answer_to(&question, input, out, look)? else {
            return Ok(Answer::No);
        };
        match answer.to_lowercase().as_str() {
            "y" | "yes" => return Ok(Answer::Yes),
            "" | "n" | "no" => return Ok(Answer::No),
            _ => writeln!(out, "please answer `y` or `n`")?,
        }
    }
}

fn ask_name(
    question: &str,
    name: &str,
    input: &mut impl BufRead,
    out: &mut impl Write,
    look: Look,
) -> io::Result<Answer> {
    let question = format!(
        "{}\ntype {} to go on, anything else to stop: ",
        Ink::Bold.on(visible(question)),
        Ink::Warn.on(visible(name))
    );
    let answer = answer_to(&question, input, out, look)?;
    Ok(if answer.as_deref() == Some(name) { Answer::Yes } else { Answer::No })
}

/// One line of input; nothing when the input has ended.
fn answer_to(
    question: &str,
    input: &mut impl BufRead,
    out: &mut impl Write,
    look: Look,
) -> io::Result<Option<String>> {
    write!(out, "{}", look.fit(question))?;
    out.flush()?;
    let mut answer = String::new();
    if input.read_line(&mut answer)? == 0 {
        writeln!(out)?;
        return Ok(None);
    }
    Ok(Some(answer.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(typed: &str) -> (Answer, String) {
        let mut out = Vec::new();
        let answer = ask("restart argus-1?", &mut typed.as_bytes(), &mut out, Look::PLAIN).unwrap();
        (answer, String::from_utf8(out).unwrap())
    }

    fn named(typed: &str) -> Answer {
        ask_name("this drops `argus_db`", "argus", &mut typed.as_bytes(), &mut Vec::new(), Look::PLAIN)
            .unwrap()
    }

    #[test]
    fn only_a_plain_yes_is_a_yes() {
        for (typed, answer) in [
            ("y\n", Answer::Yes),
            ("YES\n", Answer::Yes),
            ("\n", Answer::No),
            ("n\n", Answer::No),
            ("", Answer::No),
            ("yep\n", Answer::No),
            ("maybe\ny\n", Answer::Yes),
        ] {
            assert_eq!(asked(typed).0, answer, "{typed:?}");
        }
        assert_eq!(asked("maybe\nn\n").1.matches("restart argus-1? [y/N]").count(), 2);
    }

    #[test]
    fn what_cannot_be_taken_back_wants_the_exact_name() {
        assert_eq!(named("argus\n"), Answer::Yes);
        for typed in ["y\n", "Argus\n", "\n", "", "argus-1\n"] {
            assert_eq!(named(typed), Answer::No, "{typed:?}");
        }
    }

    #[test]
    fn without_a_terminal_nobody_is_asked() {
        let itself = std::env::current_exe().unwrap();
        let status = std::process::Command::new(itself)
            .args(["--exact", "ui::prompt::tests::nobody_can_be_asked_here"])
            .env("OPSCTL_TEST_PIPED", "1")
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Run by the test above, in a process without a terminal.
    #[test]
    fn nobody_can_be_asked_here() {
        if std::env::var_os("OPSCTL_TEST_PIPED").is_some() {
            assert_eq!(confirm("sure?").unwrap(), Answer::NotATerminal);
            assert_eq!(confirm_by_name("sure?", "argus").unwrap(), Answer::NotATerminal);
        }
    }
}
