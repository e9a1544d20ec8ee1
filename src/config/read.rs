//! From the tree of values to `Config`: a serde deserializer whose errors are paths and never
//! repeat a value.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{
        self, DeserializeSeed, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
        value::BorrowedStrDeserializer,
    },
    forward_to_deserialize_any,
};

use super::{
    Config,
    error::{Problem, Problems},
    nearest,
    schema::{self, Setting},
    source::{Node, Value},
};

/// Reads the configuration out of the tree.
///
/// After a mistake the value is taken out and reading starts again, so that all mistakes are told
/// at once. What is returned then is of no use; `problems` says so.
pub(super) fn config(tree: &mut Node, settings: &[Setting], problems: &mut Problems) -> Config {
    loop {
        let fault = match Config::deserialize(&*tree) {
            Ok(config) => return config,
            Err(fault) => fault,
        };
        problems.0.push(Problem {
            place: tree.place(&fault.path),
            key: display(&fault.path),
            message: fault.message(settings),
        });
        // An entry of a list is left out together with its list: without one value it would seem
        // to lack that value.
        let mut path = fault.path.as_slice();
        if !matches!(fault.what, What::UnknownKey(_)) {
            let index = path.iter().position(|step| step.starts_with('['));
            path = &path[..index.unwrap_or(path.len())];
        }
        if !tree.remove(path) {
            return Config::default();
        }
    }
}

/// The steps of a key such as `clients[0].client_id`.
pub(super) fn steps(key: &str) -> Vec<String> {
    key.replace('[', ".[").split('.').map(str::to_owned).collect()
}

fn display(path: &[String]) -> String {
    path.join(".").replace(".[", "[")
}

/// Why a value could not be read.
#[derive(Debug)]
pub(super) struct Fault {
    /// From the root down to the value; list entries are `[0]`, `[1]`, ...
    path: Vec<String>,
    what: What,
}

#[derive(Debug)]
pub(super) enum What {
    UnknownKey(String),
    /// The value is of the wrong kind or form; the schema tells what it should be.
    Unusable,
    Missing(&'static str),
}

impl Fault {
    fn new(what: What) -> Self {
        Fault { path: Vec::new(), what }
    }

    fn within(mut self, step: String) -> Self {
        self.path.insert(0, step);
        self
    }

    fn message(&self, settings: &[Setting]) -> String {
        match &self.what {
            What::UnknownKey(message) => message.clone(),
            What::Missing(key) => format!("`{key}` is missing; add it"),
            What::Unusable => match schema::find(settings, &self.path) {
                Some(schema) => format!("must be {}", schema::expectation(schema)),
                None => "must be a section with keys and values".to_owned(),
            },
        }
    }
}

impl std::error::Error for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", display(&self.path), self.what)
    }
}

impl de::Error for Fault {
    /// What types say of text they cannot read is dropped: many repeat the text.
    fn custom<T: fmt::Display>(_: T) -> Self {
        Fault::new(What::Unusable)
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Fault::new(What::Unusable)
    }

    fn invalid_value(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Fault::new(What::Unusable)
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Fault::new(What::Unusable)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let message = nearest::unknown(field, expected.iter().copied());
        Fault::new(What::UnknownKey(message))
    }

    fn missing_field(field: &'static str) -> Self {
        Fault::new(What::Missing(field))
    }
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Signed(value) => visitor.visit_i64(*value),
            Value::Unsigned(value) => visitor.visit_u64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Text(value) => visitor.visit_borrowed_str(value),
            Value::List(items) => visitor.visit_seq(Items { items, next: 0 }),
            Value::Map(entries) => visitor.visit_map(Entries { entries, next: 0 }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    /// A section whose keys are all commented out is one without keys.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.value {
            Value::Null => visitor.visit_map(Entries { entries: &[], next: 0 }),
            Value::Map(_) => self.deserialize_any(visitor),
            _ => Err(Fault::new(What::Unusable)),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Value::Null => visitor.visit_seq(Items { items: &[], next: 0 }),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.value {
            Value::Text(name) => visitor.visit_enum(name.as_str().into_deserializer()),
            _ => Err(Fault::new(What::Unusable)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct tuple tuple_struct map identifier ignored_any
    }
}

struct Items<'de> {
    items: &'de [Node],
    next: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some(node) = self.items.get(self.next) else {
            return Ok(None);
        };
        let index = self.next;
        self.next += 1;
        seed.deserialize(node).map(Some).map_err(|fault| fault.within(format!("[{index}]")))
    }
}

struct Entries<'de> {
    entries: &'de [(String, Node)],
    next: usize,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((key, _)) = self.entries.get(self.next) else {
            return Ok(None);
        };
        seed.deserialize(BorrowedStrDeserializer::new(key))
            .map(Some)
            .map_err(|fault: Fault| fault.within(key.clone()))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let Some((key, node)) = self.entries.get(self.next) else {
            return Err(de::Error::custom("a value without a key"));
        };
        self.next += 1;
        seed.deserialize(node).map_err(|fault| fault.within(key.clone()))
    }
}
