//! A disk without a byte left, and one without an inode, are cleaned up while the stack on it is written to: nothing is lost that somebody
//! needs, and whoever dies meanwhile, it comes to the same end.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use opsctl::journal::store::Store;
use serde_json::Value;

use crate::killed::in_each_step;
use crate::meanwhile::Writing;
use crate::measure::Form;
use crate::passings::passings;
use crate::rolling::{roll_quickly, versions};
use crate::site::{Load, Site, Way, text};

/// How much of the disk is to be free.
const WANTED: &str = "20%";

/// Of each service, the newest last; the last one runs.
const RELEASES: [&str; 3] = ["v1.0.0", "v1.1.0", "v1.2.0"];

/// All that there is was made a moment ago, when its inode was changed; what says of itself that it is older is a month old.
const TERMS: &str = "
cleanup:
  keep_releases: 3
  unused_for: 5s
  keep_logs: 5s
  temporary_for: 5s
";

/// More than any cleanup here needs, though a host may take a while until it answers again.
const MOST_TURNS: usize = 8;

/// The small host, with a stack of some age on it.
struct Old {
    site: Site,
    inventory: PathBuf,
}

impl Deref for Old {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

impl Drop for Old {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.inventory);
    }
}

/// What must be the same after a cleanup as before.
#[derive(Debug, PartialEq)]
struct Needed {
    /// What is in the volumes that nobody writes to, by the checksum of each file.
    volumes: String,
    /// What is in the databases, without what the products themselves write.
    databases: [String; 2],
    /// The newest two verified backups of each database, all that is newer, and their manifests.
    backups: String,
    /// What names in /tmp lead to, and what opsctl and the stack are made of.
    elsewhere: String,
    /// Every container that runs, by its name, and its image.
    running: String,
    volume_names: String,
}

impl Old {
    /// As it was kept by the drill before, or made now.
    fn take() -> Old {
        let site = Site::take_as_it_is(Way::Small);
        let inventory = site.inventory().with_file_name(format!("drill-{}.yaml", std::process::id()));
        let old = Old { site, inventory };
        roll_quickly(&old);
        old.begin_again();
        old
    }

    /// Each begins with the same disk.
    fn begin_again(&self) {
        let name = kept();
        if !self.site.lab_could("snapshot", &["back", &name]) {
            self.grow_old();
            self.site.lab("snapshot", &["keep", &name]);
        }
        self.say_terms("keep: 2", TERMS);
        self.assert_is_well();
    }

    /// A history of releases, backups, and what gathers in the course of years.
    fn grow_old(&self) {
        self.site.lab("down", &[]);
        self.site.lab("up", &[]);
        self.say_terms("keep: 7", "");
        for service in ["argus", "hermes"] {
            for version in RELEASES {
                self.does(&["deploy", service, version, "--settle", "1s", "--yes"]);
            }
        }
        self.site.lab("fill-database", &["--size", "32MiB"]);
        for name in ["argus", "argus", "argus", "hermes", "redis"] {
            self.does(&["backup", name, "--verify", "--yes"]);
        }
        self.site.lab("clutter", &[]);
    }

    /// The inventory says this from now on.
    fn say_terms(&self, keeping: &str, terms: &str) {
        let text = fs::read_to_string(self.site.inventory()).unwrap();
        assert!(text.contains("keep: 7"), "the inventory of the lab keeps 7 backups");
        fs::write(&self.inventory, text.replace("keep: 7", keeping) + terms).unwrap();
    }

    fn words(&self, words: &[&str]) -> Vec<String> {
        let inventory = ["--inventory", self.inventory.to_str().unwrap()];
        inventory.iter().chain(words).map(|word| (*word).to_owned()).collect()
    }

    fn say(&self, words: &[&str]) -> Output {
        let words = self.words(words);
        self.run(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn does(&self, words: &[&str]) -> String {
        let output = self.say(words);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{words:?}: {said}\n{}", text(&output.stdout));
        said
    }

    fn assert_is_well(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let status = self.run(&["status"]);
            if status.status.success() {
                return;
            }
            assert!(Instant::now() < deadline, "{}", text(&status.stdout));
        }
    }

    /// The checksums of files that `find` gives, by name.
    fn sums(&self, find: &str) -> String {
        self.on_host(&format!("find {find} -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum"))
    }

    fn needed(&self) -> Needed {
        let volumes = "$(docker volume inspect -f '{{.Mountpoint}}' archive unused)";
        let databases = ["argus", "hermes"].map(|name| {
            let is_written = |line: &&str| {
                line.starts_with("table public.orders ")
                    || line.starts_with("sequence public.orders_number_seq ")
            };
            let all = self.lab("checksums", &[name]);
            all.lines().filter(|line| !is_written(line)).collect::<Vec<_>>().join("\n")
        });
        let newest = "cd /var/backups/opareta; for of in argus hermes redis; do ls -t | grep \"^$of\" | grep -v json$ | head -n 2; done";
        let stack = "/opt/opareta/infrastructure/docker /srv/precious /etc/ssh /etc/docker /etc/passwd";
        Needed {
            volumes: self.sums(volumes),
            databases,
            backups: self.on_host(&format!(
                "{newest} | while read -r file; do sha256sum \"$file\" \"$file.json\"; done"
            )),
            elsewhere: self.sums(&format!("{stack} /var/lib/opsctl/releases")),
            running: self.on_host("docker ps --format '{{.Names}} {{.ID}} {{.Image}}' | sort"),
            volume_names: self.on_host("docker volume ls -q | sort"),
        }
    }

    /// How much of the disk is free, in hundredths: of its bytes, and of its inodes.
    fn free(&self) -> [u64; 2] {
        let line = self.on_host("df --output=avail,size,iavail,itotal / | tail -n 1");
        let numbers: Vec<u64> = line.split_whitespace().map(|word| word.parse().unwrap()).collect();
        [numbers[0] * 100 / numbers[1], numbers[2] * 100 / numbers[3]]
    }

    /// What Docker has, by kind and name: images by each of their names, and by their ids where they have none.
    fn objects(&self) -> BTreeSet<String> {
        let list = "docker image ls --no-trunc --format 'image {{.Repository}}:{{.Tag}} {{.ID}}' | sed 's/image <none>:<none> /image /; t; s/ sha256:[0-9a-f]*$//'; \
                    docker container ls -a --format 'container {{.Names}}'; docker network ls --format 'network {{.Name}}'; \
                    docker volume ls --format 'volume {{.Name}}'";
        self.on_host(list).lines().map(str::to_owned).collect()
    }

    /// It is full, and not for root either.
    fn fill(&self, of: &str) {
        self.lab("break", &["fill", of]);
        let is_refused = self.on_host("if (echo x >/var/lib/opsctl/probe) 2>/dev/null; then rm /var/lib/opsctl/probe; else echo refused; fi");
        assert_eq!(is_refused.trim(), "refused", "there is still {of} left: {:?}", self.free());
    }

    fn cleanup(&self) -> Vec<String> {
        self.words(&["cleanup", "disk", "--host", "app", "--until-free", WANTED, "--yes"])
    }

    /// What the steps of the last run have written, as it is kept beside its journal.
    fn told(&self) -> String {
        let run = Store::at(self.state_dir()).list().unwrap().into_iter().max_by_key(|run| run.id).unwrap();
        let blobs = self.state_dir().join("runs").join(run.id.to_string()).join("blobs");
        let blobs = fs::read_dir(blobs).unwrap().map(|blob| text(&fs::read(blob.unwrap().path()).unwrap()));
        blobs.collect::<Vec<_>>().join("\n")
    }

    /// It ended as it should: enough is free, what is needed is there, everything serves, and the rest is named.
    fn assert_is_clean(&self, needed: &Needed, before: &BTreeSet<String>, said: &str) {
        let free = self.free();
        assert!(free.iter().all(|share| *share >= 20), "{free:?} is free:\n{said}");
        self.assert_is_well();
        assert_eq!(self.needed(), *needed, "{said}");
        let told = self.told();
        let now = self.objects();
        for gone in before.difference(&now) {
            let (kind, name) = gone.split_once(' ').unwrap();
            let is_it = |line: &str| line.starts_with(&format!("removed {kind} ")) && line.contains(name);
            let is_told = told.lines().any(is_it);
            assert!(is_told, "`{name}`, a {kind}, is gone, and nobody says so:\n{told}");
            assert_ne!(kind, "volume", "{gone} is gone");
        }
        assert!(now.is_subset(before), "{:?} is new", now.difference(before));
    }
}

/// What a kept disk is called: it has the releases and backups that this build has made.
fn kept() -> String {
    let program = fs::metadata(env!("CARGO_BIN_EXE_opsctl")).unwrap();
    let made = program.modified().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("old-{:x}", made.as_secs())
}

/// A disk that has nothing left of `what` is cleaned up, under a load that began before it was full. What the steps have written.
fn cleaned(old: &Old, what: &str) -> String {
    let (needed, before) = (old.needed(), old.objects());
    let writing = Writing::begin(old);
    old.fill(what);
    let began = Instant::now();
    let mut words = old.cleanup();
    words.push("--json".to_owned());
    let output = old.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let took = began.elapsed();
    let mut load = Load {
        status: output.status.code().unwrap_or(-1),
        counts: writing.counts(),
        stderr: text(&output.stderr),
    };
    load.counts["command_ms"] = (took.as_millis() as u64).into();
    load.assert_nothing_lost(old, &format!("fill {what}"));
    assert_is_as_estimated(&text(&output.stdout));
    old.assert_is_clean(&needed, &before, &load.stderr);
    old.told()
}

/// What went whole gave what it was thought to.
fn assert_is_as_estimated(lines: &str) {
    let report: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    for kind in report["freed"].as_array().unwrap() {
        let [estimated, freed] = ["estimated_bytes", "freed_bytes"].map(|key| kind[key].as_u64());
        println!(
            "drill: {} of {} bytes were freed by {}",
            kind["freed_bytes"], kind["estimated_bytes"], kind["what"]
        );
        let went_whole = ["builds", "container", "dangling-image", "image"];
        if went_whole.iter().any(|name| kind["what"] == *name) {
            let (estimated, freed) = (estimated.unwrap(), freed.unwrap());
            assert!(freed.abs_diff(estimated) * 10 <= estimated, "{kind}");
        }
    }
}

#[test]
fn a_disk_without_a_byte_is_cleaned_up_and_every_release_can_be_gone_back_to_on_the_small_host() {
    let old = Old::take();
    let told = cleaned(&old, "bytes");
    assert!(
        told.contains("docker pull opsctl-lab-registry:5000/opareta/"),
        "what can be pulled again is said: {told}"
    );

    old.lab("break", &["registry"]);
    for service in ["argus", "hermes"] {
        for version in [RELEASES[1], RELEASES[0], RELEASES[2]] {
            old.does(&["rollback", service, version, "--settle", "1s", "--yes"]);
            assert_eq!(versions(&old, service), BTreeSet::from([version.to_owned()]));
        }
    }
    old.assert_is_well();
}

/// Names that lead astray are names, and what they lead to is left.
#[test]
fn a_disk_without_an_inode_is_cleaned_up_on_the_small_host() {
    let old = Old::take();
    let told = cleaned(&old, "inodes");
    for name in
        ["/tmp/-rf", "/tmp/two\\nlines", "/tmp/old folder/upload", "/tmp/$(touch injected) 'and' \"more\""]
    {
        assert!(told.contains(&format!("removed file {name}, ")), "{name} is still there");
    }
    let left = old.on_host("cd /tmp; ls -d etc link old* pipe precious; find / -xdev -name 'injected*'");
    assert_eq!(left, "etc\nlink\nold folder\npipe\nprecious\n");
}

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

/// It dies at that place, and somebody goes on.
fn life(old: &Old, what: What, passing: &str) {
    let (needed, before) = (old.needed(), old.objects());
    let runs = || Store::at(old.state_dir()).list().unwrap().len();
    let runs_before = runs();
    old.fill("bytes");
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut command = old.opsctl(&old.cleanup().iter().map(String::as_str).collect::<Vec<_>>());
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
            _ if runs() == runs_before => {
                old.run(&old.cleanup().iter().map(String::as_str).collect::<Vec<_>>())
            }
            "succeeded" => break,
            _ => old.say(&["resume", "latest", "--yes"]),
        };
        said += &format!("$ {:?}\n{}", turn.status.code(), text(&turn.stderr));
    }
    assert_eq!(standing(old), "succeeded", "{said}");
    println!("drill: {what:?} dies at {passing}: {code:?}, and it is cleaned up all the same");
    old.assert_is_clean(&needed, &before, &said);
}

/// In the long form the first passing of each point in each step, or as many as are asked for; in the short one the beginning of the step that removes images.
fn places(log: &Path) -> Vec<String> {
    let all = in_each_step(&passings(&fs::read_to_string(log).unwrap()));
    assert!(all.len() > 10, "opsctl was built without crash points: run this with tests/run");
    Form::of_this_run().evenly(&all)
}

#[test]
fn whoever_dies_in_a_cleanup_it_comes_to_the_same_end_on_the_small_host() {
    let old = Old::take();
    old.fill("bytes");
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut smooth = old.opsctl(&old.cleanup().iter().map(String::as_str).collect::<Vec<_>>());
    let output = smooth.env("OPSCTL_CRASH_LOG", log.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for place in places(log.path()) {
        for what in [What::Opsctl, What::Connection, What::Engine] {
            old.begin_again();
            life(&old, what, &place);
        }
    }
}

/// The one way in which a volume ever goes: by its name.
#[test]
fn a_volume_goes_by_its_name_alone_on_the_small_host() {
    let old = Old::take();
    let mut needed = old.needed();
    let words = ["cleanup", "volume", "unused", "--host", "app"];
    let asked = old.say(&[&words[..], &["--yes"]].concat());
    assert_eq!(asked.status.code(), Some(4), "{}", text(&asked.stderr));
    assert_eq!(old.needed(), needed, "nothing was touched");
    let used = old.say(&["cleanup", "volume", "docker_redis", "--host", "app", "--confirm", "docker_redis"]);
    assert_ne!(used.status.code(), Some(0), "{}", text(&used.stderr));
    assert_eq!(old.needed(), needed, "nothing was touched");

    let words = old.words(&[&words[..], &["--confirm", "unused"]].concat());
    let load = old.under_load(&words.iter().map(String::as_str).collect::<Vec<_>>());
    load.assert_nothing_lost(&old, "nothing; a volume is removed by its name");
    needed.volume_names = needed
        .volume_names
        .lines()
        .filter(|name| *name != "unused")
        .map(|name| format!("{name}\n"))
        .collect();
    let mut now = old.needed();
    // Its files were the second half of them.
    now.volumes.clear();
    needed.volumes.clear();
    assert_eq!(now, needed);
}
