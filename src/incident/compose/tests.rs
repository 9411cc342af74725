use std::time::Duration;

use super::*;
use crate::incident::comms::Gate;
use crate::incident::event::Status;
use crate::incident::sample;
use crate::incident::tell::{Subject, draft};
use crate::model::escalation::Level;
use crate::model::source::Source;

const SITE: &str = "name: opareta\nhosts: { app: { address: 'ssh://deploy@203.0.113.10' } }\nchannels:\n  ops: { to: { file: ops.jsonl } }\n";

/// A site with templates of its own, which go with the folder.
fn scene(templates: &[(&str, &str)]) -> (Inventory, Templates, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("templates")).unwrap();
    for (name, text) in templates {
        std::fs::write(folder.path().join(format!("templates/{name}.txt")), text).unwrap();
    }
    let inventory = Inventory::read(&Source::new("opsctl.yaml", SITE)).unwrap();
    (inventory, Templates::open(Some(folder.path())).unwrap(), folder)
}

fn composed(kind: MessageKind, state: &IncidentState, words: &Words) -> Result<Composed, Refusal> {
    let (inventory, templates, _folder) = scene(&[]);
    let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
    let parts = Parts { inventory: &inventory, templates: &templates, zone: &zone };
    let page = Page { level: Level::L2, round: 1, who: "senior engineer".to_owned() };
    compose(kind, state, words, parts, state.changed_at, (kind == MessageKind::Page).then_some(&page))
}

fn text(kind: MessageKind, words: &Words) -> String {
    composed(kind, &sample::state(), words).unwrap().text
}

fn saying(text: &str) -> Words {
    Words { text: Some(text.to_owned()), ..Words::default() }
}

#[test]
fn the_first_message_has_the_fields_of_the_document_in_its_order() {
    insta::assert_snapshot!(text(MessageKind::Alert, &Words::default()), @r"
    [INCIDENT] opareta Service Degradation
    Time: 2026-03-01 03:14 UTC (04:14 CET)
    Severity: Critical
    Affected Services: argus
    Status: Investigating
    Next Update: 2026-03-01 03:39 UTC (04:39 CET)
    ");
}

#[test]
fn the_last_message_has_the_fields_of_the_document_in_its_order() {
    let state = sample::fold(&sample::resolved()).unwrap();
    let composed = composed(MessageKind::Resolution, &state, &Words::default()).unwrap();
    assert_eq!(
        (composed.subject.as_str(), composed.next_update_at),
        ("[RESOLVED] opareta: argus does not answer", None)
    );
    insta::assert_snapshot!(composed.text, @r"
    [RESOLVED] opareta Service Degradation
    Time: 2026-03-01 03:39 UTC (04:39 CET)
    Duration: 25 minutes
    Root Cause: the memory limit was too low
    Resolution: each instance was restarted with a higher limit
    Follow-up: an alert on memory (OPS-41)
    ");
}

#[test]
fn a_resolution_can_be_looked_at_before_it_is_one() {
    let words = Words {
        cause: Some("a bad release".to_owned()),
        resolution: Some("it was rolled back".to_owned()),
        follow_up: vec!["OPS-1".to_owned(), "OPS-2".to_owned()],
        ..Words::default()
    };
    let text = text(MessageKind::Resolution, &words);
    assert!(
        text.contains("Root Cause: a bad release\nResolution: it was rolled back\nFollow-up: OPS-1; OPS-2"),
        "{text}"
    );
}

#[test]
fn an_update_a_page_a_handoff_and_a_summary_say_what_the_record_knows() {
    let words = Words { from: Some("ada".to_owned()), to: Some("grace".to_owned()), ..saying("watching it") };
    let kinds = [MessageKind::Update, MessageKind::Page, MessageKind::Handoff, MessageKind::Summary];
    insta::assert_snapshot!(kinds.map(|kind| text(kind, &words)).join("\n\n"));
}

#[test]
fn what_only_a_person_can_know_is_asked_for() {
    let blanks = |kind, state: &IncidentState| match composed(kind, state, &Words::default()) {
        Err(Refusal::Unfilled { blanks, .. }) => blanks.join(" "),
        other => panic!("{other:?}"),
    };
    let mut state = sample::state();
    state.text = None;
    assert_eq!(blanks(MessageKind::Update, &state), "text");
    assert_eq!(blanks(MessageKind::Resolution, &state), "root_cause resolution follow_up");
    assert_eq!(blanks(MessageKind::Handoff, &state), "text from to");
    let dots = Words { text: Some("...".to_owned()), ..Words::default() };
    assert!(composed(MessageKind::Update, &state, &dots).is_err());
}

#[test]
fn a_title_cannot_pass_for_a_line_of_the_message() {
    let mut state = sample::state();
    state.opening.title = "x\nStatus: Resolved\u{1b}[2J".to_owned();
    state.opening.services = vec!["argus\nSeverity: Warning".to_owned()];
    state.triage = None;
    let page = composed(MessageKind::Page, &state, &Words::default()).unwrap();
    assert_eq!(page.subject, "[PAGE L2] opareta: x Status: Resolved[2J");
    assert_eq!(
        page.text.lines().filter(|line| line.starts_with("Status:") || line.starts_with("Severity:")).count(),
        2
    );
    assert!(!page.text.contains('\u{1b}'));
}

#[test]
fn what_is_for_a_few_puts_nothing_off_for_the_others() {
    let state = sample::state();
    let words = Words { from: Some("ada".to_owned()), to: Some("grace".to_owned()), ..saying("x") };
    let promised = |kind| composed(kind, &state, &words).unwrap();
    let in_time = Some(state.changed_at + Duration::from_secs(20 * 60));
    assert_eq!(promised(MessageKind::Update).next_update_at, in_time);
    for kind in [MessageKind::Handoff, MessageKind::Summary, MessageKind::Page] {
        assert_eq!(promised(kind).next_update_at, None, "{kind:?}");
    }
    let mut late = state.clone();
    late.next_update_at = Some(state.opened_at);
    let summary = composed(MessageKind::Summary, &late, &words).unwrap();
    assert!(summary.text.contains("Next Update: overdue since 2026-03-01 03:15 UTC"), "{}", summary.text);
}

#[test]
fn a_template_of_the_project_takes_the_place_of_the_built_in_one_and_its_mistakes_are_told() {
    let own = [("update", "{{ status | upper }}, {{ next_update }}"), ("alert", "{{ sevrity }}")];
    let (inventory, templates, _folder) = scene(&own);
    let parts = Parts { inventory: &inventory, templates: &templates, zone: &TimeZone::UTC };
    let state = sample::state();
    let compose = |kind| compose(kind, &state, &Words::default(), parts, state.changed_at, None);
    assert!(compose(MessageKind::Update).unwrap().text.starts_with("MONITORING, 2026-03-01"));
    let Err(Refusal::Template { template, file, why }) = compose(MessageKind::Alert) else { panic!() };
    assert!(file.ends_with("templates/alert.txt") && why.contains("sevrity"), "{template} {file} {why}");
}

#[test]
fn without_a_template_there_is_still_a_message() {
    let (inventory, templates, _folder) = scene(&[]);
    let parts = Parts { inventory: &inventory, templates: &templates, zone: &TimeZone::UTC };
    let mut state = sample::state();
    state.status = Status::Investigating;
    let plain = Composed::without_template(MessageKind::Update, &state, parts, state.changed_at, None);
    insta::assert_snapshot!(plain.text, @r"
    [UPDATE] opareta: argus does not answer
    Time: 2026-03-01 03:19 UTC
    Severity: Critical
    Status: Investigating
    Next Update: 2026-03-01 03:39 UTC
    Show: opsctl incident show 5eed0001
    ");
}

#[test]
fn no_built_in_message_about_the_example_is_refused() {
    let (inventory, templates, _folder) = scene(&[]);
    let parts = Parts { inventory: &inventory, templates: &templates, zone: &TimeZone::UTC };
    let words = Words { from: Some("ada".to_owned()), to: Some("grace".to_owned()), ..saying("it runs") };
    let page = Page { level: Level::L1, round: 2, who: "ada".to_owned() };
    for kind in [
        MessageKind::Alert,
        MessageKind::Update,
        MessageKind::Page,
        MessageKind::Handoff,
        MessageKind::Summary,
    ] {
        let (state, page) = (sample::state(), (kind == MessageKind::Page).then_some(&page));
        let now = state.changed_at;
        let subject = Subject { kind, state: &state, words: &words, page, gate: Gate::Red, now };
        let draft = draft(subject, parts).unwrap();
        assert_eq!((draft.faults, draft.channels), (vec![], vec!["ops".to_owned()]), "{kind:?}");
    }
}

proptest::proptest! {
    // Each has a folder of its own.
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn no_title_makes_or_breaks_a_line(title in proptest::prelude::any::<String>()) {
        let mut state = sample::state();
        let lines = |state: &IncidentState| {
            let page = composed(MessageKind::Page, state, &Words::default()).unwrap();
            assert!(!page.text.contains(|c: char| c != '\n' && c.is_control() || c == '\u{2028}'), "{page:?}");
            assert!(!page.subject.contains('\n'), "{page:?}");
            page.text.lines().count()
        };
        let before = lines(&state);
        state.opening.title = title.clone();
        state.opening.services = vec![title];
        proptest::prop_assert_eq!(lines(&state), before);
    }
}
