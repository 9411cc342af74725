//! The words of PromQL.

use std::ops::Range;

#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    Number(f64),
    Duration,
    Text,
    /// A name: of a metric, a label, a function, or a word of the language.
    Name(String),
    Compare(Comparison),
    /// A match of labels, or an assignment: `=`, `=~`, `!~`.
    Match,
    /// One of `( ) { } [ ] , : @ + - * / % ^`.
    Sign(char),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
}

/// # Errors
/// In words, at the first character that begins no word.
pub fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, String> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = match first {
            ' ' | '\t' | '\n' | '\r' => {
                at += 1;
                continue;
            }
            '#' => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            _ => {
                let (token, length) = one(rest, first).ok_or_else(|| format!("`{rest}` cannot be read"))?;
                found.push((token, at..at + length));
                length
            }
        };
        at += length;
    }
    Ok(found)
}

fn one(rest: &str, first: char) -> Option<(Token, usize)> {
    match first {
        '"' | '\'' | '`' => quoted(rest, first).map(|length| (Token::Text, length)),
        '0'..='9' | '.' => number(rest),
        'a'..='z' | 'A'..='Z' | '_' => Some(name(rest)),
        _ => operator(rest, first),
    }
}

fn operator(rest: &str, first: char) -> Option<(Token, usize)> {
    const OF_TWO: [(&str, Token); 6] = [
        ("==", Token::Compare(Comparison::Equal)),
        ("!=", Token::Compare(Comparison::NotEqual)),
        (">=", Token::Compare(Comparison::GreaterOrEqual)),
        ("<=", Token::Compare(Comparison::LessOrEqual)),
        ("=~", Token::Match),
        ("!~", Token::Match),
    ];
    if let Some((_, token)) = OF_TWO.iter().find(|(sign, _)| rest.starts_with(sign)) {
        return Some((token.clone(), 2));
    }
    match first {
        '>' => Some((Token::Compare(Comparison::Greater), 1)),
        '<' => Some((Token::Compare(Comparison::Less), 1)),
        '=' => Some((Token::Match, 1)),
        '(' | ')' | '{' | '}' | '[' | ']' | ',' | ':' | '@' | '+' | '-' | '*' | '/' | '%' | '^' => {
            Some((Token::Sign(first), 1))
        }
        _ => None,
    }
}

/// With its quotes; in backquotes a backslash is itself.
fn quoted(rest: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    let end = rest.char_indices().skip(1).find(|(_, char)| {
        let is_end = *char == quote && !is_escaped;
        is_escaped = *char == '\\' && !is_escaped && quote != '`';
        is_end
    });
    end.map(|(at, _)| at + 1)
}

/// A number as Prometheus writes them, or a duration such as `1h30m`.
fn number(rest: &str) -> Option<(Token, usize)> {
    let is_hex = rest.starts_with("0x") || rest.starts_with("0X");
    let mut end = 0;
    let mut before = ' ';
    for char in rest.chars() {
        let is_exponent_sign = matches!(char, '+' | '-') && matches!(before, 'e' | 'E') && !is_hex;
        if !char.is_ascii_alphanumeric() && !matches!(char, '.' | '_') && !is_exponent_sign {
            break;
        }
        before = char;
        end += char.len_utf8();
    }
    let word = rest[..end].replace('_', "");
    let value = match word.strip_prefix("0x").or(word.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok().map(|value| value as f64),
        None => word.parse().ok(),
    };
    match value {
        Some(value) => Some((Token::Number(value), end)),
        None => is_duration(&word).then_some((Token::Duration, end)),
    }
}

fn is_duration(mut word: &str) -> bool {
    const UNITS: [&str; 8] = ["ms", "s", "m", "h", "d", "w", "y", ""];
    while !word.is_empty() {
        let unit = word.trim_start_matches(|char: char| char.is_ascii_digit());
        let Some(found) = UNITS.iter().find(|name| unit.starts_with(**name)) else { return false };
        if unit.len() == word.len() || found.is_empty() {
            return false;
        }
        word = &unit[found.len()..];
    }
    true
}

fn name(rest: &str) -> (Token, usize) {
    let end = rest.find(|char: char| !char.is_ascii_alphanumeric() && !matches!(char, '_' | ':'));
    let word = &rest[..end.unwrap_or(rest.len())];
    let token = match word.to_ascii_lowercase().as_str() {
        "inf" => Token::Number(f64::INFINITY),
        "nan" => Token::Number(f64::NAN),
        _ => Token::Name(word.to_owned()),
    };
    (token, word.len())
}
