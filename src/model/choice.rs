//! Which backup is meant: the newest, one by its name, or the newest of a time.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::backed::Backed;
use super::manifest::{Backup, Listing};
use super::operation::quoted;
use crate::base::clock::Timestamp;
use crate::base::nearest::nearest;
use crate::base::{Error, Kind, Result};

/// What makes a backup one that nobody should restore, as far as its folder tells.
pub fn flaw(backup: &Backup) -> Option<String> {
    let manifest = backup.manifest.as_ref();
    match backup.bytes {
        None => Some("it cannot be read".to_owned()),
        Some(0) => Some("it is empty".to_owned()),
        Some(bytes) => match manifest.map(|manifest| manifest.bytes) {
            Some(made) if made != bytes => {
                Some(format!("it has {bytes} bytes, and had {made} when it was made"))
            }
            _ => None,
        },
    }
}

/// The newest that was restored for a trial, and is still as it was then. None that was made for a reason: of what was set aside, the
/// last dump is younger than what it holds.
pub fn newest_verified(listing: &Listing) -> Option<&Backup> {
    let is_good =
        |backup: &&Backup| backup.verified().is_some() && flaw(backup).is_none() && reason(backup).is_none();
    listing.backups.iter().find(is_good)
}

/// Why it was made, where that was for a reason: before a restore, of what was live then.
pub fn reason(backup: &Backup) -> Option<&str> {
    backup.manifest.as_ref().map(|manifest| manifest.reason.as_str()).filter(|reason| !reason.is_empty())
}

/// The backup of `of` that `from` means: `latest`, the name or path of a file that is listed, or a time, which means the newest that is
/// not later. Neither is one that was made for a reason, as long as there is another: it may hold what is to be left behind. Times without a zone are in `zone`, and a day is meant with all its hours.
///
/// # Errors
/// When there is none, or it is not fit to be restored.
pub fn choose<'a>(listing: &'a Listing, of: &Backed<'_>, from: &str, zone: &TimeZone) -> Result<&'a Backup> {
    let chosen = chosen(listing, of, from, zone);
    chosen.map_err(|error| match listing.backups.is_empty() {
        true => error.hint(format!("opsctl backup {}", of.typed())),
        false => error.hint(format!("opsctl backups {}", of.typed())),
    })
}

fn chosen<'a>(listing: &'a Listing, of: &Backed<'_>, from: &str, zone: &TimeZone) -> Result<&'a Backup> {
    if let Some(backup) = listing.backups.iter().find(|backup| backup.file == from || backup.name() == from) {
        return fit(backup, of);
    }
    if from.starts_with('/') {
        let message = format!("there is no file `{from}` on host `{}`, or it cannot be read", of.host);
        return Err(Error::new(Kind::Refused, message));
    }
    let until = match from {
        "latest" => None,
        _ => Some(time(from, listing.now, zone).ok_or_else(|| nothing(listing, of, from))?),
    };
    let not_later: Vec<&Backup> =
        listing.backups.iter().filter(|backup| until.is_none_or(|until| backup.at <= until)).collect();
    let is_fit = |backup: &&&Backup| flaw(backup).is_none();
    let usual = not_later.iter().filter(is_fit).find(|backup| reason(backup).is_none());
    if let Some(backup) = usual.or_else(|| not_later.iter().find(is_fit)) {
        return fit(backup, of);
    }
    Err(match (not_later.first(), listing.backups.last()) {
        (Some(newest), _) => unfit(newest, of),
        (None, Some(oldest)) => {
            let until = until.unwrap_or_default();
            Error::new(Kind::Refused, format!("no backup of `{}` is as old as {until:.0}", of.name))
                .hint(format!("the oldest is of {:.0}: --from {}", oldest.at, quoted(oldest.name())))
        }
        (None, None) => without(listing, of),
    })
}

fn fit<'a>(backup: &'a Backup, of: &Backed<'_>) -> Result<&'a Backup> {
    if flaw(backup).is_some() {
        return Err(unfit(backup, of));
    }
    match &backup.manifest {
        Some(manifest) if (manifest.of.as_str(), manifest.kind) != (of.name, of.kind) => {
            let (noun, name) = (of.noun(), of.name);
            let message =
                format!("`{}` is a backup of `{}`, and not of {noun} `{name}`", backup.file, manifest.of);
            Err(Error::new(Kind::Refused, message))
        }
        _ => Ok(backup),
    }
}

fn unfit(backup: &Backup, of: &Backed<'_>) -> Error {
    let why = flaw(backup).unwrap_or_default();
    Error::new(Kind::Refused, format!("`{}` cannot be restored to `{}`: {why}", backup.file, of.name))
}

fn without(listing: &Listing, of: &Backed<'_>) -> Error {
    let (name, directory) = (of.name, &listing.directory);
    let message = match listing.is_missing {
        true => {
            format!("there is no backup of `{name}`: the folder {directory} is not there, or cannot be read")
        }
        false => format!("there is no backup of `{name}` in {directory}"),
    };
    Error::new(Kind::Refused, message)
}

fn nothing(listing: &Listing, of: &Backed<'_>, from: &str) -> Error {
    let error = Error::usage(format!("`{from}` is no backup of `{}`, and no time", of.name));
    let error = match nearest(from, listing.backups.iter().map(Backup::name).chain(["latest"])) {
        Some(name) => error.hint(format!("did you mean `{name}`?")),
        None => error,
    };
    error.hint(
        "write `latest`, the name of a file, or a time such as `2026-11-27`, `2026-11-27 14:00` or `2h`",
    )
}

/// RFC 3339; a day, with or without an hour, in `zone`; or how long ago it was.
fn time(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    // Before the time of a day, which may be left out there.
    if let (true, Ok(day)) = (text.len() == "2026-11-27".len(), text.parse::<Date>()) {
        let next = day.tomorrow().ok()?.to_zoned(zone.clone()).ok()?.timestamp();
        return next.checked_sub(jiff::Span::new().nanoseconds(1)).ok();
    }
    if let Ok(at) = text.parse::<DateTime>() {
        return at.to_zoned(zone.clone()).ok().map(|at| at.timestamp());
    }
    let ago: jiff::Span = text.parse().ok()?;
    now.to_zoned(zone.clone()).checked_sub(ago.abs()).ok().map(|at| at.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::backups::Kind as Engine;
    use crate::model::manifest::Manifest;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn backup(name: &str, bytes: Option<u64>, time: &str) -> Backup {
        Backup { file: format!("/srv/{name}"), bytes, at: at(time), written: at(time), manifest: None }
    }

    fn manifest(of: &str, bytes: u64) -> Manifest {
        let text = format!(
            r#"{{"kind":"postgres","of":"{of}","at":"2026-11-27T10:00:00Z","bytes":{bytes},"sha256":""}}"#
        );
        let manifest: Manifest = serde_json::from_str(&text).unwrap();
        assert_eq!(manifest.kind, Engine::Postgres);
        manifest
    }

    const ARGUS: Backed<'_> = Backed {
        kind: Engine::Postgres,
        name: "argus",
        project: "shop",
        host: "app",
        backups: None,
        is_double: false,
    };

    fn listing() -> Listing {
        Listing {
            now: at("2026-11-27T13:00:00Z"),
            directory: "/srv".to_owned(),
            is_missing: false,
            backups: vec![
                backup("argus_5.dump", Some(0), "2026-11-27T12:30:00Z"),
                backup("argus_4.dump", None, "2026-11-27T12:00:00Z"),
                backup("argus_3.dump", Some(7), "2026-11-27T10:30:00Z"),
                backup("argus_2.dump", Some(7), "2026-11-26T23:30:00Z"),
                backup("argus_1.dump", Some(7), "2026-11-26T03:00:00Z"),
            ],
        }
    }

    #[test]
    fn latest_a_name_a_path_or_a_time_means_one() {
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        for (from, name) in [
            // What cannot be restored is passed over.
            ("latest", "argus_3.dump"),
            ("argus_1.dump", "argus_1.dump"),
            ("/srv/argus_2.dump", "argus_2.dump"),
            ("2026-11-27T12:45:00Z", "argus_3.dump"),
            ("2026-11-27T10:30:00Z", "argus_3.dump"),
            ("2026-11-27T10:29:59Z", "argus_2.dump"),
            ("2026-11-27 11:30", "argus_3.dump"),
            ("2026-11-27 11:29", "argus_2.dump"),
            ("2026-11-27T00:30", "argus_2.dump"),
            // All of the day, and of the day in the zone of who says it.
            ("2026-11-27", "argus_3.dump"),
            ("2026-11-26", "argus_1.dump"),
            ("2h", "argus_3.dump"),
            ("3h ago", "argus_2.dump"),
            ("1d", "argus_1.dump"),
            ("2035-01-01", "argus_3.dump"),
        ] {
            assert_eq!(choose(&listing(), &ARGUS, from, &berlin).map(Backup::name), Ok(name), "{from}");
        }
    }

    #[test]
    fn what_cannot_be_chosen_is_told_with_what_there_is() {
        let told = |listing: &Listing, from: &str| {
            let error = choose(listing, &ARGUS, from, &TimeZone::UTC).unwrap_err();
            format!("{:?}: {}\n{}\n", error.kind, error.message, error.hints.join("\n"))
        };
        let mut all = listing();
        let mut said: Vec<String> =
            ["argus_6.dump", "yesterday", "/tmp/x", "argus_5.dump", "argus_4.dump", "2020-01-01"]
                .into_iter()
                .map(|from| told(&all, from))
                .collect();
        all.backups[2].manifest = Some(manifest("argus", 9));
        said.push(told(&all, "argus_3.dump"));
        all.backups[2].manifest = Some(manifest("hermes", 7));
        said.push(told(&all, "argus_3.dump"));
        all.backups.truncate(2);
        said.push(told(&all, "latest"));
        all.backups.clear();
        said.push(told(&all, "latest"));
        all.is_missing = true;
        said.push(told(&all, "2h"));
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn the_latest_is_none_that_was_made_before_a_restore_as_long_as_there_is_another() {
        let mut all = listing();
        let name = |all: &Listing, from: &str| {
            choose(all, &ARGUS, from, &TimeZone::UTC).map(|backup| backup.name().to_owned())
        };
        let safety = || Some(Manifest { reason: "before a restore".to_owned(), ..manifest("argus", 7) });
        all.backups[2].manifest = safety();
        assert_eq!(name(&all, "latest"), Ok("argus_2.dump".to_owned()));
        assert_eq!(name(&all, "2h"), Ok("argus_2.dump".to_owned()));
        assert_eq!(name(&all, "argus_3.dump"), Ok("argus_3.dump".to_owned()));
        all.backups[3].manifest = safety();
        all.backups[4].manifest = safety();
        assert_eq!(name(&all, "latest"), Ok("argus_3.dump".to_owned()));
    }

    #[test]
    fn a_trial_counts_as_long_as_the_file_is_what_it_was() {
        let mut all = listing();
        assert_eq!(newest_verified(&all), None);
        let verified = |bytes| {
            let verified = serde_json::from_str(r#"{"at":"2026-11-27T10:00:00Z"}"#).unwrap();
            Some(Manifest { verified, ..manifest("argus", bytes) })
        };
        all.backups[3].manifest = verified(7);
        all.backups[2].manifest = verified(9);
        assert_eq!(newest_verified(&all).map(Backup::name), Some("argus_2.dump"));
    }
}
