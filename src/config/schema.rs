//! The JSON schema of the configuration, and what the sample, the reference and the messages take
//! from it: every setting with its meaning, type and default.

use schemars::{Schema, generate::SchemaSettings};
use serde_json::{Map, Value};

use super::Config;

/// The JSON schema (draft 2020-12) of the configuration file, for editors and other tools.
#[must_use]
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true);
    let schema: Schema = settings.into_generator().into_root_schema_for::<Config>();
    schema.to_value()
}

/// A value that can be set.
pub(super) struct Setting {
    /// From the section down to the key.
    pub(super) path: Vec<String>,
    /// Its part of the schema, with the default.
    pub(super) schema: Value,
    /// Whether it must be given where the rest is.
    pub(super) is_required: bool,
}

impl Setting {
    /// The path as it is written in documents and messages.
    pub(super) fn key(&self) -> String {
        self.path.join(".")
    }

    /// The environment variable that sets it.
    pub(super) fn variable(&self) -> String {
        format!("GATEHOUSE_{}", self.path.join("__").to_uppercase())
    }

    /// Whether its values are text, whatever the text must look like.
    pub(super) fn is_text(&self) -> bool {
        kind(&self.schema) == "string" || choices(&self.schema).is_some()
    }
}

/// Every setting of the configuration, in the order of the file.
pub(super) fn settings() -> Vec<Setting> {
    let mut found = walk(&schema());
    found.retain(|setting| !has_properties(&setting.schema));
    found
}

/// Every key below `schema`, which describes a section or an entry of a list; a key that has keys
/// of its own stands before them.
pub(super) fn walk(schema: &Value) -> Vec<Setting> {
    let mut found = Vec::new();
    for (key, property) in properties(schema) {
        found.push(Setting {
            path: vec![key.clone()],
            schema: property.clone(),
            is_required: is_required(schema, key),
        });
        for mut below in walk(&with_defaults(property)) {
            below.path.insert(0, key.clone());
            found.push(below);
        }
    }
    found
}

/// The schema of the value at `path`, when it is a setting or part of one.
pub(super) fn find<'a>(settings: &'a [Setting], path: &[String]) -> Option<&'a Value> {
    let setting = settings.iter().find(|s| path.starts_with(&s.path))?;
    let mut schema = &setting.schema;
    for step in &path[setting.path.len()..] {
        schema = match step.starts_with('[') {
            true => items(schema)?,
            false => properties(schema).find(|(key, _)| *key == step)?.1,
        };
    }
    Some(schema)
}

/// The keys of an object and their schemas.
pub(super) fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let properties = without_null(schema).get("properties");
    properties.and_then(Value::as_object).into_iter().flatten()
}

/// Whether the schema describes an object with keys.
pub(super) fn has_properties(schema: &Value) -> bool {
    properties(schema).next().is_some()
}

/// The schema of the entries of a list.
pub(super) fn items(schema: &Value) -> Option<&Value> {
    without_null(schema).get("items")
}

/// An object's schema in which each key has the default that the object as a whole has.
pub(super) fn with_defaults(schema: &Value) -> Value {
    let mut schema = schema.clone();
    let defaults = schema.get("default").cloned();
    let Some(Value::Object(defaults)) = defaults else {
        return schema;
    };
    for (key, default) in defaults {
        if let Some(Value::Object(property)) = schema["properties"].get_mut(&key) {
            property.insert("default".to_owned(), default);
        }
    }
    schema
}

/// What the value means, as its docstring says.
pub(super) fn meaning(schema: &Value) -> &str {
    schema["description"].as_str().unwrap_or_default()
}

/// The default, if there is one.
pub(super) fn default(schema: &Value) -> Option<&Value> {
    schema.get("default").filter(|value| !value.is_null())
}

/// A value to show when there is no default.
pub(super) fn example(schema: &Value) -> Option<&Value> {
    schema.get("examples")?.get(0)
}

/// The type, in words that complete "must be ...".
pub(super) fn type_in_words(schema: &Value) -> String {
    if let Some(choices) = choices(schema) {
        return format!("one of {}", choices.join(", "));
    }
    let schema = without_null(schema);
    match (kind(schema), schema["format"].as_str()) {
        ("boolean", _) => "true or false".to_owned(),
        ("integer", _) => match (&schema["minimum"], &schema["maximum"]) {
            (Value::Number(low), Value::Number(high)) => format!("a whole number, {low} to {high}"),
            (Value::Number(low), _) => format!("a whole number, at least {low}"),
            _ => "a whole number".to_owned(),
        },
        ("string", Some("uri")) => "a URL".to_owned(),
        ("string", Some("path")) => "a path".to_owned(),
        ("string", Some("socket-address")) => "an address with a port".to_owned(),
        ("string", Some("ip-network")) => "a network".to_owned(),
        ("string", Some("octal")) => "an octal number in quotes".to_owned(),
        ("string", _) if schema["writeOnly"] == true => "a secret text".to_owned(),
        ("string", _) => "text".to_owned(),
        ("array", _) => match items(schema) {
            Some(item) if has_properties(item) => "a list of entries".to_owned(),
            Some(item) => format!("a list, each {}", type_in_words(item)),
            None => "a list".to_owned(),
        },
        _ => "a section with keys and values".to_owned(),
    }
}

/// What the value must be, with an example and a hint where they help.
pub(super) fn expectation(schema: &Value) -> String {
    let words = type_in_words(schema);
    let shown = example(schema).or_else(|| default(schema));
    let plain_text = words == "text" || words == "a secret text";
    match shown {
        _ if plain_text => format!("{words}; put a number, true or false in quotes"),
        Some(Value::String(text)) if choices(schema).is_none() => {
            format!("{words}, such as \"{text}\"")
        }
        _ => words,
    }
}

/// The values of an enumeration.
fn choices(schema: &Value) -> Option<Vec<String>> {
    let schema = without_null(schema);
    if let Some(values) = schema["enum"].as_array() {
        return Some(values.iter().map(Value::to_string).collect());
    }
    let variants = schema["oneOf"].as_array()?;
    variants.iter().map(|variant| Some(variant.get("const")?.to_string())).collect()
}

/// The JSON type.
fn kind(schema: &Value) -> &str {
    match &without_null(schema)["type"] {
        Value::Array(types) => types.first().and_then(Value::as_str).unwrap_or_default(),
        one => one.as_str().unwrap_or_default(),
    }
}

/// The schema of the value itself where it may also be absent.
fn without_null(schema: &Value) -> &Value {
    let is_value = |schema: &&Value| schema["type"] != "null";
    match schema.get("anyOf").and_then(Value::as_array) {
        Some(forms) => forms.iter().find(is_value).unwrap_or(schema),
        None => schema,
    }
}

/// Whether an object must have this key.
fn is_required(schema: &Value, key: &str) -> bool {
    without_null(schema)["required"].as_array().is_some_and(|keys| keys.iter().any(|name| name == key))
}

/// Marks no key of an object as required: whoever reads it fills the others in.
pub(super) fn nothing_required(schema: &mut Schema) {
    schema.remove("required");
}

/// The schema of a list of texts of this format.
pub(super) fn list_of(format: &str) -> Schema {
    let mut item = Map::new();
    item.insert("type".to_owned(), "string".into());
    item.insert("format".to_owned(), format.into());
    schemars::json_schema!({ "type": "array", "items": item })
}
