//! Weights that PyTorch saved: a zip with a pickle of views and the storages that they look into.

use super::archive;
use crate::error::{Error, Result};
use crate::file::array::Array;
use crate::file::number::{ByteOrder, short};
use crate::file::pickle::torch::{self, View};
use crate::file::safetensors::Weights;
use crate::tensor::Tensor;
use ndarray::{ArrayD, IxDyn};
use std::collections::BTreeMap;

/// What all tensors together may take, however small the file is, and for each of its bytes: a storage may have many views.
const BUDGET: (usize, usize) = (64 << 20, 16);

/// Reads the tensors of a `state_dict` by name.
pub(super) fn read(bytes: &[u8]) -> Result<Weights> {
    let files = archive::unpacked(bytes)?;
    let pickle = files.iter().find(|(name, _)| name == "data.pkl" || name.ends_with("/data.pkl"));
    let (name, pickle) = pickle.ok_or_else(|| Error::missing("PyTorch file", "a data.pkl in it", "none"))?;
    let root = name.strip_suffix("data.pkl").unwrap_or_default();
    let views = torch::views(pickle).map_err(whole)?;
    let file = |name: String| files.iter().find(|(own, _)| *own == name).map(|(_, bytes)| bytes.as_slice());
    let big = file(format!("{root}byteorder")).is_some_and(|order| order == b"big");
    let order = if big { ByteOrder::Big } else { ByteOrder::Little };
    let mut budget = BUDGET.0.saturating_add(bytes.len().saturating_mul(BUDGET.1));
    let mut storages: BTreeMap<String, Array> = BTreeMap::new();
    let mut weights = Weights::default();
    // Without numbers there is nothing to keep.
    for (name, view) in views.into_iter().filter(|(_, view)| !view.sides.contains(&0)) {
        if !storages.contains_key(&view.storage) {
            let storage = file(format!("{root}data/{}", view.storage));
            let storage = storage.ok_or_else(|| Error::missing(short(&name), "its numbers in the file", "none"))?;
            let count = storage.len() / view.number.size();
            spend(&mut budget, &name, count)?;
            let numbers = &storage[..count * view.number.size()];
            storages.insert(view.storage.clone(), Array::decode(&name, view.number, &[count], numbers, order)?);
        }
        spend(
            &mut budget,
            &name,
            view.sides.iter().try_fold(1_usize, |n, &side| n.checked_mul(side)).unwrap_or(usize::MAX),
        )?;
        let tensor = gathered(&name, &view, &storages[&view.storage])?;
        weights.tensors.push((name, tensor));
    }
    plain(&mut weights.tensors);
    Ok(weights)
}

fn spend(budget: &mut usize, name: &str, numbers: usize) -> Result<()> {
    let left = numbers.checked_mul(8).and_then(|bytes| budget.checked_sub(bytes));
    *budget =
        left.ok_or_else(|| Error::format(short(name), "tensors of a size in keeping with the file's", "far more"))?;
    Ok(())
}

/// The numbers of a view, in C order.
fn gathered(name: &str, view: &View, storage: &Array) -> Result<Tensor> {
    let refuse =
        || Error::format(short(name), "a view into its storage", format!("{:?} by {:?}", view.sides, view.strides));
    if view.sides.len() != view.strides.len() || view.sides.len() > 16 || storage.number() != view.number {
        return Err(refuse());
    }
    let real = storage.to_real();
    let numbers = real.as_slice().ok_or_else(refuse)?;
    let mut places = vec![view.offset];
    for (&side, &stride) in view.sides.iter().zip(&view.strides) {
        let mut next = Vec::with_capacity(places.len() * side);
        for place in places {
            for k in 0..side {
                let step = k.checked_mul(stride).and_then(|step| step.checked_add(place));
                next.push(step.filter(|step| *step < numbers.len()).ok_or_else(refuse)?);
            }
        }
        places = next;
    }
    let values: Option<Vec<f32>> = places.iter().map(|&place| numbers.get(place).copied()).collect();
    ArrayD::from_shape_vec(IxDyn(&view.sides), values.ok_or_else(refuse)?).map_err(|_| refuse())
}

/// Names without what training on several devices puts before all of them.
fn plain(tensors: &mut [(String, Tensor)]) {
    for prefix in ["module.", "_orig_mod."] {
        if tensors.iter().all(|(name, _)| name.starts_with(prefix)) {
            tensors.iter_mut().for_each(|(name, _)| *name = name[prefix.len()..].to_string());
        }
    }
}

/// The error of a pickle that holds more than tensors, in words that help.
fn whole(error: Error) -> Error {
    match error {
        Error::Format(detail) if detail.got.starts_with("the name ") => {
            let got = format!(
                "{}, a whole module: save model.state_dict() with torch.save, or use torch.onnx.export",
                detail.got
            );
            Error::format("PyTorch file", "a state_dict of tensors and nothing to execute", got)
        }
        other => other,
    }
}
