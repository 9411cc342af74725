//! The process dies right after a record became durable, each in turn, and another one goes on.
//!
//! What was in flight then was never begun, has ended, runs on, or was cut off.

use std::fs;
use std::path::Path;
use std::time::Duration;

use opsctl::base::id::RunId;
use opsctl::journal::store::{RunDir, Store};
use opsctl::model::plan::{Plan, PlannedUndo};
use opsctl::run::event::{Event, Phase, Record};
use opsctl::run::receipt::ReceiptKey;

use crate::ledger::Standing;
use crate::life::Life;
use crate::model::Effect;
use crate::plans::{self, Case};
use crate::site::Site;
use crate::verdict::Totals;
use crate::world::Hosts;
use crate::{folder, in_no_time};

/// The run as the disk holds it after its first `count` records.
fn cut(from: &RunDir, folder: &Path, count: usize) -> RunDir {
    let dir = RunDir { id: from.id, path: folder.join("runs").join(from.id.to_string()) };
    fs::create_dir_all(&dir.path).unwrap();
    fs::copy(from.path.join("plan.json"), dir.path.join("plan.json")).unwrap();
    let journal = fs::read_to_string(from.path.join("journal.jsonl")).unwrap();
    let lines: String = journal.split_inclusive('\n').take(count).collect();
    // The line that was being written is torn.
    fs::write(dir.path.join("journal.jsonl"), lines + "{\"v\":1,\"se").unwrap();
    dir
}

/// What had become of a command when its process died, and becomes of it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    /// The host was never given it.
    Unbegun,
    Ended,
    /// It runs on, and ends by itself.
    RunsOn,
    /// The host goes down as well.
    CutBefore,
    CutAfter,
}

const FATES: [Fate; 5] = [Fate::Unbegun, Fate::Ended, Fate::RunsOn, Fate::CutBefore, Fate::CutAfter];

/// How long a command runs on.
const ON: Duration = Duration::from_secs(300);

/// A command that was announced and had not ended.
struct Open {
    key: ReceiptKey,
    host: String,
    effect: Effect,
}

fn in_flight(run: RunId, plan: &Plan, records: &[Record]) -> Vec<Open> {
    let mut open = Vec::new();
    for record in records {
        match &record.event {
            Event::StepStarted { step, attempt, phase } => open.push((step.clone(), *attempt, *phase)),
            Event::StepFinished { step, attempt, phase, .. } => {
                open.retain(|begun| *begun != (step.clone(), *attempt, *phase));
            }
            _ => {}
        }
    }
    let of_key = |(step, attempt, phase)| {
        let planned = plan.step(&step)?;
        let task = match (phase, &planned.undo) {
            (Phase::Undo, PlannedUndo::Task(task)) => task.as_ref(),
            _ => &planned.task,
        };
        let (host, effect) = (task.host.clone()?, Effect::of_task(task)?);
        Some(Open { key: ReceiptKey { run, step, attempt, phase }, host, effect })
    };
    open.into_iter().filter_map(of_key).collect()
}

/// Whether it had begun before the record, in the run that did not die.
fn has_begun(site: &Site, open: &Open) -> bool {
    site.ledger.claim(&open.key).is_some()
}

fn befall(site: &mut Site, open: &Open, fate: Fate) {
    let Open { key, host, effect } = open;
    let ended = matches!(site.ledger.claim(key).map(|claim| claim.standing), Some(Standing::Ended { .. }));
    let standing = match fate {
        Fate::Unbegun => return,
        // It had come to its end: a host that goes down later takes nothing of that back.
        _ if ended => return,
        Fate::Ended => Standing::Ended { status: 0 },
        Fate::RunsOn => Standing::Runs { left: ON, until: None },
        Fate::CutBefore | Fate::CutAfter => Standing::Cut,
    };
    if matches!(fate, Fate::Ended | Fate::CutAfter) {
        site.model.take(effect);
    }
    site.ledger.set(key, host, standing);
}

fn every_death(case: &Case, gives_up: bool) -> Totals {
    let mut totals = Totals::default();
    let home = folder();
    let hosts = Hosts::new(&case.plan, Site::of(&case.model), None);
    let smooth = Life::new(&case.plan, &hosts, true);
    let records = in_no_time(smooth.whole(home.path())).unwrap().records;
    let moments: Vec<Site> = smooth.moments.into_inner().unwrap();
    assert_eq!(moments.len(), records.len());
    let dir = Store::at(home.path()).list().unwrap().remove(0);
    for count in 1..=records.len() {
        let open = in_flight(dir.id, &case.plan, &records[..count]);
        for fate in FATES {
            let mut site = moments[count - 1].clone();
            if fate == Fate::Unbegun && open.iter().any(|open| has_begun(&site, open)) {
                continue;
            }
            open.iter().for_each(|open| befall(&mut site, open, fate));
            let hosts = Hosts::new(&case.plan, site, None);
            let life = Life { gives_up, ..Life::new(&case.plan, &hosts, count % 2 == 0) };
            let folder = folder();
            let ended = in_no_time(life.rest(&cut(&dir, folder.path(), count)));
            let keys: Vec<_> = open.iter().map(|open| open.key.to_string()).collect();
            let name = format!("{}, dead after record {count}, in flight {keys:?}: {fate:?}", case.name);
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
    let all = plans::shipped().into_iter().chain(plans::made()).chain([plans::bad_release()]);
    all.for_each(|case| totals.add(every_death(&case, false)));
    totals.hold();
}

#[test]
fn a_run_that_died_after_any_record_can_be_undone_instead() {
    let mut totals = Totals::default();
    let all = plans::made().into_iter().chain([plans::bad_release()]);
    all.for_each(|case| totals.add(every_death(&case, true)));
    totals.hold();
}
