//! A database that is written to all the time is backed up, goes back to a backup, and comes back from that: nothing is lost on any way.

use std::collections::BTreeMap;

use crate::shop::{Shop, size};
use crate::site::{Load, Way, text};
use crate::table;

fn assert_served(load: &Load, what: &str) {
    println!("drill: {what}: {}", load.counts);
    assert_eq!(load.status, 0, "{what}: {}", load.stderr);
    let counts = ["failed_requests", "missing_writes", "doubled_writes"].map(|key| load.count(key));
    assert_eq!(counts, [0, 0, 0], "{what}: {}\n{}", load.counts, load.stderr);
}

/// The rows of each table of a dump, counted in what `pg_restore` makes of it.
fn rows_in(shop: &Shop, file: &str) -> BTreeMap<String, u64> {
    let count = r#"/^COPY / { table = $0; sub(/^COPY /, "", table); sub(/ \([^(]*\) FROM stdin;$/, "", table); rows[table] = 0; next }
        /^\\\.$/ { table = "" } table != "" { rows[table]++ } END { for (table in rows) print rows[table] "\t" table }"#;
    let read = format!("docker exec -i opareta-postgres-argus pg_restore -a -f - <{file}");
    let lines = shop.on_host(&format!("{read} | LC_ALL=C awk '{count}'"));
    let line = |line: &str| {
        let (rows, table) = line.split_once('\t').unwrap();
        (table.to_owned(), rows.parse().unwrap())
    };
    lines.lines().map(line).collect()
}

/// Those that its manifest has.
fn rows_of_the_manifest(shop: &Shop, file: &str) -> BTreeMap<String, u64> {
    let manifest = shop.manifest(file);
    let tables = manifest["tables"].as_object().unwrap();
    // The names there have SQL's quotes, where they need them, as those of a dump do.
    tables.iter().map(|(name, rows)| (name.clone(), rows.as_u64().unwrap())).collect()
}

#[test]
fn a_backup_shows_one_moment_of_a_database_that_is_written_to_over_ssh() {
    let shop = Shop::take(Way::Sudo, "keep: 7");
    assert_eq!(shop.backups().0, Some(0), "nothing is wanted yet");
    shop.keep("keep: 7, rpo: 1h");
    assert_eq!(shop.backups().0, Some(5), "there is none");
    let load = shop.does_under_load(&["backup", "argus", "--verify", "--yes"]);
    assert_served(&load, &format!("back argus up, {}, and restore that for a trial", size()));
    let file = shop.newest();
    let manifest = shop.manifest(&file);
    println!("drill: {} bytes in {} s", manifest["bytes"], manifest["seconds"]);
    assert_eq!(rows_of_the_manifest(&shop, &file), rows_in(&shop, &file));
    assert!(rows_of_the_manifest(&shop, &file)["public.order_lines"] > 0);
    let sum = shop.on_host(&format!("sha256sum <{file}"));
    assert_eq!(manifest["sha256"], sum.split(' ').next().unwrap());
    assert!(manifest["verified"]["at"].is_string(), "{manifest}");
    assert_eq!(shop.databases(), ["argus_db".to_owned()].into());

    let (code, told) = shop.backups();
    assert_eq!((code, &told["meets_rpo"]), (Some(0), &true.into()), "{told}");
    assert_eq!(told["backups"].as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(told["newest_verified"], told["backups"][0]["file"], "{told}");
    assert!(told["backups"][0]["loses_ms"].as_u64().unwrap() < 90_000, "{told}");
    shop.keep("keep: 7, rpo: 1s");
    assert_eq!(shop.backups().0, Some(5), "it is older than is allowed");
}

#[test]
fn a_restore_brings_every_row_of_the_backup_and_its_undo_every_newer_one_over_ssh() {
    let shop = Shop::take(Way::Sudo, "keep: 7");
    let then = shop.checksums();
    let file = shop.back_up();
    shop.written("argus", 1);
    shop.sql("argus_db", "DELETE FROM documents WHERE id % 3 = 0; UPDATE customers SET note = 'spoiled'; DROP VIEW customer_totals CASCADE");
    let now = shop.checksums();
    assert_ne!(then, now);

    shop.restore(&file);
    assert_eq!(shop.checksums(), then, "every row, and every setting of the database");
    assert_eq!(shop.checksums_of(&shop.beside("_until_")), now, "what it was is kept");
    shop.assert_is_well();

    shop.does(&["undo", "latest", "--yes"]);
    assert_eq!(shop.checksums(), now, "byte for byte");
    assert_eq!(shop.checksums_of(&shop.beside("_taken_back_")), then);
    shop.assert_is_well();
    assert_served(&shop.written("argus", 1), "written to once more");
}

#[test]
fn a_restore_stops_the_writers_for_its_swap_alone_over_ssh() {
    let shop = Shop::take(Way::Group, "keep: 7");
    let file = shop.back_up();
    let mut load =
        shop.does_under_load(&["restore", "argus", "--from", &file, "--yes", "--confirm", "argus"]);
    println!("drill: restore argus, {}: {}", size(), load.counts);
    println!("drill: nobody could write for {} ms", load.count("longest_gap_ms"));
    // What was written between the backup and the swap is gone from the live one, and for that the load client ends with 1.
    assert_eq!(load.status, 1, "{}", load.stderr);
    assert!(load.stderr.contains("missing: "), "{}", load.stderr);
    let kept = shop.beside("_until_");
    let rows = shop.rows_of(&load, "argus_db") + shop.rows_of(&load, &kept);
    let acknowledged = load.count("acknowledged_writes");
    load.counts["missing_writes"] = acknowledged.saturating_sub(rows).into();
    assert_eq!(load.count("missing_writes"), 0, "each is in one of the two");
    assert!(rows - acknowledged <= load.count("failed_requests"), "{rows} rows: {}", load.counts);
    assert!(shop.rows_of(&load, &kept) > 0, "what came before the swap is in the one that is kept");
    assert!(shop.rows_of(&load, "argus_db") > 0, "it is written to again");
    assert!(load.count("longest_gap_ms") < 20_000, "{}", load.counts);
    shop.assert_is_well();
    table::record(&shop, "restore argus", &load);

    // It goes only after a last dump of it, which has its rows.
    let holds = shop.sql(&kept, "SELECT count(*) FROM orders");
    let release = ["restore", "release", "argus", "--yes"];
    let refused = shop.say(&release);
    assert_eq!(refused.status.code(), Some(4), "a name is asked for: {}", text(&refused.stderr));
    assert!(shop.databases().contains(&kept));
    let load = shop.does_under_load(&[&release[..], &["--confirm", "argus"]].concat());
    assert_served(&load, "drop what a restore of argus has set aside");
    table::record(&shop, "restore release argus", &load);
    assert_eq!(shop.databases(), ["argus_db".to_owned()].into());
    assert_eq!(rows_in(&shop, &shop.newest())["public.orders"].to_string(), holds);
}

#[test]
fn a_trial_leaves_nothing_but_the_word_that_it_was_made_over_ssh() {
    let shop = Shop::take(Way::Sudo, "keep: 7, pattern: \"argus_*.sql.gz\"");
    let file = shop.back_up();
    assert!(file.ends_with(".sql.gz"), "{file}");
    let state = |shop: &Shop| {
        let files = shop.files();
        let is_manifest = |line: &&str| line.contains(".json ");
        let files: Vec<_> = files.lines().filter(|line| !is_manifest(line)).map(str::to_owned).collect();
        // The engine has short-lived ones of its own there.
        let temporary = shop.on_host("ls -A /tmp | grep -v ^runc- || true");
        (shop.databases(), shop.containers(), files, temporary, shop.checksums())
    };
    let before = state(&shop);
    assert!(shop.manifest(&file)["verified"].is_null());
    let said = shop.does(&["restore", "argus", "--drill", "--yes"]);
    println!("drill: restore --drill of {}: {}", size(), said.lines().last().unwrap_or_default());
    assert_eq!(state(&shop), before);
    assert!(shop.manifest(&file)["verified"]["run"].is_string());
}

#[test]
fn tables_of_a_backup_are_put_beside_the_live_ones_over_ssh() {
    let shop = Shop::take(Way::Sudo, "keep: 7");
    let file = shop.back_up();
    let count = |table: &str| shop.sql("argus_db", &format!("SELECT count(*) FROM {table}"));
    let (customers, notes) = (count("customers"), count(r#""Back Office"."Notes of ""Ann"" & Co""#));
    shop.sql("argus_db", "UPDATE customers SET name = 'all the same'");
    let before = shop.checksums();
    let tables = r#"public.customers,"Back Office"."Notes of ""Ann"" & Co""#;
    shop.does(&["restore", "argus", "--from", &file, "--tables", tables, "--schema", "of_old", "--yes"]);
    assert_eq!(count("of_old.customers"), customers);
    assert_eq!(count(r#"of_old."Notes of ""Ann"" & Co""#), notes);
    assert_eq!(count("of_old.customers WHERE name = 'all the same'"), "0");
    assert_eq!(shop.databases(), ["argus_db".to_owned()].into());
    shop.sql("argus_db", "DROP SCHEMA of_old CASCADE");
    assert_eq!(shop.checksums(), before, "the live ones are as they were");
}

#[test]
fn backups_that_are_needed_stay_and_one_that_fails_removes_none_over_ssh() {
    let shop = Shop::take(Way::Sudo, "keep: 2");
    let files = || -> Vec<String> {
        let files = shop.files();
        let dumps =
            files.lines().filter_map(|line| line.split_once(' ')).filter(|(name, _)| name.ends_with(".dump"));
        dumps.map(|(name, _)| name.to_owned()).collect()
    };
    shop.does(&["backup", "argus", "--verify", "--yes"]);
    let verified = files();
    (0..3).for_each(|_| drop(shop.back_up()));
    assert_eq!((files().len(), &files()[..1]), (4, &verified[..]), "nothing newer than it is verified");
    shop.does(&["backup", "argus", "--verify", "--yes"]);
    assert_eq!(
        (files().len(), &files()[..1]),
        (3, &verified[..]),
        "it is one of the newest two that are verified"
    );
    shop.does(&["backup", "argus", "--verify", "--yes"]);
    assert_eq!(files().len(), 2, "{:?}", files());
    assert!(!files().contains(&verified[0]), "two newer ones are verified");

    let before = shop.files();
    let fails = |what: &str| {
        let failed = shop.say(&["backup", "argus", "--verify", "--yes"]);
        assert_ne!(failed.status.code(), Some(0), "{what}");
        assert_eq!(shop.files(), before, "{what}: {}", text(&failed.stderr));
    };
    let tool = "docker exec -u root opareta-postgres-argus chmod MODE /usr/lib/postgresql/17/bin/pg_dump";
    let broken = shop.altered(&tool.replace("MODE", "a-x"), &tool.replace("MODE", "a+x"));
    fails("a broken pg_dump");
    drop(broken);
    // A disk of its own, with what was there, and no space for more.
    let folder = shop.folder();
    let mount = format!(
        "cp -a {folder} /tmp/drill && mount -t tmpfs -o mode=2775 tmpfs {folder} && cp -a /tmp/drill/. {folder} && mount -o remount,size=$(du -sk {folder} | awk '{{ print $1 + 1024 }}')k {folder}"
    );
    let full = shop.altered(&mount, &format!("umount {folder}; rm -rf /tmp/drill"));
    fails("a full disk");
    drop(full);
    assert_eq!(shop.back_up().rsplit('/').next(), files().last().map(String::as_str), "the next one is well");
}

/// Another host, and the manifest too, so that its checksum is there as well.
#[test]
fn a_backup_is_taken_to_a_second_place_before_any_is_removed_over_ssh() {
    let place = "/tmp/second";
    let shop = Shop::of_size(
        "16MiB",
        Way::Sudo,
        "keep: 1, copy: [scp, -O, -o, BatchMode=yes, -o, StrictHostKeyChecking=no, \"{file}\", \"{file}.json\", \"localhost:/tmp/second/\"]",
    );
    let key = "/root/.ssh/id_second";
    let known = "/etc/ssh/authorized_keys";
    let may = format!(
        "mkdir -p {place} /root/.ssh; ssh-keygen -q -t ed25519 -N '' -f {key}; cp -p {known} {known}.kept; \
         cat {key}.pub >>{known}; printf 'Host localhost\\n  IdentityFile {key}\\n' >/root/.ssh/config"
    );
    let back = format!("rm -rf {place} /root/.ssh; mv {known}.kept {known}");
    let second = shop.altered(&may, &back);
    shop.does(&["backup", "argus", "--verify", "--yes"]);
    let sums = |folder: &str| shop.on_host(&format!("cd {folder} && sha256sum -- *.dump"));
    assert_eq!(sums(place), sums(shop.folder()));
    let before = shop.files();

    // While it cannot be reached, nothing is removed.
    let lost = shop.altered(
        &format!("chmod a-r {key}; mv {key} {key}.lost"),
        &format!("mv {key}.lost {key}; chmod 600 {key}"),
    );
    let failed = shop.say(&["backup", "argus", "--verify", "--yes"]);
    assert_eq!(failed.status.code(), Some(10), "{}", text(&failed.stderr));
    assert!(
        before.lines().all(|line| line.contains(".json ") || shop.files().contains(line)),
        "{}",
        shop.files()
    );
    drop(lost);
    shop.does(&["resume", "latest"]);
    assert_eq!(shop.on_host(&format!("ls {place}/*.dump | wc -l")).trim(), "2");
    drop(second);
}
