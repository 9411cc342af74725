//! One deliberate mistake each: every one is found, at its exact place, with a hint.

use opsctl::base::{Error, Kind};
use opsctl::model::inventory::Inventory;
use opsctl::model::source::Source;

const GOOD: &str = r#"name: opareta
hosts:
  app: { address: ssh://deploy@203.0.113.10:22, become: sudo, standby: spare, fence: [fence, app] }
  spare: { address: ssh://deploy@203.0.113.11 }
projects:
  opareta:
    host: app
    directory: /opt/opareta/infrastructure/docker
    files: [docker-compose.prod.yml]
services:
  argus:
    project: opareta
    instances:
      argus-1: { health: "http://localhost:3001/api/health" }
      argus-2: { health: "http://localhost:3002/api/health" }
    database: argus
    cache: redis
    image_tag: ARGUS_VERSION
    upstream: { proxy: nginx, name: argus_backend }
  hermes:
    project: opareta
    instances:
      hermes-1: { health: "http://localhost:3003/api/health", via: here }
databases:
  argus:
    engine: postgres
    project: opareta
    service: postgres-argus
    user: argus
    name: argus_db
    backups: { directory: /var/backups/opareta, pattern: "argus_*.sql.gz", keep: 7 }
caches:
  redis: { project: opareta, service: redis, disposable: true }
endpoints:
  nginx: { host: app, health: "http://localhost/health" }
certificates:
  opareta: { project: opareta, service: nginx, port: 8443, server_name: opareta.test, renew: [certbot, renew], renew_days: 30 }
dns:
  opareta.test:
    provider: { powerdns: { url: "http://ns1:8081", zone: opareta.test, key: { file: key } } }
    addresses: { app: 203.0.113.10, spare: 203.0.113.11 }
monitoring: { prometheus: "http://localhost:9090", alertmanager: "http://localhost:9093", host: app }
channels:
  ops: { to: { slack: { token: { env: SLACK_TOKEN }, channel: C0123456789 } }, for: [page, alert], levels: [L2] }
  calls: { to: { pagerduty: { key: { env: PAGERDUTY_KEY } } }, levels: [L3, L4] }
  mail: { to: { email: { server: "mail.opareta.test:587", user: ops, password: { env: MAIL }, from: ops@opareta.test, to: [a@opareta.test] } } }
  quiet: { to: { alertmanager: { url: "http://localhost:9093", silence_for: 2h } } }
  log: { to: { file: told.jsonl }, public: true }
cleanup: { until_free: 20%, keep_releases: 3, keep_verified: 2, temporary: [/tmp, /srv/uploads/tmp] }
escalation: { L2: { who: ada, within: 10m, quiet: "22:00-07:00" } }
"#;

/// What is written, and what is written in its place.
const MISTAKES: &[(&str, &str)] = &[
    // The form.
    ("    database: argus\n", "    databse: argus\n"),
    ("    cache: redis\n", "    cache: redis\n    cache: redis\n"),
    ("  hermes:\n", "  argus:\n"),
    ("    host: app\n", ""),
    ("engine: postgres", "engine: mysql"),
    ("disposable: true", "disposable: yes"),
    ("keep: 7", "keep: many"),
    ("[docker-compose.prod.yml]", "docker-compose.prod.yml"),
    ("ssh://deploy@203.0.113.10:22", "203.0.113.10"),
    ("become: sudo", "become: root"),
    ("name: opareta\n", "name:\n"),
    ("    user: argus\n", "\tuser: argus\n"),
    ("\"http://localhost/health\"", "\"http://localhost/health"),
    ("via: here", "via: there"),
    // The sense.
    (
        "  app: { address: ssh://deploy@203.0.113.10:22, become: sudo, standby: spare, fence: [fence, app] }
  spare: { address: ssh://deploy@203.0.113.11 }
",
        "  {}
",
    ),
    ("    host: app\n", "    host: ap\n"),
    ("service: redis, disposable", "service: \"\", disposable"),
    ("    project: opareta\n    service", "    project: opreta\n    service"),
    ("    database: argus\n", "    database: hermes\n"),
    ("    cache: redis\n", "    cache: rediss\n"),
    ("proxy: nginx", "proxy: haproxy"),
    ("directory: /opt/opareta", "directory: ./opt/opareta"),
    ("http://localhost:3001/api/health", "tcp://localhost:3001"),
    ("http://localhost:3001/api/health", "localhost/health"),
    ("http://localhost:3002", "http://localhost:3001"),
    ("      hermes-1:", "      argus-1:"),
    ("      argus-1:", "      hermes:"),
    ("      hermes-1: { health: \"http://localhost:3003/api/health\", via: here }", "      {}"),
    ("      argus-1: {", "      argus 1: {"),
    ("ARGUS_VERSION", "argus-version"),
    ("keep: 7", "keep: 0"),
    ("argus_*.sql.gz", "backups/argus_*.sql.gz"),
    ("{ project: opareta, service: nginx, port", "{ project: opreta, service: nginx, port"),
    ("server_name: opareta.test", "server_name: \"opareta.test, www.opareta.test\""),
    ("port: 8443", "address: \"\""),
    ("port: 8443", "port: 0"),
    ("port: 8443", "port: 70000"),
    ("renew_days: 30", "renew_days: -1"),
    ("standby: spare", "standby: spar"),
    ("standby: spare", "standby: app"),
    ("standby: spare, fence", "fence"),
    ("standby: spare, fence: [fence, app]", "lost: true"),
    ("spare: 203.0.113.11", "spare: the other one"),
    ("spare: 203.0.113.11", "backup: 203.0.113.11"),
    ("http://ns1:8081", "ns1:8081"),
    ("key: { file: key }", "key: secret"),
    ("powerdns:", "bind:"),
    ("renew: [certbot, renew]", "renew: certbot renew"),
    ("\"http://localhost:9093\"", "9093"),
    ("alertmanager: \"http://localhost:9093\", host: app", "host: db"),
    ("  ops: { to", "  on call: { to"),
    ("token: { env: SLACK_TOKEN }, ", ""),
    (", channel: C0123456789", ""),
    ("token: { env: SLACK_TOKEN }", "webhook: { env: SLACK_WEBHOOK }"),
    ("channel: C0123456789", "channel: C0123456789, url: slack.com"),
    ("token: { env: SLACK_TOKEN }", "token: xoxb-1"),
    ("for: [page, alert]", "for: [alert]"),
    ("for: [page, alert]", "for: [pages]"),
    ("levels: [L2]", "levels: [L5]"),
    ("levels: [L3, L4]", "for: [page]"),
    ("{ env: PAGERDUTY_KEY } ", "{ env: PAGERDUTY_KEY }, url: \"events.pagerduty.com\" "),
    ("mail.opareta.test:587", "mail.opareta.test"),
    ("user: ops, ", ""),
    ("password: { env: MAIL }, ", ""),
    ("user: ops, password", "tls: none, user: ops, password"),
    ("mail.opareta.test:587\"", "localhost:25\", tls: none, ca: ca.pem"),
    ("[a@opareta.test]", "[]"),
    ("[a@opareta.test]", "[a@opareta.test, the team]"),
    ("from: ops@opareta.test", "from: ops"),
    ("\"http://localhost:9093\", silence_for", "\"localhost:9093\", silence_for"),
    ("silence_for: 2h", "silence_for: 0s"),
    ("silence_for: 2h } }", "silence_for: 2h } }, levels: [L1]"),
    ("file: told.jsonl", "file: /"),
    ("file: told.jsonl", "fax: \"+49 30 1234\""),
    ("until_free: 20%", "until_free: 20"),
    ("until_free: 20%", "until_free: 100%"),
    ("keep_releases: 3", "keep_releases: 1"),
    ("keep_verified: 2", "keep_verified: 0"),
    ("[/tmp, /srv/uploads/tmp]", "tmp"),
    ("/srv/uploads/tmp", "srv/uploads/tmp"),
    ("/srv/uploads/tmp", "/tmp/../srv"),
    ("/srv/uploads/tmp", "/srv/uploads/tmp/"),
    ("/srv/uploads/tmp", "/tmp"),
    ("/srv/uploads/tmp", "/"),
    ("/srv/uploads/tmp", "/var"),
    ("/srv/uploads/tmp", "/srv"),
    ("/srv/uploads/tmp", "/etc/opareta/tmp"),
    ("/srv/uploads/tmp", "/opt/opareta"),
    ("/srv/uploads/tmp", "/var/backups/opareta"),
    ("/srv/uploads/tmp", "\"/srv/a\\tb\""),
    ("{ L2: { who", "{ L3: { who"),
    ("\"22:00-07:00\"", "\"at night\""),
    ("\"22:00-07:00\"", "\"07:00-07:00\""),
];

fn shown(error: &Error) -> String {
    let hints: String = error.hints.iter().map(|hint| format!("\nhint: {hint}")).collect();
    format!("error: {}\n{}{hints}\n", error.message, error.detail.as_deref().unwrap_or("nowhere"))
}

#[test]
fn an_inventory_without_a_mistake_is_read() {
    let inventory = Inventory::read(&Source::new("opsctl.yaml", GOOD)).unwrap();
    assert_eq!(inventory.services.len(), 2);
}

#[test]
fn every_mistake_is_refused_at_its_place_with_a_hint() {
    let mut all = String::new();
    for (good, bad) in MISTAKES {
        assert!(GOOD.contains(good), "{good}");
        let text = GOOD.replacen(good, bad, 1);
        let error = Inventory::read(&Source::new("opsctl.yaml", text)).expect_err(bad);
        assert_eq!((error.kind, error.kind.exit_code()), (Kind::Invalid, 3), "{bad}");
        assert!(error.detail.as_ref().is_some_and(|detail| detail.contains("--> opsctl.yaml:")), "{bad}");
        assert!(!error.hints.is_empty(), "{bad}: {error}");
        all.push_str(&format!("# {} -> {}\n{}\n", good.trim_end(), bad.trim_end(), shown(&error)));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn all_mistakes_of_one_inventory_are_told_at_once() {
    let text = GOOD.replace("    cache: redis", "    cache: rediss").replace("host: app", "host: ap");
    let error = Inventory::read(&Source::new("opsctl.yaml", text)).unwrap_err();
    insta::assert_snapshot!(shown(&error));
}

#[test]
fn a_damaged_inventory_is_refused_or_read_but_never_a_panic() {
    let places: Vec<usize> = GOOD.char_indices().map(|(at, _)| at).step_by(31).collect();
    for at in places {
        let (before, after) = GOOD.split_at(at);
        for damage in ["", "{", "[", "\"", "* ", "&a ", ": ", "- ", "\t", "\r\n", "é\u{2028}", "{{", "---\n"]
        {
            for text in [format!("{before}{damage}"), format!("{before}{damage}{after}")] {
                if let Err(error) = Inventory::read(&Source::new("opsctl.yaml", text)) {
                    assert_eq!(error.kind, Kind::Invalid);
                    assert!(error.detail.is_some_and(|detail| detail.contains("-->")), "{}", error.message);
                }
            }
        }
    }
}
