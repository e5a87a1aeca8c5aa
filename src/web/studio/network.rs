//! Any network of the engine, for a page that brings its own data: answers in batches, training steps, the gradient of
//! the input, and each layer by itself for a caller with a clock.

use super::{Outcome, give, take};
use crate::nn::{Mode, Want, Wire, description};
use crate::systems::session::Session;
use crate::{Error, zoo};
use js_sys::Float32Array;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

/// A network with parameters drawn from a seed, living in the engine's memory until `free` is called. Pictures, answers
/// and their gradients are NCHW, one picture after another.
// Arguments are copied before the cell is borrowed: a getter of theirs may call the same network again.
#[wasm_bindgen]
pub struct Network(RefCell<Session>);

#[wasm_bindgen]
impl Network {
    /// Builds a network, from a name of the catalogue or a description in JSON, for batches of up to `batch` pictures. It
    /// can `infer`, or also `train`, or also `explain` (give the gradient of its input). Throws with code `missing` for
    /// a name that there is not, `value` for an empty batch and for one too large for a page, and with any code for a
    /// description that is none.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "string")] network: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] batch: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "'infer' | 'train' | 'explain'")] purpose: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] seed: &JsValue,
    ) -> Outcome<Self> {
        let network = take::long_text("network", network)?;
        let net = if network.starts_with('{') { description::read(&network)? } else { zoo::build(&network)? };
        let purpose = match &*take::text("purpose", purpose)? {
            "infer" => Want::outputs(),
            "train" => Want::training(),
            "explain" => Want::everything(),
            other => return Err(Error::missing("purpose", "one of infer, train, explain", other).into()),
        };
        let (batch, seed) = (take::count("batch", batch)?, take::count("seed", seed)?);
        Ok(Self(RefCell::new(Session::new(&net, batch, &purpose, seed as u64)?)))
    }

    /// Every layer in order; their positions are what `forwardLayer` and `backwardLayer` take.
    #[wasm_bindgen(unchecked_return_type = "Node[]")]
    pub fn layers(&self) -> Outcome<JsValue> {
        give::nodes(self.0.borrow().network())
    }

    /// Every parameter: its name and its shape (OIHW, out × in).
    #[wasm_bindgen(unchecked_return_type = "Parameter[]")]
    pub fn parameters(&self) -> Outcome<JsValue> {
        give::parameters(self.0.borrow().network())
    }

    /// Bytes of the buffers for values and gradients.
    #[wasm_bindgen(getter, js_name = planBytes)]
    pub fn plan_bytes(&self) -> f64 {
        self.0.borrow().run().plan().bytes() as f64
    }

    /// One parameter. Throws with code `missing` for a name that there is not.
    pub fn weights(&self, #[wasm_bindgen(unchecked_param_type = "string")] name: &JsValue) -> Outcome<Float32Array> {
        let name = take::text("parameter", name)?;
        let values: Vec<f32> = self.0.borrow().params().get(&name)?.iter().copied().collect();
        Ok(values.as_slice().into())
    }

    /// Sets one parameter. Throws with code `missing`, `shape` or `value`, and it is then as it was.
    #[wasm_bindgen(js_name = setWeights)]
    pub fn set_weights(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] name: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] values: &JsValue,
    ) -> Outcome<()> {
        let (name, values) = (take::text("parameter", name)?, take::floats("weights", values)?);
        Ok(self.0.borrow_mut().set(&name, values)?)
    }

    /// Answers a batch of pictures. Throws with code `shape` where the values are no whole pictures, `value` for too
    /// many pictures and for values that are not finite.
    pub fn forward(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] images: &JsValue,
    ) -> Outcome<Float32Array> {
        let images = take::floats("images", images)?;
        let session = &mut *self.0.borrow_mut();
        let mut answers = vec![0.0; images.len() / session.image() * session.answer()];
        session.forward(&images, &mut answers)?;
        Ok(answers.as_slice().into())
    }

    /// The gradient of `Σ dy · answer` by the pictures of the last `forward`. Throws with code `missing` where the network
    /// was not made to explain, `shape` where `dy` is not of the answers' size.
    #[wasm_bindgen(js_name = inputGradient)]
    pub fn input_gradient(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] dy: &JsValue,
    ) -> Outcome<Float32Array> {
        let dy = take::floats("gradient of the answers", dy)?;
        let session = &mut *self.0.borrow_mut();
        let mut dx = vec![0.0; session.run().images() * session.image()];
        session.input_gradient(&dy, &mut dx)?;
        Ok(dx.as_slice().into())
    }

    /// One step of Adam on the mean cross-entropy between the answers' softmax and `targets`, a row for each picture
    /// that sums to 1; returns the loss before it. `seed` decides dropout. Throws as `forward` does, with code `missing`
    /// where the network was made to infer only and `value` where the loss is not finite; parameters then stay.
    pub fn step(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] images: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] targets: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] rate: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] seed: &JsValue,
    ) -> Outcome<f64> {
        let (images, targets) = (take::floats("images", images)?, take::floats("targets", targets)?);
        let (rate, seed) = (take::number("rate", rate)?, take::count("seed", seed)?);
        Ok(self.0.borrow_mut().step(&images, &targets, rate as f32, seed as u64)?)
    }

    /// Takes pictures in for `forwardLayer`: with all layers in order the two are what `forward` does, in steps that
    /// can be timed. Throws as `forward` does.
    pub fn load(&self, #[wasm_bindgen(unchecked_param_type = "Float32Array")] images: &JsValue) -> Outcome<()> {
        let images = take::floats("images", images)?;
        Ok(self.0.borrow_mut().load(&images, Mode::Infer)?)
    }

    /// Computes one layer of what `load` took in.
    #[wasm_bindgen(js_name = forwardLayer)]
    pub fn forward_layer(&self, #[wasm_bindgen(unchecked_param_type = "number")] layer: &JsValue) -> Outcome<()> {
        let layer = take::count("layer", layer)?;
        let session = &mut *self.0.borrow_mut();
        let wire = at(session, layer)?;
        session.forward_layer(wire);
        Ok(())
    }

    /// Goes back through one layer, after all the layers behind it. Throws with code `missing` where the network was made
    /// to infer only.
    #[wasm_bindgen(js_name = backwardLayer)]
    pub fn backward_layer(&self, #[wasm_bindgen(unchecked_param_type = "number")] layer: &JsValue) -> Outcome<()> {
        let layer = take::count("layer", layer)?;
        let session = &mut *self.0.borrow_mut();
        let wire = at(session, layer)?;
        Ok(session.backward_layer(wire)?)
    }
}

/// The layer at a position, once pictures have been taken in.
fn at(session: &Session, layer: usize) -> crate::Result<Wire> {
    if session.run().images() == 0 {
        return Err(Error::missing("pictures", "a call of load before", "none"));
    }
    let wire = session.network().wires().nth(layer);
    wire.ok_or_else(|| Error::missing("layer", format!("below {}", session.network().nodes().len()), layer))
}
