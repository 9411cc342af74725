//! A stack of the lab whose argus has the database of a shop: what is in it, backups of it, and what restores have left.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Deref;
use std::path::PathBuf;
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::site::{Load, Site, Way, text};

/// How large it is; `OPSCTL_DRILL_SIZE`, such as `1GiB`, has another one.
pub fn size() -> String {
    std::env::var("OPSCTL_DRILL_SIZE").unwrap_or_else(|_| "64MiB".to_owned())
}

/// A folder of backups for these drills alone.
const FOLDER: &str = "/var/backups/opareta/drill";

pub struct Shop {
    site: Site,
    /// As the site's, with other `backups`.
    inventory: PathBuf,
    /// The store of the backups that are no part of a drill.
    before: tempfile::TempDir,
}

impl Deref for Shop {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

/// The small database again, and nothing beside it: other drills copy it.
impl Drop for Shop {
    fn drop(&mut self) {
        self.clear();
        self.site.lab("fill-database", &["--empty"]);
        let _ = fs::remove_file(&self.inventory);
    }
}

impl Shop {
    /// `keeping` is what the inventory says of the backups besides where they are.
    pub fn take(way: Way, keeping: &str) -> Shop {
        Shop::of_size(&size(), way, keeping)
    }

    pub fn of_size(size: &str, way: Way, keeping: &str) -> Shop {
        let site = Site::take(way);
        let inventory = site.inventory().with_file_name(format!("drill-{}.yaml", std::process::id()));
        let shop = Shop { site, inventory, before: tempfile::tempdir().unwrap() };
        shop.keep(keeping);
        shop.clear();
        shop.site.lab("fill-database", &["--size", size]);
        shop
    }

    /// The inventory says this of the backups from now on.
    pub fn keep(&self, keeping: &str) {
        let text = fs::read_to_string(self.site.inventory()).unwrap();
        let (before, rest) = text.split_once("name: argus_db").unwrap();
        let (_, after) = rest.split_once("}").unwrap();
        let backups = format!("name: argus_db, backups: {{ directory: {FOLDER}, {keeping} }}");
        fs::write(&self.inventory, format!("{before}{backups}{after}")).unwrap();
    }

    /// Nothing is beside the database any more.
    pub fn sweep(&self) {
        for name in self.databases().iter().filter(|name| *name != "argus_db") {
            self.sql("postgres", &format!("DROP DATABASE \"{name}\" WITH (FORCE)"));
        }
    }

    fn clear(&self) {
        self.sweep();
        self.on_host(&format!(
            "rm -rf {FOLDER}; mkdir -p {FOLDER}; chmod 2775 {FOLDER}; chgrp docker {FOLDER}"
        ));
    }

    pub fn folder(&self) -> &'static str {
        FOLDER
    }

    /// What a database of the server holds, as `tests/lab/checksums` says it.
    pub fn checksums_of(&self, database: &str) -> String {
        self.lab("checksums", &["--database", database])
    }

    pub fn checksums(&self) -> String {
        self.checksums_of("argus_db")
    }

    /// Likewise, without what the product itself writes all the time.
    pub fn checksums_of_the_rest(&self) -> String {
        let is_written = |line: &&str| {
            line.starts_with("table public.orders ") || line.starts_with("sequence public.orders_number_seq ")
        };
        let all = self.checksums();
        all.lines().filter(|line| !is_written(line)).collect::<Vec<_>>().join("\n")
    }

    /// Asks a database of the server.
    pub fn sql(&self, database: &str, query: &str) -> String {
        let psql = "docker exec -i opareta-postgres-argus psql -qXAtv ON_ERROR_STOP=1 -U argus";
        self.on_host(&format!("{psql} -d {database} <<'SQL'\n{query}\nSQL")).trim().to_owned()
    }

    /// The databases of the server that somebody has made.
    pub fn databases(&self) -> BTreeSet<String> {
        let query = "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'";
        self.sql("postgres", query).lines().map(str::to_owned).collect()
    }

    /// The one that a restore has set aside, or that was taken back.
    pub fn beside(&self, word: &str) -> String {
        let found: Vec<_> = self.databases().into_iter().filter(|name| name.contains(word)).collect();
        match &found[..] {
            [name] => name.clone(),
            _ => panic!("there are {found:?} with `{word}`"),
        }
    }

    /// The files below the folder of the drill, with their sizes.
    pub fn files(&self) -> String {
        self.on_host(&format!("find {FOLDER} -mindepth 1 -printf '%P %y %s\\n' | sort"))
    }

    /// What is typed, after the inventory.
    pub fn words(&self, words: &[&str]) -> Vec<String> {
        let inventory = ["--inventory", self.inventory.to_str().unwrap()];
        inventory.iter().chain(words).map(|word| (*word).to_owned()).collect()
    }

    pub fn say(&self, words: &[&str]) -> Output {
        let words = self.words(words);
        self.run(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Says it, and expects that it ends well.
    pub fn does(&self, words: &[&str]) -> String {
        let output = self.say(words);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{words:?}: {said}");
        said
    }

    pub fn restore(&self, file: &str) {
        self.does(&["restore", "argus", "--from", file, "--yes", "--confirm", "argus"]);
    }

    /// Backs argus up, and gives the file.
    pub fn back_up(&self) -> String {
        let words = self.words(&["backup", "argus", "--yes"]);
        let mut command = self.opsctl(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let made = command.env("OPSCTL_STATE_DIR", self.before.path()).output().unwrap();
        assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
        self.newest()
    }

    /// The file of the newest backup.
    pub fn newest(&self) -> String {
        self.backups().1["backups"][0]["file"].as_str().expect("there is a backup").to_owned()
    }

    /// How `opsctl backups` ends, and what it says of argus.
    pub fn backups(&self) -> (Option<i32>, Value) {
        let output = self.say(&["backups", "argus", "--json"]);
        let document: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
        (output.status.code(), document["of"][0].clone())
    }

    pub fn does_under_load(&self, words: &[&str]) -> Load {
        let words = self.words(words);
        self.under_load(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// How many rows of a load are in a database.
    pub fn rows_of(&self, load: &Load, database: &str) -> u64 {
        let (_, name) = load.stderr.split_once("to argus, as ").expect("the load says its name");
        let name = name.split_whitespace().next().unwrap();
        let query = format!("SELECT count(*) FROM orders WHERE id LIKE '{name}-%'");
        self.sql(database, &query).parse().unwrap()
    }

    /// Everything answers, within the moment that an instance takes to start.
    pub fn assert_is_well(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let status = self.run(&["status"]);
            if status.status.success() {
                return;
            }
            assert!(Instant::now() < deadline, "{}", text(&status.stdout));
        }
    }

    /// The manifest of a backup.
    pub fn manifest(&self, file: &str) -> Value {
        serde_json::from_str(&self.on_host(&format!("cat '{file}.json'"))).unwrap()
    }
}
