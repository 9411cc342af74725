//! Nothing goes wrong.

use opsctl::model::plan::{Effect as Kind, PlannedStep};
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
            let is_needed = |step: &&PlannedStep| {
                let skip = &ended.forward.steps[&step.key].skip;
                let is_unwanted = matches!(skip, Some(Skip::Condition { .. }));
                step.rescues.is_none() && !is_unwanted && step.task.effect > Kind::Reads
            };
            let needed = case.plan.steps.iter().filter(is_needed);
            let effects: Vec<_> =
                needed.filter_map(|step| Some((step, Effect::of_task(&step.task)?))).collect();
            for (step, effect) in &effects {
                // Once for each step that is for it.
                let times = effects.iter().filter(|(_, other)| other == effect).count();
                assert_eq!(ended.model.times(effect) as usize, times, "{}: {}", case.name, step.key);
                let status = ended.forward.steps[&step.key].status;
                assert_eq!(status, StepStatus::Succeeded, "{}: {}", case.name, step.key);
            }
            totals.judge(&case.name, &case.plan, &hosts, Ok(ended));
        }
    }
    totals.hold();
}

#[test]
fn a_release_of_a_bad_image_goes_back_by_itself_and_is_remembered() {
    let case = plans::bad_release();
    for is_attended in [true, false] {
        let (folder, hosts) = (folder(), Hosts::new(&case.plan, Site::of(&case.model), None));
        let ended = in_no_time(Life::new(&case.plan, &hosts, is_attended).whole(folder.path())).unwrap();
        assert_eq!(ended.forward.status, Status::Undone);
        assert_eq!(ended.forward.undo_requested_by.as_deref(), Some("proved[argus-1]"));
        let model = hosts.model();
        assert_eq!(model.made, case.model.made);
        assert_eq!(model.times(&Effect::Trace("argus is bad".to_owned())), 1);
        assert!(!model.things.contains("argus-1 out"), "it serves again");
        let logs = ended.forward.outputs().find(|(key, _)| key.as_str() == "logs[argus-1]");
        assert!(logs.is_some(), "what it wrote is there to be read");
        let mut totals = Totals::default();
        totals.judge(&case.name, &case.plan, &hosts, Ok(ended));
        totals.hold();
    }
}
