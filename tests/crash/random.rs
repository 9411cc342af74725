//! Death at random instants, over a real SSH server: each step's line is there exactly once, whenever it comes.

use std::time::Duration;

use futures_util::future::join_all;

use crate::common::sshd::Sshd;
use crate::dice::Dice;
use crate::life::{Death, Goal, Life, Since};
use crate::measure::{Form, seed};
use crate::procedure::Procedure;
use crate::site::Site;
use crate::totals::Totals;

/// How many lives a procedure has, the undisturbed one included.
const LIVES: usize = 12;

/// How long an undisturbed run takes, and its undo.
#[derive(Clone, Copy)]
struct Spans {
    there: Duration,
    back: Duration,
}

struct Bench {
    sshd: Sshd,
    dice: Dice,
    seed: u64,
}

impl Bench {
    /// So many lives, the first of every few in peace.
    async fn lives(&mut self, count: usize) -> Totals {
        let mut totals = Totals::default();
        while totals.runs < count {
            let procedure = Procedure::random(&mut self.dice);
            let spans = self.in_peace(&procedure, &mut totals).await;
            for _ in 1..LIVES.min(count - totals.runs + 1) {
                self.disturbed(&procedure, spans, &mut totals).await;
            }
        }
        totals
    }

    async fn in_peace(&self, procedure: &Procedure, totals: &mut Totals) -> Spans {
        let site = Site::behind(&self.sshd);
        let ended =
            self.life(&site, procedure, Goal::ThereAndBack, Vec::new(), Since::Beginning).live().await;
        ended.count(totals, &format!("in peace, seed {}", self.seed));
        let lasted = |at: usize| ended.turns.get(at).map_or(Duration::from_secs(1), |turn| turn.lasted);
        Spans { there: lasted(0), back: lasted(1) }
    }

    async fn disturbed(&mut self, procedure: &Procedure, spans: Spans, totals: &mut Totals) {
        let dice = &mut self.dice;
        let within = |dice: &mut Dice, span: Duration| span.mul_f64(dice.fraction() * 1.05);
        let there = Death::After(within(dice, spans.there));
        let again = Death::After(within(dice, spans.there));
        let back = Death::After(within(dice, spans.back));
        let cut = within(dice, spans.there);
        let (goal, deaths, since) = match dice.below(20) {
            0..5 => (Goal::There, vec![there], Since::Beginning),
            5..8 => (Goal::There, vec![there, again], Since::Beginning),
            8..10 => (Goal::There, vec![there, again.clone(), again], Since::Beginning),
            10..12 => (Goal::ThereAndBack, vec![back], Since::Undo),
            12..14 => (Goal::ThereAndBack, vec![back.clone(), back], Since::Undo),
            14..16 => (Goal::Back, vec![there, back], Since::Beginning),
            16..18 => (Goal::There, vec![Death::Client(cut)], Since::Beginning),
            18 => (Goal::There, vec![Death::Server(cut)], Since::Beginning),
            _ => (Goal::ThereAndBack, vec![Death::Client(within(dice, spans.back))], Since::Undo),
        };
        let site = Site::behind(&self.sshd);
        let name = format!("seed {}, life {}: {goal:?}, {deaths:?}", self.seed, totals.runs);
        self.life(&site, procedure, goal, deaths, since).live().await.count(totals, &name);
    }

    fn life<'a>(
        &'a self,
        site: &'a Site,
        procedure: &'a Procedure,
        goal: Goal,
        deaths: Vec<Death>,
        since: Since,
    ) -> Life<'a> {
        Life { site, sshd: Some(&self.sshd), procedure, goal, deaths, since }
    }
}

#[tokio::test]
async fn a_run_that_is_killed_at_random_instants_over_ssh_does_everything_once() {
    let form = Form::of_this_run();
    let workers = form.at_once();
    let count = form.count(12, 500).div_ceil(workers);
    let benches = (0..workers as u64).map(|worker| async move {
        let seed = seed() + worker;
        Bench { sshd: Sshd::start(), dice: Dice::of(seed), seed }.lives(count).await
    });
    let mut totals = Totals::default();
    join_all(benches).await.into_iter().for_each(|more| totals += more);
    totals.hold("killed at random instants over ssh");
}
