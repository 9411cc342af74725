//! What was released: the history of a service, as its host keeps it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::facts::Site;
use super::operation::quoted;
use crate::base::image::Reference;

/// What became of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It ran when opsctl began to keep the history.
    Found,
    /// Every instance ran it and was healthy.
    Healthy,
    /// An instance did not become healthy with it.
    Bad,
    /// It was healthy, and was taken back all the same.
    Undone,
}

impl Outcome {
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Found => "found",
            Outcome::Healthy => "healthy",
            Outcome::Bad => "bad",
            Outcome::Undone => "undone",
        }
    }
}

/// A line of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// When it was written down, RFC 3339.
    pub at: String,
    /// The run that did; empty for what was done by hand.
    pub run: String,
    /// Who released it.
    pub by: String,
    pub image: String,
    pub outcome: Outcome,
    /// The image that a rollback went away from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
}

impl Release {
    pub fn reference(&self) -> Option<Reference> {
        Reference::parse(&self.image).ok()
    }
}

/// The releases of a service, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct History {
    pub releases: Vec<Release>,
}

/// What is to be thought of an image by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It was healthy when it was last released.
    Good,
    /// An instance did not become healthy with it.
    Bad,
    /// It was taken back by a person.
    Undone,
    /// Somebody went back from it to an older one.
    Left,
}

impl History {
    /// What `cat` gives. A line that is none is passed over: the file may have been edited, and a history is no state of anything.
    pub fn read(text: &str) -> History {
        History { releases: text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect() }
    }

    /// Each image once, the one that was last released first, with what is to be thought of it.
    pub fn images(&self) -> Vec<(Reference, Standing)> {
        let mut standings: BTreeMap<String, Standing> = BTreeMap::new();
        let mut order: Vec<Reference> = Vec::new();
        for release in &self.releases {
            let Some(image) = release.reference() else { continue };
            let left = release.left.as_deref().and_then(|left| Reference::parse(left).ok());
            if let (Some(left), true) = (&left, release.outcome == Outcome::Undone) {
                // A rollback that was taken back says nothing about either.
                standings.insert(identity(left), Standing::Good);
                continue;
            }
            if let Some(left) = &left {
                standings.insert(identity(left), Standing::Left);
            }
            let own = identity(&image);
            let standing = match release.outcome {
                Outcome::Found | Outcome::Healthy => Standing::Good,
                Outcome::Bad => Standing::Bad,
                Outcome::Undone => Standing::Undone,
            };
            standings.insert(own.clone(), standing);
            order.retain(|known| identity(known) != own);
            order.insert(0, image);
        }
        let standing = |image: &Reference| standings[&identity(image)];
        order.into_iter().map(|image| (image.clone(), standing(&image))).collect()
    }
}

/// By what two names mean the same image: the digest where it is known.
fn identity(image: &Reference) -> String {
    image.digest.clone().unwrap_or_else(|| image.to_string())
}

/// The lines of a shell script that say in `folder` where a project's history is: below the first folder that opsctl's runner may
/// have made.
///
/// # Errors
/// In words, when the project is not known or was not asked for its name.
pub fn folder(site: Site<'_>, project: &str) -> Result<String, String> {
    let host = &site.project(project)?.host;
    let facts = site.facts.projects.get(project);
    let name = &facts.ok_or_else(|| format!("project `{project}` was not asked for its name"))?.name;
    let named = site.inventory.hosts.get(host).and_then(|host| host.state_dir.as_deref());
    let find = match named {
        Some(folder) => format!("folder={}", quoted(folder)),
        None => "folder=/var/lib/opsctl\n\
            if [ ! -w \"$folder\" ]; then folder=${XDG_STATE_HOME:-$HOME/.local/state}/opsctl/host; fi"
            .to_owned(),
    };
    Ok(format!("{find}\nfolder=$folder/releases/{}", quoted(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(lines: &[(&str, Outcome, &str)]) -> History {
        let release = |(image, outcome, left): &(&str, Outcome, &str)| Release {
            at: "2026-03-01T03:14:00Z".to_owned(),
            run: String::new(),
            by: "ada@laptop".to_owned(),
            image: format!("r/argus:{image}"),
            outcome: *outcome,
            left: (!left.is_empty()).then(|| format!("r/argus:{left}")),
        };
        History { releases: lines.iter().map(release).collect() }
    }

    fn told(lines: &[(&str, Outcome, &str)]) -> Vec<String> {
        let images = history(lines).images();
        images.iter().map(|(image, standing)| format!("{} {standing:?}", image.version())).collect()
    }

    #[test]
    fn the_last_release_of_an_image_says_what_is_to_be_thought_of_it() {
        use Outcome::{Bad, Found, Healthy, Undone};
        assert_eq!(told(&[("v1", Found, ""), ("v2", Healthy, "")]), ["v2 Good", "v1 Good"]);
        assert_eq!(told(&[("v1", Found, ""), ("v2", Bad, ""), ("v2", Healthy, "")]), ["v2 Good", "v1 Good"]);
        assert_eq!(
            told(&[("v1", Found, ""), ("v2", Healthy, ""), ("v2", Undone, "")]),
            ["v2 Undone", "v1 Good"]
        );
        let back = [("v1", Found, ""), ("v2", Healthy, ""), ("v1", Healthy, "v2")];
        assert_eq!(told(&back), ["v1 Good", "v2 Left"]);
        assert_eq!(told(&[&back[..], &[("v1", Undone, "v2")]].concat()), ["v1 Good", "v2 Good"]);
    }

    #[test]
    fn a_line_that_is_none_hides_no_other() {
        let text = serde_json::to_string(&history(&[("v1", Outcome::Found, "")]).releases[0]).unwrap();
        assert_eq!(History::read(&format!("{text}\n{{\n{text}\n")).releases.len(), 2);
    }
}
