//! The manifest: which records a report is made from, and what its files are. Written as it goes, so that a hundred thousand
//! ids are never all in memory.

use std::io::{self, Write};

use revocation_core::domain::audit_chain::RecordKey;
use serde::Serialize;

use crate::GENERATOR;
use crate::counts::Counts;
use crate::entry::Facts;

/// A file of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileFacts {
    /// Its name.
    pub name: String,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
    /// How many bytes it has.
    pub bytes: u64,
}

/// Writes a manifest member by member.
pub(crate) struct ManifestWriter<W> {
    out: W,
    any: bool,
}

impl<W: Write> ManifestWriter<W> {
    /// Writes what is known at the beginning.
    pub(crate) fn begin(mut out: W, facts: &Facts) -> io::Result<Self> {
        out.write_all(b"{\n  \"version\": \"1\",\n")?;
        member(&mut out, "generator", &GENERATOR)?;
        member(&mut out, "generated_at", &facts.generated_at.rfc3339())?;
        member(&mut out, "generated_by", &facts.generated_by)?;
        member(&mut out, "scope", &facts.scope)?;
        out.write_all(b"  \"records\": [")?;
        Ok(Self { out, any: false })
    }

    /// Adds a record.
    pub(crate) fn record(&mut self, key: &RecordKey) -> io::Result<()> {
        let separator: &[u8] = if self.any { b",\n    " } else { b"\n    " };
        self.out.write_all(separator)?;
        self.any = true;
        serde_json::to_writer(&mut self.out, key).map_err(io::Error::from)
    }

    /// Writes what is known at the end.
    pub(crate) fn finish(mut self, counts: &Counts, files: &[FileFacts]) -> io::Result<W> {
        self.out.write_all(b"\n  ],\n")?;
        member(&mut self.out, "counts", counts)?;
        self.out.write_all(b"  \"files\": ")?;
        serde_json::to_writer(&mut self.out, files).map_err(io::Error::from)?;
        self.out.write_all(b"\n}\n")?;
        self.out.flush()?;
        Ok(self.out)
    }
}

fn member<T: Serialize>(out: &mut impl Write, name: &str, value: &T) -> io::Result<()> {
    write!(out, "  \"{name}\": ")?;
    serde_json::to_writer(&mut *out, value).map_err(io::Error::from)?;
    out.write_all(b",\n")
}
