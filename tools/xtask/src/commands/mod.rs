//! One file a command: its arguments, and what it does.

pub(crate) mod check_sources;
pub(crate) mod completions;
pub(crate) mod down;
pub(crate) mod fuzz;
pub(crate) mod lint;
pub(crate) mod model;
pub(crate) mod mutants;
pub(crate) mod sbom;
pub(crate) mod test;
pub(crate) mod up;
