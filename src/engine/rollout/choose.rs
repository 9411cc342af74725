//! Which version is meant, and whether it can be had.

use super::{Instance, Running};
use crate::base::image::{self, Reference};
use crate::base::nearest::listed;
use crate::base::{Error, Kind, Result};
use crate::host::docker::images::Offer;
use crate::model::release::Standing;

/// What a person asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// To a version, as the registry has it now.
    Deploy(&'a str),
    /// Back to a version, as it was when it was released.
    Rollback(&'a str),
    /// Back to the last release that was healthy, and that nobody went back from.
    Previous,
}

impl Wanted<'_> {
    /// The name of the procedure.
    pub fn name(self) -> &'static str {
        match self {
            Wanted::Deploy(_) => "deploy",
            Wanted::Rollback(_) | Wanted::Previous => "rollback",
        }
    }
}

/// The image that a service goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// With its digest, unless the host alone has it and no registry ever gave it one.
    pub image: Reference,
    /// Whether the host has it already.
    pub is_local: bool,
    /// What the history thinks of it.
    pub standing: Option<Standing>,
}

/// # Errors
/// Of the kind refused, with the versions that would do: when it is unknown, not to be had, or running already; and what `ask` says.
pub async fn choose(
    running: &Running,
    wanted: Wanted<'_>,
    ask: impl AsyncFn(&Reference) -> Result<Offer>,
) -> Result<Target> {
    let image = match wanted {
        Wanted::Previous => previous(running, ask).await?,
        Wanted::Deploy(version) => to_deploy(running, version, ask).await?,
        Wanted::Rollback(version) => to_go_back_to(running, version, ask).await?,
    };
    if running.instances.iter().all(|instance| running.runs(instance, &image)) {
        let message = format!("every instance of `{}` runs {} already", running.service, image.version());
        return Err(with_versions(running, Error::new(Kind::Refused, message)));
    }
    let standing = running.history.images().into_iter().find(|(known, _)| is_same(known, &image));
    let is_local = running.local(&image).is_some();
    Ok(Target { image, is_local, standing: standing.map(|(_, standing)| standing) })
}

async fn to_deploy(
    running: &Running,
    version: &str,
    ask: impl AsyncFn(&Reference) -> Result<Offer>,
) -> Result<Reference> {
    let named = named(running, version)?;
    match ask(&named).await? {
        Offer::Has(digest) => Ok(Reference { digest: Some(digest), ..named }),
        Offer::No(why) => on_the_host(running, &named).ok_or_else(|| nowhere(running, version, &why)),
    }
}

async fn to_go_back_to(
    running: &Running,
    version: &str,
    ask: impl AsyncFn(&Reference) -> Result<Offer>,
) -> Result<Reference> {
    let named = named(running, version)?;
    let released = running.history.images().into_iter().map(|(image, _)| image);
    let released: Vec<_> =
        released.filter(|image| image.tag == named.tag && image.digest.is_some()).collect();
    for image in &released {
        if running.local(image).is_some() || matches!(ask(image).await?, Offer::Has(_)) {
            return Ok(image.clone());
        }
    }
    if let Some(image) = on_the_host(running, &named) {
        return Ok(image);
    }
    match ask(&named).await? {
        Offer::Has(digest) => Ok(Reference { digest: Some(digest), ..named }),
        Offer::No(why) => Err(nowhere(running, version, &why)),
    }
}

async fn previous(running: &Running, ask: impl AsyncFn(&Reference) -> Result<Offer>) -> Result<Reference> {
    let service = &running.service;
    let versions: Vec<_> = running.instances.iter().map(|one| running.identified(one)).collect();
    if versions.iter().any(|version| !is_same(version, &versions[0])) {
        let which = running.instances.iter().zip(&versions);
        let which: Vec<_> = which.map(|(one, image)| format!("`{}` {}", one.name, image.version())).collect();
        let message = format!("the instances of `{service}` run different versions: {}", which.join(", "));
        let error = Error::new(Kind::Refused, message).hint(format!("opsctl rollback {service} VERSION"));
        return Err(with_versions(running, error));
    }
    let is_current =
        |image: &Reference| running.instances.iter().all(|instance| running.runs(instance, image));
    let good = running.history.images().into_iter().filter(|(_, standing)| *standing == Standing::Good);
    let Some((image, _)) = good.into_iter().find(|(image, _)| !is_current(image)) else {
        let message = format!(
            "there is nothing to go back to: no other release of `{service}` is known to have been healthy"
        );
        return Err(with_versions(running, Error::new(Kind::Refused, message)));
    };
    if running.local(&image).is_some() {
        return Ok(image);
    }
    match ask(&image).await? {
        Offer::Has(_) => Ok(image),
        Offer::No(why) => Err(nowhere(running, &image.version(), &why)),
    }
}

/// A version as people write it: a tag, a tag with its digest, or the beginning of a digest that is known.
fn named(running: &Running, version: &str) -> Result<Reference> {
    let refused = || {
        let error =
            Error::new(Kind::Refused, format!("`{version}` cannot be a version of `{}`", running.service));
        with_versions(running, error)
    };
    let repository = running.repository.clone();
    if let Some(hex) = version.strip_prefix("sha256:") {
        let is_meant = |image: &&Reference| {
            hex.len() >= 6 && image.digest.as_ref().is_some_and(|digest| digest.starts_with(version))
        };
        let known = known(running);
        return known.iter().find(is_meant).cloned().ok_or_else(refused);
    }
    if image::is_tag(version) {
        return Ok(Reference { repository, tag: Some(version.to_owned()), digest: None });
    }
    Reference::parse(&format!("{repository}:{version}")).map_err(|_| refused())
}

/// The image as the host has it, by its tag or its digest.
fn on_the_host(running: &Running, named: &Reference) -> Option<Reference> {
    let image = running.local(named)?;
    let digest = named.digest.clone().or_else(|| running.digest_of(image));
    Some(Reference { digest, ..named.clone() })
}

fn nowhere(running: &Running, version: &str, why: &str) -> Error {
    let message = format!("`{version}` of `{}` is not to be had: nothing was changed", running.service);
    let error = Error::new(Kind::Refused, message)
        .cause(format!("host `{}` has no such image", running.host))
        .cause(format!("the registry of `{}`: {why}", running.repository));
    with_versions(running, error)
}

/// Adds the versions that can be released without any registry.
fn with_versions(running: &Running, error: Error) -> Error {
    let names: Vec<String> = known(running)
        .into_iter()
        .filter(|image| running.local(image).is_some())
        .filter(|image| !running.instances.iter().all(|instance| running.runs(instance, image)))
        .map(|image| image.version())
        .collect();
    let error = match names.is_empty() {
        true => {
            error.hint(format!("no other version of `{}` is on host `{}`", running.service, running.host))
        }
        false => {
            error.hint(format!("on host `{}`: {}", running.host, listed(names.iter().map(String::as_str))))
        }
    };
    error.hint(format!("opsctl releases {}", running.service))
}

/// Every version that is known: what was released, the last first, and what else is on the host.
pub fn known(running: &Running) -> Vec<Reference> {
    let mut known: Vec<Reference> = running.history.images().into_iter().map(|(image, _)| image).collect();
    let running_now = running.instances.iter().map(|instance: &Instance| running.identified(instance));
    let mut on_host: Vec<Reference> = Vec::new();
    for image in &running.images {
        let digest = running.digest_of(image);
        let tags = image.tags.iter().filter_map(|tag| Reference::parse(tag).ok());
        on_host.extend(tags.map(|tag| Reference { digest: digest.clone(), ..tag }));
    }
    on_host.sort_by(|one, other| other.tag.cmp(&one.tag));
    for image in running_now.chain(on_host) {
        if !known
            .iter()
            .any(|other| is_same(other, &image) && (other.tag == image.tag || other.digest.is_some()))
        {
            known.push(image);
        }
    }
    known
}

/// By the digest, where both are known by it.
pub fn is_same(one: &Reference, other: &Reference) -> bool {
    match (&one.digest, &other.digest) {
        (Some(one), Some(other)) => one == other,
        _ => one.tag == other.tag,
    }
}
