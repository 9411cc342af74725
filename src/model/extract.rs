//! What a later step may take from a result, so that no pipes are needed.

use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::template;

/// One value out of a result. Exactly one of `regex`, `pointer`, `count`, `first`, `last` and `value` is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Extract {
    /// The field of the result to look in. Without it: `stdout`, else `body`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The first group of the first match, or the whole match when there is no group. `^` and `$` match at lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// A JSON pointer (RFC 6901) into the whole result, or into the JSON of the field `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// How many lines match the regular expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<String>,
    /// The first lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<usize>,
    /// The last lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<usize>,
    /// An expression over the fields of the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// What is looked for, once it is certain that it is one thing.
enum Wanted {
    Match(Regex),
    At(String),
    Count(Regex),
    First(usize),
    Last(usize),
    Expression(String),
}

impl Extract {
    /// # Errors
    /// In words, when it asks for nothing, for two things, or with a malformed regular expression or condition.
    pub fn validate(&self) -> Result<(), String> {
        self.wanted().map(drop)
    }

    /// # Errors
    /// In words, when there is nothing of the kind in `result`.
    pub fn apply(&self, result: &Value) -> Result<Value, String> {
        match self.wanted()? {
            Wanted::Match(regex) => {
                let text = self.text(result)?;
                let found = regex.captures(&text).ok_or_else(|| format!("nothing matches `{regex}`"))?;
                let group = found.get(1).or_else(|| found.get(0));
                Ok(Value::from(group.map_or("", |group| group.as_str())))
            }
            Wanted::At(pointer) => {
                let document = self.document(result)?;
                document.pointer(&pointer).cloned().ok_or_else(|| format!("there is nothing at `{pointer}`"))
            }
            Wanted::Count(regex) => {
                Ok(Value::from(self.text(result)?.lines().filter(|line| regex.is_match(line)).count()))
            }
            Wanted::First(wanted) => {
                Ok(Value::from(self.text(result)?.lines().take(wanted).collect::<Vec<_>>().join("\n")))
            }
            Wanted::Last(wanted) => {
                let text = self.text(result)?;
                let lines: Vec<_> = text.lines().collect();
                Ok(Value::from(lines[lines.len().saturating_sub(wanted)..].join("\n")))
            }
            Wanted::Expression(expression) => match result {
                Value::Object(fields) => template::value_of(&expression, fields),
                _ => Err(format!("`{expression}`: the result has no fields")),
            },
        }
    }

    fn wanted(&self) -> Result<Wanted, String> {
        let mut wanted = Vec::new();
        if let Some(text) = &self.regex {
            wanted.push(Wanted::Match(regex(text)?));
        }
        if let Some(pointer) = &self.pointer {
            if !pointer.is_empty() && !pointer.starts_with('/') {
                return Err(format!("`{pointer}` is not a JSON pointer: write `/{pointer}`"));
            }
            wanted.push(Wanted::At(pointer.clone()));
        }
        if let Some(text) = &self.count {
            wanted.push(Wanted::Count(regex(text)?));
        }
        wanted.extend(self.first.map(Wanted::First));
        wanted.extend(self.last.map(Wanted::Last));
        if let Some(expression) = &self.value {
            template::names_in_condition(expression)?;
            wanted.push(Wanted::Expression(expression.clone()));
        }
        match (wanted.pop(), wanted.is_empty()) {
            (Some(one), true) => Ok(one),
            _ => Err("exactly one of `regex`, `pointer`, `count`, `first`, `last` and `value` is expected"
                .to_owned()),
        }
    }

    /// The field that is looked in.
    fn field<'a>(&self, result: &'a Value) -> Result<&'a Value, String> {
        match &self.from {
            Some(name) => result.get(name).ok_or_else(|| format!("the result has no `{name}`")),
            None => result
                .get("stdout")
                .or_else(|| result.get("body"))
                .ok_or_else(|| "the result has neither `stdout` nor `body`: say `from`".to_owned()),
        }
    }

    fn text(&self, result: &Value) -> Result<String, String> {
        Ok(match self.field(result)? {
            Value::String(text) => text.clone(),
            Value::Null => return Err("there is no text to look in".to_owned()),
            other => other.to_string(),
        })
    }

    fn document(&self, result: &Value) -> Result<Value, String> {
        if self.from.is_none() {
            return Ok(result.clone());
        }
        match self.field(result)? {
            Value::String(text) => {
                serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))
            }
            other => Ok(other.clone()),
        }
    }
}

fn regex(text: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(text).multi_line(true).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => format!("`{text}` is too big a regular expression"),
        // The library's message shows the expression with a caret under what is wrong; its last line says it.
        error => {
            let told = error.to_string();
            let last = told.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            format!("`{text}` is not a regular expression: {last}")
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn apply(extract: Value, result: &Value) -> Result<Value, String> {
        serde_json::from_value::<Extract>(extract).unwrap().apply(result)
    }

    fn result() -> Value {
        json!({
            "status": 0,
            "stdout": "INFO up\nERROR one\nERROR two\nimage: argus:v1.2.0\n",
            "stderr": "{\"error\": {\"code\": 7}}",
            "json": { "database": "ok", "list": [1, 2, 3] },
        })
    }

    #[test]
    fn every_kind_takes_what_it_says() {
        for (extract, expected) in [
            (json!({ "regex": "image: \\w+:(v[\\d.]+)" }), json!("v1.2.0")),
            (json!({ "regex": "^ERROR.*$" }), json!("ERROR one")),
            (json!({ "pointer": "/json/list/2" }), json!(3)),
            (json!({ "pointer": "" , "from": "json" }), json!({ "database": "ok", "list": [1, 2, 3] })),
            (json!({ "pointer": "/error/code", "from": "stderr" }), json!(7)),
            (json!({ "count": "^ERROR" }), json!(2)),
            (json!({ "count": "nothing" }), json!(0)),
            (json!({ "first": 1 }), json!("INFO up")),
            (json!({ "last": 2 }), json!("ERROR two\nimage: argus:v1.2.0")),
            (json!({ "last": 99, "from": "stderr" }), json!("{\"error\": {\"code\": 7}}")),
            (json!({ "value": "json.list | length" }), json!(3)),
            (json!({ "value": "status == 0" }), json!(true)),
        ] {
            assert_eq!(apply(extract.clone(), &result()), Ok(expected), "{extract}");
        }
    }

    #[test]
    fn the_body_is_looked_in_where_there_is_no_stdout() {
        assert_eq!(apply(json!({ "regex": "v\\d" }), &json!({ "body": "v7" })), Ok(json!("v7")));
    }

    #[test]
    fn what_is_not_there_is_said_and_never_guessed() {
        for (extract, expected) in [
            (json!({ "regex": "FATAL" }), "nothing matches `FATAL`"),
            (json!({ "pointer": "/json/cache" }), "there is nothing at `/json/cache`"),
            (json!({ "pointer": "json" }), "`json` is not a JSON pointer: write `/json`"),
            (json!({ "pointer": "/x", "from": "stdout" }), "it is not JSON"),
            (json!({ "first": 1, "from": "body" }), "the result has no `body`"),
            (json!({ "value": "json.cache" }), "`json` has no `cache`"),
            (json!({ "regex": "(" }), "`(` is not a regular expression: unclosed group"),
            (json!({ "first": 1, "last": 1 }), "exactly one of"),
            (json!({}), "exactly one of"),
        ] {
            let told = apply(extract.clone(), &result()).unwrap_err();
            assert!(told.starts_with(expected), "{extract}: {told}");
        }
    }
}
