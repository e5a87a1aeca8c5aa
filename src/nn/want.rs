//! What is wanted of a run, from which the plan follows.

use super::graph::Wire;

/// Which values can be read after a forward run; of a run that goes backward all can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values {
    /// The answer and the named outputs.
    Outputs,
    /// These besides.
    Also(Vec<Wire>),
}

/// Where losses are taken, by loss layers or by whoever fills [`super::Run::seed_gradient`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Losses {
    /// At loss layers, and at wires that no layer reads.
    Ends,
    /// Besides, at these wires.
    At(Vec<Wire>),
    /// Anywhere: every wire keeps its own gradient, to be looked at.
    Anywhere,
}

/// What is wanted of a run. A plan uses buffers again as far as that lets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// The values to be read.
    pub values: Values,
    /// Whether gradients of the parameters that learn.
    pub parameters: bool,
    /// Whether gradients of the inputs, those of [`super::Port::Image`].
    pub inputs: bool,
    /// Where losses are taken.
    pub losses: Losses,
}

impl Want {
    /// The answer and the named outputs, forward only.
    pub const fn outputs() -> Self {
        Self { values: Values::Outputs, parameters: false, inputs: false, losses: Losses::Ends }
    }

    /// These values besides, forward only.
    pub const fn values(wires: Vec<Wire>) -> Self {
        Self { values: Values::Also(wires), parameters: false, inputs: false, losses: Losses::Ends }
    }

    /// The gradients of the parameters.
    pub const fn training() -> Self {
        Self { values: Values::Outputs, parameters: true, inputs: false, losses: Losses::Ends }
    }

    /// Every value and every gradient, to be looked at, with a loss anywhere.
    pub const fn everything() -> Self {
        Self { values: Values::Outputs, parameters: true, inputs: true, losses: Losses::Anywhere }
    }

    /// The gradients of the inputs, with losses at these wires.
    pub const fn input_gradient(losses: Vec<Wire>) -> Self {
        Self { values: Values::Outputs, parameters: false, inputs: true, losses: Losses::At(losses) }
    }

    /// Whether the run goes backward.
    pub fn backward(&self) -> bool {
        self.parameters || self.inputs
    }
}
