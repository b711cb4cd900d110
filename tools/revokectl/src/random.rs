//! Ids nobody else makes.

use ring::rand::{SecureRandom as _, SystemRandom};

use crate::failure::Failure;

/// A UUID of random bits (RFC 9562, version 4): the event id of what is requested.
pub(crate) fn event_id() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Failure::other("this machine has no random numbers"))?;
    let bits = u128::from_be_bytes(bytes) & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let mut at = 0;
    let groups = [8, 4, 4, 4, 12].map(|length| {
        let group: String = hex.chars().skip(at).take(length).collect();
        at += length;
        group
    });
    Ok(groups.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_is_a_random_uuid_of_version_4() {
        let (one, other) = (event_id().unwrap(), event_id().unwrap());
        assert_ne!(one, other);
        assert_eq!((one.len(), &one[8..9], &one[14..15]), (36, "-", "4"));
        assert!(matches!(&one[19..20], "8" | "9" | "a" | "b"), "{one}");
    }
}
