use jiff::tz::TimeZone;

use super::*;
use crate::engine::templates::Templates;
use crate::incident::event::{Event, Record};
use crate::incident::sample;
use crate::model::inventory::Inventory;
use crate::model::source::Source;

fn written(document: Document, records: Vec<Record>) -> String {
    let source = Source::new("opsctl.yaml", "name: opareta\nhosts: { app: { address: local } }\n");
    let (inventory, templates) = (Inventory::read(&source).unwrap(), Templates::open(None).unwrap());
    let parts = Parts { inventory: &inventory, templates: &templates, zone: &TimeZone::UTC };
    let incident = Incident { state: sample::fold(&records).unwrap(), records };
    let now = incident.state.changed_at;
    write(document, &incident, &Words::default(), parts, now).unwrap()
}

#[test]
fn how_it_stands_is_written_from_the_record() {
    insta::assert_snapshot!(written(Document::State, sample::records()));
}

#[test]
fn the_post_mortem_is_written_from_the_record() {
    insta::assert_snapshot!(written(Document::PostMortem, sample::resolved()));
}

#[test]
fn before_anything_is_known_the_document_says_so() {
    let opened = sample::records().into_iter().take(1).collect();
    let text = written(Document::State, opened);
    assert!(text.contains("## What is known\n\n- nothing yet\n\n## What is done\n\n- nothing yet"), "{text}");
}

#[test]
fn nothing_that_anybody_wrote_is_markup() {
    let mut records = sample::resolved();
    let Some(Event::Opened(opening)) = records.first_mut().map(|first| &mut first.event) else { panic!() };
    opening.title = "# <b>x</b> | [a](b) `c` *d* & \n## e".to_owned();
    let text = written(Document::PostMortem, records);
    let title = r"\# &lt;b\>x&lt;/b\> \| \[a\](b) \`c\` \*d\* &amp; \#\# e";
    assert!(text.starts_with(&format!("# Post-mortem: {title}\n")), "{text}");
    assert!(!text.contains("<b>") && !text.contains("\n## e"));
}

#[test]
fn what_would_begin_a_list_begins_none() {
    for (text, escaped) in [
        ("- x", "\\- x"),
        ("---", "\\---"),
        ("+ x", "\\+ x"),
        ("===", "\\==="),
        ("1. x", "1\\. x"),
        ("12) x", "12\\) x"),
        ("2026-03-01 x. y", "2026-03-01 x. y"),
        ("a - b", "a - b"),
        (" ", " "),
    ] {
        assert_eq!(escape(text), escaped);
    }
}

proptest::proptest! {
    // Each writes a whole document.
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn no_title_changes_the_shape_of_a_document(title in proptest::prelude::any::<String>()) {
        let shape = |title: &str| {
            let mut records = sample::resolved();
            if let Some(Event::Opened(opening)) = records.first_mut().map(|first| &mut first.event) {
                opening.title = title.to_owned();
            }
            let text = written(Document::PostMortem, records);
            let of = |mark: char| text.lines().filter(|line| line.starts_with(mark)).count();
            let cells = |line: &str| line.replace("\\|", "").matches('|').count();
            (text.lines().count(), of('#'), of('-'), text.lines().map(cells).sum::<usize>())
        };
        // `\|` is text, unless its backslash is.
        proptest::prop_assume!(!title.contains('\\'));
        proptest::prop_assert_eq!(shape(&title), shape("x"));
    }
}
