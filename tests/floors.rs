//! The house keeps its floors: a file in `src/` imports from the floors below it and from its own room, never upward,
//! never sideways. Read from the tokens of each file, so that macros, nested groups and `super` chains count and
//! comments do not. Kept here too: the bound on a file's length, and `unsafe` in one file only.
#![cfg(not(target_arch = "wasm32"))]

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::path::{Path, PathBuf};

const LONGEST_FILE: usize = 400;
const UNSAFE_FILE: &str = "src/kernel/tile.rs";

type Module = Vec<String>;

/// The floor and the room of a path that starts at the crate's root, if it has one.
fn room(path: &[String]) -> Option<(u8, String)> {
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    let (floor, name) = match parts[..] {
        ["error" | "shape" | "tensor" | "rng" | "Error" | "Result", ..] => (0, "the ground"),
        ["kernel", ..] => (1, "kernel"),
        ["nn", ..] => (2, "nn"),
        // It knows plans; optimisers, above, know it.
        ["gpu", ..] => (3, "gpu"),
        [name @ ("zoo" | "train" | "data" | "file"), ..] => (4, name),
        ["systems", system, ..] => (5, system),
        ["systems"] => (5, "systems"),
        [name @ ("web" | "bin"), ..] => (6, name),
        _ => return None,
    };
    Some((floor, name.to_string()))
}

/// The module that a file holds: `src/nn/conv.rs` and `src/nn/conv/mod.rs` are both `nn::conv`.
fn module_of(file: &str) -> Module {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').map(String::from).collect()
}

/// What breaks the rules in one file, a line for each offence.
fn offences(file: &str, source: &str) -> Vec<String> {
    let length = source.lines().count();
    let too_long = (length > LONGEST_FILE).then(|| format!("{file}: {length} lines, more than {LONGEST_FILE}"));
    let module = module_of(file);
    let Some(own) = room(&module) else {
        return vec![format!("{file}: on no floor of the house")];
    };
    let mut reader = Reader { in_bin: module[0] == "bin", ..Reader::default() };
    reader.read(source.parse().unwrap_or_else(|error| panic!("{file}: {error}")), &module);
    let imports = reader.imports.iter().filter_map(|(line, path)| {
        let verdict = verdict(&own, path)?;
        Some(format!("{file}:{line}: {verdict} import of crate::{}", path.join("::")))
    });
    let unsafes = reader.unsafes.iter().filter(|_| file != UNSAFE_FILE);
    let unsafes = unsafes.map(|line| format!("{file}:{line}: `unsafe` outside {UNSAFE_FILE}"));
    too_long.into_iter().chain(imports).chain(unsafes).collect()
}

fn verdict(own: &(u8, String), path: &[String]) -> Option<&'static str> {
    match room(path) {
        None => Some("rootless"),
        Some(target) if target == *own => None,
        Some((floor, _)) if floor > own.0 => Some("upward"),
        Some((floor, _)) if floor == own.0 => Some("sideways"),
        Some(_) => None,
    }
}

/// Collects the paths into this crate and the places of `unsafe`, each with its line.
#[derive(Default)]
struct Reader {
    in_bin: bool,
    imports: Vec<(usize, Module)>,
    unsafes: Vec<usize>,
}

impl Reader {
    fn read(&mut self, tokens: TokenStream, module: &[String]) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut i = 0;
        while i < tokens.len() {
            match &tokens[i] {
                TokenTree::Ident(ident) if ident == "unsafe" => self.unsafes.push(ident.span().start().line),
                TokenTree::Ident(ident) if ident == "mod" => {
                    if let [_, TokenTree::Ident(name), TokenTree::Group(body), ..] = &tokens[i..] {
                        self.read(body.stream(), &[module, &[name.to_string()]].concat());
                        i += 2;
                    }
                }
                TokenTree::Ident(_) if !follows_colons(&tokens, i) => {
                    if let Some(base) = self.base(&tokens[i..], module) {
                        i += self.follow(base, &tokens[i..]);
                    }
                }
                TokenTree::Group(group) => self.read(group.stream(), module),
                _ => {}
            }
            i += 1;
        }
    }

    /// The module that the first token names, if it begins a path into this crate.
    fn base(&self, tokens: &[TokenTree], module: &[String]) -> Option<Module> {
        let goes_on = is_colons(&tokens[1..]) || matches!(tokens.get(1), Some(TokenTree::Ident(id)) if id == "as");
        let root = if self.in_bin { &module[..1] } else { &[] };
        match tokens[0].to_string().as_str() {
            _ if !goes_on => None,
            "crate" => Some(root.to_vec()),
            "hitofude" if self.in_bin => Some(Vec::new()),
            "self" => Some(module.to_vec()),
            "super" => Some(parent(module)),
            _ => None,
        }
    }

    /// Records the path, or in a group the paths, that goes on from `base` behind the first token; returns how many
    /// tokens behind the first one it has used.
    fn follow(&mut self, mut base: Module, tokens: &[TokenTree]) -> usize {
        let line = tokens[0].span().start().line;
        let mut used = 0;
        while is_colons(&tokens[used + 1..]) {
            match tokens.get(used + 3) {
                Some(TokenTree::Ident(name)) if name == "super" => base = parent(&base),
                Some(TokenTree::Ident(name)) if name == "self" => {}
                Some(TokenTree::Ident(name)) => base.push(name.to_string()),
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    self.follow_group(&base, group.stream());
                    return used + 3;
                }
                _ => break,
            }
            used += 3;
        }
        self.imports.push((line, base));
        used
    }

    fn follow_group(&mut self, base: &[String], group: TokenStream) {
        let tokens: Vec<TokenTree> = group.into_iter().collect();
        for entry in tokens.split(|token| token.to_string() == ",").filter(|entry| !entry.is_empty()) {
            let mut base = base.to_vec();
            match entry[0].to_string().as_str() {
                "self" | "*" => {}
                "super" => base = parent(&base),
                name => base.push(name.to_string()),
            }
            self.follow(base, entry);
        }
    }
}

fn parent(module: &[String]) -> Module {
    module[..module.len().saturating_sub(1)].to_vec()
}

fn is_colons(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Punct(a), TokenTree::Punct(b), ..] if a.as_char() == ':' && b.as_char() == ':')
}

fn follows_colons(tokens: &[TokenTree], i: usize) -> bool {
    i >= 2 && is_colons(&tokens[i - 2..])
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let files = files.into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs"));
    files.chain(folders.iter().flat_map(|folder| rust_files(folder))).collect()
}

#[test]
fn the_house_keeps_its_floors() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut read = 0;
    for path in rust_files(&root.join("src")) {
        let file = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        // lib.rs declares the rooms; it stands on no floor.
        if file != "src/lib.rs" {
            found.extend(offences(&file, &std::fs::read_to_string(&path).unwrap()));
            read += 1;
        }
    }
    assert!(read > 10, "only {read} files found under src/");
    assert!(found.is_empty(), "{} offences\n{}", found.len(), found.join("\n"));
}

/// The offences in a made-up file, without the file's name.
fn made_up(file: &str, source: &str) -> Vec<String> {
    let found = offences(file, source);
    found.iter().map(|line| line.strip_prefix(file).unwrap().trim_start_matches(':').trim().to_string()).collect()
}

#[test]
fn downward_imports_and_the_own_room_are_legal() {
    let conv = "use crate::error::{Error, Result};\nuse crate::kernel::{gemm, pool::Max as M};\nuse super::plan::Plan;";
    assert_eq!(made_up("src/nn/conv.rs", conv), [""; 0]);
    assert_eq!(made_up("src/nn/conv/same.rs", "use super::super::graph::Graph; use super::*;"), [""; 0]);
    assert_eq!(made_up("src/nn/conv.rs", "mod tests { use super::*; use super::super::run::Run; }"), [""; 0]);
    assert_eq!(made_up("src/systems/style.rs", "use crate::{zoo::vgg, train, nn};"), [""; 0]);
    assert_eq!(
        made_up("src/bin/hitofude.rs", "use hitofude::{data, file, systems::style}; use crate::log::Csv;"),
        [""; 0]
    );
    assert_eq!(made_up("src/gpu/run.rs", "use crate::nn::Plan; use crate::kernel::Level;"), [""; 0]);
    assert_eq!(made_up("src/train/on_gpu.rs", "use crate::gpu::Learner;"), [""; 0]);
    assert_eq!(made_up("src/nn/mod.rs", "//! Used by [`crate::zoo`].\n/* crate::web */ fn f(self_: u8) {}"), [""; 0]);
}

#[test]
fn upward_imports_are_found() {
    assert_eq!(made_up("src/kernel/conv.rs", "\nuse crate::nn::Graph;"), ["2: upward import of crate::nn::Graph"]);
    assert_eq!(
        made_up("src/nn/conv.rs", "use crate::{\n    kernel,\n    zoo::{lenet, vgg as v},\n};"),
        ["3: upward import of crate::zoo::lenet", "3: upward import of crate::zoo::vgg"]
    );
    assert_eq!(made_up("src/nn/run.rs", "use crate::gpu::Device;"), ["1: upward import of crate::gpu::Device"]);
    assert_eq!(made_up("src/gpu/run.rs", "use crate::train::Rule;"), ["1: upward import of crate::train::Rule"]);
    assert_eq!(made_up("src/kernel/gemm.rs", "use super::super::nn;"), ["1: upward import of crate::nn"]);
    assert_eq!(made_up("src/kernel/gemm.rs", "use super::{super::nn, act};"), ["1: upward import of crate::nn"]);
    assert_eq!(made_up("src/rng.rs", "use super::kernel::Level;"), ["1: upward import of crate::kernel::Level"]);
    let call = "fn f() -> Vec<u8> { vec![crate::web::x::<crate::nn::A>()] }";
    assert_eq!(
        made_up("src/shape.rs", call),
        ["1: upward import of crate::web::x", "1: upward import of crate::nn::A"]
    );
}

#[test]
fn sideways_imports_are_found() {
    assert_eq!(made_up("src/data/ink.rs", "use crate::file::npz;"), ["1: sideways import of crate::file::npz"]);
    assert_eq!(made_up("src/train/mod.rs", "use super::data;"), ["1: sideways import of crate::data"]);
    assert_eq!(
        made_up("src/systems/style.rs", "use crate::systems::gan::Gan;"),
        ["1: sideways import of crate::systems::gan::Gan"]
    );
    assert_eq!(made_up("src/bin/hitofude.rs", "use hitofude::web;"), ["1: sideways import of crate::web"]);
}

#[test]
fn the_root_is_no_way_round() {
    assert_eq!(made_up("src/kernel/a.rs", "use crate as c;"), ["1: rootless import of crate::"]);
    assert_eq!(made_up("src/kernel/a.rs", "use crate::{self as c};"), ["1: rootless import of crate::"]);
    assert_eq!(made_up("src/kernel/a.rs", "use super::super as c;"), ["1: rootless import of crate::"]);
    assert_eq!(made_up("src/kernel/a.rs", "use crate::*;"), ["1: rootless import of crate::"]);
    assert_eq!(made_up("src/misc.rs", ""), ["on no floor of the house"]);
}

#[test]
fn long_files_and_stray_unsafe_are_found() {
    assert_eq!(made_up("src/nn/long.rs", &"\n".repeat(401)), ["401 lines, more than 400"]);
    assert_eq!(made_up("src/nn/long.rs", &"\n".repeat(400)), [""; 0]);
    let source = "fn f() { g(|| {\n unsafe { h() } }) }";
    assert_eq!(made_up("src/kernel/gemm.rs", source), ["2: `unsafe` outside src/kernel/tile.rs"]);
    assert_eq!(made_up("src/kernel/tile.rs", source), [""; 0]);
}

#[test]
fn no_test_that_runs_in_a_browser_is_left_out_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let list = std::fs::read_to_string(root.join("browser.rs")).unwrap();
    // A crate of tests is a file in tests/, or the main.rs of a folder there.
    let names = std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let crates = names.filter(|name| name != "browser.rs" && name != "floors.rs").filter_map(|name| {
        let file = if name.ends_with(".rs") { name } else { format!("{name}/main.rs") };
        std::fs::read_to_string(root.join(&file)).ok().map(|source| (file, source))
    });
    let (there, missing): (Vec<_>, Vec<_>) = crates
        .filter(|(_, source)| source.contains("wasm_bindgen_test"))
        .map(|(file, _)| file)
        .partition(|file| list.contains(&format!("#[path = \"{file}\"]")));
    assert!(there.len() > 10, "only {there:?}");
    assert!(missing.is_empty(), "tests/browser.rs lacks {missing:?}");
}
