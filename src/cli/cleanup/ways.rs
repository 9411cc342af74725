//! What each service of a host would go back to, without any registry.

use crate::base::Kind;
use crate::base::image::short;
use crate::cli::open::Workplace;
use crate::cli::rolling::look_at;
use crate::engine::hosts::Hosts;
use crate::engine::rollout::choose::{Wanted, choose};
use crate::host::docker::images::Offer;
use crate::ui::clutter::after::Back;

/// The services of a host, each with the version that `opsctl rollback SERVICE` would go to, if no registry answered.
pub async fn back(workplace: &Workplace, hosts: &Hosts, host: &str) -> Vec<(String, Back)> {
    let inventory = &workplace.site.inventory;
    let mut ways = Vec::new();
    for (name, _) in inventory.services.iter().filter(|(_, one)| inventory.host_of(&one.project) == host) {
        ways.push((name.clone(), back_from(workplace, hosts, name).await));
    }
    ways
}

async fn back_from(workplace: &Workplace, hosts: &Hosts, service: &str) -> Back {
    let services = [service.to_owned()];
    let running = match look_at(workplace, hosts, &services).await {
        Ok((mut all, _)) => all.remove(0),
        Err(error) if error.kind == Kind::Refused => return Back::Nowhere(error.message),
        Err(error) => return Back::Unknown(error.message),
    };
    let ask = async |_: &_| Ok(Offer::No("no registry was asked".to_owned()));
    match choose(&running, Wanted::Previous, ask).await {
        Ok(target) => {
            let digest = target.image.digest.as_deref().map(short);
            let digest = digest.map(|digest| format!(" ({digest})")).unwrap_or_default();
            Back::Version(format!("{}{digest}", target.image.version()))
        }
        Err(error) => Back::Nowhere(error.message),
    }
}
