//! How a run ended, for a program: the last line of `--json`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ending::Ending;
use super::report::Extra;
use crate::base::id::{RunId, StepKey};
use crate::model::plan::Plan;
use crate::run::event::Record;

/// Part of the public interface.
#[derive(Serialize)]
#[serde(tag = "kind", rename = "report")]
struct Line<'a> {
    run: Option<RunId>,
    runbook: &'a str,
    state: &'static str,
    took_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    rto_ms: Option<u64>,
    /// What is in effect, or may be.
    changed: Vec<&'a StepKey>,
    /// Where every step stands.
    steps: BTreeMap<&'a StepKey, &'static str>,
    next: &'a [String],
}

/// One JSON object in a line.
pub fn json(plan: &Plan, records: &[Record], extra: &Extra) -> String {
    let ending = Ending::of(plan, records);
    let changed = ending.entries().filter(|entry| entry.is_in_effect()).map(|entry| &entry.step.key);
    // A journal does not know whether anybody still writes it.
    let state = match ending.state.status {
        status if status.is_moving() && !extra.is_held => "interrupted",
        status => status.word(),
    };
    let line = Line {
        run: ending.state.run,
        runbook: &plan.runbook,
        state,
        took_ms: ending.took.as_millis() as u64,
        rto_ms: plan.rto.map(|rto| rto.0.as_millis() as u64),
        changed: changed.collect(),
        steps: ending.entries().map(|entry| (&entry.step.key, entry.state.status.word())).collect(),
        next: &extra.next,
    };
    let text = serde_json::to_string(&line).expect("texts and numbers can be written as JSON");
    format!("{text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::event::{Event, Phase, Rest};
    use crate::ui::sample::{failed, finished, journal, key, plan, run_id, started, succeeded};

    #[test]
    fn a_program_reads_the_end_of_a_run_as_one_json_line() {
        let rest = Rest::Failed { step: key("restart[argus-1]"), message: "exit code 1".to_owned() };
        let records = journal(&[&[
            started("tag", 1, Phase::Do),
            finished("tag", Phase::Do, succeeded(120)),
            started("restart[argus-1]", 1, Phase::Do),
            finished("restart[argus-1]", Phase::Do, failed("exit code 1", false)),
            Event::RunRested { rest },
        ]]);
        let extra = Extra { is_held: false, next: vec!["opsctl resume latest".to_owned()] };
        let line = json(&plan(), &records, &extra);
        assert_eq!(line.matches('\n').count(), 1);
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        let expected = serde_json::json!({
            "kind": "report",
            "run": run_id(),
            "runbook": "service-down",
            "state": "halted",
            "took_ms": 6000,
            "rto_ms": 600_000,
            "changed": ["tag"],
            "steps": {
                "database": "pending",
                "database/start": "pending",
                "tag": "succeeded",
                "restart[argus-1]": "failed",
                "restart[argus-2]": "pending",
                "flush": "pending",
                "drop": "pending",
            },
            "next": ["opsctl resume latest"],
        });
        assert_eq!(line, expected);
    }
}
