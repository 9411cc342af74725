//! Which image is meant by a name.
//!
//! Docker writes the names of its own registry short: `redis` is `docker.io/library/redis:latest`. A digest tells an image apart from
//! every other, and a tag means another one tomorrow; so what is written as both is looked for by the digest, and what the tag means by
//! now is spared as well.

use crate::base::image::{Reference, short};
use crate::model::clutter::contents::Image;

/// Whether Docker finds this image by that name.
pub(super) fn is(image: &Image, name: &Reference) -> bool {
    match &name.digest {
        Some(digest) => digests(image)
            .any(|own| own.digest.as_ref() == Some(digest) && is_of(&own.repository, &name.repository)),
        None => has_tag(image, name),
    }
}

/// Whether it could be meant by that name, in any way.
pub(super) fn could_be(image: &Image, name: &Reference) -> bool {
    let digest = name.digest.as_ref();
    let is_digest = |digest: &String| {
        image.id == *digest || digests(image).any(|own| own.digest.as_ref() == Some(digest))
    };
    digest.is_some_and(is_digest) || has_tag(image, name)
}

/// As [`could_be`], of what a Compose file says: a name, or the beginning of an id. None where it is neither.
pub(super) fn is_written(image: &Image, text: &str) -> Option<bool> {
    let name = Reference::parse(text).ok()?;
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    let is_id = hex.chars().all(|c| c.is_ascii_hexdigit()) && bare(&image.id).starts_with(hex);
    Some(is_id || could_be(image, &name))
}

/// Whether it has a tag or a digest in that repository.
pub(super) fn is_in(image: &Image, repository: &str) -> bool {
    tags(image).chain(digests(image)).any(|own| is_of(&own.repository, repository))
}

/// Every word that a plan could name it by: its id and its digests as Docker shows them, and its tags. The newest version of a repository is
/// meant where no tag is said.
pub(super) fn words(image: &Image) -> Vec<&str> {
    let digests =
        image.digests.iter().filter_map(|digest| digest.split_once('@')).map(|(_, digest)| short(digest));
    let tags = image.tags.iter().map(|tag| tag.strip_suffix(":latest").unwrap_or(tag));
    [short(&image.id)].into_iter().chain(digests).chain(tags).collect()
}

/// By which names it is let go of: its tags, and those digests that do not go with a tag, since it is called by them alone.
pub(super) fn names(image: &Image) -> Vec<String> {
    let goes_along = |digest: &Reference| tags(image).any(|tag| is_of(&tag.repository, &digest.repository));
    let alone =
        image.digests.iter().filter(|text| Reference::parse(text).is_ok_and(|digest| !goes_along(&digest)));
    image.tags.iter().chain(alone).cloned().collect()
}

/// By what it can be pulled again: in a repository that it has a tag in, where there is one.
pub(super) fn digest(image: &Image) -> Option<String> {
    let is_tagged = |text: &&String| {
        Reference::parse(text)
            .is_ok_and(|digest| tags(image).any(|tag| is_of(&tag.repository, &digest.repository)))
    };
    image.digests.iter().find(is_tagged).or(image.digests.first()).cloned()
}

fn tags(image: &Image) -> impl Iterator<Item = Reference> {
    image.tags.iter().filter_map(|tag| Reference::parse(tag).ok())
}

fn digests(image: &Image) -> impl Iterator<Item = Reference> {
    image.digests.iter().filter_map(|digest| Reference::parse(digest).ok())
}

fn has_tag(image: &Image, name: &Reference) -> bool {
    let tag = match (&name.tag, &name.digest) {
        (Some(tag), _) => tag,
        (None, Some(_)) => return false,
        (None, None) => "latest",
    };
    tags(image).any(|own| own.tag.as_deref() == Some(tag) && is_of(&own.repository, &name.repository))
}

/// Whether two names of repositories mean the same one.
fn is_of(one: &str, other: &str) -> bool {
    let whole = |name: &str| {
        let name = ["docker.io/", "index.docker.io/"]
            .iter()
            .find_map(|registry| name.strip_prefix(registry))
            .unwrap_or(name);
        name.strip_prefix("library/").unwrap_or(name).to_owned()
    };
    whole(one) == whole(other)
}

fn bare(id: &str) -> &str {
    id.strip_prefix("sha256:").unwrap_or(id)
}
