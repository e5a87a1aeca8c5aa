//! Numbers and strings of the opcode stream. Every length is checked against the rest of the file before a copy.

use super::{Machine, Value};
use crate::error::Result;

impl<'a> Machine<'a> {
    pub(super) fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    /// Leaves bytes out.
    #[cfg(feature = "convert")]
    pub(super) fn skip(&mut self, count: usize) -> Result<()> {
        self.take(count).map(drop)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        match rest.get(..count) {
            Some(taken) => {
                self.at += count;
                Ok(taken)
            }
            None => self.refuse(format!("{count} bytes more"), format!("{} left", rest.len())),
        }
    }

    fn line_bytes(&mut self) -> Result<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        match rest.iter().position(|&b| b == b'\n') {
            Some(end) => {
                self.at += end + 1;
                Ok(&rest[..end])
            }
            None => self.refuse("a line", "the end of the file"),
        }
    }

    /// The UTF-8 text up to the next line feed.
    pub(super) fn line(&mut self) -> Result<&'a str> {
        let line = self.line_bytes()?;
        std::str::from_utf8(line).or_else(|_| self.refuse("UTF-8", "other bytes"))
    }

    /// A decimal number on its own line: an index of the memo in protocol 0.
    pub(super) fn decimal(&mut self) -> Result<usize> {
        let line = self.line()?;
        line.parse().or_else(|_| self.refuse("a decimal number", super::short(line)))
    }

    /// A little-endian number of at most 8 bytes, such as a length or an index.
    pub(super) fn unsigned(&mut self, bytes: usize) -> Result<usize> {
        let raw = self.take(bytes)?;
        let number = raw.iter().rev().fold(0_u64, |n, &b| n << 8 | u64::from(b));
        usize::try_from(number).or_else(|_| self.refuse("a length that fits in memory", number))
    }

    /// A little-endian number in two's complement; no shape needs more than 8 bytes.
    fn signed(&mut self, bytes: usize) -> Result<i64> {
        let raw = self.take(bytes)?;
        let fill = if raw.last().is_some_and(|b| b & 0x80 != 0) { 0xff } else { 0 };
        let mut wide = [fill; 8];
        match wide.get_mut(..bytes) {
            Some(low) => low.copy_from_slice(raw),
            None => return self.refuse("a whole number of at most 8 bytes", bytes),
        }
        Ok(i64::from_le_bytes(wide))
    }

    pub(super) fn whole_number(&mut self, opcode: u8) -> Result<Value> {
        let number = match opcode {
            b'I' | b'L' => return self.written_number(),
            b'J' => self.signed(4)?,
            b'K' => i64::from(self.byte()?),
            b'M' => self.unsigned(2)? as i64,
            0x8a => {
                let bytes = self.unsigned(1)?;
                self.signed(bytes)?
            }
            _ => {
                let bytes = self.unsigned(4)?;
                self.signed(bytes)?
            }
        };
        Ok(Value::Int(number))
    }

    /// INT and LONG of protocol 0: decimal digits; `00` and `01` are its booleans, a long may end in `L`.
    fn written_number(&mut self) -> Result<Value> {
        match self.line()? {
            "00" => Ok(Value::Bool(false)),
            "01" => Ok(Value::Bool(true)),
            line => match line.strip_suffix('L').unwrap_or(line).parse() {
                Ok(number) => Ok(Value::Int(number)),
                Err(_) => self.refuse("a decimal number", super::short(line)),
            },
        }
    }

    pub(super) fn byte_string(&mut self, opcode: u8) -> Result<Value> {
        let length = match opcode {
            b'S' => return self.quoted(),
            b'C' | b'U' => self.unsigned(1)?,
            b'B' | b'T' => self.unsigned(4)?,
            _ => self.unsigned(8)?,
        };
        let bytes = self.take(length)?;
        self.pay(length)?;
        Ok(Value::Bytes(bytes.into()))
    }

    pub(super) fn text_string(&mut self, opcode: u8) -> Result<Value> {
        let length = match opcode {
            b'V' => return self.raw_unicode(),
            0x8c => self.unsigned(1)?,
            b'X' => self.unsigned(4)?,
            _ => self.unsigned(8)?,
        };
        let bytes = self.take(length)?;
        self.pay(length)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Value::Text(text.into())),
            Err(_) => self.refuse("UTF-8", "other bytes"),
        }
    }

    /// STRING: a Python 2 `repr`, in quotes and with backslash escapes.
    fn quoted(&mut self) -> Result<Value> {
        let line = self.line_bytes()?;
        self.pay(2 * line.len())?;
        let ([quote @ (b'\'' | b'"'), inner @ .., end], true) = (line, line.len() >= 2) else {
            return self.refuse("a string in quotes", "none");
        };
        if quote != end {
            return self.refuse("a string in quotes", "no closing quote");
        }
        let mut bytes = Vec::with_capacity(inner.len());
        let mut rest = inner;
        while let [first, tail @ ..] = rest {
            let (byte, after) = match (first, tail) {
                (b'\\', [b'n', after @ ..]) => (b'\n', after),
                (b'\\', [b'r', after @ ..]) => (b'\r', after),
                (b'\\', [b't', after @ ..]) => (b'\t', after),
                (b'\\', [c @ (b'\\' | b'\'' | b'"'), after @ ..]) => (*c, after),
                (b'\\', [b'x', after @ ..]) if after.len() >= 2 => (self.hex(&after[..2])? as u8, &after[2..]),
                (b'\\', _) => return self.refuse("an escape of Python's repr", "another"),
                (c, after) => (*c, after),
            };
            bytes.push(byte);
            rest = after;
        }
        Ok(Value::Bytes(bytes.into()))
    }

    /// UNICODE: Latin-1 bytes with `\uXXXX` and `\UXXXXXXXX` escapes (Python's raw-unicode-escape).
    fn raw_unicode(&mut self) -> Result<Value> {
        let line = self.line_bytes()?;
        self.pay(4 * line.len())?;
        let mut text = String::with_capacity(line.len());
        let mut rest = line;
        while let [first, tail @ ..] = rest {
            let (number, after) = match (first, tail) {
                (b'\\', [b'u', after @ ..]) if after.len() >= 4 => (self.hex(&after[..4])?, &after[4..]),
                (b'\\', [b'U', after @ ..]) if after.len() >= 8 => (self.hex(&after[..8])?, &after[8..]),
                (c, after) => (u32::from(*c), after),
            };
            match char::from_u32(number) {
                Some(c) => text.push(c),
                None => return self.refuse("a Unicode character", format!("{number:#x}")),
            }
            rest = after;
        }
        Ok(Value::Text(text.into()))
    }

    fn hex(&self, digits: &[u8]) -> Result<u32> {
        let number = std::str::from_utf8(digits).ok().and_then(|digits| u32::from_str_radix(digits, 16).ok());
        number.map_or_else(|| self.refuse("hexadecimal digits", "others"), Ok)
    }
}
