//! Hostile files, made as they are needed.
#![allow(dead_code, reason = "each test file uses its own part")]

/// A dict with the entry `W`: an array made by `_reconstruct`, and its state tuple up to the version.
const ARRAY: &[u8] = b"}U\x01Wcnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01";

/// A little-endian dtype.
fn dtype(code: &[u8; 2]) -> Vec<u8> {
    [b"cnumpy\ndtype\nU\x02", &code[..], b"K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"]
        .concat()
}

/// A dict with one array `W` of these sides (an opcode each) and data.
pub fn array(code: &[u8; 2], sides: &[&[u8]], data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u32).to_le_bytes();
    [ARRAY, b"(", &sides.concat(), b"t", &dtype(code), b"\x89T", &length, data, b"tbs."].concat()
}

/// Small files that ask for far more than they hold.
pub fn pickles() -> Vec<(&'static str, Vec<u8>)> {
    let text = [b"X\x00\x00\x01\x00".as_slice(), &[b'a'; 65_536]].concat();
    let encode = b"c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R";
    vec![
        ("nested tuples", [b")".as_slice(), &[0x85; 2_000_000], b"."].concat()),
        ("a wide stack", vec![b'}'; 2_000_000]),
        ("memo entries", [b"}".as_slice(), &[0x94; 2_000_000], b"."].concat()),
        ("marks", vec![b'('; 2_000_000]),
        ("one text encoded often", [&text, b"q\x00".as_slice(), &encode.repeat(20_000)].concat()),
        ("one array under many names", many_names()),
        ("one long name many times", one_long_name()),
        ("a dict in itself", b"}q\x00U\x01Ah\x00s.".to_vec()),
    ]
}

/// 64 KiB of one-byte numbers under 20,000 names: 5 GB as `f32`.
fn many_names() -> Vec<u8> {
    let state = [b"(".as_slice(), b"\x8a\x03\x00\x00\x01", b"t", &dtype(b"u1"), b"\x89T\x00\x00\x01\x00"].concat();
    let mut file = [ARRAY, &state, &[1; 65_536], b"tbq\x00s("].concat();
    for i in 0..20_000_u32 {
        file.extend([b"U\x04".as_slice(), format!("{i:04x}").as_bytes(), b"h\x00"].concat());
    }
    file.extend(b"u.");
    file
}

/// A name of 64 KiB for 20,000 entries.
fn one_long_name() -> Vec<u8> {
    let name = [b"T\x00\x00\x01\x00".as_slice(), &[b'a'; 65_536], b"q\x01"].concat();
    let one =
        [b"}".as_slice(), &name, b"cnumpy.core.multiarray\nscalar\n", &dtype(b"u1"), b"U\x01\x01\x86Rq\x00s("].concat();
    [&one, b"h\x01h\x00".repeat(20_000).as_slice(), b"u."].concat()
}

/// Headers that cost the most to parse.
pub fn safetensors() -> Vec<(&'static str, Vec<u8>)> {
    let most = 1 << 20;
    let filled = |head: &str, item: &str, tail: &str| {
        let text = [head, &item.repeat((most - head.len() - tail.len()) / item.len()), tail].concat();
        [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
    };
    let many: String = (0..60_000).map(|i| format!(r#""{i}":0,"#)).collect();
    vec![
        ("a long shape", filled(r#"{"w":{"dtype":"F32","data_offsets":[0,4],"shape":[0"#, ",0", "]}}")),
        ("a shape of shapes", filled(r#"{"w":{"dtype":"F32","data_offsets":[0,4],"shape":[[]"#, ",[]", "]}}")),
        ("many keys in one entry", filled(r#"{"w":{"dtype":"F32""#, r#","":0"#, "}}")),
        ("many entries", filled("{", &many, r#""z":0}"#)),
        ("much metadata", filled(r#"{"__metadata__":{"#, r#""":"","#, r#""z":""}}"#)),
        ("deep lists", filled("{\"w\":", "[", "}")),
    ]
}
