//! Every operator there is: its name and what computes it.

mod conv;
mod elementwise;
mod index;
mod norm;
mod pool;
mod product;
mod quantise;
mod reduce;
mod region;
mod resize;
mod shape;
pub(super) mod window;

use super::call::{Answer, Call};

/// What an operator does.
pub(super) type Op = fn(&Call) -> Answer;

/// The function of an operator, by its name in the standard collection.
pub(super) fn find(op: &str) -> Option<Op> {
    TABLE.iter().find(|(names, _)| names.contains(&op)).map(|(_, op)| *op)
}

/// The names of all operators.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().flat_map(|(names, _)| names.iter().copied())
}

#[rustfmt::skip]
const TABLE: &[(&[&str], Op)] = &[
    (&["Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "BitwiseNot", "Ceil", "Celu", "Cos", "Cosh", "Elu", "Erf",
       "Exp", "Floor", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Log", "Mish", "Neg", "Not", "Reciprocal", "Relu",
       "Round", "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Softsign", "Sqrt", "Swish", "Tan", "Tanh",
       "ThresholdedRelu"], elementwise::unary),
    (&["Add", "And", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Div", "Max", "Mean", "Min", "Mod", "Mul", "Or", "PRelu",
       "Sub", "Sum", "Xor"], elementwise::several),
    (&["Pow"], elementwise::pow),
    (&["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"], elementwise::compare),
    (&["IsInf", "IsNaN"], elementwise::odd),
    (&["Where"], elementwise::choose),
    (&["Clip"], elementwise::clip),
    (&["Cast", "CastLike"], elementwise::cast),
    (&["Shape", "Size"], shape::shape),
    (&["Reshape"], shape::reshape),
    (&["Flatten"], shape::flatten),
    (&["Squeeze"], shape::squeeze),
    (&["Unsqueeze"], shape::unsqueeze),
    (&["Transpose"], shape::transpose),
    (&["Expand"], shape::expand),
    (&["Tile"], shape::tile),
    (&["Dropout", "Identity"], shape::identity),
    (&["Constant"], shape::constant),
    (&["ConstantOfShape"], shape::constant_of_shape),
    (&["Concat"], shape::concat),
    (&["Split"], shape::split),
    (&["DepthToSpace", "SpaceToDepth"], shape::blocks),
    (&["Range"], shape::range),
    (&["EyeLike"], shape::eye_like),
    (&["Gather"], index::gather),
    (&["GatherElements"], index::gather_elements),
    (&["GatherND"], index::gather_nd),
    (&["Scatter", "ScatterElements"], index::scatter_elements),
    (&["ScatterND"], index::scatter_nd),
    (&["Slice"], index::slice),
    (&["Pad"], index::pad),
    (&["Trilu"], index::trilu),
    (&["NonZero"], index::non_zero),
    (&["OneHot"], index::one_hot),
    (&["ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd",
       "ReduceSum", "ReduceSumSquare"], reduce::reduce),
    (&["ArgMax", "ArgMin"], reduce::arg),
    (&["Hardmax", "LogSoftmax", "Softmax"], reduce::softmax),
    (&["CumProd", "CumSum"], reduce::running),
    (&["TopK"], reduce::top_k),
    (&["MatMul"], product::matmul),
    (&["Gemm"], product::gemm),
    (&["Conv"], conv::conv),
    (&["ConvTranspose"], conv::transpose),
    (&["MaxPool"], pool::max),
    (&["MaxUnpool"], pool::unpool),
    (&["AveragePool", "LpPool"], pool::average),
    (&["GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool"], pool::global),
    (&["BatchNormalization"], norm::batch),
    (&["InstanceNormalization"], norm::instance),
    (&["GroupNormalization"], norm::group),
    (&["LayerNormalization", "RMSNormalization"], norm::layer),
    (&["LRN"], norm::local_response),
    (&["LpNormalization"], norm::unit),
    (&["MeanVarianceNormalization"], norm::mean_variance),
    (&["Resize", "Upsample"], resize::resize),
    (&["RoiAlign"], region::align),
    (&["NonMaxSuppression"], region::suppress),
    (&["QuantizeLinear"], quantise::quantise),
    (&["DequantizeLinear"], quantise::dequantise),
    (&["DynamicQuantizeLinear"], quantise::dynamic),
];
