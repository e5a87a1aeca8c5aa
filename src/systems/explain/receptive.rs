//! The receptive field: which pixels of the picture can reach a number of a layer.

use super::{Explainer, within};
use crate::error::Result;
use crate::nn::description::Setting;
use crate::nn::layer::Layer;
use crate::shape::{Shape, Window};

/// Rows and columns of the picture from `top` and `left` to before `bottom` and `right`; padding counts, so that it may reach
/// over the edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// First row.
    pub top: isize,
    /// First column.
    pub left: isize,
    /// Row behind the last.
    pub bottom: isize,
    /// Column behind the last.
    pub right: isize,
}

impl Field {
    fn whole(shape: Shape) -> Self {
        Self { top: 0, left: 0, bottom: shape.h as isize, right: shape.w as isize }
    }

    fn with(self, other: Self) -> Self {
        Self {
            top: self.top.min(other.top),
            left: self.left.min(other.left),
            bottom: self.bottom.max(other.bottom),
            right: self.right.max(other.right),
        }
    }

    /// What a layer reads to make this part of its output.
    fn through(self, window: &Window) -> Self {
        let first = |at: isize, stride: usize, pad: usize| at * stride as isize - pad as isize;
        let reach = |kernel: usize, dilation: usize| ((kernel - 1) * dilation + 1) as isize;
        let Window { kernel, stride, pad, dilation } = *window;
        Self {
            top: first(self.top, stride.0, pad.0),
            left: first(self.left, stride.1, pad.1),
            bottom: first(self.bottom - 1, stride.0, pad.0) + reach(kernel.0, dilation.0),
            right: first(self.right - 1, stride.1, pad.1) + reach(kernel.1, dilation.1),
        }
    }
}

impl Explainer {
    /// The receptive field of the numbers at `(y, x)` of a layer, through windows: `rₗ = rₗ₋₁ + (k − 1) d · Π strides`.
    /// Statistics that a normalisation takes over a whole map are left out.
    ///
    /// Errors: [`crate::Error::Missing`] for a layer that there is not, [`crate::Error::Value`] for a place outside.
    pub fn receptive_field(&self, layer: &str, y: usize, x: usize) -> Result<Field> {
        let (wire, nodes) = (self.net.wire(layer)?, self.net.nodes());
        let shape = self.net.node(wire).shape;
        within("row", y, 0, shape.h - 1)?;
        within("column", x, 0, shape.w - 1)?;
        let (y, x) = (y as isize, x as isize);
        let wires: Vec<_> = self.net.wires().take_while(|w| *w <= wire).collect();
        let mut fields = vec![None; wires.len()];
        fields[wires.len() - 1] = Some(Field { top: y, left: x, bottom: y + 1, right: x + 1 });
        for k in (0..wires.len()).rev() {
            let (node, Some(field)) = (&nodes[k], fields[k]) else { continue };
            for input in &node.inputs {
                let number = wires.iter().position(|w| w == input).expect("an input before");
                let read = match node.layer.as_deref().and_then(|layer| window_of(layer, nodes[number].shape)) {
                    Some(window) => field.through(&window),
                    None if (node.shape.h, node.shape.w) == (nodes[number].shape.h, nodes[number].shape.w) => field,
                    None => Field::whole(nodes[number].shape),
                };
                fields[number] = Some(fields[number].map_or(read, |before: Field| before.with(read)));
            }
        }
        Ok(fields[0].unwrap_or(Field::whole(self.net.input_shape())))
    }
}

/// The window that a layer slides over an input of this shape; one pixel for an affine layer, `None` for layers without.
pub(super) fn window_of(layer: &dyn Layer, x: Shape) -> Option<Window> {
    match layer.kind() {
        "affine" => Some(Window::square(1)),
        "global_average_pool" => Some(Window { kernel: (x.h, x.w), ..Window::square(1) }),
        "conv" | "max_pool" | "average_pool" => {
            let options = layer.options();
            let axes = |name: &str| {
                options.iter().find_map(|(key, setting)| match setting {
                    Setting::Axes(axes) if *key == name => Some(*axes),
                    _ => None,
                })
            };
            Some(Window {
                kernel: axes("kernel")?,
                stride: axes("stride")?,
                pad: axes("pad")?,
                dilation: axes("dilation")?,
            })
        }
        _ => None,
    }
}
