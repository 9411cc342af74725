//! The containers of a Compose project, as they are now.

use bollard::Docker;
use bollard::models::{ContainerInspectResponse, ContainerStateStatusEnum};
use bollard::query_parameters::ListContainersOptionsBuilder;
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use super::Refusal;
use crate::model::operation::Selection;

const PROJECT: &str = "com.docker.compose.project";
const SERVICE: &str = "com.docker.compose.service";
const ONE_OFF: &str = "com.docker.compose.oneoff";

pub(super) async fn query(api: &Docker, of: &Selection) -> Result<Value, Refusal> {
    let containers = find(api, of).await?;
    Ok(json!({ "containers": containers.iter().map(shown).collect::<Vec<_>>() }))
}

/// The selected containers, running or not, in the order of their names. Those of `docker compose run` are not part of
/// the service.
pub(super) async fn find(api: &Docker, of: &Selection) -> Result<Vec<ContainerInspectResponse>, Refusal> {
    let mut labels = vec![format!("{PROJECT}={}", of.project)];
    labels.extend(of.service.iter().map(|service| format!("{SERVICE}={service}")));
    let options = ListContainersOptionsBuilder::new().all(true).filters(&[("label", labels)].into()).build();
    let listed = api.list_containers(Some(options)).await?;
    let ids = listed.into_iter().filter_map(|container| {
        let is_one_off =
            container.labels?.get(ONE_OFF).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        container.id.filter(|_| !is_one_off)
    });
    let found = try_join_all(ids.map(async |id| match api.inspect_container(&id, None).await {
        Ok(container) => Ok(Some(container)),
        // It was removed in between.
        Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
        Err(error) => Err(error),
    }));
    let mut found: Vec<_> = found.await?.into_iter().flatten().collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// # Errors
/// When there is none.
pub(super) async fn find_some(
    api: &Docker,
    of: &Selection,
) -> Result<Vec<ContainerInspectResponse>, Refusal> {
    let found = find(api, of).await?;
    if found.is_empty() { Err(Refusal::Missing(none_of(of))) } else { Ok(found) }
}

pub(super) fn none_of(of: &Selection) -> String {
    match &of.service {
        Some(service) => format!("project `{}` has no container of `{service}`", of.project),
        None => format!("project `{}` has no container", of.project),
    }
}

pub(super) fn name(container: &ContainerInspectResponse) -> &str {
    container.name.as_deref().unwrap_or_default().trim_start_matches('/')
}

pub(super) fn service(container: &ContainerInspectResponse) -> &str {
    let labels = container.config.as_ref().and_then(|config| config.labels.as_ref());
    labels.and_then(|labels| labels.get(SERVICE)).map(String::as_str).unwrap_or_default()
}

pub(super) fn is_running(container: &ContainerInspectResponse) -> bool {
    container.state.as_ref().and_then(|state| state.status) == Some(ContainerStateStatusEnum::RUNNING)
}

fn shown(container: &ContainerInspectResponse) -> Value {
    let state = container.state.clone().unwrap_or_default();
    // As Docker puts it for a container without a health check.
    let health = state.health.and_then(|health| health.status).map(|status| status.to_string());
    json!({
        "name": name(container),
        "service": service(container),
        "id": container.id,
        "image": container.config.as_ref().and_then(|config| config.image.as_ref()),
        "image_id": container.image,
        "state": state.status.map(|status| status.to_string()),
        "health": health.filter(|health| !health.is_empty()).unwrap_or_else(|| "none".to_owned()),
        "restarts": container.restart_count.unwrap_or_default(),
        "exit_code": state.exit_code.unwrap_or_default(),
        "oom_killed": state.oom_killed.unwrap_or_default(),
        "started_at": happened(state.started_at),
        "finished_at": happened(state.finished_at),
        "network": container.host_config.as_ref().and_then(|config| config.network_mode.as_ref()),
        "networks": networks(container),
    })
}

fn networks(container: &ContainerInspectResponse) -> Vec<&String> {
    let networks = container.network_settings.as_ref().and_then(|settings| settings.networks.as_ref());
    let mut names: Vec<_> = networks.into_iter().flatten().map(|(name, _)| name).collect();
    names.sort();
    names
}

/// Docker writes RFC 3339, and the year one for what has not happened.
fn happened(time: Option<String>) -> Option<String> {
    time.filter(|time| !time.is_empty() && !time.starts_with("0001-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::result::{ResultKind, assert_fields};

    fn container(text: &str) -> ContainerInspectResponse {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_container_is_shown_with_exactly_these_fields() {
        let stopped = container(
            r#"{ "Id": "abc", "Name": "/docker_argus-1_1", "Image": "sha256:1", "RestartCount": 3,
                 "HostConfig": { "NetworkMode": "docker_default" },
                 "NetworkSettings": { "Networks": { "docker_default": {} } },
                 "Config": { "Image": "registry/argus:v1", "Labels": { "com.docker.compose.service": "argus-1" } },
                 "State": { "Status": "exited", "ExitCode": 137, "OOMKilled": true,
                            "StartedAt": "2024-05-01T10:00:00.5Z", "FinishedAt": "2024-05-01T10:00:09Z",
                            "Health": { "Status": "unhealthy" } } }"#,
        );
        assert_fields(ResultKind::Containers.fields()[0].each, &shown(&stopped));
        assert_eq!(
            shown(&stopped),
            json!({
                "name": "docker_argus-1_1", "service": "argus-1", "id": "abc", "image": "registry/argus:v1",
                "image_id": "sha256:1", "state": "exited", "health": "unhealthy", "restarts": 3, "exit_code": 137,
                "oom_killed": true, "started_at": "2024-05-01T10:00:00.5Z", "finished_at": "2024-05-01T10:00:09Z",
                "network": "docker_default",
                "networks": ["docker_default"],
            })
        );
    }

    #[test]
    fn what_has_not_happened_has_no_time_and_no_check_is_health_none() {
        let created = container(
            r#"{ "State": { "Status": "created", "StartedAt": "0001-01-01T00:00:00Z", "FinishedAt": "" } }"#,
        );
        let shown = shown(&created);
        assert_eq!(shown["started_at"], Value::Null);
        assert_eq!(shown["finished_at"], Value::Null);
        assert_eq!(shown["health"], "none");
    }
}
