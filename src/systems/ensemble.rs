//! Ensembles: several networks answer together. Hansen and Salamon 1990.

use crate::error::{Error, Result};
use crate::kernel::{Level, reduce, softmax};
use serde::{Deserialize, Serialize};

/// How the answers of several networks become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// The mean of their probabilities.
    Average,
    /// The part of them that chose each class.
    Vote,
}

/// Joins the scores of several networks for the same images: rows of `classes`, one set of rows a network. Rows that each
/// sum to 1 come back. In a vote of equals the class with the larger mean probability wins by a hair.
///
/// Errors: [`Error::Missing`] without a network, [`Error::Shape`] for scores of different sizes.
pub fn join(rule: Rule, scores: &[&[f32]], classes: usize) -> Result<Vec<f32>> {
    let Some(first) = scores.first() else {
        return Err(Error::missing("ensemble", "at least one network's scores", "none"));
    };
    if classes == 0 || !first.len().is_multiple_of(classes) || scores.iter().any(|s| s.len() != first.len()) {
        let got = scores.iter().map(|s| s.len().to_string()).collect::<Vec<_>>().join(", ");
        return Err(Error::shape("ensemble", format!("scores of one size in rows of {classes}"), got));
    }
    let (mut joined, share) = (vec![0.0; first.len()], 1.0 / scores.len() as f32);
    let mut probabilities = vec![0.0; first.len()];
    for scores in scores {
        probabilities.copy_from_slice(scores);
        softmax::softmax(Level::new(), &mut probabilities, classes);
        for (sum, p) in joined.chunks_exact_mut(classes).zip(probabilities.chunks_exact(classes)) {
            let hair = if rule == Rule::Vote { HAIR } else { 1.0 };
            sum.iter_mut().zip(p).for_each(|(sum, p)| *sum += hair * share * p);
            if rule == Rule::Vote {
                sum[reduce::argmax(p).unwrap_or(0)] += (1.0 - HAIR) * share;
            }
        }
    }
    Ok(joined)
}

/// What the probabilities count beside a vote.
const HAIR: f32 = 1e-3;
