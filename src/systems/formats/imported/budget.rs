//! What a run may take: memory for the arrays that live at once, and work. Both are asked for before they are spent, since a
//! graph of a few bytes may ask for any amount.

use crate::error::{Error, Result};
use crate::file::array::{Array, Data};
use std::cell::Cell;

/// Bytes of arrays that may live at once, unless a model is allowed more.
pub const MEMORY: usize = 1 << 30;
/// Work for every byte of that memory, and for every number that is handed in, as an input or in the file: a convolution uses
/// each of its weights once for a pixel, and its pixels once for a filter.
const FOR_BYTE: u64 = 8;
const FOR_NUMBER: u64 = 1 << 13;
/// What an operator costs that does nothing.
const OPERATOR: u64 = 1000;
/// Multiply-adds that a kernel does while a plain loop visits one number.
pub(super) const KERNEL: u64 = 8;

/// The budget of a run.
pub(super) struct Budget {
    memory: usize,
    live: Cell<usize>,
    /// Numbers that plain loops may still visit, and might at first.
    left: Cell<u64>,
    work: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(MEMORY, 0)
    }
}

impl Budget {
    /// So many bytes at once, with the work that goes with them and with the numbers that are handed in.
    pub(super) fn new(memory: usize, numbers: usize) -> Self {
        let work = (memory as u64).saturating_mul(FOR_BYTE).saturating_add((numbers as u64).saturating_mul(FOR_NUMBER));
        Self { memory, live: Cell::new(0), left: Cell::new(work), work }
    }

    /// Errors: [`Error::Shape`] where so many bytes more are too many.
    pub(super) fn room(&self, bytes: usize) -> Result<()> {
        let all = self.live.get().saturating_add(bytes);
        if all <= self.memory {
            return Ok(());
        }
        let mega = |bytes: usize| bytes.div_ceil(1 << 20);
        let expected = format!("at most {} MiB at once (--most-memory of the command raises it)", mega(self.memory));
        Err(Error::shape("memory", expected, format!("{} MiB", mega(all))))
    }

    /// Takes work: numbers that a plain loop visits. Errors: [`Error::Shape`] where that is too much.
    pub(super) fn work(&self, units: u64) -> Result<()> {
        let Some(left) = self.left.get().checked_sub(units) else {
            let expected = format!(
                "at most {} numbers visited for what is given (--most-memory of the command raises it)",
                self.work
            );
            return Err(Error::shape("work", expected, (self.work - self.left.get()).saturating_add(units)));
        };
        self.left.set(left);
        Ok(())
    }

    /// Takes the work of an operator that reads and makes so many numbers.
    pub(super) fn operator(&self, numbers: usize) -> Result<()> {
        self.work(OPERATOR.saturating_add(numbers as u64))
    }

    /// Notes an array that lives from now on. Errors: those of [`Budget::room`].
    pub(super) fn hold(&self, array: &Array) -> Result<()> {
        self.room(bytes(array))?;
        self.live.set(self.live.get() + bytes(array));
        Ok(())
    }

    /// Notes that a held array is gone.
    pub(super) fn release(&self, array: &Array) {
        self.live.set(self.live.get().saturating_sub(bytes(array)));
    }
}

/// Bytes of an array's numbers: whole ones and truth values are kept in 8 each.
fn bytes(array: &Array) -> usize {
    match array.data() {
        Data::Real(data) => 4 * data.len(),
        Data::Whole(data) => 8 * data.len(),
    }
}
