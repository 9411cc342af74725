//! The small host with a stack of some age on it: releases, backups, and what gathers in the course of years. What a cleanup of it must leave.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Deref;
use std::path::PathBuf;
use std::process::Output;
use std::time::{Duration, Instant};

use opsctl::journal::store::Store;

use crate::rolling::roll_quickly;
use crate::site::{Site, Way, text};

/// How much of the disk is to be free.
const WANTED: &str = "20%";

/// Of each service, the newest last; the last one runs.
pub const RELEASES: [&str; 3] = ["v1.0.0", "v1.1.0", "v1.2.0"];

/// All that there is was made a moment ago, when its inode was changed; what says of itself that it is older is a month old.
const TERMS: &str = "
cleanup:
  keep_releases: 3
  unused_for: 5s
  keep_logs: 5s
  temporary_for: 5s
";

/// The small host, with a stack of some age on it.
pub struct Old {
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
pub struct Needed {
    /// What is in the volumes that nobody writes to, by the checksum of each file.
    pub volumes: String,
    /// What is in the databases, without what the products themselves write.
    databases: [String; 2],
    /// The newest two verified backups of each database, all that is newer, and their manifests.
    backups: String,
    /// What names in /tmp lead to, and what opsctl and the stack are made of.
    elsewhere: String,
    /// Every container that runs, by its name, and its image.
    running: String,
    pub volume_names: String,
}

impl Old {
    /// As it was kept by the drill before, or made now.
    pub fn take() -> Old {
        let site = Site::take_as_it_is(Way::Small);
        let inventory = site.inventory().with_file_name(format!("drill-{}.yaml", std::process::id()));
        let old = Old { site, inventory };
        roll_quickly(&old);
        old.begin_again();
        old
    }

    /// Each begins with the same disk.
    pub fn begin_again(&self) {
        let name = kept();
        if !self.site.lab_could("snapshot", &["back", &name]) {
            self.grow_old();
            self.site.lab("snapshot", &["keep", &name]);
        }
        self.say_terms("keep: 2", TERMS);
        self.assert_is_well();
    }

    /// A history of releases, backups, and what gathers in the course of years. In a store of its own: it is no part of a drill.
    fn grow_old(&self) {
        let store = tempfile::tempdir().unwrap();
        let does = |words: &[&str]| {
            let words = self.words(words);
            let mut command = self.opsctl(&words.iter().map(String::as_str).collect::<Vec<_>>());
            let output = command.env("OPSCTL_STATE_DIR", store.path()).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{words:?}: {}", text(&output.stderr));
        };
        self.site.lab("down", &[]);
        self.site.lab("up", &[]);
        self.say_terms("keep: 7", "");
        for service in ["argus", "hermes"] {
            for version in RELEASES {
                does(&["deploy", service, version, "--settle", "1s", "--yes"]);
            }
        }
        self.site.lab("fill-database", &["--size", "32MiB"]);
        for name in ["argus", "argus", "argus", "hermes", "redis"] {
            does(&["backup", name, "--verify", "--yes"]);
        }
        self.site.lab("clutter", &[]);
    }

    /// The inventory says this from now on.
    fn say_terms(&self, keeping: &str, terms: &str) {
        let text = fs::read_to_string(self.site.inventory()).unwrap();
        assert!(text.contains("keep: 7"), "the inventory of the lab keeps 7 backups");
        fs::write(&self.inventory, text.replace("keep: 7", keeping) + terms).unwrap();
    }

    pub fn words(&self, words: &[&str]) -> Vec<String> {
        let inventory = ["--inventory", self.inventory.to_str().unwrap()];
        inventory.iter().chain(words).map(|word| (*word).to_owned()).collect()
    }

    pub fn say(&self, words: &[&str]) -> Output {
        let words = self.words(words);
        self.run(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    pub fn does(&self, words: &[&str]) -> String {
        let output = self.say(words);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{words:?}: {said}\n{}", text(&output.stdout));
        said
    }

    pub fn assert_is_well(&self) {
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

    pub fn needed(&self) -> Needed {
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
    pub fn objects(&self) -> BTreeSet<String> {
        let list = "docker image ls --no-trunc --format 'image {{.Repository}}:{{.Tag}} {{.ID}}' | sed 's/image <none>:<none> /image /; t; s/ sha256:[0-9a-f]*$//'; \
                    docker container ls -a --format 'container {{.Names}}'; docker network ls --format 'network {{.Name}}'; \
                    docker volume ls --format 'volume {{.Name}}'";
        self.on_host(list).lines().map(str::to_owned).collect()
    }

    /// It is full, and not for root either.
    pub fn fill(&self, of: &str) {
        self.lab("break", &["fill", of]);
        let is_refused = self.on_host("if (echo x >/var/lib/opsctl/probe) 2>/dev/null; then rm /var/lib/opsctl/probe; else echo refused; fi");
        assert_eq!(is_refused.trim(), "refused", "there is still {of} left: {:?}", self.free());
    }

    pub fn cleanup(&self) -> Vec<String> {
        self.words(&["cleanup", "disk", "--host", "app", "--until-free", WANTED, "--yes"])
    }

    /// What the steps of the last run have written, as it is kept beside its journal.
    pub fn told(&self) -> String {
        let run = Store::at(self.state_dir()).list().unwrap().into_iter().max_by_key(|run| run.id).unwrap();
        let blobs = self.state_dir().join("runs").join(run.id.to_string()).join("blobs");
        let blobs = fs::read_dir(blobs).unwrap().map(|blob| text(&fs::read(blob.unwrap().path()).unwrap()));
        blobs.collect::<Vec<_>>().join("\n")
    }

    /// It ended as it should: enough is free, what is needed is there, everything serves, and the rest is named.
    pub fn assert_is_clean(&self, needed: &Needed, before: &BTreeSet<String>, said: &str) {
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
