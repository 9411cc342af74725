//! An undo fails, each in turn: the run is stuck there, what is left is named exactly, and it goes on from there.

use opsctl::base::id::StepKey;
use opsctl::engine::deferred::{Outputs, filled};
use opsctl::model::plan::{Form, PlannedUndo, Task};
use opsctl::run::event::{Event, Phase, Rest};
use opsctl::run::state::{Status, StepStatus};
use opsctl::ui::report::{self, Extra};

use crate::fault::Fault;
use crate::life::Life;
use crate::plans::{self, Case};
use crate::site::Site;
use crate::world::Hosts;
use crate::{folder, in_no_time};

/// The steps that are undone when nothing goes wrong, in that order, and after how many requests the way back begins.
fn way_back(case: &Case) -> (Vec<StepKey>, usize, usize) {
    let (folder, hosts) = (folder(), Hosts::new(&case.plan, Site::of(&case.model), None));
    let life = Life::new(&case.plan, &hosts, true);
    let dir = in_no_time(life.there(folder.path())).unwrap();
    let there = hosts.requests().len();
    in_no_time(life.back(&dir)).unwrap();
    let records = dir.history().unwrap().records;
    let undone = records.into_iter().filter_map(|record| match record.event {
        Event::StepStarted { step, phase: Phase::Undo, .. } => Some(step),
        _ => None,
    });
    (undone.collect(), there, hosts.requests().len())
}

/// How many undos failed.
fn every_failing_undo(case: &Case) -> usize {
    let (order, there, all) = way_back(case);
    let mut stuck_at = Vec::new();
    for at in there..all {
        let (folder, hosts) =
            (folder(), Hosts::new(&case.plan, Site::of(&case.model), Some((at, Fault::Clean))));
        let life = Life::new(&case.plan, &hosts, true);
        let dir = in_no_time(life.there(folder.path())).unwrap();
        let state = in_no_time(life.back(&dir)).unwrap();
        let name = format!("{}, request {at}", case.name);
        if state.status == Status::Undone {
            // It was no undo, but a look whether the host is there.
            continue;
        }
        let Some(Rest::Stuck { step, .. }) = &state.rest else { panic!("{name}: {:?}", state.rest) };
        let number = order.iter().position(|key| key == step).unwrap();
        let has_undo = |key: &StepKey| matches!(case.plan.step(key).unwrap().undo, PlannedUndo::Task(_));
        let left: Vec<_> = state.left_to_undo().into_iter().filter(|key| has_undo(key)).cloned().collect();
        assert_eq!(left, order[number..], "{name}");
        let is_undone = |key: &StepKey| state.step(key).unwrap().status == StepStatus::Undone;
        assert!(order[..number].iter().all(is_undone), "{name}");
        let plan = filled(&case.plan, &Outputs::of(state.outputs()));
        let said = report::text(&plan, &dir.history().unwrap().records, &Extra::default());
        for key in &left {
            let Some(Task { form: Form::Ready(undo), .. }) = plan.step(key).unwrap().undo.task() else {
                panic!("{name}: nobody knows how `{key}` is undone, now that it was done");
            };
            let is_said = undo.to_string().lines().all(|line| said.contains(line));
            assert!(is_said, "{name}: how `{key}` is undone is not in\n{said}");
        }
        stuck_at.push(step.clone());

        let ended = in_no_time(life.rest(&dir)).unwrap();
        assert_eq!(ended.last.status, Status::Undone, "{name}");
    }
    stuck_at.dedup();
    assert_eq!(stuck_at, order, "{}: each undo failed once", case.name);
    order.len()
}

#[test]
fn a_run_whose_undo_fails_at_any_step_is_stuck_with_exactly_what_is_left() {
    let all: usize = plans::shipped().iter().chain(&plans::made()).map(every_failing_undo).sum();
    assert!(all > 0, "nothing was undone");
}
