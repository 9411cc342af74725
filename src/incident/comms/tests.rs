use super::*;
use crate::incident::sample;
use crate::model::source::Source;

const SITE: &str = "name: opareta\nhosts:\n  db-7: { address: 'ssh://deploy@203.0.113.10' }\n";

fn inventory() -> Inventory {
    Inventory::read(&Source::new("opsctl.yaml", SITE)).unwrap()
}

/// What is refused, and what is warned of, of an update with that text; its next update is promised.
fn said(text: &str, gate: Gate, is_public: bool) -> (Vec<String>, Vec<String>) {
    let next_update = "2026-03-01 03:34 UTC".to_owned();
    let composed = Composed {
        subject: "[UPDATE] opareta: argus".to_owned(),
        text: format!("{text}\nNext Update: {next_update}"),
        next_update_at: None,
        next_update,
    };
    let words = Words { text: Some(text.to_owned()), ..Words::default() };
    let secrets = ["correct-horse".to_owned()];
    let scene = Scene { inventory: &inventory(), words: &words, gate, is_public, secrets: &secrets };
    let (refused, warned): (Vec<_>, Vec<_>) =
        faults(MessageKind::Update, &composed, scene).into_iter().partition(|fault| fault.is_refused);
    let what = |faults: Vec<Fault>| faults.into_iter().map(|fault| fault.what).collect();
    (what(refused), what(warned))
}

fn refused_in(text: &str) -> Vec<String> {
    said(text, Gate::Red, false).0
}

#[test]
fn nobody_says_resolved_while_nothing_says_that_it_works() {
    for text in ["It is resolved.", "RESOLVED: argus", "the issue has been Resolved"] {
        assert_eq!(
            refused_in(text),
            ["it says \"resolved\", and nothing says that it works again"],
            "{text}"
        );
        assert_eq!(said(text, Gate::Green, false).0, [""; 0], "{text}");
    }
    for text in
        ["it is not yet resolved", "until it is resolved", "unresolved", "we work to have it be resolved"]
    {
        assert_eq!(refused_in(text), [""; 0], "{text}");
    }
}

#[test]
fn it_works_again_when_checks_held_and_nothing_is_under_way() {
    let mut state = sample::state();
    assert_eq!(Gate::of(&state), Gate::Green);
    state.runs[0].is_ended = false;
    assert_eq!(Gate::of(&state), Gate::Red);
    state.status = Status::Resolved;
    assert_eq!(Gate::of(&state), Gate::Green);
    let mut state = sample::state();
    state.milestones.mitigated_at = None;
    assert_eq!(Gate::of(&state), Gate::Red);
}

#[test]
fn a_message_says_when_the_next_one_comes() {
    let composed = Composed {
        subject: String::new(),
        text: "it is being worked on".to_owned(),
        next_update_at: None,
        next_update: "2026-03-01 03:34 UTC".to_owned(),
    };
    let words = Words::default();
    let scene =
        Scene { inventory: &inventory(), words: &words, gate: Gate::Red, is_public: false, secrets: &[] };
    let of = |kind| faults(kind, &composed, scene).len();
    assert_eq!(
        [MessageKind::Alert, MessageKind::Update, MessageKind::Handoff, MessageKind::Summary].map(of),
        [1; 4]
    );
    assert_eq!([MessageKind::Page, MessageKind::Resolution].map(of), [0; 2]);
}

#[test]
fn a_blank_is_not_sent() {
    for text in [
        "Time: [TIMESTAMP]",
        "Severity: [Critical/Warning]",
        "Duration: [X minutes]",
        "it is {{ status }}",
        "{% if x %}",
        "cause: TBD",
        "TODO",
    ] {
        let refused = refused_in(text);
        assert!(
            refused.len() == 1 && refused[0].starts_with("there is a blank in it"),
            "{text}: {refused:?}"
        );
    }
    for text in ["[UPDATE] list", "a mastodon", "[argus] is slow"] {
        assert_eq!(refused_in(text), [""; 0], "{text}");
    }
}

/// Put together here, so that nobody takes the examples for keys.
fn secrets() -> Vec<String> {
    [
        "-----BEGIN RSA PRIVATE KEY-----|",
        "AKIA|ABCDEFGHIJKLMNOP",
        "xoxb-|1234567890-abcdef",
        "https://hooks.slack.com/services/|T0/B0/xyz",
        "ghp_|abcdefghijklmnopqrstuvwx",
        "glpat-|abcdefghijklmnopqrst",
        "whsec_|C2FVsBQIhrscChlQIMV+b5sS",
        "eyJhbGciOiJI|.eyJzdWIiOiIx.abc-DEF",
        "postgres://argus:|hunter2@db/argus",
        "password: |hunter2",
        "API_KEY=|abcdef",
        "it is correct-|horse",
    ]
    .iter()
    .map(|text| text.replace('|', ""))
    .collect()
}

#[test]
fn a_secret_is_not_sent() {
    for text in secrets() {
        assert_eq!(refused_in(&text), ["there is a secret in it"], "{text}");
        let shown = masked(&text, &["correct-horse".to_owned()]);
        assert!(shown.contains("***") && !shown.contains("hunter2") && !shown.contains("horse"), "{shown}");
    }
    for text in ["the token has expired", "http://localhost:9090/alerts", "see OPS-41: password rotation"] {
        assert_eq!(refused_in(text), [""; 0], "{text}");
    }
}

#[test]
fn people_outside_are_told_no_host_and_no_time_unless_it_is_meant() {
    let warned = |text: &str| said(text, Gate::Red, true).1;
    assert_eq!(warned("db-7 was restarted"), ["people outside read it, and it names `db-7`"]);
    assert_eq!(warned("see 203.0.113.10."), ["people outside read it, and it names `203.0.113.10`"]);
    for text in ["back in 10 minutes", "fixed by 15:00", "ETA 20m", "within a few hours", "in about an hour"]
    {
        let warned = warned(text);
        assert!(warned.len() == 1 && warned[0].contains("promises a time"), "{text}: {warned:?}");
    }
    for text in ["some requests fail", "db-70 is new", "in 3 regions"] {
        assert_eq!(warned(text), [""; 0], "{text}");
    }
    assert_eq!(said("db-7 is back in 10 minutes", Gate::Red, false), (vec![], vec![]));
}

#[test]
fn what_goes_into_the_record_says_something_and_holds_no_secret() {
    let fits = |text: &str| fit("the note", text, &inventory());
    assert_eq!(fits(" one\r\ntwo ").unwrap(), "one\ntwo");
    assert_eq!(fits(" ... ").unwrap_err().kind, Kind::Usage);
    let error = fits("password=hunter2").unwrap_err();
    assert!(error.kind == Kind::Refused && !error.to_string().contains("hunter2"), "{error:?}");
}
