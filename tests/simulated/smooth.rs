//! Nothing goes wrong.

use opsctl::model::plan::Effect as Kind;
use opsctl::run::event::Skip;
use opsctl::run::state::{Status, StepStatus};

use crate::life::Life;
use crate::model::Effect;
use crate::site::Site;
use crate::verdict::Totals;
use crate::world::Hosts;
use crate::{folder, in_no_time, plans};

#[test]
fn every_runbook_does_what_it_is_for_once_and_is_undone() {
    let mut totals = Totals::default();
    for case in plans::shipped().into_iter().chain(plans::made()) {
        for is_attended in [true, false] {
            let (folder, hosts) = (folder(), Hosts::new(&case.plan, Site::of(&case.model), None));
            let ended = in_no_time(Life::new(&case.plan, &hosts, is_attended).whole(folder.path())).unwrap();
            assert_eq!(ended.forward.status, Status::Succeeded, "{}", case.name);
            for step in &case.plan.steps {
                let skip = &ended.forward.steps[&step.key].skip;
                let is_unwanted = matches!(skip, Some(Skip::Condition { .. }));
                let is_needed = step.rescues.is_none() && !is_unwanted && step.task.effect > Kind::Reads;
                if let (true, Some(effect)) = (is_needed, Effect::of_task(&step.task)) {
                    assert_eq!(ended.model.times(&effect), 1, "{}: {}", case.name, step.key);
                    let status = ended.forward.steps[&step.key].status;
                    assert_eq!(status, StepStatus::Succeeded, "{}: {}", case.name, step.key);
                }
            }
            totals.judge(&case.name, &case.plan, &hosts, Ok(ended));
        }
    }
    totals.hold();
}
