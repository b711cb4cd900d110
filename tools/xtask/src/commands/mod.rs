//! One file a command: its arguments, and what it does.

pub(crate) mod completions;
pub(crate) mod down;
pub(crate) mod lint;
pub(crate) mod test;
pub(crate) mod up;
