//! HTTP requests, from the host that the URL belongs to or from here.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Action;
use super::word::Word;
use crate::base::amount::Span;
use crate::model::facts::Site;
use crate::model::operation::{HttpRequest, Operation, Via};
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Asks a URL. A status of 2xx is a success.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Get {
    /// The URL. `localhost` in it means the host.
    url: String,
    /// How long the whole answer may take.
    #[serde(default = "five_seconds")]
    timeout: Span,
    /// Headers, by name.
    #[serde(default)]
    headers: BTreeMap<String, Word>,
    /// From where it is asked: `host`, or `here`.
    #[serde(default)]
    via: Via,
}

impl Action for Get {
    const NAME: &'static str = "http.get";
    const GIVES: ResultKind = ResultKind::Http;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn needs_host(args: &Map<String, Value>) -> bool {
        needs_host(args)
    }

    fn build(&self, _: Site<'_>) -> Result<Operation, String> {
        let headers = headers(&self.headers)?;
        Ok(Operation::Http(HttpRequest {
            headers,
            ..HttpRequest::get(url(&self.url)?, self.timeout, self.via)
        }))
    }

    fn judge(_: &Operation, result: &Value) -> Result<(), String> {
        judge(result)
    }
}

/// Sends an HTTP request. A status of 2xx is a success.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    /// The method, such as `POST`. `GET` and `HEAD` change nothing; of any other it is assumed that it does.
    method: String,
    /// The URL. `localhost` in it means the host.
    url: String,
    /// Headers, by name.
    #[serde(default)]
    headers: BTreeMap<String, Word>,
    /// The body: text as it is, anything else as JSON.
    body: Option<Value>,
    /// How long the whole answer may take.
    #[serde(default = "five_seconds")]
    timeout: Span,
    /// From where it is sent: `host`, or `here`.
    #[serde(default)]
    via: Via,
}

impl Action for Request {
    const NAME: &'static str = "http.request";
    const GIVES: ResultKind = ResultKind::Http;

    fn effect(args: &Map<String, Value>) -> Effect {
        match args.get("method").and_then(Value::as_str) {
            Some("GET" | "HEAD") => Effect::Reads,
            _ => Effect::Changes,
        }
    }

    fn needs_host(args: &Map<String, Value>) -> bool {
        needs_host(args)
    }

    fn build(&self, _: Site<'_>) -> Result<Operation, String> {
        let is_method = |c: char| c.is_ascii_uppercase();
        if self.method.is_empty() || !self.method.chars().all(is_method) {
            return Err(format!("`{}` is not a method: write one such as `POST`", self.method));
        }
        let mut headers = headers(&self.headers)?;
        let body = match &self.body {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(json) => {
                if !headers.keys().any(|name| name.eq_ignore_ascii_case("content-type")) {
                    headers.insert("content-type".to_owned(), "application/json".to_owned());
                }
                Some(json.to_string())
            }
        };
        Ok(Operation::Http(HttpRequest {
            method: self.method.clone(),
            headers,
            body,
            ..HttpRequest::get(url(&self.url)?, self.timeout, self.via)
        }))
    }

    fn judge(_: &Operation, result: &Value) -> Result<(), String> {
        judge(result)
    }
}

pub(super) fn needs_host(args: &Map<String, Value>) -> bool {
    args.get("via").and_then(Value::as_str) != Some("here")
}

fn five_seconds() -> Span {
    Span::secs(5)
}

fn url(text: &str) -> Result<String, String> {
    let parsed = reqwest::Url::parse(text).map_err(|error| format!("`{text}` is not a URL: {error}"))?;
    if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
        return Err(format!("`{text}` is not a URL: write one such as `http://localhost:3001/health`"));
    }
    Ok(text.to_owned())
}

fn headers(given: &BTreeMap<String, Word>) -> Result<BTreeMap<String, String>, String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    for (name, Word(value)) in given {
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(format!("`{name}` is not the name of a header"));
        }
        if value.contains(['\r', '\n']) {
            return Err(format!("header `{name}` holds a line break"));
        }
    }
    Ok(given.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect())
}

pub(super) fn judge(result: &Value) -> Result<(), String> {
    match result["status"].as_u64() {
        Some(200..=299) => Ok(()),
        Some(0) | None => {
            Err(format!("no answer: {}", result["error"].as_str().unwrap_or("nobody knows why")))
        }
        Some(status) => Err(format!("the answer was {status}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_an_answer_of_2xx_is_a_success() {
        assert_eq!(judge(&json!({ "status": 204 })), Ok(()));
        assert_eq!(judge(&json!({ "status": 503 })), Err("the answer was 503".to_owned()));
        let refused = json!({ "status": 0, "error": "connection refused" });
        assert_eq!(judge(&refused), Err("no answer: connection refused".to_owned()));
    }
}
