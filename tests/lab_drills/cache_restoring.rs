//! A cache with an append-only file is backed up, goes back to a backup, and comes back from that, whoever dies; and a file that is no
//! good changes nothing.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::killed::in_each_step;
use crate::measure::Form;
use crate::passings::passings;
use crate::site::{Site, Way, text};
use crate::table;

/// Those that are drilled here.
pub const RUNBOOKS: [&str; 3] = ["cache-backup", "cache-restore", "cache-trial"];

const KEYS: usize = 100_000;

/// What a stack of the lab has in its cache, and a folder of its backups.
struct Vault {
    site: Site,
    folder: tempfile::TempDir,
}

/// Nothing of it is left.
impl Drop for Vault {
    fn drop(&mut self) {
        self.sweep();
        self.redis("flushall");
    }
}

impl Vault {
    fn take(way: Way) -> Vault {
        let folder = tempfile::Builder::new().prefix("it's a \"place\" ").tempdir().unwrap();
        let vault = Vault { site: Site::take(way), folder };
        vault.sweep();
        vault
    }

    fn file(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn redis(&self, command: &str) -> String {
        self.site.on_host(&format!("docker exec opareta-redis redis-cli {command}"))
    }

    /// Folders of earlier restores.
    fn sweep(&self) {
        self.site.on_host("docker exec opareta-redis sh -c 'rm -rf /data/opsctl-*'");
    }

    fn folders(&self) -> String {
        self.site.on_host("docker exec opareta-redis sh -c 'cd /data; ls -d opsctl-* 2>/dev/null' || true")
    }

    /// Fills it with so many keys of that kind, of which some are not plain texts.
    fn fill(&self, kind: &str, count: usize) {
        let fill = format!(
            "for i = 1, {count} do local key = \"drill:{kind}:\" .. i; \
             if i % 10 == 0 then redis.call(\"hset\", key, \"a\", i, \"b\", \"{kind}\") \
             elseif i % 10 == 1 then redis.call(\"zadd\", key, i, \"x\", 1, \"{kind}\") \
             else redis.call(\"set\", key, \"{kind} of \" .. i) end end"
        );
        self.redis(&format!("eval '{fill}' 0"));
    }

    /// How many keys of the drill there are, and a checksum of them with what they hold. The services have keys of their own.
    fn holds(&self) -> String {
        let count = "local lines, cursor = {}, \"0\"; repeat local found = redis.call(\"scan\", cursor, \"match\", \"drill:*\", \"count\", 1000); \
             cursor = found[1]; for _, key in ipairs(found[2]) do lines[#lines + 1] = redis.sha1hex(key .. redis.call(\"dump\", key)) end \
             until cursor == \"0\"; table.sort(lines); local count = 0; local last; for _, line in ipairs(lines) do if line ~= last then count = count + 1 end last = line end \
             return count .. \" \" .. redis.sha1hex(table.concat(lines))";
        self.redis(&format!("eval '{count}' 0")).trim().to_owned()
    }

    fn words(&self, runbook: &str, params: &[(&str, String)]) -> Vec<String> {
        let params = params.iter().map(|(param, value)| format!("{param}={value}"));
        let words = ["run", runbook, "cache=redis"].map(str::to_owned).into_iter().chain(params);
        let consent = if runbook == "cache-restore" { ["--confirm", "redis"].as_slice() } else { &["--yes"] };
        words.chain(consent.iter().map(|word| (*word).to_owned())).collect()
    }

    fn restore(&self, file: &str, at: &str) -> Vec<String> {
        let safety = ("safety", self.file(&format!("safety {at}.rdb")));
        self.words("cache-restore", &[("file", file.to_owned()), ("at", at.to_owned()), safety])
    }

    fn say(&self, words: &[String]) -> (Option<i32>, String) {
        let output = self.site.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
        (output.status.code(), text(&output.stderr))
    }

    fn does(&self, words: &[String]) -> String {
        let (code, said) = self.say(words);
        assert_eq!(code, Some(0), "{said}");
        said
    }

    fn back_up(&self) -> String {
        let file = self.file("redis.rdb");
        self.does(&self.words("cache-backup", &[("file", file.clone())]));
        file
    }

    fn manifest(&self, name: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.path(&format!("{name}.json"))).unwrap()).unwrap()
    }

    /// Everything serves, within the moment that it takes.
    fn assert_is_well(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let status = self.site.run(&["status"]);
            if status.status.success() {
                return;
            }
            assert!(Instant::now() < deadline, "{}", text(&status.stdout));
        }
    }
}

fn undo() -> Vec<String> {
    ["undo", "latest", "--yes"].map(str::to_owned).to_vec()
}

#[test]
fn a_hundred_thousand_keys_come_back_and_what_was_there_instead_does_too_locally() {
    let vault = Vault::take(Way::Local);
    vault.fill("old", KEYS);
    let then = vault.holds();
    assert!(then.starts_with(&format!("{KEYS} ")), "{then}");
    let file = vault.back_up();
    let manifest = vault.manifest("redis.rdb");
    assert!(manifest["keys"]["db0"].as_u64().unwrap() >= KEYS as u64, "{manifest}");
    assert!(manifest["verified"]["at"].is_string(), "{manifest}");
    vault.redis("flushall");
    vault.fill("new", 7);
    let now = vault.holds();

    let words = vault.restore(&file, "1");
    let load = vault.site.under_load(&words.iter().map(String::as_str).collect::<Vec<_>>());
    println!("drill: restore redis, {KEYS} keys: {}", load.counts);
    println!("drill: nobody could write for {} ms", load.count("longest_gap_ms"));
    table::record(&vault.site, "restore redis", &load);
    assert_eq!([load.count("missing_writes"), load.count("doubled_writes")], [0, 0], "{}", load.stderr);
    assert_eq!(vault.holds(), then, "every key, and what it holds");
    assert_eq!(vault.folders().trim(), "opsctl-aside-1", "what it was is kept");
    assert_eq!(vault.redis("config get appendonly").lines().last(), Some("yes"));
    vault.assert_is_well();

    vault.does(&undo());
    assert_eq!(vault.holds(), now, "what was there instead");
    assert_eq!(vault.folders().trim(), "opsctl-taken-back-1");
    vault.assert_is_well();
}

/// What a file is made of, and what is said of it.
type Bad = (&'static str, fn(&[u8]) -> Vec<u8>, &'static str);

const BAD: [Bad; 6] = [
    ("truncated", |dump| dump[..dump.len() / 2].to_vec(), "truncated.rdb cannot be loaded: "),
    ("empty", |_| Vec::new(), "empty.rdb is empty"),
    ("text", |_| b"SELECT 1;\n".to_vec(), "text.rdb is not a dump of Redis"),
    ("newer", |dump| [b"REDIS0099", &dump[9..]].concat(), "newer.rdb is of a newer server: its format is 99"),
    ("rotten", |dump| rotten(dump), "rotten.rdb cannot be loaded: "),
    (
        "other",
        |dump| rotten(dump),
        "other.rdb is not as it was written: its checksum is not that of its manifest",
    ),
];

fn rotten(dump: &[u8]) -> Vec<u8> {
    let mut dump = dump.to_vec();
    let middle = dump.len() / 2;
    dump[middle] ^= 1;
    dump
}

#[test]
fn a_file_that_is_no_good_is_refused_and_changes_nothing_locally() {
    let vault = Vault::take(Way::Local);
    vault.fill("old", 1000);
    let file = vault.back_up();
    vault.fill("new", 7);
    let (then, containers) = (vault.holds(), vault.site.containers());
    let dump = fs::read(&file).unwrap();
    for (name, make, words) in BAD {
        let bad = vault.file(&format!("{name}.rdb"));
        fs::write(&bad, make(&dump)).unwrap();
        if name == "other" {
            fs::copy(format!("{file}.json"), format!("{bad}.json")).unwrap();
        }
        let (code, said) = vault.say(&vault.restore(&bad, "2"));
        assert_eq!(code, Some(13), "{name}: {said}");
        assert!(said.contains(words), "{name}: {said}");
        assert_eq!(
            (vault.holds(), vault.site.containers()),
            (then.clone(), containers.clone()),
            "{name}: {said}"
        );
        assert_eq!(vault.folders(), "", "{name}");
    }
}

/// What dies.
#[derive(Clone, Copy, PartialEq)]
enum What {
    Opsctl,
    Server,
}

/// A cache with a backup, which has changed since.
struct Scene {
    vault: Vault,
    file: String,
    then: String,
    now: String,
}

impl Scene {
    fn set() -> Scene {
        let vault = Vault::take(Way::Local);
        vault.fill("old", 1000);
        let (file, then) = (vault.back_up(), vault.holds());
        vault.fill("new", 7);
        let now = vault.holds();
        assert_ne!(then, now);
        Scene { vault, file, then, now }
    }

    fn log(&self) -> PathBuf {
        self.vault.site.state_dir().join("said")
    }

    /// It goes on by itself. Its output goes to a file: what outlives it would hold a pipe open.
    fn begun(&self, at: &str, variables: &[(&str, String)]) -> Child {
        let words = self.vault.restore(&self.file, at);
        let mut command = self.vault.site.opsctl(&words.iter().map(String::as_str).collect::<Vec<_>>());
        command.envs(variables.iter().cloned()).stdout(Stdio::null());
        command.stderr(File::create(self.log()).unwrap()).spawn().unwrap()
    }

    fn standing(&self) -> String {
        let runs = self.vault.site.run(&["runs", "list", "--json"]);
        let runs: Value = serde_json::from_slice(&runs.stdout).unwrap();
        runs[0]["state"].as_str().unwrap_or("none").to_owned()
    }

    /// Something dies, somebody goes on or takes it back, and the old keys or those of the backup are there.
    fn life(&self, at: &str, what: &str, variables: &[(&str, String)], typed: &[&str]) {
        let code = self.begun(at, variables).wait().unwrap().code();
        let mut said = fs::read_to_string(self.log()).unwrap();
        for _ in 0..4 {
            if ["succeeded", "undone", "abandoned", "none"].contains(&self.standing().as_str()) {
                break;
            }
            let (code, more) =
                self.vault.say(&typed.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
            said += &format!("$ opsctl {typed:?}: {code:?}\n{more}");
        }
        let standing = self.standing();
        println!("drill: cache-restore, {what}: {code:?}, then {}: {standing}", typed[0]);
        self.vault.assert_is_well();
        let holds = self.vault.holds();
        match standing.as_str() {
            "succeeded" => {
                assert_eq!(holds, self.then, "{said}");
                self.vault.does(&undo());
            }
            "undone" | "abandoned" | "none" => {}
            _ => panic!("{standing}\n{said}"),
        }
        assert_eq!(self.vault.holds(), self.now, "{said}");
        assert!(!self.vault.folders().contains("opsctl-new-"), "{}\n{said}", self.vault.folders());
        self.vault.sweep();
    }

    /// In the long form each point in each step, or as many as are asked for; in the short one the beginning of the preparation and of the swap for opsctl, and of the
    /// safety dump and of its start for the server.
    fn places(&self, what: What) -> Vec<String> {
        let log = tempfile::NamedTempFile::new().unwrap();
        let path = log.path().to_str().unwrap().to_owned();
        self.life("0", "nothing dies", &[("OPSCTL_CRASH_LOG", path)], &["resume", "latest"]);
        let all = in_each_step(&passings(&fs::read_to_string(log.path()).unwrap()));
        assert!(all.len() > 10, "opsctl was built without crash points: run this with tests/run");
        if Form::of_this_run().is_long() {
            return Form::of_this_run().evenly(&all);
        }
        let begins: Vec<_> = all.into_iter().filter(|at| at.starts_with("engine.step_started:")).collect();
        // ready, fit, whole, prepare; safety, safe, approved, stop four times, saved, down, swap, up.
        let numbers = if what == What::Opsctl { [3, 13] } else { [4, 14] };
        numbers.map(|number| begins[number].clone()).to_vec()
    }
}

fn dies(what: What) {
    let scene = Scene::set();
    for (number, place) in scene.places(what).iter().enumerate() {
        let resume = ["resume", "latest", "--yes", "--confirm", "redis"];
        let typed: &[&str] = if number % 2 == 0 { &resume } else { &["undo", "latest", "--yes"] };
        let mut variables = vec![("OPSCTL_CRASH_AT", place.clone())];
        if what == What::Server {
            // By itself, while the step goes on. One that is stopped has no process, and 0 would be everybody's.
            let kill =
                "pid=$(docker inspect -f {{.State.Pid}} opareta-redis); [ $pid = 0 ] || kill -KILL $pid";
            let tenths = number % 10;
            variables.push(("OPSCTL_CRASH_DO", format!("(sleep 0.{tenths}; {kill}) >/dev/null 2>&1 &")));
        }
        let word = if what == What::Opsctl { "opsctl" } else { "the server" };
        scene.life(&format!("{}", number + 1), &format!("{word} dies at {place}"), &variables, typed);
    }
}

#[test]
fn opsctl_dies_in_a_restore_and_the_cache_is_one_of_the_two_locally() {
    dies(What::Opsctl);
}

#[test]
fn the_server_dies_in_a_restore_and_the_cache_is_one_of_the_two_locally() {
    dies(What::Server);
}
