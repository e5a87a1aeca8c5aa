//! BLEU (Papineni et al. 2002) of a whole corpus, by the rule of nltk's `corpus_bleu` and of sacrebleu without smoothing: clipped
//! counts of one to four words in a row are summed over all sentences before they are divided; the brevity penalty takes the
//! closest reference's length, of two equally close the shorter. Where an order has no match, the figure is 0.

use std::collections::HashMap;
use std::hash::Hash;

/// Words in a row, at most.
pub const ORDERS: usize = 4;

/// Counts of a corpus, sentence by sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bleu {
    matched: [u64; ORDERS],
    total: [u64; ORDERS],
    length: u64,
    reference: u64,
}

fn grams<T: Eq + Hash>(words: &[T], n: usize) -> HashMap<&[T], u64> {
    let mut counts = HashMap::new();
    words.windows(n).for_each(|gram| *counts.entry(gram).or_insert(0) += 1);
    counts
}

impl Bleu {
    /// Adds a sentence, as words, and what it might have been.
    pub fn add<T: Eq + Hash>(&mut self, sentence: &[T], references: &[&[T]]) {
        for n in 1..=ORDERS {
            let own = grams(sentence, n);
            let theirs: Vec<_> = references.iter().map(|reference| grams(reference, n)).collect();
            let most = |gram: &[T]| theirs.iter().filter_map(|of| of.get(gram)).max().copied().unwrap_or(0);
            self.matched[n - 1] += own.iter().map(|(gram, count)| most(gram).min(*count)).sum::<u64>();
            self.total[n - 1] += own.values().sum::<u64>();
        }
        let length = sentence.len();
        self.length += length as u64;
        let lengths = references.iter().map(|reference| reference.len());
        self.reference += lengths.min_by_key(|l| (l.abs_diff(length), *l)).unwrap_or(0) as u64;
    }

    /// The figure of `order` words in a row at most, 0 to 1.
    pub fn score(&self, order: usize) -> f64 {
        let parts = self.matched.iter().zip(&self.total).take(order);
        if self.length == 0 || parts.clone().any(|(matched, _)| *matched == 0) {
            return 0.0;
        }
        let logs: f64 = parts.map(|(matched, total)| libm::log(*matched as f64 / *total as f64)).sum();
        let brevity = (1.0 - self.reference as f64 / self.length as f64).min(0.0);
        libm::exp(brevity + logs / order as f64)
    }
}
