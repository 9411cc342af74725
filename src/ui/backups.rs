//! The backups of databases and caches: what there is, how far each can be trusted, and what restoring it would lose.

use serde::Serialize;

use super::age;
use super::paint::{Ink, clean, visible};
use super::table::{Cell, Table};
use crate::base::amount::Span;
use crate::base::clock::{Timestamp, elapsed};
use crate::base::size::Size;
use crate::model::aside::Aside;
use crate::model::backups::Kind;
use crate::model::choice::{flaw, newest_verified};
use crate::model::manifest::{Backup, Listing, Verified};
use crate::model::rpo::{Shortfall, shortfall};

/// What a host says of the backups of a database or a cache.
#[derive(Debug, Clone)]
pub struct Stock {
    pub kind: Kind,
    /// In the inventory.
    pub name: String,
    /// As it is to be typed.
    pub typed: String,
    pub host: String,
    /// How much may be lost, where the inventory says so.
    pub rpo: Option<Span>,
    pub listing: Listing,
    pub aside: Vec<Aside>,
}

/// One whose host could not be asked.
#[derive(Debug, Clone)]
pub struct Unasked {
    pub name: String,
    pub why: String,
}

impl Stock {
    pub fn shortfall(&self) -> Option<Shortfall> {
        shortfall(&self.listing, self.rpo)
    }
}

pub fn text(all: &[Stock]) -> String {
    let mut table =
        Table::new(&["OF", "FILE", "TAKEN", "SIZE", "VERIFIED", "RESTORING IT LOSES", "BY", "REASON"]);
    for stock in all {
        for backup in &stock.listing.backups {
            table.row(row(&stock.typed, &stock.listing, backup));
        }
    }
    let mut text = if table.is_empty() { String::new() } else { table.text() };
    for stock in all.iter().filter(|stock| !stock.aside.is_empty()) {
        text.push('\n');
        stock.aside.iter().for_each(|aside| text.push_str(&kept(stock, aside)));
    }
    text
}

fn row(name: &str, listing: &Listing, backup: &Backup) -> [Cell; 8] {
    let said = |field: fn(&crate::model::manifest::Manifest) -> &str| {
        clean(backup.manifest.as_ref().map(field).unwrap_or_default())
    };
    let verified = match backup.verified() {
        Some(verified) => Cell::new(Ink::Good, format!("✔ {} ago", since(verified.at, listing.now))),
        None => Cell::new(Ink::Warn, "never"),
    };
    [
        Cell::new(Ink::Bold, name),
        clean(backup.name()).into(),
        format!("{:.0}", backup.at).into(),
        size(backup),
        verified,
        format!("the last {}", age::words(listing.loss(backup).0)).into(),
        said(|manifest| &manifest.by).into(),
        said(|manifest| &manifest.reason).into(),
    ]
}

fn size(backup: &Backup) -> Cell {
    match (flaw(backup), backup.bytes) {
        (None, Some(bytes)) => Size(bytes).to_string().into(),
        (_, None) => Cell::new(Ink::Bad, "✘ cannot be read"),
        (_, Some(0)) => Cell::new(Ink::Bad, "✘ empty"),
        (_, Some(bytes)) => Cell::new(Ink::Bad, format!("✘ {}, and not as it was made", Size(bytes))),
    }
}

/// A database that a restore has set aside.
fn kept(stock: &Stock, aside: &Aside) -> String {
    let ago = aside.since.map(|at| format!(", set aside {} ago", since(at, stock.listing.now)));
    let next = format!("opsctl restore release {}", stock.typed);
    let next = if stock.aside.len() > 1 { format!("{next} {}", visible(&aside.name)) } else { next };
    format!(
        "`{}` still has `{}`, {}{}: {}\n",
        stock.typed,
        visible(&aside.name),
        Size(aside.bytes),
        ago.unwrap_or_default(),
        Ink::Command.on(next)
    )
}

fn since(at: Timestamp, now: Timestamp) -> String {
    age::words(elapsed(at, now))
}

/// Part of the public interface.
#[derive(Serialize)]
#[serde(tag = "kind", rename = "backups")]
struct Document<'a> {
    of: Vec<OfOne<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_asked: Vec<NotAsked<'a>>,
}

#[derive(Serialize)]
struct NotAsked<'a> {
    name: &'a str,
    why: &'a str,
}

#[derive(Serialize)]
struct OfOne<'a> {
    name: &'a str,
    engine: Kind,
    host: &'a str,
    directory: &'a str,
    is_missing: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    rpo: Option<Span>,
    /// Whether the newest verified one is as new as that; true where nothing is wanted.
    meets_rpo: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest_verified: Option<&'a str>,
    backups: Vec<Line<'a>>,
    set_aside: Vec<Kept<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    at: Timestamp,
    bytes: Option<u64>,
    /// Why it cannot be restored.
    #[serde(skip_serializing_if = "Option::is_none")]
    flaw: Option<String>,
    verified: Option<&'a Verified>,
    loses_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<&'a str>,
}

#[derive(Serialize)]
struct Kept<'a> {
    name: &'a str,
    bytes: u64,
    since: Option<Timestamp>,
}

pub fn json(all: &[Stock], unasked: &[Unasked]) -> String {
    let not_asked = unasked.iter().map(|Unasked { name, why }| NotAsked { name, why }).collect();
    let document = Document { of: all.iter().map(of_one).collect(), not_asked };
    format!("{}\n", serde_json::to_string(&document).expect("it is made of maps with string keys"))
}

fn of_one(stock: &Stock) -> OfOne<'_> {
    let listing = &stock.listing;
    OfOne {
        name: &stock.name,
        engine: stock.kind,
        host: &stock.host,
        directory: &listing.directory,
        is_missing: listing.is_missing,
        rpo: stock.rpo,
        meets_rpo: stock.shortfall().is_none(),
        newest_verified: newest_verified(listing).map(|backup| backup.file.as_str()),
        backups: listing.backups.iter().map(|backup| line(listing, backup)).collect(),
        set_aside: stock
            .aside
            .iter()
            .map(|aside| Kept { name: &aside.name, bytes: aside.bytes, since: aside.since })
            .collect(),
    }
}

fn line<'a>(listing: &Listing, backup: &'a Backup) -> Line<'a> {
    let manifest = backup.manifest.as_ref();
    let said = |text: Option<&'a String>| text.map(String::as_str).filter(|text| !text.is_empty());
    Line {
        file: &backup.file,
        at: backup.at,
        bytes: backup.bytes,
        flaw: flaw(backup),
        verified: backup.verified(),
        loses_ms: listing.loss(backup).0.as_millis() as u64,
        by: said(manifest.map(|manifest| &manifest.by)),
        reason: said(manifest.map(|manifest| &manifest.reason)),
        run: said(manifest.map(|manifest| &manifest.run)),
        server: said(manifest.map(|manifest| &manifest.server)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::concern;
    use crate::ui::look::Look;

    /// On 2026-03-01 at 03:14.
    fn stock(rpo: Option<u64>, files: &str) -> Stock {
        let listing = Listing::read("/srv", &format!("T\t1772334840\n{files}"));
        let aside = Vec::new();
        let [name, typed, host] = ["argus", "argus", "app"].map(str::to_owned);
        Stock { kind: Kind::Postgres, name, typed, host, rpo: rpo.map(Span::secs), listing, aside }
    }

    fn manifest(at: &str, bytes: u64, more: &str) -> String {
        format!(
            r#"{{"kind":"postgres","of":"argus","at":"{at}","bytes":{bytes},"sha256":"","by":"ada",{more}}}"#
        )
    }

    fn several() -> Stock {
        let verified = r#""verified":{"at":"2026-03-01T01:14:00Z","run":"r","seconds":41}"#;
        let files = format!(
            "F\t0\t1772334000\targus_4.dump\nF\t\t1772330000\targus_3.dump\nF\t2097152\t0\targus_2.dump\nM\t{}\nF\t3\t0\targus_1.dump\nM\t{}\n",
            manifest("2026-03-01T01:10:00Z", 2_097_152, verified),
            manifest("2026-02-25T03:14:00Z", 4, r#""reason":"before a restore""#),
        );
        let aside = |name: &str, bytes, since: &str| Aside {
            name: name.to_owned(),
            bytes,
            since: since.parse().ok(),
        };
        Stock {
            aside: vec![
                aside("argus_db_taken_back_then", 1 << 20, ""),
                aside("argus_db_until_20260228T031400Z", 1 << 30, "2026-02-28T03:14:00Z"),
            ],
            ..stock(Some(7200), &files)
        }
    }

    #[test]
    fn the_table_says_what_each_is_worth_and_what_is_set_aside() {
        insta::assert_snapshot!(Look::PLAIN.fit(&text(&[several()])));
    }

    #[test]
    fn what_is_wrong_is_told_with_what_to_type() {
        let missing = Stock { typed: "redis".to_owned(), ..stock(Some(3600), "N\n") };
        let unasked = Unasked { name: "hermes".to_owned(), why: "host `db`: no route".to_owned() };
        let all = [several(), stock(None, ""), missing];
        insta::assert_snapshot!(Look::PLAIN.fit(&concern::text(&all, &[unasked])));
    }

    #[test]
    fn a_program_reads_all_of_it() {
        let document: serde_json::Value = serde_json::from_str(&json(&[several()], &[])).unwrap();
        insta::assert_snapshot!(serde_json::to_string_pretty(&document).unwrap());
    }
}
