//! FlatBuffers, read in place and without trust: every offset is looked at before it is followed. The crate `flatbuffers` reads
//! tables in `unsafe` code, which is kept to one file here, and what it generates for this schema is 20,000 lines.
//!
//! Specification: <https://flatbuffers.dev/internals/>.

/// A table at a place in a file.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?).into())
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?).try_into().ok()
}

/// Where an offset leads.
fn follow(bytes: &[u8], at: usize) -> Option<usize> {
    at.checked_add(u32_at(bytes, at)?).filter(|to| *to < bytes.len())
}

impl<'a> Table<'a> {
    /// The table that a file begins with.
    pub(super) fn root(bytes: &'a [u8]) -> Option<Self> {
        Some(Self { bytes, at: follow(bytes, 0)? })
    }

    /// Where field number `k` stands, unless it has its usual value.
    fn field(&self, k: usize) -> Option<usize> {
        let back = i32::from_le_bytes(*self.bytes.get(self.at..)?.first_chunk()?);
        let list = usize::try_from(i64::try_from(self.at).ok()? - i64::from(back)).ok()?;
        let entry = 4 + 2 * k;
        if entry + 2 > u16_at(self.bytes, list)? {
            return None;
        }
        let offset = u16_at(self.bytes, list.checked_add(entry)?)?;
        (offset > 0).then(|| self.at + offset)
    }

    pub(super) fn byte(&self, k: usize) -> u8 {
        self.field(k).and_then(|at| self.bytes.get(at)).copied().unwrap_or(0)
    }

    pub(super) fn int(&self, k: usize, missing: i32) -> i32 {
        let read = |at: usize| Some(i32::from_le_bytes(*self.bytes.get(at..)?.first_chunk()?));
        self.field(k).and_then(read).unwrap_or(missing)
    }

    pub(super) fn float(&self, k: usize) -> f32 {
        f32::from_bits(self.int(k, 0).cast_unsigned())
    }

    pub(super) fn table(&self, k: usize) -> Option<Self> {
        Some(Self { bytes: self.bytes, at: follow(self.bytes, self.field(k)?)? })
    }

    /// The bytes of a list whose items have `size` bytes each.
    fn list(&self, k: usize, size: usize) -> &'a [u8] {
        let read = || {
            let at = follow(self.bytes, self.field(k)?)?;
            let length = u32_at(self.bytes, at)?.checked_mul(size)?;
            self.bytes.get(at + 4..)?.get(..length)
        };
        read().unwrap_or_default()
    }

    pub(super) fn bytes(&self, k: usize) -> &'a [u8] {
        self.list(k, 1)
    }

    pub(super) fn text(&self, k: usize) -> String {
        String::from_utf8_lossy(self.bytes(k)).into_owned()
    }

    pub(super) fn ints(&self, k: usize) -> Vec<i32> {
        self.list(k, 4).as_chunks::<4>().0.iter().map(|raw| i32::from_le_bytes(*raw)).collect()
    }

    pub(super) fn longs(&self, k: usize) -> Vec<i64> {
        self.list(k, 8).as_chunks::<8>().0.iter().map(|raw| i64::from_le_bytes(*raw)).collect()
    }

    pub(super) fn floats(&self, k: usize) -> Vec<f32> {
        self.ints(k).into_iter().map(|raw| f32::from_bits(raw.cast_unsigned())).collect()
    }

    /// The tables of a list.
    pub(super) fn tables(&self, k: usize) -> Vec<Self> {
        let start = self.field(k).and_then(|at| follow(self.bytes, at)).map_or(0, |at| at + 4);
        let count = self.list(k, 4).len() / 4;
        let at = |i: usize| follow(self.bytes, start + 4 * i);
        (0..count).filter_map(|i| Some(Self { bytes: self.bytes, at: at(i)? })).collect()
    }
}
