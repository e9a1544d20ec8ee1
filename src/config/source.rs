//! Where values come from: the YAML file, and the environment on top of it.
//!
//! Both end in one tree in which every value remembers its place, so that whatever is found wrong
//! with it later can be said with a line or a variable. The tree has no `Debug`: it holds secrets.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::Spanned;

use super::{
    error::{Place, Problem, Problems},
    nearest,
    schema::Setting,
};

/// A value and the place where it was given.
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) place: Place,
}

/// A YAML value.
pub(super) enum Value {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// Reads YAML text.
///
/// # Errors
/// The line, when known, and what the parser expected. Its snippets are left out: they would show
/// the secrets around a mistake.
pub(super) fn parse(text: &str) -> Result<Node, Problem> {
    // Comments are for people: kept by the parser, a long run of them would be too much for it.
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false, emit_comments: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| Problem {
        place: error.location().map(|at| Place::Line(at.line())),
        key: String::new(),
        message: format!("this is not valid YAML: {}", describe(&error)),
    })
}

/// What the parser says, without the values it found.
fn describe(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::Error as Yaml;
    match error.without_snippet() {
        Yaml::DuplicateMappingKey { key: Some(key), .. } => {
            format!("the key `{key}` stands here a second time; keep one")
        }
        Yaml::UnknownAnchor { .. } => {
            "an alias (*) without its anchor (&); put the value in quotes".to_owned()
        }
        Yaml::MultipleDocuments { .. } => {
            "it holds a second document; remove --- and what follows".to_owned()
        }
        Yaml::Eof { .. } => "it ends too early".to_owned(),
        // The parser's own words: they speak of syntax alone.
        Yaml::Message { msg, .. } => msg.clone(),
        _ => "a value has a form that is not understood; put text in quotes".to_owned(),
    }
}

impl Node {
    /// The tree of an empty file.
    pub(super) fn empty() -> Self {
        Node { value: Value::Null, place: Place::Line(1) }
    }

    /// The place of the value at `path`, or of the nearest value around it that was given.
    pub(super) fn place(&self, path: &[String]) -> Option<Place> {
        let mut found = None;
        let mut node = self;
        for step in path {
            let Some(next) = node.child(step) else { break };
            node = next;
            found = Some(node.place.clone());
        }
        found
    }

    fn child(&self, step: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(key, _)| key == step).map(|(_, n)| n),
            Value::List(items) => {
                let index = step.strip_prefix('[')?.strip_suffix(']')?;
                items.get(index.parse::<usize>().ok()?)
            }
            _ => None,
        }
    }

    /// Takes the value at `path` out, and says whether there was one.
    pub(super) fn remove(&mut self, path: &[String]) -> bool {
        match (path, &mut self.value) {
            ([key], Value::Map(entries)) => {
                let before = entries.len();
                entries.retain(|(name, _)| name != key);
                entries.len() < before
            }
            ([key, rest @ ..], Value::Map(entries)) => {
                entries.iter_mut().find(|(name, _)| name == key).is_some_and(|(_, node)| node.remove(rest))
            }
            ([index, rest @ ..], Value::List(items)) => items
                .iter_mut()
                .enumerate()
                .find(|(i, _)| *index == format!("[{i}]"))
                .is_some_and(|(_, node)| node.remove(rest)),
            _ => false,
        }
    }

    /// Puts `new` at `path`, in the place of what was there.
    fn set(&mut self, path: &[String], new: Node) {
        let [key, rest @ ..] = path else {
            *self = new;
            return;
        };
        if !matches!(self.value, Value::Map(_)) {
            self.value = Value::Map(Vec::new());
        }
        let Value::Map(entries) = &mut self.value else {
            return;
        };
        let index = match entries.iter().position(|(name, _)| name == key) {
            Some(index) => index,
            None => {
                let node = Node { value: Value::Null, place: new.place.clone() };
                entries.push((key.clone(), node));
                entries.len() - 1
            }
        };
        entries[index].1.set(rest, new);
    }

    /// Says of this value, and all within it, that it was given at `place`.
    fn move_to(&mut self, place: &Place) {
        self.place = place.clone();
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(|node| node.move_to(place)),
            Value::Map(entries) => entries.iter_mut().for_each(|(_, node)| node.move_to(place)),
            _ => {}
        }
    }
}

/// Lays the variables of the environment over the tree.
///
/// Text is taken literally, so that a secret needs no quotes; everything else is YAML. Names
/// without `__` that are not ours are left alone: container platforms set `GATEHOUSE_PORT` and the
/// like for a neighbour of that name.
pub(super) fn overlay(
    tree: &mut Node,
    settings: &[Setting],
    environment: impl Iterator<Item = (String, String)>,
    problems: &mut Problems,
) {
    for (name, text) in environment.filter(|(name, _)| name.starts_with("GATEHOUSE_")) {
        let Some(setting) = settings.iter().find(|s| s.variable() == name) else {
            if name.contains("__") {
                let known: Vec<String> = settings.iter().map(Setting::variable).collect();
                let message = nearest::unknown(&name, known.iter().map(String::as_str));
                problems.0.push(at_variable(name, message));
            }
            continue;
        };
        let place = Place::Variable(name.clone());
        let node = if setting.is_text() {
            Ok(Node { value: Value::Text(text), place: place.clone() })
        } else {
            parse(&text)
        };
        match node {
            Ok(mut node) => {
                node.move_to(&place);
                remove_other_form(tree, &setting.path);
                tree.set(&setting.path, node);
            }
            Err(problem) => problems.0.push(at_variable(name, problem.message)),
        }
    }
}

fn at_variable(name: String, message: String) -> Problem {
    Problem { place: Some(Place::Variable(name)), key: String::new(), message }
}

/// A secret that the environment gives in one form also replaces the other form in the file.
fn remove_other_form(tree: &mut Node, path: &[String]) {
    let Some((name, parents)) = path.split_last() else {
        return;
    };
    let other = match name.strip_suffix("_file") {
        Some(plain) => plain.to_owned(),
        None => format!("{name}_file"),
    };
    let other: Vec<String> = parents.iter().cloned().chain([other]).collect();
    if matches!(tree.place(&other), Some(Place::Line(_))) {
        tree.remove(&other);
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, referenced, .. } = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Node { value, place: Place::Line(referenced.line()) })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Signed(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Unsigned(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = items.next_element()? {
            list.push(node);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some((key, mut node)) = entries.next_entry::<Spanned<String>, Node>()? {
            // The line of the key: a nested value begins on the next one.
            node.place = Place::Line(key.referenced.line());
            map.push((key.value, node));
        }
        Ok(Value::Map(map))
    }
}
