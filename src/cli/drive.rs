//! Moves a run with everything around it: the screen, Ctrl-C, the report, the exit code.

use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use tokio::signal::unix::{Signal as Listener, SignalKind, signal};

use super::Global;
use super::consent::Approval;
use super::next;
use super::operator::operator;
use super::terminal::Terminal;
use crate::base::clock::Clock;
use crate::base::{Error, Kind, Result};
use crate::engine::cancel::Cancel;
use crate::engine::drive::Engine;
use crate::engine::hosts::Hosts;
use crate::journal::store::{Store, Turn};
use crate::model::plan::Plan;
use crate::run::event::{Event, Rest};
use crate::run::signal::Signal;
use crate::run::state::{RunState, Status};
use crate::ui;
use crate::ui::report::Extra;
use crate::ui::reporter::{Options, choose};

/// How often the screen is looked after while nothing is said.
const TICK: Duration = Duration::from_millis(100);

/// Makes a run of a plan that was approved, and moves it.
///
/// # Errors
/// When the run cannot be written. How it ended is in the exit code.
pub async fn start(plan: &Plan, hosts: &Hosts, approval: Approval, global: &Global) -> Result<ExitCode> {
    let by = operator();
    let turn = Store::open()?.create_run(plan, &by, Clock::System)?;
    continue_with(turn, plan, hosts, approval.events(plan, &by), global).await
}

/// Takes a turn at a run: begins an epoch, records `decisions`, and moves it until it rests or ends.
///
/// # Errors
/// When the journal cannot be written, or on a second Ctrl-C. How it ended is in the exit code.
pub async fn continue_with(
    mut turn: Turn,
    plan: &Plan,
    hosts: &Hosts,
    decisions: Vec<Event>,
    global: &Global,
) -> Result<ExitCode> {
    let by = operator();
    let options = Options::detect(global.json, global.quiet, global.verbose);
    let screen = Mutex::new(choose(options, plan, Clock::System));
    let tell = |signal: Signal| screen.lock().unwrap_or_else(|lock| lock.into_inner()).signal(&signal);

    tell(Signal::Opened { run: turn.dir.id });
    if turn.journal.state().epoch == 0 {
        turn.dir.history()?.records.into_iter().for_each(|record| tell(Signal::Recorded(record)));
    }
    let began = Event::EpochStarted { operator: by.clone(), pid: std::process::id() };
    for event in std::iter::once(began).chain(decisions) {
        tell(Signal::Recorded(turn.journal.append(event)?));
    }

    let cancel = Cancel::default();
    let terminal = Terminal::new(&screen, &by, global.json);
    let engine =
        Engine { plan, world: hosts, person: &terminal, cancel: &cancel, operator: &by, tell: &tell };
    let moved = {
        let tick = async {
            loop {
                tokio::time::sleep(TICK).await;
                screen.lock().unwrap_or_else(|lock| lock.into_inner()).tick();
            }
        };
        tokio::select! {
            biased;
            moved = engine.drive(&mut turn) => moved,
            left = interrupted_twice(&cancel, &tell) => left,
            never = tick => never,
        }
    };
    screen.lock().unwrap_or_else(|lock| lock.into_inner()).finish();
    moved.map_err(|error| error.hint(format!("opsctl resume {}", turn.dir.id.short())))?;
    report(&turn, plan, global)?;
    Ok(exit_code(turn.journal.state()))
}

/// The first Ctrl-C lets what changes something come to its end; the second leaves at once.
async fn interrupted_twice(cancel: &Cancel, tell: &impl Fn(Signal)) -> Result<()> {
    let listen = |kind| -> Result<Listener> {
        signal(kind).map_err(|error| Error::internal("cannot listen for signals").caused_by(&error))
    };
    let (mut interrupt, mut terminate, mut hangup) =
        (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?, listen(SignalKind::hangup())?);
    let mut next = async || {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    };
    next().await;
    cancel.request();
    let what = "what is under way to end, then the run rests; Ctrl-C again leaves at once".to_owned();
    tell(Signal::Waiting { what, at_most: None });
    next().await;
    Err(Error::new(Kind::Interrupted, "left at once: what was under way may go on at its host"))
}

fn report(turn: &Turn, plan: &Plan, global: &Global) -> Result<()> {
    let records = turn.dir.history()?.records;
    let extra = Extra { next: next::commands(&turn.dir, turn.journal.state()), ..Extra::default() };
    if global.json {
        return ui::look::give(&ui::summary::json(plan, &records, &extra));
    }
    ui::look::say(&format!("\n{}", ui::report::text(plan, &records, &extra)));
    Ok(())
}

/// How the run stands, as an exit code.
fn exit_code(state: &RunState) -> ExitCode {
    let is_undone_by_step =
        state.undo_requested_by.as_ref().is_some_and(|by| state.steps.keys().any(|key| key.as_str() == by));
    let kind = match (&state.rest, state.status) {
        (Some(Rest::Cancelled { .. }), _) => Kind::Interrupted,
        (_, Status::Succeeded | Status::Abandoned) => return ExitCode::SUCCESS,
        (_, Status::Undone) if is_undone_by_step => Kind::Undone,
        (_, Status::Undone) => return ExitCode::SUCCESS,
        (_, Status::Waiting) => Kind::Waiting,
        (_, Status::Halted) => Kind::Halted,
        (_, Status::Stuck) => Kind::Stuck,
        (_, Status::Blank | Status::Created | Status::Running | Status::Undoing) => Kind::Internal,
    };
    ExitCode::from(kind.exit_code())
}
