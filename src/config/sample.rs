//! The commented sample file.

use serde_json::Value;

use super::schema;

const OPENING: &str = "\
# The configuration of Gatehouse.
#
# Every key is optional. A key with a value shows its default; a key that is commented out has no
# default, and shows an example. An environment variable wins over this file: the one for
# http.public_base is GATEHOUSE_HTTP__PUBLIC_BASE. A secret may also be put in a file, named by the
# key that ends in _file. Check your changes with: gatehouse config check
";

const COLUMNS: usize = 100;

/// The sample configuration file: every key with its meaning and its default.
#[must_use]
pub fn sample() -> String {
    let mut out = OPENING.to_owned();
    for (key, section) in schema::properties(&schema::schema()) {
        out.push('\n');
        write_key(key, section, "", &mut out);
    }
    out
}

fn write_key(key: &str, schema: &Value, indent: &str, out: &mut String) {
    comment(schema::meaning(schema), &format!("{indent}# "), out);
    if schema::has_properties(schema) {
        out.push_str(&format!("{indent}{key}:\n"));
        let below = schema::with_defaults(schema);
        for (index, (key, property)) in schema::properties(&below).enumerate() {
            if index > 0 {
                out.push('\n');
            }
            write_key(key, property, &format!("{indent}  "), out);
        }
        return;
    }
    if let Some(item) = schema::items(schema).filter(|item| schema::has_properties(item)) {
        write_entry_keys(item, indent, out);
    }
    match (schema::default(schema), schema::example(schema)) {
        (Some(default), _) => out.push_str(&format!("{indent}{key}:{}\n", yaml(default, indent))),
        (None, Some(example)) => {
            out.push_str(&format!("{indent}# {key}:{}\n", yaml(example, indent)));
        }
        (None, None) => out.push_str(&format!("{indent}{key}: []\n")),
    }
}

/// Describes the keys that the entries of a list have.
fn write_entry_keys(item: &Value, indent: &str, out: &mut String) {
    out.push_str(&format!("{indent}#\n{indent}# The keys of an entry:\n"));
    for setting in schema::walk(item) {
        let schema = &setting.schema;
        let key = setting.key();
        let kind = schema::type_in_words(schema);
        let default = match schema::default(schema) {
            _ if setting.is_required => ", required".to_owned(),
            Some(default) => format!(", default {default}"),
            None => String::new(),
        };
        let meaning = schema::meaning(schema);
        let text = format!("{key} ({kind}{default}): {meaning}");
        comment(&text, &format!("{indent}#   "), out);
    }
}

/// A value as it stands after the colon: lists of entries as blocks, everything else on the line.
fn yaml(value: &Value, indent: &str) -> String {
    match value {
        Value::Array(entries) if entries.iter().any(Value::is_object) => entries
            .iter()
            .filter_map(Value::as_object)
            .map(|entry| {
                let keys: Vec<String> = entry.iter().map(|(k, v)| format!("{k}: {v}")).collect();
                format!("\n{indent}  - {}", keys.join(&format!("\n{indent}    ")))
            })
            .collect(),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(Value::to_string).collect();
            format!(" [{}]", values.join(", "))
        }
        value => format!(" {value}"),
    }
}

/// Writes text in lines that begin with `prefix`.
fn comment(text: &str, prefix: &str, out: &mut String) {
    let mut column = 0;
    for word in text.split_whitespace() {
        if column == 0 || column + 1 + word.len() > COLUMNS {
            if column > 0 {
                out.push('\n');
            }
            out.push_str(prefix);
            column = prefix.len();
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.len();
    }
    out.push('\n');
}
