//! How much room each disk of a host has, and on which of them paths are.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Host;
use super::disks::{QUESTION, lines, once};
use super::failure::{Failure, FailureKind};
use crate::base::size::Size;
use crate::model::clutter::contents::{Disk, Room};
use crate::model::operation::{Command, Program};

/// A mount that hangs must not keep everything else waiting.
const PATIENCE: Duration = Duration::from_secs(60);

/// A line for each of many paths.
const LONGEST: Size = Size(16 << 20);

/// The mounts of what is only read, which nobody can make room on: a disk that is written to elsewhere is none of those.
const READ_ONLY: &str = r#"
awk '{ if ($4 ~ /^ro(,|$)/) read[$2] = $1; else if ($1 ~ /^\//) written[$1] = 1 }
    END { for (mount in read) if (!(read[mount] in written)) print mount }' /proc/self/mounts 2>/dev/null; echo =="#;

/// The mounts that are no folders: containers have single files of the host, and hosts may be containers.
const FILES: &str = r#"
while read -r _ mount _; do
    case $mount in *\\*) continue ;; esac
    [ ! -e "$mount" ] || [ -d "$mount" ] || printf '%s\n' "$mount"
done </proc/self/mounts 2>/dev/null; echo =="#;

/// Given: a path a line. Prints each, and after it what `df` says of it, or of the nearest above it that there is.
const PATHS: &str = r#"
while IFS= read -r path; do
    at=$path
    while [ ! -e "$at" ] && [ -n "$at" ]; do at=${at%/*}; done
    printf '%s\n%s\n' "$path" "$(df -P -k -- "${at:-/}" 2>/dev/null | tail -n 1)"
done"#;

/// The disks of a host, and what is on them.
#[derive(Debug, Clone, PartialEq)]
pub struct Rooms {
    pub disks: Vec<Disk>,
    /// The devices, by the mounts of `disks`.
    devices: BTreeMap<String, String>,
    mounts: BTreeMap<String, String>,
}

impl Rooms {
    /// The mount of the disk that a path is on, of those that were asked for; nothing where that is no disk.
    pub fn mount_of(&self, path: &str) -> Option<&str> {
        let mount = self.mounts.get(path)?;
        self.disks.iter().any(|disk| disk.mount == *mount).then_some(mount)
    }

    /// The mount of the disk that is that device.
    pub fn mount_of_device(&self, device: &str) -> Option<&str> {
        self.devices.iter().find(|(_, of)| *of == device).map(|(mount, _)| mount.as_str())
    }
}

impl Host {
    /// What the disks have left, and which of them each of these absolute paths is on. A disk with several mounts goes by the one that
    /// `df` shows; where that is a single file, by the one that the first path on it is below.
    ///
    /// # Errors
    /// When the host does not say.
    pub async fn rooms(&self, paths: &[String]) -> Result<Rooms, Failure> {
        // A path of two lines would be taken for two.
        let asked: String =
            paths.iter().filter(|path| !path.contains('\n')).map(|path| format!("{path}\n")).collect();
        let program = Program::Shell(format!("{QUESTION}{READ_ONLY}{FILES}{PATHS}"));
        let command = Command { stdin: Some(asked), keep: Some(LONGEST), ..Command::new(program) };
        let answer = self.run(&command, Some(PATIENCE), &mut |_, _| {}).await?;
        read(&answer.stdout).ok_or_else(|| {
            let said = answer.stderr.trim();
            self.failure(FailureKind::Protocol, format!("it does not say what its disks have left: {said}"))
        })
    }
}

fn read(text: &str) -> Option<Rooms> {
    let (blocks, rest) = text.split_once("==\n")?;
    let (inodes, rest) = rest.split_once("==\n")?;
    let (read_only, rest) = rest.split_once("==\n")?;
    let (files, rest) = rest.split_once("==\n")?;
    let files: Vec<&str> = files.lines().collect();
    // The kernel writes a blank in a name like this.
    let read_only: Vec<String> = read_only.lines().map(|mount| mount.replace("\\040", " ")).collect();
    let inodes: Vec<_> = lines(inodes).collect();
    let room = |used, free| Room { used, free };
    let mut disks: Vec<(String, Disk)> = Vec::new();
    let written = once(blocks).into_iter().filter(|(_, _, mount)| !read_only.iter().any(|one| one == mount));
    for (device, [_, used, free], mount) in written {
        let of_inodes = inodes.iter().find(|(_, _, of)| *of == mount);
        let disk = Disk {
            mount: mount.to_owned(),
            bytes: room(used * 1024, free * 1024),
            inodes: of_inodes.map(|(_, [_, used, free], _)| room(*used, *free)),
        };
        disks.push((device.to_owned(), disk));
    }
    let mut mounts = BTreeMap::new();
    let mut answers = rest.lines();
    while let (Some(path), Some(line)) = (answers.next(), answers.next()) {
        let text = format!("header\n{line}");
        let Some((device, _, mount)) = lines(&text).next() else { continue };
        let is_it =
            |(of, disk): &&mut (String, Disk)| disk.mount == mount || of == device && device.starts_with('/');
        let of = match disks.iter_mut().find(is_it) {
            Some((_, disk)) => {
                // `df` shows one mount of each device, be it that of a single file.
                if files.contains(&disk.mount.as_str()) && !files.contains(&mount) {
                    disk.mount = mount.to_owned();
                }
                disk.mount.clone()
            }
            None => mount.to_owned(),
        };
        mounts.insert(path.to_owned(), of);
    }
    disks.retain(|(_, disk)| !files.contains(&disk.mount.as_str()));
    let devices = disks.iter().map(|(device, disk)| (disk.mount.clone(), device.clone())).collect();
    Some(Rooms { disks: disks.into_iter().map(|(_, disk)| disk).collect(), devices, mounts })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a container that is a host.
    const ANSWER: &str = "\
Filesystem     1024-blocks     Used Available Capacity Mounted on
overlay          264212084 17010628  78275260      18% /
tmpfs                65536        0     65536       0% /dev
shm                  65536        0     65536       0% /dev/shm
/dev/vda         264212084 17010628  78275260      18% /usr/sbin/docker-init
overlay          264212084 17010628  78275260      18% /var/lib/docker/overlay2/e245/merged
/dev/sdb           1000000   100000    800000      12% /mnt/two words
/dev/sr0            700000   700000         0     100% /mnt/a disc
/dev/sdc           1000000   100000    800000      12% /etc/resolv.conf
==
Filesystem       Inodes  IUsed    IFree IUse% Mounted on
overlay        16384000 620000 15764000    4% /
/dev/vda       16384000 620000 15764000    4% /usr/sbin/docker-init
/dev/sdb              0      0        0     - /mnt/two words
==
/sys/fs/cgroup
/mnt/a\\040disc
==
/usr/sbin/docker-init
/etc/hosts
/etc/resolv.conf
==
/var/lib/docker
/dev/vda         264212084 17010628  78275260      18% /var/lib/docker
/etc/hosts
/dev/vda         264212084 17010628  78275260      18% /etc/hosts
/var/log
overlay          264212084 17010628  78275260      18% /
/mnt/two words/of it
/dev/sdb           1000000   100000    800000      12% /mnt/two words
/run/lock
tmpfs                65536        0     65536       0% /run/lock
/nowhere

";

    #[test]
    fn a_path_is_on_the_disk_of_its_device_and_a_file_gives_no_disk_its_name() {
        let rooms = read(ANSWER).unwrap();
        let mounts: Vec<&str> = rooms.disks.iter().map(|disk| disk.mount.as_str()).collect();
        assert_eq!(mounts, ["/", "/var/lib/docker", "/mnt/two words"]);
        let on = |path| rooms.mount_of(path);
        assert_eq!(on("/var/lib/docker"), Some("/var/lib/docker"));
        assert_eq!(on("/etc/hosts"), Some("/var/lib/docker"));
        assert_eq!(on("/var/log"), Some("/"));
        assert_eq!(on("/mnt/two words/of it"), Some("/mnt/two words"));
        assert_eq!((on("/run/lock"), on("/nowhere"), on("/never asked")), (None, None, None));
        assert_eq!(rooms.mount_of_device("/dev/vda"), Some("/var/lib/docker"));
        let disk = &rooms.disks[1];
        assert_eq!(disk.bytes, Room { used: 17_010_628 << 10, free: 78_275_260 << 10 });
        assert_eq!(disk.inodes, Some(Room { used: 620_000, free: 15_764_000 }));
        assert_eq!(rooms.disks[2].inodes, None);
    }

    #[test]
    fn a_folder_that_is_mounted_on_itself_gives_its_disk_no_other_name() {
        let answer = "Filesystem\n/dev/loop0 3000000 2000000 900000 70% /\n==\nFilesystem\n==\n==\n==\n\
            /var/lib/docker\n/dev/loop0 3000000 2000000 900000 70% /var/lib/docker\n";
        let rooms = read(answer).unwrap();
        assert_eq!((rooms.disks.len(), rooms.mount_of("/var/lib/docker")), (1, Some("/")));
    }

    #[test]
    fn half_an_answer_is_none() {
        assert_eq!(read("Filesystem\n/dev/vda 1 1 1 1% /\n==\nFilesystem\n==\n==\n"), None);
        assert_eq!(read(""), None);
    }
}
