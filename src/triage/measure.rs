//! Measures what has limits: disks and memory of hosts, what databases and caches have left, how many requests fail; and
//! asks what watches the site.

use std::collections::BTreeMap;

use futures_util::future::{BoxFuture, FutureExt as _, join_all};

use super::eyes::Eyes;
use super::reading::Reading;
use super::subject::Subject;
use super::{alerts, certificate, host, stats, store};
use crate::model::inventory::{Cache, Certificate, Database};
use crate::model::operation::Operation;

/// What was measured of something; or why it could not be.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    pub subject: Subject,
    pub readings: Result<Vec<Reading>, String>,
}

/// Measures all that the inventory names. Nothing waits for anything else.
pub(super) async fn measure(eyes: &Eyes<'_>) -> Vec<Measured> {
    let inventory = eyes.site.inventory;
    let mut asked: Vec<BoxFuture<'_, Vec<Measured>>> = Vec::new();
    for (name, _) in inventory.standing().filter(|(name, _)| !eyes.unreachable.contains_key(*name)) {
        asked.push(one(Subject::Host(name.clone()), of_host(eyes, name)).boxed());
        asked.push(memory_of_instances(eyes, name).boxed());
    }
    for (name, database) in &inventory.databases {
        asked.push(one(Subject::Database(name.clone()), of_database(eyes, database)).boxed());
    }
    for (name, cache) in &inventory.caches {
        asked.push(one(Subject::Cache(name.clone()), of_cache(eyes, cache)).boxed());
    }
    for (name, certificate) in &inventory.certificates {
        asked.push(one(Subject::Certificate(name.clone()), of_certificate(eyes, certificate)).boxed());
    }
    asked.push(alerts::ask(eyes).boxed());
    join_all(asked).await.into_iter().flatten().collect()
}

async fn one(
    subject: Subject,
    readings: impl Future<Output = Result<Vec<Reading>, String>>,
) -> Vec<Measured> {
    vec![Measured { subject, readings: readings.await }]
}

async fn of_host(eyes: &Eyes<'_>, name: &str) -> Result<Vec<Reading>, String> {
    let ask =
        async |operation: &Operation| eyes.ask(name, operation).await.map_err(|failure| failure.message);
    let all = Operation::Disks { below: None, at: None };
    let (disks, rest) = futures_util::future::join(ask(&all), ask(&host::question())).await;
    let mut readings = host::disks(&disks?)?;
    readings.extend(host::readings(&rest?)?);
    Ok(readings)
}

/// The instances of services that run on the host. One whose memory Docker does not tell is not measured.
async fn memory_of_instances(eyes: &Eyes<'_>, host: &str) -> Vec<Measured> {
    let Ok(answer) = eyes.ask(host, &stats::question()).await else { return Vec::new() };
    let of_containers: BTreeMap<String, Reading> = stats::readings(&answer);
    let services = eyes.site.inventory.services.values();
    let here = services.filter(|service| eyes.site.inventory.host_of(&service.project) == host);
    let instances = here.flat_map(|service| service.instances.keys().map(|name| (&service.project, name)));
    let measured = instances.filter_map(|(project, name)| {
        let project = &eyes.site.facts.projects.get(project)?.name;
        let reading = of_containers.get(&format!("{project}/{name}"))?;
        Some(Measured { subject: Subject::Instance(name.clone()), readings: Ok(vec![reading.clone()]) })
    });
    measured.collect()
}

async fn of_database(eyes: &Eyes<'_>, database: &Database) -> Result<Vec<Reading>, String> {
    let question = store::database_question(database);
    store::of_database(&eyes.ask_inside(&database.project, &database.service, question).await?)
}

async fn of_certificate(eyes: &Eyes<'_>, of: &Certificate) -> Result<Vec<Reading>, String> {
    let host = eyes.site.inventory.host_of(&of.project);
    let answer = eyes.ask(host, &certificate::question(of)).await.map_err(|failure| failure.message)?;
    certificate::readings(&answer, of)
}

async fn of_cache(eyes: &Eyes<'_>, cache: &Cache) -> Result<Vec<Reading>, String> {
    let ask = |question| eyes.ask_inside(&cache.project, &cache.service, question);
    let (info, latency) =
        futures_util::future::join(ask(store::cache_question()), ask(store::latency_question())).await;
    let mut readings = store::of_cache(&info?)?;
    readings.extend(latency.ok().as_ref().and_then(store::latency));
    Ok(readings)
}
