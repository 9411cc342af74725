//! The process dies right after a record became durable, each in turn, and another one goes on.
//!
//! What was in flight then has had its effect by now, or never has it.

use std::fs;
use std::path::Path;

use opsctl::journal::store::{RunDir, Store};
use opsctl::model::plan::{Plan, PlannedUndo};
use opsctl::run::event::{Event, Phase, Record};

use crate::life::Life;
use crate::model::{Effect, Model};
use crate::plans::{self, Case};
use crate::verdict::Totals;
use crate::world::Hosts;
use crate::{folder, in_no_time};

/// The run as the disk holds it after its first `count` records.
fn cut(from: &RunDir, folder: &Path, count: usize) -> RunDir {
    let dir = RunDir { id: from.id, path: folder.join(format!("cut-{count}")) };
    fs::create_dir(&dir.path).unwrap();
    fs::copy(from.path.join("plan.json"), dir.path.join("plan.json")).unwrap();
    let journal = fs::read_to_string(from.path.join("journal.jsonl")).unwrap();
    let lines: String = journal.split_inclusive('\n').take(count).collect();
    // The line that was being written is torn.
    fs::write(dir.path.join("journal.jsonl"), lines + "{\"v\":1,\"se").unwrap();
    dir
}

/// What was announced and had not ended.
fn in_flight(plan: &Plan, records: &[Record]) -> Vec<Effect> {
    let mut open = Vec::new();
    for record in records {
        match &record.event {
            Event::StepStarted { step, phase, .. } => open.push((step.clone(), *phase)),
            Event::StepFinished { step, phase, .. } => open.retain(|begun| *begun != (step.clone(), *phase)),
            _ => {}
        }
    }
    let effect = |(step, phase)| match (phase, plan.step(&step)?.undo.clone()) {
        (Phase::Do, _) => Effect::of_task(&plan.step(&step)?.task),
        (Phase::Undo, PlannedUndo::Task(task)) => Effect::of_task(&task),
        (Phase::Undo, _) => None,
    };
    open.into_iter().filter_map(effect).collect()
}

fn every_death(case: &Case, gives_up: bool) -> Totals {
    let mut totals = Totals::default();
    let home = folder();
    let hosts = Hosts::new(&case.plan, case.model.clone(), None);
    let smooth = Life::new(&case.plan, &hosts, true);
    let records = in_no_time(smooth.whole(home.path())).unwrap().records;
    let moments: Vec<Model> = smooth.moments.into_inner().unwrap();
    assert_eq!(moments.len(), records.len());
    let dir = Store::at(home.path()).list().unwrap().remove(0);
    for count in 1..=records.len() {
        let open = in_flight(&case.plan, &records[..count]);
        for has_happened in [false, true] {
            let mut model = moments[count - 1].clone();
            // Some have had it before the record.
            for effect in open.iter().filter(|_| has_happened) {
                if !model.stands(effect) {
                    model.take(effect);
                }
            }
            let hosts = Hosts::new(&case.plan, model, None);
            let life = Life { gives_up, ..Life::new(&case.plan, &hosts, count % 2 == 0) };
            let folder = folder();
            let ended = in_no_time(life.rest(&cut(&dir, folder.path(), count)));
            let name =
                format!("{}, dead after record {count}, in flight {open:?}: {has_happened}", case.name);
            totals.judge(&name, &case.plan, &hosts, ended);
            if open.is_empty() {
                break;
            }
        }
    }
    totals
}

#[test]
fn a_run_that_died_after_any_record_is_resumed_to_the_same_end() {
    let mut totals = Totals::default();
    plans::shipped().iter().chain(&plans::made()).for_each(|case| totals.add(every_death(case, false)));
    totals.hold();
}

#[test]
fn a_run_that_died_after_any_record_can_be_undone_instead() {
    let mut totals = Totals::default();
    plans::made().iter().for_each(|case| totals.add(every_death(case, true)));
    totals.hold();
}
