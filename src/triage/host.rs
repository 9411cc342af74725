//! What a host says of its own disks, memory and load.

use serde_json::Value;

use super::reading::Reading;
use crate::base::percent::Percent;
use crate::base::size::Size;
use crate::model::operation::{Command, Operation, Program};

const QUESTION: &str = "cat /proc/meminfo; echo ==; cat /proc/loadavg; grep -c ^processor /proc/cpuinfo";

/// Memory and load.
pub fn question() -> Operation {
    Operation::Command(Command::new(Program::Shell(QUESTION.to_owned())))
}

/// # Errors
/// In words, when the answer is none.
pub fn readings(answer: &Value) -> Result<Vec<Reading>, String> {
    let text = answer["stdout"].as_str().unwrap_or_default();
    let Some((memory, load)) = text.split_once("==\n") else {
        let said = answer["stderr"].as_str().unwrap_or_default().trim();
        return Err(format!("it does not say what it has left: {said}"));
    };
    Ok(memory_of(memory).into_iter().chain(load_of(load)).collect())
}

/// # Errors
/// In words, when the answer is none.
pub fn disks(answer: &Value) -> Result<Vec<Reading>, String> {
    if let Some(why) = answer["error"].as_str() {
        return Err(why.to_owned());
    }
    let mut readings = Vec::new();
    for disk in answer["disks"].as_array().into_iter().flatten() {
        let mount = disk["mount"].as_str().unwrap_or_default();
        let percent = |key: &str| disk[key].as_f64().map(Percent);
        let number = |key: &str| disk[key].as_u64().unwrap_or_default();
        readings.extend(percent("used_percent").map(|used| Reading::Disk {
            mount: mount.to_owned(),
            used,
            free: Size(number("free_bytes")),
        }));
        readings.extend(percent("inodes_percent").map(|used| Reading::Inodes {
            mount: mount.to_owned(),
            used,
            free: number("inodes_free"),
        }));
    }
    Ok(readings)
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
MemTotal:       24683208 kB
MemFree:        16000000 kB
MemAvailable:    6170802 kB
==
1.50 0.98 0.77 2/812 4096
2
";

    fn told(readings: Result<Vec<Reading>, String>) -> Vec<String> {
        readings.unwrap().iter().map(Reading::to_string).collect()
    }

    #[test]
    fn memory_and_load_are_read() {
        let expected = ["75% of its memory is in use, 5.8GiB left", "the load is 1.5 on 2 processors"];
        assert_eq!(told(readings(&json!({ "stdout": ANSWER }))), expected);
    }

    #[test]
    fn a_disk_is_read_by_its_bytes_and_by_its_inodes_where_they_come_to_an_end() {
        let root = json!({ "mount": "/", "used_percent": 43.1, "free_bytes": 3_221_225_472_u64, "inodes_percent": 3.7, "inodes_free": 9 });
        let other = json!({ "mount": "/srv", "used_percent": 100.0, "free_bytes": 0, "inodes_percent": null, "inodes_free": null });
        let expected = [
            "`/` is 43.1% full, 3GiB free",
            "`/` has 3.7% of its inodes in use, 9 free",
            "`/srv` is 100% full, 0B free",
        ];
        assert_eq!(told(disks(&json!({ "disks": [root, other], "error": null }))), expected);
    }

    #[test]
    fn an_answer_that_is_none_is_said_with_its_last_words() {
        let answer = json!({ "stdout": "", "stderr": "sh: fork: Resource temporarily unavailable\n" });
        assert!(readings(&answer).unwrap_err().ends_with("temporarily unavailable"));
        assert_eq!(disks(&json!({ "disks": [], "error": "nobody knows" })), Err("nobody knows".to_owned()));
    }
}
