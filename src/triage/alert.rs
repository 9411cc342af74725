//! An alert of Prometheus that fires, and what it is about.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::subject::Subject;
use super::target::binding;
use crate::model::inventory::Inventory;
use crate::model::param::Param;
use crate::model::thresholds::Severity;

pub type Labels = BTreeMap<String, String>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alert {
    pub name: String,
    pub severity: Severity,
    /// When it began to hold.
    pub since: Option<Timestamp>,
    pub is_silenced: bool,
    /// In the words of its rule.
    pub about: String,
    pub labels: Labels,
}

/// As Prometheus gives it.
#[derive(Debug, Deserialize)]
struct Given {
    labels: Labels,
    #[serde(default)]
    annotations: Labels,
    state: String,
    #[serde(rename = "activeAt")]
    active_at: Option<Timestamp>,
}

impl Alert {
    /// Those of Prometheus' list that fire. `silenced` has the labels of what somebody asked not to hear of.
    ///
    /// # Errors
    /// In words, when it is no list of alerts.
    pub(super) fn firing(alerts: &Value, silenced: &[Labels]) -> Result<Vec<Alert>, String> {
        let alerts: Vec<Given> =
            Vec::deserialize(alerts).map_err(|error| format!("it does not list its alerts: {error}"))?;
        let firing = alerts.into_iter().filter(|alert| alert.state == "firing");
        Ok(firing.map(|alert| Alert::of(alert, silenced)).collect())
    }

    fn of(given: Given, silenced: &[Labels]) -> Alert {
        let Given { labels, mut annotations, active_at, .. } = given;
        // Alertmanager may have added labels, such as the name of the cluster.
        let is_in = |other: &Labels| labels.iter().all(|(name, value)| other.get(name) == Some(value));
        Alert {
            is_silenced: silenced.iter().any(is_in),
            severity: severity_of(&labels),
            about: annotations
                .remove("summary")
                .or_else(|| annotations.remove("description"))
                .unwrap_or_default(),
            since: active_at,
            name: labels.get("alertname").cloned().unwrap_or_default(),
            labels,
        }
    }

    /// As somebody else passed it on.
    pub fn from_labels(labels: Labels) -> Alert {
        Alert::of(
            Given { labels, annotations: Labels::new(), state: "firing".to_owned(), active_at: None },
            &[],
        )
    }

    /// The services that the labels name, or that cannot work without what they name, in the order of the inventory.
    pub fn services(&self, inventory: &Inventory) -> Vec<String> {
        let subjects = self.subjects(inventory);
        let is_concerned = |service: &&String| {
            subjects.iter().any(|subject| {
                subject.service(inventory) == Some(service.as_str())
                    || subject.is_needed_by(service, inventory)
            })
        };
        inventory.services.keys().filter(is_concerned).cloned().collect()
    }

    /// The runbook's one required parameter, bound to what the labels name; nothing where they name nothing that it is about.
    pub fn binding(
        &self,
        runbook: &str,
        params: &IndexMap<String, Param>,
        inventory: &Inventory,
    ) -> Option<(String, String)> {
        let bind = |subject: &Subject| binding(runbook, params, subject, inventory).ok();
        let named = self.subjects(inventory).iter().find_map(bind);
        // What watches a site that has only one of a kind can mean only that.
        named.or_else(|| {
            only_ones(inventory).iter().find_map(|only| bind(only).filter(|(_, value)| value == only.name()))
        })
    }

    /// What of the inventory the labels name, the most exact first.
    fn subjects(&self, inventory: &Inventory) -> Vec<Subject> {
        let label = |name: &str| self.labels.get(name).map(String::as_str);
        // Prometheus' own label says where it asked: `argus-1:3000`.
        let instance =
            label("instance").map(|address| address.rsplit_once(':').map_or(address, |(name, _)| name));
        let instances = [instance, label("container"), label("name")].into_iter().flatten();
        let instances = instances.filter(|name| inventory.instance(name).is_some());
        let mut found: Vec<Subject> = instances.map(|name| Subject::Instance(name.to_owned())).collect();
        let mut named =
            |names: [&str; 2], is_known: &dyn Fn(&str) -> bool, subject: fn(String) -> Subject| {
                let known = names.iter().filter_map(|name| label(name)).filter(|value| is_known(value));
                found.extend(known.map(|value| subject(value.to_owned())));
            };
        named(["database", "datname"], &|name| inventory.databases.contains_key(name), Subject::Database);
        named(["cache", "redis"], &|name| inventory.caches.contains_key(name), Subject::Cache);
        named(
            ["certificate", "server_name"],
            &|name| inventory.certificates.contains_key(name),
            Subject::Certificate,
        );
        named(["service", "job"], &|name| inventory.services.contains_key(name), Subject::Service);
        named(
            ["project", "compose_project"],
            &|name| inventory.projects.contains_key(name),
            Subject::Project,
        );
        named(["host", "node"], &|name| inventory.hosts.contains_key(name), Subject::Host);
        found
    }
}

/// How bad the rule says that it is.
pub fn severity_of(labels: &Labels) -> Severity {
    match labels.get("severity").map(String::as_str) {
        Some("critical" | "page" | "emergency") => Severity::Critical,
        Some("info" | "none") => Severity::Notice,
        _ => Severity::Warning,
    }
}

/// What there is only one of, of its kind.
fn only_ones(inventory: &Inventory) -> Vec<Subject> {
    fn only<T>(named: &IndexMap<String, T>, subject: fn(String) -> Subject) -> Option<Subject> {
        named.keys().next().filter(|_| named.len() == 1).map(|name| subject(name.clone()))
    }
    let found = [
        only(&inventory.hosts, Subject::Host),
        only(&inventory.projects, Subject::Project),
        only(&inventory.services, Subject::Service),
        only(&inventory.databases, Subject::Database),
        only(&inventory.caches, Subject::Cache),
        only(&inventory.certificates, Subject::Certificate),
    ];
    found.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::triage::reading::Reading;

    #[test]
    fn alerts_that_fire_are_told_with_their_severity_and_whether_they_are_silenced() {
        let alerts = json!([
            { "labels": { "alertname": "RedisDown", "severity": "critical" }, "annotations": { "summary": "no Redis" },
              "state": "firing", "activeAt": "2026-03-01T03:14:00Z" },
            { "labels": { "alertname": "Slow", "severity": "warning" }, "state": "pending", "activeAt": null },
            { "labels": { "alertname": "Watchdog", "severity": "none" }, "state": "firing", "activeAt": null },
        ]);
        let silenced = [("alertname", "RedisDown"), ("severity", "critical"), ("cluster", "one")];
        let silenced = vec![Labels::from(silenced.map(|(name, value)| (name.to_owned(), value.to_owned())))];
        let told = |silenced: &[Labels]| -> Vec<String> {
            let alerts = Alert::firing(&alerts, silenced).unwrap();
            alerts.into_iter().map(|alert| Reading::Alert(alert).to_string()).collect()
        };
        assert_eq!(told(&[]), ["alert `RedisDown` fires: no Redis", "alert `Watchdog` fires"]);
        assert_eq!(told(&silenced)[0], "alert `RedisDown` fires, silenced: no Redis");
        assert!(Alert::firing(&json!({}), &[]).is_err());
    }

    #[test]
    fn an_alert_is_about_the_services_that_its_labels_lead_to() {
        let inventory = crate::triage::tests::scene::inventory();
        let services = |labels: Value| {
            Alert::from_labels(Labels::deserialize(labels).unwrap()).services(&inventory).join(" ")
        };
        assert_eq!(services(json!({ "service": "argus" })), "argus");
        assert_eq!(services(json!({ "instance": "argus-1:3000" })), "argus");
        assert_eq!(services(json!({ "database": "hermes" })), "hermes");
        assert_eq!(services(json!({ "redis": "redis" })), "argus hermes", "both need it");
        assert_eq!(services(json!({ "service": "nobody" })), "");
    }

    #[test]
    fn a_runbook_is_bound_to_what_the_labels_name() {
        let inventory = crate::triage::tests::scene::inventory();
        let catalog = crate::engine::catalog::Catalog::open(None).unwrap();
        let bound = |runbook: &str, labels: Value| {
            let labels = Labels::deserialize(labels).unwrap();
            let given = Given { labels, annotations: Labels::new(), state: "firing".into(), active_at: None };
            let params = catalog.get(runbook).unwrap().runbook.params;
            Alert::of(given, &[])
                .binding(runbook, &params, &inventory)
                .map(|(name, value)| format!("{name}={value}"))
        };
        let both = json!({ "instance": "argus-1:3000", "service": "argus" });
        for (runbook, labels, command) in [
            ("instance-down", both.clone(), Some("instance=argus-1")),
            ("service-down", both.clone(), Some("service=argus")),
            ("database-down", both, Some("database=argus")),
            ("database-down", json!({ "datname": "hermes" }), Some("database=hermes")),
            ("cache-down", json!({ "instance": "redis:9121" }), Some("cache=redis")),
            ("host-down", json!({ "node": "spare" }), Some("host=spare")),
            // Which of the two databases, and which of the two hosts, nothing tells.
            ("database-down", json!({ "instance": "somewhere:5432" }), None),
            ("host-down", json!({}), None),
            // There is only the one cache.
            ("cache-down", json!({}), Some("cache=redis")),
            ("instance-down", json!({ "service": "argus" }), None),
        ] {
            assert_eq!(bound(runbook, labels.clone()).as_deref(), command, "{runbook} {labels}");
        }
    }
}
