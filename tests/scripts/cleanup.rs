//! Files that are let go of by a rule: which, whatever they are called and whoever moves them about meanwhile.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::scene::{Scene, each};

const DOCKER: &str = "#!/bin/sh\nexit 1\n";

const DAY: Duration = Duration::from_secs(86_400);

/// Any file below the folder `tree` of a scene that is old enough.
fn temporary(scene: &Scene, older_than: &str) -> Value {
    let tree = scene.path("tree");
    json!({ "at": "/", "until_free": "100%", "rule": "temporary", "directory": tree, "older_than": older_than })
}

/// The logs there that were put aside more than a day ago.
fn rotated(scene: &Scene) -> Value {
    json!({ "at": "/", "until_free": "100%", "rule": "rotated-logs", "directory": scene.path("tree"), "older_than": "1d" })
}

fn with(mut args: Value, name: &str, value: Value) -> Value {
    args[name] = value;
    args
}

fn old(path: &Path, days: u32) {
    File::options().write(true).open(path).unwrap().set_modified(SystemTime::now() - DAY * days).unwrap();
}

/// What a run said, line by line, which has to be a success.
pub fn said(output: &Output) -> Vec<String> {
    let (out, err) =
        (String::from_utf8(output.stdout.clone()).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{:?} {out}{err}", output.status);
    assert_eq!(err, "");
    let lines: Vec<_> = out.lines().map(str::to_owned).collect();
    assert!(lines.last().unwrap().starts_with("freed "), "{out}");
    lines
}

/// The names of those lines that begin with a word, as they were before they were written as one line.
fn named(lines: &[String], word: &str) -> Vec<Vec<u8>> {
    let names = lines.iter().filter_map(|line| line.strip_prefix(word));
    names.map(|name| read_back(name.rsplit_once([',', ':']).unwrap().0)).collect()
}

fn read_back(shown: &str) -> Vec<u8> {
    let (mut name, mut rest) = (Vec::new(), shown.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        assert!((b' '..=b'~').contains(first), "{shown}");
        let (byte, after) = match (first, after) {
            (b'\\', [b'n', after @ ..]) => (b'\n', after),
            (b'\\', [b't', after @ ..]) => (b'\t', after),
            (b'\\', [b'\\', after @ ..]) => (b'\\', after),
            (b'\\', [a, b, c, after @ ..]) => {
                (u8::from_str_radix(std::str::from_utf8(&[*a, *b, *c]).unwrap(), 8).unwrap(), after)
            }
            _ => (*first, after),
        };
        name.push(byte);
        rest = after;
    }
    name
}

/// All names below a folder.
fn everything(folder: &Path) -> BTreeSet<Vec<u8>> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        found.insert(entry.path().as_os_str().as_bytes().to_vec());
        if entry.file_type().unwrap().is_dir() {
            found.extend(everything(&entry.path()));
        }
    }
    found
}

const HOSTILE: [&[u8]; 20] = [
    b"plain",
    b"-rf",
    b"--",
    b"new\nline",
    b"ends with one\n",
    b"\nleft it: it is open",
    b"it's",
    b"a \"quote\"",
    b"$(touch x)",
    b"`touch x`",
    b"; touch x",
    b"back\\slash\\n",
    b" blanks at the ends ",
    b"*",
    b"[a-z]?",
    b"..not above",
    b".hidden",
    b"not \xff\xfe UTF-8",
    b"\xc3\xbcml\xc3\xa4ut",
    b"\x1b[2J\x07\t%s%n",
];

#[test]
fn a_file_goes_whatever_it_is_called_and_is_named_in_one_line() {
    each(DOCKER, |scene| {
        scene.make("tree");
        let mut expected = BTreeSet::new();
        for folder in HOSTILE {
            let folder = scene.path("tree").join(OsStr::from_bytes(folder));
            fs::create_dir(&folder).unwrap();
            for name in HOSTILE {
                let file = folder.join(OsStr::from_bytes(name));
                fs::write(&file, "abc").unwrap();
                expected.insert(file.as_os_str().as_bytes().to_vec());
            }
        }
        let lines = said(&scene.run("cleanup.files", temporary(scene, "0s")));
        let gone = named(&lines, "removed file ");
        assert_eq!(gone.len(), expected.len(), "{lines:#?}");
        assert_eq!(gone.into_iter().collect::<BTreeSet<_>>(), expected);
        let left = everything(&scene.path("tree"));
        assert_eq!(left.len(), HOSTILE.len(), "the folders stay, and nothing is made: {left:?}");
        assert_eq!(lines.len(), expected.len() + 1);
    });
}

#[test]
fn what_is_no_file_of_that_folder_stays_and_so_does_what_it_leads_to() {
    each(DOCKER, |scene| {
        ["tree", "tree/folder", "outside", "outside/below"].into_iter().for_each(|name| scene.make(name));
        scene.write("outside/file", "outside");
        scene.write("outside/below/file", "outside");
        symlink(scene.path("outside"), scene.path("tree/to a folder")).unwrap();
        symlink(scene.path("outside/file"), scene.path("tree/to a file")).unwrap();
        symlink("../../outside/below", scene.path("tree/folder/up")).unwrap();
        symlink("nowhere", scene.path("tree/to nothing")).unwrap();
        fs::hard_link(scene.path("outside/file"), scene.path("tree/another name")).unwrap();
        let fifo = scene.path("tree/fifo");
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let _socket = std::os::unix::net::UnixListener::bind(scene.path("tree/socket")).unwrap();
        let before = everything(&scene.path("outside"));
        let lines = said(&scene.run("cleanup.files", temporary(scene, "0s")));
        let expected = format!("removed file {}, 0 bytes", scene.path("tree/another name").display());
        assert_eq!(lines[..lines.len() - 1], [expected]);
        assert_eq!(everything(&scene.path("outside")), before);
        assert_eq!(scene.read("outside/file"), "outside");
        let left = ["fifo", "folder", "socket", "to a file", "to a folder", "to nothing"];
        assert_eq!(scene.files("tree"), left);
    });
}

#[test]
fn a_folder_that_is_a_link_itself_or_below_one_is_left() {
    each(DOCKER, |scene| {
        ["real", "real/below"].into_iter().for_each(|name| scene.make(name));
        scene.write("real/file", "");
        scene.write("real/below/file", "");
        symlink("real", scene.path("tree")).unwrap();
        let below = json!(scene.path("tree/below"));
        for args in [temporary(scene, "0s"), with(temporary(scene, "0s"), "directory", below)] {
            let lines = said(&scene.run("cleanup.files", args));
            assert!(lines[0].ends_with(": it is a symbolic link, or below one"), "{lines:?}");
            assert_eq!(lines.len(), 2);
        }
        let nowhere = with(temporary(scene, "0s"), "directory", json!(scene.path("nowhere")));
        assert!(said(&scene.run("cleanup.files", nowhere))[0].ends_with(": it cannot be entered"));
        assert_eq!(scene.files("real"), ["below", "file"]);
        assert_eq!(scene.files("real/below"), ["file"]);
    });
}

#[test]
fn what_is_young_or_open_or_spared_stays() {
    each(DOCKER, |scene| {
        ["tree", "tree/backups", "tree/backups/deep", "tree/of a link"]
            .into_iter()
            .for_each(|name| scene.make(name));
        for name in ["open.gz", "young.gz", "old.gz", "backups/deep/old.gz", "of a link/old.gz", "spared.gz"]
        {
            scene.write(&format!("tree/{name}"), "abc");
            old(&scene.path(&format!("tree/{name}")), u32::from(name != "young.gz") * 2);
        }
        symlink("tree/of a link", scene.path("link")).unwrap();
        let spare = ["tree/backups", "link", "tree/spared.gz", "nowhere"].map(|name| scene.path(name));
        let args = with(rotated(scene), "spare", json!(spare));
        let open = File::open(scene.path("tree/open.gz")).unwrap();
        let lines = said(&scene.run("cleanup.files", args.clone()));
        assert_eq!(named(&lines, "removed file "), [scene.path("tree/old.gz").as_os_str().as_bytes()]);
        let left: BTreeSet<_> = named(&lines, "left ").into_iter().collect();
        let told = ["tree/open.gz", "tree/backups", "tree/of a link"];
        assert_eq!(left, told.map(|name| scene.path(name).as_os_str().as_bytes().to_vec()).into());
        drop(open);
        said(&scene.run("cleanup.files", args));
        assert_eq!(scene.files("tree"), ["backups", "of a link", "spared.gz", "young.gz"]);
        // What is in them is old, and yet somebody has just put them there.
        said(&scene.run("cleanup.files", temporary(scene, "1h")));
        assert_eq!(scene.files("tree"), ["backups", "of a link", "spared.gz", "young.gz"]);
        let whole = with(temporary(scene, "0s"), "spare", json!([scene.path("")]));
        assert!(said(&scene.run("cleanup.files", whole))[0].ends_with(": it is spared"));
    });
}

#[test]
fn a_log_goes_by_the_name_that_rotation_has_given_it_and_a_package_by_its_own() {
    each(DOCKER, |scene| {
        let aside =
            ["a.1", "a.22", "a.gz", "a.log.3.xz", "a.old", "a-20260301", "a-20260301.log", ".a.zst", "a.bz2"];
        let others = ["a", "a.log", "a.123", "a.gz.part", "a-2026", "gz", "a.deb", "a.1x"];
        scene.make("tree");
        for name in aside.iter().chain(&others) {
            scene.write(&format!("tree/{name}"), "");
            old(&scene.path(&format!("tree/{name}")), 2);
        }
        said(&scene.run("cleanup.files", rotated(scene)));
        let mut expected = others.map(str::to_owned);
        expected.sort();
        assert_eq!(scene.files("tree"), expected);
        let packages =
            json!({ "at": "/", "until_free": "100%", "rule": "packages", "directory": scene.path("tree") });
        said(&scene.run("cleanup.files", packages));
        assert_eq!(scene.files("tree").len(), others.len() - 1);
        assert!(!scene.files("tree").contains(&"a.deb".to_owned()));
    });
}

/// A `df` that counts the files of the tree instead: a kilobyte for each, and an inode.
const DF: &str = "#!/bin/sh\nused=$(ls \"$DIR/tree\" | wc -l)\ncase $* in *-i*) limit=${INODES:-0} ;; *) limit=$BYTES ;; esac\n\
    echo 'Filesystem 1024-blocks Used Available Capacity Mounted on'\n\
    [ \"$limit\" = 0 ] && echo '/dev/my disk 0 0 0 - /srv' && exit\n\
    echo \"/dev/my disk $limit $used $((limit - used)) 1% /srv/it is\"\n";

#[test]
fn it_stops_when_there_is_room_in_bytes_and_in_inodes() {
    for (limits, until_free, left, told) in [
        ("BYTES=60", "50%", 29, "enough: 51% free"),
        ("INODES=60 BYTES=200", "50%", 29, "enough: 51% free"),
        ("BYTES=2000", "97.5%", 49, "enough: 97% free"),
        ("BYTES=60", "0%", 58, "enough: 3% free"),
        ("BYTES=60", "100%", 0, ""),
    ] {
        each(DOCKER, |scene| {
            scene.make("tree");
            (0..58).for_each(|number| scene.write(&format!("tree/{number}"), "abc"));
            scene.program("df", &DF.replace("used=", &format!("{}\nused=", limits.replace(' ', "\n"))));
            let lines = said(
                &scene.run("cleanup.files", with(temporary(scene, "0s"), "until_free", json!(until_free))),
            );
            assert_eq!(scene.files("tree").len(), left, "{limits} {:?}", scene.shell);
            let enough: Vec<_> = lines.iter().filter(|line| line.starts_with("enough")).collect();
            assert_eq!(enough, [told].iter().filter(|told| !told.is_empty()).collect::<Vec<_>>());
            let inodes = if limits.contains("INODES") { 58 - left } else { 0 };
            let freed = format!("freed {} bytes, {inodes} inodes", (58 - left) * 1024);
            assert_eq!(lines.last().unwrap(), &freed);
        });
    }
}

#[test]
fn ten_thousand_files_are_named_one_by_one() {
    each(DOCKER, |scene| {
        scene.make("tree");
        for folder in 0..10 {
            scene.make(&format!("tree/{folder}"));
            for file in 0..1000 {
                File::create(scene.path(&format!("tree/{folder}/{file}"))).unwrap();
            }
        }
        let lines = said(&scene.run("cleanup.files", temporary(scene, "0s")));
        let gone: BTreeSet<_> = named(&lines, "removed file ").into_iter().collect();
        assert_eq!((gone.len(), lines.len()), (10_000, 10_001));
        assert_eq!(everything(&scene.path("tree")).len(), 10);
    });
}

/// Each of two folders is a link to what must not be touched, half of the time.
#[test]
fn a_folder_that_becomes_a_link_again_and_again_leads_nowhere() {
    each(DOCKER, |scene| {
        ["tree", "tree/one", "tree/other", "outside"].into_iter().for_each(|name| scene.make(name));
        (0..20).for_each(|number| scene.write(&format!("outside/{number}"), "outside"));
        let (is_over, swaps) = (AtomicBool::new(false), AtomicUsize::new(0));
        let root = scene.path("");
        let root = &root;
        let mut entered = 0;
        thread::scope(|scope| {
            let _over = Over(&is_over);
            scope.spawn(|| {
                while !is_over.load(Relaxed) {
                    for name in ["one", "other"] {
                        let [folder, aside] =
                            [format!("tree/{name}"), format!("aside {name}")].map(|name| root.join(name));
                        fs::rename(&folder, &aside).unwrap();
                        symlink(root.join("outside"), &folder).unwrap();
                        fs::remove_file(&folder).unwrap();
                        fs::rename(&aside, &folder).unwrap();
                        swaps.fetch_add(1, Relaxed);
                    }
                }
            });
            for turn in 0.. {
                for name in ["tree/one", "tree/other", "aside one", "aside other"] {
                    // Wherever it is by now.
                    (0..20).for_each(|number| _ = fs::write(scene.path(&format!("{name}/{number}")), ""));
                }
                (0..20).for_each(|number| scene.write(&format!("outside/{number}"), "outside"));
                let lines = said(&scene.run("cleanup.files", temporary(scene, "0s")));
                entered += named(&lines, "removed file ").len();
                for number in 0..20 {
                    assert_eq!(scene.read(&format!("outside/{number}")), "outside", "{:?}", scene.shell);
                }
                if turn >= 30 && swaps.load(Relaxed) > 5000 && entered > 100 {
                    break;
                }
            }
        });
    });
}

/// Lets a thread end, however the test goes.
pub struct Over<'a>(pub &'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Killed as a host is that loses its power: all of it, in the middle of anything.
#[test]
fn one_that_is_killed_and_repeated_comes_to_the_same_end_and_has_named_all() {
    each(DOCKER, |scene| {
        scene.make("tree");
        let mut expected = BTreeSet::new();
        for folder in 0..4 {
            scene.make(&format!("tree/{folder}"));
            for file in 0..150 {
                let path = scene.path(&format!("tree/{folder}/{file}.gz"));
                File::create(&path).unwrap();
                old(&path, 2);
                expected.insert(path.as_os_str().as_bytes().to_vec());
            }
            scene.write(&format!("tree/{folder}/stays"), "");
        }
        let mut gone = BTreeSet::new();
        let mut lives = 0;
        loop {
            let log = scene.path("log");
            let mut command = scene.command("1", "cleanup.files", rotated(scene));
            command.process_group(0).stdout(File::create(&log).unwrap()).stderr(Stdio::null());
            let mut child = command.spawn().unwrap();
            // Later and later, so that it comes to an end some time.
            thread::sleep(Duration::from_millis(5 + 15 * lives));
            let is_over = child.try_wait().unwrap().is_some();
            if !is_over {
                let group = format!("-{}", child.id());
                assert!(Command::new("kill").args(["-KILL", "--", &group]).status().unwrap().success());
                child.wait().unwrap();
            }
            let text = fs::read_to_string(&log).unwrap();
            let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            let lines: Vec<_> = whole.map(|line| line.trim_end_matches('\n').to_owned()).collect();
            gone.extend(named(&lines, "removed file "));
            if is_over {
                break;
            }
            lives += 1;
        }
        assert!(lives > 0, "it was never killed");
        assert_eq!(gone, expected, "{:?}, {lives} lives", scene.shell);
        assert_eq!(everything(&scene.path("tree")).len(), 8);
    });
}
