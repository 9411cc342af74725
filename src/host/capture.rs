//! What comes out of a command: the noise before the marker dropped, the lines handed on as they come, a bounded copy kept.

/// One stream of a command that begins with a marker.
#[derive(Debug)]
pub(super) struct Capture {
    opening: Opening,
    lines: Lines,
}

/// One stream: its lines, and what is kept of it.
#[derive(Debug)]
pub(super) struct Lines {
    line: Vec<u8>,
    kept: Kept,
}

/// A line longer than this is handed on in pieces.
const LONGEST_LINE: usize = 16 << 10;

#[derive(Debug)]
enum Opening {
    /// What came before the marker, in case that it explains why there is none.
    Awaited { marker: Vec<u8>, noise: Vec<u8> },
    /// What stood behind the marker on its line.
    Seen(String),
}

impl Capture {
    pub(super) fn new(marker: &str, limit: usize) -> Capture {
        Capture {
            opening: Opening::Awaited { marker: marker.as_bytes().to_owned(), noise: Vec::new() },
            lines: Lines::new(limit),
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8], emit: &mut dyn FnMut(&str)) {
        let Opening::Awaited { marker, noise } = &mut self.opening else {
            return self.lines.push(bytes, emit);
        };
        noise.extend_from_slice(bytes);
        let Some(start) = noise.windows(marker.len()).position(|window| window == marker.as_slice()) else {
            // An endless noise must not fill the memory, nor hide a marker that comes in two pieces.
            let excess = noise.len().saturating_sub(LONGEST_LINE);
            noise.drain(..excess);
            return;
        };
        let after = start + marker.len();
        let Some(end) = noise[after..].iter().position(|byte| *byte == b'\n') else {
            return;
        };
        let said = String::from_utf8_lossy(&noise[after..after + end]).trim().to_owned();
        let rest = noise.split_off(after + end + 1);
        self.opening = Opening::Seen(said);
        self.lines.push(&rest, emit);
    }

    /// What the marker said, once it has come.
    pub(super) fn opening(&self) -> Option<&str> {
        match &self.opening {
            Opening::Awaited { .. } => None,
            Opening::Seen(said) => Some(said),
        }
    }

    /// What came in place of the marker.
    pub(super) fn noise(&self) -> String {
        match &self.opening {
            Opening::Awaited { noise, .. } => String::from_utf8_lossy(noise).trim().to_owned(),
            Opening::Seen(_) => String::new(),
        }
    }

    pub(super) fn finish(self, emit: &mut dyn FnMut(&str)) -> String {
        self.lines.finish(emit)
    }
}

impl Lines {
    pub(super) fn new(limit: usize) -> Lines {
        Lines { line: Vec::new(), kept: Kept::new(limit) }
    }

    pub(super) fn push(&mut self, bytes: &[u8], emit: &mut dyn FnMut(&str)) {
        self.kept.push(bytes);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.line.len() >= LONGEST_LINE {
                self.emit(emit);
            }
        }
    }

    fn emit(&mut self, emit: &mut dyn FnMut(&str)) {
        let line = String::from_utf8_lossy(&self.line);
        emit(line.trim_end_matches(['\n', '\r']));
        drop(line);
        self.line.clear();
    }

    pub(super) fn finish(mut self, emit: &mut dyn FnMut(&str)) -> String {
        if !self.line.is_empty() {
            self.emit(emit);
        }
        self.kept.text()
    }
}

/// The beginning and the end of a text that may be too long to keep.
#[derive(Debug)]
struct Kept {
    half: usize,
    head: Vec<u8>,
    tail: Vec<u8>,
    cut: usize,
}

impl Kept {
    fn new(limit: usize) -> Kept {
        Kept { half: limit / 2, head: Vec::new(), tail: Vec::new(), cut: 0 }
    }

    fn push(&mut self, bytes: &[u8]) {
        let room = self.half - self.head.len();
        let (head, tail) = bytes.split_at(room.min(bytes.len()));
        self.head.extend_from_slice(head);
        self.tail.extend_from_slice(tail);
        // Cut at twice the size, so that a long output is not moved with every piece.
        if self.tail.len() > 2 * self.half {
            self.shorten();
        }
    }

    fn shorten(&mut self) {
        let excess = self.tail.len().saturating_sub(self.half);
        self.tail.drain(..excess);
        self.cut += excess;
    }

    /// The text, with a line that says what is missing from its middle.
    fn text(mut self) -> String {
        self.shorten();
        if self.cut > 0 {
            self.head.extend_from_slice(format!("\n[{} bytes cut]\n", self.cut).as_bytes());
        }
        self.head.extend_from_slice(&self.tail);
        String::from_utf8_lossy(&self.head).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(pieces: &[&[u8]], limit: usize) -> (Option<String>, Vec<String>, String) {
        let mut capture = Capture::new("MARK", limit);
        let mut lines = Vec::new();
        let mut emit = |line: &str| lines.push(line.to_owned());
        for piece in pieces {
            capture.push(piece, &mut emit);
        }
        let opening = capture.opening().map(String::from);
        let text = capture.finish(&mut emit);
        (opening, lines, text)
    }

    #[test]
    fn start_up_noise_is_dropped_however_the_bytes_are_cut() {
        let whole = b"Welcome!\nno newline hereMARK 42\none\ntwo\r\nend";
        for at in 0..whole.len() {
            let (opening, lines, text) = captured(&[&whole[..at], &whole[at..]], 1000);
            assert_eq!(opening.as_deref(), Some("42"));
            assert_eq!(lines, ["one", "two", "end"]);
            assert_eq!(text, "one\ntwo\r\nend");
        }
    }

    #[test]
    fn without_the_marker_the_noise_is_the_explanation() {
        let mut capture = Capture::new("MARK", 100);
        capture.push(b"sudo: a password is required\n", &mut |_| {});
        assert_eq!(capture.opening(), None);
        assert_eq!(capture.noise(), "sudo: a password is required");
    }

    #[test]
    fn a_long_output_keeps_its_two_ends_and_says_what_was_cut() {
        let long: Vec<u8> = (0..1000).flat_map(|n: u32| format!("{n:04}\n").into_bytes()).collect();
        let mut pieces: Vec<&[u8]> = vec![b"MARK\n"];
        pieces.extend(long.chunks(7));
        let (_, lines, text) = captured(&pieces, 100);
        assert_eq!(lines.len(), 1000);
        assert!(text.starts_with("0000\n0001\n"), "{text}");
        assert!(text.ends_with("0998\n0999\n"), "{text}");
        assert!(text.contains("\n[4900 bytes cut]\n"), "{text}");
    }

    #[test]
    fn bytes_that_are_not_text_do_not_stop_the_rest() {
        let (_, lines, text) = captured(&[b"MARK\n\xff\xfe ok\n"], 100);
        assert_eq!(lines, ["\u{fffd}\u{fffd} ok"]);
        assert_eq!(text, "\u{fffd}\u{fffd} ok\n");
    }
}
