//! A database whose data is damaged cannot be dumped, and goes back to its backup all the same. What it was is kept as it is.

use crate::shop::Shop;
use crate::site::{Altered, Way, text};

/// Fills the first page of a table with noise, behind the server's back. What the server wrote about that in its log goes with its container:
/// else every later look at it would find damage.
fn spoiled<'a>(shop: &'a Shop, table: &str) -> Altered<'a> {
    let place = format!("CHECKPOINT; SELECT pg_relation_filepath('{table}')");
    let file = shop.sql("argus_db", &place);
    let noise = format!("head -c 8192 /dev/urandom | dd of=$PGDATA/{file} conv=notrunc status=none");
    let ready = "until docker exec opareta-postgres-argus pg_isready -q -h 127.0.0.1; do sleep 0.2; done";
    let compose = "docker compose -f /opt/opareta/infrastructure/docker/docker-compose.prod.yml";
    shop.altered(
        &format!("docker exec opareta-postgres-argus sh -c '{noise}' && docker restart opareta-postgres-argus && {ready}"),
        &format!("{compose} up -d --no-deps --force-recreate postgres-argus && {ready}"),
    )
}

#[test]
fn a_damaged_database_that_cannot_be_dumped_goes_back_to_its_backup_over_ssh() {
    let shop = Shop::of_size("16MiB", Way::Sudo, "keep: 7");
    let then = shop.checksums();
    let file = shop.back_up();
    let spoiled = spoiled(&shop, "customers");
    let damaged = shop.on_host(
        "docker exec opareta-postgres-argus psql -qXAtU argus -d argus_db -c 'SELECT count(*) FROM customers' 2>&1 || true",
    );
    assert!(damaged.contains("invalid page"), "{damaged}");

    // Who does not say that it is to go on without a dump has it taken back.
    let refused = shop.say(&["restore", "argus", "--from", &file, "--yes"]);
    assert_eq!(refused.status.code(), Some(4), "{}", text(&refused.stderr));
    let said = shop.does(&["restore", "argus", "--from", &file, "--confirm", "argus"]);
    assert!(said.contains("argus_db was not dumped"), "{said}");
    assert_eq!(shop.checksums(), then);
    shop.assert_is_well();
    let kept = shop.beside("_until_");

    // And what is damaged is not dropped, since nothing else has it.
    let release = shop.say(&["restore", "release", "argus", "--confirm", "argus"]);
    assert_eq!(release.status.code(), Some(10), "{}", text(&release.stderr));
    assert_eq!(shop.beside("_until_"), kept);
    drop(spoiled);
}
