//! Help and errors as they are printed: nothing here needs AWS. `TRYCMD=overwrite cargo test -p revokectl --test cli`
//! writes them anew.

#[test]
fn help_and_errors_are_as_documented() {
    trycmd::TestCases::new()
        .env("REVOKECTL_STACK", "")
        .env("NO_COLOR", "1")
        .env("COLUMNS", "120")
        .case("tests/cmd/*.trycmd");
}
