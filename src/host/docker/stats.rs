//! What running containers use, counted as `docker stats` does.

use std::pin::pin;
use std::time::Duration;

use bollard::Docker;
use bollard::models::{ContainerInspectResponse, ContainerStatsResponse};
use bollard::query_parameters::StatsOptionsBuilder;
use futures_util::StreamExt;
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use super::{Refusal, containers};
use crate::model::operation::Selection;

/// Between the two samples that a share of the CPU is counted from.
const INTERVAL: Duration = Duration::from_secs(1);

pub(super) async fn query(api: &Docker, of: &Selection) -> Result<Value, Refusal> {
    let mut found = containers::find(api, of).await?;
    found.retain(containers::is_running);
    if found.is_empty() {
        return Ok(json!({ "containers": [] }));
    }
    // Docker would take two samples by itself, each container over a connection that stays open for two seconds. Where every
    // connection is a command on the host that is a long queue: so they are taken at once, and at once again.
    let before = samples(api, &found).await?;
    tokio::time::sleep(INTERVAL).await;
    let now = samples(api, &found).await?;
    let shown = found.iter().zip(before.iter().zip(&now)).map(|(container, (before, now))| {
        shown(containers::name(container), containers::service(container), before, now)
    });
    Ok(json!({ "containers": shown.collect::<Vec<_>>() }))
}

async fn samples(
    api: &Docker,
    containers: &[ContainerInspectResponse],
) -> Result<Vec<ContainerStatsResponse>, Refusal> {
    let samples = containers.iter().map(async |container| {
        let options = StatsOptionsBuilder::new().stream(false).one_shot(true).build();
        let mut samples = pin!(api.stats(container.id.as_deref().unwrap_or_default(), Some(options)));
        Ok(samples.next().await.transpose()?.unwrap_or_default())
    });
    try_join_all(samples).await
}

fn shown(name: &str, service: &str, before: &ContainerStatsResponse, now: &ContainerStatsResponse) -> Value {
    let memory = now.memory_stats.clone().unwrap_or_default();
    let counters = memory.stats.unwrap_or_default();
    // File pages that can be dropped at any time are not counted: the name is that of cgroup v1, or of v2.
    let cache = ["total_inactive_file", "inactive_file"].iter().find_map(|name| counters.get(*name));
    let used = memory.usage.unwrap_or_default();
    let used = cache.filter(|cache| **cache < used).map_or(used, |cache| used - cache);
    let limit = memory.limit.unwrap_or_default();
    let percent = if limit == 0 { 0.0 } else { used as f64 / limit as f64 * 100.0 };
    json!({
        "name": name,
        "service": service,
        "cpu_percent": hundredths(cpu(before, now).unwrap_or_default()),
        "memory_bytes": used,
        "memory_limit_bytes": limit,
        "memory_percent": hundredths(percent),
    })
}

/// The share of one CPU: 200 is two CPUs in full.
fn cpu(before: &ContainerStatsResponse, now: &ContainerStatsResponse) -> Option<f64> {
    let (now, before) = (now.cpu_stats.as_ref()?, before.cpu_stats.as_ref()?);
    let used = now.cpu_usage.as_ref()?.total_usage? as f64 - before.cpu_usage.as_ref()?.total_usage? as f64;
    let passed = now.system_cpu_usage? as f64 - before.system_cpu_usage? as f64;
    let listed = || now.cpu_usage.as_ref()?.percpu_usage.as_ref().map(|each| each.len() as u32);
    let cpus = now.online_cpus.filter(|count| *count > 0).or_else(listed)?;
    (used > 0.0 && passed > 0.0).then(|| used / passed * f64::from(cpus) * 100.0)
}

fn hundredths(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::result::{ResultKind, assert_fields};

    #[test]
    fn figures_are_those_of_docker_stats() {
        let sample = |text: &str| serde_json::from_str::<ContainerStatsResponse>(text).unwrap();
        let before = sample(
            r#"{ "cpu_stats": { "cpu_usage": { "total_usage": 200 }, "system_cpu_usage": 1000, "online_cpus": 2 } }"#,
        );
        let now = sample(
            r#"{ "cpu_stats": { "cpu_usage": { "total_usage": 300 }, "system_cpu_usage": 2000, "online_cpus": 2 },
                 "memory_stats": { "usage": 3000, "limit": 8000, "stats": { "inactive_file": 1000 } } }"#,
        );
        assert_fields(ResultKind::Stats.fields()[0].each, &shown("a", "s", &before, &now));
        assert_eq!(
            shown("a", "s", &before, &now),
            json!({ "name": "a", "service": "s", "cpu_percent": 20.0, "memory_bytes": 2000,
                    "memory_limit_bytes": 8000, "memory_percent": 25.0 })
        );
    }
}
