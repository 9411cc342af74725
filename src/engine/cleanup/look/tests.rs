//! The scripts of a look, under every shell that a host may have, and the tools that come with it.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::model::clutter::contents::Rule;
use crate::model::operation::Script;

/// What the scripts use of a system that has only BusyBox.
const TOOLS: [&str; 15] = [
    "awk", "cat", "date", "df", "find", "grep", "id", "ls", "readlink", "sed", "sh", "stat", "tail", "touch",
    "tr",
];

struct Scene {
    folder: TempDir,
    shell: &'static str,
}

/// A scene for each shell.
fn each(test: impl Fn(&Scene)) {
    for shell in ["dash", "bash", "busybox"] {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        for tool in TOOLS {
            symlink("/bin/busybox", folder.path().join("bin").join(tool)).unwrap();
        }
        test(&Scene { folder, shell });
    }
}

impl Scene {
    fn path(&self, name: &str) -> String {
        let real = self.folder.path().canonicalize().unwrap();
        real.join(name).to_str().unwrap().to_owned()
    }

    /// A file of so many bytes, last written so many days ago; its change is of now.
    fn write(&self, name: &str, bytes: usize, days: u64) {
        let path = self.path(name);
        fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
        let file = File::create(path).unwrap();
        (&file).write_all(&vec![b'x'; bytes]).unwrap();
        let then = std::time::SystemTime::now() - std::time::Duration::from_secs(days * 24 * 3600);
        file.set_modified(then).unwrap();
    }

    /// What a script prints.
    fn said(&self, script: &str, given: &[(&str, &str)], stdin: &str) -> String {
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let script = Script { name: String::new(), given, body: script.to_owned() };
        // By its path: it is looked for in the folders that the command gets.
        let shell = if self.shell == "busybox" { "/bin/busybox" } else { self.shell };
        let mut command = Command::new(shell);
        if self.shell == "busybox" {
            command.arg("sh").env("PATH", self.path("bin"));
        }
        command.args(["-c", &script.text()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", self.shell);
        String::from_utf8(output.stdout).unwrap()
    }

    /// Files that go, and all, by a rule: files younger than `days` stay.
    fn counted(&self, rule: Rule, directory: &str, days: Option<i64>, spare: &[&str]) -> String {
        let now = jiff::Timestamp::now().as_second();
        let old = days.map(|days| (now - days * 24 * 3600).to_string()).unwrap_or_default();
        let spare: Vec<String> = spare.iter().map(|name| super::piles::literally(&self.path(name))).collect();
        let given = [
            ("directory", self.path(directory)),
            ("names", rule.patterns().join("\n")),
            ("old", old),
            ("whole", if rule == Rule::Temporary { "yes".to_owned() } else { String::new() }),
            ("spare", spare.join("\n")),
        ];
        let given = given.each_ref().map(|(name, value)| (*name, value.as_str()));
        let said = self.said(include_str!("piles.sh"), &given, "");
        let fields: Vec<&str> = said.trim_end().split('\t').collect();
        match fields[..] {
            ["F", files, _, all, _] => format!("{files} of {all}"),
            _ => said.trim_end().to_owned(),
        }
    }
}

#[test]
fn rotated_logs_go_by_their_names_and_by_when_they_were_written() {
    each(|scene| {
        let old =
            ["syslog.1", "syslog.2.gz", "app/it's.old", "app/\n-rf.log.10", "kern.log-20261101", "-x.xz"];
        old.iter().for_each(|name| scene.write(&format!("log/{name}"), 5000, 5));
        ["log/syslog", "log/messages.log"].iter().for_each(|name| scene.write(name, 5000, 5));
        scene.write("log/young.1", 5000, 1);
        scene.write("log/journal/system@1.gz", 5000, 5);
        scene.write("elsewhere/other.gz", 5000, 5);
        symlink(scene.path("elsewhere"), scene.path("log/link")).unwrap();
        symlink(scene.path("elsewhere/other.gz"), scene.path("log/link.gz")).unwrap();
        let counted = scene.counted(Rule::RotatedLogs, "log", Some(3), &["log/journal"]);
        assert_eq!(counted, "6 of 9", "{}", scene.shell);
    });
}

#[test]
fn temporary_files_go_unless_something_about_them_is_young_or_they_are_open_or_spared() {
    each(|scene| {
        scene.write("tmp/a", 5000, 9);
        scene.write("tmp/two words/b", 5000, 9);
        scene.write("tmp/kept [1]*/c", 5000, 9);
        scene.write("tmp/kept 1/d", 5000, 9);
        // All of them were given their names just now.
        assert_eq!(scene.counted(Rule::Temporary, "tmp", Some(7), &[]), "0 of 4", "{}", scene.shell);
        let later = |spare: &[&str]| scene.counted(Rule::Temporary, "tmp", Some(-1), spare);
        assert_eq!(later(&[]), "4 of 4", "{}", scene.shell);
        assert_eq!(later(&["tmp/kept [1]*", "nowhere"]), "3 of 3", "{}", scene.shell);
        let open = File::open(scene.path("tmp/a")).unwrap();
        assert_eq!(later(&[]), "3 of 4", "{}", scene.shell);
        drop(open);
        assert_eq!(later(&["tmp"]), "0 of 0", "{}", scene.shell);
    });
}

#[test]
fn a_folder_that_is_none_or_is_reached_by_a_link_is_not_counted() {
    each(|scene| {
        scene.write("real/a.deb", 5000, 0);
        symlink(scene.path("real"), scene.path("link")).unwrap();
        assert_eq!(scene.counted(Rule::Packages, "nowhere", None, &[]), "N");
        assert_eq!(scene.counted(Rule::Packages, "link", None, &[]), format!("L\t{}", scene.path("real")));
        assert_eq!(scene.counted(Rule::Packages, "real", None, &[]), "1 of 1");
        assert_eq!(scene.counted(Rule::Packages, "real/a.deb", None, &[]), "N");
    });
}

#[test]
fn bytes_are_the_blocks_of_files_that_have_one_name() {
    each(|scene| {
        scene.write("a/one", 100_000, 0);
        scene.write("a/two", 50_000, 0);
        fs::hard_link(scene.path("a/two"), scene.path("a/second name of two")).unwrap();
        let given = [("names", "*"), ("old", ""), ("whole", ""), ("spare", "")];
        let directory = scene.path("a");
        let given: Vec<_> = given.into_iter().chain([("directory", directory.as_str())]).collect();
        let said = scene.said(include_str!("piles.sh"), &given, "");
        let numbers: Vec<u64> = said.trim().split('\t').skip(1).map(|text| text.parse().unwrap()).collect();
        assert_eq!((numbers[0], numbers[2]), (3, 3), "{}", scene.shell);
        assert!((100_000..110_000).contains(&numbers[1]), "{}: {numbers:?}", scene.shell);
    });
}

#[test]
fn the_size_of_a_log_is_that_of_a_file_and_never_of_what_a_link_leads_to() {
    each(|scene| {
        scene.write("log", 100_000, 0);
        symlink(scene.path("log"), scene.path("link")).unwrap();
        let stdin = ["log", "link", "nothing"].map(|name| scene.path(name) + "\n").concat();
        let said = scene.said(include_str!("logs.sh"), &[], &stdin);
        let sizes: Vec<Option<u64>> = said.lines().map(|line| line.parse().ok()).collect();
        assert!((100_000..110_000).contains(&sizes[0].unwrap()), "{}", scene.shell);
        assert_eq!(sizes[1..], [None, None], "{}", scene.shell);
    });
}

#[test]
fn a_file_without_a_name_is_found_as_long_as_it_is_open() {
    each(|scene| {
        scene.write("two  words", 100_000, 0);
        let path = scene.path("two  words");
        let held = File::open(&path).unwrap();
        let twice = held.try_clone().unwrap();
        fs::remove_file(&path).unwrap();
        let found = || {
            let said = scene.said(include_str!("held.sh"), &[], "");
            let lines: Vec<String> =
                said.lines().filter(|line| line.contains(&path)).map(str::to_owned).collect();
            lines
        };
        let lines = found();
        assert_eq!(lines.len(), 1, "{}: {lines:?}", scene.shell);
        let fields: Vec<&str> = lines[0].split('\t').collect();
        assert_eq!((fields[0], fields[1]), ("H", std::process::id().to_string().as_str()), "{}", scene.shell);
        assert_eq!(
            (fields.len(), fields[6].is_empty(), fields[7].is_empty()),
            (8, false, false),
            "{lines:?}"
        );
        drop((held, twice));
        assert!(found().is_empty(), "{}", scene.shell);
    });
}

#[test]
fn a_host_tells_of_the_runs_that_it_keeps_and_gives_the_plans_that_may_be_needed() {
    let record = |event: &str| format!("{{\"v\":1,\"at\":\"2026-11-27T03:14:00Z\",{event}}}\n");
    each(|scene| {
        let run = |name: &str, journals: &[(u32, &str)]| {
            scene.write(&format!("state/runs/{name}/plan.json"), 0, 0);
            fs::write(scene.path(&format!("state/runs/{name}/plan.json")), format!("{{\"of\":\"{name}\"}}"))
                .unwrap();
            for (number, text) in journals {
                fs::write(scene.path(&format!("state/runs/{name}/journal.{number}")), text).unwrap();
            }
        };
        let moving = record("\"type\":\"step_started\"");
        let ended =
            |end: &str| format!("{moving}{}", record(&format!("\"type\":\"run_ended\",\"end\":\"{end}\"")));
        run("b-none", &[]);
        run("c-open", &[(9, &ended("undone")), (10, &moving)]);
        run("d-ended", &[(10, &ended("undone")), (9, &moving)]);
        run("e-succeeded", &[(1, &ended("succeeded"))]);
        run(
            "f-back",
            &[(1, &format!("{}{}", ended("succeeded"), record("\"type\":\"undo_requested\",\"by\":\"a\"")))],
        );
        fs::create_dir(scene.path("state/runs/a-without-a-plan")).unwrap();
        let folders = format!("{}\n{}", scene.path("state"), scene.path("nowhere"));
        let told = |minutes: &str| -> Vec<String> {
            let given = [("folders", folders.as_str()), ("minutes", minutes)];
            let said = scene.said(include_str!("unfinished.sh"), &given, "");
            let short = |line: &str| match line.split('\t').collect::<Vec<_>>()[..] {
                ["R", run, records, last] => format!("{run} {records} {}", !last.is_empty()),
                _ => line.to_owned(),
            };
            said.lines().map(short).collect()
        };
        let expected = [
            "b-none 0 false",
            "P\t{\"of\":\"b-none\"}",
            "c-open 1 false",
            "P\t{\"of\":\"c-open\"}",
            "d-ended 2 true",
            "e-succeeded 2 true",
            "P\t{\"of\":\"e-succeeded\"}",
            "f-back 3 true",
            "P\t{\"of\":\"f-back\"}",
        ];
        assert_eq!(told("10"), expected, "{}", scene.shell);
        let without = [&expected[..6], &expected[7..]].concat();
        assert_eq!(told("0"), without, "{}", scene.shell);
    });
}

#[test]
fn files_are_gone_only_where_that_can_be_seen() {
    each(|scene| {
        scene.write("project/compose.yml", 1, 0);
        let said = |names: &[&str]| {
            let files: Vec<String> = names.iter().map(|name| scene.path(name)).collect();
            scene.said(include_str!("files.sh"), &[("files", &files.join("\n"))], "").trim().to_owned()
        };
        assert_eq!(said(&["nowhere/a", "project/compose.yml"]), "there", "{}", scene.shell);
        assert_eq!(said(&["nowhere/a/b", "project/other.yml"]), "gone", "{}", scene.shell);
    });
}

#[test]
fn where_a_path_leads_is_said_and_nothing_for_one_that_leads_nowhere() {
    each(|scene| {
        scene.write("real/a", 1, 0);
        symlink(scene.path("real"), scene.path("link")).unwrap();
        let stdin = format!("{}\n/nowhere/at/all\n", scene.path("link/a"));
        let said = scene.said(include_str!("spared.sh"), &[], &stdin);
        assert_eq!(said.lines().next(), Some(scene.path("real/a").as_str()), "{}", scene.shell);
        assert_eq!(said.lines().count(), 2);
    });
}
