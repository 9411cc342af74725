//! What failover says around its runs: what it saw, what that means, and what came of it.

use serde_json::json;

use super::look::{give, say};
use super::paint::{Ink, visible};
use super::status::{self, Row};
use crate::base::Result;

/// The voice of one failover: talk for a person, a JSON object a line for a program.
#[derive(Debug, Clone, Copy)]
pub struct Voice {
    pub is_json: bool,
    pub is_quiet: bool,
}

/// A target that is healthy again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    pub target: String,
    /// From the decision to recover to the checked result.
    pub recovery_ms: u64,
    /// From the moment the first container died, where that is known.
    pub outage_ms: Option<u64>,
    /// What runs in the same container, started at the same time, as before.
    pub untouched: Vec<String>,
}

impl Voice {
    /// A certificate has no row: there is nothing to say of it here.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn saw(self, rows: &[Row]) -> Result<()> {
        if self.is_json {
            return give(&status::json(rows));
        }
        if !rows.is_empty() {
            self.talk(&status::text(rows));
        }
        Ok(())
    }

    /// # Errors
    /// When standard output cannot be written.
    pub fn names(self, scenario: &str, why: &str) -> Result<()> {
        if self.is_json {
            return self.tell(json!({ "kind": "scenario", "scenario": scenario, "because": why }));
        }
        self.talk(&format!("\n{} {}\n", Ink::Bold.on(format!("{scenario}:")), visible(why)));
        Ok(())
    }

    /// # Errors
    /// When standard output cannot be written.
    pub fn nothing_to_do(self, target: &str) -> Result<()> {
        if self.is_json {
            return self.tell(json!({ "kind": "healthy", "target": target }));
        }
        say(&format!("`{}` is healthy: there is nothing to do, and nothing was changed\n", visible(target)));
        Ok(())
    }

    /// # Errors
    /// When standard output cannot be written.
    pub fn recovered(self, recovered: &Recovered) -> Result<()> {
        let Recovered { target, recovery_ms, outage_ms, untouched } = recovered;
        if self.is_json {
            return self.tell(json!({
                "kind": "recovered",
                "target": target,
                "recovery_ms": recovery_ms,
                "outage_ms": outage_ms,
                "untouched": untouched,
            }));
        }
        let mut text = format!(
            "\n{} recovery took {}",
            Ink::Good.on(format!("✔ `{}` is healthy again:", visible(target))),
            seconds(*recovery_ms)
        );
        match outage_ms {
            Some(outage) => text.push_str(&format!(", the outage {}", seconds(*outage))),
            None => text.push_str("; when the outage began is not known"),
        }
        text.push('\n');
        if !untouched.is_empty() {
            let names: Vec<_> = untouched.iter().map(|name| format!("`{}`", visible(name))).collect();
            text.push_str(&format!("  untouched (same container, same start): {}\n", names.join(", ")));
        }
        text.push_str(&format!("  next: {}\n", Ink::Command.on("opsctl status")));
        say(&text);
        Ok(())
    }

    fn tell(self, event: serde_json::Value) -> Result<()> {
        give(&format!("{event}\n"))
    }

    fn talk(self, text: &str) {
        if !self.is_quiet {
            say(text);
        }
    }
}

fn seconds(ms: u64) -> String {
    crate::base::amount::Span::rounded(std::time::Duration::from_millis(ms)).to_string()
}
