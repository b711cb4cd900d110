//! All that is printed and asked: results on standard output, progress, questions and errors on standard error.

use std::cell::Cell;
use std::io::{self, IsTerminal as _, Write as _};

use revocation_lambda::env::Variables;
use serde::Serialize;

use crate::cli::{Format, Globals};
use crate::failure::{Exit, Failure};
use crate::grid::Grid;
use crate::text::{is_deceptive, plain};

/// Narrower than this nothing can be read anyway.
const NARROWEST: u16 = 40;

/// Where the command's words go.
pub(crate) struct Screen {
    format: Format,
    paint: bool,
    width: Option<u16>,
    interactive: bool,
    gone: Cell<bool>,
}

/// A colour, by what it means.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tone {
    /// All is well.
    Good,
    /// Somebody should look.
    Warning,
    /// Something is wrong.
    Bad,
    /// Of lesser interest.
    Faint,
    /// Of greater interest.
    Strong,
}

impl Screen {
    /// As the options and the terminal have it.
    pub(crate) fn new(globals: &Globals, variables: &dyn Variables) -> Self {
        let on = |name: &str| variables.get(name).is_some_and(|value| !value.is_empty());
        let terminal = io::stdout().is_terminal();
        let dumb = variables.get("TERM").is_none_or(|term| term == "dumb");
        let width = rustix::termios::tcgetwinsize(io::stdout()).ok().map(|size| size.ws_col);
        Self {
            format: globals.output,
            // https://no-color.org
            paint: terminal && !dumb && !globals.no_color && !on("NO_COLOR") && globals.output == Format::Table,
            width: width.filter(|width| terminal && *width > 0).map(|width| width.max(NARROWEST)),
            interactive: io::stdin().is_terminal() && io::stderr().is_terminal(),
            gone: Cell::new(false),
        }
    }

    /// Whether the result is JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Whether somebody is there to answer.
    pub(crate) fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// Whether whoever read our output has left, as `head` does.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.get()
    }

    /// The result: one JSON document, or what people read.
    pub(crate) fn result<T: Serialize>(&self, value: &T, human: impl FnOnce(&Self) -> String) -> Result<(), Failure> {
        if self.is_json() {
            self.line(json(value, true)?);
        } else {
            self.line(human(self).trim_end());
        }
        Ok(())
    }

    /// One of many results, as they come: JSON on a line, or what people read.
    pub(crate) fn item<T: Serialize>(&self, value: &T, human: impl FnOnce(&Self) -> String) -> Result<(), Failure> {
        if self.is_json() {
            self.line(json(value, false)?);
        } else {
            self.line(human(self));
        }
        Ok(())
    }

    /// A table as wide as the terminal allows.
    pub(crate) fn draw(&self, grid: Grid) -> String {
        grid.draw(self.width)
    }

    /// The text in a colour, if there are colours.
    pub(crate) fn paint(&self, tone: Tone, text: impl std::fmt::Display) -> String {
        paint(self.paint, tone, text)
    }

    /// A line of the result.
    pub(crate) fn line(&self, text: impl std::fmt::Display) {
        self.raw(format!("{text}\n").as_bytes());
    }

    /// Bytes of the result, as they are.
    pub(crate) fn raw(&self, bytes: &[u8]) {
        let mut out = io::stdout().lock();
        if out.write_all(bytes).and_then(|()| out.flush()).is_err() {
            self.gone.set(true);
        }
    }

    /// A line about what happens now.
    #[expect(clippy::unused_self, reason = "the screen is what is written on, whichever stream that is")]
    pub(crate) fn note(&self, text: impl std::fmt::Display) {
        // Nobody is left to be told that standard error is closed.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Why the command failed, and what to do next.
    pub(crate) fn failure(&self, failure: &Failure) {
        if self.is_json() {
            let told = serde_json::json!({
                "error": {"code": failure.exit, "exit_code": failure.exit.code(), "what": failure.what, "next": failure.next}
            });
            return self.note(escaped(&told.to_string()));
        }
        if failure.exit == Exit::Interrupted && self.interactive {
            // The terminal has written "^C" where the cursor stood.
            self.note("");
        }
        let error = paint(self.paint && io::stderr().is_terminal(), Tone::Bad, "error:");
        // The lines are ours; what is quoted in them may not be.
        let what: Vec<String> = failure.what.lines().map(plain).collect();
        self.note(format_args!("{error} {}", what.join("\n")));
        if let Some(next) = &failure.next {
            let next: Vec<String> = next.lines().map(plain).collect();
            self.note(format_args!("       {}", next.join("\n       ")));
        }
    }

    /// Asks a question to be answered with yes or no; anything but yes is no.
    pub(crate) async fn confirm(&self, question: &str) -> Result<bool, Failure> {
        let answer = self.ask(&format!("{question} [y/N] ")).await?;
        Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
    }

    /// Asks a question and answers what was typed. Only where somebody is there: see [`Self::is_interactive`].
    pub(crate) async fn ask(&self, question: &str) -> Result<String, Failure> {
        let mut err = io::stderr().lock();
        let _ = write!(err, "{question}").and_then(|()| err.flush());
        drop(err);
        // On a thread of its own, so that Ctrl-C is heard meanwhile.
        let read = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            io::stdin().read_line(&mut line).map(|_| line)
        });
        let line = read.await.ok().and_then(Result::ok);
        line.map(|line| line.trim().to_owned()).ok_or_else(|| Failure::other("cannot read an answer"))
    }
}

fn paint(on: bool, tone: Tone, text: impl std::fmt::Display) -> String {
    let code = match tone {
        Tone::Good => 32,
        Tone::Warning => 33,
        Tone::Bad => 31,
        Tone::Faint => 2,
        Tone::Strong => 1,
    };
    if on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_string() }
}

/// A value as JSON that is harmless on a terminal.
pub(crate) fn json<T: Serialize>(value: &T, pretty: bool) -> Result<String, Failure> {
    let text = if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    text.map(|text| escaped(&text)).map_err(|error| Failure::other(format!("cannot write JSON: {error}")))
}

/// JSON escapes what ASCII calls control characters, but not those of C1 nor bidirectional overrides. They can only stand in
/// its strings, where an escape means the same.
fn escaped(json: &str) -> String {
    json.chars().fold(String::with_capacity(json.len()), |mut text, c| {
        if c != '\n' && is_deceptive(c) {
            let mut units = [0; 2];
            text.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            text.push(c);
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_harmless_and_means_the_same() {
        let value = "a\u{9b}b\u{202e}c\u{1b}d\u{e0041}";
        let written = json(&value, false).unwrap();
        assert!(written.is_ascii(), "{written}");
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), value);
    }
}
