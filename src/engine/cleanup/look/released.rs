//! What the services of a host were released with: what the history has that was healthy, and what runs.

use std::collections::BTreeMap;
use std::time::Duration;

use super::asked::{Asked, Seen, asked};
use super::projects::Projects;
use super::question::ask;
use crate::base::image::Reference;
use crate::engine::rollout::look::familiar;
use crate::host::Host;
use crate::host::docker::stock::Instance;
use crate::model::clutter::contents::Released;
use crate::model::facts::Site;
use crate::model::inventory::Service;
use crate::model::operation::quoted;
use crate::model::release::{self, History, Standing};

const PATIENCE: Duration = Duration::from_secs(60);

/// The histories of the services of the host, by their names.
pub(super) async fn histories(
    machine: &Host,
    site: Site<'_>,
    host: &str,
) -> Asked<BTreeMap<String, History>> {
    let mut seen = Seen::default();
    let mut script = String::new();
    for (name, service) in services(site, host) {
        match release::folder(site, &service.project) {
            Ok(folder) => {
                let file = quoted(name);
                // The end of the line before it, which may be missing.
                script += &format!(
                    "{folder}\nprintf '\\nS\\t%s\\n' {file}\ncat \"$folder\"/{file}.jsonl 2>/dev/null || true\n"
                );
            }
            Err(why) => seen.unseen.push(format!("the releases of `{name}`: {why}")),
        }
    }
    if script.is_empty() {
        return Ok(seen);
    }
    let answer = ask(machine, &[], &script, None, PATIENCE).await;
    if let Some(answer) = asked(machine, "the history of releases", answer, &mut seen.unseen)? {
        seen.found = read(&answer.stdout);
    }
    Ok(seen)
}

fn read(text: &str) -> BTreeMap<String, History> {
    let parts = text.split("\nS\t").skip(1);
    let parts = parts.filter_map(|part| part.split_once('\n'));
    parts.map(|(name, lines)| (name.to_owned(), History::read(lines))).collect()
}

fn services<'a>(site: Site<'a>, host: &str) -> impl Iterator<Item = (&'a String, &'a Service)> {
    site.inventory
        .services
        .iter()
        .filter(move |(_, service)| site.inventory.host_of(&service.project) == host)
}

/// Of each service its repository, and the images that it can go back to; of one whose instances are made from several repositories,
/// each of these.
pub(super) fn released(
    site: Site<'_>,
    host: &str,
    histories: &BTreeMap<String, History>,
    projects: &Projects,
    instances: &[Instance],
) -> Seen<Vec<Released>> {
    let mut seen: Seen<Vec<Released>> = Seen::default();
    for (name, service) in services(site, host) {
        let project = site.facts.projects.get(&service.project).map(|facts| facts.name.as_str());
        let is_of_it = |one: &&Instance| {
            Some(one.project.as_str()) == project && service.instances.contains_key(&one.service)
        };
        let running = instances.iter().filter(is_of_it).map(|one| one.image.as_str());
        let config = projects.configs.get(&service.project);
        let configured = service
            .instances
            .keys()
            .filter_map(|one| config.and_then(|config| config.services.get(one)?.image.as_deref()));
        let images = |names: &mut dyn Iterator<Item = &str>| -> Vec<Reference> {
            names.filter_map(|name| Reference::parse(name).ok().map(familiar)).collect()
        };
        let running = images(&mut running.into_iter());
        let configured = images(&mut configured.into_iter());
        let before = histories.get(name).map(History::images).unwrap_or_default();
        let good =
            before.into_iter().filter(|(_, standing)| *standing == Standing::Good).map(|(image, _)| image);
        let of_service = together(name, running, configured, good);
        match of_service.len() {
            0 => seen.unseen.push(format!(
                "service `{name}`: neither its containers nor its Compose files say which image it is made from"
            )),
            1 => {}
            _ => seen.unseen.push(format!(
                "service `{name}`: its instances are made from different images, so it has no version in common: what runs stays"
            )),
        }
        seen.found.extend(of_service);
    }
    seen
}

/// The newest first: what runs and is in no history came later than all that is.
fn together(
    service: &str,
    running: Vec<Reference>,
    configured: Vec<Reference>,
    good: impl Iterator<Item = Reference>,
) -> Vec<Released> {
    let mut repositories: Vec<String> = Vec::new();
    for image in configured.iter().chain(&running) {
        if !repositories.contains(&image.repository) {
            repositories.push(image.repository.clone());
        }
    }
    let good: Vec<Reference> = good.collect();
    if repositories.is_empty() {
        repositories.extend(good.first().map(|image| image.repository.clone()));
    }
    let of = |repository: String| {
        let mut images: Vec<Reference> =
            good.iter().filter(|image| image.repository == repository).cloned().collect();
        for image in running.iter().rev().filter(|image| image.repository == repository) {
            if !images.iter().any(|known| is_same(known, image)) {
                images.insert(0, image.clone());
            }
        }
        Released { service: service.to_owned(), repository, images }
    };
    repositories.into_iter().map(of).collect()
}

/// Of the same repository: by digest where both have one, else by tag.
fn is_same(one: &Reference, other: &Reference) -> bool {
    match (&one.digest, &other.digest) {
        (Some(one), Some(other)) => one == other,
        _ => one.tag == other.tag,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(names: &[&str]) -> Vec<Reference> {
        names.iter().map(|name| Reference::parse(name).unwrap()).collect()
    }

    fn told(running: &[&str], configured: &[&str], good: &[&str]) -> Vec<(String, Vec<String>)> {
        let all = together("argus", images(running), images(configured), images(good).into_iter());
        let shown = |one: Released| (one.repository, one.images.iter().map(Reference::to_string).collect());
        all.into_iter().map(shown).collect()
    }

    #[test]
    fn what_runs_is_among_them_with_a_history_or_without() {
        let expected = |images: &[&str]| {
            vec![("r/argus".to_owned(), images.iter().map(|image| (*image).to_owned()).collect::<Vec<_>>())]
        };
        assert_eq!(told(&["r/argus:v3", "r/argus:v3"], &["r/argus:v3"], &[]), expected(&["r/argus:v3"]));
        let good = ["r/argus:v2", "r/argus:v1"];
        assert_eq!(
            told(&["r/argus:v3", "r/argus:v2"], &["r/argus:v3"], &good),
            expected(&["r/argus:v3", "r/argus:v2", "r/argus:v1"])
        );
        assert_eq!(told(&["r/argus:v1"], &["r/argus:v1"], &good), expected(&good));
    }

    #[test]
    fn a_service_of_two_repositories_keeps_what_runs_of_both() {
        let of_both = told(&["r/argus:v3", "mirror/argus:v2"], &["r/argus:v3"], &["r/argus:v2"]);
        let expected =
            [("r/argus", &["r/argus:v3", "r/argus:v2"][..]), ("mirror/argus", &["mirror/argus:v2"])];
        let expected = expected
            .map(|(name, images)| (name.to_owned(), images.iter().map(|i| (*i).to_owned()).collect()));
        assert_eq!(of_both, expected);
    }

    #[test]
    fn histories_are_told_apart_though_a_last_line_may_have_no_end() {
        let line = |image: &str| {
            format!(
                r#"{{"at":"2026-03-01T03:14:00Z","run":"","by":"ada","image":"{image}","outcome":"healthy"}}"#
            )
        };
        let text =
            format!("\nS\targus\n{}\n{}\nS\thermes\n\nS\tnone\n", line("r/argus:v1"), line("r/argus:v2"));
        let read = read(&text);
        assert_eq!(read.keys().collect::<Vec<_>>(), ["argus", "hermes", "none"]);
        assert_eq!(read["argus"].images().len(), 2);
        assert!(read["hermes"].releases.is_empty());
    }
}
