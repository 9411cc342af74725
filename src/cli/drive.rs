//! Moves a run with everything around it: the screen, Ctrl-C, the report, the exit code.

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use tokio::signal::unix::{Signal as Listener, SignalKind, signal};

use super::Global;
use super::consent::Approval;
use super::incident::aboard::Aboard;
use super::next;
use super::open::unreachable_host;
use super::operator::operator;
use super::terminal::Terminal;
use crate::base::clock::Clock;
use crate::base::id::RunId;
use crate::base::{Error, Kind, Result};
use crate::engine::cancel::{Cancel, Urgency};
use crate::engine::deferred::{Outputs, filled};
use crate::engine::drive::Engine;
use crate::engine::hosts::Hosts;
use crate::engine::leases::{Denied, Terms};
use crate::engine::vigil::Vigil;
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

/// How a person wants a run to be moved.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    /// For how long to wait for hosts that somebody else has locked.
    pub lock_wait: Duration,
    /// To begin nothing, and to end what the turn before left running.
    pub ends_what_was_left: bool,
}

/// A run that was moved until it rested or ended.
#[derive(Debug, Clone, Copy)]
pub struct Moved {
    pub run: RunId,
    pub exit: ExitCode,
}

/// Makes a run of a plan that was approved, and moves it.
///
/// # Errors
/// When the run cannot be written, and as [`continue_with`]. How it ended is in the exit code.
pub async fn start(
    plan: &Plan,
    hosts: &Hosts,
    approval: Approval,
    manner: Manner,
    global: &Global,
) -> Result<Moved> {
    let by = operator();
    let turn = Store::open()?.create_run(plan, &by, Clock::System)?;
    let run = turn.dir.id;
    let exit = continue_with(turn, plan, hosts, approval.events(plan, &by), manner, global).await?;
    Ok(Moved { run, exit })
}

/// Takes a turn at a run: begins an epoch, takes the hosts, records `decisions`, and moves it until it rests or ends.
///
/// # Errors
/// When the journal cannot be written, when the hosts are not to be had, or on a third Ctrl-C. How it ended is in the exit code.
pub async fn continue_with(
    mut turn: Turn,
    plan: &Plan,
    hosts: &Hosts,
    decisions: Vec<Event>,
    manner: Manner,
    global: &Global,
) -> Result<ExitCode> {
    let aboard = Aboard::begin(turn.dir.id, plan);
    let moved = on_stage(plan, hosts, global, async |engine, store| {
        (engine.tell)(Signal::Opened { run: turn.dir.id });
        if turn.journal.state().epoch == 0 {
            let records = turn.dir.history()?.records;
            records.into_iter().for_each(|record| (engine.tell)(Signal::Recorded(record)));
        }
        let Manner { lock_wait, ends_what_was_left } = manner;
        engine.turn(&mut turn, decisions, &Terms { store, lock_wait, ends_what_was_left }).await
    })
    .await;
    let run = turn.dir.id.short();
    let is_reported = matches!(moved, Ok(None)) && turn.journal.state().status != Status::Abandoned;
    if is_reported {
        report(&turn, plan, global)?;
    }
    if let Some(aboard) = aboard {
        let is_done = turn.journal.state().status == Status::Succeeded;
        aboard.end(plan, is_done, hosts, global).await;
    }
    let moved = moved.map_err(|error| match error.kind {
        // It is for somebody else to go on with it.
        Kind::Refused => error.hint(format!("opsctl runs show {run}")),
        _ => error.hint(format!("opsctl resume {run}")),
    })?;
    if let Some(denied) = moved {
        return Err(why_denied(&denied, &run, turn.journal.state().status));
    }
    if turn.journal.state().status == Status::Abandoned {
        return Err(lapsed(plan));
    }
    Ok(exit_code(turn.journal.state()))
}

/// Lets an engine act, with a screen that is looked after, a person at it, and signals heeded.
async fn on_stage<T>(
    plan: &Plan,
    hosts: &Hosts,
    global: &Global,
    act: impl AsyncFnOnce(&Engine<'_>, &Store) -> Result<T>,
) -> Result<T> {
    let by = operator();
    let store = Store::open()?;
    let options = Options::detect(global.json, global.quiet, global.verbose);
    let screen = Mutex::new(choose(options, plan, Clock::System));
    let tell = |signal: Signal| screen.lock().unwrap_or_else(|lock| lock.into_inner()).signal(&signal);
    let (cancel, vigil) = (Cancel::default(), Vigil::default());
    let engine = Engine {
        plan,
        world: hosts,
        person: &Terminal::new(&screen, &by, global.json),
        cancel: &cancel,
        operator: &by,
        vigil: &vigil,
        tell: &tell,
    };
    let tick = async {
        loop {
            tokio::time::sleep(TICK).await;
            screen.lock().unwrap_or_else(|lock| lock.into_inner()).tick();
        }
    };
    let acted = tokio::select! {
        biased;
        acted = act(&engine, &store) => acted,
        left = heed_signals(&cancel, &tell) => left.map(|never| match never {}),
        never = tick => never,
    };
    screen.lock().unwrap_or_else(|lock| lock.into_inner()).finish();
    acted
}

/// Brings all of a run to its hosts and gives them back. Which hosts these are.
///
/// # Errors
/// When the journal cannot be written, or the hosts are not to be had.
pub async fn hand_off(
    mut turn: Turn,
    plan: &Plan,
    hosts: &Hosts,
    manner: Manner,
    global: &Global,
) -> Result<Vec<String>> {
    let handed = on_stage(plan, hosts, global, async |engine, store| {
        let terms = Terms { store, lock_wait: manner.lock_wait, ends_what_was_left: false };
        engine.hand_off(&mut turn, &terms).await
    })
    .await;
    let status = turn.journal.state().status;
    handed?.map_err(|denied| why_denied(&denied, &turn.dir.id.short(), status))
}

/// The first Ctrl-C lets what changes something come to its end; the second ends that too; the third leaves at once. SIGTERM,
/// which `opsctl cancel` sends, counts as two.
async fn heed_signals(cancel: &Cancel, tell: &impl Fn(Signal)) -> Result<Infallible> {
    let listen = |kind| -> Result<Listener> {
        signal(kind).map_err(|error| Error::internal("cannot listen for signals").caused_by(&error))
    };
    let (mut interrupt, mut terminate, mut hangup) =
        (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?, listen(SignalKind::hangup())?);
    loop {
        let wanted = tokio::select! {
            _ = interrupt.recv() => more(cancel.urgency()),
            _ = hangup.recv() => more(cancel.urgency()),
            _ = terminate.recv() => Some(Urgency::Now.max(cancel.urgency())),
        };
        let Some(urgency) = wanted else {
            let message = "left at once: what was under way may go on at its host";
            return Err(Error::new(Kind::Interrupted, message));
        };
        if urgency == cancel.urgency() {
            continue;
        }
        cancel.request(urgency);
        let what = match urgency {
            Urgency::None | Urgency::Gentle => {
                "what is under way to end, then the run rests; Ctrl-C again ends it now"
            }
            Urgency::Now | Urgency::Everything => {
                "what is under way to be ended, then the run rests; Ctrl-C again leaves at once"
            }
        };
        tell(Signal::Waiting { what: what.to_owned(), at_most: None });
    }
}

/// What another Ctrl-C means; nothing, when there is nothing left to ask for.
fn more(urgency: Urgency) -> Option<Urgency> {
    match urgency {
        Urgency::None => Some(Urgency::Gentle),
        Urgency::Gentle => Some(Urgency::Now),
        Urgency::Now | Urgency::Everything => None,
    }
}

/// The run was given up by itself, which it only is for one reason once it has its hosts. What the difference is was said.
fn lapsed(plan: &Plan) -> Error {
    let message = "the approval has lapsed: the containers that the plan was approved for are not the same any more; \
                   nothing was changed";
    Error::new(Kind::Refused, message).hint(next::plan(plan))
}

/// Why a turn did not get its hosts, and what can be done about it.
pub(super) fn why_denied(denied: &Denied, run: &str, status: Status) -> Error {
    let error = match denied {
        Denied::Refused { host, .. } => Error::new(Kind::Refused, denied.to_string())
            .hint("opsctl lock list")
            .hint(format!("opsctl lock break {host} --reason '...'")),
        Denied::Outrun { host, .. } => {
            let hint = format!("opsctl resume --from-host {host} {run}");
            return Error::new(Kind::Refused, denied.to_string()).hint(hint);
        }
        Denied::Failed(failure) => unreachable_host(failure),
        Denied::Cancelled => Error::new(Kind::Interrupted, denied.to_string()),
    };
    // What was begun goes on when the host is free; what was not is begun anew.
    if status == Status::Abandoned { error } else { error.hint(format!("opsctl resume {run}")) }
}

fn report(turn: &Turn, plan: &Plan, global: &Global) -> Result<()> {
    let records = turn.dir.history()?.records;
    let extra = Extra { next: next::commands(&turn.dir, turn.journal.state()), ..Extra::default() };
    if global.json {
        return ui::look::give(&ui::summary::json(plan, &records, &extra));
    }
    let plan = filled(plan, &Outputs::of(turn.journal.state().outputs()));
    ui::look::say(&format!("\n{}", ui::report::text(&plan, &records, &extra)));
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
