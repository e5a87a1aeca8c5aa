//! The ONNX project's own backend tests, those of up to 2,000 bytes: `tools/onnx_backend.py --pack` wrote them. Then graphs as
//! other tools write them, with ONNX Runtime's answers: `tools/onnx_runtime.py --pack`.

use flate2::read::GzDecoder;
use hitofude::file::array::{Array, Data};
use hitofude::file::npz;
use hitofude::systems::imported::Imported;
use std::collections::BTreeMap;
use std::io::Read;

/// A case's arrays by what they are.
type Case = BTreeMap<String, Array>;

fn cases(packed: &[u8]) -> BTreeMap<String, Case> {
    let mut bytes = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
    let mut cases: BTreeMap<String, Case> = BTreeMap::new();
    for (name, array) in npz::read(&bytes).unwrap() {
        let (case, what) = name.split_once(':').unwrap();
        cases.entry(case.into()).or_default().insert(what.into(), array);
    }
    cases
}

/// What of a case's set goes in or out, by name.
fn ports(case: &Case, set: usize, way: &str) -> Vec<(String, Array)> {
    let start = format!("{set}:{way}:");
    let named = case.iter().filter_map(|(what, array)| Some((what.strip_prefix(&start)?.to_string(), array.clone())));
    named.collect()
}

/// What is wrong with a case's answers.
fn wrong(case: &Case) -> Option<String> {
    let Data::Whole(bytes) = case["model"].data() else { return Some("no bytes".into()) };
    let bytes: Vec<u8> = bytes.iter().map(|&b| b as u8).collect();
    let within = case["within"].to_real();
    let imported = Imported::read(&bytes).map_err(|e| e.to_string());
    let imported = match imported {
        Ok(imported) => imported,
        Err(error) => return Some(error),
    };
    for set in (0..).take_while(|set| !ports(case, *set, "out").is_empty()) {
        let answers = match imported.run(&ports(case, set, "in")) {
            Ok(answers) => answers,
            Err(error) => return Some(error.to_string()),
        };
        for (name, want) in ports(case, set, "out") {
            let have = &answers.iter().find(|(known, _)| *known == name).unwrap().1;
            if have.shape() != want.shape() || (have.number().is_whole() != want.number().is_whole()) {
                return Some(format!("{name}: {:?}, not {:?}", have.shape(), want.shape()));
            }
            let close = |(a, b): (&f32, &f32)| {
                a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= within[1] + within[0] * b.abs()
            };
            if !have.to_real().iter().zip(want.to_real().iter()).all(close) {
                return Some(format!("{name}: {have:?}, not {want:?}"));
            }
        }
    }
    None
}

/// Every case gives what it should.
fn all_right(cases: &BTreeMap<String, Case>) {
    let failed: Vec<String> =
        cases.iter().filter_map(|(name, case)| Some(format!("{name}: {}", wrong(case)?))).collect();
    assert!(failed.is_empty(), "{} of {} cases failed\n{}", failed.len(), cases.len(), failed.join("\n"));
}

#[test]
fn the_backend_tests_give_what_they_should() {
    let cases = cases(include_bytes!("../golden/onnx.npz.gz"));
    assert!(cases.len() > 500, "only {} cases", cases.len());
    all_right(&cases);
}

#[test]
fn graphs_of_other_tools_give_what_onnx_runtime_does() {
    let cases = cases(include_bytes!("../golden/onnx_runtime.npz.gz"));
    assert!(cases.len() > 40, "only {} cases", cases.len());
    all_right(&cases);
}
