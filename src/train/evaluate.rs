//! Evaluation: the scores of many images, in batches, on every core.

use super::group::{Group, spread};
use crate::error::Result;
use crate::kernel::reduce;
use crate::nn::plan::affordable;
use crate::nn::{Mode, Network, Params, Run, Want};
#[cfg(feature = "cli")]
use rayon::prelude::*;

/// Images in one run: few enough to stay in the second-level cache.
const BATCH: usize = 25;

/// The output of `net` for `n` images, rows one after another. `fill(i, image)` writes image `i` as CHW; it may run on
/// any thread. Errors: those of [`affordable`] and [`Run::forward`].
pub fn scores<F>(net: &Network, params: &Params, n: usize, fill: F) -> Result<Vec<f32>>
where
    F: Fn(usize, &mut [f32]) + Sync,
{
    let (image, classes) = (net.input_shape().len(), net.node(net.output()).shape.len());
    affordable(net, BATCH * threads(), &Want::outputs())?;
    let mut out = vec![0.0; n * classes];
    let make = || (Run::new(net, BATCH, &Want::outputs()), vec![0.0; BATCH * image]);
    let work = |(run, images): &mut (Run, Vec<f32>), (i, out): (usize, &mut [f32])| {
        let count = out.len() / classes;
        for (k, x) in images.chunks_exact_mut(image).take(count).enumerate() {
            fill(i * BATCH + k, x);
        }
        run.forward(params, &images[..count * image], count, Mode::Infer)?;
        out.copy_from_slice(run.output());
        Ok(())
    };
    #[cfg(feature = "cli")]
    out.par_chunks_mut(BATCH * classes).enumerate().map_init(make, work).collect::<Result<()>>()?;
    #[cfg(not(feature = "cli"))]
    {
        let mut replica = make();
        out.chunks_mut(BATCH * classes).enumerate().try_for_each(|part| work(&mut replica, part))?;
    }
    Ok(out)
}

/// Threads that score at once.
fn threads() -> usize {
    #[cfg(feature = "cli")]
    return rayon::current_num_threads();
    #[cfg(not(feature = "cli"))]
    1
}

/// As [`scores`], shared by the members of a group: each computes a part, and all get the whole.
pub fn scores_in<F>(group: &dyn Group, net: &Network, params: &Params, n: usize, fill: F) -> Result<Vec<f32>>
where
    F: Fn(usize, &mut [f32]) + Sync,
{
    spread(group, n.div_ceil(BATCH), |own| {
        let (first, end) = (own.start * BATCH, n.min(own.end * BATCH));
        scores(net, params, end - first, |i, image| fill(first + i, image))
    })
}

/// The numbers of the images whose highest score is not their label's.
pub fn misclassified(scores: &[f32], labels: &[u8]) -> Vec<usize> {
    let classes = scores.len() / labels.len().max(1);
    let rows = scores.chunks_exact(classes.max(1)).zip(labels).enumerate();
    rows.filter(|(_, (row, label))| reduce::argmax(row) != Some(usize::from(**label))).map(|(i, _)| i).collect()
}
