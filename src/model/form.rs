//! The YAML forms of what derive cannot say: a call is a map with one key, a check is a call with conditions beside it, an
//! undo or a failure's consequence is a word or a map.
//!
//! They read key by key and never through an intermediate value, so that an error stays where it was made.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::check::{Call, Check, Patience};
use super::runbook::{OnFailure, Undo};

/// What stands beside the call in a check.
const CONDITIONS: &[&str] = &["on", "that", "within", "every", "successes", "stays_good_for"];

impl<'de> Deserialize<'de> for Call {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Call, D::Error> {
        deserializer.deserialize_map(CallVisitor)
    }
}

struct CallVisitor;

impl<'de> Visitor<'de> for CallVisitor {
    type Value = Call;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an action with its arguments, such as `{ postgres.ready: { database: argus } }`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Call, A::Error> {
        let action = map
            .next_key_seed(Key { conditions: &[], action: None })?
            .ok_or_else(|| A::Error::custom("an action is expected here: write `ACTION: { ... }`"))?;
        let args = map.next_value_seed(Args { action: &action })?;
        match map.next_key_seed(Key { conditions: &[], action: Some(&action) })? {
            None => Ok(Call { action, args }),
            Some(other) => Err(too_many(&action, &other)),
        }
    }
}

fn too_many<E: Error>(action: &str, other: &str) -> E {
    E::custom(format!("`{other}` is one action too many: write a step of its own for it, or for `{action}`"))
}

impl<'de> Deserialize<'de> for Check {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Check, D::Error> {
        deserializer.deserialize_map(CheckVisitor)
    }
}

struct CheckVisitor;

impl<'de> Visitor<'de> for CheckVisitor {
    type Value = Check;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a check, such as `{ http.get: { url: ... }, that: \"status == 200\", within: 60s }`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Check, A::Error> {
        let (mut call, mut on, mut that) = (None::<Call>, None, None);
        let mut patience = Patience::default();
        loop {
            let known = call.as_ref().map(|call| call.action.as_str());
            let Some(key) = map.next_key_seed(Key { conditions: CONDITIONS, action: known })? else { break };
            match key.as_str() {
                "on" => on = Some(map.next_value()?),
                "that" => that = Some(map.next_value()?),
                "within" => patience.within = map.next_value()?,
                "every" => patience.every = map.next_value()?,
                "successes" => patience.successes = map.next_value()?,
                "stays_good_for" => patience.stays_good_for = map.next_value()?,
                _ => {
                    let args = map.next_value_seed(Args { action: &key })?;
                    call = Some(Call { action: key, args });
                }
            }
        }
        let call = call.ok_or_else(|| {
            A::Error::custom("a check needs an action: write `http.get: { url: ... }` into it")
        })?;
        Ok(Check { call, on, that, patience })
    }
}

/// A key: a condition, or the one action. It is refused here, and not by who asks for it, so that the error is at the key.
struct Key<'a> {
    conditions: &'static [&'static str],
    action: Option<&'a str>,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        let key = String::deserialize(deserializer)?;
        match self.action {
            Some(_) if self.conditions.contains(&key.as_str()) => Ok(key),
            Some(_) if !self.conditions.is_empty() => Err(D::Error::unknown_field(&key, self.conditions)),
            Some(action) => Err(too_many(action, &key)),
            None => Ok(key),
        }
    }
}

/// The arguments of an action. None may be written as `{}`, or left out.
struct Args<'a> {
    action: &'a str,
}

impl<'de> DeserializeSeed<'de> for Args<'_> {
    type Value = Map<String, Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Args<'_> {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the arguments of `{}`, such as `{{ name: value }}`", self.action)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Map::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Map::deserialize(MapAccessDeserializer::new(map))
    }
}

impl<'de> Deserialize<'de> for Undo {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Undo, D::Error> {
        deserializer.deserialize_any(UndoVisitor)
    }
}

struct UndoVisitor;

impl<'de> Visitor<'de> for UndoVisitor {
    type Value = Undo;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an action or the word `none`, such as `undo: none`")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Undo, E> {
        match word {
            "none" => Ok(Undo::None),
            _ => Err(E::unknown_variant(word, &["none"])),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Undo, A::Error> {
        CallVisitor.visit_map(map).map(Undo::Action)
    }
}

impl<'de> Deserialize<'de> for OnFailure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OnFailure, D::Error> {
        deserializer.deserialize_any(OnFailureVisitor)
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Rescue {
    run: String,
    #[serde(default)]
    with: Map<String, Value>,
}

struct OnFailureVisitor;

impl<'de> Visitor<'de> for OnFailureVisitor {
    type Value = OnFailure;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`halt`, `undo`, `continue` or a runbook, such as `{ run: RUNBOOK, with: { ... } }`")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<OnFailure, E> {
        match word {
            "halt" => Ok(OnFailure::Halt),
            "undo" => Ok(OnFailure::Undo),
            "continue" => Ok(OnFailure::Continue),
            _ => Err(E::unknown_variant(word, &["halt", "undo", "continue"])),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OnFailure, A::Error> {
        let Rescue { run, with } = Rescue::deserialize(MapAccessDeserializer::new(map))?;
        Ok(OnFailure::Run { runbook: run, with })
    }
}
