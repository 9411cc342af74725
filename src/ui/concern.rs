//! What is wrong with the backups that there are: said beside the table of them.

use super::age;
use super::backups::{Stock, Unasked};
use super::paint::{Ink, visible};
use crate::model::choice::flaw;
use crate::model::rpo::Shortfall;

/// What is not as it should be, in a line for each.
pub fn text(all: &[Stock], unasked: &[Unasked]) -> String {
    let line = |Unasked { name, why }: &Unasked| {
        format!("{} nobody knows its backups: {}\n", Ink::Warn.on(format!("? `{name}`:")), visible(why))
    };
    let mut text: String = unasked.iter().map(line).collect();
    for stock in all {
        let (name, listing) = (&stock.typed, &stock.listing);
        let directory = visible(&listing.directory);
        if listing.is_missing {
            text.push_str(&format!(
                "`{name}`: the folder {directory} is not there on host `{}`, or cannot be read\n",
                stock.host
            ));
        } else if listing.backups.is_empty() {
            text.push_str(&format!("`{name}`: there is no backup in {directory} on host `{}`\n", stock.host));
        }
        for backup in &listing.backups {
            if let Some(why) = flaw(backup) {
                text.push_str(&format!("`{name}`: {} cannot be restored: {why}\n", visible(&backup.file)));
            }
        }
        if let Some(Shortfall { allowed, age }) = stock.shortfall() {
            let why = match age {
                Some(age) => format!(
                    "the newest verified backup is {} old, and {allowed} is what may be lost",
                    age::words(age.0)
                ),
                None => format!("no backup is verified, and {allowed} is what may be lost"),
            };
            let next = Ink::Command.on(format!("opsctl backup {name} --verify"));
            text.push_str(&format!("{} {why}: {next}\n", Ink::Bad.on(format!("✘ `{name}`:"))));
        }
    }
    text
}

/// Of what nobody makes a backup.
pub fn without(noun: &str, name: &str) -> String {
    format!("{noun} `{name}` has no `backups` in the inventory\n")
}
