//! nginx before the instances of a service: taking some of them out, and putting them back.
//!
//! The open nginx takes its servers from its files alone. So the line of a server is marked `down` there, the configuration is tested,
//! and nginx reloads it: new workers begin with it, and the old ones end when their last request has. A line that was down before is
//! somebody else's, and stays so.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::word::{self, Services};
use super::{Action, place, verdict};
use crate::base::amount::Span;
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Without what is there for its readers, as it is sent.
const SCRIPT: &str = include_str!("proxy.sh");

/// Takes instances out of an nginx upstream, and waits until no request to them is in flight.
///
/// The configuration has to be mounted from the host, with each server on a line of its own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Out {
    /// The project, by its name in the inventory.
    project: String,
    /// The Compose service of the proxy.
    proxy: String,
    /// The name of the upstream in its configuration.
    upstream: String,
    /// The Compose service of the instance, or a list of them.
    servers: Services,
    /// For how long requests in flight are waited for; then it goes on without them.
    #[serde(default = "half_a_minute")]
    drain: Span,
}

fn half_a_minute() -> Span {
    Span::secs(30)
}

impl Action for Out {
    const NAME: &'static str = "proxy.out";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let Out { project, proxy, upstream, servers, drain } = self;
        script(site, Self::NAME, project, proxy, upstream, servers, ("out", *drain))
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Puts instances back into an nginx upstream that `proxy.out` has taken out.
///
/// nginx asks for their present addresses again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct In {
    /// The project, by its name in the inventory.
    project: String,
    /// The Compose service of the proxy.
    proxy: String,
    /// The name of the upstream in its configuration.
    upstream: String,
    /// The Compose service of the instance, or a list of them.
    servers: Services,
}

impl Action for In {
    const NAME: &'static str = "proxy.in";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let In { project, proxy, upstream, servers } = self;
        script(site, Self::NAME, project, proxy, upstream, servers, ("in", Span::default()))
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

fn script(
    site: Site<'_>,
    name: &str,
    project: &str,
    proxy: &str,
    upstream: &str,
    servers: &Services,
    (mode, drain): (&str, Span),
) -> Result<Operation, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if upstream.is_empty() || !upstream.chars().all(is_plain) {
        return Err(format!("`{upstream}` is not the name of an upstream"));
    }
    let given = [
        ("project", place::selection(site, project, None)?.project),
        ("proxy", word::service_name(proxy)?),
        ("upstream", upstream.to_owned()),
        ("servers", servers.names()?.join(" ")),
        ("mode", mode.to_owned()),
        ("drain", drain.0.as_secs().to_string()),
    ];
    let body: Vec<_> =
        SCRIPT.lines().filter(|line| !line.trim_start().starts_with("# ") && !line.is_empty()).collect();
    place::script(site, project, name, given, body.join("\n"))
}
