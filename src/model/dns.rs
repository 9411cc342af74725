//! Records of the domain name system that say where the services of a host are found.

use std::net::{Ipv4Addr, Ipv6Addr};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation::server_name;
use crate::base::amount::Span;
use crate::base::secret::Secret;

/// A record that leads to one host, and to another when that one is lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Who serves it.
    pub provider: Provider,
    /// What kind of record it is.
    #[serde(default, rename = "type")]
    pub kind: RecordType,
    /// How long others may remember it.
    #[serde(default = "a_minute")]
    pub ttl: Span,
    /// What it says, by the host that it leads to.
    pub addresses: IndexMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum RecordType {
    #[default]
    A,
    #[serde(rename = "AAAA")]
    Aaaa,
    #[serde(rename = "CNAME")]
    Cname,
}

/// Who serves a record, and how it is asked to change it. It is asked from the machine that opsctl runs on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    Powerdns(Powerdns),
    Cloudflare(Cloudflare),
}

/// The HTTP API of a PowerDNS authoritative server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Powerdns {
    /// Where its API is, such as `http://ns1.example.com:8081`.
    pub url: String,
    /// The server's id.
    #[serde(default = "localhost")]
    pub server: String,
    /// The name of the zone.
    pub zone: String,
    /// Its API key.
    pub key: Secret,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cloudflare {
    /// Where its API is.
    #[serde(default = "cloudflare")]
    pub url: String,
    /// The id of the zone.
    pub zone: String,
    /// The id of the record.
    pub record: String,
    /// A token that may edit the zone.
    pub token: Secret,
}

fn a_minute() -> Span {
    Span::secs(60)
}

fn localhost() -> String {
    "localhost".to_owned()
}

fn cloudflare() -> String {
    "https://api.cloudflare.com/client/v4".to_owned()
}

impl Provider {
    pub fn url(&self) -> &str {
        match self {
            Provider::Powerdns(powerdns) => &powerdns.url,
            Provider::Cloudflare(cloudflare) => &cloudflare.url,
        }
    }

    pub fn secret_mut(&mut self) -> &mut Secret {
        match self {
            Provider::Powerdns(powerdns) => &mut powerdns.key,
            Provider::Cloudflare(cloudflare) => &mut cloudflare.token,
        }
    }
}

impl RecordType {
    pub fn word(self) -> &'static str {
        match self {
            RecordType::A => "A",
            RecordType::Aaaa => "AAAA",
            RecordType::Cname => "CNAME",
        }
    }

    /// # Errors
    /// In words, when a record of this type cannot say that.
    pub fn fits(self, address: &str) -> Result<(), String> {
        let is_fitting = match self {
            RecordType::A => address.parse::<Ipv4Addr>().is_ok(),
            RecordType::Aaaa => address.parse::<Ipv6Addr>().is_ok(),
            RecordType::Cname => server_name(address.trim_end_matches('.')).is_ok(),
        };
        is_fitting
            .then_some(())
            .ok_or_else(|| format!("`{address}` is nothing that a record of type {} says", self.word()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_says_what_its_type_can_say() {
        assert_eq!(RecordType::A.fits("203.0.113.10"), Ok(()));
        assert_eq!(RecordType::Aaaa.fits("2001:db8::1"), Ok(()));
        assert_eq!(RecordType::Cname.fits("app.example.com."), Ok(()));
        assert!(RecordType::A.fits("2001:db8::1").is_err());
        assert!(RecordType::Aaaa.fits("app").is_err());
    }
}
