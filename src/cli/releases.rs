//! `opsctl releases`.

use std::process::ExitCode;

use futures_util::future::try_join_all;

use super::Global;
use super::open::{Workplace, unreachable_host};
use super::rolling::look_at;
use crate::base::Result;
use crate::engine::hosts::Hosts;
use crate::engine::rollout::Running;
use crate::engine::rollout::choose::{is_same, known};
use crate::engine::rollout::look;
use crate::host::docker::images::Offer;
use crate::ui;
use crate::ui::releases::{Place, Row};

/// Show which versions of a service run, and which could be gone back to now
///
/// Versions are told apart by the digests of their images, not by their names. What is on the host can be gone back to at once; for
/// everything else the registry is asked. Nothing is pulled.
#[derive(Debug, clap::Args)]
pub struct Releases {
    /// The service, by its name in the inventory [default: every service]
    service: Option<String>,
}

impl Releases {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let workplace = Workplace::open(global)?;
        let hosts = workplace.hosts();
        let named: Vec<_> = self.service.iter().cloned().collect();
        let looked = async {
            let (all, _) = look_at(&workplace, &hosts, &named).await?;
            let rows = all.iter().map(|running| rows(&hosts, running));
            workplace.patiently(try_join_all(rows)).await
        };
        let rows = looked.await;
        hosts.close().await;
        let rows: Vec<Row> = rows?.into_iter().flatten().collect();
        ui::look::give(&if global.json { ui::releases::json(&rows) } else { ui::releases::text(&rows) })?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn rows(hosts: &Hosts, running: &Running) -> Result<Vec<Row>> {
    let standings = running.history.images();
    let rows = known(running).into_iter().map(async |image| {
        let place = match running.local(&image) {
            Some(_) => Place::Host,
            None => {
                match look::offer(hosts, &running.host, &image).await.map_err(|why| unreachable_host(&why))? {
                    Offer::Has(_) => Place::Registry,
                    Offer::No(why) => Place::Nowhere { why },
                }
            }
        };
        let runs = running.instances.iter().filter(|instance| running.runs(instance, &image));
        let standing =
            standings.iter().find(|(other, _)| is_same(other, &image)).map(|(_, standing)| *standing);
        let is_it = |other: &crate::model::release::Release| {
            other.reference().is_some_and(|other| is_same(&other, &image))
        };
        Ok(Row {
            service: running.service.clone(),
            runs_on: runs.map(|instance| instance.name.clone()).collect(),
            instances: running.instances.len(),
            place,
            standing,
            last: running.history.releases.iter().rev().find(|release| is_it(release)).cloned(),
            image,
        })
    });
    try_join_all(rows).await
}
