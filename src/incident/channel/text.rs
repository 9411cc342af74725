//! Text as the ways take it: escaped where there is markup, and cut where there is a limit.

use crate::incident::word;

/// What stands where a text was cut.
const ELLIPSIS: &str = "…";

/// How much is told of why a message was not taken.
const LONGEST_WHY: usize = 300;

/// An answer in one line. It is cut by [`why`] alone, once every secret in it is masked: of one that was cut, the beginning would be left.
pub fn said(answer: &str) -> String {
    match word::line(answer) {
        text if text.is_empty() => "no text".to_owned(),
        text => text,
    }
}

/// Why a message was not taken, as short as people read it.
pub fn why(text: &str) -> String {
    cut(text, LONGEST_WHY, utf16, |c| c.to_string())
}

/// As much of a text as fits, each character written as `write` has it, and measured so by `size`. Where it was cut there is an
/// ellipsis; what belongs to one letter or picture stays together.
pub fn cut(text: &str, most: usize, size: fn(&str) -> usize, write: fn(char) -> String) -> String {
    let mut written = String::new();
    let mut used = 0;
    // Where it may end, and how much is used there, if an ellipsis has to follow.
    let mut end = 0;
    let room = most.saturating_sub(size(&ELLIPSIS.chars().map(write).collect::<String>()));
    let mut before = None;
    for c in text.chars() {
        if used <= room && !joins(before, c) {
            end = written.len();
        }
        let next = write(c);
        used += size(&next);
        if used > most {
            written.truncate(end);
            written.extend(ELLIPSIS.chars().map(write));
            return written;
        }
        written.push_str(&next);
        before = Some(c);
    }
    written
}

/// Whether a character is shown as one with the one before it.
fn joins(before: Option<char>, c: char) -> bool {
    let is_flag = |c: char| matches!(c, '\u{1f1e6}'..='\u{1f1ff}');
    before == Some('\u{200d}')
        || matches!(c, '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{300}'..='\u{36f}' | '\u{20d0}'..='\u{20ff}' | '\u{1f3fb}'..='\u{1f3ff}')
        || before.is_some_and(is_flag) && is_flag(c)
}

/// The size of a text as those count that store it as UTF-16. It is never less than its number of characters.
pub fn utf16(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The size of a text within a JSON document, in bytes.
pub fn json_bytes(text: &str) -> usize {
    serde_json::Value::from(text).to_string().len() - 2
}

/// A character where `&`, `<` and `>` begin something.
pub fn entity(c: char) -> String {
    match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        c => c.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(c: char) -> String {
        c.to_string()
    }

    #[test]
    fn what_fits_stays_as_it_is_and_what_does_not_ends_in_an_ellipsis() {
        assert_eq!(cut("abc", 3, utf16, plain), "abc");
        assert_eq!(cut("abcd", 3, utf16, plain), "ab…");
        assert_eq!(cut("", 3, utf16, plain), "");
    }

    #[test]
    fn nothing_that_is_shown_as_one_is_cut_in_two() {
        let family = "👩\u{200d}👩\u{200d}👧";
        assert_eq!(cut(&format!("a{family}b"), 8, utf16, plain), "a…");
        assert_eq!(cut("ae\u{301}x", 3, utf16, plain), "a…");
        assert_eq!(cut("a👍🏽b", 5, utf16, plain), "a…");
        assert_eq!(cut("🇩🇪🇫🇷", 5, utf16, plain), "…");
    }

    #[test]
    fn an_entity_is_never_cut_and_counts_as_it_is_written() {
        assert_eq!(cut("<<<", 12, utf16, entity), "&lt;&lt;&lt;");
        assert_eq!(cut("<<<<", 12, utf16, entity), "&lt;&lt;…");
    }

    #[test]
    fn no_text_is_longer_than_its_limit_in_any_measure() {
        let text = "\"a\\\n👍🏽<&é漢".repeat(50);
        for size in [utf16, json_bytes, str::len] {
            for most in 3..200 {
                let cut = cut(&text, most, size, entity);
                assert!(size(&cut) <= most, "{most}: {cut}");
            }
        }
    }
}
