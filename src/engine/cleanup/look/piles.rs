//! The files below the folders that are looked through by rules, counted by the rules that they go by.

use std::time::Duration;

use futures_util::future::try_join_all;

use super::asked::{Asked, Seen, asked};
use super::question::{ask, lines};
use crate::base::amount::Span;
use crate::base::clock::Timestamp;
use crate::host::Host;
use crate::host::failure::Failure;
use crate::model::clutter::contents::{Pile, Rule};
use crate::model::clutter::terms::Cleanup;

const SCRIPT: &str = include_str!("piles.sh");

/// A million files take some seconds, on a disk that is slow and busy a minute.
const PATIENCE: Duration = Duration::from_secs(180);

/// Where managers of packages keep what they installed from.
const PACKAGES: [&str; 4] = ["/var/cache/apt/archives", "/var/cache/dnf", "/var/cache/yum", "/var/cache/apk"];

const LOGS: &str = "/var/log";

/// `journalctl` alone takes files from there.
pub(super) const JOURNAL: &str = "/var/log/journal";

/// A folder, and the rule for it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    pub rule: Rule,
    pub directory: String,
    /// For how long files stay, where that has to do with it.
    keep: Option<Span>,
}

/// All folders that rules are for, whether they are there or not.
pub(super) fn places(terms: &Cleanup) -> Vec<Place> {
    let packages =
        PACKAGES.map(|directory| Place { rule: Rule::Packages, directory: directory.to_owned(), keep: None });
    let logs = Place { rule: Rule::RotatedLogs, directory: LOGS.to_owned(), keep: Some(terms.keep_logs) };
    let temporary = terms.temporary.iter().map(|directory| {
        let directory = match directory.trim_end_matches('/') {
            "" => "/".to_owned(),
            trimmed => trimmed.to_owned(),
        };
        Place { rule: Rule::Temporary, directory, keep: Some(terms.temporary_for) }
    });
    packages.into_iter().chain([logs]).chain(temporary).collect()
}

/// Counts them all; `spared`: what is left whole.
pub(super) async fn look(
    machine: &Host,
    places: &[Place],
    now: Timestamp,
    spared: &[String],
) -> Asked<Vec<Pile>> {
    let counted = try_join_all(places.iter().map(|place| count(machine, place, now, spared))).await?;
    let mut seen: Seen<Vec<Pile>> = Seen::default();
    for of_place in counted {
        seen.found.extend(of_place.into_found(&mut seen.unseen));
    }
    Ok(seen)
}

async fn count(
    machine: &Host,
    place: &Place,
    now: Timestamp,
    spared: &[String],
) -> Result<Seen<Option<Pile>>, Failure> {
    let Place { rule, directory, keep } = place;
    let old = keep.map(|keep| now.as_second().saturating_sub_unsigned(keep.0.as_secs()).to_string());
    let given = [
        ("directory", directory.clone()),
        ("names", lines(rule.patterns())),
        ("old", old.unwrap_or_default()),
        // Rotation gives a log another name every day.
        ("whole", if *rule == Rule::Temporary { "yes".to_owned() } else { String::new() }),
        ("spare", lines(spared.iter().map(|path| literally(path)))),
    ];
    let given = given.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut seen = Seen::default();
    let what = format!("the files in `{directory}`");
    let answer = ask(machine, &given, SCRIPT, None, PATIENCE).await;
    if let Some(answer) = asked(machine, &what, answer, &mut seen.unseen)? {
        match read(place, &answer.stdout) {
            Ok(pile) => seen.found = pile,
            Err(why) => seen.unseen.push(format!("{what}: {why}")),
        }
        let hidden = answer.stderr.lines().filter(|line| line.ends_with("Permission denied")).count();
        if hidden > 0 {
            seen.unseen.push(format!("{what}: {hidden} of its folders cannot be read"));
        }
    }
    Ok(seen)
}

fn read(place: &Place, text: &str) -> Result<Option<Pile>, String> {
    let fields: Vec<&str> = text.trim_end().split('\t').collect();
    let number = |text: &str| text.parse::<u64>().map_err(|_| format!("`{text}` is no number"));
    match fields[..] {
        ["N"] => Ok(None),
        ["L", real] => Err(format!("it leads to `{real}` by a link, which is not followed")),
        ["W"] => Err("it cannot be entered".to_owned()),
        ["F", files, bytes, all_files, all_bytes] => Ok(Some(Pile {
            rule: place.rule,
            directory: place.directory.clone(),
            mount: String::new(),
            files: number(files)?,
            bytes: number(bytes)?,
            all_files: number(all_files)?,
            all_bytes: number(all_bytes)?,
        })),
        _ => Err("they could not be counted".to_owned()),
    }
}

/// A path as a pattern of a shell that only it fits.
pub(super) fn literally(path: &str) -> String {
    path.chars().flat_map(|c| "\\*?[]".contains(c).then_some('\\').into_iter().chain([c])).collect()
}
