//! What is said around a cleanup: which host is meant, that nothing is to be done, or that nothing can be.

use serde_json::json;

use super::bar::free;
use super::left::{self, Left};
use crate::base::Result;
use crate::base::percent::Percent;
use crate::base::size::Size;
use crate::model::clutter::survey::Share;
use crate::ui::look::{columns, give, say};
use crate::ui::paint::{Ink, visible};
use crate::ui::table::{Cell, Table};

/// A host with its disks, or why it does not say what they are.
pub type Told<'a> = (&'a str, Result<&'a [Share], String>);

/// How full the disks of hosts are, in a line for each disk; of a host without an answer, why.
pub fn hosts(all: &[Told<'_>]) -> String {
    let mut table = Table::new(&["HOST", "DISK", "FREE", "", "WANTED"]);
    for (host, disks) in all {
        let name = Cell::new(Ink::Bold, *host);
        let shares = match disks {
            Ok(shares) => shares,
            Err(why) => {
                table.row([name, Cell::new(Ink::Warn, format!("? {}", visible(why)))]);
                continue;
            }
        };
        for share in *shares {
            table.row([
                name.clone(),
                visible(&share.disk.mount).into(),
                verdict(share),
                Size(share.disk.bytes.free).to_string().into(),
                share.wanted.to_string().into(),
            ]);
        }
    }
    table.text()
}

/// How much is free, by what there is less of, with a mark.
fn verdict(share: &Share) -> Cell {
    let (ink, mark) = if share.is_met() { (Ink::Good, '✔') } else { (Ink::Bad, '✘') };
    let bytes = free(share.disk.bytes);
    match share.disk.inodes.map(free).filter(|inodes| inodes.0 < bytes.0) {
        Some(inodes) => Cell::new(ink, format!("{mark} {inodes} of inodes")),
        None => Cell::new(ink, format!("{mark} {bytes}")),
    }
}

/// Every disk of every host has enough.
///
/// # Errors
/// When standard output cannot be written.
pub fn enough(all: &[Told<'_>], wanted: Percent, is_json: bool) -> Result<()> {
    if is_json {
        let hosts: Vec<&str> = all.iter().map(|(host, _)| *host).collect();
        return give(&format!("{}\n", json!({ "kind": "enough", "hosts": hosts, "wanted": wanted })));
    }
    say(&format!("{}\n", hosts(all)));
    say(&format!(
        "{} of every disk of every host: there is nothing to do, and nothing was changed\n",
        Ink::Good.on(format!("✔ at least {wanted} is free"))
    ));
    Ok(())
}

/// Every disk of a host has enough.
///
/// # Errors
/// When standard output cannot be written.
pub fn met(host: &str, wanted: Percent, is_json: bool) -> Result<()> {
    if is_json {
        return give(&format!("{}\n", json!({ "kind": "enough", "hosts": [host], "wanted": wanted })));
    }
    say(&format!(
        "\n{} of every disk of `{host}`: there is nothing to do, and nothing was changed\n",
        Ink::Good.on(format!("✔ at least {wanted} is free"))
    ));
    Ok(())
}

/// A disk is short, and nothing may be let go of.
///
/// # Errors
/// When standard output cannot be written.
pub fn nothing_goes(left: &[Left], host: &str, is_json: bool) -> Result<()> {
    if is_json {
        return give(&format!("{}\n", json!({ "kind": "left", "host": host, "left": left })));
    }
    say(&left::text(left, host, columns(std::io::stderr())));
    say("\nnothing of it goes by itself, and nothing was changed\n");
    Ok(())
}

/// How the units of a schedule are installed.
pub fn install(lines: &[String]) -> String {
    let lines: String = lines.iter().map(|line| format!("  {}\n", Ink::Command.on(visible(line)))).collect();
    format!("\nto install it:\n{lines}")
}

/// Which volume is about to go.
pub fn volume(name: &str, bytes: Option<u64>, host: &str) -> String {
    let size = bytes
        .map_or_else(|| "of a size that Docker does not say".to_owned(), |bytes| Size(bytes).to_string());
    format!(
        "volume `{}` on `{host}`, {size}: no container has it and no project declares it; {}\n",
        visible(name),
        Ink::Bad.on("what is in it is gone for good")
    )
}
