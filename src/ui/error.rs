//! How an error reaches the person: `error:` what, the detail as it is, `cause:` the chain, `hint:` what can be pasted. Or the
//! program: one JSON object in a line.

use serde::Serialize;

use super::look::{give, say};
use super::paint::{Ink, hang, visible};
use crate::base::{Error, Kind, Result};

/// Shows an error: to the person on standard error, or to a program on standard output.
///
/// # Errors
/// When standard output cannot be written.
pub fn show(error: &Error, is_json: bool) -> Result<()> {
    if is_json {
        return give(&json(error));
    }
    say(&text(error));
    Ok(())
}

fn text(error: &Error) -> String {
    let mut text = labelled(Ink::Bad, "error", &Ink::Bold.on(body(&error.message, "error")));
    if let Some(detail) = &error.detail {
        text.push_str(visible(detail).trim_end_matches('\n'));
        text.push('\n');
    }
    for cause in &error.causes {
        text.push_str(&labelled(Ink::Warn, "cause", &body(cause, "cause")));
    }
    for hint in &error.hints {
        text.push_str(&labelled(Ink::Command, "hint", &body(hint, "hint")));
    }
    text
}

fn body(text: &str, label: &str) -> String {
    hang(&visible(text), label.len() + 2)
}

fn labelled(ink: Ink, label: &str, body: &str) -> String {
    format!("{} {body}\n", ink.on(format!("{label}:")))
}

/// Part of the public interface.
#[derive(Serialize)]
#[serde(tag = "kind", rename = "error")]
struct Line<'a> {
    error: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    kind: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    causes: &'a [String],
    hints: &'a [String],
    exit_code: u8,
}

fn json(error: &Error) -> String {
    let Error { kind, message, detail, causes, hints } = error;
    let body = Body {
        kind: word(*kind),
        message,
        detail: detail.as_deref(),
        causes,
        hints,
        exit_code: kind.exit_code(),
    };
    let line =
        serde_json::to_string(&Line { error: body }).expect("texts and a number can be written as JSON");
    format!("{line}\n")
}

/// The kinds as programs read them. Public, as the exit codes are.
fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Internal => "internal",
        Kind::Usage => "usage",
        Kind::Invalid => "invalid",
        Kind::Refused => "refused",
        Kind::Unhealthy => "unhealthy",
        Kind::Halted => "halted",
        Kind::Waiting => "waiting",
        Kind::Stuck => "stuck",
        Kind::Undone => "undone",
        Kind::Corrupt => "corrupt",
        Kind::Unnotified => "unnotified",
        Kind::Interrupted => "interrupted",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::look::Look;

    fn full() -> Error {
        Error::invalid("unknown key `instnces` in service `argus`")
            .detail(
                "  --> opsctl.yaml:9:5\n   |\n 9 |     instnces:\n   |     ^^^^^^^^ not a key of a service\n",
            )
            .cause("cannot load `opsctl.yaml`")
            .cause("first line\nsecond line")
            .hint("rename it to `instances`")
            .hint("opsctl inventory check")
    }

    #[test]
    fn an_error_is_shown_as_what_why_and_what_to_do() {
        insta::assert_snapshot!(Look::PLAIN.fit(&text(&full())), @r"
        error: unknown key `instnces` in service `argus`
          --> opsctl.yaml:9:5
           |
         9 |     instnces:
           |     ^^^^^^^^ not a key of a service
        cause: cannot load `opsctl.yaml`
        cause: first line
               second line
        hint: rename it to `instances`
        hint: opsctl inventory check
        ");
    }

    #[test]
    fn an_error_without_more_is_one_line() {
        let error = Error::new(Kind::Refused, "the run is held by erin@laptop");
        assert_eq!(Look::PLAIN.fit(&text(&error)), "error: the run is held by erin@laptop\n");
    }

    #[test]
    fn a_program_reads_an_error_as_one_json_line() {
        insta::assert_snapshot!(json(&full()), @r#"{"kind":"error","error":{"kind":"invalid","message":"unknown key `instnces` in service `argus`","detail":"  --> opsctl.yaml:9:5\n   |\n 9 |     instnces:\n   |     ^^^^^^^^ not a key of a service\n","causes":["cannot load `opsctl.yaml`","first line\nsecond line"],"hints":["rename it to `instances`","opsctl inventory check"],"exit_code":3}}"#);
        let short = json(&Error::new(Kind::Stuck, "x"));
        assert_eq!(
            short,
            "{\"kind\":\"error\",\"error\":{\"kind\":\"stuck\",\"message\":\"x\",\"causes\":[],\"hints\":[],\"exit_code\":12}}\n"
        );
    }
}
