//! Wiring of the function.
fn main() {}
