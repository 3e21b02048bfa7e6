//! Does with ruma what `mx2s validate-id -` does: reads user IDs from stdin, one a line, and prints how many of them
//! are valid as MSC4246 has it, strict or `@:domain`; with `-v` also a `1` or `0` for each line before.
use ruma_identifiers_validation::user_id::{localpart_is_fully_conforming, validate};
use std::io::{BufRead, BufReader, BufWriter, Write, stdin, stdout};

fn main() -> std::io::Result<()> {
    let verbose = std::env::args().nth(1).as_deref() == Some("-v");
    let mut input = BufReader::with_capacity(1 << 16, stdin().lock());
    let mut output = BufWriter::with_capacity(1 << 16, stdout().lock());
    let (mut line, mut total, mut valid) = (Vec::new(), 0u64, 0u64);
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        let is_valid = std::str::from_utf8(&line).is_ok_and(is_valid);
        total += 1;
        valid += u64::from(is_valid);
        if verbose {
            output.write_all(if is_valid { b"1\n" } else { b"0\n" })?;
        }
    }
    writeln!(output, "{{\"total\":{total},\"valid\":{valid}}}")?;
    output.flush()
}

/// The steps of `<&UserId>::try_from` and `UserId::validate_strict` of ruma-common, which is all this crate and takes
/// minutes to build.
fn is_valid(text: &str) -> bool {
    if validate(text).is_err() {
        return false;
    }
    let localpart = &text[1..text.find(':').expect("a valid ID has one")];
    localpart.is_empty() || localpart_is_fully_conforming(localpart) == Ok(true)
}
