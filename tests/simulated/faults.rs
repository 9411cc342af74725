//! One request goes wrong, each in turn, in each way.

use crate::fault::{FAULTS, Fault};
use crate::life::Life;
use crate::plans::{self, Case};
use crate::site::Site;
use crate::verdict::Totals;
use crate::world::Hosts;
use crate::{folder, in_no_time};

fn every_fault(case: &Case, faults: &[Fault], gives_up: bool) -> Totals {
    let mut totals = Totals::default();
    let folder = folder();
    let whole = |fault, is_attended| {
        let hosts = Hosts::new(&case.plan, Site::of(&case.model), fault);
        let life = Life { gives_up, ..Life::new(&case.plan, &hosts, is_attended) };
        let ended = in_no_time(life.whole(folder.path()));
        (hosts, ended)
    };
    let (smooth, _) = whole(None, false);
    for (at, is_kept) in smooth.requests().into_iter().enumerate() {
        for (number, fault) in faults.iter().copied().enumerate() {
            if !is_kept && fault.is_of_commands() {
                continue;
            }
            // Each place is seen with somebody at the terminal and without, by one or the other fault.
            let is_attended = (at + number) % 2 == 0;
            let (hosts, ended) = whole(Some((at, fault)), is_attended);
            let name = format!("{}, {fault:?} at request {at}", case.name);
            totals.judge(&name, &case.plan, &hosts, ended);
        }
    }
    totals
}

/// All of them, on two threads: the longest of them would be waited for alone.
fn side_by_side(cases: &[Case], faults: &[Fault], gives_up: bool) -> Totals {
    let half = |first: usize| {
        let mut totals = Totals::default();
        let own = cases.iter().skip(first).step_by(2);
        own.for_each(|case| totals.add(every_fault(case, faults, gives_up)));
        totals
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| half(1));
        let mut totals = half(0);
        totals.add(other.join().unwrap());
        totals
    })
}

#[test]
fn a_shipped_runbook_comes_to_its_end_whatever_request_goes_wrong() {
    side_by_side(&plans::shipped(), &FAULTS, false).hold();
}

#[test]
fn a_run_with_one_of_everything_comes_to_its_end_whatever_request_goes_wrong() {
    let all: Vec<_> = plans::made().into_iter().chain([plans::bad_release()]).collect();
    side_by_side(&all, &FAULTS, false).hold();
}

#[test]
fn a_run_in_which_a_request_went_wrong_can_be_undone_instead() {
    let faults = [
        Fault::Dirty,
        Fault::Away,
        Fault::LostDuring,
        Fault::LostAfter,
        Fault::RebootAfter,
        Fault::CtrlC,
        Fault::CtrlCTwice,
    ];
    let all: Vec<_> =
        plans::shipped().into_iter().chain(plans::made()).chain([plans::bad_release()]).collect();
    side_by_side(&all, &faults, true).hold();
}
