//! The images of a host, and what the registry has of them.

use std::time::Duration;

use bollard::query_parameters::ListImagesOptionsBuilder;

use super::super::Host;
use super::super::failure::Failure;
use super::NO_ANSWER;
use crate::base::amount::Span;

/// For the answer of a registry, which may be far away.
const PATIENCE: Duration = Duration::from_secs(15);

/// An image that is on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Docker's own, of its configuration: `sha256:...`.
    pub id: String,
    /// `repository:tag`.
    pub tags: Vec<String>,
    /// `repository@sha256:...`, as the registry knows it.
    pub digests: Vec<String>,
}

/// The word of a registry for an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    /// By this digest.
    Has(String),
    /// It answered otherwise, or not at all.
    No(String),
}

impl Host {
    /// The images of a repository that are on the host, with a tag or without.
    ///
    /// # Errors
    /// When Docker does not answer.
    pub async fn images(&self, repository: &str) -> Result<Vec<Image>, Failure> {
        let answer = async {
            let filters = [("reference", vec![repository])].into();
            let options = ListImagesOptionsBuilder::new().filters(&filters).build();
            let listed = self.docker().await?.list_images(Some(options)).await;
            listed.map_err(|error| self.refused(error.into()))
        };
        let listed = self.within(None, NO_ANSWER, answer).await?;
        let images = listed.into_iter().map(|image| Image {
            id: image.id,
            tags: image.repo_tags,
            digests: image.repo_digests,
        });
        Ok(images.collect())
    }

    /// What the registry of an image says, asked by the host's engine, which knows how it is reached. Nothing is pulled.
    ///
    /// # Errors
    /// When Docker itself cannot be asked.
    pub async fn offer(&self, image: &str) -> Result<Offer, Failure> {
        let answer = async {
            let login = self.login(image).await?;
            let asked = self.docker().await?.inspect_registry_image(image, login);
            // A registry that cannot be reached keeps the engine waiting, which answers everything else.
            match tokio::time::timeout(PATIENCE, asked).await {
                Ok(Ok(found)) => Ok(found
                    .descriptor
                    .digest
                    .map_or_else(|| Offer::No("it gave no digest".to_owned()), Offer::Has)),
                Ok(Err(bollard::errors::Error::DockerResponseServerError { message, .. })) => {
                    Ok(Offer::No(message))
                }
                Ok(Err(error)) => Err(self.refused(error.into())),
                Err(_) => Ok(Offer::No(format!("it did not answer within {}", Span(PATIENCE)))),
            }
        };
        self.within(Some(2 * PATIENCE), NO_ANSWER, answer).await
    }
}
