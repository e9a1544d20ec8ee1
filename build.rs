//! Makes the messages in `locales/` into functions, one for each key: a template that asks for a message that is
//! not there does not compile, nor does a message for which nobody asks.

#[path = "src/languages/check.rs"]
mod check;

use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

use check::{Found, ORIGINAL, PSEUDO, Source, check, pseudo};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=locales");
    println!("cargo::rerun-if-changed=src/languages/check.rs");
    let sources = read(&Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("locales"))?;
    match check(&sources) {
        Ok(messages) => {
            let code = code(&sources, &messages)?;
            fs::write(Path::new(&env::var("OUT_DIR")?).join("messages.rs"), code)?;
        }
        Err(problems) => {
            for problem in problems {
                println!("cargo::error={problem}");
            }
        }
    }
    Ok(())
}

/// The files of every language, the original first.
fn read(folder: &Path) -> Result<Vec<Source>, Box<dyn Error>> {
    let mut sources = Vec::new();
    for language in names(folder)? {
        for file in names(&folder.join(&language))?.into_iter().filter(|file| file.ends_with(".ftl")) {
            let text = fs::read_to_string(folder.join(&language).join(&file))?;
            sources.push(Source { language: language.clone(), file, text });
        }
    }
    sources.sort_by_key(|source| source.language != ORIGINAL);
    Ok(sources)
}

fn names(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn code(sources: &[Source], messages: &[Found]) -> Result<String, Box<dyn Error>> {
    let mut languages: Vec<(&str, String)> = Vec::new();
    for source in sources {
        match languages.last_mut().filter(|(tag, _)| *tag == source.language) {
            Some((_, text)) => *text += &format!("\n{}", source.text),
            None => languages.push((&source.language, source.text.clone())),
        }
    }
    let original = languages.iter().find(|(tag, _)| *tag == ORIGINAL).ok_or("there is no original")?;
    languages.push((PSEUDO, pseudo(&original.1)));
    let mut code = String::new();
    writeln!(code, "/// Each language with its messages, the original first and the pseudo-language last.")?;
    writeln!(code, "pub(super) const SOURCES: [(&str, &str); {}] = {languages:?};", languages.len())?;
    // A key is a word for people, not for programmers: `from-address`.
    writeln!(code, "#[deny(dead_code)]\n#[allow(clippy::wrong_self_convention)]\nimpl Language {{")?;
    // What the formatter itself asks for has no function.
    for Found { key, variables, text } in messages.iter().filter(|found| found.key != "language-digit-group")
    {
        let name = |key: &str| key.replace('-', "_");
        let parameters: String =
            variables.iter().map(|variable| format!(", {}: impl Argument", name(variable))).collect();
        let arguments: Vec<String> =
            variables.iter().map(|variable| format!("({variable:?}, {}.value())", name(variable))).collect();
        writeln!(code, "#[doc = {text:?}]")?;
        writeln!(code, "pub(crate) fn {}(self{parameters}) -> Text {{", name(key))?;
        writeln!(code, "self.text({key:?}, [{}])\n}}", arguments.join(", "))?;
    }
    writeln!(code, "}}")?;
    Ok(code)
}
