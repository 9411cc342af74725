//! What a cleanup asks of Docker, tried on a real engine: what comes to be needed between the look and the removal is left, and said.
//!
//! Everything is made for the test, under names that nothing else has, and is removed with it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use opsctl::action::registry;
use opsctl::model::facts::{Facts, Site};
use opsctl::model::inventory::Inventory;
use opsctl::model::operation::{self, Operation};
use opsctl::model::source::Source;
use serde_json::{Value, json};

const SITE: &str = "name: o\nhosts: { app: { address: local } }\n";

/// Things on the engine of this machine whose names begin alike.
struct Engine {
    stem: String,
    /// Where a `docker` may stand that does something else before.
    bin: tempfile::TempDir,
}

impl Engine {
    fn new() -> Engine {
        let stem = format!("opsctl-test-{}", uuid::Uuid::now_v7().simple());
        Engine { stem, bin: tempfile::tempdir().unwrap() }
    }

    fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.stem)
    }

    fn try_docker(&self, line: &str) -> Output {
        let line = line.replace("%-", &format!("{}-", self.stem)).replace('%', &self.stem);
        Command::new("sh").args(["-euc", &line]).output().unwrap()
    }

    /// Runs a line in which `%` stands for the beginning of all names.
    fn docker(&self, line: &str) -> String {
        let output = self.try_docker(line);
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Makes an image of those names, and gives its id.
    fn image(&self, names: &[&str]) -> String {
        let folder = self.bin.path().display();
        let id = self.docker(&format!(
            "cat /proc/sys/kernel/random/uuid >{folder}/one; tar -C {folder} -c one | docker import --change 'CMD [\"/one\"]' -"
        ));
        names.iter().for_each(|name| drop(self.docker(&format!("docker tag {id} %:{name}"))));
        id
    }

    /// Makes a network without a pool of addresses of its own.
    fn network(&self, name: &str) -> Value {
        let id = self.docker(&format!("docker network create --internal --driver bridge %-{name}"));
        json!({ "id": id, "name": self.name(name) })
    }

    /// Starts a container of an image that the lab has, and gives its id.
    fn start(&self, words: &str) -> String {
        let image = self.docker("docker inspect -f '{{.Image}}' opsctl-lab-registry");
        self.docker(&format!(
            "docker run -d --entrypoint sleep {} {image} 600",
            words.replace("%-", &format!("{}-", self.stem))
        ))
    }

    /// Right before Docker is asked to remove a thing of that kind, something else happens.
    fn meanwhile(&self, kind: &str, line: &str) {
        let docker = self.docker("command -v docker");
        let line = line
            .replace("%-", &format!("{}-", self.stem))
            .replace('%', &self.stem)
            .replace("docker ", &format!("{docker} "));
        let path = self.bin.path().join("docker");
        let text = format!(
            "#!/bin/sh\ncase \"$*\" in '{kind} '*) {line} ;; esac >/dev/null 2>&1\nexec {docker} \"$@\"\n"
        );
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn run(&self, action: &str, args: Value) -> Output {
        let inventory = Inventory::read(&Source::new("opsctl.yaml", SITE)).unwrap();
        let facts = Facts::default();
        let args = args.as_object().unwrap().clone();
        let site = Site { inventory: &inventory, facts: &facts };
        let built = (registry::find(action).unwrap().build)(&args, site).unwrap();
        let Operation::Command(operation::Command { program, stdin, .. }) = built.operation else {
            panic!("`{action}` is no command")
        };
        let mut command = Command::new("sh");
        command.args(["-c", &program.line().unwrap()]);
        if let Some(stdin) = stdin {
            let path = self.bin.path().join("stdin");
            fs::write(&path, stdin).unwrap();
            command.stdin(fs::File::open(path).unwrap());
        }
        let path = format!("{}:{}", self.bin.path().display(), std::env::var("PATH").unwrap());
        command.env("PATH", path).output().unwrap()
    }

    /// What a run says that has to succeed, without its last line.
    fn said(&self, action: &str, args: Value) -> Vec<String> {
        let output = self.run(action, args);
        let out = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{out}{}", String::from_utf8_lossy(&output.stderr));
        let mut lines: Vec<_> = out.lines().map(|line| line.replace(&self.stem, "%")).collect();
        assert!(lines.pop().unwrap().starts_with("freed "), "{out}");
        lines
    }

    fn is_there(&self, kind: &str, name: &str) -> bool {
        self.try_docker(&format!("docker {kind} inspect {name}")).status.success()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        for line in [
            "docker ps -aq --filter name=% | xargs -r docker rm -f -v",
            "docker image ls --format '{{.Repository}}:{{.Tag}}' | grep '^%' | xargs -r docker image rm",
            "docker network ls -q --filter name=% | xargs -r docker network rm",
            "docker volume ls -q --filter name=% | xargs -r docker volume rm",
        ] {
            self.try_docker(line);
        }
    }
}

fn goal(more: Value) -> Value {
    let mut args = json!({ "at": "/", "until_free": "100%" });
    args.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
    args
}

#[test]
fn containers_that_run_or_have_run_lately_are_left_locally() {
    let engine = Engine::new();
    let image = engine.image(&["1"]);
    let container = |name: &str, id: String| json!({ "id": id, "name": engine.name(name) });
    let created = |name: &str| {
        container(name, engine.docker(&format!("docker create --name %-{name} -v %-{name}:/data {image}")))
    };
    let runs = container("runs", engine.start("--network none --name %-runs"));
    let gone = container("gone", "0123456789ab".repeat(5) + "0123");
    let (old, again) = (created("old"), container("again", engine.start("--network none --name %-again")));
    engine.docker("docker stop -t 0 %-again");
    let args = |containers: &[&Value], unused_for: &str| {
        goal(json!({ "containers": containers, "unused_for": unused_for }))
    };
    let lines = engine.said("cleanup.containers", args(&[&runs, &old, &gone, &again], "1h"));
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert_eq!(
        (lines[0].as_str(), lines[2].as_str()),
        ("left %-runs: it is running", "left %-gone: it is gone already")
    );
    assert!(
        lines[1].starts_with("left %-old: it was in use ")
            && lines[3].starts_with("left %-again: it was in use ")
    );
    engine.meanwhile("rm", "docker start %-again");
    let lines = engine.said("cleanup.containers", args(&[&old, &again, &runs], "0s"));
    assert_eq!(lines[0], "removed container %-old, 0 bytes");
    assert!(lines[1].starts_with("left %-again: ") && lines[1].contains("running"), "{lines:?}");
    assert_eq!(lines[2], "left %-runs: it is running");
    assert!(
        engine.is_there("container", &engine.name("again")) && engine.is_there("volume", &engine.name("old"))
    );
    assert!(!engine.is_there("container", &engine.name("old")));
}

#[test]
fn an_image_goes_by_its_names_and_one_that_comes_to_be_needed_stays_with_all_of_them_locally() {
    let engine = Engine::new();
    let image = |id: &str, names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| format!("{}:{name}", engine.stem)).collect();
        json!({ "id": id, "names": names, "bytes": 36, "digest": null })
    };
    let said = |images: &[Value]| engine.said("cleanup.images", goal(json!({ "images": images })));
    let named = engine.image(&["a", "b"]);
    let nameless = engine.image(&[]);
    let with_digest = {
        let mut image = image(&nameless, &[]);
        image["digest"] = json!(format!("registry.test/x@{nameless}"));
        image
    };
    let lines = said(&[image(&named, &["a", "b"]), with_digest.clone(), image(&named, &["a", "b"])]);
    let expected = [
        format!("removed image %:a %:b ({named}), 36 bytes"),
        format!("removed image <none> ({nameless}), 36 bytes, docker pull registry.test/x@{nameless}"),
        format!("left %:a %:b ({named}): it is gone already"),
    ];
    assert_eq!(lines, expected);

    let used = engine.image(&["used"]);
    engine.docker(&format!("docker create --name %-user {used}"));
    let moved = engine.image(&["moved", "stays"]);
    let other = engine.image(&["other"]);
    engine.docker("docker tag %:other %:moved");
    let got = engine.image(&["got", "another"]);
    let lines = said(&[image(&used, &["used"]), image(&moved, &["moved", "stays"]), image(&got, &["got"])]);
    let expected = [
        format!("left %:used ({used}): the container %-user is made from it"),
        format!("left %:moved %:stays ({moved}): %:moved is another image by now"),
        format!("left %:got ({got}): it is called %:another as well"),
    ];
    assert_eq!(lines, expected);
    for id in [&used, &moved, &other, &got] {
        assert!(engine.is_there("image", id));
    }

    // A container comes when the first of its names is gone already.
    let late = engine.image(&["first", "second"]);
    engine.meanwhile("image rm", "case $* in *:second) docker create --name %-late %:second ;; esac");
    let lines = said(&[image(&late, &["first", "second"])]);
    assert!(lines[0].starts_with(&format!("left %:first %:second ({late}): ")), "{lines:?}");
    assert_eq!(
        engine.docker("docker image inspect -f '{{.Id}}' %:first %:second"),
        format!("{late}\n{late}")
    );

    let kept = |name: &str, id: &str| json!({ "images": [{ "id": other, "name": "other" }, { "id": id, "name": name }] });
    assert!(engine.run("image.kept", kept("late", &late)).status.success());
    let output = engine.run("image.kept", kept("gone:1", &named));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "these are gone: gone:1\n");
}

#[test]
fn a_network_that_a_container_is_on_is_left_be_it_one_that_never_ran_locally() {
    let engine = Engine::new();
    let image = engine.image(&["1"]);
    let [free, created, stopped, late] =
        ["free", "created", "stopped", "late"].map(|name| engine.network(name));
    engine.docker(&format!("docker create --name %-c1 --network %-created {image}"));
    engine.start("--name %-c2 --network %-stopped");
    engine.docker("docker stop -t 0 %-c2");
    let args = |networks: &[&Value]| json!({ "networks": networks });
    let lines = engine.said("cleanup.networks", args(&[&free, &created, &stopped, &free]));
    let expected = [
        "removed network %-free, 0 bytes",
        "left %-created: the container %-c1 is on it",
        "left %-stopped: the container %-c2 is on it",
        "left %-free: it is gone already",
    ];
    assert_eq!(lines, expected);
    engine.network("other");
    engine.start("--network %-other --name %-c3");
    engine.meanwhile("network rm", "docker network connect %-late %-c3");
    let lines = engine.said("cleanup.networks", args(&[&late]));
    assert!(lines[0].starts_with("left %-late: ") && lines[0].contains("active endpoints"), "{lines:?}");
}

#[test]
fn a_volume_goes_by_its_whole_name_and_only_when_no_container_uses_it_locally() {
    let engine = Engine::new();
    let image = engine.image(&["1"]);
    engine.docker("docker volume create %-data; docker volume create %-data2; docker volume create %-late");
    let of = |name: &str| json!({ "volume": engine.name(name) });
    engine.docker(&format!("docker create --name %-user -v %-data:/data {image}"));
    let output = engine.run("volume.remove", of("data"));
    assert!(!output.status.success());
    let why = String::from_utf8_lossy(&output.stderr).replace(&engine.stem, "%");
    assert_eq!(why, "the container %-user uses %-data\n");
    engine.docker("docker rm %-user");
    let lines = engine.said("volume.remove", of("data"));
    assert!(lines[0].starts_with("removed volume %-data, "), "{lines:?}");
    assert_eq!(engine.said("volume.remove", of("data")), ["left %-data: it is gone already"]);
    assert!(
        !engine.is_there("volume", &engine.name("data")) && engine.is_there("volume", &engine.name("data2"))
    );
    engine.meanwhile("volume rm", &format!("docker create --name %-late-user -v %-late:/data {image}"));
    let output = engine.run("volume.remove", of("late"));
    assert!(!output.status.success() && engine.is_there("volume", &engine.name("late")), "{output:?}");
}

#[test]
fn a_log_is_shortened_while_its_container_writes_and_docker_reads_it_on_locally() {
    let engine = Engine::new();
    let image = engine.docker("docker inspect -f '{{.Image}}' opsctl-lab-registry");
    let count = "n=0; while n=$((n + 1)); do echo line $n of the log; done";
    let id = engine.docker(&format!(
        "docker run -d --network none --name %-writer --log-driver json-file --entrypoint sh {image} -c '{count}'"
    ));
    let path = engine.docker(&format!("docker inspect -f '{{{{.LogPath}}}}' {id}"));
    let args = goal(
        json!({ "keep": "64KiB", "logs": [{ "container": id, "name": engine.name("writer"), "path": path }] }),
    );
    while fs::metadata(&path).unwrap().len() < 1 << 20 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let lines = engine.said("cleanup.logs", args.clone());
    engine.docker("docker stop -t 0 %-writer");
    let after = engine.docker("docker logs %-writer");
    let numbers: Vec<u32> =
        after.lines().map(|line| line.split(' ').nth(1).unwrap().parse().unwrap()).collect();
    assert!(lines[0].starts_with("removed log %-writer, "), "{lines:?}");
    assert!(
        numbers[0] > 1 && numbers.is_sorted_by(|a, b| a + 1 == *b),
        "from {} to {}",
        numbers[0],
        numbers[numbers.len() - 1]
    );
    let newest = engine.docker("docker logs --tail 1 %-writer");
    assert_eq!(newest, format!("line {} of the log", numbers[numbers.len() - 1]));
    // Stopped, it can be shortened all the same.
    engine.said("cleanup.logs", args);
    assert!(fs::metadata(&path).unwrap().len() <= (64 << 10) + 4096);
    assert!(engine.docker("docker logs %-writer").ends_with(&newest));
}
