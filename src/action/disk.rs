//! Disks of a host.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Action, cleanup};
use crate::base::percent::Percent;
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Looks at how full the disks of a host are, in bytes and in inodes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Usage {
    /// How many percent of each have to be less than this.
    below: Option<f64>,
    /// A path: only the filesystem that it is on counts. Without it: every disk.
    at: Option<String>,
}

impl Action for Usage {
    const NAME: &'static str = "disk.usage";
    const GIVES: ResultKind = ResultKind::Disks;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn build(&self, _: Site<'_>) -> Result<Operation, String> {
        match self.below {
            Some(below) if !(0.0..=100.0).contains(&below) => {
                Err(format!("`{below}` is no number of percent"))
            }
            below => Ok(Operation::Disks {
                below,
                at: self.at.as_deref().map(cleanup::path).transpose()?.map(str::to_owned),
            }),
        }
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        if let Some(why) = result["error"].as_str() {
            return Err(why.to_owned());
        }
        let Some(disks) = result["disks"].as_array().filter(|disks| !disks.is_empty()) else {
            return Err("it tells of no disk".to_owned());
        };
        let Operation::Disks { below: Some(below), .. } = operation else { return Ok(()) };
        let full = disks.iter().filter_map(|disk| too_full(disk, *below)).collect::<Vec<_>>().join(", ");
        if full.is_empty() { Ok(()) } else { Err(full) }
    }
}

/// In words, when a disk has reached so many percent.
fn too_full(disk: &Value, below: f64) -> Option<String> {
    let mount = disk["mount"].as_str()?;
    let reached = |key: &str| disk[key].as_f64().filter(|percent| *percent >= below).map(Percent);
    match (reached("used_percent"), reached("inodes_percent")) {
        (Some(used), _) => Some(format!("`{mount}` is {used} full")),
        (None, Some(used)) => Some(format!("`{mount}` has {used} of its inodes in use")),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_disks_that_are_too_full_are_named() {
        let disk = |mount: &str, used: f64, inodes: Option<f64>| json!({ "mount": mount, "used_percent": used, "inodes_percent": inodes });
        let disks = [disk("/", 40.0, Some(85.0)), disk("/srv", 85.0, None), disk("/tmp", 84.9, Some(1.0))];
        let result = json!({ "disks": disks, "error": null });
        let judge = |below| Usage::judge(&Operation::Disks { below, at: None }, &result);
        assert_eq!(judge(None), Ok(()));
        assert_eq!(judge(Some(86.0)), Ok(()));
        let told = "`/` has 85% of its inodes in use, `/srv` is 85% full";
        assert_eq!(judge(Some(85.0)), Err(told.to_owned()));
        let nothing = json!({ "disks": [], "error": null });
        let judged = Usage::judge(&Operation::Disks { below: Some(85.0), at: None }, &nothing);
        assert_eq!(judged, Err("it tells of no disk".to_owned()));
        let unknown = json!({ "disks": [], "error": "nobody knows" });
        let judged = Usage::judge(&Operation::Disks { below: None, at: None }, &unknown);
        assert_eq!(judged, Err("nobody knows".to_owned()));
    }
}
