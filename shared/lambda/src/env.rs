//! A function's configuration from its environment: read once, and every mistake named at once.

use std::fmt;
use std::str::FromStr;

/// Where variables come from: the process, or a map in tests.
pub trait Variables {
    /// The variable's value; `None` if it is not set.
    fn get(&self, name: &str) -> Option<String>;
}

/// The process's environment.
#[derive(Clone, Copy, Debug)]
pub struct ProcessEnv;

/// Reads variables and collects what is wrong with them.
pub struct EnvReader<'a> {
    variables: &'a dyn Variables,
    mistakes: Vec<String>,
}

/// Everything that is wrong with the environment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct BadEnvironment(pub Vec<String>);

impl fmt::Display for BadEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the function's environment is wrong: {}", self.0.join("; "))
    }
}

impl Variables for ProcessEnv {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

impl<const N: usize> Variables for [(&str, &str); N] {
    fn get(&self, name: &str) -> Option<String> {
        self.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    }
}

impl<'a> EnvReader<'a> {
    /// A reader of these variables.
    #[must_use]
    pub fn new(variables: &'a dyn Variables) -> Self {
        Self { variables, mistakes: Vec::new() }
    }

    /// A variable that must be set and not empty.
    pub fn required(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.mistakes.push(format!("{name} is not set"));
            String::new()
        })
    }

    /// A variable that may be missing; empty counts as missing, because CloudFormation cannot leave one out.
    pub fn optional(&mut self, name: &str) -> Option<String> {
        self.variables.get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A comma-separated list with at least one entry.
    pub fn list(&mut self, name: &str) -> Vec<String> {
        let text = self.required(name);
        let entries = entries_of(&text);
        if entries.is_empty() && !text.is_empty() {
            self.mistakes.push(format!("{name} has no entry"));
        }
        entries
    }

    /// A comma-separated list that may be missing or empty.
    pub fn optional_list(&mut self, name: &str) -> Vec<String> {
        self.optional(name).map(|text| entries_of(&text)).unwrap_or_default()
    }

    /// A variable that is parsed, with a default.
    pub fn parsed<T: FromStr>(&mut self, name: &str, default: T) -> T
    where
        T::Err: fmt::Display,
    {
        let Some(text) = self.optional(name) else { return default };
        text.parse().unwrap_or_else(|error| {
            self.mistakes.push(format!("{name} cannot be read: {error}"));
            default
        })
    }

    /// A whole number, with a default, and up to a limit.
    pub fn at_most(&mut self, name: &str, default: u64, most: u64) -> u64 {
        let number = self.parsed(name, default);
        if number > most {
            self.mistake(format!("{name} is above {most}"));
        }
        number
    }

    /// A variable that holds JSON, with a default.
    pub fn json<T: serde::de::DeserializeOwned>(&mut self, name: &str, default: T) -> T {
        let Some(text) = self.optional(name) else { return default };
        serde_json::from_str(&text).unwrap_or_else(|error| {
            self.mistakes.push(format!("{name} is not the JSON expected: {error}"));
            default
        })
    }

    /// Notes a mistake found by looking at several variables together.
    pub fn mistake(&mut self, text: impl Into<String>) {
        self.mistakes.push(text.into());
    }

    /// `config` if nothing was wrong, else everything that was.
    pub fn finish<T>(self, config: T) -> Result<T, BadEnvironment> {
        if self.mistakes.is_empty() { Ok(config) } else { Err(BadEnvironment(self.mistakes)) }
    }
}

fn entries_of(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_named_at_once() {
        let variables = [("A", "x"), ("B", " "), ("N", "many"), ("J", "{")];
        let mut env = EnvReader::new(&variables);
        assert_eq!(env.required("A"), "x");
        env.required("B");
        env.list("C");
        assert_eq!(env.parsed("N", 3), 3);
        env.json("J", ());
        let BadEnvironment(mistakes) = env.finish(()).unwrap_err();
        assert_eq!(mistakes.len(), 4, "{mistakes:?}");
        for (mistake, name) in mistakes.iter().zip(["B", "C", "N", "J"]) {
            assert!(mistake.starts_with(name), "{mistake}");
        }
    }

    #[test]
    fn lists_forgive_white_space() {
        let variables = [("L", "a, b ,,c")];
        assert_eq!(EnvReader::new(&variables).list("L"), ["a", "b", "c"]);
        let commas = [("L", " , ")];
        let mut env = EnvReader::new(&commas);
        env.list("L");
        assert!(env.finish(()).is_err(), "a list of nothing is a mistake");
    }
}
