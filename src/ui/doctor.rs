//! Whether everything is there that a run will need: the table of the doctor.

use serde::Serialize;

use super::paint::{Ink, clean};
use super::table::{Cell, Table};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Empty for this machine itself.
    pub host: String,
    pub what: &'static str,
    pub verdict: Verdict,
    /// What was found, in words.
    pub note: String,
    /// What would mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Good,
    /// A run works, and something is not as it should be.
    Poor,
    /// A run cannot work, or nobody would be called.
    Bad,
}

pub fn text(findings: &[Finding]) -> String {
    let mut table = Table::new(&["HOST", "CHECK", "", "FOUND"]);
    for finding in findings {
        let host = if finding.host.is_empty() { "(here)" } else { &finding.host };
        let verdict = match finding.verdict {
            Verdict::Good => Cell::new(Ink::Good, "✔ good"),
            Verdict::Poor => Cell::new(Ink::Warn, "! poor"),
            Verdict::Bad => Cell::new(Ink::Bad, "✘ bad"),
        };
        table.row([host.into(), finding.what.into(), verdict, clean(&finding.note).into()]);
    }
    let mut text = table.text();
    for hint in findings.iter().filter_map(|finding| finding.hint.as_deref()) {
        text += &format!("{} {}\n", Ink::Bold.on("hint:"), Ink::Command.on(clean(hint)));
    }
    text
}
