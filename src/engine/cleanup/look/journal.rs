//! The journal of systemd, and how much of it `journalctl --vacuum-time` would take.
//!
//! It takes archived files whose first entry is older than that; the time of it stands in their names, and the file's own times
//! count where they are older (systemd's `journal-vacuum.c`). The files that are written to are never taken.

use std::time::Duration;

use super::asked::{Asked, Seen, asked};
use super::question::ask;
use crate::base::amount::Span;
use crate::base::clock::Timestamp;
use crate::host::Host;
use crate::model::clutter::contents::Journal;

const SCRIPT: &str = include_str!("journal.sh");

const PATIENCE: Duration = Duration::from_secs(60);

const MICRO: u64 = 1_000_000;

/// Without its mount; nothing where there is none.
pub(super) async fn look(machine: &Host, now: Timestamp, keep: Span) -> Asked<Option<Journal>> {
    let mut seen = Seen::default();
    let answer = ask(machine, &[], SCRIPT, None, PATIENCE).await;
    if let Some(answer) = asked(machine, "the journal of systemd", answer, &mut seen.unseen)? {
        let since = u64::try_from(now.as_second()).unwrap_or_default().saturating_sub(keep.0.as_secs());
        seen.found = read(&answer.stdout, since);
    }
    Ok(seen)
}

fn read(text: &str, since: u64) -> Option<Journal> {
    let mut lines = text.lines();
    let directory = lines.next().filter(|line| line.starts_with('/'))?.to_owned();
    let mut journal = Journal { directory, mount: String::new(), old_bytes: 0, all_bytes: 0 };
    for line in lines {
        let mut words = line.splitn(5, ' ');
        let mut number = || words.next()?.parse::<u64>().ok();
        let (Some(blocks), Some(read), Some(written), Some(changed)) =
            (number(), number(), number(), number())
        else {
            continue;
        };
        journal.all_bytes += blocks * 512;
        let Some(first) = words.next().and_then(first_entry) else { continue };
        let first = [read, written, changed]
            .into_iter()
            .filter(|at| *at > 0)
            .map(|at| at * MICRO)
            .fold(first, u64::min);
        if first < since * MICRO {
            journal.old_bytes += blocks * 512;
        }
    }
    Some(journal)
}

/// In microseconds of Unix time, by the name of an archived file: `system@ID-NUMBER-TIME.journal`, or `system@TIME-RANDOM.journal~` for
/// one that was found damaged.
fn first_entry(name: &str) -> Option<u64> {
    let hex = |text: &str, digits: usize| {
        let is_hex = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| u64::from_str_radix(text, 16).ok())?
    };
    if let Some(name) = name.strip_suffix(".journal~") {
        let (rest, _) = name.rsplit_once('-')?;
        return hex(rest.rsplit_once('@')?.1, 16);
    }
    let (rest, time) = name.strip_suffix(".journal")?.rsplit_once('-')?;
    let (rest, number) = rest.rsplit_once('-')?;
    hex(number, 16)?;
    rest.rsplit_once('@').filter(|(_, id)| id.len() == 32)?;
    hex(time, 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of systemd 252, after three rotations; the first file was then given a time of ten days before.
    const ANSWER: &str = "\
/var/log/journal/3d1219c7c4c5404aaa1f6d2a48adfda4
16384 1795806670 1795806670 1795806670 ./system.journal
7312 1795806670 1795806670 1795806670 ./system@9d99f9c3021f40b2a91046728c6bc31b-00000000000006e6-00066146d29a56c6.journal
7312 1795806669 1795806669 1795806669 ./system@9d99f9c3021f40b2a91046728c6bc31b-00000000000006e2-00066146d28833aa.journal
8648 1794942671 1794942671 1795806671 ./system@9d99f9c3021f40b2a91046728c6bc31b-0000000000000001-00066146d27dd21b.journal
";

    #[test]
    fn what_vacuum_takes_is_what_systemd_took() {
        // `journalctl --vacuum-time=3d` deleted the last of them and no other, and said: 4.2M.
        let now = 1_795_806_672;
        let journal = read(ANSWER, now - 3 * 24 * 3600).unwrap();
        assert_eq!(journal.directory, "/var/log/journal/3d1219c7c4c5404aaa1f6d2a48adfda4");
        assert_eq!((journal.old_bytes, journal.all_bytes), (8648 * 512, 39_656 * 512));
        assert_eq!(read(ANSWER, now + 3600).unwrap().old_bytes, (7312 + 7312 + 8648) * 512);
        assert_eq!(read("", now), None);
    }

    #[test]
    fn the_first_entry_of_a_file_stands_in_its_name_and_one_that_is_written_to_has_none() {
        let id = "9d99f9c3021f40b2a91046728c6bc31b";
        let archived = format!("./user-1000@{id}-00000000000006e6-00066146d29a56c6.journal");
        assert_eq!(first_entry(&archived), Some(1_795_806_669_199_046));
        assert_eq!(
            first_entry("./system@00066146d29a56c6-0123456789abcdef.journal~"),
            Some(1_795_806_669_199_046)
        );
        for name in ["./system.journal", "./user-1000.journal", "./system@x-1-2.journal", "./fss"] {
            assert_eq!(first_entry(name), None, "{name}");
        }
    }
}
