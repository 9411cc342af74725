//! What an engine has: its images, containers, volumes and networks, and what their labels say of Compose projects.
//!
//! All of it is listed quickly; how much of a disk it takes is [`usage`](super::usage)'s to say.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use bollard::Docker;
use bollard::models::{
    ContainerInspectResponse, ContainerStateStatusEnum, ImageSummary, MountPoint, Network as NetworkResponse,
    Volume as VolumeResponse,
};
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListNetworksOptions, ListVolumesOptions,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::containers::{name, service};
use super::{NO_ANSWER, Refusal};
use crate::base::clock::Timestamp;
use crate::host::Host;
use crate::host::failure::Failure;
use crate::model::clutter::contents::{Builds, Container, Engined, Image, Log, Network, Volume};

/// A host with thousands of containers and images takes its time, and every question over a pipe is a command there.
const PATIENCE: Duration = Duration::from_secs(180);

/// More connections would only wait for one another.
const QUESTIONS_AT_ONCE: usize = 8;

const PROJECT: &str = "com.docker.compose.project";

/// What Docker makes by itself.
const OWN_NETWORKS: [&str; 4] = ["bridge", "host", "none", "docker_gwbridge"];

/// An engine and what it has, before anything is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Stock {
    /// Without its mount, its projects, and every size but those of whole images.
    pub engine: Engined,
    pub projects: Vec<Labelled>,
    /// The folders and files of the host that containers are given, running or not.
    pub binds: Vec<Bind>,
    /// The containers of Compose services.
    pub instances: Vec<Instance>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bind {
    pub source: String,
    pub is_writable: bool,
}

/// A container of a Compose service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    pub project: String,
    pub service: String,
    /// Its image, as it was named when the container was made.
    pub image: String,
}

/// What labels say of a Compose project: all of it where a container of it is left, else only its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Labelled {
    pub name: String,
    pub directory: Option<String>,
    /// The Compose files, and the files of variables that were named beside them.
    pub files: Vec<String>,
    pub env_files: Vec<String>,
}

impl Host {
    /// What its engine has.
    ///
    /// # Errors
    /// When Docker does not answer.
    pub async fn stock(&self) -> Result<Stock, Failure> {
        let answer = async {
            let api = self.docker().await?;
            ask(api).await.map_err(|refusal| self.refused(refusal))
        };
        self.within(Some(PATIENCE), NO_ANSWER, answer).await
    }
}

async fn ask(api: &Docker) -> Result<Stock, Refusal> {
    let all = ListContainersOptionsBuilder::new().all(true).build();
    let digests = ListImagesOptionsBuilder::new().digests(true).build();
    // The containers last: an image that a container was made of meanwhile is seen to be used.
    let (info, images, volumes, networks) = tokio::try_join!(
        api.info(),
        api.list_images(Some(digests)),
        api.list_volumes(None::<ListVolumesOptions>),
        api.list_networks(None::<ListNetworksOptions>),
    )?;
    let listed = api.list_containers(Some(all)).await?;
    let containers = stream::iter(listed.into_iter().filter_map(|container| container.id))
        .map(async |id| present(api.inspect_container(&id, None).await))
        .buffered(QUESTIONS_AT_ONCE);
    let tagged = stream::iter(images.iter().map(|image| image.id.as_str()))
        .map(async |id| Ok::<_, Refusal>((id, present(api.inspect_image(id).await)?)))
        .buffered(QUESTIONS_AT_ONCE);
    let (containers, tagged): (Vec<_>, Vec<_>) =
        tokio::try_join!(containers.try_collect(), tagged.try_collect())?;
    let tagged = tagged
        .into_iter()
        .filter_map(|(id, image)| Some((id.to_owned(), moment(&image?.metadata?.last_tag_time?)?)));
    let tagged: BTreeMap<String, Timestamp> = tagged.collect();
    let containers: Vec<_> = containers.into_iter().flatten().collect();
    let root = info.docker_root_dir.unwrap_or_default();
    Ok(taken(root, images, &tagged, &containers, volumes.volumes.unwrap_or_default(), networks))
}

/// Nothing, where it was removed meanwhile.
fn present<T>(answer: Result<T, bollard::errors::Error>) -> Result<Option<T>, Refusal> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn taken(
    root: String,
    images: Vec<ImageSummary>,
    tagged: &BTreeMap<String, Timestamp>,
    inspected: &[ContainerInspectResponse],
    volumes: Vec<VolumeResponse>,
    networks: Vec<NetworkResponse>,
) -> Stock {
    let mut projects: Vec<Labelled> = inspected.iter().filter_map(|one| labelled(labels(one)?)).collect();
    let others = volumes.iter().map(|volume| &volume.labels);
    let others = others.chain(networks.iter().filter_map(|network| network.labels.as_ref()));
    projects.extend(others.filter_map(labelled));
    projects.sort();
    projects.dedup();
    let binds: BTreeSet<Bind> = inspected
        .iter()
        .flat_map(|one| mounts(one, "bind"))
        .filter_map(|mount| {
            Some(Bind { source: mount.source.clone()?, is_writable: mount.rw != Some(false) })
        })
        .collect();
    let instances = inspected.iter().filter_map(|one| {
        Some(Instance {
            project: labels(one)?.get(PROJECT)?.clone(),
            service: service(one).to_owned(),
            image: one.config.as_ref()?.image.clone()?,
        })
    });
    let instances = instances.collect();
    let users = |volume: &str| {
        let uses = |one: &&ContainerInspectResponse| {
            mounts(one, "volume").any(|mount| mount.name.as_deref() == Some(volume))
        };
        inspected.iter().filter(uses).map(|one| name(one).to_owned()).collect()
    };
    let volumes = volumes.into_iter().map(|volume| Volume {
        bytes: None,
        users: users(&volume.name),
        projects: volume.labels.get(PROJECT).cloned().into_iter().collect(),
        name: volume.name,
    });
    let engine = Engined {
        root,
        mount: String::new(),
        images: images.into_iter().map(|image| self::image(image, tagged)).collect(),
        containers: inspected.iter().filter_map(container).collect(),
        volumes: volumes.collect(),
        networks: networks.into_iter().filter_map(|one| network(one, inspected)).collect(),
        builds: Builds::default(),
        projects: Vec::new(),
    };
    Stock { engine, projects, binds: binds.into_iter().collect(), instances }
}

fn image(image: ImageSummary, tagged: &BTreeMap<String, Timestamp>) -> Image {
    // Older engines write `<none>` for a name that there is not.
    let named = |names: Vec<String>| names.into_iter().filter(|name| !name.contains("<none>")).collect();
    Image {
        tagged: tagged.get(&image.id).copied(),
        id: image.id,
        tags: named(image.repo_tags),
        digests: named(image.repo_digests),
        bytes: image.size.try_into().unwrap_or_default(),
        own_bytes: 0,
        // Builders that want the same image from the same files say that it is from 1970.
        created: Timestamp::from_second(image.created).ok().filter(|at| at.as_second() > 0),
    }
}

fn container(container: &ContainerInspectResponse) -> Option<Container> {
    let state = container.state.clone().unwrap_or_default();
    let is_over = matches!(
        state.status,
        Some(
            ContainerStateStatusEnum::CREATED
                | ContainerStateStatusEnum::EXITED
                | ContainerStateStatusEnum::DEAD
        )
    );
    let ended = state.finished_at.as_deref().and_then(moment).filter(|_| is_over);
    let driver = container.host_config.as_ref().and_then(|config| config.log_config.as_ref()?.typ.as_deref());
    let path = container.log_path.as_ref().filter(|path| driver == Some("json-file") && !path.is_empty());
    Some(Container {
        id: container.id.clone()?,
        name: name(container).to_owned(),
        image: container.image.clone().unwrap_or_default(),
        project: labels(container).and_then(|labels| labels.get(PROJECT).cloned()),
        is_running: !is_over,
        since: ended.or_else(|| container.created.as_deref().and_then(moment)),
        bytes: 0,
        log: path.map(|path| Log { path: path.clone(), bytes: 0 }),
    })
}

fn network(network: NetworkResponse, inspected: &[ContainerInspectResponse]) -> Option<Network> {
    let (id, name) = (network.id?, network.name.unwrap_or_default());
    let is_on = |container: &&ContainerInspectResponse| {
        let on = container.network_settings.as_ref().and_then(|settings| settings.networks.as_ref());
        on.into_iter().flatten().any(|(of, endpoint)| match endpoint.network_id.as_deref() {
            // One that was never started knows its networks by their names.
            None | Some("") => *of == name || *of == id,
            Some(of) => of == id,
        })
    };
    let is_of_a_swarm = network.scope.as_deref().is_some_and(|scope| scope != "local");
    Some(Network {
        project: network.labels.and_then(|labels| labels.get(PROJECT).cloned()),
        containers: inspected.iter().filter(is_on).count(),
        created: network.created.as_deref().and_then(moment),
        is_own: OWN_NETWORKS.contains(&name.as_str()) || is_of_a_swarm || network.ingress == Some(true),
        id,
        name,
    })
}

fn mounts<'a>(container: &'a ContainerInspectResponse, typ: &'a str) -> impl Iterator<Item = &'a MountPoint> {
    container.mounts.iter().flatten().filter(move |mount| mount.typ.as_deref() == Some(typ))
}

fn labels(container: &ContainerInspectResponse) -> Option<&HashMap<String, String>> {
    container.config.as_ref()?.labels.as_ref()
}

fn labelled(labels: &HashMap<String, String>) -> Option<Labelled> {
    let said = |what: &str| labels.get(&format!("{PROJECT}.{what}")).filter(|text| !text.is_empty());
    let files =
        |what| said(what).map(|text| text.split(',').map(str::to_owned).collect()).unwrap_or_default();
    Some(Labelled {
        name: labels.get(PROJECT).filter(|name| !name.is_empty())?.clone(),
        directory: said("working_dir").cloned(),
        files: files("config_files"),
        env_files: files("environment_file"),
    })
}

/// Docker writes the year one for what has not happened.
fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok().filter(|at: &Timestamp| at.as_second() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNNING: &str = r#"{ "Id": "30cd", "Created": "2026-11-27T19:06:27.638125383Z",
        "State": { "Status": "running", "Running": true, "Pid": 9594, "StartedAt": "2026-11-27T19:06:38.061282521Z",
                   "FinishedAt": "0001-01-01T00:00:00Z" },
        "Image": "sha256:a3c3", "LogPath": "/var/lib/docker/containers/30cd/30cd-json.log", "Name": "/opareta-hermes-1",
        "HostConfig": { "LogConfig": { "Type": "json-file", "Config": {} } },
        "Mounts": [ { "Type": "bind", "Source": "/etc/hermes", "Destination": "/etc/hermes", "Mode": "ro", "RW": false },
                    { "Type": "volume", "Name": "docker_data", "Source": "/var/lib/docker/volumes/docker_data/_data",
                      "Destination": "/data", "Driver": "local", "RW": true } ],
        "Config": { "Image": "127.0.0.1:22050/opareta/hermes:v1.2.0", "Labels": {
            "com.docker.compose.project": "docker", "com.docker.compose.service": "hermes-1",
            "com.docker.compose.project.config_files": "/srv/docker/docker-compose.prod.yml,/srv/docker/docker-compose.opsctl.yml",
            "com.docker.compose.project.working_dir": "/srv/docker" } },
        "NetworkSettings": { "Networks": { "docker_default": { "NetworkID": "67fa" } } } }"#;

    /// Stopped, by hand, with another driver for its log.
    const STOPPED: &str = r#"{ "Id": "beef", "Created": "2026-11-20T10:00:00Z",
        "State": { "Status": "exited", "FinishedAt": "2026-11-21T10:00:00.5Z" }, "Image": "sha256:0ee4", "LogPath": "", "Name": "/old",
        "HostConfig": { "LogConfig": { "Type": "local", "Config": {} } }, "Mounts": null, "Config": { "Image": "old", "Labels": null },
        "NetworkSettings": { "Networks": { "lonely": { "NetworkID": "" } } } }"#;

    fn stock() -> Stock {
        let images = r#"[
            { "Containers": -1, "Created": 1795805581, "Id": "sha256:0ee4", "Labels": {}, "ParentId": "", "RepoDigests": ["<none>@<none>"],
              "RepoTags": ["<none>:<none>"], "SharedSize": -1, "Size": 540983514 },
            { "Containers": -1, "Created": 0, "Id": "sha256:a3c3", "Labels": null, "ParentId": "",
              "RepoDigests": ["127.0.0.1:22050/opareta/hermes@sha256:72a6"], "RepoTags": ["127.0.0.1:22050/opareta/hermes:v1.2.0"],
              "SharedSize": -1, "Size": 122844746 } ]"#;
        let volumes = r#"[
            { "Name": "docker_data", "Driver": "local", "Mountpoint": "", "Labels": { "com.docker.compose.project": "docker" },
              "Options": {}, "Scope": "local" },
            { "Name": "left_data", "Driver": "local", "Mountpoint": "", "Labels": { "com.docker.compose.project": "left" }, "Options": {},
              "Scope": "local" } ]"#;
        let networks = r#"[
            { "Name": "docker_default", "Id": "67fa", "Created": "2026-11-27T19:06:27.217481616Z", "Scope": "local", "Driver": "bridge",
              "Labels": { "com.docker.compose.network": "default", "com.docker.compose.project": "docker" } },
            { "Name": "lonely", "Id": "10e1", "Created": "2026-11-27T19:06:27Z", "Scope": "local", "Driver": "bridge", "Labels": {} },
            { "Name": "none", "Id": "293d", "Created": "2026-11-27T18:36:53.758701372Z", "Scope": "local", "Driver": "null" } ]"#;
        let of = |text| serde_json::from_str(text).unwrap();
        let inspected: [ContainerInspectResponse; 2] = [RUNNING, STOPPED].map(of);
        let tagged = [("sha256:a3c3".to_owned(), "2026-11-27T18:40:35Z".parse().unwrap())].into();
        let parsed =
            (serde_json::from_str(images), serde_json::from_str(volumes), serde_json::from_str(networks));
        let root = "/var/lib/docker".to_owned();
        taken(root, parsed.0.unwrap(), &tagged, &inspected, parsed.1.unwrap(), parsed.2.unwrap())
    }

    #[test]
    fn a_container_that_is_over_is_so_since_it_ended_and_only_a_log_as_json_is_one() {
        let engine = stock().engine;
        let [running, stopped] = &engine.containers[..] else { panic!("{:?}", engine.containers) };
        assert_eq!((running.name.as_str(), running.is_running), ("opareta-hermes-1", true));
        assert_eq!(running.since, "2026-11-27T19:06:27.638125383Z".parse().ok());
        assert_eq!(running.project.as_deref(), Some("docker"));
        let path = "/var/lib/docker/containers/30cd/30cd-json.log".to_owned();
        assert_eq!(running.log, Some(Log { path, bytes: 0 }));
        assert_eq!((stopped.is_running, &stopped.log, &stopped.project), (false, &None, &None));
        assert_eq!(stopped.since, "2026-11-21T10:00:00.5Z".parse().ok());
    }

    #[test]
    fn what_stands_for_no_name_is_none_and_an_image_from_1970_has_no_time() {
        let [dangling, tagged] = &stock().engine.images[..] else { panic!() };
        assert!(dangling.tags.is_empty() && dangling.digests.is_empty() && dangling.tagged.is_none());
        assert_eq!(dangling.created.unwrap().as_second(), 1_795_805_581);
        assert_eq!(tagged.tags, ["127.0.0.1:22050/opareta/hermes:v1.2.0"]);
        assert_eq!((tagged.created, tagged.tagged), (None, "2026-11-27T18:40:35Z".parse().ok()));
    }

    #[test]
    fn a_network_and_a_volume_are_used_by_containers_that_do_not_run_as_well() {
        let engine = stock().engine;
        let networks: Vec<_> =
            engine.networks.iter().map(|one| (one.name.as_str(), one.containers, one.is_own)).collect();
        assert_eq!(networks, [("docker_default", 1, false), ("lonely", 1, false), ("none", 0, true)]);
        let volumes: Vec<_> = engine
            .volumes
            .iter()
            .map(|one| (one.name.as_str(), one.users.join(","), one.projects.join(",")))
            .collect();
        let own = |text: &str| text.to_owned();
        assert_eq!(
            volumes,
            [
                ("docker_data", own("opareta-hermes-1"), own("docker")),
                ("left_data", String::new(), own("left"))
            ]
        );
    }

    #[test]
    fn labels_tell_of_projects_and_a_volume_is_enough() {
        let stock = stock();
        let told: Vec<_> =
            stock.projects.iter().map(|one| (one.name.as_str(), one.directory.as_deref())).collect();
        assert_eq!(told, [("docker", None), ("docker", Some("/srv/docker")), ("left", None)]);
        let files = ["/srv/docker/docker-compose.prod.yml", "/srv/docker/docker-compose.opsctl.yml"];
        assert_eq!(stock.projects[1].files, files);
        assert_eq!(stock.binds, [Bind { source: "/etc/hermes".to_owned(), is_writable: false }]);
        let image = "127.0.0.1:22050/opareta/hermes:v1.2.0".to_owned();
        let (project, service) = ("docker".to_owned(), "hermes-1".to_owned());
        assert_eq!(stock.instances, [Instance { project, service, image }]);
    }
}
