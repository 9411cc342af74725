//! Text in lines that are not longer than there is room for.

use unicode_width::UnicodeWidthStr;

/// Painted text in lines of at most `columns`, those after the first moved right by `indent`. What has no space in it is not cut: it
/// may be there to be pasted.
pub fn wrapped(text: &str, columns: usize, indent: usize) -> String {
    let (mut lines, mut line, mut taken) = (Vec::new(), String::new(), 0);
    for word in text.split(' ') {
        let width = width(word);
        if taken > 0 && taken + 1 + width > columns {
            lines.push(std::mem::take(&mut line));
            line.push_str(&" ".repeat(indent));
            line.push_str(word);
            taken = indent + width;
        } else {
            if !line.is_empty() {
                line.push(' ');
                taken += 1;
            }
            line.push_str(word);
            taken += width;
        }
    }
    lines.push(line);
    lines.join("\n")
}

/// A name that is at most so many columns wide; what is left out is in its middle, where names differ least.
pub fn shortened(name: &str, columns: usize) -> String {
    if name.width() <= columns {
        return name.to_owned();
    }
    let room = columns.saturating_sub(1);
    let take = |chars: &mut dyn Iterator<Item = char>, room: usize| {
        let mut taken = String::new();
        for c in chars {
            if taken.width() + c.to_string().width() > room {
                break;
            }
            taken.push(c);
        }
        taken
    };
    let head = take(&mut name.chars(), room / 2);
    let tail = take(&mut name.chars().rev(), room - room / 2);
    format!("{head}…{}", tail.chars().rev().collect::<String>())
}

/// How many columns painted text takes.
pub fn width(text: &str) -> usize {
    anstream::adapter::strip_str(text).to_string().width()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::paint::Ink;

    #[test]
    fn lines_end_at_spaces_and_colours_take_no_room() {
        let text = format!("{} four five six", Ink::Bad.on("one"));
        let wrapped = wrapped(&text, 10, 2);
        assert_eq!(anstream::adapter::strip_str(&wrapped).to_string(), "one four\n  five six");
        assert_eq!(super::wrapped("sha256:abcdef is long", 6, 1), "sha256:abcdef\n is\n long");
    }

    #[test]
    fn a_name_loses_its_middle_and_keeps_both_ends() {
        assert_eq!(shortened("registry.example/argus:v1.2.0", 15), "registr…:v1.2.0");
        assert_eq!(shortened("short", 15), "short");
        assert_eq!(shortened("データベース", 7), "デ…ス");
    }
}
