//! What the developer sees: results on standard output, progress and errors on standard error.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool talks to the terminal")]

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A line of the result.
pub(crate) fn line(text: impl std::fmt::Display) {
    println!("{text}");
}

/// A line about what happens now.
pub(crate) fn step(text: impl std::fmt::Display) {
    eprintln!("» {text}");
}

/// Why the command failed, with every cause.
pub(crate) fn error(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}

/// Runs something slow behind a spinner; without a terminal it is a single line.
pub(crate) fn waiting<T>(text: &str, work: impl FnOnce() -> T) -> T {
    if !std::io::stderr().is_terminal() {
        step(text);
        return work();
    }
    let spinner = ProgressBar::new_spinner().with_message(text.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        spinner.set_style(style);
    }
    spinner.enable_steady_tick(Duration::from_millis(100));
    let result = work();
    spinner.finish_and_clear();
    step(text);
    result
}

/// A progress bar for work whose amount is known; nothing without a terminal.
pub(crate) fn progress(what: &'static str, amount: u64) -> ProgressBar {
    let bar = ProgressBar::new(amount).with_message(what);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} ({eta} left)") {
        bar.set_style(style);
    }
    bar
}
