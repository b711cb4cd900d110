//! Session revocation without AWS: what is true (`domain`), what is needed (`ports`), what is done (`usecase`).
//!
//! Nothing here does I/O, reads the environment or the wall clock; `tests/architecture` fails the build otherwise.

pub mod domain;
pub mod ports;
pub mod trace;
pub mod usecase;
