//! Whether a cleanup would leave what has to stay: how much is kept, and which folders are called temporary.

use super::Review;
use crate::base::percent::Percent;
use crate::model::clutter::terms::Cleanup;

/// Below these, nothing is temporary.
const WHOLE: [&str; 17] = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/proc",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
    "/var/lib/containerd",
    "/var/lib/docker",
    "/var/lib/opsctl",
    "/var/log",
];

/// In these there may be a folder of temporary files, and they are none themselves.
const PARENTS: [&str; 14] = [
    "/data",
    "/home",
    "/media",
    "/mnt",
    "/opt",
    "/root",
    "/snap",
    "/srv",
    "/var/backups",
    "/var/cache",
    "/var/lib",
    "/var/mail",
    "/var/spool",
    "/var/www",
];

impl Review<'_> {
    pub(super) fn cleanup(&mut self) {
        let inventory = self.inventory;
        let Cleanup { until_free, keep_releases, keep_verified, temporary, .. } = &inventory.cleanup;
        if *until_free >= Percent(100.0) {
            self.add("/cleanup/until_free", "no disk can be free as a whole", "write a share such as `20%`");
        }
        if *keep_releases < 2 {
            let message = "what a service would go back to would not be kept";
            self.add(
                "/cleanup/keep_releases",
                message,
                "write at least `2`: what runs, and what it was before",
            );
        }
        if *keep_verified == 0 {
            let message = "no backup would be kept that is known to be good";
            self.add("/cleanup/keep_verified", message, "write at least `1`");
        }
        // What stands there by itself is good on every host: the host knows what of it is something else's.
        if !self.source.has("/cleanup/temporary") {
            return;
        }
        for (number, folder) in temporary.iter().enumerate() {
            let path = format!("/cleanup/temporary/{number}");
            if let Err((message, hint)) = self.temporary(folder, &temporary[..number]) {
                self.add(&path, &message, &hint);
            }
        }
    }

    /// The mistake of a folder and its mend.
    fn temporary(&self, folder: &str, before: &[String]) -> Result<(), (String, String)> {
        let example = "write a folder such as `/var/tmp` or `/srv/uploads/tmp`".to_owned();
        if !folder.starts_with('/') {
            return Err((format!("`{folder}` is not an absolute path"), example));
        }
        if folder.split('/').any(|part| part == "." || part == "..") {
            let message = format!("`{folder}` is somewhere else than it says");
            return Err((message, "write it without `.` and `..`".to_owned()));
        }
        if folder.contains(char::is_control) {
            return Err(("a control character in a path".to_owned(), example));
        }
        let plain = format!("/{}", parts(folder).join("/"));
        if plain != folder {
            return Err((format!("`{folder}` has a slash too many"), format!("write `{plain}`")));
        }
        if before.iter().any(|other| other == folder) {
            return Err((format!("`{folder}` is there twice"), "leave it out".to_owned()));
        }
        let is_of_system = WHOLE.iter().any(|whole| is_within(folder, whole) || is_within(whole, folder))
            || PARENTS.iter().any(|parent| is_within(parent, folder));
        if is_of_system {
            let message = format!("what is in `{folder}` is not temporary");
            return Err((message, example));
        }
        for (what, kept) in self.lasting() {
            if is_within(kept, folder) {
                let message = format!("`{folder}` has {what} in it");
                return Err((
                    message,
                    "write a folder that has nothing else in it, or leave it out".to_owned(),
                ));
            }
        }
        Ok(())
    }

    /// The folders of the inventory that last.
    fn lasting(&self) -> Vec<(String, &str)> {
        let inventory = self.inventory;
        let projects = inventory.projects.iter();
        let projects =
            projects.map(|(name, project)| (format!("project `{name}`"), project.directory.as_str()));
        let databases = inventory.databases.iter().map(|(name, of)| ("database", name, &of.backups));
        let caches = inventory.caches.iter().map(|(name, of)| ("cache", name, &of.backups));
        let backups = databases.chain(caches).filter_map(|(noun, name, backups)| {
            let backups = backups.as_ref()?;
            Some((format!("the backups of {noun} `{name}`"), backups.directory.as_str()))
        });
        let states = inventory.hosts.iter().filter_map(|(name, host)| {
            Some((format!("the state of opsctl on host `{name}`"), host.state_dir.as_deref()?))
        });
        projects.chain(backups).chain(states).collect()
    }
}

/// Whether a path is a folder or something below it.
fn is_within(path: &str, folder: &str) -> bool {
    parts(path).starts_with(&parts(folder))
}

fn parts(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !part.is_empty()).collect()
}
