//! What an approval stands on, and what is otherwise by now.

use std::collections::BTreeMap;

use super::paint::{Ink, visible};
use super::table::{Cell, Table};
use crate::model::drift::{Difference, Drift, What};
use crate::model::plan::Plan;

/// What is no longer as it was approved: a table of painted lines, without newlines.
pub fn lines(drift: &Drift) -> Vec<String> {
    let mut table = Table::new(&["WHAT", "WHEN APPROVED", "NOW"]);
    for Difference { container, what, then, now, .. } in &drift.differences {
        let what = match what {
            What::Container => "container",
            What::Image => "image of",
        };
        let shown = |id: &Option<String>, none: &str| match id {
            Some(id) => Cell::from(Difference::short(id)),
            None => Cell::new(Ink::Bad, none),
        };
        let name = Cell::new(Ink::Bold, format!("{what} {}", visible(container)));
        table.row([name, shown(then, "none"), shown(now, "gone")]);
    }
    table.lines()
}

/// On which containers the approval of a plan stands; nothing when its steps name none.
pub fn basis(plan: &Plan) -> Option<String> {
    let touched = plan.touches();
    let (mut counts, mut unseen) = (BTreeMap::<&str, usize>::new(), Vec::new());
    for project in touched.iter().map(|touched| touched.project.as_str()) {
        let host = plan.basis.inventory.projects.get(project).map_or("", |project| &project.host);
        match plan.basis.facts.containers.of(project) {
            Some(containers) => *counts.entry(host).or_default() += containers.len(),
            None => unseen.push(format!("`{}`", visible(project))),
        }
    }
    let count = |(host, count): (&&str, &usize)| {
        let noun = if *count == 1 { "container" } else { "containers" };
        format!("{count} {noun} on {}", visible(host))
    };
    let bound = counts.iter().map(count).collect::<Vec<_>>().join(", ");
    match (bound.is_empty(), unseen.is_empty()) {
        (true, true) => None,
        (false, true) => Some(format!("approval is bound to {bound}")),
        (true, false) => Some(format!("approval is bound to no containers: {}", unanswered(&unseen))),
        (false, false) => Some(format!("approval is bound to {bound}; {}", unanswered(&unseen))),
    }
}

fn unanswered(projects: &[String]) -> String {
    format!("the Docker of {} did not answer", projects.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::snapshot::{ContainerFacts, Snapshot};
    use crate::model::touched::Touched;
    use crate::ui::look::Look;
    use crate::ui::sample;

    fn containers(names: &[&str]) -> Vec<ContainerFacts> {
        let container = |(number, name): (usize, &&str)| ContainerFacts {
            name: (*name).to_owned(),
            service: (*name).to_owned(),
            id: format!("{number}123456789abcdef"),
            image_id: "sha256:0123456789abcdef".to_owned(),
        };
        names.iter().enumerate().map(container).collect()
    }

    #[test]
    fn every_difference_is_a_row_with_what_was_approved_and_what_is() {
        let (mut then, mut now) = (Snapshot::default(), Snapshot::default());
        then.add("opareta", containers(&["argus-1", "argus-2"]));
        let mut anew = containers(&["argus-1", "argus-3"]);
        anew[0].id = "fedcba9876543210".to_owned();
        anew[0].image_id = "sha256:fedcba9876543210".to_owned();
        now.add("opareta", anew);
        let drift = Drift::between(&then, &now).unwrap();
        insta::assert_snapshot!(Look::PLAIN.fit(&lines(&drift).join("\n")), @r"
        WHAT               WHEN APPROVED  NOW
        container argus-1  0123456789ab   fedcba987654
        image of argus-1   0123456789ab   fedcba987654
        container argus-2  1123456789ab   gone
        container argus-3  none           1123456789ab
        ");
    }

    #[test]
    fn a_plan_says_on_how_many_containers_of_which_host_its_approval_stands() {
        let mut plan = sample::plan();
        assert_eq!(basis(&plan), None, "no step names a container");
        let touched = |project: &str| Touched { project: project.to_owned(), services: Default::default() };
        plan.steps[2].touches = vec![touched("opareta")];
        plan.basis.inventory = serde_yaml::from_str(
            "{ name: o, hosts: { app: { address: local }, data: { address: local } }, \
             projects: { opareta: { host: app, directory: /o }, store: { host: data, directory: /s } } }",
        )
        .unwrap();
        let bound = |plan: &Plan| basis(plan).unwrap();
        assert_eq!(
            bound(&plan),
            "approval is bound to no containers: the Docker of `opareta` did not answer"
        );
        plan.basis.facts.containers.add("opareta", containers(&["argus-1", "argus-2"]));
        assert_eq!(bound(&plan), "approval is bound to 2 containers on app");
        plan.steps[2].touches.push(touched("store"));
        assert_eq!(
            bound(&plan),
            "approval is bound to 2 containers on app; the Docker of `store` did not answer"
        );
        plan.basis.facts.containers.add("store", containers(&["redis"]));
        assert_eq!(bound(&plan), "approval is bound to 2 containers on app, 1 container on data");
    }
}
