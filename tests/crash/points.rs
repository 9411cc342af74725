//! Death at every named crash point, each time it is passed: on the way there, on the way back, and within a resume.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _};

use crate::common::sshd::Sshd;
use crate::life::{Death, Goal, Life, Since};
use crate::measure::Form;
use crate::procedure::Procedure;
use crate::site::Site;
use crate::totals::Totals;

/// What of a life passes the points.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stretch {
    Run,
    Undo,
    /// The first process died where the first attempt of a step had just failed.
    Resume,
    /// The undo, by a process that goes on after one died in the middle of it.
    ResumedUndo,
}

const STRETCHES: [Stretch; 4] = [Stretch::Run, Stretch::Undo, Stretch::Resume, Stretch::ResumedUndo];

impl Stretch {
    /// Where the process dies that comes before it, if one does.
    fn first_death(self) -> Option<Death> {
        let at = |passing: &str| Some(Death::At(passing.to_owned(), None));
        match self {
            Stretch::Run | Stretch::Undo => None,
            Stretch::Resume => at("journal.synced:9"),
            Stretch::ResumedUndo => at("journal.synced:7"),
        }
    }

    fn goal(self) -> Goal {
        if self.since() == Since::Undo { Goal::ThereAndBack } else { Goal::There }
    }

    fn since(self) -> Since {
        match self {
            Stretch::Run | Stretch::Resume => Since::Beginning,
            Stretch::Undo | Stretch::ResumedUndo => Since::Undo,
        }
    }
}

/// Every passing of every point in a stretch of a life in which nothing else goes wrong, such as `journal.append:3`.
async fn passed(procedure: &Procedure, stretch: Stretch, what: What<'_>) -> Vec<String> {
    let sshd = what.sshd();
    let site = sshd.as_ref().map_or_else(Site::here, Site::behind);
    let log = site.path("passed");
    let deaths = stretch.first_death().into_iter().chain([Death::Watched(log.clone())]).collect();
    let life = Life {
        site: &site,
        sshd: sshd.as_ref(),
        procedure,
        goal: stretch.goal(),
        deaths,
        since: stretch.since(),
    };
    let mut totals = Totals::default();
    life.live().await.count(&mut totals, &format!("{stretch:?} in peace"));
    totals.hold(&format!("{stretch:?} in peace"));
    let text = std::fs::read_to_string(log).expect("opsctl was built with the feature `crash-points`");
    crate::passings::passings(&text)
}

/// In the long form all; in the short one some, and among them the first and the last passing of each point.
fn chosen(all: Vec<String>, form: Form) -> Vec<String> {
    if form.is_long() {
        return all;
    }
    let name = |passing: &str| passing.split(':').next().unwrap().to_owned();
    let first: BTreeMap<_, _> = all.iter().rev().map(|passing| (name(passing), passing.clone())).collect();
    let last: BTreeMap<_, _> = all.iter().map(|passing| (name(passing), passing.clone())).collect();
    let is_chosen = |(at, passing): &(usize, String)| {
        at % 29 == 0 || [&first, &last].iter().any(|those| those[&name(passing)] == *passing)
    };
    all.into_iter().enumerate().filter(is_chosen).map(|(_, passing)| passing).collect()
}

/// What happens at a point.
#[derive(Clone, Copy)]
enum What<'a> {
    /// The process dies; on a disk that loses what was not synced, where there are seeds.
    Death { seeds: &'a [Option<u64>] },
    /// Its connection to the host does.
    Cut,
}

impl What<'_> {
    /// A server of its own: a cut is for one alone.
    fn sshd(self) -> Option<Sshd> {
        match self {
            What::Death { .. } => None,
            What::Cut => Some(Sshd::start()),
        }
    }

    fn at(self, passing: &str) -> Vec<Death> {
        match self {
            What::Death { seeds } => seeds.iter().map(|seed| Death::At(passing.to_owned(), *seed)).collect(),
            What::Cut => vec![Death::CutAt(passing.to_owned())],
        }
    }
}

async fn every_passing(stretch: Stretch, what: What<'_>, form: Form) -> Totals {
    let procedure = &Procedure::with_everything();
    let passings = chosen(passed(procedure, stretch, what).await, form);
    let lives = stream::iter(passings.iter().flat_map(|passing| what.at(passing))).map(|death| async move {
        let sshd = what.sshd();
        let site = sshd.as_ref().map_or_else(Site::here, Site::behind);
        let name = format!("{stretch:?}, {death:?}");
        let deaths = stretch.first_death().into_iter().chain([death]).collect();
        let (sshd, goal, since) = (sshd.as_ref(), stretch.goal(), stretch.since());
        (name, Life { site: &site, sshd, procedure, goal, deaths, since }.live().await)
    });
    let mut totals = Totals::default();
    let mut ended = lives.buffer_unordered(form.at_once());
    while let Some((name, ended)) = ended.next().await {
        ended.count(&mut totals, &name);
    }
    totals
}

async fn every_stretch(said: &str, what: What<'_>) {
    let mut totals = Totals::default();
    let form = Form::of_this_run();
    // To connect takes longest.
    let stretches = if matches!(what, What::Cut) && !form.is_long() { &STRETCHES[..2] } else { &STRETCHES };
    for stretch in stretches {
        totals += every_passing(*stretch, what, form).await;
    }
    // Before there is a connection none can be cut.
    assert!(totals.deaths * 10 >= totals.runs * 7, "{} of {} runs died", totals.deaths, totals.runs);
    totals.hold(said);
}

#[tokio::test]
async fn a_run_with_one_of_everything_that_is_killed_at_any_point_does_everything_once() {
    every_stretch("killed at the named points", What::Death { seeds: &[None] }).await;
}

#[tokio::test]
async fn a_run_with_one_of_everything_that_is_killed_on_a_lossy_disk_does_everything_once() {
    let seeds: &[_] = if Form::of_this_run().is_long() { &[Some(1), Some(2)] } else { &[Some(1)] };
    let what = What::Death { seeds };
    every_stretch("killed at the named points, on a disk that loses what was not synced", what).await;
}

#[tokio::test]
async fn a_run_with_one_of_everything_that_loses_its_connection_at_any_point_does_everything_once() {
    every_stretch("the SSH master killed at the named points", What::Cut).await;
}
