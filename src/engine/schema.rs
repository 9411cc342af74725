//! JSON Schemas (draft 2020-12) of the two files that people write, for editors to complete and check.
//!
//! Generated from the types that read them, so that the two cannot differ. What a type cannot say is put in here: which
//! actions there are, and what each of them takes.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::lint::Spec;
use crate::model::inventory::Inventory;
use crate::model::runbook::Runbook;

/// The schema of a runbook, with all actions.
pub fn runbook_schema() -> Value {
    with_actions(&Spec::all())
}

/// The schema of `opsctl.yaml`.
pub fn inventory_schema() -> Value {
    schema_of::<Inventory>("opsctl.yaml")
}

fn schema_of<T: JsonSchema>(title: &str) -> Value {
    let generator: SchemaGenerator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    schema["title"] = Value::from(title);
    schema
}

fn with_actions(specs: &[Spec]) -> Value {
    let mut schema = schema_of::<Runbook>("An opsctl runbook");
    let mut definitions = schema["$defs"].as_object().cloned().unwrap_or_default();
    let mut actions = Map::new();
    for spec in specs {
        let mut of_args = spec.schema.clone();
        if let Some(map) = of_args.as_object_mut() {
            for (name, definition) in
                map.remove("$defs").as_ref().and_then(Value::as_object).into_iter().flatten()
            {
                definitions.entry(name).or_insert_with(|| definition.clone());
            }
            map.remove("$schema");
            map.remove("title");
        }
        let properties = of_args.get_mut("properties").and_then(Value::as_object_mut);
        properties.into_iter().flat_map(Map::values_mut).for_each(or_template);
        actions.insert(spec.name.to_owned(), of_args);
    }
    definitions
        .insert("Call".to_owned(), choice_of(actions.clone(), &Map::new(), "An action with its arguments."));
    if let Some(conditions) =
        definitions.get("Check").and_then(|check| check["properties"].as_object()).cloned()
    {
        let description =
            "An action that only reads, with what its result has to be and how long that is waited for.";
        definitions.insert("Check".to_owned(), choice_of(actions, &conditions, description));
    }
    schema["$defs"] = Value::Object(definitions);
    schema
}

/// A map with one action among its keys.
fn choice_of(actions: Map<String, Value>, beside: &Map<String, Value>, description: &str) -> Value {
    let keys: Vec<_> = actions.keys().map(|name| json!({ "required": [name] })).collect();
    let mut properties = actions;
    properties.extend(beside.clone());
    json!({
        "description": description,
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "oneOf": keys,
    })
}

/// Whatever an argument is, a template may stand in its place.
fn or_template(schema: &mut Value) {
    if schema.get("type") == Some(&json!("string"))
        && schema.get("enum").is_none()
        && schema.get("pattern").is_none()
    {
        return;
    }
    let own = schema.take();
    let description = own.get("description").cloned();
    *schema = json!({ "anyOf": [own, { "type": "string", "pattern": "\\{[{%]" }] });
    if let Some(description) = description {
        schema["description"] = description;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::registry;
    use crate::engine::catalog::Catalog;
    use crate::engine::lint::fit::Fit;
    use crate::model::source::Source;

    fn misfits(schema: &Value, text: &str) -> Vec<String> {
        let value: Value = Source::new("f", text).parse().unwrap();
        let mut fit = Fit { root: schema, misfits: Vec::new() };
        fit.value("", schema, &value);
        fit.misfits.into_iter().map(|misfit| format!("{}: {}", misfit.path, misfit.message)).collect()
    }

    #[test]
    fn every_runbook_that_ships_fits_the_schema() {
        let schema = runbook_schema();
        let catalog = Catalog::open(None).unwrap();
        for name in catalog.names() {
            let text = catalog.get(name).unwrap().source.text().to_owned();
            assert_eq!(misfits(&schema, &text), Vec::<String>::new(), "{name}");
        }
    }

    #[test]
    fn what_a_runbook_cannot_have_does_not_fit() {
        let schema = runbook_schema();
        let good = "runbook: a\ntitle: t\nrisk: read-only\nsteps:\n  - id: a\n    title: t\n    do: { redis.ping: { cache: x } }\n";
        assert_eq!(misfits(&schema, good), Vec::<String>::new());
        for (good_part, bad) in [
            ("redis.ping", "redis.pong"),
            ("cache: x", "cash: x"),
            ("risk: read-only", "risk: none"),
            ("title: t\n    do", "title: t\n    untill: x\n    do"),
            ("cache: x } }", "cache: x } }\n    expect: [{ redis.ping: { cache: x }, wihtin: 3s }]"),
            ("cache: x } }", "cache: x } }\n    timeout: soon"),
        ] {
            assert!(good.contains(good_part));
            assert_ne!(misfits(&schema, &good.replace(good_part, bad)), Vec::<String>::new(), "{bad}");
        }
    }

    #[test]
    fn an_inventory_fits_the_schema_and_a_wrong_one_does_not() {
        let schema = inventory_schema();
        let good = "name: o\nhosts: { app: { address: local, become: sudo } }\nprojects: { p: { host: app, directory: /p } }\n";
        assert_eq!(misfits(&schema, good), Vec::<String>::new());
        assert_ne!(misfits(&schema, &good.replace("directory", "folder")), Vec::<String>::new());
        assert_ne!(misfits(&schema, &good.replace("become: sudo", "become: root")), Vec::<String>::new());
    }

    #[test]
    fn a_reference_leads_somewhere_and_every_property_of_our_own_types_is_described() {
        fn walk(root: &Value, value: &Value) {
            if let Some(target) = value.get("$ref").and_then(Value::as_str) {
                assert!(root.pointer(target.trim_start_matches('#')).is_some(), "{target}");
            }
            match value {
                Value::Object(map) => map.values().for_each(|value| walk(root, value)),
                Value::Array(items) => items.iter().for_each(|value| walk(root, value)),
                _ => {}
            }
        }
        for schema in [runbook_schema(), inventory_schema()] {
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
            walk(&schema, &schema);
            let types = [("root", &schema)].into_iter().chain(
                schema["$defs"]
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, schema)| (name.as_str(), schema)),
            );
            for (name, schema) in types.filter(|(name, _)| *name != "Call") {
                for (key, property) in schema["properties"].as_object().into_iter().flatten() {
                    let is_action = key.contains('.') || registry::find(key).is_some();
                    assert!(
                        is_action || property.get("description").is_some(),
                        "{name}.{key} is not described"
                    );
                }
            }
        }
    }
}
