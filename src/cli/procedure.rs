//! From the name of a runbook and its parameters to a plan: what every procedure has in common.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::open::Workplace;
use crate::base::{Error, Result};
use crate::engine::catalog::Entry;
use crate::engine::hosts::Hosts;
use crate::engine::lint::{self, Spec};
use crate::engine::plan::{self, Library, Request};
use crate::model::facts::{Facts, Site};
use crate::model::param;
use crate::model::plan::Plan;
use crate::model::runbook::{OnFailure, Runbook};
use crate::model::view;

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
    let inventory = &workplace.site.inventory;
    let runbooks = with_all_it_leads_to(workplace, runbook)?;
    let entry = &runbooks[runbook];
    let given = given.iter().map(|(name, value)| (name.clone(), Value::String(value.clone())));
    let params = param::bind(&entry.runbook.params, given, inventory)?;

    let seen = Map::from_iter([("inventory".to_owned(), view::inventory(inventory))]);
    let find = |name: &str| runbooks.get(name).map(|entry| &entry.runbook);
    let bind = |runbook: &Runbook, with: Map<String, Value>| param::bind(&runbook.params, with, inventory);
    let library = Library { find: &find, bind: &bind, seen: &seen };

    let (origin, path) = (entry.origin.to_string(), workplace.site.path.display().to_string());
    let nothing = Facts::default();
    let request = Request {
        runbook: &entry.runbook,
        origin: &origin,
        params: &params,
        inventory: &path,
        site: Site { inventory, facts: &nothing },
    };
    let needs = plan::needs(library, request)?;
    let facts = workplace.facts_for(hosts, &needs).await?;
    plan::make(library, Request { site: Site { inventory, facts: &facts }, ..request })
}

/// The runbook and every other that it includes or that mends a step of it, each checked.
fn with_all_it_leads_to(workplace: &Workplace, name: &str) -> Result<BTreeMap<String, Entry>> {
    let specs = Spec::all();
    let mut found = BTreeMap::new();
    let mut open = vec![name.to_owned()];
    while let Some(name) = open.pop() {
        if found.contains_key(&name) {
            continue;
        }
        let entry = workplace.catalog.get(&name)?;
        lint::refuse(&entry, &specs, &workplace.catalog)?;
        for step in &entry.runbook.steps {
            let included = (step.action.action == "runbook").then(|| step.action.args.get("name")).flatten();
            open.extend(included.and_then(Value::as_str).map(str::to_owned));
            if let OnFailure::Run { runbook, .. } = &step.on_failure {
                open.push(runbook.clone());
            }
        }
        found.insert(name, entry);
    }
    Ok(found)
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
