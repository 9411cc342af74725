//! Which alert rules of Prometheus lead to a runbook, and which can never fire.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::vain::{Vain, vain};
use crate::base::Result;
use crate::model::promql::Expr;
use crate::model::source::Source;

/// A file of rules, as Prometheus reads it.
#[derive(Debug, Deserialize)]
struct RuleFile {
    groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
struct Group {
    #[serde(default)]
    rules: Vec<Rule>,
}

/// What only records a value has no `alert`.
#[derive(Debug, Deserialize)]
struct Rule {
    alert: Option<String>,
    expr: Value,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

/// An alert rule, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRule {
    pub alert: String,
    pub severity: Option<String>,
    pub file: String,
    pub line: usize,
    pub firing: Firing,
}

/// Whether it can fire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Firing {
    Possible,
    Never(Vain),
    /// Why its expression could not be read: nothing is said of it.
    Unknown(String),
}

/// The alert rules of a file, in its order.
///
/// # Errors
/// When it is no file of rules.
pub fn rules(source: &Source) -> Result<Vec<AlertRule>> {
    let file: RuleFile = source.parse()?;
    let groups = file.groups.into_iter().enumerate();
    let rules = groups.flat_map(|(group, Group { rules })| {
        rules
            .into_iter()
            .enumerate()
            .map(move |(number, rule)| (format!("/groups/{group}/rules/{number}"), rule))
    });
    let alerts = rules.filter_map(|(path, Rule { alert, expr, mut labels })| {
        Some(AlertRule {
            alert: alert?,
            severity: labels.remove("severity"),
            file: source.name.clone(),
            line: source.at(&format!("{path}/alert")).line(),
            firing: firing(&expr),
        })
    });
    Ok(alerts.collect())
}

fn firing(expr: &Value) -> Firing {
    let text = expr.as_str().map_or_else(|| expr.to_string(), str::to_owned);
    match Expr::parse(&text) {
        Ok(expr) => vain(&expr, &text).map_or(Firing::Possible, Firing::Never),
        Err(why) => Firing::Unknown(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alert_rules_are_read_with_their_line_and_recording_rules_are_left_out() {
        let text = "groups:\n  - name: one\n    rules:\n      - record: up:sum\n        expr: sum(up)\n      - alert: Down\n        \
                    expr: |\n          count(up == 1)\n            == 0\n        for: 1m\n        labels: { severity: page }\n  - name: two\n    \
                    rules:\n      - { alert: Always, expr: 1 }\n      - { alert: Odd, expr: \"up ~ 1\" }\n  - name: three\n";
        let told: Vec<_> = rules(&Source::new("rules.yml", text)).unwrap();
        let told: Vec<_> = told.iter().map(|rule| (rule.alert.as_str(), rule.line, &rule.firing)).collect();
        assert!(matches!(told[0], ("Down", 6, Firing::Never(vain)) if vain.mend.is_some()), "{told:?}");
        assert_eq!(told[1], ("Always", 14, &Firing::Possible));
        assert!(matches!(told[2], ("Odd", 15, Firing::Unknown(_))), "{told:?}");
        assert_eq!(told.len(), 3);
    }

    #[test]
    fn what_is_no_file_of_rules_is_refused_with_the_place() {
        let error = rules(&Source::new("rules.yml", "groups: 1\n")).unwrap_err();
        assert!(error.detail.unwrap().contains("rules.yml:1"), "{}", error.message);
    }
}
