//! The layers, one file for each family: its shape rule, forward and backward pass together. See [`super::layer::Layer`].

pub mod act;
pub mod add;
pub mod affine;
pub mod attention;
pub mod batch_norm;
pub mod concat;
pub mod conv;
pub mod conv3d;
pub mod conv_transpose;
mod depthwise;
pub mod dropout;
pub mod embedding;
pub mod fake_quantise;
pub mod flatten;
pub mod lrn;
pub mod lstm;
mod lstm_op;
pub mod norm;
pub mod pool;
pub mod prelu;
pub mod quant_conv;
pub mod roi_align;
pub mod scale;
pub mod sign;
pub mod slice;
pub mod unpool;
pub mod upsample;
