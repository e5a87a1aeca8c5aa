//! Captions: the grammar, BLEU, the beam search against every sentence there is, and a training that goes on from its checkpoint.

use hitofude::Error;
use hitofude::data::pictures::Rgb;
use hitofude::data::scenes::{Object, Origin, Paper, Part, Scene};
use hitofude::file::safetensors::{Precision, Weights, read, write};
use hitofude::nn::layers::attention::Attention;
use hitofude::nn::layers::slice::Slice;
use hitofude::nn::{Feed, Graph, Mode, Port, Rows, Run, Want};
use hitofude::rng::Rng;
use hitofude::shape::Shape;
use hitofude::systems::caption::beam::{Speaker, search};
use hitofude::systems::caption::grammar::{Clear, DIGITS, LONGEST, WORDS};
use hitofude::systems::caption::sample::{Kind, Sample, held_out, scene};
use hitofude::systems::caption::{Bleu, Captioner, Language, Plan, Search, Training, judge};
use hitofude::zoo::nic;
use std::sync::OnceLock;

const PLAN: Plan = Plan { batch: 2, pool: 2, fresh: 1, ..Plan::new(3, 5) };

/// The file of a training that has not begun.
fn weights() -> &'static Weights {
    static WEIGHTS: OnceLock<Weights> = OnceLock::new();
    WEIGHTS.get_or_init(|| {
        let (params, metadata) = Training::new(PLAN).unwrap().trained().unwrap();
        Weights { tensors: params.named(), metadata }
    })
}

/// A sheet with these digits: each with its middle and its height.
fn sheet(digits: &[(u8, [f32; 2], f32)]) -> Scene {
    let object = |&(digit, [x, y], height): &(u8, [f32; 2], f32)| Object {
        digit,
        bbox: [x - 5.0, y - 0.5 * height, x + 5.0, y + 0.5 * height],
        coverage: vec![255; 10 * height as usize],
        turned: 0.0,
        colour: [0.0; 3],
        origin: Origin::Made,
    };
    let objects = digits.iter().map(object).collect();
    Scene { seed: 0, picture: Rgb::new(128, 128), paper: Paper::Plain, inverted: false, objects }
}

fn text(language: Language, scene: &Scene) -> String {
    let tokens: Vec<usize> = language.sentence(scene).unwrap().iter().map(|word| word.token).collect();
    language.text(&tokens)
}

#[test]
fn sentences_say_what_the_scene_graph_says() {
    let two = sheet(&[(3, [90.0, 60.0], 50.0), (7, [30.0, 70.0], 18.0)]);
    assert_eq!(text(Language::English, &two), "a small 7 left of a large 3");
    assert_eq!(text(Language::Japanese, &two), "大きな3の左に小さな7があります");
    let one = sheet(&[(8, [64.0, 64.0], 30.0)]);
    assert_eq!(text(Language::English, &one), "an 8");
    assert_eq!(text(Language::Japanese, &one), "8があります");
    let four =
        sheet(&[(5, [60.0, 100.0], 18.0), (8, [50.0, 30.0], 30.0), (0, [20.0, 40.0], 30.0), (1, [68.0, 30.0], 50.0)]);
    assert_eq!(text(Language::English, &four), "a 0 left of an 8 above a small 5 below a large 1");
    assert_eq!(text(Language::Japanese, &four), "大きな1の下に小さな5、その上に8、その左に0があります");
    assert!(Language::English.sentence(&sheet(&[])).is_err());
    assert!(Language::English.sentence(&sheet(&[(1, [9.0, 30.0], 20.0); 5])).is_err());
    let same = sheet(&[(1, [40.0, 30.0], 20.0), (2, [40.0, 30.0], 40.0)]);
    assert!(matches!(Language::Japanese.sentence(&same), Err(Error::Value(_))));
    assert!(matches!(Language::named("fr"), Err(Error::Missing(_))));
}

#[test]
fn what_hangs_on_a_few_pixels_is_not_told_of() {
    assert!(Clear::JUDGED.holds(&sheet(&[(3, [90.0, 60.0], 50.0), (7, [30.0, 70.0], 18.0)])));
    assert!(!Clear::JUDGED.holds(&sheet(&[(3, [90.0, 60.0], 43.0)])), "nearly medium");
    assert!(
        !Clear::JUDGED.holds(&sheet(&[(3, [60.0, 30.0], 50.0), (7, [63.0, 100.0], 18.0)])),
        "nearly above one another"
    );
    assert!(
        !Clear::JUDGED.holds(&sheet(&[(3, [60.0, 30.0], 50.0), (7, [101.0, 70.0], 18.0)])),
        "as far along as across"
    );
}

#[test]
fn scenes_are_of_their_kind_and_their_words_look_at_their_digits() {
    for (kind, part) in [(Kind::Known, Part::Train), (Kind::HeldOut, Part::Validation)] {
        for i in 0..8 {
            let scene = scene(part, kind, i).unwrap();
            assert!(part.seeds().contains(&scene.seed) && Clear::LEARNT.holds(&scene));
            assert!(part == Part::Train || Clear::JUDGED.holds(&scene));
            assert_eq!(scene.objects.len(), 1 + i as usize % DIGITS);
            assert_eq!(held_out(&scene), kind == Kind::HeldOut);
            let sample = Sample::of(&scene).unwrap();
            assert_eq!(sample, Sample::of(&scene).unwrap());
            for (language, sentence) in Language::ALL.into_iter().zip(&sample.sentences) {
                assert!(sentence.len() < LONGEST[language.start() - 1]);
                assert!(sentence.iter().all(|word| language.speaks(word.token)));
                let digits = sentence.iter().filter(|word| (3..13).contains(&word.token));
                let same = |word: &hitofude::systems::caption::grammar::Word| {
                    let object = &scene.objects[word.about.unwrap()];
                    WORDS[word.token] == object.digit.to_string()
                };
                assert!(digits.clone().count() == scene.objects.len() && digits.into_iter().all(same));
            }
        }
    }
    assert_eq!(WORDS.iter().collect::<std::collections::BTreeSet<_>>().len(), WORDS.len());
}

#[test]
fn ink_is_positive_on_any_paper() {
    let mut seen = [0; 2];
    for i in 0..12 {
        let scene = scene(Part::Train, Kind::Known, i).unwrap();
        let image: Vec<f32> = Sample::of(&scene).unwrap().image().collect();
        let mut sorted = image.clone();
        sorted.sort_by(f32::total_cmp);
        assert!(sorted[image.len() / 2].abs() < 0.02, "paper is 0");
        let ink: Vec<f32> = scene.objects.iter().flat_map(Object::pixels).map(|(x, y)| image[128 * y + x]).collect();
        let mean = ink.iter().sum::<f32>() / ink.len() as f32;
        assert!((0.7..2.5).contains(&mean), "{i}: {mean}");
        seen[usize::from(scene.inverted)] += 1;
    }
    assert!(seen.iter().all(|n| *n > 0), "{seen:?}");
}

/// The vectors come from `../shared/vectors/bleu_cider.json`: nltk 3.10.4, sacrebleu 2.6.0, pycocoevalcap 1.2.
#[test]
fn bleu_of_a_corpus_is_that_of_nltk_and_sacrebleu() {
    let vectors: serde_json::Value = serde_json::from_str(include_str!("golden/bleu.json")).unwrap();
    let words = |text: &str| text.split_whitespace().map(String::from).collect::<Vec<_>>();
    let (mut corpus, mut seen) = (Bleu::default(), 0);
    for case in vectors["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let sentence = words(case["hyp"].as_str().unwrap());
        let references: Vec<_> = case["refs"].as_array().unwrap().iter().map(|r| words(r.as_str().unwrap())).collect();
        let references: Vec<&[String]> = references.iter().map(|r| &r[..]).collect();
        let mut bleu = Bleu::default();
        bleu.add(&sentence, &references);
        for order in 1..=4 {
            let (got, want) = (bleu.score(order), case["coco_bleu1to4"][order - 1].as_f64().unwrap());
            // In the place of no match pycocoevalcap has 1e-15, the root of which is not nothing.
            let tolerance = if got == 0.0 { 0.04 } else { 1e-8 };
            assert!((got - want).abs() < tolerance, "{name}, {order}: {got}, {want}");
        }
        let want = case["nltk_sentence"].as_f64().unwrap();
        assert!((bleu.score(4) - want).abs() < 1e-9, "{name}: {}, {want}", bleu.score(4));
        seen += 1;
        if seen <= 4 {
            corpus.add(&sentence, &references);
        }
    }
    assert!((corpus.score(4) - vectors["nltk_corpus_first4"].as_f64().unwrap()).abs() < 1e-12);
    assert!((100.0 * corpus.score(4) - vectors["sacre_corpus_first4"].as_f64().unwrap()).abs() < 1e-9);
    for order in 1..=4 {
        assert!((corpus.score(order) - vectors["coco_corpus_first4"][order - 1].as_f64().unwrap()).abs() < 1e-8);
    }
}

/// Words that follow one another by a table of random scores for every beginning.
struct Table {
    seed: u64,
    words: usize,
}

impl Table {
    fn scores(&self, beginning: &[usize]) -> Vec<f64> {
        let seed = beginning.iter().fold(self.seed, |seed, &word| Rng::mix(seed, word as u64));
        let mut rng = Rng::new(seed);
        (0..self.words).map(|_| f64::from(1.5 * rng.normal())).collect()
    }
}

impl Speaker for Table {
    type Memory = Vec<usize>;

    fn next(&mut self, beginnings: &[(Vec<usize>, usize)]) -> hitofude::Result<Vec<(Vec<usize>, Vec<f64>)>> {
        let each = |(memory, word): &(Vec<usize>, usize)| {
            let memory: Vec<usize> = memory.iter().copied().chain([*word]).collect();
            let scores = self.scores(&memory);
            (memory, scores)
        };
        Ok(beginnings.iter().map(each).collect())
    }
}

const LONG: usize = 4;

/// Every sentence there is behind a beginning, with the logarithm of its probability.
fn every(table: &Table, beginning: &[usize], logarithm: f64, temperature: f64, found: &mut Vec<(Vec<usize>, f64)>) {
    let scores: Vec<f64> = table.scores(beginning).into_iter().map(|s| s / temperature).collect();
    let log = scores.iter().map(|s| s.exp()).sum::<f64>().ln();
    for (word, score) in scores.into_iter().enumerate() {
        let sentence: Vec<usize> = beginning.iter().copied().chain([word]).collect();
        let logarithm = logarithm + score - log;
        if word == 0 || sentence.len() > LONG {
            found.push((sentence[1..].to_vec(), logarithm));
        } else {
            every(table, &sentence, logarithm, temperature, found);
        }
    }
}

#[test]
fn a_beam_of_all_sentences_finds_the_best_of_them_and_a_beam_of_one_is_greedy() {
    for seed in 0..20 {
        let (mut table, start) = (Table { seed, words: 3 }, 9);
        for (length, temperature) in [(0.0, 1.0), (1.0, 1.0), (0.7, 0.5), (1.0, 3.0)] {
            let mut all = Vec::new();
            every(&table, &[start], 0.0, temperature, &mut all);
            let figure = |(sentence, log): &(Vec<usize>, f64)| log / (sentence.len() as f64).powf(length);
            all.sort_by(|a, b| figure(b).total_cmp(&figure(a)));
            let wide = Search { beams: 32, length, temperature };
            let tree = search(&mut table, (vec![], start), (0, LONG), &wide).unwrap();
            let words = |end| tree.path(end).into_iter().map(|k| tree.nodes[k].token).collect::<Vec<_>>();
            // 2³ beginnings of three words are open at most, and each has three ways on: 32 beams keep all.
            assert_eq!(tree.ends.len(), all.len());
            for ((end, got), want) in tree.ends.iter().zip(&all) {
                assert_eq!(words(*end), want.0, "seed {seed}");
                assert!((got - figure(want)).abs() < 1e-9);
            }
            let one = Search { beams: 1, length, temperature };
            let tree = search(&mut table, (vec![], start), (0, LONG), &one).unwrap();
            let mut greedy = vec![start];
            while greedy.len() <= LONG && (greedy.len() == 1 || greedy.last() != Some(&0)) {
                let scores = table.scores(&greedy);
                greedy.push((0..3).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap());
            }
            assert_eq!(tree.nodes.iter().map(|node| node.token).collect::<Vec<_>>(), greedy[1..]);
        }
    }
    let mut table = Table { seed: 1, words: 3 };
    for bad in [
        Search { beams: 0, ..Search::new(1) },
        Search::new(33),
        Search { length: f64::NAN, ..Search::new(1) },
        Search { temperature: 0.0, ..Search::new(1) },
    ] {
        assert!(matches!(search(&mut table, (vec![], 9), (0, LONG), &bad), Err(Error::Value(_))));
    }
}

#[test]
fn attention_is_what_its_definition_says() {
    let (d, v, h, w, steps) = (5, 3, 2, 4, 3);
    let mut g = Graph::new();
    let query = g.input("query", Shape::new(d, steps, 1)).unwrap();
    let keys = g.port("keys", Shape::new(d, h, w), Port::Image, Rows::IMAGES).unwrap();
    let values = g.port("values", Shape::new(v, h, w), Port::Image, Rows::IMAGES).unwrap();
    let y = g.add("look", Attention { scores: true }, &[query, keys, values]).unwrap();
    assert!(g.add("wide", Attention { scores: false }, &[keys, keys, values]).is_err());
    assert!(g.add("others", Attention { scores: false }, &[query, values, values]).is_err());
    assert!(g.add("far", Slice::channels(3..v + h * w + 1), &[y]).is_err());
    assert!(g.add("none", Slice::rows(1..1), &[y]).is_err());
    let net = g.finish(y);
    let mut rng = Rng::new(4);
    let mut numbers = |n: usize| (0..2 * n).map(|_| rng.normal()).collect::<Vec<f32>>();
    let (q, k, x) = (numbers(d * steps), numbers(d * h * w), numbers(v * h * w));
    let mut run = Run::new(&net, 2, &Want::outputs());
    let feeds = [Feed::new("query", &q), Feed::new("keys", &k), Feed::new("values", &x)];
    run.forward_feeds(&net.zeros(), &feeds, Mode::Infer).unwrap();
    for i in 0..2 {
        let mut got = vec![0.0; (v + h * w) * steps];
        run.read(net.output(), i, &mut got).unwrap();
        let (q, k, x) = (&q[i * d * steps..], &k[i * d * h * w..], &x[i * v * h * w..]);
        for t in 0..steps {
            let score =
                |cell: usize| (0..d).map(|c| q[c * steps + t] * k[c * h * w + cell]).sum::<f32>() / (d as f32).sqrt();
            let sum: f32 = (0..h * w).map(|cell| score(cell).exp()).sum();
            for c in 0..v {
                let want: f32 = (0..h * w).map(|cell| score(cell).exp() / sum * x[c * h * w + cell]).sum();
                assert!((got[c * steps + t] - want).abs() < 1e-5);
            }
            for cell in 0..h * w {
                assert!((got[(v + cell) * steps + t] - score(cell)).abs() < 1e-5);
            }
        }
    }
}

#[test]
fn a_training_learns_and_goes_on_from_its_checkpoint_as_if_never_stopped() {
    let mut whole = Training::new(PLAN).unwrap();
    assert!(whole.parameters().unwrap() <= 300_000, "{}", whole.parameters().unwrap());
    whole.step().unwrap();
    let mut resumed = Training::resume(PLAN, &whole.checkpoint()).unwrap();
    while !whole.finished() {
        assert_eq!(whole.step().unwrap().loss, resumed.step().unwrap().loss);
    }
    assert!(resumed.finished());
    assert_eq!(whole.checkpoint().tensors, resumed.checkpoint().tensors);
    let upon = Training::upon(Plan { seed: 6, ..PLAN }, &whole.checkpoint()).unwrap();
    let values = |training: &Training| training.trained().unwrap().0.values().to_vec();
    assert_eq!((upon.steps(), values(&upon)), (0, values(&whole)));
    assert!(Training::upon(PLAN, &Weights::default()).is_err());
    assert!(matches!(Training::resume(Plan { seed: 6, ..PLAN }, &whole.checkpoint()), Err(Error::Value(_))));
    assert!(matches!(Training::new(Plan { steps: 0, ..PLAN }), Err(Error::Value(_))));
}

#[test]
fn a_captioner_writes_about_pictures_of_any_size_and_refuses_bad_ones() {
    let file = write(weights(), Precision::F16).unwrap();
    let mut captioner = Captioner::new(&read(&file).unwrap()).unwrap();
    assert!(captioner.parameters() <= 300_000);
    let picture = scene(Part::Train, Kind::Known, 3).unwrap().picture;
    for language in Language::ALL {
        let caption = captioner.caption(&picture, language, &Search::new(3)).unwrap();
        assert!((1..=3).contains(&caption.sentences.len()));
        for (sentence, (end, _)) in caption.sentences.iter().zip(&caption.tree.ends) {
            assert!(sentence.words.len() <= language.longest());
            assert!(sentence.words.iter().all(|w| language.speaks(w.token) && (0.0..=1.0).contains(&w.probability)));
            assert_eq!(sentence.text, language.text(&sentence.tokens()));
            let product: f64 = caption.tree.path(*end).iter().map(|&k| caption.tree.nodes[k].probability).product();
            assert!((product - sentence.probability).abs() < 1e-9);
            for word in &sentence.words {
                assert_eq!(word.looks.len(), nic::CELLS * nic::CELLS);
                assert!((word.looks.iter().sum::<f32>() - 1.0).abs() < 1e-4);
            }
        }
        assert_eq!(caption, captioner.caption(&picture, language, &Search::new(3)).unwrap());
    }
    assert!(captioner.caption(&Rgb::new(1, 300), Language::English, &Search::new(1)).is_ok());
    assert!(matches!(captioner.caption(&Rgb::new(0, 5), Language::English, &Search::new(1)), Err(Error::Shape(_))));
    let broken = Rgb { pixels: vec![f32::NAN; 12], ..Rgb::new(2, 2) };
    assert!(matches!(captioner.caption(&broken, Language::English, &Search::new(1)), Err(Error::Value(_))));
    assert!(matches!(captioner.caption(&picture, Language::English, &Search::new(0)), Err(Error::Value(_))));
    let none = judge(&mut captioner, Language::English, (Part::Validation, Kind::Known), 0, &Search::new(1));
    assert!(matches!(none, Err(Error::Value(_))));
}

/// What ships, on few scenes of the seeds to choose by; `hitofude eval-caption` has all of those to be judged by.
#[test]
fn what_ships_writes_true_sentences() {
    let file = std::fs::read("pretrained/caption/caption.safetensors").unwrap();
    assert!(file.len() < 700_000, "{} bytes", file.len());
    let mut captioner = Captioner::new(&read(&file).unwrap()).unwrap();
    for language in Language::ALL {
        let score = judge(&mut captioner, language, (Part::Validation, Kind::Known), 40, &Search::new(3)).unwrap();
        assert!(score.share() > 0.65 && score.bleu.score(4) > 0.8, "{}: {score:?}", language.name());
    }
}

#[test]
fn files_of_other_networks_are_refused() {
    let own = weights();
    let mut other = own.clone();
    other.metadata.insert("vocabulary".into(), "a b c".into());
    assert!(matches!(Captioner::new(&other), Err(Error::Value(_))));
    let mut other = own.clone();
    other.tensors.retain(|(name, _)| name != "query.weight");
    assert!(matches!(Captioner::new(&other), Err(Error::Missing(_))));
    let mut other = own.clone();
    let at = other.tensors.iter().position(|(name, _)| name == "query.weight").unwrap();
    other.tensors[at].1 = other.tensors[at + 1].1.clone();
    assert!(matches!(Captioner::new(&other), Err(Error::Shape(_))));
}

#[test]
fn places_say_where_a_cell_is() {
    let places = nic::places();
    let n = nic::CELLS * nic::CELLS;
    assert_eq!(places.len(), nic::PLANES * n);
    for cell in 0..n {
        let (x, y) = (cell % nic::CELLS, cell / nic::CELLS);
        assert!((places[cell] - ((2 * x + 1) as f32 / 16.0 - 1.0)).abs() < 1e-6);
        assert!((places[n + cell] - ((2 * y + 1) as f32 / 16.0 - 1.0)).abs() < 1e-6);
        assert!((2..nic::PLANES).all(|plane| (0.0..=1.0).contains(&places[plane * n + cell])));
    }
}
