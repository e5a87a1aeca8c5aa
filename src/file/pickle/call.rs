//! The calls by which NumPy's pickles describe an array, played without calling anything.

use super::{Machine, Object, Value};
use crate::error::{Error, Result};
use crate::file::number::short;
use crate::file::numpy::{Array, Dtype};

/// NumPy's own limit is 64 axes. No call that is known here takes as many arguments.
const MAX_TUPLE: usize = 64;

/// The only names a file may mention.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Global {
    Reconstruct,
    FromBuffer,
    Scalar,
    Ndarray,
    Dtype,
    /// How Python 3 writes byte strings in protocols 0 to 2, which have none.
    Encode,
    /// A dict that keeps its order, as every dict does by now.
    OrderedDict,
    #[cfg(feature = "convert")]
    RebuildTensor,
    #[cfg(feature = "convert")]
    RebuildParameter,
    #[cfg(feature = "convert")]
    Storage(crate::file::number::Number),
}

impl Global {
    fn named(module: &str, name: &str) -> Result<Self> {
        #[cfg(feature = "convert")]
        if let Some(global) = super::torch::named(module, name) {
            return Ok(global);
        }
        match (module, name) {
            ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => Ok(Self::Reconstruct),
            ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => Ok(Self::Scalar),
            ("numpy.core.numeric" | "numpy._core.numeric", "_frombuffer") => Ok(Self::FromBuffer),
            ("numpy", "ndarray") => Ok(Self::Ndarray),
            ("numpy", "dtype") => Ok(Self::Dtype),
            ("_codecs", "encode") => Ok(Self::Encode),
            ("collections", "OrderedDict") => Ok(Self::OrderedDict),
            _ => {
                let got = format!("the name {}.{}", short(module), short(name));
                Err(Error::format("pickle", "a dict of NumPy arrays and nothing to execute", got))
            }
        }
    }
}

impl Machine<'_> {
    /// GLOBAL, STACK_GLOBAL and INST: a name, if it is one of the known ones.
    pub(super) fn global(&mut self, opcode: u8) -> Result<Value> {
        let global = if opcode == 0x93 {
            let names = self.pop_many(2)?;
            match [names[0].text(), names[1].text()] {
                [Some(module), Some(name)] => Global::named(module, name)?,
                _ => return self.refuse("a module and a name", "other values"),
            }
        } else {
            let (module, name) = (self.line()?, self.line()?);
            Global::named(module, name)?
        };
        // INST calls what it names with the values since the mark; only old-style Python 2 classes need it.
        if opcode == b'i' {
            self.refuse("no call of a class", format!("{global:?}"))
        } else {
            Ok(Value::Global(global))
        }
    }

    /// REDUCE: a function and its arguments. The functions are played here, never run.
    pub(super) fn call(&mut self) -> Result<Value> {
        let operands = self.pop_many(2)?;
        let arguments = self.tuple(&operands[1])?;
        let object = match (&operands[0], arguments) {
            (Value::Global(Global::Reconstruct), [Value::Global(Global::Ndarray), _, _]) => Object::Array(None),
            (Value::Global(Global::Dtype), [code, ..]) => match code.text() {
                Some(code) => Object::Dtype(Dtype::from_code(code)?),
                None => return self.refuse("a dtype's code", "another value"),
            },
            (Value::Global(Global::Scalar), [dtype, Value::Bytes(data)]) => {
                let dtype = self.dtype(dtype)?;
                Object::Array(Some(Box::new(Array::new(dtype, Vec::new(), false, data.clone()))))
            }
            (Value::Global(Global::FromBuffer), [Value::Bytes(data), dtype, shape, Value::Text(order)]) => {
                let (dtype, shape) = (self.dtype(dtype)?, self.shape(shape)?);
                let fortran = match &**order {
                    "C" => false,
                    "F" => true,
                    _ => return self.refuse("C or Fortran order", short(order)),
                };
                Object::Array(Some(Box::new(Array::new(dtype, shape, fortran, data.clone()))))
            }
            // NumPy 2.3 and later, for axes in any order: the sides as they lie in memory, and where each axis lies.
            (Value::Global(Global::FromBuffer), [Value::Bytes(data), dtype, shape, Value::Text(order), axes])
                if &**order == "K" =>
            {
                let (dtype, shape, axes) = (self.dtype(dtype)?, self.shape(shape)?, self.shape(axes)?);
                let each_once = axes.len() == shape.len() && (0..axes.len()).all(|axis| axes.contains(&axis));
                if !each_once {
                    return self.refuse(format!("each of {} axes once", shape.len()), format!("{axes:?}"));
                }
                Object::Array(Some(Box::new(Array { dtype, shape, axes: Some(axes), data: data.clone() })))
            }
            #[cfg(feature = "convert")]
            (Value::Global(Global::RebuildTensor), [storage, offset, sides, strides, ..]) => {
                self.view([storage, offset, sides, strides])?
            }
            #[cfg(feature = "convert")]
            (Value::Global(Global::RebuildParameter), [tensor, ..]) => return Ok(tensor.clone()),
            (Value::Global(Global::OrderedDict), []) => Object::Dict(Vec::new()),
            (Value::Global(Global::Encode), [Value::Text(text), Value::Text(codec)]) if &**codec == "latin1" => {
                let text = text.clone();
                return self.encode(&text);
            }
            _ => return self.refuse("a call that makes a NumPy array", "another call"),
        };
        Ok(self.make(object))
    }

    /// BUILD: gives a dtype its byte order or an array its numbers. The object stays on the stack.
    pub(super) fn build(&mut self) -> Result<()> {
        let state = self.pop()?;
        let Some(&Value::Object(target)) = self.stack.last() else {
            return self.refuse("a dtype or an array to fill", "another value");
        };
        // What a dict has besides its items, such as the versions that PyTorch puts there.
        #[cfg(feature = "convert")]
        if matches!(self.objects[target], Object::Dict(_)) {
            return Ok(());
        }
        let state = self.tuple(&state)?;
        let built = match (&self.objects[target], state) {
            // Version, order, then subarray, names and fields: a plain number type has none of these.
            (Object::Dtype(dtype), [Value::Int(_), order, Value::None, Value::None, Value::None, ..]) => {
                let mut dtype = *dtype;
                dtype.set_order(order.text().unwrap_or("none"))?;
                Object::Dtype(dtype)
            }
            (Object::Array(_), [Value::Int(1), shape, dtype, Value::Bool(fortran), Value::Bytes(data)]) => {
                let (dtype, shape) = (self.dtype(dtype)?, self.shape(shape)?);
                Object::Array(Some(Box::new(Array::new(dtype, shape, *fortran, data.clone()))))
            }
            _ => return self.refuse("the state of a plain dtype or array", "another state"),
        };
        self.objects[target] = built;
        Ok(())
    }

    /// Latin-1 bytes from text: the only encoding asked for is that of Python 3's byte strings.
    fn encode(&mut self, text: &str) -> Result<Value> {
        self.pay(2 * text.len())?;
        let mut bytes = Vec::with_capacity(text.len());
        for c in text.chars() {
            match u8::try_from(c) {
                Ok(byte) => bytes.push(byte),
                Err(_) => return self.refuse("latin1 text", format!("{c:?}")),
            }
        }
        Ok(Value::Bytes(bytes.into()))
    }

    fn dtype(&self, value: &Value) -> Result<Dtype> {
        match value {
            Value::Object(index) => match self.objects[*index] {
                Object::Dtype(dtype) => Ok(dtype),
                _ => self.refuse("a dtype", "another object"),
            },
            _ => self.refuse("a dtype", "another value"),
        }
    }

    pub(super) fn shape(&self, value: &Value) -> Result<Vec<usize>> {
        let side = |side: &Value| match side {
            Value::Int(n) => usize::try_from(*n).or_else(|_| self.refuse("sides of at least 0", n)),
            _ => self.refuse("a shape of whole numbers", "another value"),
        };
        self.tuple(value)?.iter().map(side).collect()
    }

    pub(super) fn tuple(&self, value: &Value) -> Result<&[Value]> {
        match value {
            Value::Object(index) => match &self.objects[*index] {
                Object::Tuple(items) if items.len() <= MAX_TUPLE => Ok(items),
                _ => self.refuse(format!("a tuple of at most {MAX_TUPLE}"), "another object"),
            },
            _ => self.refuse("a tuple", "another value"),
        }
    }
}
