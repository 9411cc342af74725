//! Whether there is a verified backup that is as new as the inventory wants it.

use super::choice::newest_verified;
use super::manifest::Listing;
use crate::base::amount::Span;

/// How much may be lost, and how much would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortfall {
    pub allowed: Span,
    /// None where no backup was ever verified.
    pub age: Option<Span>,
}

/// None where it is kept, or nothing is wanted.
pub fn shortfall(listing: &Listing, allowed: Option<Span>) -> Option<Shortfall> {
    let allowed = allowed?;
    let age = newest_verified(listing).map(|backup| listing.loss(backup));
    (age.is_none_or(|age| age > allowed)).then_some(Shortfall { allowed, age })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::manifest::Listing;

    /// With a backup that was verified, so many seconds old.
    fn listing(age: u64) -> Listing {
        let manifest = r#"{"kind":"redis","of":"redis","at":"2026-03-01T03:14:00Z","bytes":7,"sha256":"","verified":{"at":"2026-03-01T03:15:00Z"}}"#;
        let now = 1_772_334_840 + age;
        Listing::read("/srv", &format!("T\t{now}\nF\t7\t0\tredis_1.rdb\nM\t{manifest}\n"))
    }

    #[test]
    fn the_newest_verified_backup_is_measured_against_what_is_allowed() {
        let hour = Span::secs(3600);
        assert_eq!(shortfall(&listing(3600), Some(hour)), None);
        let behind = Shortfall { allowed: hour, age: Some(Span::secs(3601)) };
        assert_eq!(shortfall(&listing(3601), Some(hour)), Some(behind));
        assert_eq!(shortfall(&listing(3601), None), None);
        let nothing = Listing { backups: Vec::new(), ..listing(0) };
        assert_eq!(shortfall(&nothing, Some(hour)), Some(Shortfall { allowed: hour, age: None }));
    }
}
