//! What a person wants looked after, and the runbook that is meant for it.

use indexmap::IndexMap;

use super::finding::Kind;
use super::rules::Cause;
use super::subject::Subject;
use super::survey::Survey;
use crate::model::inventory::Inventory;
use crate::model::param::{Param, ParamType};
use crate::model::thresholds::Severity;

/// A thing of the inventory, by the name that a person gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub subject: Subject,
    /// As it is to be typed.
    pub name: String,
}

/// Why nothing is known of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blindness {
    pub why: String,
    /// The host may come back; else it is there, and something is to be mended before it can be asked.
    pub is_out_of_reach: bool,
}

impl Target {
    /// By a bare name, which means a service or an instance before anything else, or as `database/argus`.
    ///
    /// # Errors
    /// The names that there are, nearest first, when `name` is none of them.
    pub fn find(inventory: &Inventory, name: &str) -> Result<Target, Vec<String>> {
        let all = all(inventory);
        let found = all.iter().find(|(short, long, _)| short == name || long == name);
        if let Some((_, _, subject)) = found {
            return Ok(Target { subject: subject.clone(), name: name.to_owned() });
        }
        let mut known: Vec<String> = Vec::new();
        for (short, long, _) in all {
            known.push(if known.contains(&short) { long } else { short });
        }
        known.sort_by(|a, b| strsim::jaro_winkler(b, name).total_cmp(&strsim::jaro_winkler(a, name)));
        Err(known)
    }

    /// The causes of a failure of the target, in the order in which they are to be mended. What is only worth a warning is none, unless
    /// it has a name and is about the target itself: a certificate is renewed before it is too late.
    pub fn concerned<'a>(&self, survey: &'a Survey, inventory: &Inventory) -> Vec<&'a Cause> {
        let is_concerned = |cause: &&Cause| {
            let mut findings = cause.shown_by.iter().chain(&cause.explains);
            let is_about = findings.any(|finding| self.is_about(&finding.subject, inventory));
            let is_needed = match &self.subject {
                // A disk that is nearly full is for whoever looks after the host; from an emergency on nothing can work there.
                Subject::Service(_)
                    if matches!(cause.subject, Subject::Host(_)) && cause.severity < Severity::Emergency =>
                {
                    false
                }
                Subject::Service(service) => cause.subject.is_needed_by(service, inventory),
                _ => false,
            };
            let is_its_own = cause.scenario.is_some() && cause.subject == self.subject;
            is_its_own || (cause.severity >= Severity::Critical && (is_about || is_needed))
        };
        survey.causes.iter().filter(is_concerned).collect()
    }

    /// What cannot be asked about the target, and why: nothing is known of it then, and nothing may be done.
    pub fn blindness(&self, survey: &Survey, inventory: &Inventory) -> Option<Blindness> {
        let host = self.subject.host(inventory);
        survey.findings.iter().find_map(|finding| {
            let is_blind = match finding.kind {
                Kind::HostUnreachable => finding.subject.host(inventory) == host,
                Kind::NotAsked => {
                    self.is_about(&finding.subject, inventory)
                        || (matches!(finding.subject, Subject::Host(_))
                            && finding.subject.host(inventory) == host)
                }
                // What is measured of a certificate is all that there is to ask.
                Kind::NotMeasured => {
                    matches!(self.subject, Subject::Certificate(_)) && finding.subject == self.subject
                }
                _ => false,
            };
            let host = host.unwrap_or_default();
            is_blind.then(|| Blindness {
                why: format!("`{}` on host `{host}` could not be asked: {}", self.name, finding.evidence),
                is_out_of_reach: finding.kind == Kind::HostUnreachable,
            })
        })
    }

    /// Whether the subject is the target, or a part of it.
    pub fn is_about(&self, subject: &Subject, inventory: &Inventory) -> bool {
        match &self.subject {
            Subject::Service(service) => subject.service(inventory) == Some(service),
            Subject::Host(host) => subject.host(inventory) == Some(host),
            Subject::Project(project) => match subject {
                Subject::Project(other) => other == project,
                _ => is_of_project(subject, project, inventory),
            },
            // A service that is down is down in each of its instances.
            Subject::Instance(instance) => match subject {
                Subject::Service(service) => inventory.services[service].instances.contains_key(instance),
                other => *other == self.subject,
            },
            target => subject == target,
        }
    }
}

fn is_of_project(subject: &Subject, project: &str, inventory: &Inventory) -> bool {
    let of = match subject {
        Subject::Database(name) => inventory.databases.get(name).map(|database| &database.project),
        Subject::Cache(name) => inventory.caches.get(name).map(|cache| &cache.project),
        Subject::Certificate(name) => {
            inventory.certificates.get(name).map(|certificate| &certificate.project)
        }
        _ => subject.service(inventory).map(|service| &inventory.services[service].project),
    };
    of.is_some_and(|of| of == project)
}

/// Each thing with its short and its full name. A name that comes twice is that of the first.
fn all(inventory: &Inventory) -> Vec<(String, String, Subject)> {
    let named = |kind: &str, name: &String, subject: fn(String) -> Subject| {
        (name.clone(), format!("{kind}/{name}"), subject(name.clone()))
    };
    let services = inventory.services.keys().map(|name| named("service", name, Subject::Service));
    let instances = inventory.services.values().flat_map(|service| service.instances.keys());
    let instances = instances.map(|name| named("instance", name, Subject::Instance));
    let hosts = inventory.hosts.keys().map(|name| named("host", name, Subject::Host));
    let databases = inventory.databases.keys().map(|name| named("database", name, Subject::Database));
    let caches = inventory.caches.keys().map(|name| named("cache", name, Subject::Cache));
    let certificates = inventory.certificates.keys();
    let certificates = certificates.map(|name| named("certificate", name, Subject::Certificate));
    let projects = inventory.projects.keys().map(|name| named("project", name, Subject::Project));
    services
        .chain(instances)
        .chain(hosts)
        .chain(databases)
        .chain(caches)
        .chain(projects)
        .chain(certificates)
        .collect()
}

/// The runbook's one required parameter, bound to what it is about: the subject itself, or what belongs to it.
///
/// # Errors
/// In words, when the runbook is about nothing that the subject is or has.
pub fn binding(
    name: &str,
    params: &IndexMap<String, Param>,
    subject: &Subject,
    inventory: &Inventory,
) -> Result<(String, String), String> {
    let mut required = params.iter().filter(|(_, param)| !param.is_optional());
    let (Some((param, Param { kind, .. })), None) = (required.next(), required.next()) else {
        return Err(format!(
            "`{name}` does not have exactly one required parameter: use `opsctl run {name} ...`"
        ));
    };
    let service = subject.service(inventory);
    let entry = service.map(|name| &inventory.services[name]);
    let lacking = |what: &str| format!("`{}` has no {what} in the inventory", subject.name());
    let value = match (kind, subject) {
        (ParamType::Instance, Subject::Instance(name))
        | (ParamType::Database, Subject::Database(name))
        | (ParamType::Cache, Subject::Cache(name))
        | (ParamType::Certificate, Subject::Certificate(name))
        | (ParamType::Project, Subject::Project(name)) => name.clone(),
        (ParamType::Service, _) => service.ok_or_else(|| lacking("service"))?.to_owned(),
        (ParamType::Database, _) => {
            entry.and_then(|entry| entry.database.clone()).ok_or_else(|| lacking("database"))?
        }
        (ParamType::Cache, _) => {
            entry.and_then(|entry| entry.cache.clone()).ok_or_else(|| lacking("cache"))?
        }
        (ParamType::Project, Subject::Database(name)) => inventory.databases[name].project.clone(),
        (ParamType::Project, Subject::Cache(name)) => inventory.caches[name].project.clone(),
        (ParamType::Project, Subject::Certificate(name)) => inventory.certificates[name].project.clone(),
        (ParamType::Project, _) => {
            entry.map(|entry| entry.project.clone()).ok_or_else(|| lacking("project"))?
        }
        (ParamType::Host, _) => subject.host(inventory).ok_or_else(|| lacking("host"))?.to_owned(),
        _ => return Err(format!("`{name}` is not about that: use `opsctl run {name} {param}=...`")),
    };
    Ok((param.clone(), value))
}
