//! The numbers that the sources print, out of the engine: the examples of the course report (`sources/003`) and the
//! output-size formula (`sources/004`).
//!
//! The prints stand in `prints.rs` as the report has them, its scanner's slips included ([`prints::MISREAD`]). NumPy
//! printed arrays of float64 to eight digits and single numbers to all of theirs; the engine computes in float32. So a
//! number agrees that is within half a unit of the eighth digit and a float32 step of the number, or of 1 if it is less.

#[path = "../common/mod.rs"]
mod common;

mod affine;
mod convolution;
mod prints;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

use prints::MISREAD;

/// The numbers of a text.
fn tokens(text: &str) -> Vec<&str> {
    let tokens = text.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-'));
    tokens.filter(|token| token.parse::<f64>().is_ok()).collect()
}

fn numbers(text: &str) -> Vec<f32> {
    tokens(text).iter().map(|token| token.parse().unwrap()).collect()
}

/// The parts of a print in order, each the text under its heading.
fn parts<const N: usize>(print: &str) -> [String; N] {
    let mut parts = Vec::new();
    for line in print.lines() {
        if line.starts_with("*** ") {
            parts.push(String::new());
        } else if let Some((_, sum)) = line.split_once(": ") {
            parts.push(sum.into());
        } else if let Some(part) = parts.last_mut().filter(|_| !line.starts_with("##")) {
            part.push_str(line);
            part.push('\n');
        }
    }
    parts.try_into().expect("as many parts as the test names")
}

/// Compares numbers with a print.
fn agree(what: &str, got: &[f32], print: &str) {
    let print = tokens(print);
    assert_eq!(got.len(), print.len(), "{what}");
    for (&got, token) in got.iter().zip(print) {
        let page = MISREAD.iter().find(|(report, _)| *report == token).map_or(token, |(_, page)| *page);
        let want: f64 = page.parse().unwrap();
        let room = 0.5e-8 + want.abs().max(1.0) * f64::from(f32::EPSILON);
        assert!(distance(got, page) <= room, "{what}: {got:?}, printed {token}, read as {page}");
        assert!(page == token || distance(got, page) < distance(got, token), "{what}: {token} is no slip");
    }
}

fn distance(got: f32, token: &str) -> f64 {
    (f64::from(got) - token.parse::<f64>().unwrap()).abs()
}
