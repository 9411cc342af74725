//! Each check is tried once before anything is changed.

use serde_json::json;

use super::scene::{check, plan, step};
use super::script::{Answer, Script, exit, lost};
use crate::base::amount::Span;
use crate::base::id::StepKey;
use crate::engine::preflight::{Preflight, preflight};
use crate::model::operation::{ContainerCommand, HttpRequest, Operation, Selection, Via};
use crate::model::plan::{Effect, Form, PlannedCheck, PlannedStep, When};

fn with(expect: PlannedCheck) -> PlannedStep {
    PlannedStep { expect: vec![expect], ..step(Effect::Changes) }
}

fn asking(that: &str) -> PlannedCheck {
    PlannedCheck { that: Some(that.to_owned()), ..check(60, 3, 10) }
}

async fn tried(steps: Vec<PlannedStep>, answer: Answer) -> (Preflight, usize) {
    let world = Script::new([("check", vec![answer])]);
    let preflight = preflight(&plan(steps), &world).await;
    assert_eq!(world.times("do"), 0);
    (preflight, world.times("check"))
}

/// Why the only check is broken; nothing when it is not.
async fn fault(check: PlannedCheck, answer: Answer) -> Option<String> {
    let (preflight, times) = tried(vec![with(check)], answer).await;
    assert_eq!((preflight.tried, times), (1, 1));
    preflight.broken.into_iter().next().map(|broken| broken.why)
}

#[tokio::test(start_paused = true)]
async fn a_check_is_tried_once_without_patience_however_many_steps_have_it() {
    let twice = PlannedStep { done_when: Some(check(0, 1, 0)), ..with(check(60, 3, 10)) };
    let another = PlannedStep { key: StepKey::new("b"), ..with(check(60, 1, 0)) };
    let (preflight, times) = tried(vec![twice, another], exit(0)).await;
    assert_eq!((preflight, times), (Preflight { tried: 1, hold: 1, broken: Vec::new() }, 1));
}

#[tokio::test(start_paused = true)]
async fn what_an_outage_explains_is_not_broken() {
    for answer in [exit(1), lost(true), lost(false)] {
        assert_eq!(fault(check(60, 1, 0), answer).await, None);
    }
    assert_eq!(fault(asking("status == 0"), exit(1)).await, None);
    // What is down may answer anything.
    assert_eq!(fault(asking("stdin == 0"), exit(1)).await, None);
}

#[tokio::test(start_paused = true)]
async fn what_no_outage_explains_is() {
    let why = fault(asking("stdin == 0"), exit(0)).await.unwrap();
    assert!(why.starts_with("`stdin == 0` cannot be worked out: "), "{why}");
    let answer = json!({ "status": 127, "stdout": "", "stderr": "sh: curl: not found\n" });
    assert_eq!(fault(check(0, 1, 0), Ok(answer)).await.unwrap(), "exit code 127: sh: curl: not found");
    let answer = json!({ "status": 126, "stdout": "", "stderr": "" });
    assert_eq!(fault(check(0, 1, 0), Ok(answer)).await.unwrap(), "exit code 126");
}

/// Docker cannot begin a command in a container that is about to end, and has that number for it, too.
#[tokio::test(start_paused = true)]
async fn a_container_that_is_started_again_and_again_has_no_broken_check() {
    let mut ready = check(60, 1, 0);
    let container =
        Selection { project: "shop".to_owned(), compose: Vec::new(), service: Some("db".to_owned()) };
    let operation = Operation::Exec(ContainerCommand {
        container,
        argv: vec!["pg_isready".to_owned()],
        deadline: Span::secs(3),
    });
    let word = operation.to_string();
    ready.task.form = Form::Ready(operation);
    for (status, is_broken) in [(126, false), (127, true)] {
        let answer = json!({ "status": status, "stdout": "", "stderr": "" });
        let world = Script::new([(&*word, vec![Ok(answer)])]);
        let preflight = preflight(&plan(vec![with(ready.clone())]), &world).await;
        assert_eq!((preflight.tried, preflight.broken.len()), (1, usize::from(is_broken)), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_with_another_shape_is_only_broken_where_it_is_well() {
    let mut page = asking("json.database == \"ok\"");
    let request = HttpRequest::get("http://localhost/".to_owned(), Span::secs(5), Via::Host);
    let request = Operation::Http(request);
    let word = request.to_string();
    page.task.action = "http.get".to_owned();
    page.task.form = Form::Ready(request);
    let answer =
        |status: u16| Ok(json!({ "status": status, "body": "{}", "json": { "status": "up" }, "ms": 1 }));
    for (status, is_broken) in [(200, true), (503, false)] {
        let world = Script::new([(&*word, vec![answer(status)])]);
        let preflight = preflight(&plan(vec![with(page.clone())]), &world).await;
        assert_eq!(!preflight.broken.is_empty(), is_broken, "{status}: {preflight:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_changes_nothing_is_not_tried_nor_what_is_passed_over_or_not_known_yet() {
    let reads = PlannedStep { expect: vec![check(0, 1, 0)], ..step(Effect::Reads) };
    assert_eq!(tried(vec![reads], exit(0)).await, (Preflight::default(), 0));
    let fixed = When::Fixed { holds: false, text: "false".to_owned() };
    let passed_over = PlannedStep { when: Some(fixed), ..with(check(0, 1, 0)) };
    assert_eq!(tried(vec![passed_over], exit(0)).await, (Preflight::default(), 0));
    let mut deferred = check(0, 1, 0);
    deferred.task.form = Form::Deferred { args: Default::default(), scope: Default::default(), within: None };
    assert_eq!(tried(vec![with(deferred)], exit(0)).await, (Preflight::default(), 0));
}
