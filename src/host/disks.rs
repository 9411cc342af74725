//! How full the disks of a host are, in bytes and in inodes.

use std::time::Duration;

use serde_json::{Value, json};

use super::Host;
use super::failure::Failure;
use super::run::Sink;
use crate::base::percent::Percent;
use crate::base::size::Size;
use crate::model::operation::{Command, Program, quoted};
use crate::run::signal::Stream;

/// A question whose exit code says nothing: a mount that hangs or is forbidden makes `df` fail after it has said the rest. Sizes come
/// in blocks of 1024 bytes, whatever the shell's environment says.
pub(super) const QUESTION: &str =
    "export LC_ALL=C; df -P -k 2>/dev/null; echo ==; df -P -i 2>/dev/null; echo ==";

/// Below these, nothing is kept that could fill up a disk.
const NO_DISKS: [&str; 6] = ["/dev", "/proc", "/run", "/sys", "/snap", "/boot/efi"];

impl Host {
    /// # Errors
    /// When the way to the host failed.
    pub(super) async fn disks(
        &self,
        at: Option<&str>,
        timeout: Option<Duration>,
        output: Sink<'_>,
    ) -> Result<Value, Failure> {
        let question = match at {
            Some(path) => {
                let path = quoted(path);
                QUESTION.replace(" 2>", &format!(" -- {path} 2>"))
            }
            None => QUESTION.to_owned(),
        };
        let command = Command::new(Program::Shell(question));
        let answer = self.run(&command, timeout, &mut |_, _| {}).await?.into_value();
        let disks = disks(&answer, at);
        // What Docker mounts for each container is no news to anybody.
        disks["disks"].as_array().into_iter().flatten().for_each(|disk| output(Stream::Out, &in_words(disk)));
        Ok(disks)
    }
}

/// A disk in a line.
fn in_words(disk: &Value) -> String {
    let share = |key: &str| disk[key].as_f64().map(|percent| Percent(percent).to_string());
    let free = Size(disk["free_bytes"].as_u64().unwrap_or_default());
    let inodes = share("inodes_percent").map(|percent| format!(", {percent} of its inodes in use"));
    let mount = disk["mount"].as_str().unwrap_or_default();
    let used = share("used_percent").unwrap_or_default();
    format!("{mount}: {used} full, {free} free{}", inodes.unwrap_or_default())
}

/// Of an answer about all disks, or about the one that the path `at` is on.
fn disks(answer: &Value, at: Option<&str>) -> Value {
    let text = answer["stdout"].as_str().unwrap_or_default();
    let parts: Vec<&str> = text.split("==\n").collect();
    let [blocks, inodes, ""] = parts[..] else {
        let said = answer["stderr"].as_str().unwrap_or_default().trim();
        let error = format!("it does not say what it has left: {said}");
        return json!({ "disks": [], "fullest_percent": null, "error": error });
    };
    let inodes: Vec<_> = every(inodes).collect();
    let blocks = if at.is_some() { every(blocks).collect() } else { once(blocks) };
    if let (Some(path), true) = (at, blocks.is_empty()) {
        let error = format!("it does not say on which disk `{path}` is: there may be no such path");
        return json!({ "disks": [], "fullest_percent": null, "error": error });
    }
    let (mut shown, mut fullest) = (Vec::new(), 0.0_f64);
    for (_, [_, used, free], mount) in blocks {
        // What is kept for root is neither.
        let percent = Percent::of(used, used + free).0;
        // A file system without a number of inodes has no end of them.
        let of_inodes =
            inodes.iter().find(|(_, _, of)| *of == mount).map(|(_, [_, used, free], _)| (*used, *free));
        let inodes_percent = of_inodes.map(|(used, free)| Percent::of(used, used + free).0);
        fullest = fullest.max(percent).max(inodes_percent.unwrap_or_default());
        shown.push(json!({
            "mount": mount,
            "used_percent": percent,
            "free_bytes": free * 1024,
            "inodes_percent": inodes_percent,
            "inodes_free": of_inodes.map(|(_, free)| free),
        }));
    }
    json!({ "disks": shown, "fullest_percent": fullest, "error": null })
}

/// A line of `df -P`: the device, the whole, what is used, what is free, the mount.
type Line<'a> = (&'a str, [u64; 3], &'a str);

fn every(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.lines().skip(1).filter_map(|line| {
        let mut words = line.split_whitespace();
        let device = words.next()?;
        let mut number = || words.next()?.parse::<u64>().ok();
        let numbers = [number()?, number()?, number()?];
        let mount = line.get(line.find(" /")? + 1..)?;
        (numbers[0] > 0).then_some((device, numbers, mount))
    })
}

/// Those of something that can be filled up.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    every(text).filter(|(_, _, mount)| {
        let is_below = |folder: &str| {
            mount.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        // Each container has its own view of a disk that is counted already.
        let is_view = mount.contains("/overlay2/") || mount.contains("/containers/");
        !NO_DISKS.iter().any(|folder| is_below(folder)) && !is_view
    })
}

/// Each disk once, by its shortest mount.
pub(super) fn once(text: &str) -> Vec<Line<'_>> {
    let mut found: Vec<Line<'_>> = Vec::new();
    for (device, numbers, mount) in lines(text) {
        let is_disk = device.starts_with('/');
        match found.iter_mut().find(|(other, ..)| is_disk && *other == device) {
            Some(known) if mount.len() < known.2.len() => known.2 = mount,
            Some(_) => {}
            None => found.push((device, numbers, mount)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::result::{ResultKind, assert_fields};

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
";

    #[test]
    fn disks_are_counted_once_and_what_is_none_is_left_out() {
        let answer = disks(&json!({ "stdout": ANSWER }), None);
        assert_fields(ResultKind::Disks.fields(), &answer);
        assert_fields(ResultKind::Disks.fields()[0].each, &answer["disks"][0]);
        let told = |disk: &Value| {
            let [used, inodes] =
                ["used_percent", "inodes_percent"].map(|key| disk[key].as_f64().map(f64::floor));
            (disk["mount"].as_str().unwrap().to_owned(), used.unwrap(), inodes)
        };
        let told: Vec<_> = answer["disks"].as_array().unwrap().iter().map(told).collect();
        let expected = [
            ("/", 43.0, Some(3.0)),
            ("/var/lib/docker", 100.0, Some(100.0)),
            ("/srv", 43.0, None),
            ("/mnt/two words", 11.0, None),
        ];
        assert_eq!(told, expected.map(|(mount, used, inodes)| (mount.to_owned(), used, inodes)));
        assert_eq!((&answer["fullest_percent"], &answer["error"]), (&json!(100.0), &Value::Null));
        let lines: Vec<String> = answer["disks"].as_array().unwrap().iter().map(in_words).collect();
        assert_eq!(lines[1], "/var/lib/docker: 100% full, 0B free, 100% of its inodes in use");
        assert_eq!(lines[3], "/mnt/two words: 11.1% full, 781MiB free");
    }

    #[test]
    fn an_answer_that_is_none_is_said_with_its_last_words() {
        let answer = json!({ "stdout": "", "stderr": "sh: fork: Resource temporarily unavailable\n" });
        assert!(disks(&answer, None)["error"].as_str().unwrap().ends_with("temporarily unavailable"));
    }

    #[test]
    fn the_disk_that_a_path_is_on_counts_wherever_it_is_mounted() {
        let answer = "\
Filesystem     1024-blocks    Used Available Capacity Mounted on
tmpfs                65536   49152     16384      75% /run/small
==
Filesystem       Inodes  IUsed    IFree IUse% Mounted on
tmpfs              1000    900      100   90% /run/small
==
";
        let told = disks(&json!({ "stdout": answer }), Some("/run/small/of it"));
        assert_eq!(told["disks"][0]["mount"], "/run/small");
        assert_eq!(
            (&told["fullest_percent"], &told["disks"][0]["used_percent"]),
            (&json!(90.0), &json!(75.0))
        );
        let nothing = disks(&json!({ "stdout": "==\n==\n" }), Some("/nowhere"));
        assert!(nothing["error"].as_str().unwrap().contains("`/nowhere`"));
    }
}
