//! From the name of a runbook and its parameters to a plan: what every procedure has in common.

use serde_json::{Map, Value};

use super::open::Workplace;
use crate::base::{Error, Result};
use crate::engine::hosts::Hosts;
use crate::engine::plan::{self, Making};
use crate::model::facts::Site;
use crate::model::param;
use crate::model::plan::Plan;

/// Makes the plan of a runbook for parameters as the person wrote them.
///
/// # Errors
/// When there is no such runbook, a parameter is wrong, or a host that the plan needs does not answer.
pub async fn plan_of(workplace: &Workplace, hosts: &Hosts, runbook: &str, given: &[(String, String)]) -> Result<Plan> {
    let entry = workplace.catalog.get(runbook)?;
    let given: Map<String, Value> =
        given.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
    let params = param::bind(&entry.runbook.params, &given, &workplace.inventory)?;
    let making = Making {
        catalog: &workplace.catalog,
        inventory: &workplace.inventory,
        inventory_path: &workplace.path,
    };
    let needed = plan::needs(&making, &entry.runbook, &params)?;
    let facts = workplace.facts_of(hosts, &needed).await?;
    let site = Site { inventory: &workplace.inventory, facts: &facts };
    plan::make(&making, &entry.runbook, &entry.origin, &params, site)
}

/// Reads `name=value` pairs.
///
/// # Errors
/// When there is no `=`, or a name comes twice.
pub fn pairs(arguments: &[String]) -> Result<Vec<(String, String)>> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for argument in arguments {
        let Some((name, value)) = argument.split_once('=') else {
            return Err(Error::usage(format!("`{argument}` is not a parameter"))
                .hint("write it as NAME=VALUE, such as service=argus"));
        };
        if pairs.iter().any(|(known, _)| known == name) {
            return Err(Error::usage(format!("the parameter `{name}` is given twice")));
        }
        pairs.push((name.to_owned(), value.to_owned()));
    }
    Ok(pairs)
}
