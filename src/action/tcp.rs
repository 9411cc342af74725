//! TCP connections, for what speaks no protocol that opsctl knows.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Action;
use crate::base::amount::Span;
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Checks that something accepts connections on a port, as the host sees it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Connect {
    /// A name or an IP address. `localhost` means the host.
    address: String,
    /// The port.
    port: u16,
    /// How long it may take.
    #[serde(default = "five_seconds")]
    timeout: Span,
}

fn five_seconds() -> Span {
    Span::secs(5)
}

/// # Errors
/// In words, when nothing can have that address or port.
pub(super) fn place(address: &str, port: u16) -> Result<(), String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    if address.is_empty() || address.starts_with('-') || !address.chars().all(is_name) {
        return Err(format!("`{address}` is not a name or an IP address"));
    }
    if port == 0 {
        return Err("`0` is not a port".to_owned());
    }
    Ok(())
}

impl Action for Connect {
    const NAME: &'static str = "tcp.connect";
    const GIVES: ResultKind = ResultKind::Connection;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn build(&self, _: Site<'_>) -> Result<Operation, String> {
        place(&self.address, self.port)?;
        Ok(Operation::Connect { address: self.address.clone(), port: self.port, deadline: self.timeout })
    }

    fn judge(_: &Operation, result: &Value) -> Result<(), String> {
        if result["connected"] == Value::Bool(true) {
            return Ok(());
        }
        Err(format!("no connection: {}", result["error"].as_str().unwrap_or("nobody knows why")))
    }
}
