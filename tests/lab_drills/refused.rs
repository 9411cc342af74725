//! What is no good backup of a database is refused, with its reason, while the database serves on and is the same in every row.

use std::fs::File;
use std::process::{Command, Stdio};

use crate::shop::Shop;
use crate::site::{Way, counts, text};

/// Each of `tests/lab/bad-dumps`, and what is said of it.
const BAD: [(&str, &[&str]); 31] = [
    ("all-databases.sql.gz", &["is not a dump of a PostgreSQL database"]),
    ("another-database.dump", &["is a dump of the database hermes_db, and this one is argus_db"]),
    ("another-database.sql.gz", &["role \"hermes\" does not exist"]),
    ("archive.tar.gz", &["is not a dump of a PostgreSQL database"]),
    ("corrupt.dump", &["could not uncompress", "is not whole"]),
    ("corrupt.sql.gz", &["is not whole"]),
    ("empty.dump", &["is empty"]),
    ("empty.sql", &["is empty"]),
    ("empty.sql.gz", &["is empty"]),
    ("encrypted.dump", &["is not a dump of a PostgreSQL database"]),
    ("errors.sql", &["relation \"no_such_table\" does not exist"]),
    ("errors.sql.gz", &["relation \"no_such_table\" does not exist"]),
    ("folder.dump", &["is not a file"]),
    ("newer-archive.dump", &["cannot be read by the server's pg_restore", "unsupported version (1.99)"]),
    ("newer-server.dump", &["is from PostgreSQL 99.", "this server is PostgreSQL 17"]),
    ("newer-server.sql", &["is from PostgreSQL 99.", "this server is PostgreSQL 17"]),
    ("no-tables.dump", &["holds no table"]),
    ("no-tables.sql", &["holds no table"]),
    ("not-readable.dump", &["cannot be read by ops"]),
    ("note.dump", &["is not a dump of a PostgreSQL database"]),
    ("note.sql", &["is not a dump of a PostgreSQL database"]),
    ("of-nothing.sql.gz", &["is not a dump of a PostgreSQL database"]),
    ("photo.dump", &["is not a dump of a PostgreSQL database"]),
    ("truncated-before.sql.gz", &["is not whole"]),
    ("truncated.dump", &["end of file", "is not whole"]),
    ("truncated.sql", &["is not whole"]),
    ("truncated.sql.gz", &["is not whole"]),
    ("with-create.sql", &["says itself which database it goes to"]),
    ("wrong-checksum.dump", &["its checksum is not that of its manifest"]),
    ("wrong-encoding.sql", &["invalid byte sequence for encoding \"UTF8\""]),
    ("wrong-rows.dump", &["\"public.drafts\"", "has not the rows of the manifest, which are 5"]),
];

/// What a dump is of does not decide, but how it is.
fn made(shop: &Shop) -> (Vec<String>, Vec<String>) {
    let folder = format!("{}/of", shop.folder());
    let paths = shop.lab("bad-dumps", &[&folder]);
    let good = format!("{folder}/good/");
    let (good, bad) = paths.lines().map(str::to_owned).partition(|path: &String| path.starts_with(&good));
    (bad, good)
}

/// Who may read everything cannot be refused a file.
#[test]
fn every_bad_dump_is_refused_and_nothing_is_touched_over_ssh() {
    let shop = Shop::of_size("16MiB", Way::Group, "keep: 7");
    let (bad, _) = made(&shop);
    let names: Vec<_> = bad.iter().map(|path| path.rsplit('/').next().unwrap()).collect();
    assert_eq!(names, BAD.map(|(name, _)| name), "each has its reason here");
    let state = || (shop.databases(), shop.containers(), shop.files(), shop.checksums_of_the_rest());
    let before = state();
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut load = shop.load("argus", 86_400);
    let load = load.stdout(Stdio::piped()).stderr(File::create(log.path()).unwrap()).spawn().unwrap();

    let mut wrong = Vec::new();
    for (path, (name, reasons)) in bad.iter().zip(BAD) {
        let output = shop.say(&["restore", "argus", "--from", path, "--yes", "--confirm", "argus"]);
        let said = text(&output.stderr);
        if !matches!(output.status.code(), Some(4 | 13)) {
            wrong.push(format!("{name} ended with {:?}:\n{said}", output.status.code()));
        }
        for reason in reasons.iter().filter(|reason| !said.contains(**reason)) {
            wrong.push(format!("{name}: nobody says `{reason}`:\n{said}"));
        }
    }
    let missing =
        shop.say(&["restore", "argus", "--from", "/var/backups/never.dump", "--yes", "--confirm", "argus"]);
    if missing.status.code() != Some(4) || !text(&missing.stderr).contains("there is no file") {
        wrong.push(text(&missing.stderr));
    }

    let ended = Command::new("kill").args(["-INT", &load.id().to_string()]).status().unwrap();
    assert!(ended.success());
    let counts = counts(&load.wait_with_output().unwrap());
    println!("drill: {} bad dumps are refused: {counts}", bad.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let served = ["failed_requests", "missing_writes", "doubled_writes"].map(|key| counts[key].as_u64());
    assert_eq!(served, [Some(0); 3], "{counts}");
    let after = state();
    assert_eq!(after.3, before.3, "every row is the same");
    assert_eq!(after, before);
    shop.assert_is_well();
}

/// Each is restored once, and taken back: what it is made of and how it is called makes no difference.
#[test]
fn a_good_dump_is_restored_whatever_its_form_and_name_over_ssh() {
    let shop = Shop::of_size("16MiB", Way::Sudo, "keep: 7");
    let (_, good) = made(&shop);
    assert!(good.iter().any(|path| path.contains("$(touch injected)")), "{good:?}");
    let before = shop.checksums();
    // The odd one is like the first.
    for path in good.iter().filter(|path| !path.contains("/custom.dump") && !path.contains("injected")) {
        shop.does(&["restore", "argus", "--from", path, "--drill", "--yes"]);
    }
    let odd = good.iter().find(|path| path.contains("$(touch injected)")).unwrap();
    shop.restore(odd);
    assert_eq!(shop.checksums(), before);
    shop.assert_is_well();
    let made = shop.on_host("find / -xdev -name 'injected*' -not -path '/proc/*'");
    assert_eq!(made, "", "a name is a name");
}

/// What is there of the server's databases, and of each row.
fn state(shop: &Shop) -> (std::collections::BTreeSet<String>, String) {
    (shop.databases(), shop.checksums())
}

#[test]
fn without_space_or_without_its_password_nothing_is_begun_over_ssh() {
    let shop = Shop::of_size("16MiB", Way::Sudo, "keep: 7");
    let made = shop.back_up();
    let file = "/var/backups/opareta/good.dump";
    let copied = shop
        .altered(&format!("cp {made} {file}; cp {made}.json {file}.json"), &format!("rm {file} {file}.json"));
    let before = state(&shop);
    let refused = |reason: &str| {
        let output = shop.say(&["restore", "argus", "--from", file, "--yes", "--confirm", "argus"]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(13), "{said}");
        assert!(said.contains(reason), "{reason}: {said}");
    };

    let folder = shop.folder();
    let full = shop
        .altered(&format!("mount -t tmpfs -o mode=2775,size=1m tmpfs {folder}"), &format!("umount {folder}"));
    refused(&format!("a safety dump of argus_db in {folder} needs"));
    drop(full);
    assert_eq!(state(&shop), before);

    // The server asks its own programs for a password, which the container has.
    let rule = "docker exec opareta-postgres-argus sh -c 'sed -i \"s/^local  *all  *all  *.*/local all all RULE/\" $PGDATA/pg_hba.conf; kill -HUP 1'";
    let asks = shop.altered(&rule.replace("RULE", "scram-sha-256"), &rule.replace("RULE", "trust"));
    shop.does(&["restore", "argus", "--from", file, "--drill", "--yes"]);
    drop(asks);
    let set = |password: &str| {
        let alter = format!("ALTER ROLE argus PASSWORD '{password}'");
        format!("docker exec opareta-postgres-argus psql -qXU argus -d postgres -c \"{alter}\"")
    };
    let known = "$(docker exec opareta-postgres-argus printenv POSTGRES_PASSWORD)";
    let other = shop.altered(
        &format!("{}; {}", set("another"), rule.replace("RULE", "scram-sha-256")),
        &format!("{}; sleep 1; {}", rule.replace("RULE", "trust"), set(known)),
    );
    refused("password authentication failed");
    drop(other);
    drop(copied);
    assert_eq!(state(&shop), before);
    shop.assert_is_well();
}
