//! What a person has to agree to before a plan runs.
//!
//! Disruptive plans are approved with a yes, or `--yes`. Destructive ones want the name of their target typed, or `--confirm
//! NAME`. Where nobody can be asked, nothing is done.

use super::Global;
use crate::base::{Error, Kind, Result};
use crate::model::plan::Plan;
use crate::model::runbook::Risk;
use crate::run::event::{Choice, Event};
use crate::ui;
use crate::ui::prompt::Answer;

/// The options of everything that can run a plan.
#[derive(Debug, Clone, clap::Args)]
pub struct Consent {
    /// Show the exact commands and stop: nothing is changed
    #[arg(long, conflicts_with_all = ["yes", "confirm"])]
    plan: bool,
    /// Approve the plan and its disruptive steps without being asked
    #[arg(long, short)]
    yes: bool,
    /// Approve a destructive plan, by the name of its target
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,
}

/// That somebody agreed to a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// The plan changes nothing.
    NotNeeded,
    /// The plan as a whole. Steps that are to be approved are asked about when their turn comes.
    Plan,
    /// The plan and every step in it.
    PlanAndSteps,
}

impl Approval {
    /// The events that record it.
    pub fn events(self, plan: &Plan, by: &str) -> Vec<Event> {
        let decision = |choice| Event::Decision { by: by.to_owned(), choice, reason: None };
        let whole = decision(Choice::ApprovePlan { plan: plan.digest() });
        let steps = plan.steps.iter().filter(|step| step.approve.is_some());
        let steps =
            steps.map(|step| decision(Choice::ApproveStep { step: step.key.clone(), containers: None }));
        match self {
            Approval::NotNeeded => Vec::new(),
            Approval::Plan => vec![whole],
            Approval::PlanAndSteps => std::iter::once(whole).chain(steps).collect(),
        }
    }
}

impl Consent {
    pub fn wants_only_the_plan(&self) -> bool {
        self.plan
    }

    /// Gives plans as data, and what to type to run them.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn show_all(plans: &[Plan], next: &str, global: &Global) -> Result<()> {
        for (index, plan) in plans.iter().enumerate() {
            let next = (index + 1 == plans.len()).then_some(next);
            let text =
                if global.json { ui::plan::json(plan) } else { ui::plan::text(plan, next, global.verbose) };
            ui::look::give(&text)?;
        }
        Ok(())
    }

    /// Shows the plan to who is to approve it. Nobody is asked about a plan that they did not see.
    pub fn present(&self, plan: &Plan, global: &Global) {
        if (!global.json && !global.quiet) || self.will_ask(plan) {
            ui::look::say(&format!("\n{}\n", ui::plan::text(plan, None, global.verbose)));
        }
    }

    /// Asks for what the plan needs.
    ///
    /// # Errors
    /// [`Kind::Refused`] when it is not given, or nobody can be asked.
    pub fn obtain(&self, plan: &Plan) -> Result<Approval> {
        match plan.risk {
            Risk::ReadOnly => Ok(Approval::NotNeeded),
            Risk::Disruptive if self.yes => Ok(Approval::PlanAndSteps),
            Risk::Disruptive => {
                let answer = ui::prompt::confirm("run this plan?");
                given(answer, || hint("--yes")).map(|()| Approval::Plan)
            }
            Risk::Destructive => {
                let name = plan.subject.clone().unwrap_or_else(|| plan.runbook.clone());
                match &self.confirm {
                    Some(typed) if *typed == name => Ok(Approval::PlanAndSteps),
                    Some(typed) => Err(Error::new(
                        Kind::Refused,
                        format!(
                            "`--confirm {typed}` is not the name of what this plan can destroy: `{name}`"
                        ),
                    )),
                    None => {
                        let question = format!("this can lose data of `{name}`");
                        let answer = ui::prompt::confirm_by_name(&question, &name);
                        given(answer, || hint(&format!("--confirm {name}"))).map(|()| Approval::Plan)
                    }
                }
            }
        }
    }

    fn will_ask(&self, plan: &Plan) -> bool {
        let is_open = match plan.risk {
            Risk::ReadOnly => false,
            Risk::Disruptive => !self.yes,
            Risk::Destructive => self.confirm.is_none(),
        };
        is_open && ui::prompt::is_interactive()
    }
}

fn given(answer: std::io::Result<Answer>, hint: impl FnOnce() -> String) -> Result<()> {
    match answer {
        Ok(Answer::Yes) => Ok(()),
        Ok(Answer::No) => Err(Error::new(Kind::Refused, "not approved: nothing was changed")),
        Ok(Answer::NotATerminal) => Err(Error::new(
            Kind::Refused,
            "the plan has to be approved, and there is no terminal to ask at: nothing was changed",
        )
        .hint(hint())),
        Err(error) => Err(Error::internal("cannot ask at the terminal").caused_by(&error)),
    }
}

fn hint(option: &str) -> String {
    format!("read it with --plan, then add {option}")
}
