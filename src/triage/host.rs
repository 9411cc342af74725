//! What a host says of its own disks, memory and load.

use serde_json::Value;

use super::reading::Reading;
use crate::base::percent::Percent;
use crate::base::size::Size;
use crate::model::operation::{Command, Operation, Program};

/// One question for all of it, whose exit code says nothing: a mount that hangs or is forbidden makes `df` fail after it has said the
/// rest. Sizes come in blocks of 1024 bytes, whatever the shell's environment says.
const QUESTION: &str = "export LC_ALL=C; df -P -k 2>/dev/null; echo ==; df -P -i 2>/dev/null; echo ==; \
                        cat /proc/meminfo; echo ==; cat /proc/loadavg; grep -c ^processor /proc/cpuinfo";

/// Below these, nothing is kept that could fill up a disk.
const NO_DISKS: [&str; 6] = ["/dev", "/proc", "/run", "/sys", "/snap", "/boot/efi"];

pub fn question() -> Operation {
    Operation::Command(Command::new(Program::Shell(QUESTION.to_owned())))
}

/// # Errors
/// In words, when the answer is none.
pub fn readings(answer: &Value) -> Result<Vec<Reading>, String> {
    let text = answer["stdout"].as_str().unwrap_or_default();
    let parts: Vec<&str> = text.split("==\n").collect();
    let [blocks, inodes, memory, load] = parts[..] else {
        let said = answer["stderr"].as_str().unwrap_or_default().trim();
        return Err(format!("it does not say what it has left: {said}"));
    };
    let mut readings = disks(blocks);
    readings.extend(inodes_of(inodes, &readings));
    readings.extend(memory_of(memory));
    readings.extend(load_of(load));
    Ok(readings)
}

/// A line of `df -P`: the device, the whole, what is used, what is free, the mount.
fn lines(text: &str) -> impl Iterator<Item = (&str, [u64; 3], &str)> {
    text.lines().skip(1).filter_map(|line| {
        let mut words = line.split_whitespace();
        let device = words.next()?;
        let mut number = || words.next()?.parse::<u64>().ok();
        let numbers = [number()?, number()?, number()?];
        let mount = line.get(line.find(" /")? + 1..)?;
        let is_below = |folder: &str| {
            mount.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        // Each container has its own view of a disk that is counted already.
        let is_view = mount.contains("/overlay2/") || mount.contains("/containers/");
        (!NO_DISKS.iter().any(|folder| is_below(folder)) && !is_view && numbers[0] > 0)
            .then_some((device, numbers, mount))
    })
}

/// Each disk once, by its shortest mount.
fn disks(text: &str) -> Vec<Reading> {
    let mut found: Vec<(&str, [u64; 3], &str)> = Vec::new();
    for (device, numbers, mount) in lines(text) {
        let is_disk = device.starts_with('/');
        match found.iter_mut().find(|(other, ..)| is_disk && *other == device) {
            Some(known) if mount.len() < known.2.len() => known.2 = mount,
            Some(_) => {}
            None => found.push((device, numbers, mount)),
        }
    }
    let shown = found.into_iter().map(|(_, [_, used, free], mount)| Reading::Disk {
        mount: mount.to_owned(),
        // What is kept for root is neither.
        used: Percent::of(used, used + free),
        free: Size(free * 1024),
    });
    shown.collect()
}

/// Those of the disks that are known. A file system without a number of inodes has no end of them.
fn inodes_of(text: &str, disks: &[Reading]) -> Vec<Reading> {
    let is_known =
        |mount: &str| disks.iter().any(|disk| matches!(disk, Reading::Disk { mount: of, .. } if of == mount));
    lines(text)
        .filter(|(_, _, mount)| is_known(mount))
        .map(|(_, [_, used, free], mount)| Reading::Inodes {
            mount: mount.to_owned(),
            used: Percent::of(used, used + free),
            free,
        })
        .collect()
}

fn memory_of(text: &str) -> Option<Reading> {
    let kilobytes = |name: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':').split_whitespace().next()?.parse().ok()
    };
    let (whole, left) = (kilobytes("MemTotal")?, kilobytes("MemAvailable")?);
    Some(Reading::HostMemory {
        used: Percent::of(whole.saturating_sub(left), whole),
        left: Size(left * 1024),
    })
}

fn load_of(text: &str) -> Option<Reading> {
    let mut lines = text.lines();
    let load: f64 = lines.next()?.split_whitespace().next()?.parse().ok()?;
    let processors: u32 = lines.next()?.trim().parse().ok()?;
    Some(Reading::Load { load, processors: processors.max(1) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ANSWER: &str = "\
Filesystem     1024-blocks    Used Available Capacity Mounted on
overlay          263174212 40866236  53949124      44% /
tmpfs                65536       0     65536       0% /dev
tmpfs              2097152 2097152         0     100% /var/lib/docker
/dev/vda         263174212 40866236  53949124      44% /etc/hosts
/dev/vda         263174212 40866236  53949124      44% /srv
overlay            2097152 2097152         0     100% /var/lib/docker/overlay2/abc/merged
/dev/sdb           1000000  100000    800000      12% /mnt/two words
==
Filesystem       Inodes  IUsed    IFree IUse% Mounted on
overlay        16384000 620000 15764000    4% /
tmpfs              1000   1000        0  100% /var/lib/docker
/dev/vda              0      0        0     - /srv
==
MemTotal:       24683208 kB
MemFree:        16000000 kB
MemAvailable:    6170802 kB
==
1.50 0.98 0.77 2/812 4096
2
";

    #[test]
    fn disks_are_counted_once_and_what_is_none_is_left_out() {
        let readings = readings(&json!({ "stdout": ANSWER })).unwrap();
        let told: Vec<String> = readings.iter().map(Reading::to_string).collect();
        assert_eq!(
            told,
            [
                "`/` is 43.1% full, 51GiB free",
                "`/var/lib/docker` is 100% full, 0B free",
                "`/srv` is 43.1% full, 51GiB free",
                "`/mnt/two words` is 11.1% full, 781MiB free",
                "`/` has 3.7% of its inodes in use, 15764000 free",
                "`/var/lib/docker` has 100% of its inodes in use, 0 free",
                "75% of its memory is in use, 5.8GiB left",
                "the load is 1.5 on 2 processors",
            ]
        );
    }

    #[test]
    fn an_answer_that_is_none_is_said_with_its_last_words() {
        let answer = json!({ "stdout": "", "stderr": "sh: fork: Resource temporarily unavailable\n" });
        assert!(readings(&answer).unwrap_err().ends_with("temporarily unavailable"));
    }
}
