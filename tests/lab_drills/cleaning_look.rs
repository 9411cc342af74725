//! What fills a host's disks, made on purpose, and found: by a look that changes nothing.

use std::time::{Duration, Instant};

use opsctl::base::amount::Span;
use opsctl::engine::cleanup::look::look;
use opsctl::engine::hosts::Hosts;
use opsctl::engine::locate;
use opsctl::engine::plan::Needs;
use opsctl::journal::store::Store;
use opsctl::model::clutter::contents::{Container, Contents, Engined, Rule};
use opsctl::model::facts;

use crate::site::{Site, Way};

/// What is made, all of it called so, and removed again.
struct Litter<'a> {
    site: &'a Site,
    name: String,
}

/// Given: `name`. Everything that a look is to find, once it has begun; the folders are below `/var/tmp`.
const MAKE: &str = r#"
set -eu
folder=/var/tmp/$name
mkdir -p "$folder/old" "$folder/project" "$folder/gone" "$folder/bound"
image=$(docker ps --filter name=opareta-redis --format '{{.Image}}')
printf 'services:\n  made: { image: %s, command: "true", volumes: ["kept:/kept"] }\n  asleep: { image: %s, profiles: [rare] }\nvolumes:\n  kept:\n' \
    "$image" "$name/rare:1" >"$folder/project/compose.yaml"
cp "$folder/project/compose.yaml" "$folder/gone/compose.yaml"
for project in project gone; do
    (cd "$folder/$project" && docker compose -p "$name-$project" up --no-start --quiet-pull >/dev/null 2>&1)
done
rm -r "$folder/gone"
tar -C / -cf - bin/true 2>/dev/null | docker import - "$name:1" >"$folder/bound/dangling"
tar -C / -cf - bin/false bin/true 2>/dev/null | docker import - "$name:1" >"$folder/bound/image"
docker network create "$name" >/dev/null
docker volume create --label "com.docker.compose.project=$name-left" "$name" >/dev/null
docker run --name "$name-stopped" --network none --user 0 --entrypoint sh "$image" -c 'head -c 300000 /dev/zero >/written' >/dev/null
docker run -d --name "$name-runs" --network none --user 0 -v "$name:/data" -v "$folder/bound:/bound" --entrypoint sh "$image" -c '
    head -c 500000 /dev/zero >/data/in-the-volume
    head -c 2000000 /dev/zero | tr "\0" x | fold
    exec 3>/deleted; head -c 400000 /dev/zero >&3; rm /deleted; touch /bound/ready; exec sleep 600' >/dev/null
setsid sh -c 'exec 3>"$1/held"; head -c 700000 /dev/zero >&3; rm "$1/held"; touch "$1/bound/held"; exec sleep 600' sh "$folder" >/dev/null 2>&1 &
echo $! >"$folder/bound/pid"
for file in a "two words"; do head -c 100000 /dev/zero >"$folder/old/$file"; done
head -c 100000 /dev/zero >"$folder/bound/not to go"
until [ -e "$folder/bound/ready" ] && [ -e "$folder/bound/held" ]; do sleep 0.1; done
cat "$folder/bound/image" "$folder/bound/dangling"
"#;

const TAKE_BACK: &str = r#"
folder=/var/tmp/$name
kill "$(cat "$folder/bound/pid")"
docker rm -f "$name-stopped" "$name-runs"
for project in project gone; do
    docker ps -aq --filter "label=com.docker.compose.project=$name-$project" | xargs -r docker rm -f
    docker volume rm "$name-${project}_kept"
    docker network rm "$name-${project}_default"
done
docker volume rm "$name"
docker network rm "$name"
docker image rm "$name:1" "$(cat "$folder/bound/dangling")"
rm -rf "$folder"
"#;

impl<'a> Litter<'a> {
    /// Gives the id of the image, and that of the one that has lost its name to it.
    fn make(site: &'a Site) -> (Litter<'a>, String, String) {
        let litter = Litter { site, name: format!("opsctl-look-{}", std::process::id()) };
        let ids = litter.site.on_host(&format!("name={}\n{MAKE}", litter.name));
        let (image, dangling) = ids.trim().split_once('\n').unwrap();
        let (image, dangling) = (image.to_owned(), dangling.to_owned());
        (litter, image, dangling)
    }
}

impl Drop for Litter<'_> {
    fn drop(&mut self) {
        self.site.on_host(&format!("name={}\n({TAKE_BACK}) >/dev/null 2>&1 || true", self.name));
    }
}

/// A look at the host by that inventory, with the folder of that litter as the only temporary one, and how long it took.
fn looked(site: &Site, temporary: &str) -> (Contents, Duration) {
    let mut inventory = locate::Site::load(site.inventory()).unwrap().inventory;
    inventory.cleanup.temporary = vec![temporary.to_owned()];
    inventory.cleanup.temporary_for = Span::secs(0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let hosts = Hosts::of(&inventory, site.inventory());
        let host = std::collections::BTreeSet::from(["app".to_owned()]);
        let needs = Needs {
            hosts: host.clone(),
            compose: host,
            projects: inventory.projects.keys().cloned().collect(),
            containers: Vec::new(),
        };
        let known = hosts.facts_for(&inventory, &needs).await.unwrap();
        let seen_by = facts::Site { inventory: &inventory, facts: &known };
        let began = Instant::now();
        let contents = look(&hosts, seen_by, "app", &Store::at(site.state_dir())).await.unwrap();
        let took = began.elapsed();
        hosts.close().await;
        (contents, took)
    })
}

fn container<'a>(engine: &'a Engined, name: &str) -> &'a Container {
    engine.containers.iter().find(|container| container.name == name).unwrap_or_else(|| panic!("{name}"))
}

fn is_about(bytes: u64, expected: u64) -> bool {
    (expected..expected + expected / 4 + 16_384).contains(&bytes)
}

fn everything_is_found(way: Way) {
    let site = Site::take(way);
    let (litter, image, dangling) = Litter::make(&site);
    let name = &litter.name;
    let folder = format!("/var/tmp/{name}");
    let (contents, took) = looked(&site, &folder);
    println!("{way:?}: a look took {:.1}s; unseen: {:?}", took.as_secs_f64(), contents.unseen);
    let engine = contents.engine.as_ref().unwrap();
    let is_a_disk = |mount: &str| contents.disks.iter().any(|disk| disk.mount == mount);
    let disk = contents.disks.iter().find(|disk| disk.mount == engine.mount).unwrap();
    assert!(disk.bytes.used > 0 && disk.bytes.free > 0, "{disk:?}");

    let of_id =
        |id: &str| engine.images.iter().find(|image| image.id == id).unwrap_or_else(|| panic!("{id}"));
    let tagged = of_id(&image);
    assert_eq!(tagged.tags, [format!("{name}:1")]);
    assert!(tagged.own_bytes > 0 && tagged.own_bytes <= tagged.bytes, "{tagged:?}");
    assert!(
        tagged.tagged.is_some() && tagged.tagged <= Some(contents.now + Duration::from_secs(5)),
        "{tagged:?}"
    );
    let nameless = of_id(&dangling);
    assert!(nameless.tags.is_empty() && nameless.digests.is_empty(), "{nameless:?}");

    let stopped = container(engine, &format!("{name}-stopped"));
    assert!(!stopped.is_running && is_about(stopped.bytes, 300_000), "{stopped:?}");
    let runs = container(engine, &format!("{name}-runs"));
    assert!(runs.is_running, "{runs:?}");
    // Each line of eighty letters has some eighty more around it.
    assert!(runs.log.as_ref().unwrap().bytes > 2_000_000, "{runs:?}");

    let volume = |name: &str| {
        engine.volumes.iter().find(|volume| volume.name == name).unwrap_or_else(|| panic!("{name}"))
    };
    let data = volume(name);
    assert!(is_about(data.bytes.unwrap(), 500_000), "{data:?}");
    assert_eq!(data.users, [format!("{name}-runs")]);
    assert_eq!(data.projects, [format!("{name}-left")]);
    let network = engine.networks.iter().find(|network| network.name == *name).unwrap();
    assert_eq!((network.containers, network.is_own, &network.project), (0, false, &None));

    let project = |name: String| engine.projects.iter().find(|project| project.name == name).unwrap();
    let read = project(format!("{name}-project"));
    assert_eq!((&read.unread, read.is_gone), (&None, false));
    assert!(read.images.contains(&format!("{name}/rare:1")), "the image of a profile: {read:?}");
    assert_eq!(read.volumes, [format!("{name}-project_kept")]);
    assert_eq!(read.networks, [format!("{name}-project_default")]);
    for gone in ["gone", "left"].map(|what| project(format!("{name}-{what}"))) {
        assert!(gone.is_gone && gone.unread.is_some(), "{gone:?}");
    }

    let held = |path: &str| {
        let found = contents.held.iter().find(|held| held.path.ends_with(path));
        found.unwrap_or_else(|| panic!("{path} of {:?}", contents.held))
    };
    let here = held(&format!("{name}/held"));
    assert!(is_about(here.bytes, 700_000) && here.mount.as_deref().is_some_and(is_a_disk), "{here:?}");
    let within = held("/deleted");
    assert!(
        is_about(within.bytes, 400_000) && within.process.ends_with(&format!("in container {name}-runs")),
        "{within:?}"
    );
    assert_eq!(within.mount.as_deref(), Some(engine.mount.as_str()));

    let pile = contents.piles.iter().find(|pile| pile.rule == Rule::Temporary).unwrap();
    // Those that a container is given and those of a project are spared, and are not counted.
    assert_eq!((pile.files, pile.all_files, &pile.directory), (2, 2, &folder), "{pile:?}");
    assert!(is_about(pile.bytes, 200_000) && is_a_disk(&pile.mount), "{pile:?}");
    assert!(contents.piles.iter().any(|pile| pile.rule == Rule::RotatedLogs && pile.directory == "/var/log"));
    for spared in [format!("{folder}/bound"), format!("{folder}/project"), engine.root.clone()] {
        assert!(contents.spared.contains(&spared), "{spared} of {:?}", contents.spared);
    }

    the_stack_is_as_it_is(&contents, engine);
    assert!(contents.unseen.is_empty(), "{:?}", contents.unseen);
}

fn the_stack_is_as_it_is(contents: &Contents, engine: &Engined) {
    let stack = engine.projects.iter().find(|project| project.name == "docker").unwrap();
    assert_eq!((&stack.unread, stack.is_gone), (&None, false));
    for used in stack.volumes.iter().map(|name| engine.volumes.iter().find(|volume| volume.name == *name)) {
        let used = used.expect("a volume of the stack is on the host");
        assert!(used.projects.contains(&"docker".to_owned()) && used.bytes.is_some(), "{used:?}");
    }
    for container in engine.containers.iter().filter(|one| one.project.as_deref() == Some("docker")) {
        assert!(container.is_running && container.log.is_some(), "{container:?}");
        assert!(engine.images.iter().any(|image| image.id == container.image), "{container:?}");
    }
    let mut services: Vec<&str> = contents.services.iter().map(|one| one.service.as_str()).collect();
    services.sort_unstable();
    assert_eq!(services, ["argus", "hermes"]);
    for service in &contents.services {
        assert!(service.repository.ends_with(&service.service), "{service:?}");
        assert!(service.images[0].tag.as_deref() == Some("v1.2.0"), "{service:?}");
    }
    assert!(contents.vaults.iter().any(|vault| vault.name == "argus" && vault.keep.count > 0));
}

#[test]
fn what_fills_a_host_is_found_over_ssh() {
    everything_is_found(Way::Sudo);
}

#[test]
fn what_fills_a_local_host_is_found() {
    everything_is_found(Way::Local);
}

#[test]
fn a_user_who_may_not_see_everything_is_told_what_was_not_seen() {
    let site = Site::take(Way::Group);
    let (contents, took) = looked(&site, "/tmp");
    println!("{:?}: a look took {:.1}s; unseen: {:#?}", site.way, took.as_secs_f64(), contents.unseen);
    let engine = contents.engine.as_ref().unwrap();
    assert!(engine.containers.iter().all(|container| container.log.is_none()));
    for what in ["other users' processes", "the logs of containers"] {
        assert!(contents.unseen.iter().any(|line| line.contains(what)), "{:?}", contents.unseen);
    }
    let running =
        engine.containers.iter().filter(|one| one.project.as_deref() == Some("docker") && one.is_running);
    assert!(running.count() >= 10);
}
