//! The one error type. Each variant names the thing, what was expected and what came, so that a
//! message can be shown to a person as it is.

use std::fmt;

/// What every fallible function of the crate returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something was refused. Nothing is changed by a call that returns one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Sizes that do not fit together: a kernel larger than its input, a tensor of the wrong shape.
    Shape(Detail),
    /// A number or option outside its range: a NaN pixel, a zero stride, a label without a class.
    Value(Detail),
    /// Bytes that are not what their format says: truncated, hostile, of another kind.
    Format(Detail),
    /// A name that is not there: an unknown model, a tensor that a file lacks.
    Missing(Detail),
    /// There is no ink to read. Never a prediction.
    Empty,
    /// The operating system refused a file.
    Io(Detail),
}

/// The three parts of a message: `{what}: expected {expected}, got {got}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// The thing that is wrong, by the name a reader knows it by.
    pub what: String,
    /// What would have been accepted.
    pub expected: String,
    /// What came instead.
    pub got: String,
}

macro_rules! constructor {
    ($name:ident, $variant:ident) => {
        #[doc = concat!("An [`Error::", stringify!($variant), "`] from its three parts.")]
        pub fn $name(what: impl fmt::Display, expected: impl fmt::Display, got: impl fmt::Display) -> Self {
            Self::$variant(Detail { what: what.to_string(), expected: expected.to_string(), got: got.to_string() })
        }
    };
}

impl Error {
    constructor!(shape, Shape);
    constructor!(value, Value);
    constructor!(format, Format);
    constructor!(missing, Missing);
    constructor!(io, Io);

    /// A short stable word for programs: `shape`, `value`, `format`, `missing`, `empty`, `io`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Shape(_) => "shape",
            Self::Value(_) => "value",
            Self::Format(_) => "format",
            Self::Missing(_) => "missing",
            Self::Empty => "empty",
            Self::Io(_) => "io",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("nothing drawn: there is no ink to read"),
            Self::Shape(d) | Self::Value(d) | Self::Format(d) | Self::Missing(d) | Self::Io(d) => {
                write!(f, "{}: expected {}, got {}", d.what, d.expected, d.got)
            }
        }
    }
}

impl std::error::Error for Error {}
