//! A run in which everything happens that can happen, for the tests of the displays.

use crate::base::amount::Span;
use crate::base::id::StepKey;
use crate::model::drift::{Difference, Drift, What};
use crate::run::event::*;
use crate::run::outlook::{Next, Open, Said, Written};
use crate::run::receipt::Processes;
use crate::run::signal::{Signal, Stream};
use crate::ui::sample::{
    created, failed, finished, key, lost, no_route, plan, records, run_id, skipped, started, succeeded,
    waiting_for_host,
};

/// Every kind of event and of signal, in an order that a run could nearly have.
pub fn everything() -> Vec<Signal> {
    let mut signals = vec![Signal::Opened { run: run_id() }];
    for record in records(events()) {
        let is_restart = record.event == started("restart[argus-1]", 1, Phase::Do);
        if let Event::RunRested { rest: Rest::WaitingForPerson { step, .. } } = &record.event {
            signals.push(Signal::Lapsed { step: Some(step.clone()), drift: drift() });
        }
        signals.push(Signal::Recorded(record));
        if is_restart {
            signals.extend(passing());
        }
    }
    signals
}

fn drift() -> Drift {
    let difference = |what, then: &str, now: &str| Difference {
        project: "opareta".to_owned(),
        container: "argus-1".to_owned(),
        what,
        then: Some(then.repeat(16)),
        now: Some(now.repeat(16)),
    };
    Drift {
        differences: vec![
            difference(What::Container, "2dab", "91c0"),
            difference(What::Image, "44d0", "8e1f"),
        ],
    }
}

/// What is signalled while a step runs.
fn passing() -> Vec<Signal> {
    let output = |stream, line: &str| Signal::Output {
        step: key("restart[argus-1]"),
        phase: Phase::Do,
        stream,
        line: line.to_owned(),
    };
    let checked = |holds, saw: &str, streak| Signal::Checked {
        step: key("restart[argus-1]"),
        check: "GET http://localhost:3001/api/health".to_owned(),
        holds,
        saw: saw.to_owned(),
        streak,
        needed: 3,
    };
    vec![
        output(Stream::Out, " Container argus-1  Restarting"),
        output(Stream::Err, "\u{1b}[33mwarning\u{1b}[0m: slow"),
        Signal::Outlook(vec![
            open("restart[argus-1]", 1, Written::Started, Some(Said::Ended { status: 0 }), Next::Record),
            open("restart[argus-2]", 2, Written::Started, Some(Said::Running), Next::Follow),
            open("health", 1, Written::Failed, None, Next::Retry),
        ]),
        Signal::Waiting { what: "the pause before attempt 2".to_owned(), at_most: Some(Span::secs(2)) },
        Signal::Waiting { what: "the lock on host `app`".to_owned(), at_most: None },
        Signal::Warned { what: "host `app` could not be given back: no route".to_owned() },
        checked(false, "status 502", 0),
        checked(false, "status 502", 0),
        checked(true, "status 200", 1),
        checked(true, "status 200", 2),
        checked(true, "status 200", 3),
        checked(true, "status 200", 4),
        checked(true, "status 200", 5),
    ]
}

fn events() -> [Event; 61] {
    let by = || "erin@laptop".to_owned();
    let observed = |step: &str, phase, finding, by| Event::StepObserved {
        step: key(step),
        attempt: 1,
        phase,
        finding,
        by,
    };
    let person = || Evidence::Person { by: by(), reason: "saw it in the log".to_owned() };
    let unmet = || Finding::Failed { message: "`status == 200` does not hold".to_owned() };
    let decided = |choice, reason: Option<&str>| Event::Decision {
        by: by(),
        choice,
        reason: reason.map(str::to_owned),
    };
    let unseen = || lost("Ctrl-C came while `http.get` was waited for", true);
    let ended_early = |came_of_it| {
        let mut outcome = lost("it did not end within 2m", false);
        if let Outcome::Unknown { processes, .. } = &mut outcome {
            *processes = came_of_it;
        }
        outcome
    };
    let rested = |rest| Event::RunRested { rest };
    let cut_off = || lost("the connection to host `app` was lost", false);
    [
        created(),
        decided(Choice::ApprovePlan { plan: plan().digest() }, None),
        Event::EpochStarted { operator: by(), pid: 4711 },
        Event::LeaseTaken { host: "app".to_owned(), fence: 7, folder: None },
        started("database", 1, Phase::Do),
        finished("database", Phase::Do, failed("exit code 2: no response\n  at 5432", false)),
        started("database/start", 1, Phase::Do),
        finished("database/start", Phase::Do, succeeded(812)),
        started("database", 2, Phase::Do),
        finished("database", Phase::Do, succeeded(31)),
        started("tag", 1, Phase::Do),
        finished("tag", Phase::Do, cut_off()),
        finished("tag", Phase::Do, unseen()),
        finished("tag", Phase::Do, ended_early(Processes::Ended)),
        finished("tag", Phase::Do, ended_early(Processes::Unproved)),
        finished("tag", Phase::Do, no_route()),
        observed("tag", Phase::Do, Finding::Happened, Evidence::DoneWhen),
        observed("tag", Phase::Do, Finding::MayRun, Evidence::DoneWhen),
        observed("tag", Phase::Do, Finding::MayRun, Evidence::Receipt),
        observed("tag", Phase::Do, Finding::Followed, Evidence::Receipt),
        observed("tag", Phase::Do, unmet(), Evidence::Receipt),
        observed("tag", Phase::Do, Finding::Happened, Evidence::Expect),
        observed("tag", Phase::Do, Finding::MayRun, Evidence::Repeatable),
        observed("tag", Phase::Do, Finding::Happened, person()),
        observed("tag", Phase::Do, unmet(), Evidence::DoneWhen),
        observed("drop", Phase::Do, unmet(), Evidence::When),
        observed("tag", Phase::Do, unmet(), person()),
        started("restart[argus-1]", 1, Phase::Do),
        finished("restart[argus-1]", Phase::Do, failed("exit code 1: no such service", true)),
        skipped("restart[argus-2]", Skip::TooManyFailures),
        skipped("flush", Skip::Condition { text: "cache.disposable".to_owned() }),
        skipped("database/start", Skip::NotNeeded),
        skipped("database", Skip::AlreadyDone),
        rested(Rest::WaitingForApproval),
        rested(Rest::WaitingForPerson {
            step: key("drop"),
            question: "drop `argus_db_old` for good?".to_owned(),
        }),
        decided(Choice::ApproveStep { step: key("drop"), containers: None }, Some("the dump is verified")),
        decided(Choice::DeclineStep { step: key("drop") }, None),
        rested(waiting_for_host()),
        rested(Rest::Failed { step: key("drop"), message: "declined".to_owned() }),
        rested(Rest::Cancelled { by: by() }),
        decided(Choice::Resume, None),
        Event::UndoRequested { by: by() },
        Event::UndoRequested { by: "tag".to_owned() },
        decided(Choice::UndoPast { step: key("drop") }, None),
        started("tag", 1, Phase::Undo),
        finished("tag", Phase::Undo, failed("exit code 1: no `.env.old`", false)),
        rested(Rest::Stuck { step: key("tag"), message: "exit code 1: no `.env.old`".to_owned() }),
        started("tag", 2, Phase::Undo),
        finished("tag", Phase::Undo, cut_off()),
        observed("tag", Phase::Undo, Finding::MayRun, Evidence::Repeatable),
        observed("tag", Phase::Undo, Finding::Followed, Evidence::Receipt),
        observed("tag", Phase::Undo, Finding::Happened, Evidence::DoneWhen),
        observed("tag", Phase::Undo, unmet(), Evidence::Repeatable),
        observed("tag", Phase::Do, Finding::MayRun, Evidence::When),
        started("restart[argus-1]", 1, Phase::Undo),
        finished("restart[argus-1]", Phase::Undo, succeeded(1_250)),
        Event::LeaseReleased { host: "app".to_owned() },
        decided(Choice::Abandon, Some("rebuilt by hand")),
        Event::RunEnded { end: End::Abandoned },
        Event::RunEnded { end: End::Undone },
        Event::RunEnded { end: End::Succeeded },
    ]
}

fn open(step: &str, attempt: u32, journal: Written, host: Option<Said>, next: Next) -> Open {
    Open { step: StepKey::new(step), attempt, phase: Phase::Do, journal, host, next }
}
