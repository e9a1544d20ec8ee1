//! The reference page.

use serde_json::Value;

use super::schema::{self, Setting};

const OPENING: &str = "\
# Configuration

<!-- Generated from src/config/. Change the docstrings there. -->

Gatehouse runs without any configuration, for trying it out. For everything else it reads one YAML
file: `gatehouse serve --config gatehouse.yaml`, or the variable `GATEHOUSE_CONFIG`. `gatehouse config
generate` writes a commented file to begin with, `gatehouse config check` says what is wrong with
yours and where, and `gatehouse config schema` prints a JSON schema for editors.

- **Environment.** Every value can be set by an environment variable, named below, and the variable
  wins over the file. Text is taken literally, numbers, `true` and `false` as they are, and a list is
  written as YAML on one line: `GATEHOUSE_HTTP__TRUSTED_PROXIES='[10.0.0.0/8]'`. It replaces the list of
  the file.
- **Secrets.** Every secret has a second key that ends in `_file`: the path of a file that holds it.
  White space around its content is removed. Give one of the two; a variable for one also replaces
  the other one in the file.
- **Mistakes.** An unknown key, an unknown variable with `__` in its name and a value that cannot be
  used stop the start with a message that names the line and says what to do.
- **Paths** that are relative start at the folder in which Gatehouse is started.
";

/// The reference of the configuration, as Markdown.
#[must_use]
pub fn reference() -> String {
    let mut out = OPENING.to_owned();
    let mut settings = schema::walk(&schema::schema()).into_iter().peekable();
    while let Some(setting) = settings.next() {
        let heading = match setting.path.len() {
            1 => "##",
            _ => "###",
        };
        let meaning = paragraph(&setting.schema);
        out.push_str(&format!("\n{heading} `{}`\n\n{meaning}\n", setting.key()));
        if !schema::has_properties(&setting.schema) {
            write_value(&setting, &mut out);
        } else if setting.path.len() > 1 {
            // A group within a section: its few keys make a table.
            out.push_str("\n| key | type | default | environment | meaning |\n|---|---|---|---|---|\n");
            while let Some(below) = settings.next_if(|s| s.path.starts_with(&setting.path)) {
                let variable = format!("`{}`", below.variable());
                out.push_str(&row(&setting.path, &below, &[variable]));
            }
        }
    }
    out
}

fn write_value(setting: &Setting, out: &mut String) {
    let kind = schema::type_in_words(&setting.schema);
    let default = default(setting);
    let variable = setting.variable();
    out.push_str(&format!("\n- Type: {kind}\n- Default: {default}\n- Environment: `{variable}`\n"));
    let Some(item) = schema::items(&setting.schema).filter(|item| schema::has_properties(item)) else {
        return;
    };
    out.push_str("\n| key of an entry | type | default | meaning |\n|---|---|---|---|\n");
    for key in schema::walk(item) {
        out.push_str(&row(&[], &key, &[]));
    }
}

/// A line of a table; the key is named as seen from `parent`.
fn row(parent: &[String], setting: &Setting, further: &[String]) -> String {
    let key = format!("`{}`", setting.path[parent.len()..].join("."));
    let mut cells = vec![key, schema::type_in_words(&setting.schema), default(setting)];
    cells.extend_from_slice(further);
    cells.push(paragraph(&setting.schema));
    format!("| {} |\n", cells.join(" | "))
}

fn default(setting: &Setting) -> String {
    match schema::default(&setting.schema) {
        _ if setting.is_required => "required".to_owned(),
        Some(default) => format!("`{default}`"),
        None => "none".to_owned(),
    }
}

fn paragraph(schema: &Value) -> String {
    let words: Vec<&str> = schema::meaning(schema).split_whitespace().collect();
    words.join(" ")
}
