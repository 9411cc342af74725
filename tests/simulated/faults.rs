//! One request goes wrong, each in turn, in each way.

use crate::life::Life;
use crate::plans::{self, Case};
use crate::verdict::Totals;
use crate::world::{FAULTS, Fault, Hosts};
use crate::{folder, in_no_time};

fn every_fault(case: &Case, faults: &[Fault], gives_up: bool) -> Totals {
    let mut totals = Totals::default();
    let folder = folder();
    let whole = |fault, is_attended| {
        let hosts = Hosts::new(&case.plan, case.model.clone(), fault);
        let life = Life { gives_up, ..Life::new(&case.plan, &hosts, is_attended) };
        let ended = in_no_time(life.whole(folder.path()));
        (hosts, ended)
    };
    let (smooth, _) = whole(None, false);
    for at in 0..smooth.requests() {
        for (number, fault) in faults.iter().copied().enumerate() {
            // Each place is seen with somebody at the terminal and without, by one or the other fault.
            let is_attended = (at + number) % 2 == 0;
            let (hosts, ended) = whole(Some((at, fault)), is_attended);
            let name = format!("{}, {fault:?} at request {at}", case.name);
            totals.judge(&name, &case.plan, &hosts, ended);
        }
    }
    totals
}

#[test]
fn a_shipped_runbook_comes_to_its_end_whatever_request_goes_wrong() {
    let mut totals = Totals::default();
    plans::shipped().iter().for_each(|case| totals.add(every_fault(case, &FAULTS, false)));
    totals.hold();
}

#[test]
fn a_run_with_one_of_everything_comes_to_its_end_whatever_request_goes_wrong() {
    let mut totals = Totals::default();
    plans::made().iter().for_each(|case| totals.add(every_fault(case, &FAULTS, false)));
    totals.hold();
}

#[test]
fn a_run_in_which_a_request_went_wrong_can_be_undone_instead() {
    let mut totals = Totals::default();
    let faults = [Fault::Dirty, Fault::Away, Fault::LostAfter, Fault::CtrlC];
    plans::made().iter().for_each(|case| totals.add(every_fault(case, &faults, true)));
    totals.hold();
}
