//! What may be done twice, and what is done twice, leaves the world as if it had been done once.

use opsctl::run::event::Skip;
use opsctl::run::state::Status;

use crate::fault::Fault;
use crate::life::{Ended, Life};
use crate::model::Model;
use crate::plans::{self, Case};
use crate::site::Site;
use crate::world::Hosts;
use crate::{folder, in_no_time};

fn whole(case: &Case, model: &Model, fault: Option<(usize, Fault)>) -> (Ended, Model, usize) {
    let (folder, hosts) = (folder(), Hosts::new(&case.plan, Site::of(model), fault));
    let ended = in_no_time(Life::new(&case.plan, &hosts, true).whole(folder.path())).unwrap();
    let model = hosts.model();
    (ended, model, hosts.requests().len())
}

/// What stands, however often it was made.
fn stands(model: &Model) -> Model {
    Model { done: Default::default(), ..model.clone() }
}

#[test]
fn whatever_is_repeated_because_its_end_was_lost_changes_nothing_more() {
    for case in plans::shipped().iter().chain(&plans::made()).chain([&plans::bad_release()]) {
        let (smooth, after, requests) = whole(case, &case.model, None);
        for at in 0..requests {
            let (ended, last, _) = whole(case, &case.model, Some((at, Fault::LostAfter)));
            if ended.forward.status == smooth.forward.status {
                assert_eq!(stands(&ended.model), stands(&smooth.model), "{}, request {at}", case.name);
            }
            assert_eq!(stands(&last), stands(&after), "{}, request {at}, after the undo", case.name);
        }
    }
}

#[test]
fn a_shipped_runbook_that_is_run_again_finds_nothing_to_do() {
    for case in plans::shipped() {
        let (first, _, _) = whole(&case, &case.model, None);
        // Who runs it again plans it again: for the containers that are there by then.
        let mut again = case.plan.clone();
        again.basis.facts.containers = first.model.snapshot(&again.touches());
        let case = Case { plan: again, ..case };
        let (second, _, _) = whole(&case, &first.model, None);
        assert_eq!(second.forward.status, Status::Succeeded, "{}", case.name);
        assert_eq!(stands(&second.model), stands(&first.model), "{}", case.name);
        for step in case.plan.steps.iter().filter(|step| step.done_when.is_some()) {
            let skip = &second.forward.steps[&step.key].skip;
            assert!(skip.is_some(), "{}: `{}` was done again", case.name, step.key);
            assert!(!matches!(skip, Some(Skip::TooManyFailures)), "{}", case.name);
        }
    }
}
