//! Certificates, as they are served.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Action;
use super::{http, tcp};
use crate::base::amount::Span;
use crate::model::facts::Site;
use crate::model::operation::{Handshake, Operation, Via, server_name};
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Looks at the certificate that is served on a port. It has to be valid now, and for that name; who vouches for it is not asked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Certificate {
    /// A name or an IP address. `localhost` means the host.
    address: String,
    /// The port.
    #[serde(default = "https")]
    port: u16,
    /// The name that is asked for, and that the certificate has to be for. Without it, the address.
    server_name: Option<String>,
    /// How long it may take.
    #[serde(default = "five_seconds")]
    timeout: Span,
    /// From where it is asked: `host`, or `here`.
    #[serde(default)]
    via: Via,
}

fn https() -> u16 {
    443
}

fn five_seconds() -> Span {
    Span::secs(5)
}

impl Action for Certificate {
    const NAME: &'static str = "tls.certificate";
    const GIVES: ResultKind = ResultKind::Certificate;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn needs_host(args: &Map<String, Value>) -> bool {
        http::needs_host(args)
    }

    fn build(&self, _: Site<'_>) -> Result<Operation, String> {
        tcp::place(&self.address, self.port)?;
        let name = self.server_name.as_ref().unwrap_or(&self.address);
        server_name(name)?;
        Ok(Operation::Handshake(Handshake {
            address: self.address.clone(),
            port: self.port,
            name: name.clone(),
            deadline: self.timeout,
            via: self.via,
        }))
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        if let Some(why) = result["error"].as_str() {
            return Err(format!("no certificate: {why}"));
        }
        let days = result["days_left"].as_f64().unwrap_or_default();
        if days <= 0.0 {
            return Err(format!("it expired {:.1} days ago", -days));
        }
        let to_start = result["days_to_start"].as_f64().unwrap_or_default();
        if to_start > 0.0 {
            return Err(format!("it is not valid for another {to_start:.1} days"));
        }
        if result["covers"] != Value::Bool(true) {
            let name = if let Operation::Handshake(handshake) = operation { &handshake.name } else { "" };
            return Err(format!("it is not for `{name}`, but for {}", result["names"]));
        }
        Ok(())
    }
}
