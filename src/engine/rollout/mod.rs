//! Releases: what runs and what could run instead, which version is meant, and the procedure that leads there.
//!
//! [`look`] asks the hosts, [`choose`] decides, and [`compose`] writes the procedure down as a runbook, which is planned and run as any
//! other. Only the first does I/O.

pub mod choose;
pub mod compose;
pub mod look;
pub mod order;

use serde::Serialize;

use crate::base::image::Reference;
use crate::host::docker::images::Image;
use crate::model::release::History;

/// A service as it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    pub service: String,
    pub project: String,
    pub host: String,
    /// Without a tag: the same for every instance.
    pub repository: String,
    pub instances: Vec<Instance>,
    pub means: Means,
    pub history: History,
    /// The images of the repository that are on the host.
    pub images: Vec<Image>,
    /// The Compose services of the project that its instances need.
    pub needs: Vec<String>,
}

/// An instance, and what it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    pub name: String,
    /// As Compose wrote it into the container.
    pub image: Reference,
    /// Docker's own id of that image; none where there is no container.
    pub image_id: Option<String>,
    /// What the Compose files say by now.
    pub configured: Reference,
    /// Whether it is opsctl's own file that says so.
    pub is_pinned: bool,
}

/// How a project says which version runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Means {
    /// A variable in `.env`, with what stands behind its `=`.
    Variable { name: String, value: String },
    /// opsctl's own Compose file.
    Pins,
}

impl Running {
    /// What of the history's digests is on the host: by the repository's digest, or by the tag alone where there is none.
    pub fn local(&self, image: &Reference) -> Option<&Image> {
        let by_digest = |digest: &String| {
            let name = format!("{}@{digest}", self.repository);
            self.images.iter().find(|image| image.digests.contains(&name))
        };
        match (&image.digest, &image.tag) {
            (Some(digest), _) => by_digest(digest),
            (None, Some(tag)) => {
                let name = format!("{}:{tag}", self.repository);
                self.images.iter().find(|image| image.tags.contains(&name))
            }
            (None, None) => None,
        }
    }

    /// The digest that the registry knows an image of the host by.
    pub fn digest_of(&self, image: &Image) -> Option<String> {
        let own =
            image.digests.iter().find_map(|digest| digest.strip_prefix(&format!("{}@", self.repository)));
        own.map(str::to_owned)
    }

    /// What an instance runs, with the digest as far as it is known.
    pub fn identified(&self, instance: &Instance) -> Reference {
        let image = self.images.iter().find(|image| Some(&image.id) == instance.image_id.as_ref());
        let digest = image.and_then(|image| self.digest_of(image)).or_else(|| instance.image.digest.clone());
        Reference { digest, ..instance.image.clone() }
    }

    /// Whether an instance is made from an image.
    pub fn runs(&self, instance: &Instance, image: &Reference) -> bool {
        match (&image.digest, self.identified(instance).digest) {
            (Some(wanted), Some(known)) => *wanted == known,
            _ => self.local(image).is_some_and(|image| Some(&image.id) == instance.image_id.as_ref()),
        }
    }
}

#[cfg(test)]
mod tests;
