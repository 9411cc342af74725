//! A small filesystem that really fills up, which only the commands that are run in it see.
//!
//! It is mounted in a mount namespace of its own: ext4 on a loop device where that is permitted, and else a filesystem in memory under
//! another name. The namespace lives as long as its process, and that as long as this value: nothing is left behind.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

use tempfile::TempDir;

/// Given: the size in MiB, and the number of inodes. Its last process waits for the end of its input.
const MOUNT: &str = r#"
mkdir disk
if truncate -s "$1M" image && PATH=$PATH:/usr/sbin:/sbin mkfs.ext4 -q -F -N "$2" image && mount -o loop image disk; then :
else mount -t tmpfs -o "size=$1m,nr_inodes=$2" small disk || exit 1; fi 2>/dev/null
echo mounted
exec cat
"#;

pub struct Small {
    folder: TempDir,
    process: Child,
    _input: ChildStdin,
    is_root: bool,
}

impl Small {
    /// With so many MiB and inodes, of which its own structures take some.
    pub fn new(mebibytes: u32, inodes: u32) -> Small {
        let folder = tempfile::Builder::new().prefix("small").tempdir().unwrap();
        let tries = [(true, "--mount"), (false, "--user --map-root-user --mount")];
        for (is_root, options) in tries {
            let mut process = Command::new("unshare")
                .args(options.split(' '))
                .args(["sh", "-c", MOUNT, "sh", &mebibytes.to_string(), &inodes.to_string()])
                .current_dir(folder.path())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("these tests need util-linux");
            let mut said = String::new();
            BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).unwrap();
            if said == "mounted\n" {
                let input = process.stdin.take().unwrap();
                return Small { folder, process, _input: input, is_root };
            }
            process.wait().unwrap();
        }
        panic!(
            "these tests need a small filesystem to fill up: run them as root with CAP_SYS_ADMIN, or where \
             `unshare --user --map-root-user --mount` is permitted"
        );
    }

    /// A place on it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("disk").join(name)
    }

    /// Where a host keeps in memory what the folder of that name has no room for.
    pub fn memory(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/dev/shm/opsctl{}", self.path(name).display().to_string().replace('/', "-")))
    }

    /// The words before a command that let it see the filesystem.
    pub fn words(&self) -> Vec<String> {
        let space = |name: &str| format!("/proc/{}/ns/{name}", self.process.id());
        let mut words = vec!["nsenter".to_owned(), format!("--mount={}", space("mnt"))];
        if !self.is_root {
            words.extend([format!("--user={}", space("user")), "--preserve-credentials".to_owned()]);
        }
        words
    }

    /// Runs a script in its topmost folder, and gives what it prints.
    pub fn sh(&self, script: &str) -> String {
        let words = self.words();
        let whole = format!("cd '{}' && {script}", self.path("").display());
        let output = Command::new(&words[0]).args(&words[1..]).args(["sh", "-c", &whole]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Fills it up to the last byte.
    pub fn fill(&self) {
        self.sh(r#"set +e; n=0
            for size in 1073741824 65536 4096 512; do
                while n=$((n + 1)); head -c "$size" /dev/zero >"fill.$n"; do :; done
            done
            while printf x; do :; done >>fill.0"#);
    }

    /// Takes all its inodes.
    pub fn fill_inodes(&self) {
        self.sh("n=0; while true >\"fill.i$n\"; do n=$((n + 1)); done");
    }

    /// There is room again.
    pub fn free(&self) {
        self.sh("find . -maxdepth 1 -name 'fill.*' -delete; sync -f .");
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        // What was kept in memory for folders on it.
        let ours = self.memory("").display().to_string();
        for entry in std::fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
            if entry.path().display().to_string().starts_with(&ours) {
                let _ = std::fs::remove_dir_all(entry.path()).or_else(|_| std::fs::remove_file(entry.path()));
            }
        }
    }
}
