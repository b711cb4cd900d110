//! A list of subjects from a file: one a line, or a column of a table as spreadsheets write it.
//!
//! Read leniently where nothing is at stake (byte-order mark, `;` or tab instead of `,`, quotes, comments, empty lines,
//! a header), and strictly where somebody is: a line that names nobody stops everything before anything is asked for.

use std::collections::HashSet;
use std::fmt::Write as _;

use ::csv::{ReaderBuilder, StringRecord, Trim};
use revocation_core::domain::subject::SubjectIdentifier;
use sha2::{Digest as _, Sha256};

use crate::failure::Failure;
use crate::subject;

/// A million people with long names; more is another file by mistake.
pub(crate) const MOST_BYTES: usize = 256 * 1024 * 1024;
/// Mistakes that are shown one by one.
const MOST_SHOWN: usize = 20;
/// What a column with subjects may be called, without regard to case.
const HEADERS: [&str; 12] = [
    "subject",
    "email",
    "e-mail",
    "mail",
    "sub",
    "username",
    "user name",
    "user",
    "phone",
    "phone_number",
    "login",
    "account",
];

/// A list.
#[derive(Debug)]
pub(crate) struct List {
    /// Who, each name once, in the order of the file.
    pub(crate) entries: Vec<SubjectIdentifier>,
    /// Lines that repeat an earlier one.
    pub(crate) repeated: usize,
    /// SHA-256 of the entries, hexadecimal: what the list is kept under.
    pub(crate) id: String,
}

/// Reads a list.
pub(crate) fn read(bytes: &[u8]) -> Result<List, Failure> {
    if bytes.len() > MOST_BYTES {
        return Err(Failure::usage("the list is larger than 256 MB"));
    }
    let text = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
        .map_err(|_| Failure::usage("the list is not UTF-8").next("save it as CSV UTF-8"))?;
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .trim(Trim::All)
        .delimiter(delimiter(text))
        .from_reader(text.as_bytes());
    let (mut entries, mut seen, mut repeated, mut mistakes) = (Vec::new(), HashSet::new(), 0, Vec::new());
    let (mut record, mut column, mut first) = (StringRecord::new(), 0, true);
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => {
                let line = error.position().map_or(0, ::csv::Position::line);
                return Err(Failure::usage(format!("line {line} of the list is no CSV")));
            }
        }
        let header = std::mem::take(&mut first).then(|| header_column(&record)).flatten();
        if let Some(found) = header {
            column = found;
            continue;
        }
        let line = record.position().map_or(0, ::csv::Position::line);
        let cell = record.get(column).unwrap_or_default();
        if record.iter().all(str::is_empty) {
            continue;
        }
        match subject::parse(cell) {
            Ok(entry) if seen.insert(key(&entry)) => entries.push(entry),
            Ok(_) => repeated += 1,
            Err(failure) => mistakes.push(format!("line {line}: {}", failure.what)),
        }
    }
    if !mistakes.is_empty() {
        return Err(refused(&mistakes));
    }
    if entries.is_empty() {
        return Err(Failure::usage("the list has nobody on it"));
    }
    let id = entries.iter().fold(Sha256::new(), |hash, entry| hash.chain_update(key(entry)).chain_update("\n"));
    let mut hex = String::new();
    for byte in id.finalize() {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    Ok(List { entries, repeated, id: hex })
}

fn refused(mistakes: &[String]) -> Failure {
    let mut shown: Vec<&str> = mistakes.iter().take(MOST_SHOWN).map(String::as_str).collect();
    let more = format!("… and {} more", mistakes.len().saturating_sub(MOST_SHOWN));
    if mistakes.len() > MOST_SHOWN {
        shown.push(&more);
    }
    let what = format!("{} lines of the list name nobody; nothing was requested\n{}", mistakes.len(), shown.join("\n"));
    Failure::usage(what)
        .next("mend or take out these lines; is the right column named subject, email, sub or username?")
}

/// The entry as text, by which it is told from others. Addresses differ by more than case only for machines.
fn key(entry: &SubjectIdentifier) -> String {
    let text = serde_json::to_string(entry).unwrap_or_default();
    if matches!(entry, SubjectIdentifier::Email { .. }) { text.to_ascii_lowercase() } else { text }
}

/// The column with subjects, if this is a header.
fn header_column(record: &StringRecord) -> Option<usize> {
    record.iter().position(|cell| HEADERS.contains(&cell.to_lowercase().as_str()))
}

/// Whichever of the usual ones stands most often in the first line that is no comment.
fn delimiter(text: &str) -> u8 {
    let line = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#')).unwrap_or_default();
    let count = |delimiter: u8| line.bytes().filter(|byte| *byte == delimiter).count();
    [b',', b';', b'\t'].into_iter().max_by_key(|delimiter| (count(*delimiter), *delimiter == b',')).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emails(text: &str) -> Vec<String> {
        let entries = read(text.as_bytes()).unwrap().entries;
        entries
            .iter()
            .map(|entry| if let SubjectIdentifier::Email { email } = entry { email.clone() } else { panic!() })
            .collect()
    }

    #[test]
    fn a_list_is_read_as_people_keep_it() {
        let plain = ["a@example.com", "b@example.com"];
        for text in [
            "a@example.com\nb@example.com\n",
            "\u{feff}email\r\na@example.com\r\nb@example.com",
            "# who leaves\n\na@example.com\n  b@example.com  \n# end",
            "name;E-Mail;since\n\"Müller; Jane\";a@example.com;2020\nB;b@example.com;2021",
            "name\tusername\tmail\nJ\t\ta@example.com\nB\t\tb@example.com"
                .replace("username\t", "")
                .replace("\t\t", "\t")
                .as_str(),
            "\"a@example.com\",\"x\"\n\"b@example.com\",\"y\"",
        ] {
            assert_eq!(emails(text), plain, "{text:?}");
        }
    }

    #[test]
    fn a_name_counts_once_and_the_same_list_has_the_same_id() {
        let list = read(b"a@example.com\nA@Example.com\na@example.com\nb@example.com").unwrap();
        assert_eq!((list.entries.len(), list.repeated), (2, 2));
        assert_eq!(list.id, read(b"email\na@example.com\nb@example.com").unwrap().id);
        assert_ne!(list.id, read(b"b@example.com\na@example.com").unwrap().id);
        assert_eq!(list.id.len(), 64);
    }

    #[test]
    fn a_line_that_names_nobody_stops_everything_and_is_named_by_its_number() {
        let failure = read(b"a@example.com\n+0123\nb@example.com\na\x01b").unwrap_err();
        assert!(failure.what.contains("line 2") && failure.what.contains("line 4"), "{failure:?}");
        assert!(!failure.what.contains("+0123"), "quotes nothing");
        let many = (0..100).fold(String::new(), |list, n| format!("{list}+0{n}\n"));
        assert!(read(many.as_bytes()).unwrap_err().what.contains("and 80 more"));
    }

    #[test]
    fn nothing_and_rubbish_are_refused() {
        for bad in [&b""[..], b"\n\n", b"email\n", b"# nobody", b"\xff\xfe a", &[0; 100]] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_million_lines_are_read() {
        let mut text = String::new();
        (0..1_000_000).for_each(|n| writeln!(text, "user{n}@example.com").unwrap());
        assert_eq!(read(text.as_bytes()).unwrap().entries.len(), 1_000_000);
    }
}
