//! What ssh says when it does not get through.
//!
//! ssh has one exit code for every reason, so its words are all there is. They come from ssh itself, which is not translated,
//! and they are only used to choose a heading and a hint: the words themselves are always shown.

use super::failure::FailureKind;

pub(super) fn kind(log: &str) -> FailureKind {
    let says = |text: &str| log.contains(text);
    if says("Host key verification failed") || says("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        FailureKind::HostKey
    } else if says("Permission denied (") || says("Too many authentication failures") {
        FailureKind::Authentication
    } else if says("timed out") {
        FailureKind::Timeout
    } else if says("Bad configuration option")
        || says("bad configuration options")
        || says("user config file")
    {
        FailureKind::Protocol
    } else {
        FailureKind::Unreachable
    }
}

/// The lines that say something, as one: without the frames of at-signs, and without what is no reason.
pub(super) fn gist(log: &str) -> String {
    let lines: Vec<&str> = log
        .lines()
        .map(|line| line.trim().trim_start_matches("ssh: "))
        .filter(|line| line.chars().any(char::is_alphanumeric))
        // Advice about the algorithms of the server begins with two stars.
        .filter(|line| !line.starts_with("Warning: Permanently added") && !line.starts_with("**"))
        .map(|line| line.trim_matches(|c: char| c == '@' || c.is_whitespace()))
        .collect();
    if lines.is_empty() { "it gave no reason".to_owned() } else { lines.join("; ") }
}

/// What ssh said last about the connection itself.
pub(super) fn last(log: &str) -> Option<&str> {
    let is_about_a_channel = |line: &str| line.starts_with("channel ") || line.starts_with("mux_");
    log.lines().rev().map(str::trim).find(|line| !line.is_empty() && !is_about_a_channel(line))
}

/// Whether the host's key is another than the known one, as against not known at all.
pub(super) fn is_changed_key(log: &str) -> bool {
    log.contains("IDENTIFICATION HAS CHANGED")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_the_words_of_ssh_has_its_kind() {
        let said = [
            ("ssh: connect to host 127.0.0.1 port 9 : Connection refused", FailureKind::Unreachable),
            ("ssh: connect to host 10.9.9.9 port 22: No route to host", FailureKind::Unreachable),
            ("ssh: Could not resolve hostname nowhere: Name or service not known", FailureKind::Unreachable),
            ("kex_exchange_identification: Connection closed by remote host", FailureKind::Unreachable),
            ("ssh: connect to host 10.9.9.9 port 22: Connection timed out", FailureKind::Timeout),
            ("Connection timed out during banner exchange", FailureKind::Timeout),
            ("deploy@app: Permission denied (publickey).", FailureKind::Authentication),
            (
                "Received disconnect from 10.0.0.1: Too many authentication failures",
                FailureKind::Authentication,
            ),
            ("No ED25519 host key is known for app.\nHost key verification failed.", FailureKind::HostKey),
            ("/x: line 3: Bad configuration option: foo", FailureKind::Protocol),
            ("Can't open user config file /x: No such file or directory", FailureKind::Protocol),
        ];
        for (words, expected) in said {
            assert_eq!(kind(words), expected, "{words}");
        }
    }

    #[test]
    fn the_last_words_are_those_about_the_connection() {
        let log = "Timeout, server app not responding.\r\nchannel 2: open failed: connect failed: Connection refused\n\n";
        assert_eq!(last(log), Some("Timeout, server app not responding."));
        assert_eq!(last("mux_client: x\n"), None);
    }

    #[test]
    fn the_gist_of_a_changed_key_is_readable() {
        let log = "@@@@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@@@@@\nHost key verification failed.\n";
        assert_eq!(
            gist(log),
            "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!; Host key verification failed."
        );
        assert_eq!(gist("\n"), "it gave no reason");
        assert!(is_changed_key(log));
        assert_eq!(kind(log), FailureKind::HostKey);
    }
}
