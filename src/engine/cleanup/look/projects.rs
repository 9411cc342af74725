//! The Compose projects of a host, of the inventory or not, and what their files declare.
//!
//! Those that the inventory does not have are known by the labels of their containers, which name their files; what `docker compose ls`
//! says comes from there, too. Where no container is left, the labels of volumes and networks still tell that there was one.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};

use super::asked::{Asked, Seen, asked, is_about_the_host};
use super::question::{ask, lines};
use crate::host::Host;
use crate::host::compose::Config;
use crate::host::docker::stock::Labelled;
use crate::host::failure::Failure;
use crate::model::clutter::contents::Project;
use crate::model::facts::{HostFacts, Site};

const FILES: &str = include_str!("files.sh");

const PATIENCE: Duration = Duration::from_secs(60);

/// Two leave a turn for what else is asked.
const PROJECTS_AT_ONCE: usize = 2;

/// What was read of the projects.
#[derive(Debug, Default)]
pub(super) struct Projects {
    pub all: Vec<Project>,
    /// The configurations of those of the inventory, by their names there.
    pub configs: BTreeMap<String, Config>,
}

/// A project, and how Compose is asked for it.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    /// As Compose knows it.
    name: String,
    /// In the inventory.
    entry: Option<String>,
    compose: Vec<String>,
    /// Where the files are said to be, and where nothing says it, none.
    directory: Option<String>,
    files: Vec<String>,
}

pub(super) async fn look(
    machine: &Host,
    site: Site<'_>,
    host: &str,
    labelled: &[Labelled],
) -> Asked<Projects> {
    let mut seen: Seen<Projects> = Seen::default();
    let facts = match site.facts.hosts.get(host) {
        Some(facts) => Some(facts.clone()),
        None => asked(machine, "the files of Compose projects", machine.facts().await, &mut seen.unseen)?,
    };
    let compose = facts.map(|facts| facts.compose).unwrap_or_default();
    let mut known: Vec<Known> = declared(site, host).collect();
    let others: Vec<Known> =
        labelled.iter().filter_map(|labels| by_labels(labels, &compose, &known)).collect();
    known.extend(others);
    let read = stream::iter(known).map(|known| read(machine, known)).buffered(PROJECTS_AT_ONCE);
    let mut all: BTreeMap<String, Project> = BTreeMap::new();
    for read in read.collect::<Vec<_>>().await {
        let (entry, config, project) = read?;
        seen.found.configs.extend(entry.zip(config));
        add(&mut all, project);
    }
    for project in refused(machine, site, host, &compose, labelled).await? {
        seen.unseen.push(format!(
            "project `{}`: {}",
            project.name,
            project.unread.as_deref().unwrap_or_default()
        ));
        add(&mut all, project);
    }
    for labels in labelled {
        all.entry(labels.name.clone()).or_insert_with(|| Project {
            unread: Some("nothing on the host says where its files are".to_owned()),
            is_gone: true,
            ..nothing_of(&labels.name)
        });
    }
    seen.found.all = all.into_values().collect();
    Ok(seen)
}

/// Those of the inventory of which the facts say what Compose calls them.
fn declared<'a>(site: Site<'a>, host: &'a str) -> impl Iterator<Item = Known> + 'a {
    let of_host = site.inventory.projects.iter().filter(move |(_, project)| project.host == host);
    of_host.filter_map(move |(entry, project)| {
        Some(Known {
            name: site.facts.projects.get(entry)?.name.clone(),
            entry: Some(entry.clone()),
            compose: site.compose(entry).ok()?,
            directory: Some(project.directory.clone()),
            files: project.files.clone(),
        })
    })
}

/// Those of the inventory of which they do not: by the name that containers from the same folder have, else by the one in the inventory.
async fn refused(
    machine: &Host,
    site: Site<'_>,
    host: &str,
    compose: &[String],
    labelled: &[Labelled],
) -> Result<Vec<Project>, Failure> {
    let mut refused = Vec::new();
    let of_host = site.inventory.projects.iter().filter(|(_, project)| project.host == host);
    for (entry, project) in of_host.filter(|(entry, _)| !site.facts.projects.contains_key(*entry)) {
        let facts = HostFacts { compose: compose.to_vec() };
        let why = match machine.project_facts(&facts, project).await {
            Ok(_) => "the host was not asked what Compose calls it".to_owned(),
            Err(failure) if is_about_the_host(machine, &failure) => return Err(failure),
            Err(failure) => failure.message,
        };
        let is_from_there = |labels: &&Labelled| labels.directory.as_ref() == Some(&project.directory);
        let name = labelled.iter().find(is_from_there).map_or(entry, |labels| &labels.name);
        refused.push(Project { unread: Some(why), ..nothing_of(name) });
    }
    Ok(refused)
}

/// One that a container tells of, unless it is one of `known`.
fn by_labels(labels: &Labelled, compose: &[String], known: &[Known]) -> Option<Known> {
    let directory = labels.directory.clone()?;
    let within = |file: &String| match file.starts_with('/') {
        true => file.clone(),
        false => format!("{}/{}", directory.trim_end_matches('/'), file.trim_start_matches("./")),
    };
    let files: Vec<String> = labels.files.iter().map(within).collect();
    let is_same = |known: &Known| {
        let theirs = known.directory.as_deref().unwrap_or_default().trim_end_matches('/');
        let is_theirs = |file: &String| {
            known.files.is_empty()
                || known.files.iter().any(|own| *file == format!("{theirs}/{}", own.trim_start_matches("./")))
        };
        known.name == labels.name && theirs == directory.trim_end_matches('/') && files.iter().all(is_theirs)
    };
    if known.iter().any(is_same) {
        return None;
    }
    let option = |name: &'static str| move |value: &String| [name.to_owned(), value.clone()];
    let argv = compose.iter().cloned();
    let argv = argv.chain(["-p", &labels.name, "--project-directory", &directory].map(str::to_owned));
    let argv = argv.chain(labels.env_files.iter().flat_map(option("--env-file")));
    let argv = argv.chain(files.iter().flat_map(option("-f")));
    Some(Known {
        name: labels.name.clone(),
        entry: None,
        compose: if compose.is_empty() { Vec::new() } else { argv.collect() },
        files,
        directory: Some(directory),
    })
}

type Read = (Option<String>, Option<Config>, Project);

/// What its files declare, or why that cannot be read.
async fn read(machine: &Host, known: Known) -> Result<Read, Failure> {
    let Known { name, entry, mut compose, directory, files } = known;
    let directory = directory.unwrap_or_default();
    // The older Compose shows the services of all profiles.
    if compose.first().is_some_and(|word| word == "docker") {
        compose.extend(["--profile", "*"].map(str::to_owned));
    }
    let why = match compose.is_empty() {
        true => "there is no Compose on the host".to_owned(),
        false => match machine.compose_config(&compose, &directory, None).await {
            Ok(config) => {
                let project = Project {
                    images: config.images(&name),
                    volumes: config.volumes(&name),
                    networks: config.networks(&name),
                    ..nothing_of(&name)
                };
                return Ok((entry, Some(config), project));
            }
            Err(failure) if is_about_the_host(machine, &failure) => return Err(failure),
            Err(failure) => failure.message,
        },
    };
    let is_gone = entry.is_none() && are_gone(machine, &directory, &files).await?;
    let why = if is_gone { format!("its files are not in `{directory}` any more") } else { why };
    Ok((entry, None, Project { unread: Some(why), is_gone, ..nothing_of(&name) }))
}

/// Whether it is certain that no file of a project is there.
async fn are_gone(machine: &Host, directory: &str, files: &[String]) -> Result<bool, Failure> {
    let files = if files.is_empty() { lines([directory]) } else { lines(files) };
    match ask(machine, &[("files", &files)], FILES, None, PATIENCE).await {
        Ok(answer) => Ok(answer.stdout.trim() == "gone"),
        Err(failure) if is_about_the_host(machine, &failure) => Err(failure),
        Err(_) => Ok(false),
    }
}

fn nothing_of(name: &str) -> Project {
    Project {
        name: name.to_owned(),
        images: Vec::new(),
        volumes: Vec::new(),
        networks: Vec::new(),
        unread: None,
        is_gone: false,
    }
}

fn add(all: &mut BTreeMap<String, Project>, project: Project) {
    match all.get_mut(&project.name) {
        Some(known) => join(known, project),
        None => drop(all.insert(project.name.clone(), project)),
    }
}

/// What two sets of files of the same project declare.
fn join(known: &mut Project, other: Project) {
    let add = |to: &mut Vec<String>, from: Vec<String>| {
        to.extend(from);
        to.sort();
        to.dedup();
    };
    add(&mut known.images, other.images);
    add(&mut known.volumes, other.volumes);
    add(&mut known.networks, other.networks);
    // Files that are gone say nothing about those that are there.
    let (is_known_gone, is_other_gone) = (known.is_gone, other.is_gone);
    known.is_gone = is_known_gone && is_other_gone;
    known.unread = match (known.unread.take(), other.unread) {
        (Some(_), other) if is_known_gone => other,
        (known, Some(_)) if is_other_gone => known,
        (known, other) => known.or(other),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled(name: &str, directory: &str, files: &[&str]) -> Labelled {
        let files = files.iter().map(|file| (*file).to_owned()).collect();
        Labelled {
            name: name.to_owned(),
            directory: Some(directory.to_owned()),
            files,
            env_files: Vec::new(),
        }
    }

    fn project(name: &str, images: &[&str], unread: Option<&str>, is_gone: bool) -> Project {
        let images = images.iter().map(|image| (*image).to_owned()).collect();
        Project { images, unread: unread.map(str::to_owned), is_gone, ..nothing_of(name) }
    }

    #[test]
    fn labels_name_the_files_of_a_project_that_the_inventory_does_not_have() {
        let compose = ["docker", "compose"].map(str::to_owned);
        // The older Compose wrote its files as they were given.
        let other = labelled("shop", "/srv/shop", &["docker-compose.yml", "./more.yml"]);
        let known = by_labels(&other, &compose, &[]).unwrap();
        let expected = "docker compose -p shop --project-directory /srv/shop -f /srv/shop/docker-compose.yml -f /srv/shop/more.yml";
        assert_eq!(known.compose.join(" "), expected);
        let declared = Known {
            name: "shop".to_owned(),
            entry: Some("store".to_owned()),
            compose: Vec::new(),
            directory: Some("/srv/shop/".to_owned()),
            files: vec!["docker-compose.yml".to_owned(), "more.yml".to_owned(), "third.yml".to_owned()],
        };
        assert_eq!(by_labels(&other, &compose, std::slice::from_ref(&declared)), None);
        let elsewhere = labelled("shop", "/srv/other", &["docker-compose.yml"]);
        assert!(by_labels(&elsewhere, &compose, &[declared]).is_some());
    }

    #[test]
    fn files_that_are_gone_say_nothing_about_those_of_the_same_project_that_are_there() {
        let joined = |mut one: Project, other: Project| {
            join(&mut one, other);
            (one.images.join(","), one.unread, one.is_gone)
        };
        let read = project("p", &["a"], None, false);
        let gone = project("p", &[], Some("gone"), true);
        let refused = project("p", &[], Some("refused"), false);
        assert_eq!(joined(gone.clone(), read.clone()), ("a".to_owned(), None, false));
        assert_eq!(joined(read.clone(), gone.clone()), ("a".to_owned(), None, false));
        assert_eq!(joined(read, refused.clone()), ("a".to_owned(), Some("refused".to_owned()), false));
        assert_eq!(joined(gone.clone(), refused), (String::new(), Some("refused".to_owned()), false));
        assert_eq!(joined(gone.clone(), gone), (String::new(), Some("gone".to_owned()), true));
    }
}
