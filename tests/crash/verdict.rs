//! What is wrong with what a run left.

use opsctl::run::state::Status;

use crate::procedure::{Procedure, Trace};
use crate::totals::Wrong;

/// What is wrong with the lines that a run left which came to be so in the end.
pub fn judge(procedure: &Procedure, lines: &[String], end: Status) -> Vec<Wrong> {
    let times = |line: &String| lines.iter().filter(|other| *other == line).count();
    let hold = |line: &String, least: usize, most: usize| match times(line) {
        times if times > most => Some(Wrong::Doubled(format!("`{line}` is there {times} times"))),
        times if times < least => Some(Wrong::Lost(format!("`{line}` is not there"))),
        _ => None,
    };
    let mut wrong = Vec::new();
    for trace in &procedure.traces {
        // What was never done, or only in part, is undone as far as it was done.
        let was_begun = trace.lines.iter().any(|line| times(line) > 0);
        let (least, back) = if end == Status::Succeeded { (1, 0) } else { (0, usize::from(was_begun)) };
        wrong.extend(trace.lines.iter().filter_map(|line| hold(line, least, 1)));
        wrong.extend(trace.undo.iter().filter_map(|line| hold(line, back, back)));
        let skipped = trace.lines.windows(2).find(|pair| times(&pair[0]) < times(&pair[1]));
        wrong.extend(skipped.map(|pair| Wrong::Lost(format!("`{}` is not there", pair[0]))));
    }
    let meaning = procedure.meaning();
    let strangers = lines.iter().filter(|line| !meaning.contains_key(line.as_str()));
    wrong.extend(strangers.map(|line| Wrong::State(format!("nobody writes `{line}`"))));
    wrong.extend(out_of_order(procedure, lines));
    wrong
}

/// What comes before what it should follow: steps follow each other, and their undo goes the other way.
fn out_of_order(procedure: &Procedure, lines: &[String]) -> Option<Wrong> {
    let meaning = procedure.meaning();
    let known: Vec<_> = lines.iter().filter_map(|line| Some((line, *meaning.get(line.as_str())?))).collect();
    let place = |(trace, is_undo): (&Trace, bool)| match is_undo {
        false => trace.block as i64,
        true => 2 * procedure.traces.len() as i64 - trace.block as i64,
    };
    let pair = known.windows(2).find(|pair| place(pair[0].1) > place(pair[1].1))?;
    Some(Wrong::State(format!("`{}` comes before `{}`", pair[0].0, pair[1].0)))
}
