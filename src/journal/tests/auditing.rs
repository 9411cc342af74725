//! What was done to a journal is found and named: every byte, every record, with anchors and without.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::{clock, epoch, finished, plan, started};
use crate::base::clock::Clock;
use crate::base::id::{RunId, StepKey};
use crate::journal::audit::{Anchor, Damage, Evidence, Fault, Output, Report, Witness, audit};
use crate::journal::elsewhere::Elsewhere;
use crate::journal::travel::Lines;
use crate::journal::{History, Journal};
use crate::model::plan::Digest;
use crate::run::event::{Event, Outcome, Phase, Record, Rest};

/// A run as bytes.
struct Run {
    id: RunId,
    plan: Vec<u8>,
    lines: Vec<Vec<u8>>,
}

fn events(id: RunId) -> Vec<Event> {
    let failed = Outcome::Failed {
        message: "exit code 1".to_owned(),
        may_have_changed: false,
        unreachable: None,
        log: Some(Digest::of(b"output")),
        ms: 12,
    };
    let b = StepKey::new("b");
    vec![
        Event::RunCreated {
            run: id,
            plan: plan().digest(),
            runbook: "test".to_owned(),
            operator: "ada".to_owned(),
        },
        epoch(),
        Event::LeaseTaken { host: "app".to_owned(), fence: 3, folder: None },
        started("a"),
        finished("a"),
        started("b"),
        Event::StepFinished { step: b.clone(), attempt: 1, phase: Phase::Do, outcome: failed },
        Event::RunRested { rest: Rest::Failed { step: b, message: "exit code 1".to_owned() } },
    ]
}

/// The run of a list of events, as the journal writes it.
fn run_of(id: RunId, events: &[Event], clock: Clock) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(folder.path(), &plan(), clock).unwrap();
    events.iter().for_each(|event| drop(journal.append(event.clone()).unwrap()));
    let bytes = std::fs::read(folder.path().join("journal.jsonl")).unwrap();
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    Run { id, plan: plan().to_bytes(), lines }
}

fn run() -> Run {
    let id = RunId::generate();
    run_of(id, &events(id), clock())
}

/// Five records, for what is done to every bit of them.
fn short_run() -> Run {
    let id = RunId::generate();
    let created = events(id).remove(0);
    run_of(id, &[created, epoch(), started("a"), finished("a"), epoch()], clock())
}

impl Run {
    fn last(&self) -> u64 {
        self.lines.len() as u64
    }

    fn journal(&self) -> Vec<u8> {
        self.lines.concat()
    }

    fn anchor(&self, seq: u64) -> Anchor {
        let line = &self.lines[seq as usize - 1];
        Anchor { from: format!("`app` (lease {seq})"), seq, digest: Digest::of(&line[..line.len() - 1]) }
    }

    fn audit(&self, plan: &[u8], journal: &[u8], anchors: &[Anchor]) -> Report {
        let elsewhere = &Elsewhere::default();
        audit(Evidence { run: self.id, plan, journal, anchors, elsewhere }, |_| Output::Kept)
    }

    fn faults(&self, lines: &[Vec<u8>], anchors: &[Anchor]) -> Vec<Fault> {
        self.audit(&self.plan, &lines.concat(), anchors).faults
    }

    /// The number of the record that a byte of the journal is in.
    fn record_at(&self, byte: usize) -> u64 {
        let mut end = 0;
        let ends = self.lines.iter().map(|line| {
            end += line.len();
            end
        });
        ends.take_while(|end| *end <= byte).count() as u64 + 1
    }

    /// The records from one on, as somebody who may write here would compute them anew after a change.
    fn forged(&self, from: usize, change: impl Fn(&mut Record)) -> Vec<Vec<u8>> {
        let mut lines = self.lines.clone();
        for place in from - 1..lines.len() {
            let mut record: Record = serde_json::from_slice(&lines[place]).unwrap();
            if place == from - 1 {
                change(&mut record);
            } else {
                let before = &lines[place - 1];
                record.prev = Digest::of(&before[..before.len() - 1]);
            }
            lines[place] = serde_json::to_vec(&record).unwrap();
            lines[place].push(b'\n');
        }
        lines
    }
}

/// Each fault as the record and what was done to it.
fn told(faults: &[Fault]) -> Vec<String> {
    faults.iter().map(|fault| format!("byte {}: {fault}", fault.byte)).collect()
}

#[test]
fn a_journal_as_it_was_written_has_no_fault_and_all_anchors_hold() {
    let run = run();
    let anchors: Vec<_> = (1..=8).map(|seq| run.anchor(seq)).collect();
    let report = run.audit(&run.plan, &run.journal(), &anchors);
    assert_eq!(report, Report { records: 8, anchors: 8, ..Report::default() });
}

#[test]
fn a_journal_that_was_cut_anywhere_is_an_exact_prefix_and_an_anchor_says_what_is_missing() {
    let run = short_run();
    let journal = run.journal();
    let whole = History::of(&run.plan, &journal).unwrap().records;
    let anchor = run.anchor(run.last());
    for cut in 0..journal.len() {
        let complete = run.record_at(cut) - 1;
        let left = &journal[..cut];
        assert_eq!(History::of(&run.plan, left).unwrap().records, whole[..complete as usize], "cut at {cut}");
        let torn =
            (left.len() - left.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1)) as u64;
        let report = run.audit(&run.plan, left, &[]);
        if complete > 0 {
            assert_eq!(report, Report { records: complete, torn, ..Report::default() }, "cut at {cut}");
        } else {
            assert_eq!(report.faults, [Fault { record: 1, byte: 0, damage: Damage::Empty }]);
        }
        let faults = run.audit(&run.plan, left, std::slice::from_ref(&anchor)).faults;
        let truncated = Damage::Truncated { last: complete, from: "`app` (lease 5)".to_owned() };
        let truncated = Fault { record: 5, byte: cut as u64 - torn, damage: truncated };
        assert!(faults.contains(&truncated), "cut at {cut}: {faults:?}");
    }
}

#[test]
fn every_bit_that_was_flipped_is_found_and_its_record_named() {
    let run = short_run();
    let journal = run.journal();
    let (last, anchor) = (run.last(), [run.anchor(run.last())]);
    for place in 0..journal.len() {
        let record = run.record_at(place);
        for bit in 0..8 {
            let mut flipped = journal.clone();
            flipped[place] ^= 1 << bit;
            let first = |anchors| {
                let faults = run.audit(&run.plan, &flipped, anchors).faults;
                faults.first().map(|fault| fault.record)
            };
            let alone = first(&[]);
            if record < last {
                assert_eq!(alone, Some(record), "bit {bit} of byte {place}");
            } else {
                // Nobody follows it: it is found, or the two that do not belong together are, or nothing is.
                assert!(alone.is_none_or(|named| named >= last - 1), "bit {bit} of byte {place}: {alone:?}");
            }
            if record == last || bit == place % 8 {
                assert_eq!(first(&anchor), Some(record), "bit {bit} of byte {place}");
            }
        }
    }
}

#[test]
fn every_bit_of_the_plan_that_was_flipped_is_found() {
    let run = short_run();
    let journal = run.journal();
    for place in 0..run.plan.len() {
        for bit in 0..8 {
            let mut flipped = run.plan.clone();
            flipped[place] ^= 1 << bit;
            let witness = Witness::Record { seq: 1 };
            let fault = Fault { record: 0, byte: 0, damage: Damage::Edited { witness } };
            assert_eq!(run.audit(&flipped, &journal, &[]).faults, [fault], "bit {bit} of byte {place}");
        }
    }
}

#[test]
fn a_record_that_was_removed_is_named() {
    let run = run();
    for record in 1..8 {
        let mut lines = run.lines.clone();
        lines.remove(record - 1);
        let byte = run.lines[..record - 1].concat().len() as u64;
        let record = record as u64;
        let removed = Fault { record, byte, damage: Damage::Removed { last: record } };
        assert_eq!(run.faults(&lines, &[]), [removed]);
    }
    let mut lines = run.lines.clone();
    lines.drain(2..5);
    insta::assert_snapshot!(told(&run.faults(&lines, &[])).join("\n"), @"byte 478: records 3 to 5 were removed");
}

#[test]
fn records_that_were_moved_are_named() {
    let run = run();
    for record in 1..8 {
        let mut lines = run.lines.clone();
        lines.swap(record - 1, record);
        let faults = run.faults(&lines, &[]);
        let [Fault { record: moved, damage: Damage::Moved { .. }, .. }] = faults[..] else {
            panic!("{faults:?}");
        };
        assert!(moved == record as u64 || moved == record as u64 + 1, "{faults:?}");
    }
    let mut lines = run.lines.clone();
    let moved = lines.remove(6);
    lines.insert(2, moved);
    insta::assert_snapshot!(told(&run.faults(&lines, &[])).join("\n"), @"byte 478: record 7 was moved: it stands behind record 2");
}

#[test]
fn a_line_that_was_put_in_is_named() {
    let run = run();
    for record in 1..=8 {
        for line in [run.lines[record - 1].clone(), b"{}\n".to_vec(), b"\n".to_vec()] {
            let mut lines = run.lines.clone();
            lines.insert(record, line);
            let byte = run.lines[..record].concat().len() as u64;
            let faults = run.faults(&lines, &[]);
            let [fault] = &faults[..] else { panic!("{faults:?}") };
            assert_eq!(fault.byte, byte);
            let is_last_and_unreadable = record == 8 && matches!(fault.damage, Damage::Unreadable { .. });
            assert!(fault.damage == Damage::Inserted || is_last_and_unreadable, "{faults:?}");
        }
    }
    // One that hangs together with what is before it.
    let mut forged: Record = serde_json::from_slice(&run.lines[4]).unwrap();
    forged.event = epoch();
    forged.epoch += 1;
    let mut lines = run.lines.clone();
    lines.insert(4, [serde_json::to_vec(&forged).unwrap(), b"\n".to_vec()].concat());
    insta::assert_snapshot!(told(&run.faults(&lines, &[])).join("\n"), @"byte 836: a line was put in behind record 4");
}

#[test]
fn a_chain_that_was_computed_anew_is_found_by_the_anchors_on_either_side() {
    let run = run();
    let later = |record: &mut Record| record.at += std::time::Duration::from_secs(1);
    for edited in 1..=8 {
        let lines = run.forged(edited, later);
        assert_eq!(run.faults(&lines, &[]), [], "the chain alone holds");
        let anchors: Vec<_> = (1..=8).map(|seq| run.anchor(seq)).collect();
        let report = run.audit(&run.plan, &lines.concat(), &anchors);
        let faults = report.faults;
        let [Fault { record, damage: Damage::Rewritten { since, .. }, .. }] = &faults[..] else {
            panic!("{faults:?}");
        };
        assert_eq!((*since, *record), (edited as u64, edited as u64));
        assert_eq!(report.anchors, edited - 1);
    }
    let lines = run.forged(4, later);
    let told = told(&run.faults(&lines, &[run.anchor(6), run.anchor(3), run.anchor(7)]));
    insta::assert_snapshot!(told.join("\n"), @"byte 1098: one of the records 4 to 6 was edited, and the chain computed anew: `app` (lease 6) remembers another record 6");
}

#[test]
fn a_record_that_was_removed_and_the_chain_computed_anew_is_found_by_an_anchor() {
    let run = run();
    let kept: Vec<_> = events(run.id).into_iter().take(7).collect();
    let shorter = run_of(run.id, &kept, clock());
    assert_eq!(run.faults(&shorter.lines, &[]), []);
    insta::assert_snapshot!(told(&run.faults(&shorter.lines, &[run.anchor(8)])).join("\n"), @"byte 1627: the journal was cut off after record 7, or went on elsewhere: `app` (lease 8) remembers record 8");
}

#[test]
fn several_edits_are_all_named() {
    let run = run();
    let edit = |record: usize, from: &str, to: &str| {
        let line = String::from_utf8(run.lines[record - 1].clone()).unwrap();
        assert!(line.contains(from), "{line}");
        line.replacen(from, to, 1).into_bytes()
    };
    let mut lines = run.lines.clone();
    lines[1] = edit(2, "\"ada\"", "\"eve\"");
    lines[2] = edit(3, "\"fence\":3", "\"fence\":9");
    lines[5] = edit(6, "\"step\":\"b\"", "\"step\":");
    lines.swap(6, 7);
    insta::assert_snapshot!(told(&run.faults(&lines, &[])).join("\n"), @"
    byte 302: record 2 was edited, or what record 3 says of it: the two do not belong together
    byte 478: record 3 was edited: it is not the one that record 4 belongs to
    byte 1098: record 6 was edited: it cannot be read: expected value at line 1 column 157
    byte 1281: record 8 was moved: it stands behind record 5
    ");
}

#[test]
fn an_edited_record_that_only_the_last_one_knows_is_disputed_unless_there_is_an_anchor() {
    let run = run();
    let edited = run.forged(7, |record| record.epoch = 1);
    assert_eq!(edited, run.lines, "nothing is changed yet");
    let mut lines = run.lines.clone();
    lines[6] =
        String::from_utf8(lines[6].clone()).unwrap().replacen("\"ms\":12", "\"ms\":13", 1).into_bytes();
    let what = |anchors: &[Anchor]| told(&run.faults(&lines, anchors)).join("\n");
    insta::assert_snapshot!(what(&[]), @"byte 1284: record 7 was edited, or what record 8 says of it: the two do not belong together");
    insta::assert_snapshot!(what(&[run.anchor(8)]), @"byte 1284: record 7 was edited: it is not the one that record 8 belongs to");
}

#[test]
fn a_record_that_could_not_have_happened_is_found_although_it_hangs_together() {
    let run = run();
    let lines = run.forged(6, |record| record.event = started("a"));
    insta::assert_snapshot!(told(&run.faults(&lines, &[])).join("\n"), @"byte 1098: record 6 is wrong: it cannot follow: the table of transitions has no such pair (the run is running, step `a` is succeeded)");
    let other = RunId::generate();
    let elsewhere = &Elsewhere::default();
    let journal = run.journal();
    let evidence = Evidence { run: other, plan: &run.plan, journal: &journal, anchors: &[], elsewhere };
    let faults = audit(evidence, |_| Output::Kept).faults;
    assert!(matches!(&faults[..], [Fault { record: 1, damage: Damage::Illegal { .. }, .. }]), "{faults:?}");
}

#[test]
fn a_record_of_a_newer_opsctl_is_no_fault_and_not_checked() {
    let run = run();
    let lines = run.forged(8, |record| record.v = 2);
    let report = run.audit(&run.plan, &lines.concat(), &[]);
    assert_eq!(report, Report { records: 8, newer: Some(8), ..Report::default() });
    let mut lines = run.lines.clone();
    lines[3] = String::from_utf8(lines[3].clone()).unwrap().replacen("\"v\":1", "\"v\":2", 1).into_bytes();
    assert_eq!(
        run.faults(&lines, &[])[0].record,
        4,
        "one that the next record does not belong to is an edit"
    );
}

#[test]
fn an_output_that_a_record_names_and_that_is_not_there_is_a_fault() {
    let run = run();
    let journal = run.journal();
    let elsewhere = &Elsewhere::default();
    let evidence = Evidence { run: run.id, plan: &run.plan, journal: &journal, anchors: &[], elsewhere };
    let output = Digest::of(b"output");
    for (found, damage) in [
        (Output::Missing, Damage::OutputMissing { output: output.clone() }),
        (Output::Changed, Damage::OutputChanged { output: output.clone() }),
    ] {
        let faults = audit(evidence, |name| if *name == output { found } else { Output::Kept }).faults;
        let byte = run.lines[..6].concat().len() as u64;
        assert_eq!(faults, [Fault { record: 7, byte, damage }]);
    }
}

#[test]
fn a_run_without_its_plan_is_not_verified() {
    let run = run();
    let faults = run.audit(b"", &run.journal(), &[]).faults;
    assert!(matches!(&faults[..], [Fault { record: 0, damage: Damage::Edited { .. }, .. }]), "{faults:?}");
}

/// Something that somebody may do to the lines of a journal.
#[derive(Debug, Clone)]
enum Harm {
    Remove(usize),
    Repeat(usize, usize),
    Swap(usize, usize),
    Flip(usize, usize, u8),
    Renumber(usize, u64),
    PutIn(usize, Vec<u8>),
}

fn any_harm() -> impl Strategy<Value = Harm> {
    let at = || any::<usize>();
    prop_oneof![
        at().prop_map(Harm::Remove),
        (at(), at()).prop_map(|(line, to)| Harm::Repeat(line, to)),
        (at(), at()).prop_map(|(line, other)| Harm::Swap(line, other)),
        (at(), at(), 0..8_u8).prop_map(|(line, byte, bit)| Harm::Flip(line, byte, bit)),
        (at(), prop_oneof![0..12_u64, any::<u64>()]).prop_map(|(line, seq)| Harm::Renumber(line, seq)),
        (at(), prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(line, bytes)| Harm::PutIn(line, bytes)),
    ]
}

fn harmed(mut lines: Vec<Vec<u8>>, harm: &Harm) -> Vec<Vec<u8>> {
    let count = lines.len();
    if count == 0 {
        return lines;
    }
    match harm {
        Harm::Remove(line) => drop(lines.remove(line % count)),
        Harm::Repeat(line, to) => lines.insert(to % (count + 1), lines[line % count].clone()),
        Harm::Swap(line, other) => lines.swap(line % count, other % count),
        Harm::Flip(line, byte, bit) => {
            let line = &mut lines[line % count];
            let place = byte % line.len();
            line[place] ^= 1 << bit;
        }
        Harm::Renumber(line, seq) => {
            let line = &mut lines[line % count];
            let text = String::from_utf8_lossy(line).into_owned();
            if let Some((before, after)) = text.split_once("\"seq\":") {
                let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
                *line = format!("{before}\"seq\":{seq}{after}").into_bytes();
            }
        }
        Harm::PutIn(line, bytes) => lines.insert(line % (count + 1), [bytes.as_slice(), b"\n"].concat()),
    }
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn whatever_was_done_to_the_lines_is_found_where_the_last_one_has_an_anchor(
        harms in prop::collection::vec(any_harm(), 1..5),
    ) {
        static RUN: LazyLock<Run> = LazyLock::new(short_run);
        let run = &*RUN;
        let journal = harms.iter().fold(run.lines.clone(), harmed).concat();
        let faults = run.audit(&run.plan, &journal, &[run.anchor(run.last())]).faults;
        // What comes after the last whole line says nothing.
        let is_as_it_was = Lines::new(Vec::new(), journal).journal == run.journal();
        prop_assert_eq!(faults.is_empty(), is_as_it_was, "{:?}", faults);
    }
}
