//! From text to [`Filter`]: recursive descent, bounded in bytes, depth and terms before anything is built.

use serde_json::Number;

use super::{Filter, Literal, Operator, Text};
use crate::error::ScimError;
use crate::path::AttributePath;

/// Reads filters, alone or between the brackets of a path.
pub(crate) struct Parser<'t> {
    rest: &'t str,
    depth: usize,
    terms: usize,
    in_brackets: bool,
}

// === impl Filter ===

impl Filter {
    /// Parses a filter; operators and `true`, `false`, `null` in any case. Every error is `invalidFilter`.
    pub fn parse(text: &str) -> Result<Self, ScimError> {
        let mut parser = Parser::new(text)?;
        let filter = parser.any()?;
        parser.skip_space();
        if parser.rest().is_empty() { Ok(filter) } else { Err(bad("something follows the end of the filter")) }
    }
}

// === impl Parser ===

impl<'t> Parser<'t> {
    pub(crate) fn new(text: &'t str) -> Result<Self, ScimError> {
        if text.len() > Filter::MAX_BYTES {
            return Err(bad("the filter is longer than 2,048 bytes"));
        }
        Ok(Self { rest: text, depth: 0, terms: 0, in_brackets: false })
    }

    pub(crate) fn rest(&self) -> &'t str {
        self.rest
    }

    /// `[filter]`, if a bracket comes next.
    pub(crate) fn brackets(&mut self) -> Result<Option<Filter>, ScimError> {
        if !self.take('[') {
            return Ok(None);
        }
        if self.in_brackets {
            return Err(bad("brackets within brackets"));
        }
        self.enter()?;
        self.in_brackets = true;
        let filter = self.any()?;
        self.in_brackets = false;
        self.depth -= 1;
        self.skip_space();
        if self.take(']') { Ok(Some(filter)) } else { Err(bad("a bracket is not closed")) }
    }

    /// Characters that can be part of an attribute's name with URN and sub-attribute, or of a keyword.
    pub(crate) fn word(&mut self) -> &'t str {
        let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '-' | '_' | '$');
        self.split(self.rest.find(|c| !part(c)).unwrap_or(self.rest.len()))
    }

    /// `x or y or z`
    fn any(&mut self) -> Result<Filter, ScimError> {
        self.sequence("or", Self::all, Filter::Or)
    }

    /// `x and y and z`
    fn all(&mut self) -> Result<Filter, ScimError> {
        self.sequence("and", Self::one, Filter::And)
    }

    fn sequence(
        &mut self,
        keyword: &str,
        part: fn(&mut Self) -> Result<Filter, ScimError>,
        whole: fn(Vec<Filter>) -> Filter,
    ) -> Result<Filter, ScimError> {
        let first = part(self)?;
        if !self.take_keyword(keyword) {
            return Ok(first);
        }
        let mut parts = vec![first, part(self)?];
        while self.take_keyword(keyword) {
            parts.push(part(self)?);
        }
        Ok(whole(parts))
    }

    /// `(x)`, `not (x)` or a term.
    fn one(&mut self) -> Result<Filter, ScimError> {
        self.skip_space();
        let before = self.rest;
        let negated = self.take_keyword("not");
        self.skip_space();
        if !self.take('(') {
            self.rest = before;
            return self.term();
        }
        self.enter()?;
        let inner = self.any()?;
        self.depth -= 1;
        self.skip_space();
        if !self.take(')') {
            return Err(bad("a parenthesis is not closed"));
        }
        Ok(if negated { Filter::Not(Box::new(inner)) } else { inner })
    }

    /// `path pr`, `path op literal`, `path[filter]`, `path[filter].sub op literal`
    fn term(&mut self) -> Result<Filter, ScimError> {
        let path = AttributePath::parse(self.word()).map_err(|_| bad("an attribute is expected"))?;
        let Some(inner) = self.brackets()? else { return self.comparison(path) };
        if path.sub.is_some() {
            return Err(bad("brackets follow a sub-attribute"));
        }
        let sub = self.word();
        if sub.is_empty() {
            return Ok(Filter::Values(path, Box::new(inner)));
        }
        let sub = sub.strip_prefix('.').and_then(|sub| AttributePath::parse(sub).ok()).filter(AttributePath::is_plain);
        let sub = sub.ok_or_else(|| bad("a sub-attribute is expected after the brackets"))?;
        let comparison = self.comparison(sub)?;
        let all = match inner {
            Filter::And(mut all) => {
                all.push(comparison);
                all
            }
            // It will be a group within the brackets.
            Filter::Or(_) if self.depth + 2 > Filter::MAX_DEPTH => return Err(too_deep()),
            other => vec![other, comparison],
        };
        Ok(Filter::Values(path, Box::new(Filter::And(all))))
    }

    fn comparison(&mut self, path: AttributePath) -> Result<Filter, ScimError> {
        self.terms += 1;
        if self.terms > Filter::MAX_TERMS {
            return Err(bad("the filter has more than 100 comparisons"));
        }
        self.skip_space();
        let word = self.word();
        if word.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(path));
        }
        let operator = Operator::parse(word).ok_or_else(|| bad("an operator is expected after an attribute"))?;
        self.skip_space();
        Ok(Filter::Compare(path, operator, self.literal()?))
    }

    fn literal(&mut self) -> Result<Literal, ScimError> {
        if self.rest.starts_with('"') {
            return self.text();
        }
        if self.rest.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            return self.number();
        }
        match self.word() {
            word if word.eq_ignore_ascii_case("true") => Ok(Literal::Bool(true)),
            word if word.eq_ignore_ascii_case("false") => Ok(Literal::Bool(false)),
            word if word.eq_ignore_ascii_case("null") => Ok(Literal::Null),
            _ => Err(bad("a value is expected after an operator: a JSON string, number, true, false or null")),
        }
    }

    /// A JSON string.
    fn text(&mut self) -> Result<Literal, ScimError> {
        let mut escaped = false;
        let end = self.rest.bytes().skip(1).position(|byte| {
            let closes = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            closes
        });
        // One for the quote at the start, one to stand behind the other.
        let end = end.ok_or_else(|| bad("a string is not closed"))? + 2;
        let raw = serde_json::from_str(self.split(end)).map_err(|_| bad("a string is not a JSON string"))?;
        Ok(Literal::Text(Text::new(raw)))
    }

    /// A JSON number.
    fn number(&mut self) -> Result<Literal, ScimError> {
        let part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        let text = self.split(self.rest.find(|c| !part(c)).unwrap_or(self.rest.len()));
        let read: Number = serde_json::from_str(text).map_err(|_| bad("a number is not a JSON number"))?;
        if !read.is_f64() {
            return Ok(Literal::Number(read));
        }
        // `serde_json` may be one unit in the last place off.
        let exact = text.parse().ok().and_then(Number::from_f64);
        exact.map(Literal::Number).ok_or_else(|| bad("a number is out of range"))
    }

    fn enter(&mut self) -> Result<(), ScimError> {
        self.depth += 1;
        if self.depth > Filter::MAX_DEPTH { Err(too_deep()) } else { Ok(()) }
    }

    fn take_keyword(&mut self, keyword: &str) -> bool {
        let before = self.rest;
        self.skip_space();
        let taken = self.word().eq_ignore_ascii_case(keyword);
        if !taken {
            self.rest = before;
        }
        taken
    }

    fn take(&mut self, c: char) -> bool {
        let rest = self.rest.strip_prefix(c);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    /// Takes so many bytes; nothing if they do not end between characters.
    fn split(&mut self, at: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at_checked(at).unwrap_or(("", self.rest));
        self.rest = rest;
        taken
    }
}

fn bad(detail: &'static str) -> ScimError {
    ScimError::invalid_filter(detail)
}

fn too_deep() -> ScimError {
    bad("the filter is nested deeper than 16 levels")
}
