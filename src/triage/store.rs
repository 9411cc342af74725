//! What a database and a cache say of themselves, by their own clients inside their own containers.

use std::time::Duration;

use serde_json::Value;

use super::reading::Reading;
use crate::base::amount::Span;
use crate::base::size::Size;
use crate::model::inventory::Database;

/// The connections that are taken and that there are, and the seconds that this one, or the slowest of its copies, is behind. A copy
/// that has replayed all that it received is not behind, however long ago the last write was.
const DATABASE: &str = "\
select (select count(*) from pg_stat_activity where backend_type = 'client backend'), \
current_setting('max_connections')::int, \
coalesce(case when not pg_is_in_recovery() then (select max(extract(epoch from replay_lag)) from pg_stat_replication) \
when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0 \
else extract(epoch from now() - pg_last_xact_replay_timestamp()) end, 0)";

pub fn database_question(database: &Database) -> Vec<String> {
    ["psql", "-U", &database.user, "-d", &database.name, "-XAtq", "-F", "|", "-c", DATABASE]
        .map(str::to_owned)
        .to_vec()
}

/// # Errors
/// In words, when the answer is none.
pub fn of_database(answer: &Value) -> Result<Vec<Reading>, String> {
    let said = answer["stderr"].as_str().and_then(|text| text.trim().lines().last()).unwrap_or("no answer");
    // As PostgreSQL says it, to those who may use the last slots and to those who may not.
    if said.contains("too many clients") || said.contains("remaining connection slots") {
        return Ok(vec![Reading::NoConnectionLeft { said: said.to_owned() }]);
    }
    let said = || said.to_owned();
    let text = answer["stdout"].as_str().unwrap_or_default().trim();
    let [used, most, behind] = text.split('|').collect::<Vec<_>>()[..] else { return Err(said()) };
    let numbers =
        (used.parse().ok(), most.parse().ok(), behind.parse::<f64>().ok().filter(|seconds| *seconds >= 0.0));
    let (Some(used), Some(most), Some(behind)) = numbers else { return Err(said()) };
    let behind = Span::rounded(Duration::from_secs_f64(behind.min(1e9)));
    Ok(vec![Reading::Connections { used, most }, Reading::ReplicationLag { behind }])
}

pub fn cache_question() -> Vec<String> {
    ["redis-cli", "info"].map(str::to_owned).to_vec()
}

/// How long its own client waits for PING, as the mean of a second: a command through Docker takes longer than Redis does.
pub fn latency_question() -> Vec<String> {
    ["redis-cli", "--raw", "--latency"].map(str::to_owned).to_vec()
}

/// # Errors
/// In words, when the answer is none.
pub fn of_cache(answer: &Value) -> Result<Vec<Reading>, String> {
    let text = answer["stdout"].as_str().unwrap_or_default();
    let field = |name: &str| {
        text.lines().find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':').map(str::to_owned))
    };
    let number = |name: &str| field(name).and_then(|value| value.parse::<u64>().ok());
    let Some(used) = number("used_memory") else {
        let said = text.lines().next().filter(|line| !line.is_empty());
        return Err(said.or(answer["stderr"].as_str()).unwrap_or("no answer").trim().to_owned());
    };
    let mut readings = Vec::new();
    // One that drops its least used keys is meant to be full.
    let makes_room = field("maxmemory_policy").is_some_and(|policy| policy.starts_with("allkeys-"));
    if let Some(most) = number("maxmemory").filter(|most| *most > 0 && !makes_room) {
        readings.push(Reading::CacheMemory { used: Size(used), most: Size(most) });
    }
    if field("master_link_status").is_some_and(|status| status == "down") {
        readings.push(Reading::CacheLinkDown);
    }
    Ok(readings)
}

/// `min max avg count`, in milliseconds.
pub fn latency(answer: &Value) -> Option<Reading> {
    let mean: f64 = answer["stdout"].as_str()?.split_whitespace().nth(2)?.parse().ok()?;
    (mean.is_finite() && mean >= 0.0)
        .then(|| Reading::CacheLatency { took: Span::millis(mean.round() as u64) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(readings: Vec<Reading>) -> Vec<String> {
        readings.iter().map(Reading::to_string).collect()
    }

    #[test]
    fn a_database_says_how_many_connections_are_taken_and_how_far_its_copies_are_behind() {
        let answer = json!({ "stdout": "97|100|0\n" });
        assert_eq!(
            told(of_database(&answer).unwrap()),
            ["97 of 100 connections are taken, 97%", "its copy is 0s behind"]
        );
        let refused = json!({ "stderr": "psql: error: FATAL:  sorry, too many clients already\n" });
        assert!(told(of_database(&refused).unwrap())[0].ends_with("too many clients already"));
        let broken = json!({ "stderr": "psql: error: FATAL:  role \"a\" does not exist\n" });
        assert!(of_database(&broken).unwrap_err().ends_with("does not exist"));
    }

    #[test]
    fn a_cache_says_how_full_it_is_and_whether_it_has_its_master() {
        let answer = json!({ "stdout": "# Memory\r\nused_memory:104857600\r\nmaxmemory:104857600\r\n# Replication\r\nrole:slave\r\nmaster_link_status:down\r\n" });
        assert_eq!(
            told(of_cache(&answer).unwrap()),
            ["it holds 100MiB of at most 100MiB, 100%", "it is a copy, and has lost its master"]
        );
        let evicts =
            answer["stdout"].as_str().unwrap().replace("# Rep", "maxmemory_policy:allkeys-lru\r\n# Rep");
        assert_eq!(of_cache(&json!({ "stdout": evicts })).unwrap(), [Reading::CacheLinkDown]);
        let without = json!({ "stdout": "used_memory:1\r\nmaxmemory:0\r\n" });
        assert_eq!(of_cache(&without).unwrap(), []);
        let loading = json!({ "stdout": "LOADING Redis is loading the dataset in memory\n" });
        assert!(of_cache(&loading).unwrap_err().starts_with("LOADING"));
    }

    #[test]
    fn the_latency_is_the_mean_that_the_client_measured() {
        assert_eq!(
            latency(&json!({ "stdout": "0 2 0.21 95\n" })),
            Some(Reading::CacheLatency { took: Span::millis(0) })
        );
        assert_eq!(
            latency(&json!({ "stdout": "0 40 21.7 40" })),
            Some(Reading::CacheLatency { took: Span::millis(22) })
        );
        assert_eq!(latency(&json!({ "stdout": "" })), None);
    }
}
