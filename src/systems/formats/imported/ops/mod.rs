//! Every operator there is: its name and what computes it.

mod attention;
mod broadcast;
mod contract;
mod conv;
mod elementwise;
mod index;
mod integer;
mod likelihood;
mod norm;
mod pool;
mod product;
mod quantise;
mod recurrent;
mod reduce;
mod region;
mod resize;
mod sample;
pub(super) mod shape;
mod squash;
pub(super) mod window;

use super::call::{Answer, Call};

/// What an operator does.
pub(super) type Op = fn(&Call) -> Answer;

/// The function of an operator, by its collection (empty for the standard one) and its name.
pub(super) fn find(domain: &str, op: &str) -> Option<Op> {
    let table = match domain {
        "" => TABLE,
        "com.microsoft" => RUNTIME,
        "ai.onnx.ml" => CLASSIC,
        _ => &[],
    };
    table.iter().find(|(names, _)| names.contains(&op)).map(|(_, op)| *op)
}

/// The names of all operators of the standard collection.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().flat_map(|(names, _)| names.iter().copied())
}

/// Operators that ONNX Runtime's own tools write when they quantise a model.
#[rustfmt::skip]
const RUNTIME: &[(&[&str], Op)] = &[
    (&["QGemm"], integer::gemm),
    (&["DynamicQuantizeMatMul", "MatMulIntegerToFloat"], integer::matmul_to_real),
    (&["DynamicQuantizeLSTM"], recurrent::quantised),
    (&["QLinearAdd", "QLinearAveragePool", "QLinearConcat", "QLinearGlobalAveragePool", "QLinearLeakyRelu", "QLinearMul",
       "QLinearSigmoid", "QLinearSoftmax"], integer::qlinear),
    (&["DequantizeLinear"], quantise::dequantise),
    (&["QuantizeLinear"], quantise::quantise),
    (&["Gelu"], elementwise::unary),
];

/// Operators of classic machine learning, as far as converters of classifiers end with them.
const CLASSIC: &[(&[&str], Op)] = &[(&["ArrayFeatureExtractor"], index::features), (&["ZipMap"], shape::identity)];

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
    (&["Einsum"], contract::einsum),
    (&["Attention"], attention::attention),
    (&["NegativeLogLikelihoodLoss"], likelihood::negative_log),
    (&["SoftmaxCrossEntropyLoss"], likelihood::softmax_cross_entropy),
    (&["BitShift"], elementwise::shift),
    (&["Compress"], index::compress),
    (&["ReverseSequence"], index::reverse_sequence),
    (&["CenterCropPad"], index::center_crop_pad),
    (&["GRU", "LSTM", "RNN"], recurrent::recurrent),
    (&["ConvInteger"], integer::conv),
    (&["MatMulInteger"], integer::matmul),
    (&["QLinearConv"], integer::qlinear_conv),
    (&["QLinearMatMul"], integer::qlinear_matmul),
    (&["GridSample"], sample::grid),
    (&["AffineGrid"], sample::affine),
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
