//! The versions of services: which run, and which could.

use serde::Serialize;

use super::paint::{Ink, clean};
use super::table::{Cell, Table};
use crate::base::image::{Reference, short};
use crate::model::release::{Release, Standing};

/// A version of a service.
#[derive(Debug, Clone)]
pub struct Row {
    pub service: String,
    pub image: Reference,
    /// The instances that run it.
    pub runs_on: Vec<String>,
    /// How many the service has.
    pub instances: usize,
    pub place: Place,
    /// Nothing where opsctl never released it.
    pub standing: Option<Standing>,
    /// Its last line in the history.
    pub last: Option<Release>,
}

/// Where a version can be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "in", rename_all = "lowercase")]
pub enum Place {
    Host,
    Registry,
    Nowhere { why: String },
}

pub fn text(rows: &[Row]) -> String {
    let mut table =
        Table::new(&["SERVICE", "VERSION", "DIGEST", "RUNS ON", "IS", "CAN BE HAD", "RELEASED", "BY", "RUN"]);
    for row in rows {
        let digest = row.image.digest.as_deref().map(short).unwrap_or_default();
        let last = |field: fn(&Release) -> &str| row.last.as_ref().map(field).unwrap_or_default().to_owned();
        let run = last(|release| &release.run);
        table.row([
            Cell::from(row.service.as_str()),
            Cell::new(Ink::Bold, row.image.version()),
            digest.into(),
            runs_on(row).into(),
            standing(row.standing),
            place(&row.place),
            clean(&last(|release| &release.at)).into(),
            clean(&last(|release| &release.by)).into(),
            clean(run.get(run.len().saturating_sub(8)..).unwrap_or_default()).into(),
        ]);
    }
    table.text()
}

/// All of them where they are many, so that the line stays one.
fn runs_on(row: &Row) -> String {
    match row.runs_on.len() {
        count if count > 3 && count == row.instances => format!("all {count}"),
        _ => row.runs_on.join(", "),
    }
}

fn standing(standing: Option<Standing>) -> Cell {
    match standing {
        Some(Standing::Good) => Cell::new(Ink::Good, "✔ good"),
        Some(Standing::Bad) => Cell::new(Ink::Bad, "✘ bad"),
        Some(Standing::Undone) => Cell::new(Ink::Warn, "↩ taken back"),
        Some(Standing::Left) => Cell::new(Ink::Warn, "↩ rolled back from"),
        None => Cell::new(Ink::Plain, "not known"),
    }
}

fn place(place: &Place) -> Cell {
    match place {
        Place::Host => Cell::new(Ink::Good, "now: on the host"),
        Place::Registry => Cell::new(Ink::Good, "now: in the registry"),
        Place::Nowhere { why } => Cell::new(Ink::Warn, format!("no: {}", clean(why))),
    }
}

/// Part of the public interface.
#[derive(Serialize)]
struct Line<'a> {
    service: &'a str,
    version: String,
    image: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a str>,
    runs_on: &'a [String],
    available: &'a Place,
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<Standing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<&'a Release>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename = "releases")]
struct Document<'a> {
    releases: Vec<Line<'a>>,
}

pub fn json(rows: &[Row]) -> String {
    let releases = rows.iter().map(|row| Line {
        service: &row.service,
        version: row.image.version(),
        image: row.image.to_string(),
        digest: row.image.digest.as_deref(),
        runs_on: &row.runs_on,
        available: &row.place,
        standing: row.standing,
        last: row.last.as_ref(),
    });
    let document = Document { releases: releases.collect() };
    format!("{}\n", serde_json::to_string(&document).expect("it is made of maps with string keys"))
}

/// Where a service goes.
#[derive(Debug, Clone)]
pub struct Intent {
    pub service: String,
    /// The versions that it runs now.
    pub was: Vec<String>,
    pub image: Reference,
    pub is_local: bool,
    pub standing: Option<Standing>,
}

/// What is about to be done, in a line for each service.
pub fn intent(intents: &[Intent]) -> String {
    let line = |Intent { service, was, image, is_local, standing }: &Intent| {
        let digest =
            image.digest.as_deref().map(|digest| format!(" ({})", short(digest))).unwrap_or_default();
        let place = if *is_local { "its image is on the host" } else { "its image is pulled first" };
        let mut line = format!("{service}: {} -> {}{digest}; {place}\n", was.join(", "), image.version());
        let warning = match standing {
            Some(Standing::Bad) => "did not become healthy when it was last released",
            Some(Standing::Undone) => "was taken back when it was last released",
            Some(Standing::Left) => "was gone back from when it last ran",
            Some(Standing::Good) | None => return line,
        };
        line.push_str(&Ink::Warn.on(format!("  {} {warning}", image.version())));
        line + "\n"
    };
    intents.iter().map(line).collect()
}
