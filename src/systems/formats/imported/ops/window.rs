//! Windows that slide over one to three axes, as ONNX pads them.

use super::super::call::Call;
use crate::error::Result;

/// A window over three axes; those that an array lacks come first and have side 1.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Sliding {
    pub(in super::super) input: [usize; 3],
    pub(in super::super) kernel: [usize; 3],
    pub(in super::super) stride: [usize; 3],
    pub(in super::super) dilation: [usize; 3],
    pub(in super::super) before: [usize; 3],
    pub(in super::super) after: [usize; 3],
    pub(in super::super) output: [usize; 3],
    /// How many of the axes the arrays have.
    pub(in super::super) axes: usize,
}

/// Largest kernel side, stride, dilation and padding.
const MOST: i64 = 1 << 16;

/// The values of a list attribute, in the last places of three; `missing` elsewhere.
pub(in super::super) fn three(call: &Call, name: &str, axes: usize, missing: usize) -> Result<[usize; 3]> {
    let list = call.ints(name)?.unwrap_or_else(|| vec![missing as i64; axes]);
    let least = i64::from(missing == 1);
    if list.len() != axes || list.iter().any(|v| !(least..=MOST).contains(v)) {
        return Err(call.refuse(format!("{name} of {axes} numbers from {least} to {MOST}"), format!("{list:?}")));
    }
    Ok(last(&list.iter().map(|&v| v as usize).collect::<Vec<_>>(), missing))
}

/// Up to three numbers in the last places.
pub(in super::super) fn last(list: &[usize], missing: usize) -> [usize; 3] {
    let mut out = [missing; 3];
    out[3 - list.len()..].copy_from_slice(list);
    out
}

/// The pads before and after each axis, as the attribute gives them.
pub(in super::super) fn pads(call: &Call, axes: usize) -> Result<([usize; 3], [usize; 3])> {
    let list = call.ints("pads")?.unwrap_or_else(|| vec![0; 2 * axes]);
    if list.len() != 2 * axes || list.iter().any(|v| !(0..=MOST).contains(v)) {
        return Err(call.refuse(format!("{} pads from 0 to {MOST}", 2 * axes), format!("{list:?}")));
    }
    let list: Vec<usize> = list.iter().map(|&v| v as usize).collect();
    Ok((last(&list[..axes], 0), last(&list[axes..], 0)))
}

/// How far a window reaches.
pub(in super::super) fn reach(kernel: usize, dilation: usize) -> usize {
    dilation.saturating_mul(kernel.saturating_sub(1)).saturating_add(1)
}

impl Sliding {
    /// The window of a convolution or pooling over the axes behind the first two; `kernel` if no attribute says.
    pub(in super::super) fn new(call: &Call, shape: &[usize], kernel: Option<&[usize]>) -> Result<Self> {
        let axes = shape.len().saturating_sub(2);
        if !(1..=3).contains(&axes) {
            return Err(call.refuse("1 to 3 axes behind batch and channels", format!("{shape:?}")));
        }
        let kernel = match kernel {
            Some(kernel) if kernel.len() == axes => last(kernel, 1),
            _ => three(call, "kernel_shape", axes, 1)?,
        };
        let (before, after) = pads(call, axes)?;
        let input = last(&shape[2..], 1);
        let [stride, dilation] = [three(call, "strides", axes, 1)?, three(call, "dilations", axes, 1)?];
        let mut window = Self { input, kernel, stride, dilation, before, after, output: [1; 3], axes };
        let auto = call.text("auto_pad", "NOTSET")?;
        let ceil = call.int("ceil_mode", 0)? == 1;
        for axis in 3 - axes..3 {
            window.fit(call, axis, auto, ceil)?;
        }
        Ok(window)
    }

    fn fit(&mut self, call: &Call, axis: usize, auto: &str, ceil: bool) -> Result<()> {
        let (side, stride) = (self.input[axis], self.stride[axis]);
        let reach = reach(self.kernel[axis], self.dilation[axis]);
        match auto {
            "SAME_UPPER" | "SAME_LOWER" => {
                let output = side.div_ceil(stride);
                let total = (output.saturating_sub(1) * stride).saturating_add(reach).saturating_sub(side);
                let small = total / 2;
                let upper = auto == "SAME_UPPER";
                self.before[axis] = if upper { small } else { total - small };
                self.after[axis] = total - self.before[axis];
            }
            "VALID" => (self.before[axis], self.after[axis]) = (0, 0),
            "NOTSET" | "" => (),
            other => return Err(call.refuse("auto_pad as NOTSET, SAME_UPPER, SAME_LOWER or VALID", other)),
        }
        let padded = side + self.before[axis] + self.after[axis];
        call.sized(&[padded])?;
        // Pooling takes a window that reaches out by less than a stride for one window of what is there, as ONNX Runtime does.
        let over = reach.saturating_sub(padded);
        if matches!(call.node.op.as_str(), "MaxPool" | "AveragePool") && side > 0 && (1..stride).contains(&over) {
            self.output[axis] = 1;
            return Ok(());
        }
        let Some(left) = padded.checked_sub(reach).filter(|_| side > 0) else {
            return Err(call.refuse(format!("a window within {padded}"), format!("one that reaches {reach}")));
        };
        let mut count = if ceil { left.div_ceil(stride) } else { left / stride } + 1;
        // A window must begin inside the input or the padding before it.
        if ceil && (count - 1) * stride >= side + self.before[axis] {
            count -= 1;
        }
        self.output[axis] = count;
        Ok(())
    }

    /// Numbers in one channel before and behind the window.
    pub(in super::super) fn areas(&self) -> (usize, usize) {
        (self.input.iter().product(), self.output.iter().product())
    }

    /// The shape of what comes behind.
    pub(in super::super) fn shape(&self, call: &Call, n: usize, c: usize) -> Result<Vec<usize>> {
        let shape = [&[n, c], &self.output[3 - self.axes..]].concat();
        call.sized(&shape)?;
        Ok(shape)
    }

    /// Where the taps of output `o` lie along an axis, those outside the input left out.
    pub(in super::super) fn taps(
        &self,
        axis: usize,
        o: usize,
    ) -> impl ExactSizeIterator<Item = (usize, usize)> + use<> {
        let (start, dilation, before) = (o * self.stride[axis], self.dilation[axis], self.before[axis]);
        let first = before.saturating_sub(start).div_ceil(dilation);
        let end = (self.input[axis] + before).saturating_sub(start).div_ceil(dilation).min(self.kernel[axis]);
        (first..end).map(move |k| (k, start + k * dilation - before))
    }

    /// How many taps of output `o` lie in the input or its padding.
    pub(in super::super) fn counted(&self, axis: usize, o: usize) -> usize {
        let end = self.before[axis] + self.input[axis] + self.after[axis];
        end.saturating_sub(o * self.stride[axis]).div_ceil(self.dilation[axis]).min(self.kernel[axis])
    }

    /// How many numbers all windows over one channel see, those outside the input left out.
    pub(in super::super) fn seen(&self) -> usize {
        let along = |axis: usize| (0..self.output[axis]).map(|o| self.taps(axis, o).len()).sum::<usize>();
        (0..3).map(along).fold(1, usize::saturating_mul)
    }

    /// Every output by its three coordinates, in order.
    pub(in super::super) fn outputs(&self) -> impl Iterator<Item = [usize; 3]> + use<> {
        let [d, h, w] = self.output;
        (0..d * h * w).map(move |i| [i / (h * w), i / w % h, i % w])
    }
}
