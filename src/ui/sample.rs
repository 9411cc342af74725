//! A made-up plan and records of it, for the tests of the screen.

use std::collections::BTreeMap;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use crate::base::amount::Span;
use crate::base::clock::Timestamp;
use crate::base::id::{RunId, StepKey};
use crate::model::check::Patience;
use crate::model::inventory::{Become, Host};
use crate::model::operation::{Command, HttpRequest, Operation, Program, Via};
use crate::model::plan::*;
use crate::model::runbook::{OnInterrupted, Retry, Risk};
use crate::run::event::*;
use crate::run::receipt::Processes;

pub fn key(text: &str) -> StepKey {
    StepKey::new(text)
}

pub fn run_id() -> RunId {
    RunId::parse("01976b3a-7c00-7000-8000-000000000001").unwrap()
}

pub fn start() -> Timestamp {
    "2025-06-14T03:14:07Z".parse().unwrap()
}

pub fn command(line: &str) -> Operation {
    let argv = line.split(' ').map(str::to_owned).collect();
    let directory = Some("/opt/opareta".to_owned());
    Operation::Command(Command { directory, ..Command::new(Program::Argv(argv)) })
}

pub fn task(action: &str, effect: Effect, operation: Operation) -> Task {
    Task { action: action.to_owned(), effect, host: Some("app".to_owned()), form: Form::Ready(operation) }
}

pub fn health(url: &str) -> PlannedCheck {
    let request = HttpRequest::get(url.to_owned(), Span::secs(5), Via::Host);
    let patience = Patience { within: Span::secs(60), successes: 3, ..Patience::default() };
    let task = task("http.get", Effect::Reads, Operation::Http(request));
    PlannedCheck { task, that: Some("status == 200".to_owned()), patience }
}

pub fn step(name: &str, title: &str, task: Task) -> PlannedStep {
    PlannedStep {
        key: key(name),
        title: title.to_owned(),
        task,
        when: None,
        done_when: None,
        expect: Vec::new(),
        undo: PlannedUndo::None,
        touches: Vec::new(),
        approve: None,
        timeout: None,
        retry: None,
        on_failure: PlannedFailure::Halt,
        on_interrupted: OnInterrupted::Rerun,
        outputs: IndexMap::new(),
        group: None,
        rescues: None,
    }
}

/// A plan that uses everything that a plan can say.
pub fn plan() -> Plan {
    let reads = |line: &str| task("postgres.ready", Effect::Reads, command(line));
    let mut database = step("database", "The database accepts connections", reads("pg_isready"));
    database.on_failure = PlannedFailure::Rescue;
    database.retry =
        Some(Retry { attempts: 3, delay: Span::secs(1), backoff: 2.0, max_delay: Span::secs(30) });
    let start = task("compose.start", Effect::Ensures, command("docker compose start postgres-argus"));
    let mut mend = step("database/start", "Start the database", start);
    mend.rescues = Some(key("database"));
    mend.done_when =
        Some(PlannedCheck { patience: Patience::default(), that: None, task: reads("pg_isready") });
    let restart = |item: &str, port: u16| {
        let line = format!("docker compose restart {item}");
        let task = task("compose.restart", Effect::Changes, command(&line));
        let mut restart = step("restart", &format!("Restart {item}"), task);
        restart.key = key("restart").item(item);
        restart.group = Some(Group { of: key("restart"), parallel: 1, max_failures: 0 });
        restart.expect = vec![health(&format!("http://localhost:{port}/api/health"))];
        restart.timeout = Some(Span::secs(90));
        restart
    };
    let mut tag = step("tag", "Pin the tag", task("command", Effect::Changes, shell()));
    tag.undo = PlannedUndo::Task(Box::new(task("command", Effect::Changes, command("mv .env.old .env"))));
    tag.on_failure = PlannedFailure::Undo;
    tag.on_interrupted = OnInterrupted::Ask;
    let mut flush = step("flush", "Empty the cache", flush_task());
    flush.when = Some(When::Fixed { holds: false, text: "cache.disposable".to_owned() });
    let mut drop = step("drop", "Drop the old database", deferred());
    drop.undo = PlannedUndo::Irreversible;
    drop.approve = Some("drop `argus_db_old` for good?".to_owned());
    drop.when =
        Some(When::Deferred { text: "outputs.database.age > 7".to_owned(), scope: Map::new(), within: None });
    let address = "ssh://deploy@203.0.113.10:22".parse().unwrap();
    Plan {
        v: 1,
        site: "opareta".to_owned(),
        runbook: "service-down".to_owned(),
        origin: "built-in".to_owned(),
        title: "Every instance of a service is down".to_owned(),
        risk: Risk::Disruptive,
        severity: Default::default(),
        affects: Vec::new(),
        rto: Some(Span::secs(600)),
        subject: None,
        lost: None,
        params: Map::from_iter([("service".to_owned(), json!("argus"))]),
        inventory: "opsctl.yaml".to_owned(),
        hosts: BTreeMap::from([(
            "app".to_owned(),
            Host { escalation: Some(Become::Sudo), ..Host::at(address) },
        )]),
        basis: Default::default(),
        steps: vec![database, mend, tag, restart("argus-1", 3001), restart("argus-2", 3002), flush, drop],
    }
}

fn shell() -> Operation {
    Operation::Command(Command {
        program: Program::Shell("cp .env .env.old\nsed -i s/v1.1.0/v1.2.0/ .env".to_owned()),
        directory: Some("/opt/opareta".to_owned()),
        env: BTreeMap::from([("LC_ALL".to_owned(), "C".to_owned())]),
        stdin: Some("first line\nsecond line\n".to_owned()),
        success_codes: vec![0, 3],
        keep: None,
    })
}

fn flush_task() -> Task {
    task("redis.flush", Effect::Destroys, command("redis-cli flushall"))
}

fn deferred() -> Task {
    let args = Map::from_iter([
        ("database".to_owned(), Value::from("{{ outputs.database.old }}")),
        ("user".to_owned(), Value::from("{{ database.user }}")),
    ]);
    let scope = Map::from_iter([("database".to_owned(), serde_json::json!({ "user": "argus" }))]);
    Task {
        action: "postgres.drop".to_owned(),
        effect: Effect::Destroys,
        host: Some("app".to_owned()),
        form: Form::Deferred { args, scope, within: None },
    }
}

/// Events as records, a second apart.
pub fn records<const N: usize>(events: [Event; N]) -> [Record; N] {
    let (mut seq, mut epoch) = (0, 0);
    events.map(|event| {
        seq += 1;
        epoch += u64::from(matches!(event, Event::EpochStarted { .. }));
        let at = start() + Duration::from_secs(seq);
        Record { v: Record::VERSION, seq, prev: Digest::of(b"line"), at, epoch, event }
    })
}

/// A journal: its creation, the first turn, and these.
pub fn journal(events: &[&[Event]]) -> Vec<Record> {
    let [created, epoch] = records([created(), epoch()]);
    let rest = events.concat().into_iter().zip(3..).map(|(event, seq)| {
        let at = start() + Duration::from_secs(seq);
        Record { seq, at, event, ..epoch.clone() }
    });
    let rest: Vec<_> = rest.collect();
    [created, epoch].into_iter().chain(rest).collect()
}

pub fn created() -> Event {
    Event::RunCreated {
        run: run_id(),
        plan: plan().digest(),
        runbook: "service-down".to_owned(),
        operator: "erin@laptop".to_owned(),
    }
}

pub fn epoch() -> Event {
    Event::EpochStarted { operator: "erin@laptop".to_owned(), pid: 4711 }
}

pub fn started(step: &str, attempt: u32, phase: Phase) -> Event {
    Event::StepStarted { step: key(step), attempt, phase }
}

pub fn finished(step: &str, phase: Phase, outcome: Outcome) -> Event {
    attempted(step, 1, phase, outcome)
}

pub fn attempted(step: &str, attempt: u32, phase: Phase, outcome: Outcome) -> Event {
    Event::StepFinished { step: key(step), attempt, phase, outcome }
}

pub fn succeeded(ms: u64) -> Outcome {
    Outcome::Succeeded { outputs: BTreeMap::from([("version".to_owned(), json!("16.2"))]), log: None, ms }
}

pub fn failed(message: &str, may_have_changed: bool) -> Outcome {
    Outcome::Failed { message: message.to_owned(), may_have_changed, unreachable: None, log: None, ms: 2_340 }
}

pub fn no_route() -> Outcome {
    Outcome::Failed {
        message: "no answer within 5s".to_owned(),
        may_have_changed: false,
        unreachable: Some("app".to_owned()),
        log: None,
        ms: 5_000,
    }
}

pub fn lost(message: &str, took_effect: bool) -> Outcome {
    let outputs = Default::default();
    Outcome::Unknown {
        message: message.to_owned(),
        took_effect,
        processes: Processes::Untouched,
        outputs,
        log: None,
        ms: 12_000,
    }
}

pub fn waiting_for_host() -> Rest {
    Rest::WaitingForHost { step: None, host: "app".to_owned(), message: "no answer within 5s".to_owned() }
}

pub fn skipped(step: &str, why: Skip) -> Event {
    Event::StepSkipped { step: key(step), why }
}
