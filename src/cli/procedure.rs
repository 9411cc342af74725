//! From the name of a runbook and its parameters to a plan: what every procedure has in common.

use serde_json::{Map, Value};

use super::open::Workplace;
use crate::base::{Error, Result};
use crate::engine::catalog::Entry;
use crate::engine::hosts::Hosts;
use crate::engine::lint::{self, Spec};
use crate::engine::plan::{self, Request};
use crate::model::facts::{Facts, Site};
use crate::model::param;
use crate::model::plan::Plan;
use crate::model::runbook::Runbook;

/// Makes the plan of a runbook for parameters as the person wrote them.
///
/// # Errors
/// When there is no such runbook, something is wrong in it or in one that it leads to, a parameter is wrong, or a host that
/// the plan needs does not answer.
pub async fn plan_of(
    workplace: &Workplace,
    hosts: &Hosts,
    runbook: &str,
    given: &[(String, String)],
) -> Result<Plan> {
    let Entry { runbook, origin, .. } = checked(workplace, runbook)?;
    let given = given.iter().map(|(name, value)| (name.clone(), Value::String(value.clone())));
    let params = param::bind(&runbook.params, given, &workplace.site.inventory)?;
    planned(workplace, hosts, &runbook, &origin.to_string(), &params).await
}

/// Makes the plan of a runbook with values that are what templates see.
///
/// # Errors
/// As [`plan_of`].
pub async fn planned(
    workplace: &Workplace,
    hosts: &Hosts,
    runbook: &Runbook,
    origin: &str,
    params: &Map<String, Value>,
) -> Result<Plan> {
    let inventory = &*plan::seen_by(runbook, params, &workplace.site.inventory)?;
    let find = |name: &str| checked(workplace, name).map(|entry| entry.runbook);
    let path = workplace.site.path.display().to_string();
    let nothing = Facts::default();
    let request =
        Request { runbook, origin, params, inventory: &path, site: Site { inventory, facts: &nothing } };
    let needs = plan::needs(&find, request)?;
    let facts = workplace.facts_for(hosts, inventory, &needs).await?;
    plan::make(&find, Request { site: Site { inventory, facts: &facts }, ..request })
}

/// The runbook in force of that name, without a mistake in it.
fn checked(workplace: &Workplace, name: &str) -> Result<Entry> {
    let entry = workplace.catalog.get(name)?;
    lint::refuse(&entry, &Spec::all(), &workplace.catalog)?;
    Ok(entry)
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
