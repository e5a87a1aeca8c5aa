//! How well a captioner tells of scenes: sentences that are exactly right, and BLEU.

use super::sample::{Kind, scene};
use super::{Bleu, Captioner, Language, Search};
use crate::data::scenes::Part;
use crate::error::{Error, Result};

/// What the sentences about many scenes came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Scenes.
    pub images: usize,
    /// Sentences that are exactly the scene's.
    pub exact: usize,
    /// Scenes of one to four digits, and the exact sentences about them.
    pub by_digits: [[usize; 2]; 4],
    /// Counts for BLEU, of words; digits are words, too.
    pub bleu: Bleu,
    /// Some wrong sentences: what was said, and what is true.
    pub wrong: Vec<[String; 2]>,
}

impl Score {
    /// Part of the sentences that are exact.
    pub fn share(&self) -> f64 {
        self.exact as f64 / self.images as f64
    }
}

/// Wrong sentences that are kept.
const WRONG: usize = 20;

/// Judges a captioner on the first `n` scenes of a kind. Errors: [`Error::Value`] for none.
pub fn judge(
    captioner: &mut Captioner,
    language: Language,
    (part, kind): (Part, Kind),
    n: usize,
    search: &Search,
) -> Result<Score> {
    if n == 0 {
        return Err(Error::value("images", "at least 1", n));
    }
    let mut score = Score { images: n, exact: 0, by_digits: [[0; 2]; 4], bleu: Bleu::default(), wrong: Vec::new() };
    for i in 0..n {
        let scene = scene(part, kind, i as u64)?;
        let truth: Vec<usize> = language.sentence(&scene)?.into_iter().map(|word| word.token).collect();
        let said = captioner.caption(&scene.picture, language, search)?.best().tokens();
        let exact = said == truth;
        score.exact += usize::from(exact);
        let of = &mut score.by_digits[scene.objects.len() - 1];
        *of = [of[0] + 1, of[1] + usize::from(exact)];
        score.bleu.add(&said, &[&truth]);
        if !exact && score.wrong.len() < WRONG {
            score.wrong.push([language.text(&said), language.text(&truth)]);
        }
    }
    Ok(score)
}
