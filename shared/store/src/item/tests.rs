use super::*;

fn read(item: &str) -> Result<Option<Tombstone>, Failure> {
    let body = format!(r#"{{"Item":{item}}}"#);
    Ok(got_item(body.as_bytes())?.map(TombstoneItem::into_tombstone))
}

const EVERYTHING: &str = r#"{"subject":{"S":"p#s"},"not_before":{"N":"7"},"claims_not_before":{"N":"8"},
    "sealed":{"BOOL":true},"sessions":{"M":{"o":{"N":"9"}}},"others_not_before":{"N":"6"},"others_spared":{"S":"here"},
    "hold":{"M":{"until":{"N":"10"},"message":{"S":"wait \"a\" bit\n\u00e9"}}},"hold_at":{"N":"5000"},"hold_by":{"S":"ac_1"},
    "revocation_id":{"S":"rv_1"},"expires_at":{"N":"11"},"another":{"L":[{"NULL":true},{"B":"AA=="}]}}"#;

#[test]
fn reads_every_attribute() {
    let expected = Tombstone {
        not_before: Some(EpochSeconds(7)),
        claims_not_before: Some(EpochSeconds(8)),
        sealed: true,
        sessions: BTreeMap::from([("o".into(), EpochSeconds(9))]),
        others: Some(OthersCutoff { not_before: EpochSeconds(6), spared: "here".into() }),
        hold: Some(Hold { until: Some(EpochSeconds(10)), message: "wait \"a\" bit\né".into() }),
        hold_changed: Some(ActionStamp { at: EpochMillis(5_000), by: RevocationId("ac_1".into()) }),
        revocation_id: Some(RevocationId("rv_1".into())),
        expires_at: Some(EpochSeconds(11)),
    };
    assert_eq!(read(EVERYTHING), Ok(Some(expected)));
    assert_eq!(read(r#"{"subject":{"S":"p#s"}}"#), Ok(Some(Tombstone::default())));
    // Member names may be escaped in JSON.
    let escaped = read(r#"{"not\u005fbefore":{"\u004e":"\u0037"}}"#).unwrap().unwrap();
    assert_eq!(escaped.not_before, Some(EpochSeconds(7)));
}

#[test]
fn only_an_answer_without_an_item_says_that_there_is_none() {
    for none in ["{}", " {} ", r#"{"ConsumedCapacity":{"TableName":"t","CapacityUnits":1.0}}"#] {
        assert!(matches!(got_item(none.as_bytes()), Ok(None)), "{none}");
    }
    for garbled in [
        "",
        "{",
        "[]",
        "null",
        "true",
        "\"{}\"",
        "{}{}",
        "{} x",
        "<html></html>",
        r#"{"message":"no"}"#,
        r#"{"__type":"InternalServerError"}"#,
        r#"{"item":{"not_before":{"N":"7"}}}"#,
        r#"{"Item":{"not_before":{"N":"7"}}"#,
        r#"{"Item":{"not_before":{"N":"7"#,
        "\u{feff}{}",
    ] {
        assert!(matches!(got_item(garbled.as_bytes()), Err(Failure::BadResponse)), "{garbled}");
    }
}

#[test]
fn i06_an_item_of_another_shape_is_not_read_as_harmless() {
    for item in [
        r"[]",
        r"null",
        r"7",
        r#"{"not_before":{"S":"7"}}"#,
        r#"{"not_before":{"N":7}}"#,
        r#"{"not_before":{"N":"soon"}}"#,
        r#"{"not_before":{"N":"7.5"}}"#,
        r#"{"not_before":{"N":""}}"#,
        r#"{"not_before":{"N":"99999999999999999999"}}"#,
        r#"{"not_before":{"N":"7","S":"x"}}"#,
        r#"{"not_before":{}}"#,
        r#"{"not_before":null}"#,
        r#"{"not_before":["7"]}"#,
        r#"{"not_before":{"NULL":true}}"#,
        r#"{"not_before":{"N":"7"},"not_before":{"N":"1"}}"#,
        r#"{"claims_not_before":{"L":[]}}"#,
        r#"{"sealed":{"S":"true"}}"#,
        r#"{"sealed":{"BOOL":"true"}}"#,
        r#"{"sealed":{"BOOL":null}}"#,
        r#"{"sessions":{"S":"o"}}"#,
        r#"{"sessions":{"M":[]}}"#,
        r#"{"sessions":{"M":{"o":{"S":"9"}}}}"#,
        r#"{"sessions":{"SS":["o"]}}"#,
        r#"{"hold":{"N":"1"}}"#,
        r#"{"hold":{"BOOL":false}}"#,
        r#"{"hold":{"M":[]}}"#,
        r#"{"hold":{"M":{"until":{"S":"1"}}}}"#,
        r#"{"hold":{"M":{"until":null}}}"#,
        r#"{"hold":{"M":{"message":{"N":"1"}}}}"#,
        r#"{"others_not_before":{"N":"1"}}"#,
        r#"{"others_spared":{"S":"here"}}"#,
        r#"{"revocation_id":{"N":"1"}}"#,
        r#"{"expires_at":{"S":"1"}}"#,
        r#"{"subject":{"N":"1"}}"#,
    ] {
        assert_eq!(read(item), Err(Failure::UnreadableItem), "{item}");
    }
}

#[test]
fn i06_an_answer_cut_short_anywhere_is_an_error() {
    let whole = format!(r#"{{"Item":{}}}"#, EVERYTHING.replace(['\n', ' '], ""));
    for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
        assert!(got_item(&whole.as_bytes()[..end]).is_err(), "{}", &whole[..end]);
    }
}

proptest::proptest! {
    #[test]
    fn i06_a_changed_byte_never_makes_a_tombstone_nobodys(at in 0..400_usize, to: u8) {
        let mut bytes = format!(r#"{{"Item":{}}}"#, EVERYTHING.replace(['\n', ' '], "")).into_bytes();
        let at = at % bytes.len();
        bytes[at] = to;
        proptest::prop_assert!(!matches!(got_item(&bytes), Ok(None)));
    }
}
