//! YAML as a tree of JSON values with their lines. Of YAML only what JSON has: no anchors, aliases or tags, one document,
//! no key twice.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};
use serde_json::{Map, Number, Value};

use super::mistake::Report;

/// Deepest nesting; the document's own is 7.
const MAX_DEPTH: usize = 16;

/// A document.
#[derive(Debug)]
pub(super) struct Tree {
    /// Its content.
    pub(super) value: Value,
    lines: HashMap<String, usize>,
}

/// Reads a document; `None` if nothing can be said about its content.
pub(super) fn read(text: &str, report: &Report) -> Option<Tree> {
    let mut reader = Reader { parser: Parser::new_from_str(text), report, lines: HashMap::new() };
    let value = match reader.document() {
        Ok(value) => value,
        Err(Stop::Syntax(error)) => {
            let what = format!("is not YAML: {}", error.info());
            report.mistake(error.marker().line(), "", what);
            return None;
        }
        Err(Stop::Told) => return None,
    };
    Some(Tree { value, lines: reader.lines })
}

/// Appends a key or an index to a JSON pointer (RFC 6901).
pub(super) fn below(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    report: &'a Report,
    lines: HashMap<String, usize>,
}

/// Why reading cannot go on.
enum Stop {
    Syntax(ScanError),
    /// The mistake is in the report already.
    Told,
}

// === impl Tree ===

impl Tree {
    /// The line of what is at a pointer, or else of what it would be in.
    pub(super) fn line(&self, pointer: &str) -> usize {
        let mut pointer = pointer;
        loop {
            if let Some(line) = self.lines.get(pointer) {
                return *line;
            }
            let Some((parent, _)) = pointer.rsplit_once('/') else { return 1 };
            pointer = parent;
        }
    }
}

// === impl Reader ===

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<Value, Stop> {
        let mut value = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(value.unwrap_or_default()),
                Event::DocumentStart(_) if value.is_some() => {
                    return Err(self.stop(&span, "", "is followed by a second document"));
                }
                Event::DocumentStart(_) => {
                    let (event, span) = self.next()?;
                    value = Some(self.node(event, &span, "", 0)?);
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Stop> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(Stop::Syntax(error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'a>, span: &Span, pointer: &str, depth: usize) -> Result<Value, Stop> {
        self.lines.entry(pointer.to_owned()).or_insert(span.start.line());
        if depth > MAX_DEPTH {
            return Err(self.stop(span, pointer, "is nested more than 16 levels deep"));
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.plain_yaml(span, pointer, anchor, tag.is_some());
                Ok(if style == ScalarStyle::Plain { scalar(&text) } else { Value::String(text.into_owned()) })
            }
            Event::SequenceStart(anchor, tag) => {
                self.plain_yaml(span, pointer, anchor, tag.is_some());
                self.sequence(pointer, depth)
            }
            Event::MappingStart(anchor, tag) => {
                self.plain_yaml(span, pointer, anchor, tag.is_some());
                self.mapping(pointer, depth)
            }
            Event::Alias(_) => {
                self.tell(span, pointer, "is an alias, which is not allowed here");
                Ok(Value::Null)
            }
            // A document without content.
            _ => Ok(Value::Null),
        }
    }

    fn sequence(&mut self, pointer: &str, depth: usize) -> Result<Value, Stop> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd | Event::StreamEnd) {
                return Ok(Value::Array(items));
            }
            let pointer = below(pointer, &items.len().to_string());
            items.push(self.node(event, &span, &pointer, depth + 1)?);
        }
    }

    fn mapping(&mut self, pointer: &str, depth: usize) -> Result<Value, Stop> {
        let mut members = Map::new();
        loop {
            let (event, span) = self.next()?;
            let key = match event {
                Event::MappingEnd | Event::StreamEnd => return Ok(Value::Object(members)),
                Event::Scalar(text, _, anchor, tag) => {
                    self.plain_yaml(&span, pointer, anchor, tag.is_some());
                    text.into_owned()
                }
                _ => return Err(self.stop(&span, pointer, "has a key that is not a text")),
            };
            let place = below(pointer, &key);
            let first = self.lines.get(&place).copied().filter(|_| members.contains_key(&key));
            if let Some(line) = first {
                self.tell(&span, &place, &format!("stands twice; it is on line {line} already"));
            }
            self.lines.entry(place.clone()).or_insert(span.start.line());
            let (event, span) = self.next()?;
            let value = self.node(event, &span, &place, depth + 1)?;
            members.entry(key).or_insert(value);
        }
    }

    /// Anchors and tags make a document say what it does not show.
    fn plain_yaml(&self, span: &Span, pointer: &str, anchor: usize, has_tag: bool) {
        if anchor != 0 {
            self.tell(span, pointer, "has an anchor, which is not allowed here");
        }
        if has_tag {
            self.tell(span, pointer, "has a tag, which is not allowed here");
        }
    }

    fn tell(&self, span: &Span, pointer: &str, what: &str) {
        self.report.mistake(span.start.line().max(1), pointer, what);
    }

    fn stop(&self, span: &Span, pointer: &str, what: &str) -> Stop {
        self.tell(span, pointer, what);
        Stop::Told
    }
}

/// A plain scalar by YAML's core schema; hexadecimal and octal numbers and infinity are texts.
fn scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let numeric = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'))
        && text.bytes().any(|b| b.is_ascii_digit());
    let number = || text.parse::<i64>().ok().map(Number::from).or_else(|| Number::from_f64(text.parse().ok()?));
    numeric.then(number).flatten().map_or_else(|| Value::String(text.to_owned()), Value::Number)
}
