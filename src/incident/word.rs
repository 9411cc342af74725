//! What people are told, in the words of the document: what opsctl calls a severity, a status or a kind of message by a name of its own.

use super::event::Status;
use crate::model::channel::MessageKind;
use crate::model::thresholds::Severity;

/// `Critical` or `Warning`: what does not work at all, and what does.
pub fn severity(severity: Severity) -> &'static str {
    if severity >= Severity::Critical { "Critical" } else { "Warning" }
}

pub fn status(status: Status) -> &'static str {
    match status {
        Status::Investigating => "Investigating",
        Status::Identified => "Identified",
        Status::Monitoring => "Monitoring",
        Status::Resolved => "Resolved",
    }
}

/// As commands, templates and JSON name it.
pub fn kind(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Alert => "alert",
        MessageKind::Update => "update",
        MessageKind::Resolution => "resolution",
        MessageKind::Page => "page",
        MessageKind::Handoff => "handoff",
        MessageKind::Summary => "summary",
    }
}

/// Text from anywhere as one line that a terminal obeys in nothing, so that no title can pass for a line of its own.
pub fn line(text: &str) -> String {
    plain(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text from anywhere, with its lines, without what a terminal would obey or show in another order.
pub fn plain(text: &str) -> String {
    let is_obeyed = |c: char| c.is_control() && c != '\n';
    let is_reordering =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let kept = |c: char| match c {
        '\t' => Some(' '),
        c if is_obeyed(c) || is_reordering(c) => None,
        c => Some(c),
    };
    text.chars().filter_map(kept).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_line_that_no_terminal_obeys() {
        assert_eq!(line("argus\nStatus: Resolved\t \u{1b}[2J\u{202e}x 🔥"), "argus Status: Resolved [2Jx 🔥");
        assert_eq!(plain(" one\r\n\ttwo "), "one\n two");
    }

    #[test]
    fn what_does_not_work_at_all_is_critical() {
        let all = [Severity::Notice, Severity::Warning, Severity::Critical, Severity::Emergency];
        assert_eq!(all.map(severity), ["Warning", "Warning", "Critical", "Critical"]);
    }
}
