//! A Docker of a scene's own: a program `docker` that writes down what it is called with, and an engine that answers questions
//! about containers. Which there are is in the file `containers`, one a line: name, id, image. A service has the name of its
//! container.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::scene::{Scene, Seen};

const CLIENT: &str = r#"#!/bin/sh
case "$*" in
    'compose version') ;;
    version* | system*) exit 1 ;;
    *'config --format json') echo '{ "name": "shop" }' ;;
    *' up -d '*) echo "$*" >> "$DIR/log"; cp "$DIR/made" "$DIR/containers" ;;
    *) echo "$*" >> "$DIR/log" ;;
esac
"#;

pub struct Docker {
    pub scene: Scene,
}

impl Docker {
    /// With the containers `web` and `db` of the project `shop`, on the host `here`.
    pub fn new() -> Docker {
        let scene = Scene::new();
        let inventory = fs::read_to_string(scene.path("opsctl.yaml")).unwrap();
        let projects =
            format!("projects:\n  shop: {{ host: here, directory: {} }}\n", scene.path("shop").display());
        scene.file("opsctl.yaml", &(inventory + &projects));
        fs::create_dir(scene.path("shop")).unwrap();
        fs::create_dir(scene.path("bin")).unwrap();
        scene.file("bin/docker", CLIENT);
        fs::set_permissions(scene.path("bin/docker"), fs::Permissions::from_mode(0o755)).unwrap();
        let docker = Docker { scene };
        docker.containers(&[("web", "then"), ("db", "base")]);
        let listener = UnixListener::bind(docker.socket()).unwrap();
        let folder = docker.scene.path("");
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let folder = folder.clone();
                std::thread::spawn(move || serve(stream, &folder));
            }
        });
        docker
    }

    /// From now on there are these, each with its id.
    pub fn containers(&self, containers: &[(&str, &str)]) {
        self.write("containers", containers);
    }

    /// What `compose up` makes of them.
    pub fn made(&self, containers: &[(&str, &str)]) {
        self.write("made", containers);
    }

    fn write(&self, file: &str, containers: &[(&str, &str)]) {
        let line = |(name, id): &(&str, &str)| format!("{name} {} {}\n", id.repeat(16), "0".repeat(64));
        self.scene.file(file, &containers.iter().map(line).collect::<String>());
    }

    /// What Docker says of the state of each.
    pub fn state(&self, state: &str) {
        self.scene.file("status", state);
    }

    /// The engine does not run meanwhile.
    pub fn without_engine<T>(&self, then: impl FnOnce() -> T) -> T {
        let away = self.scene.path("away.sock");
        fs::rename(self.socket(), &away).unwrap();
        let came = then();
        fs::rename(away, self.socket()).unwrap();
        came
    }

    pub fn opsctl(&self, arguments: &[&str]) -> Seen {
        let output = self.command(arguments).output().unwrap();
        self.scene.seen(&output)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.scene.command(arguments);
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .env("PATH", format!("{}:{path}", self.scene.path("bin").display()))
            .env("DOCKER_HOST", format!("unix://{}", self.socket().display()));
        command
    }

    fn socket(&self) -> PathBuf {
        self.scene.path("docker.sock")
    }
}

/// One connection, as long as it lasts.
fn serve(stream: UnixStream, folder: &Path) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let mut out = stream;
    while let Some(request) = lines.next() {
        lines.by_ref().find(|line| line.is_empty());
        let path = request.split(' ').nth(1).unwrap_or_default();
        let (status, body) = match answer(path, folder) {
            Some(body) => ("200 OK", body.to_string()),
            None => ("404 Not Found", json!({ "message": "there is no such container" }).to_string()),
        };
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}");
        if write!(out, "{head}\r\n\r\n{body}").is_err() {
            return;
        }
    }
}

fn answer(path: &str, folder: &Path) -> Option<Value> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    if path.ends_with("/version") {
        return Some(json!({ "ApiVersion": "1.43", "Version": "24.0.0" }));
    }
    let text = fs::read_to_string(folder.join("containers")).unwrap();
    let state = fs::read_to_string(folder.join("status")).unwrap_or_else(|_| "running".to_owned());
    let mut all = text.lines().map(|line| container(line, &state));
    if path.ends_with("/containers/json") {
        // The filter is JSON, percent-encoded.
        let is_wanted = |name: &Value| match query.split_once("compose.service%3D") {
            Some((_, wanted)) => wanted.split_once("%22").map(|(wanted, _)| wanted) == name.as_str(),
            None => true,
        };
        let wanted = all.filter(|known| is_wanted(&known["Name"]));
        return Some(
            wanted.map(|known| json!({ "Id": known["Id"], "Labels": known["Config"]["Labels"] })).collect(),
        );
    }
    let id = path.strip_suffix("/json")?.rsplit('/').next()?;
    all.find(|known| known["Id"] == id)
}

fn container(line: &str, state: &str) -> Value {
    let words: Vec<_> = line.split(' ').collect();
    let [name, id, image] = words[..] else { panic!("{line}") };
    let labels = json!({ "com.docker.compose.project": "shop", "com.docker.compose.service": name });
    json!({
        "Id": id, "Name": name, "Image": format!("sha256:{image}"),
        "Config": { "Image": "shop:latest", "Labels": labels }, "State": { "Status": state },
    })
}
