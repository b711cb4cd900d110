//! What every sample means, as `events/samples/expectations.json` has it.

use intake_partner::translate::{Settings, Verdict, translate};
use revocation_core::domain::action::{AccountAction, AccountActionRequest};
use revocation_core::domain::event::{ACCOUNT_ACTION_REQUESTED, Envelope, REVOCATION_REQUESTED};
use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::request::RevocationRequest;
use serde_json::{Value, json};

use crate::files::{self, assert_valid, read_json, sample_paths};

/// The deployment the samples were written for; its pools may know Okta and Auth0 as identity providers.
fn settings(provider: Option<&str>) -> Settings {
    Settings {
        user_pools: vec![UserPoolId("eu-central-1_Sample001".into())],
        okta_provider: provider.map(Into::into),
        auth0_provider: provider.map(Into::into),
        own_roles: vec!["arn:aws:iam::111122223333:role/revocation-ScimRole".to_owned()],
    }
}

/// What an event means.
enum Meaning {
    Verdict(Verdict),
    Action(AccountAction),
}

/// What the pipeline makes of an event: the revoke queue's parsers, or the translator of the partner queue.
fn read(text: &str, settings: &Settings) -> Result<Meaning, String> {
    let envelope: Envelope<'_> = serde_json::from_str(text).unwrap();
    match envelope.detail_type.as_str() {
        REVOCATION_REQUESTED => {
            let request = RevocationRequest::parse(envelope.detail.get()).map_err(|error| told(&error))?;
            Ok(Meaning::Verdict(Verdict::Requests(vec![request])))
        }
        ACCOUNT_ACTION_REQUESTED => {
            let request = AccountActionRequest::parse(envelope.detail.get()).map_err(|error| told(&error))?;
            Ok(Meaning::Action(request.action))
        }
        _ => translate(&envelope, settings).map(Meaning::Verdict).map_err(|error| told(&error)),
    }
}

/// As it stands beside a parked message.
fn told(error: &dyn std::error::Error) -> String {
    revocation_lambda::logging::chain(error)
}

fn summary(meaning: &Result<Meaning, String>) -> Value {
    match meaning {
        Ok(Meaning::Action(action)) => json!({ "action": action }),
        Ok(Meaning::Verdict(Verdict::Requests(all))) => {
            assert!(all.iter().all(|request| request.reason == all[0].reason));
            json!({"reason": all[0].reason, "requests": all.len()})
        }
        Ok(Meaning::Verdict(Verdict::Irrelevant(code))) => json!({ "irrelevant": code }),
        Err(why) => json!({ "malformed": why }),
    }
}

#[test]
fn every_sample_means_what_is_expected_of_it() {
    let expectations = read_json(&files::events().join("samples/expectations.json"));
    let expected: Vec<&String> = expectations.as_object().unwrap().keys().collect();
    let paths = sample_paths();
    assert_eq!(expected, paths.iter().collect::<Vec<_>>(), "samples and expectations do not match");
    for path in &paths {
        let text = read_json(&files::events().join("samples").join(path)).to_string();
        for provider in [None, Some("Idp")] {
            assert_eq!(summary(&read(&text, &settings(provider))), expectations[path], "{path}");
        }
    }
}

#[test]
fn every_request_made_of_a_sample_is_valid_and_is_read_back() {
    let validator = files::validator(files::REVOCATION_REQUESTED);
    let mut count = 0;
    for path in sample_paths() {
        let event = read_json(&files::events().join("samples").join(&path));
        for provider in [None, Some("Idp")] {
            let Ok(Meaning::Verdict(Verdict::Requests(requests))) = read(&event.to_string(), &settings(provider))
            else {
                continue;
            };
            for request in requests {
                let written = serde_json::to_value(&request).unwrap();
                assert_valid(&validator, &written, &path);
                assert_eq!(RevocationRequest::parse(&written.to_string()), Ok(request), "{path}");
                count += 1;
            }
        }
    }
    assert!(count > 40, "{count}");
}

#[test]
fn canonical_samples_are_valid_as_they_stand_and_malformed_ones_are_not() {
    let validator = files::validator(files::REVOCATION_REQUESTED);
    for path in sample_paths() {
        let event = read_json(&files::events().join("samples").join(&path));
        if event["detail-type"] != REVOCATION_REQUESTED {
            continue;
        }
        let is_good = path.starts_with("canonical/");
        assert!(is_good || path.starts_with("malformed/"), "{path}");
        if is_good {
            assert_valid(&validator, &event["detail"], &path);
        }
        assert_eq!(validator.is_valid(&event["detail"]), is_good, "{path}");
    }
}

#[test]
fn i08_a_sample_delivered_again_is_the_same_revocation() {
    for path in sample_paths() {
        let text = read_json(&files::events().join("samples").join(&path)).to_string();
        let ids = || match read(&text, &settings(None)) {
            Ok(Meaning::Verdict(Verdict::Requests(all))) => all.iter().map(|one| (one.id(), one.digest())).collect(),
            _ => Vec::new(),
        };
        let first = ids();
        assert_eq!(first, ids(), "{path}");
        assert!(first.iter().enumerate().all(|(n, one)| !first[..n].contains(one)), "{path}: two users, one id");
    }
}

#[test]
fn i10_samples_hold_made_up_people_only() {
    for path in sample_paths() {
        let text = read_json(&files::events().join("samples").join(&path)).to_string();
        for host in text.split('@').skip(1) {
            let host: String = host.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '.').collect();
            // RFC 2606, and the name Okta itself gives its system principal.
            assert!(["example.com", "okta.com", ""].contains(&host.as_str()), "{path}: {host}");
        }
    }
}
