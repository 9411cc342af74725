//! The scripts of releases under every shell that a host may have, with a `docker` that answers as one would: what they do to files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::scene::{self, Scene};

/// nginx has its configuration from the folder `conf`; each reload makes a new worker.
const DOCKER: &str = r#"#!/bin/sh
case "$*" in
'ps -q '*'service=nginx') echo nginx ;;
ps*) for word; do case $word in *service=*) echo "id-${word##*=}" ;; esac; done ;;
'exec nginx nginx -T') printf '# configuration file /etc/nginx/conf.d/site.conf:\n'; cat "$DIR/conf/site.conf" ;;
'exec nginx nginx -t') if grep -q broken "$DIR/conf/site.conf"; then echo 'nginx: it is broken' >&2; exit 1; fi ;;
'exec nginx nginx -s reload') echo reload >>"$DIR/reloads" ;;
'exec nginx sh -c '*) echo "$((1000 + $(wc -l <"$DIR/reloads")))" ;;
'inspect -f {{.Name}}'*) shift 3; for id; do echo "/shop-${id#id-}-1 ${id#id-}"; done ;;
'inspect -f {{range .Mounts}}{{printf'*) printf '/etc/nginx/conf.d\t%s\n' "$DIR/conf" ;;
'inspect -f {{range .Mounts}}{{println'*) echo /etc/nginx/conf.d ;;
'inspect -f '*) echo 'sha256:new running none' ;;
'image inspect '*) echo sha256:new ;;
'compose '*) echo "$*" >>"$DIR/composed" ;;
*) echo "nobody asked for $*" >&2; exit 1 ;;
esac
"#;

/// A scene under each shell.
fn each(test: impl Fn(&Scene)) {
    scene::each(DOCKER, |scene| {
        scene.make("conf");
        scene.write("reloads", "");
        test(scene);
    });
}

const SITE: &str = "\
upstream other { server hermes-1:3000; }
upstream hermes {
    least_conn;
    server hermes-1:3000 max_fails=1 fail_timeout=2s; # the first
    server shop-hermes-10-1:3000;
    server hermes-2:3000 down;
    # server hermes-1:9999;
}
server { location / { proxy_pass http://hermes; } }
";

fn servers(names: &[&str]) -> Value {
    json!({ "project": "shop", "proxy": "nginx", "upstream": "hermes", "servers": names })
}

#[test]
fn a_server_is_taken_out_and_put_back_and_the_file_is_as_it_was() {
    each(|scene| {
        scene.write("conf/site.conf", SITE);
        for _ in 0..2 {
            scene.does("proxy.out", servers(&["hermes-1"]));
            let expected = SITE.replacen("fail_timeout=2s;", "fail_timeout=2s down; # opsctl took it out", 1);
            assert_eq!(scene.read("conf/site.conf"), expected, "{:?}", scene.shell);
        }
        scene.does("proxy.out", servers(&["hermes-10"]));
        assert!(scene.read("conf/site.conf").contains("shop-hermes-10-1:3000 down; # opsctl took it out"));
        for _ in 0..2 {
            scene.does("proxy.in", servers(&["hermes-1", "hermes-10"]));
            assert_eq!(scene.read("conf/site.conf"), SITE, "{:?}", scene.shell);
        }
        assert_eq!(scene.files("conf"), ["site.conf"]);
        assert_eq!(
            scene.read("reloads").lines().count(),
            5,
            "nginx takes up each, also what was written before"
        );
    });
}

#[test]
fn a_server_that_somebody_else_has_marked_as_down_stays_so() {
    each(|scene| {
        scene.write("conf/site.conf", SITE);
        scene.does("proxy.out", servers(&["hermes-2"]));
        scene.does("proxy.in", servers(&["hermes-2"]));
        assert_eq!(scene.read("conf/site.conf"), SITE);
    });
}

#[test]
fn what_cannot_be_changed_or_is_not_accepted_is_left_as_it_was() {
    each(|scene| {
        scene.write("conf/site.conf", SITE);
        scene.refuses("proxy.out", servers(&["hermes-3"]), "does not list them");
        assert_eq!(scene.read("conf/site.conf"), SITE);
        let none = json!({ "project": "shop", "proxy": "nginx", "upstream": "none", "servers": "hermes-1" });
        scene.refuses("proxy.out", none, "nginx has no upstream none");
        let broken = format!("{SITE}# broken\n");
        scene.write("conf/site.conf", &broken);
        scene.refuses("proxy.out", servers(&["hermes-1"]), "it is broken");
        assert_eq!(
            (scene.read("conf/site.conf"), scene.files("conf")),
            (broken, vec!["site.conf".to_owned()])
        );
    });
}

#[test]
fn one_variable_of_env_gets_another_value_and_every_other_line_stays() {
    let env = "# versions\nA_VERSION=\"v1\" # pinned\nexport B_VERSION=v1\nXA_VERSION=v1\nSECRET='x=$y\\n'\n";
    let set = |name: &str, value: &str, was: &str| json!({ "project": "shop", "name": name, "value": value, "was": was });
    each(|scene| {
        scene.write(".env", env);
        fs::set_permissions(scene.path(".env"), fs::Permissions::from_mode(0o640)).unwrap();
        for _ in 0..2 {
            scene.does("env.set", set("A_VERSION", "v2@sha256:ab", "\"v1\" # pinned"));
        }
        scene.does("env.set", set("B_VERSION", "v2", "v1"));
        let changed = env
            .replace("\"v1\" # pinned", "v2@sha256:ab")
            .replace("export B_VERSION=v1", "export B_VERSION=v2");
        assert_eq!(scene.read(".env"), changed, "{:?}", scene.shell);
        assert_eq!(fs::metadata(scene.path(".env")).unwrap().permissions().mode() & 0o777, 0o640);
        scene.refuses("env.set", set("B_VERSION", "v3", "v1"), "somebody else has set it");
        scene.does("env.set", set("A_VERSION", "\"v1\" # pinned", "v2@sha256:ab"));
        scene.does("env.set", set("B_VERSION", "v1", "v2"));
        assert_eq!(scene.read(".env"), env, "{:?}", scene.shell);
    });
}

#[test]
fn each_instance_is_pinned_for_itself_and_unpinned_again() {
    let pin = |service: &str, image: &str, unpinned: bool| json!({ "project": "shop", "service": service, "image": image, "unpinned": unpinned });
    each(|scene| {
        scene.does("compose.pin", pin("web-1", "r/web:v1", false));
        scene.does("compose.pin", pin("web-10", "r/web:v1", false));
        scene.does("compose.pin", pin("web-1", "r/web:v2", false));
        let head = "# The image that each instance runs. Written by opsctl; Compose gets it after the other files.\n";
        let entry = |name: &str, version: &str| format!("  {name}:\n    image: 'r/web:{version}'\n");
        let pins = || scene.read("docker-compose.opsctl.yml");
        assert_eq!(
            pins(),
            format!("{head}services:\n{}{}", entry("web-10", "v1"), entry("web-1", "v2")),
            "{:?}",
            scene.shell
        );
        scene.does("compose.pin", pin("web-1", "r/web:v0", true));
        assert_eq!(pins(), format!("{head}services:\n{}", entry("web-10", "v1")));
        scene.does("compose.pin", pin("web-10", "r/web:v0", true));
        assert_eq!(pins(), format!("{head}services: {{}}\n"));
        let composed = scene.read("composed");
        let line = "compose -f compose.yml -f docker-compose.opsctl.yml up -d --no-deps web-10";
        assert_eq!(composed.lines().last(), Some(line));
    });
}

#[test]
fn a_release_is_written_down_once_for_each_run() {
    let record = |image: &str, outcome: &str| json!({ "project": "shop", "service": "web", "image": image, "outcome": outcome, "by": "ada \"a\" o'b@laptop" });
    each(|scene| {
        for _ in 0..2 {
            scene.does("release.record", record("r/web:v1", "found"));
            scene.does("release.record", record("r/web:v2", "healthy"));
        }
        let output = scene.run_of("2", "release.record", record("r/web:v2", "healthy"));
        assert!(output.status.success());
        let text = scene.read("state/releases/shop/web.jsonl");
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let told: Vec<_> = lines
            .iter()
            .map(|line| {
                ["run", "image", "outcome"].map(|key| line[key].as_str().unwrap().to_owned()).join(" ")
            })
            .collect();
        assert_eq!(
            told,
            ["1 r/web:v1 found", "1 r/web:v2 healthy", "2 r/web:v2 healthy"],
            "{:?}",
            scene.shell
        );
        assert_eq!(lines[0]["by"], "ada \"a\" o'b@laptop");
    });
}
