//! The protocol under a model checker: every interleaving of the product's own use cases with everything that may happen
//! beside them, within bounds. See `docs/MODEL.md`.

mod counter;
mod protocol;
mod replay;
mod run;

pub use run::{Checked, Refuted, check, refute};
