//! What the runner says: one line at a time.

use crate::run::signal::Stream;

/// An answer about one request, by its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::host) enum Answer {
    /// A whole line that a command wrote, after it ended.
    Line(Stream, String),
    /// A command has ended, or will never begin. `is_whole`: its lines were all that it wrote.
    End {
        how: End,
        is_whole: bool,
    },
    /// It was begun, and nothing is left of it, not even an exit code.
    Cut,
    /// Nothing was claimed under that name.
    None,
    /// The receipt could not be written, so nothing was begun.
    Failed,
    /// What is known of a command.
    Look(State),
    /// Whether nothing of a command runs any more.
    Gone(bool),
    /// Whether the lease is still ours.
    Holds(bool),
    Synced,
    Released,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::host) enum End {
    Status(i32),
    /// A newer lease was there.
    Fenced,
    /// There is no such folder.
    Folder,
    /// Its receipt or its output could not be made.
    Unwritten,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::host) enum State {
    None,
    Running,
    Ended(End),
    Cut,
}

/// The tag and the answer; nothing for a line that makes no sense.
pub(in crate::host) fn parse(line: &str) -> Option<(u64, Answer)> {
    let (verb, rest) = line.split_once(' ')?;
    let (tag, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let tag = tag.parse().ok()?;
    let yes = rest == "yes";
    let answer = match verb {
        "o" => Answer::Line(Stream::Out, rest.to_owned()),
        "e" => Answer::Line(Stream::Err, rest.to_owned()),
        "end" => {
            let (word, more) = rest.split_once(' ').unwrap_or((rest, ""));
            Answer::End { how: end(word)?, is_whole: more != "more" }
        }
        "cut" => Answer::Cut,
        "none" => Answer::None,
        "failed" => Answer::Failed,
        "look" => Answer::Look(match rest.split_once(' ').unwrap_or((rest, "")) {
            ("none", _) => State::None,
            ("running", _) => State::Running,
            ("cut", _) => State::Cut,
            ("ended", word) => State::Ended(end(word)?),
            _ => return None,
        }),
        "gone" => Answer::Gone(yes),
        "holds" => Answer::Holds(yes),
        "synced" => Answer::Synced,
        "released" => Answer::Released,
        _ => return None,
    };
    Some((tag, answer))
}

fn end(word: &str) -> Option<End> {
    match word {
        "fenced" => Some(End::Fenced),
        "folder" => Some(End::Folder),
        "unsynced" | "unwritten" => Some(End::Unwritten),
        code => code.parse().ok().map(End::Status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_answer_is_understood() {
        let end = |how, is_whole| Some((7, Answer::End { how, is_whole }));
        assert_eq!(parse("o 7 a  b "), Some((7, Answer::Line(Stream::Out, "a  b ".to_owned()))));
        assert_eq!(parse("e 7 "), Some((7, Answer::Line(Stream::Err, String::new()))));
        assert_eq!(parse("end 7 3 "), end(End::Status(3), true));
        assert_eq!(parse("end 7 143 more"), end(End::Status(143), false));
        assert_eq!(parse("end 7 fenced "), end(End::Fenced, true));
        assert_eq!(parse("look 7 ended 0"), Some((7, Answer::Look(State::Ended(End::Status(0))))));
        assert_eq!(parse("look 7 none "), Some((7, Answer::Look(State::None))));
        assert_eq!(parse("gone 7 no"), Some((7, Answer::Gone(false))));
        assert_eq!(parse("cut 7"), Some((7, Answer::Cut)));
        assert_eq!(parse("Last login: today"), None);
    }
}
