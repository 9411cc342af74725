//! The procedure of a cleanup, written down as a runbook: one step for each kind of thing, the least regretted first.

use serde_json::{Map, Value};

use crate::model::clutter::survey::Survey;
use crate::model::inventory::Inventory;
use crate::model::runbook::Runbook;

/// The whole of it, for one host.
pub fn runbook(_survey: &Survey, _inventory: &Inventory, _host: &str) -> Runbook {
    todo!()
}

/// The values of its parameters.
pub fn params(_inventory: &Inventory, _host: &str) -> Map<String, Value> {
    todo!()
}
