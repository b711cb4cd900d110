//! `check-sources`: the document of the HTTPS sources, checked as the functions check it when they start.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use revocation_core::domain::grant::Grant;
use revocation_core::domain::request::Effect;
use revocation_sources::document::MAX_PARAMETER_BYTES;
use revocation_sources::{Mistakes, Sources};
use serde::Serialize;
use serde_json::json;

use crate::say;

/// What shells and clap use for a command that was called wrongly.
const UNREADABLE: u8 = 2;

/// Check the document of the HTTPS sources and name every mistake with its line.
///
/// Exits with 0 if it is valid, 1 if it has mistakes, 2 if it cannot be read.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The document, in YAML.
    file: PathBuf,
    /// Print the outcome as JSON.
    #[arg(long)]
    json: bool,
}

/// One source, as it is shown.
#[derive(Serialize)]
struct Row {
    kind: &'static str,
    name: String,
    authentication: &'static str,
    secret: String,
    reasons: Vec<&'static str>,
    actions: Vec<&'static str>,
    pools: Vec<String>,
    subjects_per_hour: u32,
    /// After how many hours without anything from it an alarm rings; `None`: never.
    silent_after_hours: Option<u64>,
    /// What else decides whether something is done: preset and floor, comparison and effect.
    notes: String,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> ExitCode {
    match check(args) {
        Ok(code) => code,
        Err(error) => {
            say::error(&error);
            ExitCode::from(UNREADABLE)
        }
    }
}

fn check(args: &Args) -> Result<ExitCode> {
    let text = fs::read_to_string(&args.file).with_context(|| format!("cannot read {}", args.file.display()))?;
    if text.len() > MAX_PARAMETER_BYTES {
        let bytes = text.len();
        say::step(format_args!(
            "warning: {bytes} bytes are more than the {MAX_PARAMETER_BYTES} that a parameter of SSM Parameter Store can have"
        ));
    }
    let outcome = Sources::parse(&text);
    if args.json {
        say::line(as_json(&outcome));
    } else {
        show(&outcome);
    }
    Ok(if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn as_json(outcome: &Result<Sources, Mistakes>) -> serde_json::Value {
    let (sources, mistakes) = match outcome {
        Ok(sources) => (rows(sources), &[][..]),
        Err(Mistakes(all)) => (Vec::new(), all.as_slice()),
    };
    let mistake = |one: &revocation_sources::Mistake| json!({"line": one.line, "path": one.path, "what": one.what});
    let mistakes: Vec<_> = mistakes.iter().map(mistake).collect();
    json!({"valid": outcome.is_ok(), "sources": sources, "mistakes": mistakes})
}

fn show(outcome: &Result<Sources, Mistakes>) {
    match outcome {
        Ok(sources) => {
            let rows = rows(sources);
            let count = rows.len();
            let mut table = Table::new();
            table.load_style(UTF8_HORIZONTAL_ONLY);
            table.set_header([
                "source",
                "proves itself by",
                "reasons",
                "actions",
                "pools",
                "an hour",
                "silent after",
                "and",
            ]);
            for row in rows {
                let lists = [row.reasons.join("\n"), row.actions.join("\n"), row.pools.join("\n")];
                let [reasons, actions, pools] = lists;
                let proof = format!("{}\n{}", row.authentication, row.secret);
                let silent = row.silent_after_hours.map_or("–".to_owned(), |hours| format!("{hours} h"));
                let per_hour = row.subjects_per_hour.to_string();
                table.add_row([row.name, proof, reasons, actions, pools, per_hour, silent, row.notes]);
            }
            if count > 0 {
                say::line(table);
            }
            say::line(format_args!("valid: {count} sources"));
        }
        Err(mistakes) => {
            say::line(mistakes);
            say::line(format_args!("mistakes: {}", mistakes.0.len()));
        }
    }
}

fn rows(sources: &Sources) -> Vec<Row> {
    let siem = sources.siem.values().map(|source| {
        let floor = source.severity_floor.map_or(String::new(), |floor| format!("\nfrom {}", floor.as_str()));
        let notes = format!("{}{floor}", source.preset.as_str());
        let how = &source.authentication;
        row("siem", &source.name, (how.method(), how.secret()), &source.grant, source.silent_after, notes)
    });
    let role_change = sources.role_change.values().map(|source| {
        let effect = match source.effect {
            Effect::SignOut => "sign_out",
            Effect::Refresh => "refresh",
        };
        let how = &source.authentication;
        let proof = (how.method(), how.secret());
        row("role_change", &source.name, proof, &source.grant, source.silent_after, effect.to_owned())
    });
    let scim = sources.scim.values().map(|source| {
        let notes = format!("userName is\n{}", source.attributes.user_name.as_str());
        row("scim", &source.name, ("bearer", &source.tokens), &source.grant, source.silent_after, notes)
    });
    siem.chain(role_change).chain(scim).collect()
}

fn row(
    kind: &'static str,
    name: &str,
    (authentication, secret): (&'static str, &str),
    grant: &Grant,
    silent_after: Option<Duration>,
    notes: String,
) -> Row {
    Row {
        kind,
        name: name.to_owned(),
        authentication,
        secret: secret.to_owned(),
        reasons: grant.reasons.iter().map(|reason| reason.as_str()).collect(),
        actions: grant.actions.iter().map(|action| action.as_str()).collect(),
        pools: grant.pools.iter().map(ToString::to_string).collect(),
        subjects_per_hour: grant.subjects_per_hour,
        silent_after_hours: silent_after.map(|silence| silence.as_secs() / 3_600),
        notes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_valid_and_shown() {
        let text = include_str!("../../../../docs/sources/sources.example.yaml");
        let shown = as_json(&Sources::parse(text));
        assert_eq!(shown["valid"], true);
        let names: Vec<_> =
            shown["sources"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert!(names.contains(&"siem/splunk") && names.contains(&"role-change/erp") && names.contains(&"scim/entra"));
        let silent = |name: &str| {
            let row = shown["sources"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap();
            row["silent_after_hours"].as_u64()
        };
        assert_eq!((silent("scim/entra"), silent("siem/splunk")), (Some(24), None));
    }

    #[test]
    fn the_exit_code_tells_mistakes_from_files_that_cannot_be_read() {
        let file = std::env::temp_dir().join(format!("check-sources-{}.yaml", std::process::id()));
        let run_on = |text: &str| {
            fs::write(&file, text).unwrap();
            format!("{:?}", run(&Args { file: file.clone(), json: true }))
        };
        assert_eq!(run_on("version: 1"), format!("{:?}", ExitCode::SUCCESS));
        assert_eq!(run_on("version: 2"), format!("{:?}", ExitCode::from(1)));
        fs::remove_file(&file).unwrap();
        assert_eq!(format!("{:?}", run(&Args { file, json: false })), format!("{:?}", ExitCode::from(UNREADABLE)));
    }
}
