//! Reads a pickled dict of NumPy arrays and executes nothing.
//!
//! A pickle is a program for a stack machine, and Python lets it call anything. This machine knows only what the
//! dict of arrays of protocols 0 to 5 needs: numbers, strings, tuples, dicts, a memo, and the six
//! names of NumPy's array reconstruction and `OrderedDict` (`call.rs`). Any other name or opcode is an error that names it. Opcodes: CPython's `Lib/pickletools.py`.
//!
//! Memory is bounded before it is taken: every length is checked against what is left of the file, and every
//! opcode and every copy of bytes is paid for from one budget of 16 MiB and twelve times the file's size
//! (a memo entry can be used any number of times, so a small file could otherwise ask for a large result).
//! Containers live in one list and name each other by index: nothing recurses, cycles cannot leak.

use super::number::short;
use super::numpy::{Array, Dtype};
use crate::error::{Error, Result};
use crate::tensor::Tensor;
use call::Global;
use std::collections::BTreeMap;
use std::rc::Rc;

mod call;
mod literal;
// The other modules of the page open no such files and are the smaller for it.
#[cfg(feature = "convert")]
pub(super) mod torch;

/// What one opcode may add at most: a stack value, an object and a memo entry, with room to grow.
const STEP: usize = 256;
/// What a file may cost however small it is: 65,536 opcodes.
const BASE: usize = 65_536 * STEP;
/// What a byte of the file may cost: itself, and for a one-byte integer in Fortran order two `f32`, with room for
/// an array that has two names.
const PER_BYTE: usize = 12;

/// Reads the tensors of a pickled dict by name, rounded to `f32`, in C order.
///
/// Takes arrays and scalars of types f2, f4, f8 and whole numbers, of either byte order, in C or Fortran order.
/// Errors: [`Error::Format`] for anything else in the file, for a file that is cut short or goes on after its end,
/// and for one whose result would be more than about twelve times its size; [`Error::Value`] for a number that is
/// not finite.
pub fn read(bytes: &[u8]) -> Result<BTreeMap<String, Tensor>> {
    let mut machine = Machine::new(bytes);
    let root = machine.run()?;
    machine.tensors(&root)
}

#[derive(Debug, Clone)]
enum Value {
    Mark,
    None,
    Bool(bool),
    Int(i64),
    Text(Rc<str>),
    Bytes(Rc<[u8]>),
    Global(Global),
    /// An index into [`Machine::objects`].
    Object(usize),
}

impl Value {
    /// The text of a string; Python 2 wrote its strings as bytes.
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }
}

#[derive(Debug)]
enum Object {
    Tuple(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    Dtype(Dtype),
    /// `None` from `_reconstruct` until BUILD gives it its numbers.
    Array(Option<Box<Array>>),
    #[cfg(feature = "convert")]
    Storage(super::number::Number, String),
    #[cfg(feature = "convert")]
    View(Box<torch::View>),
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    budget: usize,
    stack: Vec<Value>,
    memo: BTreeMap<usize, Value>,
    objects: Vec<Object>,
    /// Whether the pickle is PyTorch's, which has more opcodes.
    #[cfg(feature = "convert")]
    torch: bool,
}

impl<'a> Machine<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let budget = bytes.len().saturating_mul(PER_BYTE).saturating_add(BASE);
        Self {
            bytes,
            at: 0,
            budget,
            stack: Vec::new(),
            memo: BTreeMap::new(),
            objects: Vec::new(),
            #[cfg(feature = "convert")]
            torch: false,
        }
    }
}

impl Machine<'_> {
    fn run(&mut self) -> Result<Value> {
        loop {
            match self.byte()? {
                b'.' => break,
                opcode => {
                    self.pay(STEP)?;
                    self.step(opcode)?;
                }
            }
        }
        let root = self.pop()?;
        match (self.stack.len(), self.bytes.len() - self.at) {
            (0, 0) => Ok(root),
            (0, rest) => self.refuse("the end of the file", format!("{rest} bytes more")),
            (values, _) => self.refuse("one dict", format!("{values} values besides")),
        }
    }

    fn step(&mut self, opcode: u8) -> Result<()> {
        let value = match opcode {
            b'(' => Value::Mark,
            b'N' => Value::None,
            0x88 | 0x89 => Value::Bool(opcode == 0x88),
            b'I' | b'J' | b'K' | b'L' | b'M' | 0x8a | 0x8b => self.whole_number(opcode)?,
            b'B' | b'C' | b'S' | b'T' | b'U' | 0x8e | 0x96 => self.byte_string(opcode)?,
            b'V' | b'X' | 0x8c | 0x8d => self.text_string(opcode)?,
            b')' => self.make(Object::Tuple(Vec::new())),
            0x85..=0x87 => {
                let items = self.pop_many(usize::from(opcode - 0x84))?;
                self.make(Object::Tuple(items))
            }
            b't' => {
                let items = self.pop_to_mark()?;
                self.make(Object::Tuple(items))
            }
            b'}' => self.make(Object::Dict(Vec::new())),
            b'd' => {
                let items = self.pop_to_mark()?;
                let pairs = self.pairs(items)?;
                self.make(Object::Dict(pairs))
            }
            b'g' | b'h' | b'j' => self.get(opcode)?,
            b'c' | b'i' | 0x93 => self.global(opcode)?,
            b'R' => self.call()?,
            _ => return self.effect(opcode),
        };
        self.stack.push(value);
        Ok(())
    }

    /// The opcodes that change something and push nothing.
    fn effect(&mut self, opcode: u8) -> Result<()> {
        match opcode {
            0x80 => match self.byte()? {
                0..=5 => Ok(()),
                other => self.refuse("pickle protocol 0 to 5", other),
            },
            0x95 => match self.unsigned(8)? {
                frame if frame <= self.bytes.len() - self.at => Ok(()),
                frame => self.refuse("a frame within the file", format!("{frame} bytes")),
            },
            b'p' | b'q' | b'r' | 0x94 => self.put(opcode),
            b's' => {
                let items = self.pop_many(2)?;
                self.set_items(items)
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                self.set_items(items)
            }
            b'b' => self.build(),
            #[cfg(feature = "convert")]
            _ if self.torch(opcode)? => Ok(()),
            _ => {
                let got = format!("opcode {:?} ({opcode:#04x})", char::from(opcode));
                self.refuse("an opcode that a dict of NumPy arrays needs", got)
            }
        }
    }

    /// The arrays of the finished dict.
    fn tensors(&mut self, root: &Value) -> Result<BTreeMap<String, Tensor>> {
        let mut tensors = BTreeMap::new();
        let Value::Object(root) = *root else { return self.refuse("a dict", "another value") };
        let Object::Dict(pairs) = std::mem::replace(&mut self.objects[root], Object::Tuple(Vec::new())) else {
            return self.refuse("a dict", "another object");
        };
        for (key, value) in &pairs {
            let Some(name) = key.text() else { return self.refuse("names as keys", "another value") };
            let array = match value {
                Value::Object(index) => match &self.objects[*index] {
                    Object::Array(Some(array)) => array.clone(),
                    _ => return Err(Error::format(short(name), "a NumPy array", "another object")),
                },
                _ => return Err(Error::format(short(name), "a NumPy array", "another value")),
            };
            self.pay(STEP.saturating_add(name.len()).saturating_add(array.cost()))?;
            tensors.insert(name.to_owned(), array.tensor(name)?);
        }
        Ok(tensors)
    }

    fn set_items(&mut self, items: Vec<Value>) -> Result<()> {
        let pairs = self.pairs(items)?;
        match self.stack.last() {
            Some(&Value::Object(index)) => match &mut self.objects[index] {
                Object::Dict(dict) => dict.extend(pairs),
                _ => return self.refuse("a dict to set items of", "another object"),
            },
            _ => return self.refuse("a dict to set items of", "another value"),
        }
        Ok(())
    }

    fn pairs(&self, items: Vec<Value>) -> Result<Vec<(Value, Value)>> {
        let (pairs, odd) = items.as_chunks::<2>();
        if !odd.is_empty() {
            return self.refuse("keys with values", "a key alone");
        }
        Ok(pairs.iter().cloned().map(|[key, value]| (key, value)).collect())
    }

    fn put(&mut self, opcode: u8) -> Result<()> {
        let index = match opcode {
            b'p' => self.decimal()?,
            b'q' => self.unsigned(1)?,
            b'r' => self.unsigned(4)?,
            _ => self.memo.len(),
        };
        match self.stack.last() {
            None | Some(Value::Mark) => self.refuse("a value to remember", "none"),
            Some(value) => {
                self.memo.insert(index, value.clone());
                Ok(())
            }
        }
    }

    fn get(&mut self, opcode: u8) -> Result<Value> {
        let index = match opcode {
            b'g' => self.decimal()?,
            b'h' => self.unsigned(1)?,
            _ => self.unsigned(4)?,
        };
        self.memo.get(&index).cloned().map_or_else(|| self.refuse("a memo entry", format!("none at {index}")), Ok)
    }

    fn make(&mut self, object: Object) -> Value {
        self.objects.push(object);
        Value::Object(self.objects.len() - 1)
    }

    fn pop(&mut self) -> Result<Value> {
        match self.stack.pop() {
            None | Some(Value::Mark) => self.refuse("a value on the stack", "none"),
            Some(value) => Ok(value),
        }
    }

    fn pop_many(&mut self, count: usize) -> Result<Vec<Value>> {
        let mut items = (0..count).map(|_| self.pop()).collect::<Result<Vec<_>>>()?;
        items.reverse();
        Ok(items)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value>> {
        let Some(mark) = self.stack.iter().rposition(|value| matches!(value, Value::Mark)) else {
            return self.refuse("a mark on the stack", "none");
        };
        let items = self.stack.split_off(mark + 1);
        self.stack.pop();
        Ok(items)
    }

    fn pay(&mut self, bytes: usize) -> Result<()> {
        match self.budget.checked_sub(bytes) {
            Some(left) => {
                self.budget = left;
                Ok(())
            }
            None => self.refuse("content in proportion to the file's size", "far more"),
        }
    }

    fn refuse<T>(&self, expected: impl std::fmt::Display, got: impl std::fmt::Display) -> Result<T> {
        Err(Error::format(format!("pickle at byte {}", self.at), expected, got))
    }
}
