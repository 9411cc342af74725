//! The person at the terminal, asked in the middle of a run.

use std::sync::Mutex;

use crate::base::{Error, Result};
use crate::engine::drive::Person;
use crate::run::decide::Question;
use crate::run::event::{Choice, Event, Evidence, Finding, Phase};
use crate::ui::prompt::{self, Answer};
use crate::ui::reporter::Reporter;

pub struct Terminal<'a> {
    screen: &'a Mutex<Box<dyn Reporter>>,
    operator: &'a str,
    /// A program reads our output: nobody is asked.
    is_json: bool,
}

impl<'a> Terminal<'a> {
    pub fn new(screen: &'a Mutex<Box<dyn Reporter>>, operator: &'a str, is_json: bool) -> Terminal<'a> {
        Terminal { screen, operator, is_json }
    }

    fn ask(&self, question: &str) -> Result<Option<bool>> {
        self.screen.lock().unwrap_or_else(|lock| lock.into_inner()).pause();
        match prompt::confirm(question) {
            Ok(Answer::Yes) => Ok(Some(true)),
            Ok(Answer::No) => Ok(Some(false)),
            Ok(Answer::NotATerminal) => Ok(None),
            Err(error) => Err(Error::internal("cannot ask at the terminal").caused_by(&error)),
        }
    }

    fn decision(&self, choice: Choice) -> Event {
        Event::Decision { by: self.operator.to_owned(), choice, reason: None }
    }
}

impl Person for Terminal<'_> {
    fn is_there(&self) -> bool {
        !self.is_json && prompt::is_interactive()
    }

    fn answer(&self, question: &Question) -> Result<Option<Event>> {
        Ok(match question {
            Question::ApprovePlan => None,
            Question::ApproveStep { step, question } => self.ask(question)?.map(|is_approved| {
                let step = step.clone();
                self.decision(if is_approved {
                    // On what, the engine knows: it looked before it asked.
                    Choice::ApproveStep { step, containers: None }
                } else {
                    Choice::DeclineStep { step }
                })
            }),
            Question::Settle { step, attempt, question } => {
                let finding = match self.ask(question)? {
                    None => return Ok(None),
                    Some(true) => Finding::Happened,
                    Some(false) => match self.ask("then may it be done again?")? {
                        Some(true) => Finding::MayRun,
                        Some(false) | None => return Ok(None),
                    },
                };
                let by = Evidence::Person {
                    by: self.operator.to_owned(),
                    reason: "asked at the terminal".to_owned(),
                };
                Some(Event::StepObserved {
                    step: step.clone(),
                    attempt: *attempt,
                    phase: Phase::Do,
                    finding,
                    by,
                })
            }
            Question::UndoPast { step, question } => match self.ask(question)? {
                Some(true) => Some(self.decision(Choice::UndoPast { step: step.clone() })),
                Some(false) | None => None,
            },
        })
    }
}
