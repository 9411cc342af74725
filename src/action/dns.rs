//! Records of the domain name system, by the HTTP APIs of those who serve them.
//!
//! PowerDNS: <https://doc.powerdns.com/authoritative/http-api/zone.html>. Cloudflare:
//! <https://developers.cloudflare.com/api/resources/dns/subresources/records/>. Both say "let it be so", so that to ask twice is the
//! same as to ask once.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Action, http, place};
use crate::base::amount::Span;
use crate::model::dns::{Cloudflare, Powerdns, Provider, Record};
use crate::model::facts::Site;
use crate::model::operation::{HttpRequest, Operation, SecretHeader, Via};
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Looks at what a record says, as its provider has it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Look {
    /// The record, by its name in the inventory.
    record: String,
}

impl Action for Look {
    const NAME: &'static str = "dns.record";
    const GIVES: ResultKind = ResultKind::Http;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn needs_host(_: &Map<String, Value>) -> bool {
        false
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let record = record(site, &self.record)?;
        Ok(match &record.provider {
            Provider::Powerdns(powerdns) => {
                let query = format!("?rrset_name={}&rrset_type={}", full(&self.record), record.kind.word());
                request("GET", zone_url(powerdns) + &query, powerdns_key(powerdns), None)
            }
            Provider::Cloudflare(cloudflare) => {
                request("GET", record_url(cloudflare), bearer(cloudflare), None)
            }
        })
    }

    fn judge(_: &Operation, result: &Value) -> Result<(), String> {
        http::judge(result)
    }
}

/// Lets a record lead to a host.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Set {
    /// The record, by its name in the inventory.
    record: String,
    /// The host. The inventory has its address.
    host: String,
}

impl Action for Set {
    const NAME: &'static str = "dns.set";
    const GIVES: ResultKind = ResultKind::Http;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn needs_host(_: &Map<String, Value>) -> bool {
        false
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let record = record(site, &self.record)?;
        let address = record.addresses.get(&self.host);
        let address = address
            .ok_or_else(|| format!("record `{}` has no address for host `{}`", self.record, self.host))?;
        let (kind, ttl) = (record.kind.word(), record.ttl.0.as_secs());
        Ok(match &record.provider {
            Provider::Powerdns(powerdns) => {
                let set = json!({ "rrsets": [{
                    "name": full(&self.record), "type": kind, "ttl": ttl, "changetype": "REPLACE",
                    "records": [{ "content": address, "disabled": false }],
                }] });
                request("PATCH", zone_url(powerdns), powerdns_key(powerdns), Some(set))
            }
            Provider::Cloudflare(cloudflare) => {
                let set = json!({ "type": kind, "name": self.record, "content": address, "ttl": ttl });
                request("PATCH", record_url(cloudflare), bearer(cloudflare), Some(set))
            }
        })
    }

    fn judge(_: &Operation, result: &Value) -> Result<(), String> {
        http::judge(result)
    }
}

fn record<'a>(site: Site<'a>, name: &str) -> Result<&'a Record, String> {
    place::named(&site.inventory.dns, "record", name)
}

/// A name that is relative to nothing.
fn full(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}

fn zone_url(powerdns: &Powerdns) -> String {
    let Powerdns { url, server, zone, .. } = powerdns;
    format!("{}/api/v1/servers/{server}/zones/{}", url.trim_end_matches('/'), full(zone))
}

fn record_url(cloudflare: &Cloudflare) -> String {
    let Cloudflare { url, zone, record, .. } = cloudflare;
    format!("{}/zones/{zone}/dns_records/{record}", url.trim_end_matches('/'))
}

fn powerdns_key(powerdns: &Powerdns) -> (&'static str, SecretHeader) {
    ("x-api-key", SecretHeader { before: String::new(), secret: powerdns.key.clone() })
}

fn bearer(cloudflare: &Cloudflare) -> (&'static str, SecretHeader) {
    ("authorization", SecretHeader { before: "Bearer ".to_owned(), secret: cloudflare.token.clone() })
}

fn request(method: &str, url: String, key: (&str, SecretHeader), body: Option<Value>) -> Operation {
    let content_type = body.as_ref().map(|_| ("content-type".to_owned(), "application/json".to_owned()));
    Operation::Http(HttpRequest {
        method: method.to_owned(),
        headers: content_type.into_iter().collect(),
        secret_headers: BTreeMap::from([(key.0.to_owned(), key.1)]),
        body: body.map(|body| body.to_string()),
        ..HttpRequest::get(url, Span::secs(10), Via::Here)
    })
}
