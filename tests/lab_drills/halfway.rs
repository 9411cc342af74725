//! opsctl, its connection, the server and the host die while a database is backed up, and while it goes back to a backup. Whoever comes after
//! goes on or takes it back: the database is always there, it is the old one or the restored one, every backup is whole, and in the end all serves.

use std::fs::{self, File};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::killed::in_each_step;
use crate::measure::Form;
use crate::passings::passings;
use crate::shop::Shop;
use crate::site::{Way, text};

/// More than any restore here needs, though a host may take a while until it answers again.
const MOST_TURNS: usize = 8;

/// A command, by the runbook that does it. `FILE` stands for the backup.
pub struct Act {
    pub runbook: &'static str,
    words: &'static [&'static str],
}

const KEPT: &str = "argus_db_until_20260101T000000Z";

pub const ACTS: [Act; 5] = [
    Act { runbook: "database-backup", words: &["backup", "argus", "--verify", "--yes"] },
    Act {
        runbook: "database-release",
        words: &["restore", "release", "argus", KEPT, "--yes", "--confirm", "argus"],
    },
    Act {
        runbook: "database-restore",
        words: &["restore", "argus", "--from", "FILE", "--yes", "--confirm", "argus"],
    },
    Act {
        runbook: "database-tables",
        words: &[
            "restore",
            "argus",
            "--from",
            "FILE",
            "--tables",
            "customers",
            "--schema",
            "of_old",
            "--yes",
        ],
    },
    Act { runbook: "database-trial", words: &["restore", "argus", "--from", "FILE", "--drill", "--yes"] },
];

/// A shop with a backup, which has changed since.
struct Scene {
    act: &'static Act,
    shop: Shop,
    file: String,
    /// The checksums of the backup, and those of today.
    then: String,
    now: String,
}

/// What dies.
#[derive(Clone, Copy, PartialEq)]
enum What {
    Opsctl,
    Connection,
    Server,
    Host,
}

impl What {
    fn at(self, scene: &Scene, passing: &str, tenths: usize) -> Vec<(&'static str, String)> {
        let mut variables = vec![("OPSCTL_CRASH_AT", passing.to_owned())];
        let host = scene.shop.host();
        let command = match self {
            What::Opsctl => return variables,
            What::Connection => format!("pkill -KILL -f '{}' || true", scene.shop.clients()),
            // By itself, while the step goes on.
            What::Server => {
                let server = "kill -KILL $(docker inspect -f {{.State.Pid}} opareta-postgres-argus)";
                let (seconds, tenths) = (tenths / 10, tenths % 10);
                format!("(sleep {seconds}.{tenths}; docker exec {host} sh -c '{server}') >/dev/null 2>&1 &")
            }
            What::Host => format!("docker kill {host} >/dev/null"),
        };
        variables.push(("OPSCTL_CRASH_DO", command));
        variables
    }
}

impl Scene {
    fn set(runbook: &str) -> Scene {
        let shop = Shop::of_size("16MiB", Way::Sudo, "keep: 99");
        let then = shop.checksums();
        let file = shop.back_up();
        shop.sql("argus_db", "UPDATE customers SET note = 'of today'");
        // A server that crashed may leave out some numbers of a sequence that was in use since its last checkpoint.
        shop.sql("argus_db", "CHECKPOINT");
        let now = shop.checksums();
        assert_ne!(then, now);
        let act = ACTS.iter().find(|act| act.runbook == runbook).unwrap();
        Scene { act, shop, file, then, now }
    }

    /// It goes on by itself. Its output goes to a file: what outlives it would hold a pipe open.
    fn begun(&self, variables: &[(&str, String)]) -> Child {
        let file = |word: &'static str| if word == "FILE" { self.file.as_str() } else { word };
        let words = self.shop.words(&self.act.words.iter().map(|word| file(word)).collect::<Vec<_>>());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut command = self.shop.opsctl(&words);
        command.envs(variables.iter().cloned()).stdout(Stdio::null());
        command.stderr(File::create(self.log()).unwrap()).spawn().unwrap()
    }

    fn log(&self) -> std::path::PathBuf {
        self.shop.state_dir().join("said")
    }

    /// How the newest run stands.
    fn standing(&self) -> String {
        let runs: Value = serde_json::from_slice(&self.shop.run(&["runs", "list", "--json"]).stdout).unwrap();
        runs[0]["state"].as_str().unwrap_or("none").to_owned()
    }

    /// As many turns as it takes, of one who types that.
    fn until_ended(&self, typed: &[&str]) -> String {
        let mut said = fs::read_to_string(self.log()).unwrap();
        for _ in 0..MOST_TURNS {
            self.shop.power_on();
            if ["succeeded", "undone", "abandoned", "none"].contains(&self.standing().as_str()) {
                break;
            }
            let turn = self.shop.say(typed);
            said += &format!("$ opsctl {typed:?}: {:?}\n{}", turn.status.code(), text(&turn.stderr));
        }
        said
    }

    /// The live database is one of the two, everybody may connect to it, nothing half made is beside it, and every backup is whole.
    fn assert_is_one_of_two(&self, said: &str) -> &'static str {
        self.shop.assert_is_well();
        let live = self.shop.checksums();
        assert!(live == self.then || live == self.now, "it is neither:\n{live}\n{said}");
        let left = self.shop.databases();
        let is_known =
            |name: &String| name == "argus_db" || name.contains("_until_") || name.contains("_taken_back_");
        assert!(left.iter().all(is_known), "{left:?}\n{said}");
        let sums = "for file in *.dump; do sha256sum <$file | cut -d ' ' -f 1; sed -n 's/^  \"sha256\": \"\\(.*\\)\",$/\\1/p' $file.json; done";
        let sums = self.shop.on_host(&format!("cd {}; {sums}", self.shop.folder()));
        let sums: Vec<&str> = sums.lines().collect();
        assert!(!sums.is_empty() && sums.chunks(2).all(|pair| pair[0] == pair[1]), "{sums:?}\n{said}");
        if live == self.then { "the restored one" } else { "the old one" }
    }

    /// What has to be there before each life.
    fn prepare(&self) {
        if self.act.runbook == "database-release" {
            self.shop.sql("postgres", &format!("CREATE DATABASE \"{KEPT}\""));
            self.shop.sql(KEPT, "CREATE TABLE once AS SELECT 1 AS number");
        }
    }

    /// What else it is for: done where it succeeded, and taken back where it was undone.
    fn assert_is_as(&self, standing: &str, said: &str) {
        match (self.act.runbook, standing) {
            ("database-tables", _) => {
                let there =
                    self.shop.sql("argus_db", "SELECT count(*) FROM pg_namespace WHERE nspname = 'of_old'");
                assert_eq!(there, if standing == "succeeded" { "1" } else { "0" }, "{said}");
                self.shop.sql("argus_db", "DROP SCHEMA IF EXISTS of_old CASCADE");
            }
            ("database-release", "succeeded") => assert!(!self.shop.databases().contains(KEPT), "{said}"),
            ("database-backup", "succeeded") => {
                assert!(self.shop.backups().1["newest_verified"].is_string(), "{said}");
                assert!(!self.shop.files().contains(".part"), "{}\n{said}", self.shop.files());
            }
            _ => {}
        }
    }

    /// Something dies, somebody goes on or takes it back, and the old one lives once more.
    fn life(&self, what: &str, variables: &[(&str, String)], typed: &[&str]) {
        self.prepare();
        let code = self.begun(variables).wait().unwrap().code();
        let said = self.until_ended(typed);
        let standing = self.standing();
        self.assert_is_as(&standing, &said);
        let live = self.assert_is_one_of_two(&said);
        println!(
            "drill: {}, {what}: {code:?}, then {}: {standing}, {live} is live",
            self.act.runbook, typed[0]
        );
        let should = match standing.as_str() {
            "succeeded" if self.act.runbook == "database-restore" => "the restored one",
            "succeeded" | "undone" | "abandoned" | "none" => "the old one",
            _ => panic!("{standing}\n{said}"),
        };
        assert_eq!(live, should, "{said}");
        if live != "the old one" {
            let undone = self.shop.say(&["undo", "latest", "--yes"]);
            let said = text(&undone.stderr);
            assert_eq!(
                (undone.status.code(), self.assert_is_one_of_two(&said)),
                (Some(0), "the old one"),
                "{said}"
            );
        }
        self.shop.sweep();
    }

    /// Every place at which something could die. In the long form each point in each step, or as many as are asked for; in the short one the beginning of the swap, for opsctl
    /// that of the load as well, and that of the step in the middle where there is no swap.
    fn places(&self, what: What) -> Vec<String> {
        let log = tempfile::NamedTempFile::new().unwrap();
        let path = log.path().to_str().unwrap().to_owned();
        self.life("nothing dies", &[("OPSCTL_CRASH_LOG", path)], &["resume", "latest"]);
        let all = in_each_step(&passings(&fs::read_to_string(log.path()).unwrap()));
        assert!(all.len() > 10, "opsctl was built without crash points: run this with tests/run");
        let is_begin = |passing: &&String| passing.starts_with("engine.step_started:");
        if Form::of_this_run().is_long() {
            let is_for = |passing: &&String| !matches!(what, What::Host | What::Server) || is_begin(passing);
            let all: Vec<String> = all.iter().filter(is_for).cloned().collect();
            return Form::of_this_run().evenly(&all);
        }
        let begins: Vec<&String> = all.iter().filter(is_begin).collect();
        let numbers = match (self.act.runbook, what) {
            // ready, room, whole, load; compare, safety, safe, approved, stop, stop, swap.
            ("database-restore", What::Opsctl) => vec![3, 10],
            ("database-restore", _) => vec![10],
            _ => vec![begins.len() / 2],
        };
        numbers.into_iter().map(|number| begins[number].clone()).collect()
    }
}

fn dies(runbook: &str, what: What) {
    let scene = Scene::set(runbook);
    for (number, place) in scene.places(what).iter().enumerate() {
        let resume = ["resume", "latest", "--yes", "--confirm", "argus"];
        let typed: &[&str] = if number % 2 == 0 { &resume } else { &["undo", "latest", "--yes"] };
        let word = match what {
            What::Opsctl => "opsctl",
            What::Connection => "its connection",
            What::Server => "the server",
            What::Host => "the host",
        };
        let tenths = if Form::of_this_run().is_long() { number % 10 } else { 3 };
        scene.life(&format!("{word} dies at {place}"), &what.at(&scene, place, tenths), typed);
    }
}

/// Opsctl dies; in the long form all the others do, too.
fn all_die(runbook: &str) {
    dies(runbook, What::Opsctl);
    if Form::of_this_run().is_long() {
        [What::Connection, What::Server, What::Host].into_iter().for_each(|what| dies(runbook, what));
    }
}

#[test]
fn a_backup_that_dies_leaves_whole_ones_over_ssh() {
    all_die("database-backup");
}

#[test]
fn a_trial_that_dies_leaves_nothing_over_ssh() {
    all_die("database-trial");
}

#[test]
fn tables_that_are_put_beside_are_all_there_or_none_whoever_dies_over_ssh() {
    all_die("database-tables");
}

#[test]
fn a_release_that_dies_is_brought_to_its_end_over_ssh() {
    all_die("database-release");
}

#[test]
fn opsctl_dies_in_a_restore_and_the_database_is_one_of_the_two_over_ssh() {
    dies("database-restore", What::Opsctl);
}

#[test]
fn the_connection_dies_in_a_restore_and_the_database_is_one_of_the_two_over_ssh() {
    dies("database-restore", What::Connection);
}

#[test]
fn the_server_dies_in_a_restore_and_the_database_is_one_of_the_two_over_ssh() {
    dies("database-restore", What::Server);
}

#[test]
fn the_host_dies_in_a_restore_and_the_database_is_one_of_the_two() {
    dies("database-restore", What::Host);
}

#[test]
fn a_server_that_dies_while_a_backup_is_loaded_keeps_its_database_over_ssh() {
    let scene = Scene::set("database-restore");
    let mut restore = scene.begun(&[]);
    let size = "SELECT coalesce(max(pg_database_size(datname)), 0) FROM pg_database WHERE datname = 'argus_db_restored'";
    let deadline = Instant::now() + Duration::from_secs(60);
    while scene.shop.sql("postgres", size).parse::<u64>().unwrap() < 10_000_000 {
        assert!(Instant::now() < deadline, "nothing is loaded");
    }
    scene.shop.lab("break", &["crash", "postgres-argus"]);
    let code = restore.wait().unwrap().code();
    let said = fs::read_to_string(scene.log()).unwrap();
    println!("drill: the server dies in the middle of the load: the restore ends with {code:?}");
    assert_eq!(code, Some(13), "{said}");
    assert_eq!(scene.assert_is_one_of_two(&said), "the old one");
}
