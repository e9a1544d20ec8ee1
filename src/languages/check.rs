//! Reads the messages of all languages and compares them. Compiled into the build script, which turns what is
//! found here into the functions that templates call, and into tests.

use std::collections::BTreeMap;

use fluent_syntax::ast::{
    Entry, Expression, InlineExpression, Message, Pattern, PatternElement, Resource, VariantKey,
};
use fluent_syntax::parser;

/// The language that the others are translated from.
pub const ORIGINAL: &str = "en";

/// One file of messages.
pub struct Source {
    /// The language it is written in (BCP 47): the name of its folder.
    pub language: String,
    /// Its name: `login.ftl`.
    pub file: String,
    /// What stands in it.
    pub text: String,
}

/// A message as a template asks for it.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// Its key: `sign-in-heading`.
    pub key: String,
    /// The variables in the order of their first use in the original.
    pub variables: Vec<String>,
    /// The original in one line.
    pub text: String,
}

/// What is compared between languages.
struct Shape {
    file: String,
    variables: Vec<String>,
    /// Tags, entities and attribute values, sorted.
    markup: Vec<String>,
    text: String,
}

/// Elements that messages may have.
const ELEMENTS: [&str; 6] = ["a", "bdi", "code", "em", "span", "strong"];

/// The messages of the original, by file and in their order; or everything that is wrong, each with its file
/// and key.
pub fn check(sources: &[Source]) -> Result<Vec<Found>, Vec<String>> {
    let mut problems = Vec::new();
    let mut languages: BTreeMap<&str, BTreeMap<String, Shape>> = BTreeMap::new();
    let mut order = Vec::new();
    for source in sources {
        let messages = languages.entry(&source.language).or_default();
        let place = format!("locales/{}/{}", source.language, source.file);
        let resource = match parser::parse(source.text.as_str()) {
            Ok(resource) => resource,
            Err((resource, errors)) => {
                for error in errors {
                    let line = source.text[..error.pos.start.min(source.text.len())].lines().count().max(1);
                    problems.push(format!("{place}:{line}: {error}"));
                }
                resource
            }
        };
        for entry in &resource.body {
            match entry {
                Entry::Message(message) => {
                    let key = message.id.name.to_owned();
                    let shape = shape(message, &source.file, &format!("{place}: {key}"), &mut problems);
                    if source.language == ORIGINAL {
                        order.push(key.clone());
                    }
                    if let Some(other) = messages.insert(key.clone(), shape) {
                        problems.push(format!("{place}: {key} stands twice, also in {}", other.file));
                    }
                }
                Entry::Term(term) => {
                    problems.push(format!("{place}: -{} is a term, which nothing checks", term.id.name));
                }
                Entry::Comment(_)
                | Entry::GroupComment(_)
                | Entry::ResourceComment(_)
                | Entry::Junk { .. } => {}
            }
        }
    }
    let original = languages.remove(ORIGINAL).unwrap_or_default();
    for (language, messages) in &languages {
        compare(language, &original, messages, &mut problems);
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let found = |key: String| {
        let shape = &original[&key];
        Found { variables: shape.variables.clone(), text: shape.text.clone(), key }
    };
    Ok(order.into_iter().map(found).collect())
}

fn compare(
    language: &str,
    original: &BTreeMap<String, Shape>,
    messages: &BTreeMap<String, Shape>,
    problems: &mut Vec<String>,
) {
    for (key, shape) in original {
        let place = format!("locales/{language}/{}: {key}", shape.file);
        let Some(translated) = messages.get(key) else {
            problems.push(format!("{place} is missing"));
            continue;
        };
        let sorted = |names: &[String]| {
            let mut names = names.to_vec();
            names.sort();
            names
        };
        let (here, there) = (sorted(&translated.variables), sorted(&shape.variables));
        if here != there {
            problems.push(format!("{place} has the variables {here:?}, and {ORIGINAL} has {there:?}"));
        }
        if translated.markup != shape.markup {
            let (here, there) = (&translated.markup, &shape.markup);
            problems.push(format!("{place} has the markup {here:?}, and {ORIGINAL} has {there:?}"));
        }
        if translated.file != shape.file {
            problems
                .push(format!("locales/{language}/{}: {key} belongs into {}", translated.file, shape.file));
        }
    }
    for (key, translated) in messages.iter().filter(|(key, _)| !original.contains_key(*key)) {
        problems.push(format!("locales/{language}/{}: {key} is unknown to {ORIGINAL}", translated.file));
    }
}

fn shape(message: &Message<&str>, file: &str, place: &str, problems: &mut Vec<String>) -> Shape {
    let mut shape =
        Shape { file: file.to_owned(), variables: Vec::new(), markup: Vec::new(), text: String::new() };
    for attribute in &message.attributes {
        problems.push(format!("{place}.{} is an attribute; give it a key of its own", attribute.id.name));
    }
    match &message.value {
        None => problems.push(format!("{place} has no text")),
        Some(pattern) => {
            let mut spelled = String::new();
            spell(pattern, &mut spelled, &mut shape.variables, &mut |problem| {
                problems.push(format!("{place} {problem}"));
            });
            match markup(&spelled) {
                // A selection spells out its variants one after the other: how often each tag is there depends
                // on how many plural forms a language has.
                Ok(mut markup) => {
                    markup.sort();
                    markup.dedup();
                    shape.markup = markup;
                }
                Err(problem) => problems.push(format!("{place} {problem}")),
            }
            shape.text = spelled.split_whitespace().collect::<Vec<_>>().join(" ");
        }
    }
    shape
}

/// Writes out a pattern, all variants of a selection one after the other, with `{ $name }` for variables.
fn spell(
    pattern: &Pattern<&str>,
    spelled: &mut String,
    variables: &mut Vec<String>,
    complain: &mut impl FnMut(&str),
) {
    for element in &pattern.elements {
        match element {
            PatternElement::TextElement { value } => spelled.push_str(value),
            PatternElement::Placeable { expression: Expression::Inline(inline) } => match inline {
                InlineExpression::StringLiteral { value } => spelled.push_str(value),
                InlineExpression::VariableReference { id } => {
                    note(id.name, variables);
                    spelled.push_str(&format!("{{ ${} }}", id.name));
                }
                _ => complain("may name variables, strings and selections alone"),
            },
            PatternElement::Placeable { expression: Expression::Select { selector, variants } } => {
                match selector {
                    InlineExpression::VariableReference { id } => note(id.name, variables),
                    _ => complain("selects by something that is no variable"),
                }
                for variant in variants {
                    let (VariantKey::Identifier { name: key } | VariantKey::NumberLiteral { value: key }) =
                        &variant.key;
                    let is_number = key.bytes().all(|byte| byte.is_ascii_digit());
                    if !is_number && !["zero", "one", "two", "few", "many", "other"].contains(key) {
                        complain(&format!("selects by {key}, which is neither a number nor a plural form"));
                    }
                    spell(&variant.value, spelled, variables, complain);
                    spelled.push(' ');
                }
            }
        }
    }
}

fn note(variable: &str, variables: &mut Vec<String>) {
    if !variables.iter().any(|known| known == variable) {
        variables.push(variable.to_owned());
    }
}

/// The tags and entities of a text, or what is wrong with it as HTML.
fn markup(text: &str) -> Result<Vec<String>, String> {
    let (mut found, mut open) = (Vec::new(), Vec::new());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '>', '"', '&']) {
        rest = &rest[at..];
        let end = if rest.starts_with('&') { ';' } else { '>' };
        let length = match rest.starts_with(['<', '&']) {
            true => rest.find(end).ok_or("has a < or & which nothing ends")? + 1,
            false => return Err("has a > or \" outside of tags".to_owned()),
        };
        let (item, after) = rest.split_at(length);
        rest = after;
        found.push(item.to_owned());
        if item.starts_with('&') {
            continue;
        }
        let name = item.trim_start_matches(['<', '/']).split([' ', '>']).next().unwrap_or_default();
        if !ELEMENTS.contains(&name) {
            return Err(format!("has the element {name}; messages may have {}", ELEMENTS.join(", ")));
        }
        match item.starts_with("</") {
            true if open.pop() != Some(name) => return Err(format!("ends {name} where it does not begin")),
            true => {}
            false => open.push(name),
        }
    }
    match open.pop() {
        Some(name) => Err(format!("never ends {name}")),
        None => Ok(found),
    }
}

/// The tag of the language that nobody speaks: English with accents, and longer. Text without accents on one of
/// its pages is text that no message holds.
pub const PSEUDO: &str = "en-XA";

/// A file of the original in the pseudo-language. Tags and entities stay as they are, and so does what is set
/// for a language (`language-…`).
pub fn pseudo(source: &str) -> String {
    let mut resource: Resource<String> = match parser::parse(source.to_owned()) {
        Ok(resource) | Err((resource, _)) => resource,
    };
    for entry in &mut resource.body {
        if let Entry::Message(message) = entry
            && !message.id.name.starts_with("language-")
            && let Some(pattern) = &mut message.value
        {
            accent(pattern, &mut None);
        }
    }
    fluent_syntax::serializer::serialize(&resource)
}

/// `end` is what ends the tag or entity in which the pattern begins.
fn accent(pattern: &mut Pattern<String>, end: &mut Option<char>) {
    for element in &mut pattern.elements {
        match element {
            PatternElement::TextElement { value } => {
                *value = value.chars().flat_map(|letter| accented(letter, end)).collect();
            }
            PatternElement::Placeable { expression: Expression::Select { variants, .. } } => {
                for variant in variants {
                    accent(&mut variant.value, &mut end.clone());
                }
            }
            PatternElement::Placeable { expression: Expression::Inline(_) } => {}
        }
    }
}

fn accented(letter: char, end: &mut Option<char>) -> impl Iterator<Item = char> + use<> {
    const PLAIN: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const ACCENTED: &str = "áƀçđéƒğħíĵķłɱñóþɋřšŧúṽŵẋýžÁƁÇĐÉƑĞĦÍĴĶŁṂÑÓÞɊŘŠŦÚṼŴẊÝŽ";
    let shown = match (*end, letter) {
        (Some(last), letter) => {
            *end = (letter != last).then_some(last);
            letter
        }
        (None, '<') => {
            *end = Some('>');
            letter
        }
        (None, '&') => {
            *end = Some(';');
            letter
        }
        (None, letter) => PLAIN
            .chars()
            .position(|plain| plain == letter)
            .and_then(|at| ACCENTED.chars().nth(at))
            .unwrap_or(letter),
    };
    let is_long = shown != letter && "aeiou".contains(letter);
    std::iter::repeat_n(shown, if is_long { 2 } else { 1 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::languages::Language;

    fn source(language: &str, file: &str, text: &str) -> Source {
        Source { language: language.to_owned(), file: file.to_owned(), text: text.to_owned() }
    }

    /// What is wrong with a German file beside an English one.
    fn problems(english: &str, german: &str) -> Vec<String> {
        let sources = [source("en", "login.ftl", english), source("de", "login.ftl", german)];
        check(&sources).expect_err("something wrong")
    }

    #[test]
    fn what_is_right_is_found_in_the_order_of_the_original() {
        let english =
            "b = Hello <bdi>{ $name }</bdi>, { $count ->\n    [one] one\n   *[other] { $count }\n}\na = A\n";
        let german = "a = Ä\nb = { $count ->\n    [0] keins\n    [one] eins\n   *[other] { $count }\n}, <bdi>{ $name }</bdi>\n";
        let sources = [source("en", "login.ftl", english), source("de", "login.ftl", german)];
        let found = check(&sources).expect("nothing wrong");
        assert_eq!(found.iter().map(|found| found.key.as_str()).collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(found[0].variables, ["name", "count"]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_file_and_key() {
        for (english, german, expected) in [
            ("a = A\nb = B\n", "a = A\n", "locales/de/login.ftl: b is missing"),
            ("a = A\n", "a = A\nb = B\n", "locales/de/login.ftl: b is unknown to en"),
            ("a = A\na = B\n", "a = A\n", "locales/en/login.ftl: a stands twice, also in login.ftl"),
            (
                "a = A { $x }\n",
                "a = A { $y }\n",
                "locales/de/login.ftl: a has the variables [\"y\"], and en has [\"x\"]",
            ),
            (
                "a = <bdi>A</bdi>\n",
                "a = A\n",
                "locales/de/login.ftl: a has the markup [], and en has [\"</bdi>\", \"<bdi>\"]",
            ),
            (
                "a = <b>A</b>\n",
                "a = <b>A</b>\n",
                "locales/en/login.ftl: a has the element b; messages may have",
            ),
            ("a = <bdi>A\n", "a = <bdi>A\n", "locales/en/login.ftl: a never ends bdi"),
            ("a = A</bdi>\n", "a = A</bdi>\n", "locales/en/login.ftl: a ends bdi where it does not begin"),
            ("a = 1 > 0\n", "a = A\n", "locales/en/login.ftl: a has a > or \" outside of tags"),
            ("a = A & B\n", "a = A\n", "locales/en/login.ftl: a has a < or & which nothing ends"),
            ("a = A\n    .title = B\n", "a = A\n", "locales/en/login.ftl: a.title is an attribute"),
            ("-a = A\n", "", "locales/en/login.ftl: -a is a term"),
            ("a = { b }\nb = B\n", "a = A\nb = B\n", "locales/en/login.ftl: a may name variables"),
            ("a = A { $x\n", "a = A\n", "locales/en/login.ftl:1: "),
            (
                "a = { $x ->\n    [some] A\n   *[other] B\n}\n",
                "a = { $x ->\n   *[other] B\n}\n",
                "locales/en/login.ftl: a selects by some, which is neither",
            ),
        ] {
            let problems = problems(english, german);
            assert!(problems.iter().any(|found| found.starts_with(expected)), "{expected}: {problems:#?}");
        }
    }

    #[test]
    fn a_message_stands_in_the_file_of_the_original() {
        let sources = [source("en", "a.ftl", "a = A\n"), source("fr", "b.ftl", "a = A\n")];
        assert_eq!(check(&sources), Err(vec!["locales/fr/b.ftl: a belongs into a.ftl".to_owned()]));
    }

    #[test]
    fn the_messages_of_this_server_are_right() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("locales");
        let mut sources = Vec::new();
        for language in std::fs::read_dir(folder).expect("a folder") {
            let language = language.expect("an entry");
            for file in std::fs::read_dir(language.path()).expect("a folder") {
                let file = file.expect("an entry");
                let text = std::fs::read_to_string(file.path()).expect("a file");
                let name = |entry: &std::fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
                sources.push(source(&name(&language), &name(&file), &text));
            }
        }
        assert_eq!(check(&sources).err(), None);
    }

    #[test]
    fn the_pseudo_language_accents_words_and_leaves_markup_alone() {
        assert_eq!(Language::of_tag(PSEUDO).map(Language::tag), Some(PSEUDO));
        let made =
            pseudo("language-direction = ltr\na = Go <a href=\"{ $url }\" lang=\"en\">to&nbsp;it</a>\n");
        assert_eq!(
            made,
            "language-direction = ltr\na = Ğóó <a href=\"{ $url }\" lang=\"en\">ŧóó&nbsp;ííŧ</a>\n"
        );
    }
}
