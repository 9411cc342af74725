//! Where a host is: `local`, or `ssh://[user@]host[:port]`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Local,
    Ssh { user: Option<String>, host: String, port: Option<u16> },
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Address, String> {
        let refused = || format!("`{text}` is not an address: write `local` or `ssh://user@host:22`");
        if text == "local" {
            return Ok(Address::Local);
        }
        let rest = text.strip_prefix("ssh://").ok_or_else(refused)?;
        let (user, rest) = match rest.split_once('@') {
            Some((user, rest)) => (Some(user.to_owned()), rest),
            None => (None, rest),
        };
        let (host, port) = match rest.strip_prefix('[') {
            Some(bracketed) => {
                let (host, after) = bracketed.split_once(']').ok_or_else(refused)?;
                (host, after.strip_prefix(':'))
            }
            None => match rest.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (rest, None),
            },
        };
        let is_name = |name: &str| {
            !name.is_empty()
                && !name.starts_with('-')
                && name.chars().all(|c| c.is_alphanumeric() || "-_.:%".contains(c))
        };
        let port = port.map(|port| port.parse::<u16>().map_err(|_| refused())).transpose()?;
        if !is_name(host) || user.as_deref().is_some_and(|user| !is_name(user)) || port == Some(0) {
            return Err(refused());
        }
        Ok(Address::Ssh { user, host: host.to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Address::Ssh { user, host, port } = self else {
            return f.pad("local");
        };
        let user = user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        f.pad(&format!("ssh://{user}{host}{port}"))
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Address {
    fn schema_name() -> Cow<'static, str> {
        "Address".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "`local`, or `ssh://[user@]host[:port]`.",
            "pattern": "^(local|ssh://.+)$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_as_it_was_written() {
        for text in
            ["local", "ssh://app", "ssh://deploy@203.0.113.10:22", "ssh://root@[::1]:2222", "ssh://[::1]"]
        {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_ssh_could_take_for_an_option_is_refused() {
        for text in [
            "",
            "app",
            "ssh://",
            "ssh://-oProxyCommand=id",
            "ssh://a b",
            "ssh://u@",
            "ssh://h:0",
            "ssh://h:x",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
