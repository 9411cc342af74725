//! What runs: asked of Compose, of Docker and of the history that the host keeps.

use std::collections::{BTreeMap, BTreeSet};

use super::{Instance, Means, Running};
use crate::base::image::Reference;
use crate::base::{Error, Kind, Result};
use crate::engine::hosts::Hosts;
use crate::engine::world::{Request, World as _};
use crate::host::compose::Config;
use crate::host::docker::images::Offer;
use crate::host::failure::Failure;
use crate::model::facts::{PINS, Site};
use crate::model::inventory::Service;
use crate::model::operation::{Command, DockerQuery, Operation, Program, Selection, quoted};
use crate::model::release::{self, History};

/// Stands for a version, to see which services a variable moves.
const PROBE: &str = "opsctl-probe";

/// Why a look at a service came to nothing.
pub enum Blind {
    /// The host did not answer.
    Unreachable(Failure),
    /// It did, and what it says cannot be rolled.
    Unfit(Error),
}

impl From<Failure> for Blind {
    fn from(failure: Failure) -> Blind {
        Blind::Unreachable(failure)
    }
}

/// A service as it runs now. The facts are those of its host and project.
///
/// # Errors
/// When the host does not answer, or the service cannot be given another version: then with the way out.
pub async fn look(hosts: &Hosts, site: Site<'_>, name: &str) -> Result<Running, Blind> {
    let unfit = |why: String| Blind::Unfit(Error::new(Kind::Refused, why));
    let service = &site.inventory.services[name];
    let project = &site.inventory.projects[&service.project];
    let host = hosts.connection(&project.host).await?;
    let compose = site.compose(&service.project).map_err(unfit)?;
    let config = host.compose_config(&compose, &project.directory, None).await?;
    let directory = Some(project.directory.clone());
    let pins =
        Command { directory, ..Command::new(Program::Shell(format!("cat {PINS} 2>/dev/null || true"))) };
    let pinned = pinned(&host.run(&pins, None, &mut |_, _| {}).await?.stdout);
    let means = means(hosts, site, name, service, &compose, &config).await?;
    let containers = containers(hosts, site, &service.project).await?;
    let mut instances = Vec::new();
    for instance in service.instances.keys() {
        let said = |config: &Config| {
            let image = config.services.get(instance).and_then(|service| service.image.as_deref());
            image.map(|image| Reference::parse(image).map(familiar))
        };
        let configured = match said(&config) {
            Some(Ok(image)) => image,
            Some(Err(why)) => return Err(unfit(format!("instance `{instance}`: {why}"))),
            None => {
                let why =
                    format!("the Compose files give `{instance}` no `image`, so there is no version of it");
                return Err(Blind::Unfit(
                    Error::new(Kind::Refused, why).hint("build it, push it, and name it with `image:`"),
                ));
            }
        };
        let container = containers.get(instance);
        let image = container.and_then(|(image, _)| Reference::parse(image).ok().map(familiar));
        instances.push(Instance {
            name: instance.clone(),
            image: image.unwrap_or_else(|| configured.clone()),
            image_id: container.map(|(_, id)| id.clone()),
            configured,
            is_pinned: pinned.contains(instance),
        });
    }
    let mut repositories: BTreeSet<String> =
        instances.iter().map(|one: &Instance| one.configured.repository.clone()).collect();
    let (Some(repository), true) = (repositories.pop_first(), repositories.is_empty()) else {
        return Err(unfit(format!(
            "the instances of `{name}` are made from different images, so they have no version in common"
        )));
    };
    // A container may have been made by another name of its image, which Compose could not be given: its id tells which one it is.
    for instance in instances.iter_mut().filter(|instance| instance.image.repository != repository) {
        instance.image = instance.configured.clone();
    }
    let needs = service.instances.keys().filter_map(|instance| config.services.get(instance));
    let needs = needs.flat_map(|service| service.needs()).map(str::to_owned).collect();
    Ok(Running {
        service: name.to_owned(),
        project: service.project.clone(),
        host: project.host.clone(),
        history: history(hosts, site, name, service).await?,
        images: host.images(&repository).await?,
        repository,
        instances,
        means,
        needs,
    })
}

/// What the registry says of an image, asked by a host's engine.
///
/// # Errors
/// When the host does not answer.
pub async fn offer(hosts: &Hosts, host: &str, image: &Reference) -> Result<Offer, Failure> {
    // An engine takes a tag or a digest, and not both.
    let tag = image.tag.clone().filter(|_| image.digest.is_none());
    let image = Reference { tag, ..image.clone() };
    hosts.connection(host).await?.offer(&image.to_string()).await
}

/// The services that opsctl's own Compose file is about.
fn pinned(file: &str) -> BTreeSet<String> {
    let entry = |line: &str| {
        line.strip_prefix("  ")?.strip_suffix(':').filter(|name| !name.starts_with(' ')).map(str::to_owned)
    };
    file.lines().filter_map(entry).collect()
}

/// As Docker itself writes the name of an image of its default registry.
pub(in crate::engine) fn familiar(image: Reference) -> Reference {
    let short = ["docker.io/library/", "index.docker.io/library/", "docker.io/", "index.docker.io/"];
    let repository = short.iter().find_map(|prefix| image.repository.strip_prefix(prefix));
    match repository.map(str::to_owned) {
        Some(repository) => Reference { repository, ..image },
        None => image,
    }
}

async fn means(
    hosts: &Hosts,
    site: Site<'_>,
    name: &str,
    service: &Service,
    compose: &[String],
    config: &Config,
) -> Result<Means, Blind> {
    let Some(variable) = &service.image_tag else { return Ok(Means::Pins) };
    let project = &site.inventory.projects[&service.project];
    let host = hosts.connection(&project.host).await?;
    let script = format!(
        "sed -n 's/^[[:space:]]*\\(export[[:space:]]*\\)\\{{0,1\\}}{variable}=/=/p' .env 2>/dev/null | tail -n 1"
    );
    let directory = Some(project.directory.clone());
    let command = Command { directory, ..Command::new(Program::Shell(script)) };
    let asked = host.run(&command, None, &mut |_, _| {}).await?;
    let Some(value) = asked.stdout.trim_end_matches(['\n', '\r']).strip_prefix('=').map(str::to_owned) else {
        return Ok(Means::Pins);
    };
    let probed = host.compose_config(compose, &project.directory, Some((variable, PROBE))).await?;
    let moved: BTreeSet<&String> = probed
        .services
        .iter()
        .filter(|(name, service)| {
            service.image != config.services.get(*name).and_then(|known| known.image.clone())
        })
        .map(|(name, _)| name)
        .collect();
    let out = |why: String| {
        Blind::Unfit(
            Error::new(Kind::Refused, why)
                .hint(format!("give `{name}` a variable of its own, in `.env` and in the Compose files"))
                .hint(format!("or remove `image_tag` from `{name}` in the inventory: opsctl then pins each instance in a Compose file of its own")),
        )
    };
    let others: Vec<_> = moved.iter().filter(|moved| !service.instances.contains_key(**moved)).collect();
    if !others.is_empty() {
        let others: Vec<_> = others.into_iter().map(|other| format!("`{other}`")).collect();
        return Err(out(format!(
            "`{variable}` also says which version {} runs, and would move it along with `{name}`",
            others.join(", ")
        )));
    }
    if let Some(still) = service.instances.keys().find(|instance| !moved.contains(instance)) {
        return Err(out(format!("`{variable}` does not say which image `{still}` is made from")));
    }
    Ok(Means::Variable { name: variable.clone(), value })
}

/// The image and its id of each service that has a container.
async fn containers(
    hosts: &Hosts,
    site: Site<'_>,
    project: &str,
) -> Result<BTreeMap<String, (String, String)>, Failure> {
    let of = Selection {
        project: site.facts.projects[project].name.clone(),
        compose: site.compose(project).unwrap_or_default(),
        service: None,
    };
    let request = Request {
        host: Some(&site.inventory.projects[project].host),
        operation: &Operation::Docker(DockerQuery::Containers(of)),
        timeout: None,
        output: &mut |_, _| {},
        key: None,
    };
    let seen = hosts.perform(request).await?;
    let all = seen.value["containers"].as_array().cloned().unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    Ok(all.iter().map(|one| (text(&one["service"]), (text(&one["image"]), text(&one["image_id"])))).collect())
}

async fn history(hosts: &Hosts, site: Site<'_>, name: &str, service: &Service) -> Result<History, Blind> {
    let folder = release::folder(site, &service.project);
    let folder = folder.map_err(|why| Blind::Unfit(Error::internal(why)))?;
    let script = format!("{folder}\ncat \"$folder\"/{}.jsonl 2>/dev/null || true", quoted(name));
    let host = hosts.connection(site.inventory.host_of(&service.project)).await?;
    let asked = host.run(&Command::new(Program::Shell(script)), None, &mut |_, _| {}).await?;
    Ok(History::read(&asked.stdout))
}
