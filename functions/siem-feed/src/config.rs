//! Configuration of `siem-feed`.

use revocation_aws::firehose::CLASS;
use revocation_lambda::env::{BadEnvironment, EnvReader, Variables};

/// Firehose API, `DeliveryStreamName`.
const MAX_STREAM_CHARS: usize = 64;

/// Everything `siem-feed` is told by its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `SIEM_FIREHOSE`: the stream; `{class_uid}` in it stands for the event's class. Default: the function's own log.
    pub firehose: Option<String>,
    /// `QUEUE_URL`: the queue it is fed from.
    pub queue_url: String,
    /// `DEAD_LETTER_QUEUE_URL`
    pub dead_letter_queue_url: String,
}

impl Config {
    /// Reads the environment; names every mistake.
    pub fn read(variables: &dyn Variables) -> Result<Self, BadEnvironment> {
        let mut env = EnvReader::new(variables);
        let firehose = env.optional("SIEM_FIREHOSE");
        if firehose.as_deref().is_some_and(|name| !is_stream_name(&name.replace(CLASS, "3002"))) {
            env.mistake("SIEM_FIREHOSE is not 1 to 64 letters, digits, - . _ (and {class_uid})");
        }
        let config = Self {
            firehose,
            queue_url: env.required("QUEUE_URL"),
            dead_letter_queue_url: env.required("DEAD_LETTER_QUEUE_URL"),
        };
        env.finish(config)
    }
}

fn is_stream_name(name: &str) -> bool {
    name.len() <= MAX_STREAM_CHARS && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_start_names_every_variable() {
        let BadEnvironment(mistakes) = Config::read(&[("SIEM_FIREHOSE", "a/{class_uid}")]).unwrap_err();
        assert_eq!(mistakes.len(), 3, "{mistakes:?}");
    }

    #[test]
    fn a_stream_may_be_named_by_class_or_not_at_all() {
        for (name, stream) in [("", None), ("siem", Some("siem")), ("siem-{class_uid}", Some("siem-{class_uid}"))] {
            let variables = [("SIEM_FIREHOSE", name), ("QUEUE_URL", "q"), ("DEAD_LETTER_QUEUE_URL", "d")];
            assert_eq!(Config::read(&variables).unwrap().firehose.as_deref(), stream);
        }
    }
}
