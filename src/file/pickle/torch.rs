//! What `torch.save` writes into its pickle beyond NumPy's: tensors as views into storages that lie beside it, lists, numbers
//! with a point. Source: `torch/serialization.py` and `torch/_utils.py` (`_rebuild_tensor_v2`).

use super::call::Global;
use super::{Machine, Object, Value};
use crate::error::{Error, Result};
use crate::file::number::{Number, short};

/// A view into a storage.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::file) struct View {
    pub(in crate::file) number: Number,
    /// The name of the storage.
    pub(in crate::file) storage: String,
    pub(in crate::file) offset: usize,
    pub(in crate::file) sides: Vec<usize>,
    pub(in crate::file) strides: Vec<usize>,
}

/// The types of storages by their names.
const STORAGES: [(&str, Number); 10] = [
    ("FloatStorage", Number::F32),
    ("HalfStorage", Number::F16),
    ("BFloat16Storage", Number::Bf16),
    ("DoubleStorage", Number::F64),
    ("LongStorage", Number::I64),
    ("IntStorage", Number::I32),
    ("ShortStorage", Number::I16),
    ("CharStorage", Number::I8),
    ("ByteStorage", Number::U8),
    ("BoolStorage", Number::Bool),
];

/// Where programs keep a `state_dict` among the other things of a training.
const INSIDE: [&str; 7] = ["state_dict", "model_state_dict", "model", "net", "weights", "params", "module"];

/// Reads the tensors of a pickled `state_dict` by name. Numbers, texts and lists that stand beside them are left out.
pub(in crate::file) fn views(bytes: &[u8]) -> Result<Vec<(String, View)>> {
    let mut machine = Machine::new(bytes);
    machine.torch = true;
    let root = machine.run()?;
    machine.views(&root)
}

/// A name that torch's pickles use.
pub(super) fn named(module: &str, name: &str) -> Option<Global> {
    match (module, name) {
        ("torch._utils", "_rebuild_tensor_v2") => Some(Global::RebuildTensor),
        ("torch._utils", "_rebuild_parameter") => Some(Global::RebuildParameter),
        ("torch", storage) => {
            STORAGES.iter().find(|(known, _)| *known == storage).map(|(_, number)| Global::Storage(*number))
        }
        _ => None,
    }
}

impl Machine<'_> {
    /// The opcodes that NumPy's pickles have not. Lists are held as tuples.
    pub(super) fn torch(&mut self, opcode: u8) -> Result<bool> {
        match opcode {
            _ if !self.torch => return Ok(false),
            b']' => {
                let list = self.make(Object::Tuple(Vec::new()));
                self.stack.push(list);
            }
            b'a' => {
                let items = self.pop_many(1)?;
                self.append(items)?;
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                self.append(items)?;
            }
            // A number with a point belongs to a training, not to its weights.
            b'G' => {
                self.skip(8)?;
                self.stack.push(Value::None);
            }
            b'Q' => {
                let id = self.pop()?;
                let storage = match self.tuple(&id)? {
                    [_, Value::Global(Global::Storage(number)), key, ..] => {
                        key.text().map(|key| Object::Storage(*number, key.to_string()))
                    }
                    _ => None,
                };
                let Some(storage) = storage else { return self.refuse("a storage of a known type", "another") };
                let value = self.make(storage);
                self.stack.push(value);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn append(&mut self, items: Vec<Value>) -> Result<()> {
        match self.stack.last() {
            Some(&Value::Object(index)) => match &mut self.objects[index] {
                Object::Tuple(list) => list.extend(items),
                _ => return self.refuse("a list to append to", "another object"),
            },
            _ => return self.refuse("a list to append to", "another value"),
        }
        Ok(())
    }

    /// A tensor's arguments: its storage, where it begins there, its sides and its strides.
    pub(super) fn view(&self, [storage, offset, sides, strides]: [&Value; 4]) -> Result<Object> {
        let found = match (storage, offset) {
            (Value::Object(index), Value::Int(offset)) => match &self.objects[*index] {
                Object::Storage(number, key) => {
                    usize::try_from(*offset).ok().map(|offset| (*number, key.clone(), offset))
                }
                _ => None,
            },
            _ => None,
        };
        let Some((number, storage, offset)) = found else {
            return self.refuse("a tensor in a storage", "another value");
        };
        let view = View { number, storage, offset, sides: self.shape(sides)?, strides: self.shape(strides)? };
        Ok(Object::View(Box::new(view)))
    }

    /// The tensors of the finished dict, or of the one in it that is a `state_dict`.
    fn views(&self, root: &Value) -> Result<Vec<(String, View)>> {
        let dict = |value: &Value| match value {
            Value::Object(index) => match &self.objects[*index] {
                Object::Dict(pairs) => Some(pairs),
                _ => None,
            },
            _ => None,
        };
        let view = |value: &Value| match value {
            Value::Object(index) => match &self.objects[*index] {
                Object::View(view) => Some((**view).clone()),
                _ => None,
            },
            _ => None,
        };
        let of = |pairs: &[(Value, Value)]| -> Vec<(String, View)> {
            pairs.iter().filter_map(|(key, value)| Some((key.text()?.to_string(), view(value)?))).collect()
        };
        let Some(pairs) = dict(root) else { return self.refuse("a state_dict", "another value") };
        let inside = INSIDE.iter().filter_map(|name| {
            let (_, value) = pairs.iter().find(|(key, _)| key.text() == Some(name))?;
            dict(value)
        });
        let found = std::iter::once(pairs).chain(inside).map(|pairs| of(pairs)).find(|views| !views.is_empty());
        found.ok_or_else(|| Error::format("pickle", "a state_dict of tensors", short("a dict without any")))
    }
}
