//! Which images the services need to go back to.

use std::collections::{BTreeMap, BTreeSet};

use super::named;
use crate::model::clutter::contents::{Image, Released};

/// What runs, and what it would go back to.
const FEWEST: u32 = 2;

/// The services that need an image as one of their last `count` releases, by its id.
///
/// Only what is on the host can be gone back to when no registry answers, so that a release whose image is not there counts for
/// nothing. Where the history has too few, the newest images of the repository stand in for them: somebody has released by hand, or there is
/// no history yet.
pub(super) fn kept<'a>(
    images: &'a [Image],
    services: &'a [Released],
    count: u32,
) -> BTreeMap<&'a str, &'a str> {
    let count = count.max(FEWEST) as usize;
    let mut kept = BTreeMap::new();
    for service in services {
        let (mut ways, mut found) = (BTreeSet::new(), 0);
        for release in &service.images {
            if found == count {
                break;
            }
            let meant = images.iter().filter(|image| named::could_be(image, release));
            kept.extend(meant.map(|image| (image.id.as_str(), service.service.as_str())));
            let there = images.iter().filter(|image| named::is(image, release));
            let new = there.filter(|image| ways.insert(image.id.as_str())).count();
            found += usize::from(new > 0);
        }
        let mut others: Vec<&Image> =
            images.iter().filter(|image| named::is_in(image, &service.repository)).collect();
        others.sort_by(|one, other| {
            let age = |image: &Image| image.tagged.max(image.created);
            age(other).cmp(&age(one)).then_with(|| one.id.cmp(&other.id))
        });
        for image in others {
            if found < count && ways.insert(image.id.as_str()) {
                found += 1;
            }
        }
        kept.extend(ways.into_iter().map(|id| (id, service.service.as_str())));
    }
    kept
}
