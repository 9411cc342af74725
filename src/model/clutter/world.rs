//! Hosts made by chance. There is little to choose from, so that names, ids and times meet.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::contents::*;
use super::terms::Cleanup;
use crate::base::amount::Span;
use crate::base::clock::Timestamp;
use crate::base::image::Reference;
use crate::base::percent::Percent;
use crate::base::size::Size;
use crate::model::backups::Kind as Engine;
use crate::model::manifest::{Backup, Listing, Manifest};

const HOUR: i64 = 3600;

pub(crate) const REPOSITORIES: [&str; 3] = ["a", "r:5000/b", "c/d"];

const TAGS: [&str; 6] = ["a:1", "a:2", "a:latest", "r:5000/b:1", "r:5000/b:2", "c/d:1"];

/// Repositories, and which of the digests they have.
const DIGESTS: [(&str, usize); 5] = [("a", 0), ("a", 1), ("r:5000/b", 0), ("r:5000/b", 2), ("c/d", 3)];

/// What a name finds: a tag or a digest as Docker writes it; and what it could mean besides.
pub(crate) struct Name {
    pub text: String,
    pub finds: String,
    pub tag: Option<&'static str>,
    pub digest: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub contents: Contents,
    pub terms: Cleanup,
    /// The layers of each image, by its number.
    pub layers: Vec<BTreeSet<u64>>,
}

pub(crate) fn digest(number: usize) -> String {
    format!("sha256:d{number}{}", "0".repeat(62))
}

pub(crate) fn id(number: usize) -> String {
    format!("sha256:e{number}{}", "0".repeat(62))
}

/// The number in an [`id`].
pub(crate) fn number(id: &str) -> usize {
    id["sha256:e".len()..][..1].parse().unwrap()
}

/// Every way to write the name of an image, with what Docker finds by it.
pub(crate) fn names() -> Vec<Name> {
    let by_tag = |text: &str, tag: &'static str| Name {
        text: text.to_owned(),
        finds: tag.to_owned(),
        tag: Some(tag),
        digest: None,
    };
    let by_digest = |text: &str, repository: &str, number: usize, tag: Option<&'static str>| Name {
        text: format!("{text}@{}", digest(number)),
        finds: format!("{repository}@{}", digest(number)),
        tag,
        digest: Some(digest(number)),
    };
    vec![
        by_tag("a:1", "a:1"),
        by_tag("docker.io/library/a:2", "a:2"),
        by_tag("a", "a:latest"),
        by_tag("index.docker.io/a:1", "a:1"),
        by_tag("r:5000/b:1", "r:5000/b:1"),
        by_tag("docker.io/c/d:1", "c/d:1"),
        by_tag("r:5000/b", "r:5000/b:latest"),
        by_tag("z:9", "z:9"),
        by_digest("a", "a", 0, None),
        by_digest("docker.io/a:1", "a", 1, Some("a:1")),
        by_digest("r:5000/b:2", "r:5000/b", 2, Some("r:5000/b:2")),
        by_digest("c/d:1", "c/d", 3, Some("c/d:1")),
    ]
}

fn ago(seconds: i64) -> Timestamp {
    let now: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
    Timestamp::from_second(now.as_second() - seconds).unwrap()
}

fn any_time() -> impl Strategy<Value = Option<Timestamp>> {
    option::weighted(0.9, select(vec![-HOUR, 0, 23 * HOUR, 24 * HOUR, 500 * HOUR, 900 * HOUR]).prop_map(ago))
}

fn any_image() -> impl Strategy<Value = Image> {
    let tags = subsequence(TAGS.to_vec(), 0..3);
    let digests = subsequence(DIGESTS.to_vec(), 0..3);
    (0..7_usize, tags, digests, any_time(), any_time()).prop_map(
        |(number, tags, digests, created, tagged)| {
            let of = |(repository, number): &(&str, usize)| format!("{repository}@{}", digest(*number));
            Image {
                id: id(number),
                tags: tags.into_iter().map(str::to_owned).collect(),
                digests: digests.iter().map(of).collect(),
                bytes: 0,
                own_bytes: 0,
                created,
                tagged,
            }
        },
    )
}

fn any_container() -> impl Strategy<Value = Container> {
    let log = option::of((0..4_u64).prop_map(|size| Log { path: "/d/log".to_owned(), bytes: size << 19 }));
    let project = option::of((0..4_u8).prop_map(|number| format!("p{number}")));
    let is_running = prop::bool::weighted(0.3);
    (0..7_usize, project, is_running, any_time(), 0..500_u64, log).prop_map(
        |(image, project, is_running, since, bytes, log)| Container {
            id: String::new(),
            name: String::new(),
            image: id(image),
            project,
            is_running,
            since,
            bytes,
            log,
        },
    )
}

fn any_project(name: &'static str) -> impl Strategy<Value = Project> {
    let images = vec(select(names().into_iter().map(|name| name.text).collect::<Vec<_>>()), 0..2);
    let networks = subsequence(vec!["n0".to_owned(), "n1".to_owned(), "n2".to_owned()], 0..2);
    (images, networks, prop::bool::weighted(0.1), prop::bool::weighted(0.2)).prop_map(
        move |(images, networks, is_unread, is_gone)| Project {
            name: name.to_owned(),
            images: if is_unread || is_gone { Vec::new() } else { images },
            volumes: Vec::new(),
            networks,
            unread: (is_unread || is_gone).then(|| "why".to_owned()),
            is_gone,
        },
    )
}

fn any_network(number: usize) -> impl Strategy<Value = Network> {
    let project = option::of((0..4_u8).prop_map(|number| format!("p{number}")));
    (project, 0..2_usize, any_time(), prop::bool::weighted(0.1)).prop_map(
        move |(project, containers, created, is_own)| Network {
            id: format!("ffff{number}{}", "0".repeat(59)),
            name: format!("n{number}"),
            project,
            containers,
            created,
            is_own,
        },
    )
}

fn any_volume() -> impl Strategy<Value = Volume> {
    let some = |word: &str| vec(Just(word.to_owned()), 0..2);
    (option::of(0..99_u64), some("c0"), some("p0")).prop_map(|(bytes, users, projects)| Volume {
        name: "v".to_owned(),
        bytes,
        users,
        projects,
    })
}

fn any_engine() -> impl Strategy<Value = Engined> {
    let projects = (any_project("p0"), any_project("p1"), any_project("p2"));
    let networks = (any_network(0), any_network(1), any_network(2), any_network(3));
    let mount = select(vec!["/", "/data"]);
    let builds = (0..9_u64, 0..900_u64, 0..900_u64).prop_map(|(dangling, bytes, more)| Builds {
        dangling,
        bytes,
        all_bytes: bytes + more,
    });
    let lists = (vec(any_image(), 0..9), vec(any_container(), 0..7), vec(any_volume(), 0..3));
    (lists, projects, networks, mount, builds).prop_map(|(lists, projects, networks, mount, builds)| {
        let (images, mut containers, volumes) = lists;
        for (number, container) in containers.iter_mut().enumerate() {
            container.id = format!("cccc{number}{}", "0".repeat(59));
            container.name = format!("c{number}");
        }
        Engined {
            root: "/var/lib/docker".to_owned(),
            mount: mount.to_owned(),
            images,
            containers,
            volumes,
            networks: vec![networks.0, networks.1, networks.2, networks.3],
            builds,
            projects: vec![projects.0, projects.1, projects.2],
        }
    })
}

fn any_service() -> impl Strategy<Value = Released> {
    let images = vec(select(names().into_iter().map(|name| name.text).collect::<Vec<_>>()), 0..5);
    (select(REPOSITORIES.to_vec()), images).prop_map(|(repository, images)| Released {
        service: format!("of {repository}"),
        repository: repository.to_owned(),
        images: images.iter().map(|text| Reference::parse(text).unwrap()).collect(),
    })
}

fn any_run() -> impl Strategy<Value = Unfinished> {
    let tags = TAGS.map(str::to_owned).into_iter();
    let others = ["c0", "c1", "n0", "n1"].map(str::to_owned).into_iter();
    let words = tags.chain(others).chain((0..7).map(id)).chain((0..4).map(digest)).collect::<Vec<_>>();
    vec(select(words), 0..3).prop_map(|words| Unfinished {
        run: "7".to_owned(),
        plan: serde_json::json!({ "script": words.join("\n") }).to_string(),
    })
}

fn any_backup() -> impl Strategy<Value = Backup> {
    let word = |word: &'static str| select(vec!["", "", word]);
    (0..40_i64, 0..4_u64, word("r"), word("before a restore"), 0..3_u8).prop_map(
        |(hours, bytes, run, reason, form)| {
            let at = ago(hours * 6 * HOUR);
            let verified = if form == 0 { r#"{"at":"2026-11-27T10:00:00Z"}"# } else { "null" };
            let text = format!(
                r#"{{"kind":"postgres","of":"x","at":"{at}","run":"{run}","reason":"{reason}","bytes":3,"sha256":"","verified":{verified}}}"#
            );
            let manifest: Option<Manifest> = (form < 2).then(|| serde_json::from_str(&text).unwrap());
            let bytes = Some(if bytes == 0 { 2 } else { 3 });
            Backup { file: String::new(), bytes, at, written: at, manifest }
        },
    )
}

fn any_vault(name: &'static str) -> impl Strategy<Value = Vault> {
    let days = || option::of((0..6_u64).prop_map(|days| days * 24 * 3600));
    let keep = (1..4_u32, days(), days());
    (vec(any_backup(), 0..9), keep, select(vec!["/", "/data"])).prop_map(
        move |(mut backups, (count, seconds, rpo_seconds), mount)| {
            backups.sort_by_key(|backup| std::cmp::Reverse(backup.at));
            for (number, backup) in backups.iter_mut().enumerate() {
                backup.file = format!("/b/{name}-{number}");
            }
            Vault {
                kind: Engine::Postgres,
                name: name.to_owned(),
                mount: mount.to_owned(),
                keep: Keep { count, seconds, rpo_seconds },
                listing: Listing { now: ago(0), directory: "/b".to_owned(), is_missing: false, backups },
            }
        },
    )
}

fn any_pile() -> impl Strategy<Value = Pile> {
    let place = select(vec![
        (Rule::Packages, "/var/cache/apt/archives"),
        (Rule::RotatedLogs, "/var/log"),
        (Rule::Temporary, "/tmp"),
        (Rule::Temporary, "/var/tmp"),
        (Rule::Temporary, "/tmp/{{ x }}"),
    ]);
    (place, select(vec!["/", "/data"]), 0..9_u64, 0..9_u64).prop_map(
        |((rule, folder), mount, files, more)| Pile {
            rule,
            directory: folder.to_owned(),
            mount: mount.to_owned(),
            files,
            bytes: files * 10,
            all_files: files + more,
            all_bytes: (files + more) * 10,
        },
    )
}

fn any_disks() -> impl Strategy<Value = Vec<Disk>> {
    let room = || (0..101_u64).prop_map(|used| Room { used, free: 100 - used });
    let disk = |mount: &'static str| {
        (room(), option::of(room())).prop_map(move |(bytes, inodes)| Disk {
            mount: mount.to_owned(),
            bytes,
            inodes,
        })
    };
    (disk("/"), disk("/data")).prop_map(|(root, data)| vec![root, data])
}

fn any_terms() -> impl Strategy<Value = Cleanup> {
    (2..4_u32, 1..4_u32, 0..3_u64, 0..40_u32).prop_map(|(keep_releases, keep_verified, days, free)| Cleanup {
        until_free: Percent(f64::from(free) / 2.0),
        keep_releases,
        keep_verified,
        keep_of_log: Size(1 << 20),
        unused_for: Span::secs(days * 24 * 3600),
        ..Cleanup::default()
    })
}

pub(crate) fn any_world() -> impl Strategy<Value = World> {
    let layers = vec(prop::collection::btree_set(0..8_u64, 0..5), 7);
    let journal = option::of((0..99_u64, 0..99_u64).prop_map(|(old, more)| Journal {
        directory: "/var/log/journal".to_owned(),
        mount: "/".to_owned(),
        old_bytes: old,
        all_bytes: old + more,
    }));
    let vaults = (any_vault("x"), any_vault("y"));
    let known = (vec(any_service(), 0..4), vec(any_run(), 0..2), vaults);
    let found = (any_disks(), any_engine(), vec(any_pile(), 0..5), journal);
    (found, known, any_terms(), layers).prop_map(|(found, known, terms, layers)| {
        let (disks, mut engine, piles, journal) = found;
        let (services, unfinished, (one, other)) = known;
        measure(&mut engine.images, &layers);
        let contents = Contents {
            now: ago(0),
            disks,
            engine: Some(engine),
            piles,
            spared: vec!["/opt/{{ shop }}".to_owned()],
            journal,
            held: Vec::new(),
            vaults: vec![one, other],
            services,
            unfinished,
            unseen: Vec::new(),
        };
        World { contents, terms, layers }
    })
}

pub(crate) fn bytes_of<'a>(layers: impl IntoIterator<Item = &'a u64>) -> u64 {
    layers.into_iter().map(|layer| 100 + layer).sum()
}

/// As Docker does it.
fn measure(images: &mut [Image], layers: &[BTreeSet<u64>]) {
    let there: BTreeSet<usize> = images.iter().map(|image| number(&image.id)).collect();
    for image in images {
        let own = number(&image.id);
        let is_shared =
            |layer: &&u64| there.iter().any(|other| *other != own && layers[*other].contains(*layer));
        image.bytes = bytes_of(&layers[own]);
        image.own_bytes = bytes_of(layers[own].iter().filter(|layer| !is_shared(layer)));
    }
}
