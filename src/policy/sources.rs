//! The files that rules come from: those in the binary, and an administrator's folder.

use std::path::Path;

use serde_json::{Map, Value};

use super::error::{Broken, Fault};
use super::settings;
use crate::config;

#[derive(rust_embed::Embed)]
#[folder = "$CARGO_MANIFEST_DIR/policies"]
struct Shipped;

/// A file with rules.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// As messages name it.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// Everything that a set of rules is made of.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    /// The files with rules.
    pub rules: Vec<Source>,
    /// The files with their tests.
    pub tests: Vec<Source>,
    /// What the rules find as `data.settings`.
    pub settings: Map<String, Value>,
    /// Whether an administrator wrote some of the rules.
    pub has_own_rules: bool,
}

impl Sources {
    /// What comes with Gatehouse, with its own settings.
    pub fn shipped() -> Sources {
        let mut sources = Sources {
            rules: Vec::new(),
            tests: Vec::new(),
            settings: settings::defaults(),
            has_own_rules: false,
        };
        let mut names: Vec<_> = Shipped::iter().filter(|name| name.ends_with(".rego")).collect();
        names.sort();
        for name in names {
            let Some(file) = Shipped::get(&name) else { continue };
            let text = String::from_utf8_lossy(&file.data).into_owned();
            let source = Source { name: format!("policies/{name}"), text };
            match is_test(&name) {
                true => sources.tests.push(source),
                false => sources.rules.push(source),
            }
        }
        sources
    }

    /// The same with what the configuration adds. The tests are those of the administrator alone:
    /// ours speak of rules and settings that may have been replaced.
    ///
    /// # Errors
    /// When the folder cannot be read, or a setting is not one.
    pub fn configured(config: &config::Policy) -> Result<Sources, Broken> {
        let mut sources = Sources { tests: Vec::new(), ..Sources::shipped() };
        sources.settings = settings::with(&config.data).map_err(Broken)?;
        let Some(folder) = &config.folder else { return Ok(sources) };
        let own = read(folder)
            .map_err(|error| Broken(vec![Fault::new(folder.display().to_string(), error.to_string())]))?;
        for (name, text) in own {
            let source = Source { name: folder.join(&name).display().to_string(), text };
            if is_test(&name) {
                sources.tests.push(source);
                continue;
            }
            let replaced = format!("policies/{name}");
            sources.rules.retain(|shipped| shipped.name != replaced);
            sources.rules.push(source);
            sources.has_own_rules = true;
        }
        Ok(sources)
    }
}

fn is_test(name: &str) -> bool {
    name.ends_with("_test.rego")
}

/// The names and texts of the rules in a folder, in the order of their names.
fn read(folder: &Path) -> std::io::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // Editors leave hidden files behind, some of them half written.
        if name.ends_with(".rego") && !name.starts_with('.') {
            found.push((name, std::fs::read_to_string(entry.path())?));
        }
    }
    found.sort();
    Ok(found)
}
