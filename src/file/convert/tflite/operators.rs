//! Which layer each operator was.

use super::super::builder::{permuted, reshaped};
use super::super::config::Point;
use super::Reader;
use super::flat::Table;
use super::refuse;
use crate::error::Result;
use crate::tensor::Tensor;
use serde_json::{Value, json};

/// The operators that are known, by their numbers.
const NAMES: &[(i32, &str)] = &[
    (0, "ADD"),
    (1, "AVERAGE_POOL_2D"),
    (2, "CONCATENATION"),
    (3, "CONV_2D"),
    (4, "DEPTHWISE_CONV_2D"),
    (6, "DEQUANTIZE"),
    (9, "FULLY_CONNECTED"),
    (14, "LOGISTIC"),
    (17, "MAX_POOL_2D"),
    (18, "MUL"),
    (19, "RELU"),
    (21, "RELU6"),
    (22, "RESHAPE"),
    (23, "RESIZE_BILINEAR"),
    (25, "SOFTMAX"),
    (28, "TANH"),
    (34, "PAD"),
    (39, "TRANSPOSE"),
    (40, "MEAN"),
    (41, "SUB"),
    (42, "DIV"),
    (43, "SQUEEZE"),
    (45, "STRIDED_SLICE"),
    (54, "PRELU"),
    (55, "MAXIMUM"),
    (57, "MINIMUM"),
    (67, "TRANSPOSE_CONV"),
    (70, "EXPAND_DIMS"),
    (77, "SHAPE"),
    (83, "PACK"),
    (97, "RESIZE_NEAREST_NEIGHBOR"),
    (98, "LEAKY_RELU"),
    (111, "ELU"),
    (114, "QUANTIZE"),
    (117, "HARD_SWISH"),
];

pub(super) fn name(number: i32) -> Option<&'static str> {
    NAMES.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
}

/// The activation behind an operator.
fn fused(code: u8) -> Result<&'static str> {
    match code {
        0 => Ok("linear"),
        1 => Ok("relu"),
        3 => Ok("relu6"),
        4 => Ok("tanh"),
        other => Err(refuse("an activation behind an operator: none, relu, relu6 or tanh", other)),
    }
}

/// Strides, padding and dilation of windows.
fn window(options: &Table, fields: [usize; 3], dilations: Option<[usize; 2]>) -> Value {
    let [padding, w, h] = fields;
    let mut settings = json!({
        "padding": if options.byte(padding) == 0 { "same" } else { "valid" },
        "strides": [options.int(h, 0), options.int(w, 0)],
    });
    if let Some([w, h]) = dilations {
        settings["dilation_rate"] = json!([options.int(h, 1), options.int(w, 1)]);
    }
    settings
}

impl Reader<'_> {
    /// Adds the layers of an operator; whether it is one that is known.
    pub(super) fn operator(&mut self, code: i32, operator: &Table) -> Result<bool> {
        let (inputs, outputs) = (operator.ints(1), operator.ints(2));
        let (Some(&x), Some(&makes), Some(op)) = (inputs.first(), outputs.first(), name(code)) else {
            return Ok(false);
        };
        let label = self.tensor(makes)?.text(3);
        let empty = operator.table(4);
        let options = empty.as_ref();
        let option = |k: usize| options.map_or(0, |options| options.byte(k));
        match op {
            // What is computed of shapes says what the tensors that are made with it say, too: their sides.
            "SHAPE" => drop(self.shapes.insert(makes)),
            "STRIDED_SLICE" | "PACK" => {
                let known = |input: &i32| self.shapes.contains(input) || self.is_constant(*input);
                if !inputs.iter().all(known) {
                    return Ok(false);
                }
                self.shapes.insert(makes);
            }
            "CONV_2D" | "DEPTHWISE_CONV_2D" | "FULLY_CONNECTED" => {
                let Some(options) = options else { return Ok(false) };
                self.product(op, &label, &inputs, makes, options)?;
            }
            "TRANSPOSE_CONV" => return self.transposed(&label, &inputs, makes, options),
            "ADD" | "MUL" | "SUB" | "DIV" | "MAXIMUM" | "MINIMUM" => {
                return self.join(op, &label, &inputs, makes, fused(option(0))?);
            }
            "CONCATENATION" => {
                let reads = inputs.iter().map(|&input| self.point(input)).collect::<Result<_>>()?;
                let axis = options.map_or(0, |options| options.int(0, 0));
                self.add("Concatenate", &label, json!({ "axis": axis }), Some(reads), makes);
                self.activated(&label, makes, fused(option(1))?)?;
            }
            "AVERAGE_POOL_2D" | "MAX_POOL_2D" => {
                let Some(options) = options else { return Ok(false) };
                let mut settings = window(options, [0, 1, 2], None);
                settings["pool_size"] = json!([options.int(4, 0), options.int(3, 0)]);
                let class = if op == "MAX_POOL_2D" { "MaxPooling2D" } else { "AveragePooling2D" };
                self.one(class, &label, settings, x, makes)?;
                self.activated(&label, makes, fused(option(5))?)?;
            }
            "SOFTMAX" if options.is_some_and(|options| options.float(0) != 1.0) => return Ok(false),
            _ => return self.moved(op, &label, &inputs, makes, options),
        }
        Ok(true)
    }

    /// Operators that move numbers, and those that bend each by itself.
    fn moved(&mut self, op: &str, label: &str, inputs: &[i32], makes: i32, options: Option<&Table>) -> Result<bool> {
        let x = inputs[0];
        match op {
            "RESHAPE" | "SQUEEZE" | "EXPAND_DIMS" => {
                let sides = self.sides(makes)?;
                self.one("Reshape", label, json!({ "target_shape": sides }), x, makes)?;
            }
            "MEAN" => return self.mean(label, x, inputs, makes, options.is_some_and(|options| options.byte(0) != 0)),
            "PAD" => return self.pad(label, x, inputs, makes),
            "TRANSPOSE" => {
                let axes: Vec<i64> = self.whole(inputs, 1)?;
                let batch = axes.first() == Some(&0);
                self.one("Permute", label, json!({ "dims": axes.get(1..).filter(|_| batch) }), x, makes)?;
            }
            "RESIZE_BILINEAR" | "RESIZE_NEAREST_NEIGHBOR" => return self.resize(op, label, x, makes, options),
            "PRELU" => {
                let alpha = self.constant(*inputs.get(1).unwrap_or(&-1))?;
                self.one("PReLU", label, Value::Null, x, makes)?;
                self.weight("alpha", alpha);
            }
            "LEAKY_RELU" => {
                let alpha = options.map_or(0.0, |options| options.float(0));
                self.one("LeakyReLU", label, json!({ "negative_slope": alpha }), x, makes)?;
            }
            // A constant in fewer bits is what it stands for.
            "DEQUANTIZE" | "QUANTIZE" if self.is_constant(x) => {
                let from = self.tensor(x)?.to_owned();
                let Some(slot) = usize::try_from(makes).ok().and_then(|makes| self.tensors.get_mut(makes)) else {
                    return Ok(false);
                };
                *slot = from;
            }
            "DEQUANTIZE" | "QUANTIZE" => drop(self.one("Dropout", label, Value::Null, x, makes)?),
            _ => {
                let function = match op {
                    "LOGISTIC" => "sigmoid",
                    "HARD_SWISH" => "hard_swish",
                    "RELU" => "relu",
                    "RELU6" => "relu6",
                    "TANH" => "tanh",
                    "ELU" => "elu",
                    _ => "softmax",
                };
                self.one("Activation", label, json!({ "activation": function }), x, makes)?;
            }
        }
        Ok(true)
    }

    /// A layer with one input.
    fn one(&mut self, class: &str, label: &str, settings: Value, x: i32, makes: i32) -> Result<Point> {
        let reads = vec![self.point(x)?];
        Ok(self.add(class, label, settings, Some(reads), makes))
    }

    fn activated(&mut self, label: &str, makes: i32, function: &str) -> Result<()> {
        if function != "linear" {
            self.one("Activation", label, json!({ "activation": function }), makes, makes)?;
        }
        Ok(())
    }

    /// A constant list of whole numbers.
    fn whole(&self, inputs: &[i32], k: usize) -> Result<Vec<i64>> {
        let list = inputs.get(k).ok_or_else(|| refuse("a list as input", "none"))?;
        Ok(self.constant(*list)?.iter().map(|&v| v as i64).collect())
    }

    /// Convolutions and products with a matrix: TensorFlow Lite has the channels that come out first.
    fn product(&mut self, op: &str, label: &str, inputs: &[i32], makes: i32, options: &Table) -> Result<()> {
        let (x, filters) = (inputs[0], *inputs.get(1).unwrap_or(&-1));
        let kernel = self.constant(filters)?;
        let axes = if op == "FULLY_CONNECTED" { 2 } else { 4 };
        if kernel.ndim() != axes {
            return Err(refuse(format!("filters with {axes} axes"), format!("{:?}", kernel.shape())));
        }
        let (class, mut settings, kernel, function) = match op {
            "CONV_2D" => {
                ("Conv2D", window(options, [0, 1, 2], Some([4, 5])), permuted(kernel, &[1, 2, 3, 0]), options.byte(3))
            }
            "DEPTHWISE_CONV_2D" => {
                let channels = self.sides(x)?.last().copied().unwrap_or(0).max(1);
                let [_, h, w, all] = *kernel.shape() else { return Err(refuse("filters", "none")) };
                let kernel = reshaped(label, kernel, &[h, w, channels, all / channels])?;
                ("DepthwiseConv2D", window(options, [0, 1, 2], Some([5, 6])), kernel, options.byte(4))
            }
            _ => {
                if options.byte(1) != 0 {
                    return Err(refuse("weights as they are", "shuffled ones"));
                }
                ("Dense", json!({}), permuted(kernel, &[1, 0]), options.byte(0))
            }
        };
        // A product takes whatever it is given as a row, unless it is told to keep the axes.
        let flat = op == "FULLY_CONNECTED" && self.sides(x)?.len() > 1 && options.byte(2) == 0;
        let mut from = self.point(x)?;
        if flat {
            from = self.add("Flatten", label, Value::Null, Some(vec![from]), makes);
        }
        let bias = inputs.get(2).filter(|bias| **bias >= 0).map(|&bias| self.constant(bias)).transpose()?;
        settings["use_bias"] = bias.is_some().into();
        settings["activation"] = fused(function)?.into();
        self.add(class, label, settings, Some(vec![from]), makes);
        self.weight("kernel", kernel);
        if let Some(bias) = bias {
            self.weight("bias", bias);
        }
        Ok(())
    }

    fn transposed(&mut self, label: &str, inputs: &[i32], makes: i32, options: Option<&Table>) -> Result<bool> {
        let ([_, filters, x, ..], Some(options)) = (inputs, options) else { return Ok(false) };
        let kernel = self.constant(*filters)?;
        // A size that is asked for may be another than the padding gives.
        let grown = |side: usize, stride: i32, k: usize| {
            let stride = usize::try_from(stride).unwrap_or(0);
            side.saturating_mul(stride) + if options.byte(0) == 0 { 0 } else { k.saturating_sub(stride) }
        };
        let ([h, w, _], [high, wide, _]) = (&self.sides(*x)?[..], &self.sides(makes)?[..]) else { return Ok(false) };
        let usual = kernel.ndim() == 4
            && grown(*h, options.int(2, 0), kernel.shape()[1]) == *high
            && grown(*w, options.int(1, 0), kernel.shape()[2]) == *wide;
        if !usual || options.byte(3) != 0 {
            return Ok(false);
        }
        let bias = inputs.get(3).filter(|bias| **bias >= 0).map(|&bias| self.constant(bias)).transpose()?;
        let mut settings = window(options, [0, 1, 2], None);
        settings["use_bias"] = bias.is_some().into();
        // Channels out, height, width, channels in.
        self.one("Conv2DTranspose", label, settings, *x, makes)?;
        self.weight("kernel", permuted(kernel, &[1, 2, 0, 3]));
        if let Some(bias) = bias {
            self.weight("bias", bias);
        }
        Ok(true)
    }

    /// Two tensors, or one and a constant: a number, or one for each channel.
    fn join(&mut self, op: &str, label: &str, inputs: &[i32], makes: i32, function: &str) -> Result<bool> {
        let &[a, b] = inputs else { return Ok(false) };
        if !self.is_constant(a) && !self.is_constant(b) {
            let class = match op {
                "ADD" => "Add",
                "MUL" => "Multiply",
                "SUB" => "Subtract",
                "MAXIMUM" => "Maximum",
                "MINIMUM" => "Minimum",
                _ => return Ok(false),
            };
            let reads = vec![self.point(a)?, self.point(b)?];
            self.add(class, label, Value::Null, Some(reads), makes);
        } else {
            let (x, constant, turned) = if self.is_constant(b) { (a, b, false) } else { (b, a, true) };
            let row = self.row(constant, x)?;
            let settings = match (op, turned, row) {
                ("ADD", _, Some(row)) => json!({ "offset": row }),
                ("SUB", false, Some(row)) => json!({ "offset": row.iter().map(|v| -v).collect::<Vec<_>>() }),
                ("SUB", true, Some(row)) => json!({ "scale": -1.0, "offset": row }),
                ("MUL", _, Some(row)) => json!({ "scale": row }),
                ("DIV", false, Some(row)) => json!({ "scale": row.iter().map(|v| 1.0 / v).collect::<Vec<_>>() }),
                _ => return Ok(false),
            };
            self.one("Rescaling", label, settings, x, makes)?;
        }
        self.activated(label, makes, function)?;
        Ok(true)
    }

    /// A constant that is one number, or one for each channel of `x`.
    fn row(&self, constant: i32, x: i32) -> Result<Option<Vec<f32>>> {
        let tensor: Tensor = self.constant(constant)?;
        let channels = self.sides(x)?.last().copied().unwrap_or(0);
        let along = tensor.shape().last().copied().unwrap_or(1);
        let fits = tensor.len() == 1 || (tensor.len() == channels && along == channels);
        Ok(fits.then(|| tensor.iter().copied().collect()))
    }

    fn mean(&mut self, label: &str, x: i32, inputs: &[i32], makes: i32, kept: bool) -> Result<bool> {
        let rank = self.sides(x)?.len() as i64 + 1;
        let mut axes: Vec<i64> =
            self.whole(inputs, 1)?.into_iter().map(|axis| if axis < 0 { axis + rank } else { axis }).collect();
        axes.sort_unstable();
        if rank != 4 || axes != [1, 2] {
            return Ok(false);
        }
        self.one("GlobalAveragePooling2D", label, json!({ "keepdims": kept }), x, makes)?;
        Ok(true)
    }

    /// Zeros around pictures, and channels of zeros behind theirs: filters of one pixel that take each channel as it is.
    fn pad(&mut self, label: &str, x: i32, inputs: &[i32], makes: i32) -> Result<bool> {
        let [0, 0, top, bottom, left, right, 0, more] = self.whole(inputs, 1)?[..] else { return Ok(false) };
        let mut from = x;
        if [top, bottom, left, right] != [0; 4] || more == 0 {
            let settings = json!({ "padding": [[top, bottom], [left, right]] });
            self.one("ZeroPadding2D", label, settings, x, makes)?;
            from = makes;
        }
        let own = self.sides(x)?.last().copied().unwrap_or(0);
        let all = usize::try_from(more).ok().and_then(|more| own.checked_add(more)).filter(|all| *all <= 4096);
        match all {
            Some(all) if all > own && own > 0 => {
                self.one("Conv2D", label, json!({ "use_bias": false }), from, makes)?;
                let same = Tensor::from_shape_fn(vec![1, 1, own, all], |at| f32::from(u8::from(at[2] == at[3])));
                self.weight("kernel", same);
                Ok(true)
            }
            all => Ok(all.is_some()),
        }
    }

    fn resize(&mut self, op: &str, label: &str, x: i32, makes: i32, options: Option<&Table>) -> Result<bool> {
        let bilinear = op == "RESIZE_BILINEAR";
        let (aligned, half) = if bilinear { (2, 3) } else { (0, 1) };
        let set = |k: usize| options.is_some_and(|options| options.byte(k) != 0);
        let (from, to) = (self.sides(x)?, self.sides(makes)?);
        let ([h, w, _], [high, wide, _]) = (&from[..], &to[..]) else { return Ok(false) };
        let whole = *h > 0 && *w > 0 && high % h == 0 && wide % w == 0;
        // Without half pixels the nearest one of a whole number of times as many is the same.
        if set(aligned) || !whole || bilinear != set(half) {
            return Ok(false);
        }
        let interpolation = if bilinear { "bilinear" } else { "nearest" };
        self.one(
            "UpSampling2D",
            label,
            json!({ "size": [high / h, wide / w], "interpolation": interpolation }),
            x,
            makes,
        )?;
        Ok(true)
    }
}
