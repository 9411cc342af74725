//! The table that a resumed run begins with: each open step, what the journal says, what its host says, what will be done.

use super::paint::{Ink, visible};
use super::table::{Cell, Table};
use crate::run::event::Phase;
use crate::run::outlook::{Next, Open, Said, Written};

pub fn lines(steps: &[Open]) -> Vec<String> {
    let mut table = Table::new(&["OPEN STEP", "THE JOURNAL SAYS", "THE HOST SAYS", "WILL BE DONE"]);
    for open in steps {
        table.row([
            Cell::new(Ink::Bold, visible(open.step.as_str())),
            written(open).into(),
            open.host.as_ref().map_or_else(String::new, said).into(),
            Cell::new(ink(open.next), next(open)),
        ]);
    }
    table.lines()
}

fn written(open: &Open) -> String {
    let what = match open.phase {
        Phase::Do => "",
        Phase::Undo => "undo ",
    };
    let attempt = if open.attempt > 1 { format!(" (attempt {})", open.attempt) } else { String::new() };
    match open.journal {
        Written::Started => format!("{what}started, no end{attempt}"),
        Written::TookEffect => format!("took effect, not confirmed{attempt}"),
        Written::Failed => format!("{what}failed{attempt}"),
    }
}

fn said(said: &Said) -> String {
    match said {
        Said::Unbegun => "never begun".to_owned(),
        Said::Running => "still runs".to_owned(),
        Said::Ended { status } => format!("ended with exit code {status}"),
        Said::Cut { why } => format!("cut off: {}", visible(why)),
        Said::Nothing => "keeps nothing of it".to_owned(),
        Said::Silent { why } => format!("no answer: {}", visible(why)),
    }
}

fn next(open: &Open) -> &'static str {
    match open.next {
        Next::Record => "take down what came of it; it is not done again",
        Next::Follow => "follow it to its end",
        Next::End => "end its processes",
        Next::Begin => "begin it",
        Next::Pass => "nothing: there is nothing to take back",
        Next::Repeat => "do it again: it may be repeated",
        Next::Probe => "ask its `done_when` whether it happened",
        Next::Confirm => "look again at what is expected of it",
        Next::Ask => "ask you whether it happened",
        Next::Retry => match open.phase {
            Phase::Do => "try it again",
            Phase::Undo => "try the undo again",
        },
        Next::Undo => "take it back",
        Next::Wait => "nothing for now",
    }
}

fn ink(next: Next) -> Ink {
    match next {
        Next::Ask | Next::Wait => Ink::Warn,
        _ => Ink::Plain,
    }
}
