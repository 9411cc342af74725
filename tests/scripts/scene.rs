//! A folder in which a script of opsctl's own is run as a host would run it, under every shell that a host may have.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};

use opsctl::action::registry;
use opsctl::base::amount::Span;
use opsctl::model::facts::{Facts, HostFacts, ProjectFacts, Site};
use opsctl::model::inventory::Inventory;
use opsctl::model::operation::{self, Operation};
use opsctl::model::source::Source;
use serde_json::Value;

const SHELLS: [&[&str]; 3] = [&["dash"], &["bash"], &["busybox", "sh"]];

pub struct Scene {
    folder: tempfile::TempDir,
    pub shell: &'static [&'static str],
    /// How many backups are kept, and for how long.
    pub keep: Cell<u32>,
    pub keep_for: Cell<Span>,
    /// How many of the verified ones, and what may be lost.
    pub keep_verified: Cell<u32>,
    pub rpo: Cell<Span>,
}

/// A scene under each shell, with that `docker`.
pub fn each(docker: &str, test: impl Fn(&Scene)) {
    for shell in SHELLS {
        let scene = Scene {
            folder: tempfile::tempdir().unwrap(),
            shell,
            keep: Cell::new(7),
            keep_for: Cell::new(Span::default()),
            keep_verified: Cell::new(1),
            rpo: Cell::new(Span::default()),
        };
        scene.make("bin");
        scene.make("state");
        scene.program("docker", docker);
        test(&scene);
    }
}

impl Scene {
    /// Makes a folder.
    pub fn make(&self, name: &str) {
        fs::create_dir(self.path(name)).unwrap();
    }

    /// Makes a program that stands before the one of that name.
    pub fn program(&self, name: &str, text: &str) {
        let name = format!("bin/{name}");
        self.write(&name, text);
        fs::set_permissions(self.path(&name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// What is in a folder, in order.
    pub fn files(&self, folder: &str) -> Vec<String> {
        let files = fs::read_dir(self.path(folder)).unwrap();
        let mut files: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        files
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// What a host does for an action of that run.
    pub fn command(&self, run: &str, action: &str, args: Value) -> Command {
        let folder = self.folder.path().display();
        let backups = format!(
            "directory: '{folder}/backups', keep: {}, keep_for: {}, rpo: {}",
            self.keep.get(),
            self.keep_for.get(),
            self.rpo.get()
        );
        let text = format!(
            "name: o\nhosts: {{ app: {{ address: local, state_dir: '{folder}/state' }} }}\n\
             projects: {{ shop: {{ host: app, directory: '{folder}', files: [compose.yml] }} }}\n\
             databases: {{ shop: {{ engine: postgres, project: shop, service: db, user: shop, name: shop, backups: {{ {backups} }} }} }}\n\
             caches: {{ redis: {{ project: shop, service: redis, backups: {{ {backups} }} }} }}\n\
             cleanup: {{ keep_verified: {} }}\n",
            self.keep_verified.get()
        );
        let inventory = Inventory::read(&Source::new("opsctl.yaml", &text)).unwrap();
        let mut facts = Facts::default();
        facts.hosts.insert("app".into(), HostFacts { compose: vec!["docker".into(), "compose".into()] });
        facts.projects.insert("shop".into(), ProjectFacts { name: "shop".into(), ..ProjectFacts::default() });
        let args = args.as_object().unwrap().clone();
        let built =
            (registry::find(action).unwrap().build)(&args, Site { inventory: &inventory, facts: &facts });
        let Operation::Command(operation::Command { program, stdin, .. }) = built.unwrap().operation else {
            panic!("`{action}` is no command")
        };
        let path = format!("{folder}/bin:{}", std::env::var("PATH").unwrap());
        let mut command = Command::new(self.shell[0]);
        command.args(&self.shell[1..]).args(["-c", &program.line().unwrap()]).current_dir(self.folder.path());
        command.env("PATH", path).env("DIR", self.folder.path()).env("OPSCTL_RUN", run);
        if let Some(stdin) = stdin {
            self.write("stdin", &stdin);
            command.stdin(fs::File::open(self.path("stdin")).unwrap());
        }
        command
    }

    /// Runs an action of that run, as a host does.
    pub fn run_of(&self, run: &str, action: &str, args: Value) -> Output {
        self.command(run, action, args).output().unwrap()
    }

    pub fn run(&self, action: &str, args: Value) -> Output {
        self.run_of("1", action, args)
    }

    /// As [`run`](Scene::run), and it has to succeed.
    pub fn does(&self, action: &str, args: Value) {
        let output = self.run(action, args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{:?} {action}: {said}", self.shell);
    }

    /// As [`run`](Scene::run), and it has to fail with these words.
    pub fn refuses(&self, action: &str, args: Value, words: &str) {
        let output = self.run(action, args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{:?} {action}", self.shell);
        assert!(said.contains(words), "{:?} {action}: {said}", self.shell);
    }
}
