//! A model of few bits in a file: safetensors with two tensors, whose names any reader sees.
//!
//! `bits` (U8) is the weights, layer after layer, each beginning at a byte, output channel after output channel as OIHW: of `b` bits, the
//! number less the least there is, `b` bits each from the lowest on; ternary ones five to a byte, the first worth 1, the next 3, then
//! 9, 27 and 81, each plus 1; of one bit, 1 for −1. `numbers` (F16) is, for each layer, its filters' scales and then their biases,
//! each part over a factor. The metadata's `few_bits` is `1`, and `steps` has a step behind each semicolon:
//!
//! `NAME INPUTS C,H,W FORM KIND`, where `INPUTS` are numbers of steps with commas between, or `-`; `FORM` is `l,STEP,LEAST,MOST`
//! (levels, less their zero point), `s` (signs) or `n` (single precision); and `KIND` is `i` (input), `m,WINDOW` (maximum pooling),
//! `a` (global average), `+` or `+r` (a sum, with ReLU), `s` (sign), or `f,BITS,RELU,FACTOR,FACTOR,WINDOW`: filters, the factors of
//! scales and of biases. `WINDOW` is the kernel's rows and columns, the stride's, the padding's, the dilation's.

use super::{Bits, Filters, Form, Kind, Model, Step};
use crate::error::{Error, Result};
use crate::file::safetensors;
use crate::shape::{Shape, Window};
use half::f16;
use std::fmt::Write;
use std::str::{FromStr, Split};

/// Keys of the metadata.
const FORMAT: &str = "few_bits";
const STEPS: &str = "steps";

/// Whether a file is one of these, as far as its header says.
pub fn is(bytes: &[u8]) -> bool {
    safetensors::list(bytes).is_ok_and(|(_, metadata)| metadata.contains_key(FORMAT))
}

/// Writes a model. Equal models give equal bytes. Errors: those of [`Model::check`], [`Error::Value`] for metadata under this
/// module's names.
pub fn write(model: &Model) -> Result<Vec<u8>> {
    model.check()?;
    let mut metadata = model.metadata.clone();
    if metadata.contains_key(FORMAT) || metadata.contains_key(STEPS) {
        return Err(Error::value("metadata", format!("nothing called {FORMAT} or {STEPS}"), "both or one"));
    }
    let (mut bits, mut numbers, mut text) = (Vec::new(), Vec::new(), String::new());
    for step in &model.steps {
        let inputs: Vec<String> = step.inputs.iter().map(usize::to_string).collect();
        let inputs = if inputs.is_empty() { "-".into() } else { inputs.join(",") };
        let Shape { c, h, w } = step.shape;
        let name: String = step.name.chars().map(|c| if c.is_whitespace() || c == ';' { '_' } else { c }).collect();
        let separator = if text.is_empty() { "" } else { ";" };
        let form = match step.form {
            Form::Levels { step, bounds: (lo, hi) } => format!("l,{step},{lo},{hi}"),
            Form::Signs => "s".into(),
            Form::Numbers => "n".into(),
        };
        let kind = match &step.kind {
            Kind::Input => "i".into(),
            Kind::MaxPool(window) => format!("m,{}", written(window)),
            Kind::Mean => "a".into(),
            Kind::Add { relu } => if *relu { "+r" } else { "+" }.into(),
            Kind::Sign => "s".into(),
            Kind::Filters(filters) => {
                pack(filters.bits, &filters.weights, &mut bits);
                let (scale, bias) = (relative(&filters.scales, &mut numbers), relative(&filters.bias, &mut numbers));
                let relu = u8::from(filters.relu);
                format!("f,{},{relu},{scale},{bias},{}", filters.bits, written(&filters.window))
            }
        };
        write!(text, "{separator}{name} {inputs} {c},{h},{w} {form} {kind}")
            .map_err(|e| Error::value("steps", "text", e))?;
    }
    metadata.insert(FORMAT.into(), "1".into());
    metadata.insert(STEPS.into(), text);
    safetensors::write_raw(metadata, &[("bits", "U8", 1, &bits), ("numbers", "F16", 2, &numbers)])
}

fn written(window: &Window) -> String {
    let Window { kernel, stride, pad, dilation } = window;
    let numbers = [kernel.0, kernel.1, stride.0, stride.1, pad.0, pad.1, dilation.0, dilation.1];
    numbers.map(|n| n.to_string()).join(",")
}

/// Adds numbers over the largest of them, which it returns; 1 if all are 0.
fn relative(values: &[f32], numbers: &mut Vec<u8>) -> f32 {
    let most = values.iter().fold(0.0f32, |most, v| most.max(v.abs()));
    let most = if most > 0.0 { most } else { 1.0 };
    numbers.extend(values.iter().flat_map(|v| f16::from_f32(v / most).to_le_bytes()));
    most
}

/// Adds weights, from a byte on.
fn pack(bits: Bits, weights: &[i8], out: &mut Vec<u8>) {
    match bits {
        Bits::Ternary => {
            let byte = |five: &[i8]| five.iter().rev().fold(0, |byte, w| 3 * byte + (w + 1) as u8);
            out.extend(weights.chunks(5).map(byte));
        }
        Bits::One => {
            let byte = |eight: &[i8]| eight.iter().rev().fold(0, |byte, w| 2 * byte + u8::from(*w < 0));
            out.extend(weights.chunks(8).map(byte));
        }
        Bits::Int(width) => {
            let (least, _) = bits.bounds();
            let (mut word, mut held) = (0u32, 0);
            for w in weights {
                word |= ((i32::from(*w) - i32::from(least)) as u32) << held;
                held += u32::from(width);
                while held >= 8 {
                    out.push(word as u8);
                    (word, held) = (word >> 8, held - 8);
                }
            }
            if held > 0 {
                out.push(word as u8);
            }
        }
    }
}

/// So many weights, and the bytes behind them.
fn unpack(bits: Bits, count: usize, bytes: &[u8]) -> Option<(Vec<i8>, &[u8])> {
    let (own, rest) = bytes.split_at_checked(bits.bytes(count))?;
    let weights = match bits {
        Bits::Ternary => {
            let five = |byte: &u8| [1, 3, 9, 27, 81].map(|worth: u8| (byte / worth % 3) as i8 - 1);
            own.iter().flat_map(five).take(count).collect()
        }
        Bits::One => (0..count).map(|i| 1 - 2 * (own[i / 8] >> (i % 8) & 1) as i8).collect(),
        Bits::Int(width) => {
            let (least, width) = (bits.bounds().0, usize::from(width));
            let one = |i: usize| {
                let (byte, shift) = (i * width / 8, i * width % 8);
                let word = u16::from(own[byte]) | u16::from(own.get(byte + 1).copied().unwrap_or(0)) << 8;
                ((word >> shift & ((1 << width) - 1)) as i16 + i16::from(least)) as i8
            };
            (0..count).map(one).collect()
        }
    };
    Some((weights, rest))
}

/// Reads a model. Errors: those of [`safetensors::read`] and of [`Model::check`], [`Error::Format`] for a file of another kind or
/// that contradicts itself.
pub fn read(bytes: &[u8]) -> Result<Model> {
    let mut weights = safetensors::read(bytes)?;
    let wrong = |what: &'static str| Error::format("model of few bits", what, "another file");
    if weights.metadata.remove(FORMAT).as_deref() != Some("1") {
        return Err(wrong("few_bits 1 in the metadata"));
    }
    let text = weights.metadata.remove(STEPS).ok_or_else(|| wrong("steps in the metadata"))?;
    let tensor = |name: &str| weights.tensors.iter().find(|(n, _)| n == name).map(|(_, t)| t);
    let bits = tensor("bits").ok_or_else(|| wrong("a tensor of bits"))?;
    if !bits.iter().all(|v| (0.0..=255.0).contains(v) && v.fract() == 0.0) {
        return Err(wrong("bits as bytes"));
    }
    let bits: Vec<u8> = bits.iter().map(|v| *v as u8).collect();
    let numbers: Vec<f32> = tensor("numbers").ok_or_else(|| wrong("a tensor of numbers"))?.iter().copied().collect();
    let mut rest = (&bits[..], &numbers[..]);
    let mut steps: Vec<Step> = Vec::new();
    for line in text.split(';') {
        let step = step(line, &steps, &mut rest);
        steps.push(step.ok_or_else(|| Error::format("step", "one as the layout has it", shown(line)))?);
    }
    if !rest.0.is_empty() || !rest.1.is_empty() {
        return Err(wrong("as many weights as its steps have"));
    }
    let model = Model { steps, metadata: weights.metadata };
    model.check()?;
    Ok(model)
}

fn shown(line: &str) -> String {
    line.chars().take(40).collect()
}

fn number<T: FromStr>(fields: &mut Split<'_, char>) -> Option<T> {
    fields.next()?.parse().ok()
}

fn step(line: &str, before: &[Step], rest: &mut (&[u8], &[f32])) -> Option<Step> {
    let mut fields = line.split(' ');
    let name = fields.next().filter(|name| (1..=80).contains(&name.len()))?.to_string();
    let inputs = match fields.next()? {
        "-" => vec![],
        text => text.split(',').map(|n| n.parse().ok()).collect::<Option<Vec<usize>>>()?,
    };
    let mut sides = fields.next()?.split(',');
    let shape = Shape::new(number(&mut sides)?, number(&mut sides)?, number(&mut sides)?);
    let mut form = fields.next()?.split(',');
    let form = match form.next()? {
        "l" => Form::Levels { step: number(&mut form)?, bounds: (number(&mut form)?, number(&mut form)?) },
        "s" => Form::Signs,
        "n" => Form::Numbers,
        _ => return None,
    };
    let mut kind = fields.next()?.split(',');
    let kind = match kind.next()? {
        "i" => Kind::Input,
        "a" => Kind::Mean,
        "s" => Kind::Sign,
        "+" => Kind::Add { relu: false },
        "+r" => Kind::Add { relu: true },
        "m" => Kind::MaxPool(window(&mut kind)?),
        "f" => Kind::Filters(filters(&mut kind, before.get(*inputs.first()?)?, shape.c, rest)?),
        _ => return None,
    };
    fields.next().is_none().then_some(Step { name, inputs, shape, kind, form })
}

fn window(fields: &mut Split<'_, char>) -> Option<Window> {
    let mut pair = || Some((number(fields)?, number(fields)?));
    Some(Window { kernel: pair()?, stride: pair()?, pad: pair()?, dilation: pair()? })
}

fn filters(
    fields: &mut Split<'_, char>,
    x: &Step,
    out: usize,
    (bits, numbers): &mut (&[u8], &[f32]),
) -> Option<Filters> {
    let width: Bits = number(fields)?;
    let relu = number::<u8>(fields)? == 1;
    let factors: [f32; 2] = [number(fields)?, number(fields)?];
    let window = window(fields)?;
    let depth = x.shape.c.checked_mul(window.kernel.0)?.checked_mul(window.kernel.1)?;
    let (weights, rest) = unpack(width, depth.checked_mul(out)?, bits)?;
    *bits = rest;
    let mut part = |factor: f32| -> Option<Vec<f32>> {
        let (own, rest) = numbers.split_at_checked(out)?;
        *numbers = rest;
        Some(own.iter().map(|v| v * factor).collect())
    };
    let (scales, bias) = (part(factors[0])?, part(factors[1])?);
    Some(Filters { window, bits: width, weights, scales, bias, relu })
}
