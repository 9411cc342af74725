//! Where in a YAML text each key and each value stands, by its path.
//!
//! Built from the parser's events, so that what is found wrong long after parsing (a dangling name, a template that names
//! nothing) still points at its exact place. A path is a JSON pointer (RFC 6901). A text that does not parse is indexed as
//! far as it does.

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, StructureStyle};

/// Byte ranges in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub key: Option<Range<usize>>,
    pub value: Range<usize>,
    pub shape: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Also an alias.
    Scalar,
    /// A list or a map in brackets.
    Flow,
    /// A list or a map in lines.
    Block,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Index(HashMap<String, Node>);

/// A collection that is still open.
struct Frame {
    path: Option<String>,
    key: Option<Range<usize>>,
    start: usize,
    shape: Shape,
    within: Within,
}

enum Within {
    /// The key whose value comes next.
    Map(Option<(String, Range<usize>)>),
    /// How many items there were.
    List(usize),
}

impl Index {
    pub(super) fn of(text: &str) -> Index {
        let mut index = Index::default();
        let mut open: Vec<Frame> = Vec::new();
        for next in Parser::new_from_str(text) {
            let Ok((event, span)) = next else { break };
            let range = span.byte_range().unwrap_or_default();
            match event {
                Event::Scalar(value, ..) => index.scalar(&mut open, Some(&value), range),
                Event::Alias(..) => index.scalar(&mut open, None, range),
                Event::MappingStart(style, ..) => begin(&mut open, range, style, Within::Map(None)),
                Event::SequenceStart(style, ..) => begin(&mut open, range, style, Within::List(0)),
                Event::MappingEnd | Event::SequenceEnd => index.end(&mut open, text, range),
                // One document is all that there may be.
                Event::DocumentEnd => break,
                _ => {}
            }
        }
        index
    }

    fn scalar(&mut self, open: &mut [Frame], value: Option<&str>, range: Range<usize>) {
        match place(open) {
            Place::Key => set_key(open, value.unwrap_or("*").to_owned(), range),
            Place::Value { path: Some(path), key } => self.add(path, key, range, Shape::Scalar),
            Place::Value { path: None, .. } => {}
        }
    }

    fn end(&mut self, open: &mut Vec<Frame>, text: &str, range: Range<usize>) {
        let Some(frame) = open.pop() else { return };
        let end = range.end.max(frame.start);
        let whole = frame.start..frame.start + text[frame.start..end].trim_end().len();
        match frame.path {
            Some(path) => self.add(path, frame.key, whole, frame.shape),
            // A collection that was itself a key.
            None => set_key(open, "?".to_owned(), whole),
        }
    }

    /// The first of two values under the same key is the one that is remembered.
    fn add(&mut self, path: String, key: Option<Range<usize>>, value: Range<usize>, shape: Shape) {
        self.0.entry(path).or_insert(Node { key, value, shape });
    }

    pub(super) fn get(&self, path: &str) -> Option<&Node> {
        self.0.get(path)
    }

    /// The path and the node of the smallest key or value that holds the byte at `offset`.
    pub(super) fn around(&self, offset: usize) -> Option<(&str, Range<usize>)> {
        let holds = |range: &Range<usize>| range.start <= offset && offset < range.end.max(range.start + 1);
        self.0
            .iter()
            .flat_map(|(path, node)| {
                [Some(node.value.clone()), node.key.clone()]
                    .into_iter()
                    .flatten()
                    .map(move |range| (path, range))
            })
            .filter(|(_, range)| holds(range))
            .min_by_key(|(path, range)| (range.len(), std::cmp::Reverse(path.len())))
            .map(|(path, range)| (path.as_str(), range))
    }

    /// The path of the map that has a key at `offset`.
    pub(super) fn map_with_key_at(&self, offset: usize) -> Option<&str> {
        let begins = |node: &Node| node.key.as_ref().is_some_and(|key| key.start == offset);
        self.0.iter().find(|(_, node)| begins(node)).and_then(|(path, _)| parent(path))
    }

    /// The path of the list or map that begins at `offset`.
    pub(super) fn collection_at(&self, offset: usize) -> Option<&str> {
        let begins = |node: &Node| node.value.start == offset && node.shape != Shape::Scalar;
        self.0.iter().find(|(_, node)| begins(node)).map(|(path, _)| path.as_str())
    }

    /// The key of that name in the map around `offset`.
    pub(super) fn sibling(&self, offset: usize, name: &str) -> Option<Range<usize>> {
        let (path, _) = self.around(offset)?;
        let own = self.get(path).and_then(|node| node.key.clone());
        [Some(path), parent(path)]
            .into_iter()
            .flatten()
            .filter_map(|path| self.get(&join(path, name))?.key.clone())
            .find(|key| key.start < offset && Some(key) != own.as_ref())
    }
}

fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(parent, _)| parent)
}

/// What the next node is to the collection that it stands in.
enum Place {
    Key,
    Value { path: Option<String>, key: Option<Range<usize>> },
}

fn place(open: &mut [Frame]) -> Place {
    let Some(frame) = open.last_mut() else { return Place::Value { path: Some(String::new()), key: None } };
    let below = |step: &str| frame.path.as_ref().map(|path| join(path, step));
    match &mut frame.within {
        Within::List(count) => {
            *count += 1;
            Place::Value { path: below(&(*count - 1).to_string()), key: None }
        }
        Within::Map(key) => match key.take() {
            None => Place::Key,
            Some((name, range)) => Place::Value { path: below(&name), key: Some(range) },
        },
    }
}

fn set_key(open: &mut [Frame], name: String, range: Range<usize>) {
    if let Some(Frame { within: Within::Map(key), .. }) = open.last_mut() {
        *key = Some((name, range));
    }
}

fn begin(open: &mut Vec<Frame>, range: Range<usize>, style: StructureStyle, within: Within) {
    let (path, key) = match place(open) {
        Place::Key => (None, None),
        Place::Value { path, key } => (path, key),
    };
    let shape = if style == StructureStyle::Flow { Shape::Flow } else { Shape::Block };
    open.push(Frame { path, key, start: range.start, shape, within });
}

/// The path one step further down.
pub fn join(path: &str, step: &str) -> String {
    format!("{path}/{}", step.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a: one\nb:\n  - { c: two, \"d/e\": [3] }\n  - x\n? [k]\n: v\nf: &s 1\ng: *s\n";

    fn text(range: &Range<usize>) -> &'static str {
        &TEXT[range.clone()]
    }

    #[test]
    fn keys_and_values_are_found_by_their_path() {
        let index = Index::of(TEXT);
        assert_eq!(text(&index.get("/a").unwrap().value), "one");
        assert_eq!(text(index.get("/b").unwrap().key.as_ref().unwrap()), "b");
        assert_eq!(text(&index.get("/b/0").unwrap().value), "{ c: two, \"d/e\": [3] }");
        assert_eq!(text(&index.get("/b/0/d~1e/0").unwrap().value), "3");
        assert_eq!(text(&index.get("/b/1").unwrap().value), "x");
        assert_eq!(text(&index.get("/g").unwrap().value), "*s");
    }

    #[test]
    fn a_byte_is_found_in_the_smallest_thing_around_it() {
        let index = Index::of(TEXT);
        let at = TEXT.find("two").unwrap();
        assert_eq!(index.around(at), Some(("/b/0/c", at..at + 3)));
    }

    #[test]
    fn a_broken_text_is_indexed_as_far_as_it_parses_and_never_panics() {
        assert!(Index::of("a: 1\nb: [").get("/a").is_some());
        for end in 0..TEXT.len() {
            Index::of(&TEXT[..end]);
        }
        Index::of(&"[".repeat(100_000));
    }
}
