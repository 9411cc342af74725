//! Files that have no name any more and are open: the room that they take comes back when their processes let go of them.

use std::time::Duration;

use super::asked::{Asked, Seen, asked};
use super::question::ask;
use crate::host::Host;
use crate::host::room::Rooms;
use crate::model::clutter::contents::{Container, Held};

const SCRIPT: &str = include_str!("held.sh");

const PATIENCE: Duration = Duration::from_secs(60);

/// Such a file, as the host tells of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pid: u32,
    process: String,
    groups: String,
    path: String,
    bytes: u64,
    /// Of the file system that it is on, where it is on one with a name.
    device: String,
    system: String,
}

pub(super) async fn look(machine: &Host) -> Asked<Vec<Found>> {
    let mut seen = Seen::default();
    let answer = ask(machine, &[], SCRIPT, None, PATIENCE).await;
    let what = "files that are deleted and still open";
    if let Some(answer) = asked(machine, what, answer, &mut seen.unseen)? {
        if answer.stdout.lines().any(|line| line == "P") {
            seen.unseen.push(format!("{what}: those of other users' processes"));
        }
        seen.found = answer.stdout.lines().filter_map(read).collect();
    }
    Ok(seen)
}

fn read(line: &str) -> Option<Found> {
    let fields: Vec<&str> = line.split('\t').collect();
    let ["H", pid, process, groups, path, bytes, device, system] = fields[..] else { return None };
    Some(Found {
        pid: pid.parse().ok()?,
        process: process.trim().to_owned(),
        groups: groups.trim().to_owned(),
        path: path.trim().trim_end_matches(" (deleted)").to_owned(),
        bytes: bytes.parse().ok()?,
        device: device.to_owned(),
        system: system.to_owned(),
    })
}

/// Those that take room on a disk, the largest first. What is written in a container is on the disk at `docker`.
pub(super) fn on_disks(
    found: Vec<Found>,
    containers: &[Container],
    docker: Option<&str>,
    rooms: Option<&Rooms>,
) -> Vec<Held> {
    let held = found.into_iter().filter(|file| !is_in_memory(file)).map(|file| {
        let container = container_of(&file.groups, containers);
        let mount = match (file.system.as_str(), container) {
            ("overlay", Some(_)) => docker,
            _ => rooms.and_then(|rooms| rooms.mount_of_device(&file.device)),
        };
        Held {
            pid: file.pid,
            process: match container {
                Some(container) => format!("{} in container {}", file.process, container.name),
                None => file.process,
            },
            path: file.path,
            bytes: file.bytes,
            mount: mount.map(str::to_owned),
        }
    });
    let mut held: Vec<Held> = held.collect();
    held.sort_by(|one, other| other.bytes.cmp(&one.bytes).then_with(|| one.pid.cmp(&other.pid)));
    held
}

/// What programs share without a file, and all that is on no disk.
fn is_in_memory(file: &Found) -> bool {
    file.bytes == 0 || matches!(file.system.as_str(), "" | "tmpfs" | "ramfs" | "devtmpfs" | "hugetlbfs")
}

/// A container's id is in the name of the control group of its processes, whichever way those are managed; of two the inner one counts.
fn container_of<'a>(groups: &str, containers: &'a [Container]) -> Option<&'a Container> {
    let ids = groups.split(|c: char| !c.is_ascii_hexdigit()).filter(|word| word.len() == 64);
    ids.filter_map(|id| containers.iter().find(|container| container.id == id)).next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTER: &str = "e6d70de33286eb7826673c02cc37c753904e0a86ca32467fda8a3257f7c893a0";
    const INNER: &str = "30cd32566aebb674a3b3ee4e84da82e0e462c94364429d9478a46b7922b650ff";

    fn container(id: &str, name: &str) -> Container {
        Container {
            id: id.to_owned(),
            name: name.to_owned(),
            image: String::new(),
            project: None,
            is_running: true,
            since: None,
            bytes: 0,
            log: None,
        }
    }

    fn line(pid: u32, groups: &str, path: &str, bytes: u64, system: &str) -> String {
        format!("H\t{pid}\texe \t{groups} \t{path} (deleted)\t{bytes}\t{system}")
    }

    #[test]
    fn the_container_is_that_of_the_inner_control_group_and_what_is_in_memory_is_on_no_disk() {
        let groups = format!("9:name=systemd:/docker/{OUTER} 0::/docker/{OUTER}/docker/{INNER}");
        let lines = [
            line(3219, &groups, "/memfd:runc_cloned:/proc/self/exe", 2_703_360, "\t"),
            line(1, "0::/system.slice/docker-30cd.scope", "/var/log/a b", 4096, "/dev/vda\text4"),
            line(2, &groups, "/data/big", 8192, "overlay\toverlay"),
            line(3, "0::/", "/dev/shm/x", 4096, "shm\ttmpfs"),
            "P".to_owned(),
        ];
        let found: Vec<Found> = lines.iter().filter_map(|line| read(line)).collect();
        assert_eq!(found.len(), 4);
        let containers = [container(OUTER, "host"), container(INNER, "db")];
        let held = on_disks(found, &containers, Some("/var/lib/docker"), None);
        let told: Vec<_> = held
            .iter()
            .map(|file| {
                (file.pid, file.process.as_str(), file.path.as_str(), file.bytes, file.mount.as_deref())
            })
            .collect();
        let expected = [
            (2, "exe in container db", "/data/big", 8192, Some("/var/lib/docker")),
            (1, "exe", "/var/log/a b", 4096, None),
        ];
        assert_eq!(told, expected);
    }
}
