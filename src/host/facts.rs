//! What a host says about itself: which Compose it has, and what Compose calls a project.
//!
//! The name is never guessed where it can be asked. Compose v2 says it (`config`, field `name`). The old `docker-compose` has no
//! such question: there the labels of the project's containers tell, and for a project that has none yet, v1's own rule:
//! `COMPOSE_PROJECT_NAME` of the environment or of `.env` in the project's folder, else the name of the folder that the
//! first file is in, in lower case and without what is not a letter, a digit, `-` or `_`.

use std::time::Duration;

use serde_json::Value;

use super::failure::{Failure, FailureKind};
use super::{Host, Output};
use crate::base::size::Size;
use crate::model::facts::{HostFacts, PINS, ProjectFacts};
use crate::model::inventory::Project;
use crate::model::operation::{Command, Program, quoted};

/// Compose may have to read a slow disk, and never waits for a registry here.
const PATIENCE: Duration = Duration::from_secs(20);

/// A configuration is long: the outputs of commands have a smaller bound.
const LONGEST_CONFIG: Size = Size(32 << 20);

impl Host {
    /// How Compose is called there: v2 where both are.
    ///
    /// # Errors
    /// [`FailureKind::Missing`] when there is neither.
    pub async fn facts(&self) -> Result<HostFacts, Failure> {
        let script = "docker compose version >/dev/null 2>&1 && exit 20\n\
                      docker-compose version >/dev/null 2>&1 && exit 10\n\
                      command -v docker >/dev/null || exit 30\n\
                      exit 31";
        let asked = self.ask_shell(script.to_owned(), None).await?;
        let compose = match asked.status {
            20 => ["docker", "compose"].map(String::from).into(),
            10 => vec!["docker-compose".to_owned()],
            30 => {
                return Err(self
                    .failure(FailureKind::Missing, "there is neither `docker` nor `docker-compose`")
                    .hint("command -v docker"));
            }
            _ => {
                return Err(self
                    .failure(FailureKind::Missing, "neither `docker compose` nor `docker-compose` works")
                    .hint("sudo apt-get install docker-compose-v2 || sudo apt-get install docker-compose-plugin"));
            }
        };
        Ok(HostFacts { compose })
    }

    /// What time it is there, in seconds of Unix time.
    ///
    /// # Errors
    /// As for any command.
    pub async fn clock(&self) -> Result<i64, Failure> {
        let asked = self.ask_shell("date +%s".to_owned(), None).await?;
        asked.stdout.trim().parse().map_err(|_| {
            self.failure(FailureKind::Protocol, format!("`date` gave `{}`", asked.stdout.trim()))
        })
    }

    /// # Errors
    /// [`FailureKind::Missing`] when the folder is not there, [`FailureKind::Protocol`] when Compose refuses the files.
    pub async fn project_facts(&self, facts: &HostFacts, project: &Project) -> Result<ProjectFacts, Failure> {
        let name = if facts.compose.len() > 1 { self.name_by_config(facts, project).await? } else { None };
        let name = match name {
            Some(name) => name,
            None => match self.name_by_labels(project).await? {
                Some(name) => name,
                None => self.name_by_rule(project).await?,
            },
        };
        let (found, has_pins) = self.files_of(project).await?;
        Ok(ProjectFacts { name, found, has_pins })
    }

    /// The files that Compose finds by itself, where none are named: those of `COMPOSE_FILE`, else the default ones in its order of
    /// preference. And whether opsctl's own is there.
    async fn files_of(&self, project: &Project) -> Result<(Vec<String>, bool), Failure> {
        let script = format!(
            "if [ -f {PINS} ]; then echo pins; else echo none; fi\n\
             said=${{COMPOSE_FILE:-$(sed -n 's/^COMPOSE_FILE=//p' .env 2>/dev/null | tail -n 1 | tr -d '\"' | tr -d \"'\")}}\n\
             if [ -n \"$said\" ]; then printf '%s\\n' \"$said\" | tr \"${{COMPOSE_PATH_SEPARATOR:-:}}\" '\\n'; exit; fi\n\
             for names in 'compose.yaml compose.yml docker-compose.yml docker-compose.yaml' \
             'compose.override.yml compose.override.yaml docker-compose.override.yml docker-compose.override.yaml'; do\n\
             for name in $names; do if [ -f \"$name\" ]; then echo \"$name\"; break; fi; done\ndone"
        );
        let asked = self.ask_shell(script, Some(&project.directory)).await?;
        let mut lines = asked.stdout.lines().map(str::to_owned);
        let has_pins = lines.next().is_some_and(|word| word == "pins");
        let found = if project.files.is_empty() { lines.collect() } else { Vec::new() };
        Ok((found, has_pins))
    }

    async fn name_by_config(&self, facts: &HostFacts, project: &Project) -> Result<Option<String>, Failure> {
        let mut argv = facts.compose.clone();
        argv.extend(project.files.iter().flat_map(|file| ["-f".to_owned(), file.clone()]));
        argv.extend(["config", "--format", "json"].map(String::from));
        let keep = Some(LONGEST_CONFIG);
        let command = Command { keep, ..command(Program::Argv(argv), Some(&project.directory)) };
        let asked = self.run(&command, Some(PATIENCE), &mut |_, _| {}).await?;
        if asked.status != 0 {
            let message =
                format!("Compose refuses the project in `{}`: {}", project.directory, asked.stderr.trim());
            return Err(self.failure(FailureKind::Protocol, message).hint(command.to_string()));
        }
        // The configuration holds passwords: only its name is looked at.
        let config: Value = serde_json::from_str(&asked.stdout).unwrap_or_default();
        Ok(config["name"].as_str().filter(|name| !name.is_empty()).map(String::from))
    }

    async fn name_by_labels(&self, project: &Project) -> Result<Option<String>, Failure> {
        let directory = quoted(&project.directory);
        let format = "{{.Label \"com.docker.compose.project\"}}\t\
                      {{.Label \"com.docker.compose.project.config_files\"}}";
        // Compose writes the real path.
        let script = format!(
            "cd -- {directory} || exit 97\n\
             docker ps -a --filter \"label=com.docker.compose.project.working_dir=$(pwd -P)\" --format {}",
            quoted(format)
        );
        let asked = self.ask_shell(script, Some(&project.directory)).await?;
        if asked.status != 0 {
            return Err(self.why_no_docker().await);
        }
        Ok(labelled(&asked.stdout, &project.files))
    }

    async fn name_by_rule(&self, project: &Project) -> Result<String, Failure> {
        let folder =
            project.files.first().and_then(|file| file.rsplit_once('/')).map_or(".", |(path, _)| path);
        let script = format!(
            "if [ -n \"${{COMPOSE_PROJECT_NAME:-}}\" ]; then printf '%s\\n' \"$COMPOSE_PROJECT_NAME\"; exit; fi\n\
             name=$(sed -n 's/^COMPOSE_PROJECT_NAME=//p' .env 2>/dev/null | tail -n 1)\n\
             if [ -n \"$name\" ]; then printf '%s\\n' \"$name\"; exit; fi\n\
             cd -- {} && pwd -P",
            quoted(folder)
        );
        let asked = self.ask_shell(script, Some(&project.directory)).await?;
        let name = by_rule(&asked.stdout);
        if asked.status != 0 || name.is_empty() {
            let message =
                format!("the project in `{}` has no name: {}", project.directory, asked.stderr.trim());
            return Err(self.failure(FailureKind::Protocol, message));
        }
        Ok(name)
    }

    async fn ask_shell(&self, script: String, directory: Option<&str>) -> Result<Output, Failure> {
        let command = command(Program::Shell(script), directory);
        self.run(&command, Some(PATIENCE), &mut |_, _| {}).await
    }
}

fn command(program: Program, directory: Option<&str>) -> Command {
    Command { directory: directory.map(String::from), ..Command::new(program) }
}

/// The project of the containers that were made from these files; from any files where the inventory names none. Compose v1
/// wrote the files as they were given, v2 writes their full paths.
fn labelled(lines: &str, files: &[String]) -> Option<String> {
    lines.lines().find_map(|line| {
        let (name, made_from) = line.split_once('\t')?;
        let made_from: Vec<&str> = made_from.split(',').collect();
        let is_same = |(wanted, made): (&String, &&str)| {
            *made == wanted || made.ends_with(&format!("/{}", wanted.trim_start_matches("./")))
        };
        let is_made_from_these =
            files.is_empty() || files.len() == made_from.len() && files.iter().zip(&made_from).all(is_same);
        (is_made_from_these && !name.is_empty()).then(|| name.to_owned())
    })
}

/// A name as it was set, or a path whose last part becomes one.
fn by_rule(line: &str) -> String {
    let name = line.trim().trim_matches(['"', '\'']);
    let name = name.rsplit('/').next().unwrap_or_default().to_lowercase();
    name.chars().filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_name_the_folder_gives_it_by_the_rule_of_the_old_compose() {
        assert_eq!(by_rule("/opt/My App.v2/docker\n"), "docker");
        assert_eq!(by_rule("/opt/My App.v2\n"), "myappv2");
        assert_eq!(by_rule("'shop'\n"), "shop");
    }

    #[test]
    fn labels_name_the_project_of_these_files_and_no_other_in_the_folder() {
        let lines = "old\tdocker-compose.yml\nnew\t/opt/x/docker-compose.prod.yml\n";
        let prod = ["docker-compose.prod.yml".to_owned()];
        assert_eq!(labelled(lines, &prod).as_deref(), Some("new"));
        assert_eq!(labelled(lines, &["docker-compose.yml".to_owned()]).as_deref(), Some("old"));
        assert_eq!(labelled(lines, &["other.yml".to_owned()]), None);
        assert_eq!(labelled(lines, &[]).as_deref(), Some("old"));
    }
}
