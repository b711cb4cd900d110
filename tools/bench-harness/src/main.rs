//! Plays the Lambda Runtime API and DynamoDB for `cargo xtask bench authorizer`, and measures the functions between them.
//!
//! `bench-harness` reads a plan from standard input and writes its figures as JSON to standard output.
//! `bench-harness answer-nothing <host:port>` is the instance that does nothing: the floor of an invocation.

#[cfg(target_os = "linux")]
mod harness;

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    harness::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> anyhow::Result<()> {
    anyhow::bail!("only Linux tells what is measured here")
}
