//! How much of the disk it takes what an engine has.
//!
//! Asked by hand and not through `bollard`: that one knows the answer of the newest version of the API alone, whose fields are
//! others than those of all before it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::{Client, NO_ANSWER};
use crate::base::amount::Span;
use crate::host::failure::{Failure, FailureKind};
use crate::host::{Host, http};
use crate::model::clutter::contents::{Builds, Engined};
use crate::model::operation::{HttpRequest, Via};

/// The engine walks through the files of every container and volume.
const PATIENCE: Duration = Duration::from_secs(300);

/// The last version of the API in whose answer the images, the containers, the volumes and the build cache each are a list.
const LAST_VERSION: (usize, usize) = (1, 51);

/// A line for each of so many images, containers and volumes.
const LONGEST: usize = 256 << 20;

/// Sizes, by what they are of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sizes {
    /// By id: of all layers, and of those that no other image has.
    images: BTreeMap<String, (u64, u64)>,
    /// By id: what it has written.
    containers: BTreeMap<String, u64>,
    /// By name.
    volumes: BTreeMap<String, u64>,
    builds: Builds,
}

impl Host {
    /// How much everything takes that its engine has. That may take the engine minutes.
    ///
    /// # Errors
    /// When Docker does not answer.
    pub async fn sizes(&self) -> Result<Sizes, Failure> {
        let answer = async {
            let client = self.docker_client().await?;
            loop {
                match ask(client).await {
                    Ok(sizes) => return Ok(sizes),
                    // Older engines count for one client at a time.
                    Err(why) if why.contains("already running") => {
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                    Err(why) => {
                        return Err(self.failure(FailureKind::Protocol, format!("{NO_ANSWER}: {why}")));
                    }
                }
            }
        };
        self.within(Some(PATIENCE), "Docker did not say how much it keeps", answer).await
    }
}

async fn ask(client: &Client) -> Result<Sizes, String> {
    let spoken = client.api.client_version();
    let (major, minor) = LAST_VERSION.min((spoken.major_version, spoken.minor_version));
    let url = format!("http://docker/v{major}.{minor}/system/df");
    let request = HttpRequest::get(url, Span(PATIENCE), Via::Host);
    let answer = http::ask(&request, Some(&client.socket), Instant::now(), LONGEST).await;
    if answer["status"] != 200 {
        let said = answer["json"]["message"].as_str().or(answer["error"].as_str());
        return Err(said.unwrap_or("it answers with an error").to_owned());
    }
    read(answer["body"].as_str().unwrap_or_default())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    images: Option<Vec<Image>>,
    containers: Option<Vec<Container>>,
    volumes: Option<Vec<Volume>>,
    build_cache: Option<Vec<Build>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Image {
    id: String,
    size: i64,
    /// Less than zero where it was not counted.
    shared_size: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Container {
    id: String,
    /// Absent where it is nothing.
    size_rw: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Volume {
    name: String,
    usage_data: Option<VolumeUsage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct VolumeUsage {
    /// Less than zero where the volume is not on a disk of the host.
    size: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Build {
    r#type: Option<String>,
    #[serde(default)]
    in_use: bool,
    #[serde(default)]
    shared: bool,
    #[serde(default)]
    size: i64,
}

impl Build {
    /// Whether `docker builder prune` takes it, without `--all`: neither what is in use, nor what an image has as well, nor what is
    /// kept for the builder itself (BuildKit's `cacheManager.prune`).
    fn is_dangling(&self) -> bool {
        let is_for_the_builder = matches!(self.r#type.as_deref(), Some("internal" | "frontend"));
        !self.in_use && !self.shared && !is_for_the_builder
    }
}

fn read(text: &str) -> Result<Sizes, String> {
    let answer: Answer =
        serde_json::from_str(text).map_err(|error| format!("its answer cannot be read: {error}"))?;
    let size = |bytes: i64| u64::try_from(bytes).ok();
    let images = answer.images.unwrap_or_default().into_iter().map(|image| {
        let shared = size(image.shared_size);
        let own = shared.map_or(0, |shared| size(image.size).unwrap_or_default().saturating_sub(shared));
        (image.id, (size(image.size).unwrap_or_default(), own))
    });
    let containers = answer.containers.unwrap_or_default().into_iter();
    let volumes = answer.volumes.unwrap_or_default().into_iter();
    let mut builds = Builds::default();
    for build in answer.build_cache.unwrap_or_default() {
        let bytes = size(build.size).unwrap_or_default();
        if !build.shared {
            builds.all_bytes += bytes;
        }
        if build.is_dangling() {
            builds.dangling += 1;
            builds.bytes += bytes;
        }
    }
    Ok(Sizes {
        images: images.collect(),
        containers: containers.filter_map(|one| Some((one.id, size(one.size_rw?)?))).collect(),
        volumes: volumes.filter_map(|one| Some((one.name, size(one.usage_data?.size)?))).collect(),
        builds,
    })
}

impl Sizes {
    /// Says of everything how much it takes.
    pub fn fill(&self, engine: &mut Engined) {
        for image in &mut engine.images {
            if let Some((bytes, own_bytes)) = self.images.get(&image.id) {
                (image.bytes, image.own_bytes) = (*bytes, *own_bytes);
            }
        }
        for container in &mut engine.containers {
            container.bytes = self.containers.get(&container.id).copied().unwrap_or_default();
        }
        for volume in &mut engine.volumes {
            volume.bytes = self.volumes.get(&volume.name).copied();
        }
        engine.builds = self.builds;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of an engine 20.10 (API 1.41), after two builds with BuildKit of which the image of the first is left.
    const OLDER: &str = r#"{ "LayersSize": 1103004400, "Images": [
        { "Containers": 1, "Created": 1795804808, "Id": "sha256:9f79", "Labels": {}, "ParentId": "sha256:2ff3", "RepoDigests": null,
          "RepoTags": ["opsctl-lab/host:latest"], "SharedSize": 79048121, "Size": 471830665, "VirtualSize": 471830665 },
        { "Containers": 0, "Created": 1795804700, "Id": "sha256:0ee4", "Labels": null, "ParentId": "", "RepoDigests": ["<none>@<none>"],
          "RepoTags": ["<none>:<none>"], "SharedSize": -1, "Size": 540983514, "VirtualSize": 540983514 } ],
      "Containers": [
        { "Id": "e6d7", "Names": ["/opsctl-lab-app"], "ImageID": "sha256:9f79", "SizeRw": 3866398, "SizeRootFs": 475697063 },
        { "Id": "a1b2", "Names": ["/quiet"], "ImageID": "sha256:9f79", "SizeRootFs": 471830665 } ],
      "Volumes": [
        { "CreatedAt": "2026-11-27T18:40:09Z", "Driver": "local", "Labels": null, "Mountpoint": "/var/lib/docker/volumes/registry/_data",
          "Name": "registry", "Options": null, "Scope": "local", "UsageData": { "RefCount": 1, "Size": 178778007 } },
        { "CreatedAt": "2026-11-27T18:40:09Z", "Driver": "nfs", "Labels": null, "Mountpoint": "", "Name": "remote", "Options": null,
          "Scope": "local", "UsageData": { "RefCount": 0, "Size": -1 } } ],
      "BuildCache": [
        { "ID": "o2th", "Parent": "", "Type": "regular", "Description": "fileop target", "InUse": false, "Shared": false,
          "Size": 3000043, "CreatedAt": "2026-11-27T19:11:38.994703996Z", "LastUsedAt": "2026-11-27T19:11:39.751Z", "UsageCount": 1 },
        { "ID": "nzrt", "Parent": "rkgr", "Type": "regular", "InUse": false, "Shared": false, "Size": 6 },
        { "ID": "nybx", "Parent": "", "Type": "regular", "InUse": false, "Shared": false, "Size": 3000043 },
        { "ID": "ceum", "Parent": "", "Type": "regular", "InUse": false, "Shared": true, "Size": 6 },
        { "ID": "4sl2", "Parent": "", "Type": "regular", "InUse": false, "Shared": false, "Size": 3010560 },
        { "ID": "k2k8", "Parent": "ceum", "Type": "regular", "InUse": false, "Shared": true, "Size": 3000000 },
        { "ID": "rkgr", "Parent": "", "Type": "regular", "InUse": false, "Shared": false, "Size": 3000000 },
        { "ID": "le50", "Parent": "", "Type": "regular", "InUse": false, "Shared": false, "Size": 3010560 } ],
      "BuilderSize": 18021218 }"#;

    #[test]
    fn what_a_prune_of_builds_takes_is_what_docker_itself_took() {
        // `docker builder prune --force` deleted six objects then, and said: 15.02MB.
        let builds = read(OLDER).unwrap().builds;
        assert_eq!(builds, Builds { dangling: 6, bytes: 15_021_212, all_bytes: 15_021_212 });
    }

    #[test]
    fn what_a_builder_needs_for_itself_or_at_this_moment_is_not_dangling() {
        let record = |kind: &str, in_use: bool| {
            let text = format!(r#"{{ "Type": "{kind}", "InUse": {in_use}, "Shared": false, "Size": 1 }}"#);
            serde_json::from_str::<Build>(&text).unwrap().is_dangling()
        };
        assert!(
            record("regular", false) && record("exec.cachemount", false) && record("source.local", false)
        );
        assert!(!record("internal", false) && !record("frontend", false) && !record("regular", true));
    }

    #[test]
    fn an_image_owns_what_it_shares_with_no_other_and_nothing_where_that_was_not_counted() {
        let sizes = read(OLDER).unwrap();
        assert_eq!(sizes.images["sha256:9f79"], (471_830_665, 392_782_544));
        assert_eq!(sizes.images["sha256:0ee4"], (540_983_514, 0));
        assert_eq!(sizes.containers, BTreeMap::from([("e6d7".to_owned(), 3_866_398)]));
        assert_eq!(sizes.volumes, BTreeMap::from([("registry".to_owned(), 178_778_007)]));
    }

    #[test]
    fn an_engine_that_has_nothing_is_read_as_well() {
        let nothing = r#"{"LayersSize":0,"Images":null,"Containers":[],"Volumes":null,"BuildCache":null}"#;
        assert_eq!(read(nothing), Ok(Sizes::default()));
        assert!(read("<html>").is_err());
    }
}
