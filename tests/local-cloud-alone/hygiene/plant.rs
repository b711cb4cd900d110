//! Marks planted into what is sent, one at a time, and found again in what must not have them.

use std::collections::BTreeMap;

use serde_json::Value;

/// What a mark looks like to whoever reads it. A field may let one form through and not the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A bare word, as a user name is.
    Word,
    /// An address.
    Address,
    /// Words, as a name is.
    Name,
}

/// Every form.
pub(crate) const FORMS: [Form; 3] = [Form::Word, Form::Address, Form::Name];

/// Members that hold an event's id. Each variant of a sample gets one of its own, or the second would be a repetition.
const IDS: [&str; 9] =
    ["event_id", "uuid", "log_id", "eventId", "eventID", "signal_id", "sid", "composite_id", "incident_id"];

/// Where a mark was planted.
#[derive(Clone, Debug)]
pub(crate) struct Planted {
    /// Sample and JSON pointer, or what the field is called.
    pub(crate) place: String,
    /// As what.
    pub(crate) form: Form,
}

/// Hands out marks, and knows them again.
pub(crate) struct Planter {
    run: String,
    planted: Vec<Planted>,
    /// Whole texts that must not turn up, such as tokens, with their names.
    texts: Vec<(String, String)>,
    /// How often each member of each kind of sample was marked.
    times: BTreeMap<String, usize>,
}

impl Planter {
    /// `run` sets the marks of this run apart; lower-case letters and digits.
    pub(crate) fn new(run: u32) -> Self {
        Self { run: format!("zq{run}z"), planted: Vec::new(), texts: Vec::new(), times: BTreeMap::new() }
    }

    /// A new mark.
    pub(crate) fn mark(&mut self, place: &str, form: Form) -> String {
        let word = format!("{}{}z", self.run, self.planted.len());
        self.planted.push(Planted { place: place.to_owned(), form });
        match form {
            Form::Word => word,
            Form::Address => format!("{word}@example.com"),
            Form::Name => format!("Jane {word} Doe"),
        }
    }

    /// A new mark that is a bare word.
    pub(crate) fn word(&mut self, place: &str) -> String {
        self.mark(place, Form::Word)
    }

    /// Has this text looked for, too: what cannot be made to hold a mark.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        assert!(text.len() >= 10, "{name} is found by chance");
        self.texts.push((name.to_owned(), text.to_owned()));
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.planted.len() + self.texts.len()
    }

    /// The sample with one string marked at a time, and with an unknown member in every object. `kind/name` names it; of
    /// samples of one kind, each member is marked in every form once, in as many of them as there are forms.
    pub(crate) fn variants(&mut self, name: &str, sample: &Value) -> Vec<Value> {
        let kind = name.split('/').next().unwrap_or_default();
        let mut found = (Vec::new(), Vec::new());
        walk(sample, String::new(), &mut found);
        let (strings, objects) = found;
        // A sample without others of its kind takes every form itself.
        let rounds = if name.contains('/') { 1 } else { FORMS.len() };
        let mut variants = Vec::new();
        for pointer in strings {
            for _ in 0..rounds {
                let times = self.times.entry(format!("{kind} {pointer}")).or_default();
                let Some(form) = FORMS.get(*times).copied() else { continue };
                *times += 1;
                let mut variant = self.renewed(sample);
                *variant.pointer_mut(&pointer).unwrap() = self.mark(&format!("{name} {pointer}"), form).into();
                variants.push(variant);
            }
        }
        for pointer in objects {
            let times = self.times.entry(format!("{kind} {pointer}/(member)")).or_default();
            *times += 1;
            if *times == 1 {
                let mut variant = self.renewed(sample);
                let member = self.word(&format!("{name} {pointer}/(member)"));
                variant.pointer_mut(&pointer).unwrap()[member] = 1.into();
                variants.push(variant);
            }
        }
        variants
    }

    /// The sample as another event: with ids nobody used, which are no marks.
    fn renewed(&self, sample: &Value) -> Value {
        let mut variant = sample.clone();
        renew(&mut variant, &format!("{}e{}", self.run.replace('z', "y"), self.planted.len()));
        variant
    }

    /// What was planted and stands in this text, in whatever case.
    pub(crate) fn found(&self, text: &str) -> Vec<Planted> {
        let lower = text.to_lowercase();
        let number = |rest: &str| rest.split_once('z').and_then(|(digits, _)| digits.parse::<usize>().ok());
        let marks = lower.split(&self.run).skip(1).filter_map(|rest| self.planted.get(number(rest)?).cloned());
        let texts = self.texts.iter().filter(|(_, planted)| text.contains(planted.as_str()));
        let texts = texts.map(|(name, _)| Planted { place: name.clone(), form: Form::Word });
        marks.chain(texts).collect()
    }
}

/// JSON pointers of the strings, and of the objects.
fn walk(value: &Value, at: String, found: &mut (Vec<String>, Vec<String>)) {
    match value {
        Value::String(_) => found.0.push(at),
        Value::Array(entries) => {
            // Of many alike, two: a hundred and one subjects are one case.
            for (index, entry) in entries.iter().enumerate().take(2) {
                walk(entry, format!("{at}/{index}"), found);
            }
        }
        Value::Object(members) => {
            found.1.push(at.clone());
            for (name, member) in members {
                walk(member, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        _ => {}
    }
}

/// Gives every member that may be the event's id a new value.
fn renew(value: &mut Value, id: &str) {
    match value {
        Value::Array(entries) => entries.iter_mut().for_each(|entry| renew(entry, id)),
        Value::Object(members) => {
            for (name, member) in members {
                if IDS.contains(&name.as_str()) && member.is_string() {
                    *member = id.into();
                }
                renew(member, id);
            }
        }
        _ => {}
    }
}
