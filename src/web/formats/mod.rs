//! The module for models from elsewhere: any format that [`opened`](crate::systems::opened) reads, run as it is written, and
//! written in another one.

use super::Outcome;
use super::give::plain;
use super::take::{field, file_within, items, text, text_within, typed, unexpected};
use crate::file::array::{Array as Numbers, Number};
use crate::file::onnx::Port;
use crate::systems::opened::{self, Opened, Target};
use crate::{Error, Result, zoo};
use js_sys::{Float32Array, Uint8Array, Uint32Array};
use ndarray::ArrayD;
use serde::Serialize;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

/// The most bytes of a file, the longest description of a network, and the most numbers, sides and arrays of an argument.
const MAX_FILE: u32 = 512 << 20;
const MAX_DESCRIPTION: u32 = 1 << 20;
const MAX_NUMBERS: u32 = 1 << 26;
const MAX_SIDES: u32 = 32;
const MAX_ARRAYS: usize = 1000;

/// The architectures whose weights can be opened by name.
#[wasm_bindgen(unchecked_return_type = "string[]")]
pub fn architectures() -> Outcome<JsValue> {
    plain(&zoo::CATALOGUE.iter().chain(zoo::IMAGENET).map(|row| row.name).collect::<Vec<_>>())
}

/// A model from a file, living in the engine's memory until `free` is called.
// Arguments are copied before the cell is borrowed: a getter of theirs may call the same model again.
#[wasm_bindgen]
pub struct ModelFile(RefCell<Opened>);

#[wasm_bindgen]
impl ModelFile {
    /// Opens an ONNX, safetensors, npz or pickle file; which it is, its bytes say. `name` is what to call it if the file does
    /// not say. Weights alone need an `architecture`, a name or a description (JSON), unless they fit exactly one that is known.
    /// Throws with code `format` for what is no such file and `missing` for all operators and networks that are not known.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "Uint8Array")] file: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "string")] name: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "string | undefined")] architecture: &JsValue,
    ) -> Outcome<Self> {
        let bytes = file_within(MAX_FILE, "file", file)?;
        let asked = (!architecture.is_undefined()).then(|| text_within(MAX_DESCRIPTION, "architecture", architecture));
        let (name, asked) = (text("name", name)?, asked.transpose()?);
        Ok(Self(RefCell::new(Opened::read(&bytes, &name, asked.as_deref())?)))
    }

    /// What it is called, what the file was, and what else it says.
    #[wasm_bindgen(unchecked_return_type = "About")]
    pub fn about(&self) -> Outcome<JsValue> {
        let model = self.0.borrow();
        let (inputs, outputs) = (model.inputs(), model.outputs());
        let metadata = model.metadata.iter().filter(|(key, _)| *key != "network");
        plain(&About {
            name: &model.name,
            format: model.format.name(),
            metadata: metadata.map(|(key, value)| [key.as_str(), value]).collect(),
            inputs: inputs.iter().map(Side::from).collect(),
            outputs: outputs.iter().map(Side::from).collect(),
        })
    }

    /// Says what size an input has, where the file leaves it open. Throws with code `missing` or `shape`.
    pub fn resize(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] input: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Uint32Array")] sides: &JsValue,
    ) -> Outcome<()> {
        let (input, sides) = (text("input", input)?, whole("sides", sides, MAX_SIDES)?);
        Ok(self.0.borrow_mut().resize(&input, &sides)?)
    }

    /// The inputs and every step behind them, for one image. Throws with code `shape` where an input's size is open.
    #[wasm_bindgen(unchecked_return_type = "Row[]")]
    pub fn rows(&self) -> Outcome<JsValue> {
        let rows = self.0.borrow().rows()?;
        plain(&rows.iter().map(Row::from).collect::<Vec<_>>())
    }

    /// Runs it on named arrays. Returns its outputs, and what the rows at these positions made. Throws with code `missing`,
    /// `shape` or `value`, and names the operator.
    #[wasm_bindgen(unchecked_return_type = "{ outputs: Tensor[]; taps: Tensor[] }")]
    pub fn run(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Tensor[]")] inputs: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Uint32Array")] taps: &JsValue,
    ) -> Outcome<JsValue> {
        let inputs = items("inputs", inputs, MAX_ARRAYS, |i, one| array(&format!("inputs[{i}]"), one))?;
        let taps = whole("taps", taps, MAX_ARRAYS as u32)?;
        let (outputs, taken) = self.0.borrow_mut().run(&inputs, &taps)?;
        let outputs = outputs.iter().map(|(name, array)| Tensor::new(name, array)).collect();
        plain(&Ran { outputs, taps: taken.iter().map(|array| Tensor::new("", array)).collect() })
    }

    /// Its layers as this engine's; throws with code `missing`, and a list of all that are none, where it cannot be trained and
    /// looked into here. Numbers are those of the network: classes, and sides of one input.
    #[wasm_bindgen(unchecked_return_type = "{ input: [number, number, number]; classes: number; layers: number }")]
    pub fn trains(&self) -> Outcome<JsValue> {
        let net = self.0.borrow().network()?.net;
        let shape = net.input_shape();
        let classes = net.node(net.output()).shape.len();
        plain(&Trains { input: [shape.c, shape.h, shape.w], classes, layers: net.nodes().len() - 1 })
    }

    /// The model in a format. Throws with code `missing` where it is no network of this engine and the format wants one.
    #[wasm_bindgen(unchecked_return_type = "Uint8Array<ArrayBuffer>")]
    pub fn save(&self, #[wasm_bindgen(unchecked_param_type = "Format")] format: &JsValue) -> Outcome<Uint8Array> {
        let target = Target::named(&text("format", format)?)?;
        Ok(self.0.borrow().write(target)?.as_slice().into())
    }
}

/// Sides, or positions.
fn whole(what: &str, value: &JsValue, most: u32) -> Result<Vec<usize>> {
    let list: &Uint32Array = typed(what, "a Uint32Array", value)?;
    if list.length() > most {
        return Err(Error::shape(what, format!("at most {most}"), list.length()));
    }
    Ok(list.to_vec().into_iter().map(|v| v as usize).collect())
}

/// A named array.
fn array(what: &str, value: &JsValue) -> Outcome<(String, Numbers)> {
    if !value.is_object() {
        return Err(unexpected(what, "an object with name, shape and values", value).into());
    }
    let name = text(&format!("{what}.name"), &field(value, "name")?)?;
    let sides = items(&format!("{what}.shape"), &field(value, "shape")?, MAX_SIDES as usize, |_, side| {
        let side = side.as_f64().filter(|v| v.fract() == 0.0 && (0.0..=f64::from(MAX_NUMBERS)).contains(v));
        side.map(|v| v as usize).ok_or_else(|| Error::value(what, "whole numbers as sides", "others").into())
    })?;
    let values = field(value, "values")?;
    let values: &Float32Array = typed(&format!("{what}.values"), "a Float32Array", &values)?;
    let count = sides.iter().try_fold(1_usize, |n, &side| n.checked_mul(side));
    if values.length() > MAX_NUMBERS || count != Some(values.length() as usize) {
        return Err(Error::shape(what, format!("numbers for {sides:?}"), values.length()).into());
    }
    let values = ArrayD::from_shape_vec(sides, values.to_vec()).map_err(|e| Error::shape(what, "such a shape", e))?;
    Ok((name, values.into()))
}

#[derive(Serialize)]
struct About<'a> {
    name: &'a str,
    format: &'static str,
    metadata: Vec<[&'a str; 2]>,
    inputs: Vec<Side<'a>>,
    outputs: Vec<Side<'a>>,
}

/// An input or output.
#[derive(Serialize)]
struct Side<'a> {
    name: &'a str,
    number: Option<&'static str>,
    shape: Option<&'a [Option<usize>]>,
}

impl<'a> From<&'a Port> for Side<'a> {
    fn from(port: &'a Port) -> Self {
        let number = port.number.map(|number| if number.is_whole() { "whole" } else { "real" });
        Self { name: &port.name, number, shape: port.shape.as_deref() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    name: &'a str,
    kind: &'a str,
    inputs: &'a [usize],
    shape: &'a [usize],
    parameters: usize,
    multiply_adds: f64,
}

impl<'a> From<&'a opened::Row> for Row<'a> {
    fn from(row: &'a opened::Row) -> Self {
        let opened::Row { name, kind, inputs, shape, parameters, multiply_adds } = row;
        Self { name, kind, inputs, shape, parameters: *parameters, multiply_adds: *multiply_adds as f64 }
    }
}

#[derive(Serialize)]
struct Tensor<'a> {
    name: &'a str,
    shape: &'a [usize],
    #[serde(with = "serde_wasm_bindgen::preserve")]
    values: Float32Array,
}

impl<'a> Tensor<'a> {
    fn new(name: &'a str, array: &'a Numbers) -> Self {
        let values = array.cast(Number::F32).to_real().as_slice().unwrap_or(&[]).into();
        Self { name, shape: array.shape(), values }
    }
}

#[derive(Serialize)]
struct Ran<'a> {
    outputs: Vec<Tensor<'a>>,
    taps: Vec<Tensor<'a>>,
}

#[derive(Serialize)]
struct Trains {
    input: [usize; 3],
    classes: usize,
    layers: usize,
}
