//! Operators that work number by number, with NumPy's broadcasting where they take several arrays.

use super::super::call::{Answer, Call};
use super::broadcast::zip;
use crate::error::{Error, Result};
use crate::file::array::{Array, Data, Number};
use ndarray::ArrayD;

/// SELU's α and scale.
const SELU: (f32, f32) = (1.673_263_2, 1.050_701);

/// One array to one of its shape.
pub(super) fn unary(call: &Call) -> Answer {
    let x = call.x(0)?;
    let data = match x.data() {
        Data::Real(data) => data,
        Data::Whole(data) => return Ok(vec![Array::whole(x.number(), data.mapv(whole_function(call)?))]),
    };
    let f = function(call)?;
    Ok(vec![Array::real(x.number(), data.mapv(f))])
}

fn whole_function(call: &Call) -> Result<fn(i64) -> i64> {
    Ok(match call.node.op.as_str() {
        "Abs" => i64::wrapping_abs,
        "Neg" => i64::wrapping_neg,
        "Sign" => i64::signum,
        "Relu" => |x| x.max(0),
        "Not" => |x| i64::from(x == 0),
        "BitwiseNot" => |x| !x,
        _ => return Err(call.refuse("floating-point numbers", format!("{:?}", call.x(0)?.number()))),
    })
}

/// By comparison, so that what is no number stays none.
pub(super) fn relu(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}

pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

pub(super) fn softplus(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + libm::erff(x * std::f32::consts::FRAC_1_SQRT_2))
}

fn gelu_tanh(x: f32) -> f32 {
    let root = (2.0 / std::f32::consts::PI).sqrt();
    0.5 * x * (1.0 + (root * (x + 0.044715 * x * x * x)).tanh())
}

/// The function of an operator with its settings.
fn function(call: &Call) -> Result<Box<dyn Fn(f32) -> f32>> {
    if let Some(plain) = plain(&call.node.op) {
        return Ok(Box::new(plain));
    }
    let alpha = |missing| call.float("alpha", missing);
    Ok(match call.node.op.as_str() {
        "LeakyRelu" => {
            let slope = alpha(0.01)?;
            Box::new(move |x| if x < 0.0 { slope * x } else { x })
        }
        "Elu" => {
            let a = alpha(1.0)?;
            Box::new(move |x| if x < 0.0 { a * x.exp_m1() } else { x })
        }
        "Celu" => {
            let a = alpha(1.0)?;
            // By comparison, so that what is no number stays none.
            Box::new(move |x| if x < 0.0 { a * (x / a).exp_m1() } else { x })
        }
        "Selu" => {
            let (a, scale) = (alpha(SELU.0)?, call.float("gamma", SELU.1)?);
            Box::new(move |x| scale * if x < 0.0 { a * x.exp_m1() } else { x })
        }
        "HardSigmoid" => {
            let (a, b) = (alpha(0.2)?, call.float("beta", 0.5)?);
            Box::new(move |x| (a * x + b).clamp(0.0, 1.0))
        }
        "ThresholdedRelu" => {
            let a = alpha(1.0)?;
            Box::new(move |x| if x > a { x } else { 0.0 })
        }
        "Swish" => {
            let a = alpha(1.0)?;
            Box::new(move |x| x * sigmoid(a * x))
        }
        "Shrink" => {
            let (edge, bias) = (call.float("lambd", 0.5)?, call.float("bias", 0.0)?);
            Box::new(move |x| {
                if x < -edge {
                    x + bias
                } else if x > edge {
                    x - bias
                } else {
                    0.0
                }
            })
        }
        "Gelu" => match call.text("approximate", "none")? {
            "none" => Box::new(gelu),
            "tanh" => Box::new(gelu_tanh),
            other => return Err(call.refuse("approximate as none or tanh", other)),
        },
        _ => return Err(call.refuse("whole numbers or truth values", format!("{:?}", call.x(0)?.number()))),
    })
}

/// The functions without settings.
fn plain(op: &str) -> Option<fn(f32) -> f32> {
    Some(match op {
        "Relu" => relu,
        "Sigmoid" => sigmoid,
        "Tanh" => f32::tanh,
        "HardSwish" => |x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
        "Softplus" => softplus,
        "Softsign" => |x| x / (1.0 + x.abs()),
        "Mish" => |x| x * softplus(x).tanh(),
        "Erf" => libm::erff,
        "Abs" => f32::abs,
        "Neg" => |x| -x,
        "Sqrt" => f32::sqrt,
        "Exp" => f32::exp,
        "Log" => f32::ln,
        "Reciprocal" => |x| 1.0 / x,
        "Floor" => f32::floor,
        "Ceil" => f32::ceil,
        "Round" => f32::round_ties_even,
        "Sign" => |x| if x == 0.0 || x.is_nan() { x } else { x.signum() },
        "Sin" => f32::sin,
        "Cos" => f32::cos,
        "Tan" => f32::tan,
        "Asin" => f32::asin,
        "Acos" => f32::acos,
        "Atan" => f32::atan,
        "Sinh" => f32::sinh,
        "Cosh" => f32::cosh,
        "Asinh" => f32::asinh,
        "Acosh" => f32::acosh,
        "Atanh" => f32::atanh,
        _ => return None,
    })
}

/// Arithmetic on two arrays of one type.
type Arithmetic = (fn(f32, f32) -> f32, fn(i64, i64) -> i64);

fn arithmetic(call: &Call) -> Result<Arithmetic> {
    let fmod = call.int("fmod", 0)? == 1;
    Ok(match call.node.op.as_str() {
        "Add" | "Sum" | "Mean" => (|a, b| a + b, i64::wrapping_add),
        "Sub" => (|a, b| a - b, i64::wrapping_sub),
        "Mul" => (|a, b| a * b, i64::wrapping_mul),
        "Div" => (|a, b| a / b, i64::wrapping_div),
        "Mod" if fmod => (|a, b| a % b, i64::wrapping_rem),
        "Mod" => (floor_mod, |a, b| a.wrapping_sub(b.wrapping_mul(floor_div(a, b)))),
        // Not f32::max, which passes over a NaN.
        "Max" => (|a, b| if b > a || b.is_nan() { b } else { a }, i64::max),
        "Min" => (|a, b| if b < a || b.is_nan() { b } else { a }, i64::min),
        "PRelu" => {
            (|x, slope| if x < 0.0 { slope * x } else { x }, |x, slope| if x < 0 { x.wrapping_mul(slope) } else { x })
        }
        "And" => (|_, _| f32::NAN, |a, b| a & b),
        "Or" => (|_, _| f32::NAN, |a, b| a | b),
        "Xor" => (|_, _| f32::NAN, |a, b| a ^ b),
        "BitwiseAnd" => (|_, _| f32::NAN, |a, b| a & b),
        "BitwiseOr" => (|_, _| f32::NAN, |a, b| a | b),
        "BitwiseXor" => (|_, _| f32::NAN, |a, b| a ^ b),
        other => return Err(call.refuse("an operator on two arrays", other)),
    })
}

/// What is left of a division rounded down: of the divisor's sign.
fn floor_mod(a: f32, b: f32) -> f32 {
    let rest = a % b;
    if rest == 0.0 {
        0.0_f32.copysign(b)
    } else if (rest < 0.0) != (b < 0.0) {
        rest + b
    } else {
        rest
    }
}

fn floor_div(a: i64, b: i64) -> i64 {
    let quotient = a.wrapping_div(b);
    if a.wrapping_rem(b) != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient }
}

/// Two arrays of one type to one, or several one after another.
pub(super) fn several(call: &Call) -> Answer {
    let f = arithmetic(call)?;
    let mut sum = call.x(0)?.clone();
    for i in 1..call.inputs.len() {
        sum = both(call, f, &sum, &aligned(call, sum.shape().len(), i)?)?;
    }
    match (call.node.op.as_str(), sum.data()) {
        ("Mean", Data::Real(data)) => {
            let count = call.inputs.len() as f32;
            Ok(vec![Array::real(sum.number(), data / count)])
        }
        _ => Ok(vec![sum]),
    }
}

fn both(call: &Call, f: Arithmetic, a: &Array, b: &Array) -> Result<Array> {
    let divides = matches!(call.node.op.as_str(), "Div" | "Mod");
    match (a.data(), b.data()) {
        (Data::Real(x), Data::Real(y)) => Ok(Array::real(a.number(), zip(call, x, y, f.0)?)),
        (Data::Whole(_), Data::Whole(y)) if divides && y.iter().any(|&y| y == 0) => {
            Err(call.refuse("no division of whole numbers by zero", 0))
        }
        (Data::Whole(x), Data::Whole(y)) => Ok(Array::whole(a.number(), zip(call, x, y, f.1)?)),
        _ => Err(mixed(call, a, b)),
    }
}

fn mixed(call: &Call, a: &Array, b: &Array) -> Error {
    call.refuse("arrays of one type", format!("{:?} and {:?}", a.number(), b.number()))
}

/// Input `i`; up to opset 6 its axes may begin at an axis of the first input, and PRelu's slopes were those of channels.
fn aligned(call: &Call, rank: usize, i: usize) -> Result<Array> {
    let x = call.x(i)?;
    let channels = call.node.op == "PRelu" && x.shape().len() == 1 && x.len() > 1 && rank > 1;
    let start = if channels { 1 } else { call.int("axis", -1)? };
    if call.opset >= 7 || start < 0 || !(channels || call.int("broadcast", 0)? != 0) {
        return Ok(x.clone());
    }
    let behind = rank.saturating_sub(start as usize + x.shape().len());
    let shape = [x.shape(), &vec![1; behind]].concat();
    super::shape::reshaped(x, &shape)
}

/// `a` to the power of `b`, which may be of another type.
pub(super) fn pow(call: &Call) -> Answer {
    let a = call.x(0)?;
    let b = aligned(call, a.shape().len(), 1)?;
    let number = a.number();
    Ok(vec![match (a.data(), b.data()) {
        (Data::Real(x), Data::Real(y)) => {
            Array::real(number, zip(call, x, y, |x, y| if y == 2.0 { x * x } else { x.powf(y) })?)
        }
        (Data::Real(x), Data::Whole(y)) => Array::real(number, zip(call, x, y, |x, y| x.powf(y as f32))?),
        (Data::Whole(x), Data::Real(y)) => {
            Array::whole(number, zip(call, x, y, |x, y| (x as f64).powf(f64::from(y)) as i64)?)
        }
        (Data::Whole(x), Data::Whole(y)) => Array::whole(
            number,
            zip(call, x, y, |x, y| match u32::try_from(y) {
                Ok(y) => x.wrapping_pow(y),
                Err(_) => (x as f64).powf(y as f64) as i64,
            })?,
        ),
    }])
}

/// Two arrays to truth values.
pub(super) fn compare(call: &Call) -> Answer {
    let a = call.x(0)?;
    let b = aligned(call, a.shape().len(), 1)?;
    type Compare = (fn(f32, f32) -> bool, fn(i64, i64) -> bool);
    let f: Compare = match call.node.op.as_str() {
        "Equal" => (|a, b| a == b, |a, b| a == b),
        "Less" => (|a, b| a < b, |a, b| a < b),
        "LessOrEqual" => (|a, b| a <= b, |a, b| a <= b),
        "Greater" => (|a, b| a > b, |a, b| a > b),
        _ => (|a, b| a >= b, |a, b| a >= b),
    };
    Ok(vec![match (a.data(), b.data()) {
        (Data::Real(x), Data::Real(y)) => zip(call, x, y, f.0)?.into(),
        (Data::Whole(x), Data::Whole(y)) => zip(call, x, y, f.1)?.into(),
        _ => return Err(mixed(call, a, &b)),
    }])
}

/// Which numbers are not, or infinite.
pub(super) fn odd(call: &Call) -> Answer {
    let x = call.real(0)?;
    let (above, below) = (call.int("detect_positive", 1)? == 1, call.int("detect_negative", 1)? == 1);
    let infinite = |v: f32| v.is_infinite() && if v > 0.0 { above } else { below };
    Ok(vec![if call.node.op == "IsNaN" { x.mapv(f32::is_nan).into() } else { x.mapv(infinite).into() }])
}

/// The second array where the first one is true, else the third.
pub(super) fn choose(call: &Call) -> Answer {
    let (cond, a, b) = (call.whole(0)?, call.x(1)?, call.x(2)?);
    fn pick<T: Copy>(call: &Call, cond: &ArrayD<i64>, a: &ArrayD<T>, b: &ArrayD<T>) -> Result<ArrayD<T>> {
        let pairs = zip(call, a, b, |a, b| (a, b))?;
        zip(call, cond, &pairs, |cond, (a, b)| if cond != 0 { a } else { b })
    }
    Ok(vec![match (a.data(), b.data()) {
        (Data::Real(x), Data::Real(y)) => Array::real(a.number(), pick(call, cond, x, y)?),
        (Data::Whole(x), Data::Whole(y)) => Array::whole(a.number(), pick(call, cond, x, y)?),
        _ => return Err(mixed(call, a, b)),
    }])
}

/// Between two bounds: inputs or, up to opset 10, attributes.
pub(super) fn clip(call: &Call) -> Answer {
    let x = call.x(0)?;
    let [low, high] = [(1, "min", f32::MIN), (2, "max", f32::MAX)]
        .map(|(i, name, missing)| if call.opset < 11 { call.float(name, missing).map(Some) } else { call.scalar(i) });
    let (low, high) = (low?, high?);
    Ok(vec![match x.data() {
        Data::Real(data) => {
            let (low, high) = (low.unwrap_or(f32::NEG_INFINITY), high.unwrap_or(f32::INFINITY));
            Array::real(
                x.number(),
                data.mapv(|v| if v < low { low } else { v }).mapv(|v| if v > high { high } else { v }),
            )
        }
        Data::Whole(data) => {
            let (least, most) = x.number().limits();
            let (low, high) = (low.map_or(least, |v| v as i64), high.map_or(most, |v| v as i64));
            Array::whole(x.number(), data.mapv(|v| v.max(low).min(high)))
        }
    }])
}

/// Another number type: an attribute's, or that of the second input.
pub(super) fn cast(call: &Call) -> Answer {
    let to = if call.node.op == "CastLike" { call.x(1)?.number() } else { number(call, "to", 0)? };
    Ok(vec![call.x(0)?.cast(to)])
}

/// The number type that an attribute gives as ONNX's code.
pub(in super::super) fn number(call: &Call, name: &str, missing: i64) -> Result<Number> {
    let code = call.int(name, missing)?;
    let known = crate::file::onnx::number(code);
    known.ok_or_else(|| call.refuse("a number type of 8 to 64 bits", format!("code {code}")))
}

/// Bits moved to the left or right; all are lost where they go further than the number is wide.
pub(super) fn shift(call: &Call) -> Answer {
    let number = call.x(0)?.number();
    let left = match call.text("direction", "")? {
        "LEFT" => true,
        "RIGHT" => false,
        other => return Err(call.refuse("the direction LEFT or RIGHT", other)),
    };
    let (wide, signed) = (8 * number.size() as i64, number.limits().0 < 0);
    let moved = |x: i64, by: i64| match u32::try_from(by).ok().filter(|by| i64::from(*by) < wide) {
        None if signed && !left && x < 0 => -1,
        None => 0,
        Some(by) if left => x.wrapping_shl(by),
        Some(by) if signed => x.wrapping_shr(by),
        Some(by) => (x as u64).wrapping_shr(by) as i64,
    };
    Ok(vec![Array::whole(number, zip(call, call.whole(0)?, call.whole(1)?, moved)?)])
}
