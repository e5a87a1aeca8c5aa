//! Learning-rate schedules: a function from the part of the training that is done to the rate.

/// How the learning rate goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Schedule {
    /// The same throughout.
    Constant,
    /// Linearly up to the peak during the first `warmup` part of the training, then down half a cosine to zero.
    /// Loshchilov and Hutter 2017.
    Cosine {
        /// Part of the training, in `0..1`.
        warmup: f32,
    },
}

impl Schedule {
    /// The rate of step `step` of `steps`, given the peak.
    pub fn rate(self, peak: f32, step: u64, steps: u64) -> f32 {
        let done = (step as f32 + 0.5) / steps.max(1) as f32;
        match self {
            Self::Constant => peak,
            Self::Cosine { warmup } if done < warmup => peak * done / warmup,
            Self::Cosine { warmup } => {
                let part = ((done - warmup) / (1.0 - warmup)).min(1.0);
                peak * 0.5 * (1.0 + libm::cosf(std::f32::consts::PI * part))
            }
        }
    }
}
