//! What is said around a restore: from what, what that loses, and what is left to do when it is through.

use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::json;

use super::age;
use super::look::{give, say};
use super::paint::{Ink, visible};
use crate::base::Result;
use crate::base::amount::Span;
use crate::base::clock::{Timestamp, elapsed};
use crate::base::size::Size;
use crate::model::aside::Aside;
use crate::model::choice::{flaw, reason};
use crate::model::manifest::{Backup, Listing};
use crate::model::operation::quoted;

/// The backup that was chosen, as who approves the plan has to know it. `would` where it is only a trial.
pub fn intent(of: &str, listing: &Listing, backup: &Backup, would: &str, zone: &TimeZone) -> String {
    let size = backup.bytes.map(|bytes| format!(", {}", Size(bytes))).unwrap_or_default();
    let verified = match backup.verified() {
        Some(verified) => {
            format!("verified {} ago", age::words(elapsed(verified.at, listing.now)))
        }
        None => Ink::Warn.on("never verified"),
    };
    let reason = reason(backup).map(|reason| format!(" ({})", visible(reason))).unwrap_or_default();
    format!(
        "{of}: {}{reason}, of {:.0}{size}, {verified}\n  {would} everything written since {}, {} ago\n",
        visible(&backup.file),
        backup.at,
        clock(backup.at, listing.now, zone),
        age::words(listing.loss(backup).0),
    )
}

/// What was passed over where the newest was asked for, and why.
pub fn remarks(listing: &Listing, backup: &Backup) -> String {
    let newer = listing.backups.iter().take_while(|other| *other != backup);
    let line = |other: &Backup| match (flaw(other), reason(other)) {
        (Some(why), _) => format!("  {} is passed over: {why}\n", visible(other.name())),
        (None, Some(reason)) => {
            let next = Ink::Command.on(format!("--from {}", quoted(other.name())));
            format!("  newer, and made {}, of what was live then: {next}\n", visible(reason))
        }
        (None, None) => String::new(),
    };
    newer.map(line).collect()
}

/// On the clock of who reads it; with its day where that is not today.
fn clock(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let form = if at.date() == now.date() { "%H:%M" } else { "%Y-%m-%d %H:%M" };
    at.strftime(form).to_string()
}

/// What a good restore has left behind.
#[derive(Debug, Clone)]
pub struct Restored {
    pub of: String,
    pub file: String,
    /// What was live until then: a database, or a folder of a cache.
    pub kept: String,
    pub bytes: Option<u64>,
    /// What gives its space back.
    pub next: Option<String>,
}

/// # Errors
/// When standard output cannot be written.
pub fn restored(restored: &Restored, is_json: bool) -> Result<()> {
    let Restored { of, file, kept, bytes, next } = restored;
    if is_json {
        return give(&format!(
            "{}\n",
            json!({ "kind": "restored", "of": of, "file": file, "kept": kept, "kept_bytes": bytes, "next": next })
        ));
    }
    let frees =
        bytes.map(|bytes| format!(" frees {}", Size(bytes))).unwrap_or_else(|| " frees its space".to_owned());
    let next = next.as_ref().map(|next| format!("; {}{frees}", Ink::Command.on(next))).unwrap_or_default();
    say(&format!(
        "\n{} what it held until now is kept as `{}`{next}\n",
        Ink::Good.on(format!("✔ `{of}` is restored from {}:", visible(file))),
        visible(kept),
    ));
    Ok(())
}

/// # Errors
/// When standard output cannot be written.
pub fn drilled(of: &str, backup: &Backup, rto: Duration, rpo: Span, is_json: bool) -> Result<()> {
    if is_json {
        let (rto, rpo) = (rto.as_millis() as u64, rpo.0.as_millis() as u64);
        return give(&format!(
            "{}\n",
            json!({ "kind": "drilled", "of": of, "file": backup.file, "rto_ms": rto, "rpo_ms": rpo })
        ));
    }
    say(&format!(
        "\n{} restoring {} took {} (RTO), and would lose what was written in the last {} (RPO); nothing of it is left behind\n",
        Ink::Good.on(format!("✔ drill of `{of}`:")),
        visible(&backup.file),
        Span::rounded(rto),
        age::words(rpo.0),
    ));
    Ok(())
}

/// What is about to be dropped, and where its last dump goes.
pub fn releasing(of: &str, kept: &Aside, file: &str) -> String {
    let Aside { name, bytes, .. } = kept;
    format!(
        "{of}: `{}`, {}, is dropped, after a last dump of it to {}\n",
        visible(name),
        Size(*bytes),
        visible(file)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::look::Look;

    #[test]
    fn a_restore_says_what_it_is_from_and_what_it_loses() {
        let manifest = |at: &str, more: &str| {
            format!(r#"{{"kind":"postgres","of":"argus","at":"{at}","bytes":2048,"sha256":"",{more}}}"#)
        };
        // On 2026-03-01 at 03:14.
        let listing = Listing::read(
            "/srv",
            &format!(
                "T\t1772334840\nF\t0\t1772334800\targus_4.dump\nF\t2048\t0\targus_3.dump\nM\t{}\nF\t2048\t0\targus 2.dump\nM\t{}\n",
                manifest("2026-03-01T02:36:00Z", r#""reason":"before a restore""#),
                manifest("2026-02-28T23:40:00Z", r#""verified":{"at":"2026-03-01T00:14:00Z"}"#),
            ),
        );
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let said = [1, 2].map(|index| {
            let backup = &listing.backups[index];
            let intent = intent("argus", &listing, backup, "restoring it loses", &berlin);
            intent + &remarks(&listing, backup)
        });
        insta::assert_snapshot!(Look::PLAIN.fit(&said.concat()));
    }
}
