//! What running containers use, counted as `docker stats` does.

use bollard::Docker;
use bollard::models::ContainerStatsResponse;
use bollard::query_parameters::StatsOptionsBuilder;
use futures_util::StreamExt;
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use super::{Refusal, containers};
use crate::model::operation::Selection;

pub(super) async fn query(api: &Docker, of: &Selection) -> Result<Value, Refusal> {
    let found = containers::find(api, of).await?;
    let running = found.iter().filter(|container| containers::is_running(container));
    let shown = try_join_all(running.map(async |container| {
        // Not one-shot: Docker then takes two samples a second apart, without which there is no share of the CPU.
        let options = StatsOptionsBuilder::new().stream(false).one_shot(false).build();
        let mut samples =
            std::pin::pin!(api.stats(container.id.as_deref().unwrap_or_default(), Some(options)));
        let sample = samples.next().await.transpose()?.unwrap_or_default();
        Ok::<_, Refusal>(shown(containers::name(container), containers::service(container), &sample))
    }));
    Ok(json!({ "containers": shown.await? }))
}

fn shown(name: &str, service: &str, sample: &ContainerStatsResponse) -> Value {
    let memory = sample.memory_stats.clone().unwrap_or_default();
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
        "cpu_percent": hundredths(cpu(sample).unwrap_or_default()),
        "memory_bytes": used,
        "memory_limit_bytes": limit,
        "memory_percent": hundredths(percent),
    })
}

/// The share of one CPU: 200 is two CPUs in full.
fn cpu(sample: &ContainerStatsResponse) -> Option<f64> {
    let (now, before) = (sample.cpu_stats.as_ref()?, sample.precpu_stats.as_ref()?);
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

    #[test]
    fn figures_are_those_of_docker_stats() {
        let sample: ContainerStatsResponse = serde_json::from_str(
            r#"{ "cpu_stats": { "cpu_usage": { "total_usage": 300 }, "system_cpu_usage": 2000, "online_cpus": 2 },
                 "precpu_stats": { "cpu_usage": { "total_usage": 200 }, "system_cpu_usage": 1000 },
                 "memory_stats": { "usage": 3000, "limit": 8000, "stats": { "inactive_file": 1000 } } }"#,
        )
        .unwrap();
        assert_eq!(
            shown("a", "s", &sample),
            json!({ "name": "a", "service": "s", "cpu_percent": 20.0, "memory_bytes": 2000,
                    "memory_limit_bytes": 8000, "memory_percent": 25.0 })
        );
    }
}
