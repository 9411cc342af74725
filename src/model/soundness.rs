//! Whether an inventory makes sense: every name leads somewhere, every URL can be asked, no target is ambiguous.
//!
//! All mistakes are collected, not only the first: at three in the morning nobody wants to find them one by one.

mod channels;
mod cleanup;

use std::collections::HashMap;

use indexmap::IndexMap;

use super::backups::Backups;
use super::dns::{Provider, Record};
use super::escalation::Level;
use super::inventory::{Host, Inventory, Service};
use super::operation::server_name;
use super::source::{Mistake, Source, join};
use crate::base::Result;

impl Inventory {
    /// The inventory of a source, with every name in it checked.
    ///
    /// # Errors
    /// Of the kind invalid, with all mistakes and their places.
    pub fn read(source: &Source) -> Result<Inventory> {
        let inventory: Inventory = source.parse()?;
        let mut review = Review { source, inventory: &inventory, mistakes: Vec::new() };
        review.all();
        source.refuse(review.mistakes)?;
        Ok(inventory)
    }
}

struct Review<'a> {
    source: &'a Source,
    inventory: &'a Inventory,
    mistakes: Vec<Mistake>,
}

impl Review<'_> {
    fn all(&mut self) {
        let Inventory {
            name,
            hosts,
            projects,
            services,
            databases,
            caches,
            endpoints,
            certificates,
            dns,
            monitoring,
            thresholds: _,
            escalation,
            cleanup: _,
            channels: _,
            incidents: _,
        } = self.inventory;
        self.filled("/name", name, "opareta");
        if hosts.is_empty() {
            let mistake = self.source.at("/hosts").mistake("there is no host");
            self.mistakes.push(
                mistake.hint(
                    "add `app: { address: \"ssh://deploy@203.0.113.10:22\" }`, or `{ address: local }`",
                ),
            );
        }
        for level in Level::ALL.into_iter().filter(|level| !level.may_be_quiet()) {
            if escalation.responder(level).quiet.is_some() {
                let place = self.source.at(&format!("/escalation/{level}/quiet"));
                let mistake = place.mistake(format!("a page of {level} waits for no hours"));
                self.mistakes.push(mistake.hint("only L1 and L2 have quiet hours, and only for a warning"));
            }
        }
        self.names("/hosts", hosts);
        self.names("/projects", projects);
        self.names("/services", services);
        self.names("/databases", databases);
        self.names("/caches", caches);
        self.names("/endpoints", endpoints);
        self.names("/certificates", certificates);
        self.names("/dns", dns);

        for (name, host) in hosts {
            self.machine(&join("/hosts", name), name, host);
        }
        for (name, project) in projects {
            let path = join("/projects", name);
            self.host(&path, &project.host);
            self.directory(&join(&path, "directory"), &project.directory);
            for (number, file) in project.files.iter().enumerate() {
                self.filled(&format!("{path}/files/{number}"), file, "docker-compose.prod.yml");
            }
        }
        for (name, service) in services {
            self.service(&join("/services", name), service);
        }
        self.instances_are_told_apart();
        for (name, database) in databases {
            let path = join("/databases", name);
            self.project(&path, &database.project);
            for (key, value) in
                [("service", &database.service), ("user", &database.user), ("name", &database.name)]
            {
                self.filled(&join(&path, key), value, name);
            }
            self.backups(&path, database.backups.as_ref());
        }
        for (name, cache) in caches {
            let path = join("/caches", name);
            self.project(&path, &cache.project);
            self.filled(&join(&path, "service"), &cache.service, name);
            self.backups(&path, cache.backups.as_ref());
            if cache.backups.as_ref().is_some_and(|backups| backups.check.is_some()) {
                self.add(&join(&path, "backups/check"), "a cache cannot be asked in SQL", "leave it out");
            }
        }
        for (name, endpoint) in endpoints {
            let path = join("/endpoints", name);
            self.host(&path, &endpoint.host);
            self.url(&join(&path, "health"), &endpoint.health);
        }
        for (name, certificate) in certificates {
            let path = join("/certificates", name);
            self.project(&path, &certificate.project);
            self.filled(&join(&path, "service"), &certificate.service, "nginx");
            let names =
                [("address", Some(&certificate.address)), ("server_name", certificate.server_name.as_ref())];
            for (key, name) in names {
                if let Some(Err(why)) = name.map(|name| server_name(name)) {
                    self.add(&join(&path, key), &why, "write the name of a host or an IP address");
                }
            }
            if certificate.port == 0 {
                self.add(&join(&path, "port"), "`0` is not a port", "leave it out for 443");
            }
            if !certificate.renew_days.is_finite() || certificate.renew_days < 0.0 {
                self.add(&join(&path, "renew_days"), "not a number of days", "write one such as `30`");
            }
        }
        for (name, record) in dns {
            self.record(&join("/dns", name), record);
        }
        self.cleanup();
        self.channels();
        if let Some(monitoring) = monitoring {
            self.host("/monitoring", &monitoring.host);
            let urls = [("prometheus", &monitoring.prometheus), ("alertmanager", &monitoring.alertmanager)];
            for (key, url) in urls {
                url.iter().for_each(|url| self.url(&join("/monitoring", key), url));
            }
        }
    }

    fn machine(&mut self, path: &str, name: &str, host: &Host) {
        let hosts = &self.inventory.hosts;
        let standby = join(path, "standby");
        match &host.standby {
            Some(other) if other == name => {
                self.add(&standby, "a host cannot stand by for itself", "write the name of another host");
            }
            Some(other) => {
                self.known(&standby, "host", other, hosts);
                if host.lost && hosts.get(other).is_some_and(|other| other.lost) {
                    let message = format!("`{other}` is lost as well, so that nothing can be on it");
                    self.add(&standby, &message, "write the name of a host that stands");
                }
            }
            None if host.lost => {
                let hint = "add `standby: HOST`, the one that everything is on now";
                self.add(&join(path, "lost"), "nobody knows where what was on it is now", hint);
            }
            None if !host.fence.is_empty() => {
                let hint = "add `standby: HOST`, where the command is run";
                self.add(&join(path, "fence"), "no host would take over", hint);
            }
            None => {}
        }
    }

    fn record(&mut self, path: &str, record: &Record) {
        let provider = match &record.provider {
            Provider::Powerdns(_) => "powerdns",
            Provider::Cloudflare(_) => "cloudflare",
        };
        self.url(&join(&join(&join(path, "provider"), provider), "url"), record.provider.url());
        for (host, address) in &record.addresses {
            let path = join(&join(path, "addresses"), host);
            self.is_host(&path, host);
            if let Err(why) = record.kind.fits(address) {
                self.add(&path, &why, "write the address of the host, or give the record another `type`");
            }
        }
    }

    fn service(&mut self, path: &str, service: &Service) {
        self.project(path, &service.project);
        let instances = join(path, "instances");
        if service.instances.is_empty() {
            let hint = "add `argus-1: { health: \"http://localhost:3001/api/health\" }`, by the name of its Compose service";
            self.add(&instances, "a service without instances", hint);
        }
        self.names(&instances, &service.instances);
        for (name, instance) in &service.instances {
            self.url(&join(&join(&instances, name), "health"), &instance.health);
        }
        if let Some(database) = &service.database {
            self.known(&join(path, "database"), "database", database, &self.inventory.databases);
        }
        if let Some(cache) = &service.cache {
            self.known(&join(path, "cache"), "cache", cache, &self.inventory.caches);
        }
        if let Some(pointer) = &service.version
            && !pointer.starts_with('/')
        {
            let message = format!("`{pointer}` is not a JSON pointer");
            let hint = "write where the health answer has the version, such as `/version`";
            self.add(&join(path, "version"), &message, hint);
        }
        if let Some(variable) = &service.image_tag
            && !is_variable(variable)
        {
            let message = format!("`{variable}` is not the name of a variable");
            self.add(
                &join(path, "image_tag"),
                &message,
                "write the variable of the project's `.env`, such as `ARGUS_VERSION`",
            );
        }
        if let Some(upstream) = &service.upstream {
            let path = join(path, "upstream");
            self.known(&join(&path, "proxy"), "endpoint", &upstream.proxy, &self.inventory.endpoints);
            self.filled(&join(&path, "name"), &upstream.name, "argus_backend");
        }
    }

    /// A target is a service or an instance by its name alone, and an instance that is asked at another's URL would be
    /// called healthy for it.
    fn instances_are_told_apart(&mut self) {
        let services = &self.inventory.services;
        let mut owners: HashMap<&str, &str> = HashMap::new();
        let mut asked: HashMap<(&str, &str), &str> = HashMap::new();
        let mut found = Vec::new();
        for (service_name, service) in services {
            let host = self.inventory.projects.get(&service.project).map_or("", |project| &project.host);
            for (name, instance) in &service.instances {
                let path = join(&join(&join("/services", service_name), "instances"), name);
                let is_the_only_one = name == service_name && service.instances.len() == 1;
                if let Some(other) = owners.insert(name, service_name) {
                    let mistake = self.source.key_at(&path).mistake(format!(
                        "the instance `{name}` is also one of `{other}`, so that as a target it could mean either"
                    ));
                    found.push(
                        mistake.hint(format!(
                            "name one of the two differently, such as `{service_name}-{name}`"
                        )),
                    );
                } else if services.contains_key(name) && !is_the_only_one {
                    let mistake = self.source.key_at(&path).mistake(format!(
                        "the instance `{name}` has the name of a service, so that as a target it could mean either"
                    ));
                    found.push(
                        mistake.hint(format!(
                            "name the service differently, or the instance, such as `{name}-1`"
                        )),
                    );
                }
                if let Some(other) = asked.insert((host, &instance.health), name) {
                    let place = self.source.at(&join(&path, "health"));
                    let mistake = place.mistake(format!("`{name}` is asked at the same URL as `{other}`"));
                    found.push(
                        mistake.hint("write the URL of this instance alone, or its health is never seen"),
                    );
                }
            }
        }
        self.mistakes.extend(found);
    }

    fn host(&mut self, path: &str, host: &str) {
        self.is_host(&join(path, "host"), host);
    }

    fn is_host(&mut self, path: &str, host: &str) {
        // Without any host that is the one mistake to tell.
        if !self.inventory.hosts.is_empty() {
            self.known(path, "host", host, &self.inventory.hosts);
        }
    }

    fn project(&mut self, path: &str, project: &str) {
        self.known(&join(path, "project"), "project", project, &self.inventory.projects);
    }

    fn known<T>(&mut self, path: &str, kind: &str, name: &str, known: &IndexMap<String, T>) {
        if !known.contains_key(name) {
            let mistake = self.source.at(path).mistake(format!("there is no {kind} `{name}`"));
            let mistake = match known.is_empty() {
                true => mistake.hint(format!("add it under `{kind}s:`")),
                false => mistake.known(name, known.keys().map(String::as_str)),
            };
            self.mistakes.push(mistake);
        }
    }

    fn names<T>(&mut self, path: &str, things: &IndexMap<String, T>) {
        for name in things.keys().filter(|name| !is_name(name)) {
            let mistake = self.source.key_at(&join(path, name)).mistake(format!("`{name}` cannot be a name"));
            let fitting: String =
                name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
            let hint = "use letters, digits, `-`, `_` and `.`, beginning with a letter or digit";
            let mistake = match fitting.trim_matches('-') {
                "" => mistake.hint(hint),
                fitting => mistake.hint(hint).hint(format!("write `{fitting}`")),
            };
            self.mistakes.push(mistake);
        }
    }

    fn filled(&mut self, path: &str, text: &str, example: &str) {
        if text.trim().is_empty() {
            self.add(path, "expected text, found nothing", &format!("write something such as `{example}`"));
        } else if text.contains(char::is_control) {
            self.add(path, "a control character in a name", "write it in one line, without tabs");
        }
    }

    fn directory(&mut self, path: &str, directory: &str) {
        if !directory.starts_with('/') {
            let message = format!("`{directory}` is not an absolute path");
            let hint =
                format!("write `/{}`, as the host sees it", directory.trim_start_matches(['.', '~', '/']));
            self.add(path, &message, &hint);
        }
    }

    fn backups(&mut self, path: &str, backups: Option<&Backups>) {
        let Some(backups) = backups else { return };
        let path = join(path, "backups");
        self.directory(&join(&path, "directory"), &backups.directory);
        if let Some(pattern) = &backups.pattern {
            self.pattern(&join(&path, "pattern"), pattern);
        }
        if backups.keep == 0 {
            let hint = "write how many are kept, such as `7`";
            self.add(&join(&path, "keep"), "no backup would be kept", hint);
        }
        if !backups.copy.is_empty() && !backups.copy.iter().any(|word| word.contains("{file}")) {
            let hint = "write `{file}` where the backup is named, such as [rclone, copy, \"{file}\", \"s3:backups\"]";
            self.add(&join(&path, "copy"), "it does not say what is copied", hint);
        }
    }

    fn pattern(&mut self, path: &str, pattern: &str) {
        if pattern.trim().is_empty() || pattern.contains('/') {
            let message = format!("`{pattern}` is not a pattern of file names");
            self.add(path, &message, "write one such as `argus_*.sql.gz`, without a folder");
        }
    }

    fn url(&mut self, path: &str, url: &str) {
        let parsed = reqwest::Url::parse(url);
        let why = match &parsed {
            Ok(url) if !matches!(url.scheme(), "http" | "https") => "is not an http or https URL",
            Ok(url) if url.host_str().is_none_or(str::is_empty) => "names no host",
            Ok(_) => return,
            Err(_) => "is not a URL",
        };
        self.add(path, &format!("`{url}` {why}"), "write one such as `http://localhost:3001/api/health`");
    }

    fn add(&mut self, path: &str, message: &str, hint: &str) {
        self.mistakes.push(self.source.at(path).mistake(message).hint(hint));
    }
}

/// Names stand in keys of steps, in file names and on command lines.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
