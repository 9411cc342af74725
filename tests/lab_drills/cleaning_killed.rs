//! opsctl, its connection and the engine die in a cleanup: whoever goes on comes to the same end.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use opsctl::journal::store::Store;
use serde_json::Value;

use crate::aged::Old;
use crate::killed::in_each_step;
use crate::measure::Form;
use crate::passings::passings;
use crate::site::text;

/// Those that are drilled here.
pub const RUNBOOKS: [&str; 1] = ["volume-removal"];

/// More than any cleanup here needs, though a host may take a while until it answers again.
const MOST_TURNS: usize = 8;

/// What dies.
#[derive(Debug, Clone, Copy, PartialEq)]
enum What {
    Opsctl,
    Connection,
    Engine,
}

impl What {
    fn at(self, old: &Old, passing: &str) -> Vec<(&'static str, String)> {
        let mut variables = vec![("OPSCTL_CRASH_AT", passing.to_owned())];
        let command = match self {
            What::Opsctl => return variables,
            What::Connection => format!("pkill -KILL -f '{}' || true", old.clients()),
            What::Engine => {
                let engine = "pkill -KILL -x dockerd; sleep 1; lab-engine start";
                format!("docker exec {} sh -c '{engine}' >/dev/null 2>&1", old.host())
            }
        };
        variables.push(("OPSCTL_CRASH_DO", command));
        variables
    }
}

/// How the newest run stands.
fn standing(old: &Old) -> String {
    let runs: Value = serde_json::from_slice(&old.run(&["runs", "list", "--json"]).stdout).unwrap();
    runs[0]["state"].as_str().unwrap_or("none").to_owned()
}

/// What is typed, until it is done: something dies at that place, and somebody goes on. What was said.
fn until_done(old: &Old, words: &[String], what: What, passing: &str, resume: &[&str]) -> String {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let runs = || Store::at(old.state_dir()).list().unwrap().len();
    let runs_before = runs();
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut command = old.opsctl(&words);
    // What outlives it would hold a pipe open.
    command.envs(what.at(old, passing)).stdout(Stdio::null()).stderr(log.reopen().unwrap());
    let code = command.status().unwrap().code();
    let mut said = fs::read_to_string(log.path()).unwrap();
    for _ in 0..MOST_TURNS {
        if what == What::Engine {
            old.on_host("lab-engine start || true");
        }
        let turn = match standing(old).as_str() {
            // What died before it had said so in the journal did nothing.
            _ if runs() == runs_before => old.run(&words),
            "succeeded" => break,
            _ => old.say(resume),
        };
        said += &format!("$ {:?}\n{}", turn.status.code(), text(&turn.stderr));
    }
    assert_eq!(standing(old), "succeeded", "{said}");
    println!("drill: {what:?} dies at {passing}: {code:?}, and it is done all the same");
    said
}

/// In the long form the first passing of each point in each step, or as many as are asked for; in the short one that in the middle.
fn places(log: &Path) -> Vec<String> {
    let all = in_each_step(&passings(&fs::read_to_string(log).unwrap()));
    assert!(all.len() > 10, "opsctl was built without crash points: run this with tests/run");
    Form::of_this_run().evenly(&all)
}

/// The places at which one dies that goes smoothly.
fn places_of(old: &Old, words: &[String]) -> Vec<String> {
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut smooth = old.opsctl(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let output = smooth.env("OPSCTL_CRASH_LOG", log.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    places(log.path())
}

#[test]
fn whoever_dies_in_a_cleanup_it_comes_to_the_same_end_on_the_small_host() {
    let old = Old::take();
    old.fill("bytes");
    for place in places_of(&old, &old.cleanup()) {
        for what in [What::Opsctl, What::Connection, What::Engine] {
            old.begin_again();
            let (needed, before) = (old.needed(), old.objects());
            old.fill("bytes");
            let said = until_done(&old, &old.cleanup(), what, &place, &["resume", "latest", "--yes"]);
            old.assert_is_clean(&needed, &before, &said);
        }
    }
}

#[test]
fn whoever_dies_while_a_volume_is_removed_it_is_removed_on_the_small_host() {
    let old = Old::take();
    let words = old.words(&["cleanup", "volume", "other", "--host", "app", "--yes", "--confirm", "other"]);
    let make = || drop(old.on_host("docker volume create other"));
    let needed = old.needed();
    make();
    for place in places_of(&old, &words) {
        for what in [What::Opsctl, What::Connection] {
            make();
            let resume = ["resume", "latest", "--yes", "--confirm", "other"];
            let said = until_done(&old, &words, what, &place, &resume);
            assert_eq!(old.needed(), needed, "{said}");
        }
    }
}
