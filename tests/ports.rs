//! Named inputs, outputs and losses: several of each, rows that differ, parameters that are shared, and what is refused.

use hitofude::nn::description;
use hitofude::nn::layers::act::Activation;
use hitofude::nn::layers::affine::Affine;
use hitofude::nn::layers::batch_norm::BatchNorm;
use hitofude::nn::layers::concat::Concat;
use hitofude::nn::losses::{BinaryCrossEntropy, CrossEntropy, Huber, MaskCrossEntropy, SquaredError, class_weights};
use hitofude::nn::{Conv, Feed, Graph, Init, Mode, Network, Params, Port, Rows, Run, Want, Wire};
use hitofude::rng::Rng;
use hitofude::shape::Shape;
use hitofude::train::{Options, Trainer};

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

const N: usize = 3;

/// A map of two channels behind a convolution, with a loss on it.
fn with_loss(add: impl Fn(&mut Graph, Wire, Rows) -> Wire) -> Network {
    let mut g = Graph::new();
    let x = g.input("image", Shape::new(1, 4, 3)).unwrap();
    let y = g.add("scores", Conv::new(2, 3).pad(1), &[x]).unwrap();
    let loss = add(&mut g, y, Rows::IMAGES);
    assert_eq!(g.shape(loss), Shape::new(1, 1, 1));
    g.finish(y)
}

/// Random numbers that an input of this kind can have.
fn rows(rng: &mut Rng, port: Port, count: usize) -> Vec<f32> {
    let one = |rng: &mut Rng| match port {
        Port::Image => rng.normal(),
        Port::Distribution => rng.uniform(),
        Port::Mask(classes) => rng.below(classes + 1) as f32 - 1.0,
        Port::Indices(below) => rng.below(below) as f32,
        Port::Boxes => unreachable!("no loss reads boxes"),
    };
    (0..count).map(|_| one(rng)).collect()
}

struct Case {
    run: Run,
    params: Params,
    feeds: Vec<(String, Vec<f32>)>,
}

impl Case {
    fn new(net: &Network, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut params = net.zeros();
        Init::He.fill(&mut params, seed).unwrap();
        let feed = |wire: Wire| {
            let node = net.node(wire);
            (node.name.clone(), rows(&mut rng, node.port, N * node.shape.len()))
        };
        let feeds = net.inputs().map(feed).collect();
        Self { run: Run::new(net, N, &Want::training()), params, feeds }
    }

    fn forward(&mut self) -> f64 {
        let feeds: Vec<Feed> = self.feeds.iter().map(|(name, values)| Feed::new(name, values)).collect();
        self.run.forward_feeds(&self.params, &feeds, Mode::Train { seed: 1 }).unwrap();
        self.run.total_loss()
    }

    fn gradient(&mut self, scale: f32) -> Vec<f32> {
        self.forward();
        let mut gradient = vec![0.0; self.params.values().len()];
        self.run.backward_losses(&self.params, &mut gradient, scale);
        gradient
    }

    /// Every parameter's gradient against central differences.
    fn compare(mut self, name: &str) {
        let gradient = self.gradient(1.0);
        assert!(gradient.iter().map(|g| g.abs()).sum::<f32>() > 0.1, "{name}");
        for (i, g) in gradient.iter().enumerate() {
            let h = 1e-2;
            let mut at = |step: f32| {
                self.params.values_mut()[i] += step;
                self.forward()
            };
            let (above, below) = (at(h), at(-2.0 * h));
            at(h);
            let slope = (above - below) / (2.0 * f64::from(h));
            assert!((f64::from(*g) - slope).abs() < 2e-3 * (1.0 + slope.abs()), "{name}: parameter {i}: {g}, {slope}");
        }
    }
}

/// A loss behind scores of two channels on 4 × 3 pixels, with a target of this kind and weights of this shape.
fn network(loss: &str, weights: Option<Shape>) -> Network {
    with_loss(|g, y, images| {
        let (shape, port) = match loss {
            "cross_entropy" => (Shape::new(2, 4, 3), Port::Distribution),
            "mask_cross_entropy" => (Shape::new(1, 4, 3), Port::Mask(2)),
            "binary_cross_entropy" => (Shape::new(2, 4, 3), Port::Distribution),
            _ => (Shape::new(2, 4, 3), Port::Image),
        };
        let mut inputs = vec![y, g.port("target", shape, port, images).unwrap()];
        inputs.extend(weights.map(|shape| g.port("weights", shape, Port::Distribution, images).unwrap()));
        match loss {
            "cross_entropy" => g.loss("loss", CrossEntropy, &inputs, 0.7),
            "mask_cross_entropy" => g.loss("loss", MaskCrossEntropy, &inputs, 0.7),
            "binary_cross_entropy" => g.loss("loss", BinaryCrossEntropy, &inputs, 0.7),
            "squared_error" => g.loss("loss", SquaredError, &inputs, 0.7),
            _ => g.loss("loss", Huber(0.5), &inputs, 0.7),
        }
        .unwrap()
    })
}

const LOSSES: [&str; 5] = ["cross_entropy", "mask_cross_entropy", "binary_cross_entropy", "squared_error", "huber"];

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_loss_has_the_gradient_of_its_definition() {
    for (k, loss) in LOSSES.into_iter().enumerate() {
        let singly = (k >= 2).then_some(Shape::new(2, 4, 3));
        for weights in [None, Some(Shape::new(1, 4, 3)), singly] {
            Case::new(&network(loss, weights), 3 + k as u64).compare(&format!("{loss}, weights {weights:?}"));
        }
    }
}

/// Softmax cross-entropy as a dozen lines of double precision have it.
fn naive(scores: &[f32], channels: usize, pixel: usize, pixels: usize, label: usize) -> f64 {
    let at = |c: usize| f64::from(scores[c * pixels + pixel]);
    let sum: f64 = (0..channels).map(|c| at(c).exp()).sum();
    sum.ln() - at(label)
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn pixels_without_a_class_and_pixels_without_weight_count_for_nothing() {
    let net = network("mask_cross_entropy", Some(Shape::new(1, 4, 3)));
    let mut case = Case::new(&net, 8);
    let by_class = [0.25, 3.0];
    case.feeds[2].1 = class_weights(&case.feeds[1].1, &by_class).unwrap();
    case.forward();
    let mut scores = vec![0.0; 24];
    let mut expected = 0.0;
    for image in 0..N {
        case.run.read(net.output(), image, &mut scores).unwrap();
        for (pixel, &class) in case.feeds[1].1[image * 12..][..12].iter().enumerate().filter(|(_, c)| **c >= 0.0) {
            expected += f64::from(by_class[class as usize]) * naive(&scores, 2, pixel, 12, class as usize);
        }
    }
    assert!((case.run.loss("loss").unwrap() - expected).abs() < 1e-4, "{expected}");
    assert!((case.run.total_loss() - 0.7 * expected).abs() < 1e-4);
    // A pixel that counts for nothing may hold anything.
    case.feeds[1].1.fill(-1.0);
    case.feeds[2].1.fill(0.0);
    assert!(case.gradient(1.0).iter().all(|g| *g == 0.0));
    assert_eq!(case.run.total_loss(), 0.0);
    assert!(class_weights(&[2.0], &by_class).is_err() && class_weights(&[0.5], &by_class).is_err());
}

/// The losses of a classifier come to the bits of those that are taken at its wires.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_classifier_by_loss_layers_is_the_one_by_wires_to_the_bit() {
    let net = hitofude::zoo::build("googlenet_mini").unwrap();
    let classifier = net.classifier().unwrap();
    assert!(classifier.classifier().is_err());
    let mut params = net.zeros();
    Init::He.fill(&mut params, 5).unwrap();
    let mut rng = Rng::new(6);
    let images: Vec<f32> = (0..N * 784).map(|_| rng.uniform()).collect();
    let targets: Vec<f32> = (0..N * 10).map(|i| f32::from(u8::from(i % 10 == i / 10 + 2))).collect();
    let [mut by_wires, mut by_layers] = [(); 2].map(|()| vec![0.0; params.values().len()]);
    let mut run = Run::new(&net, N, &Want::training());
    run.forward(&params, &images, N, Mode::Train { seed: 2 }).unwrap();
    let loss = run.classification_loss(&targets, 0.25).unwrap();
    run.backward(&params, &mut by_wires);
    let mut run = Run::new(&classifier, N, &Want::training());
    let feeds = [Feed::new("target", &targets), Feed::new("input", &images)];
    run.forward_feeds(&params, &feeds, Mode::Train { seed: 2 }).unwrap();
    run.backward_losses(&params, &mut by_layers, 0.25);
    assert_eq!(run.loss("class").unwrap().to_bits(), loss.to_bits());
    assert_eq!(by_wires, by_layers);
}

/// Two heads, one of them over rows of its own, and a state that goes in and out.
fn several() -> Network {
    let mut g = Graph::new();
    let image = g.input("image", Shape::new(1, 3, 3)).unwrap();
    let state = g.port("state", Shape::new(4, 1, 1), Port::Image, Rows::IMAGES).unwrap();
    let regions = g.rows(5).unwrap();
    let region = g.port("region", Shape::new(6, 1, 1), Port::Image, regions).unwrap();
    let label = g.port("label", Shape::new(1, 1, 1), Port::Mask(4), regions).unwrap();
    let seen = g.add("seen", Conv::new(4, 3), &[image]).unwrap();
    let both = g.add("both", Concat, &[seen, state]).unwrap();
    let next = g.add("next", Affine::new(4), &[both]).unwrap();
    let next = g.add("bounded", Activation::Tanh, &[next]).unwrap();
    let scores = g.add("scores", Affine::new(4), &[region]).unwrap();
    g.output("scores", scores).unwrap();
    g.output("state", next).unwrap();
    g.loss("regions", MaskCrossEntropy, &[scores, label], 0.5).unwrap();
    g.finish(next)
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn inputs_may_have_different_numbers_of_rows() {
    let net = several();
    let mut params = net.zeros();
    Init::He.fill(&mut params, 5).unwrap();
    let mut run = Run::new(&net, 2, &Want::training());
    let mut rng = Rng::new(4);
    let mut numbers = |n: usize| (0..n).map(|_| rng.normal()).collect::<Vec<f32>>();
    let (image, state, region) = (numbers(18), numbers(8), numbers(7 * 6));
    let labels = [0.0, 1.0, 2.0, 3.0, -1.0, 0.0, 1.0];
    let feeds = |regions: usize| {
        [
            Feed::new("image", &image),
            Feed::new("state", &state),
            Feed::new("region", &region[..regions * 6]),
            Feed::new("label", &labels[..regions]),
        ]
    };
    run.forward_feeds(&params, &feeds(7), Mode::Infer).unwrap();
    let (state_wire, scores) = (net.outputs()[1].1, net.outputs()[0].1);
    assert_eq!((run.images(), run.rows(state_wire), run.rows(scores)), (2, 2, 7));
    // Each region's loss is what it comes to alone.
    let all = run.loss("regions").unwrap();
    let mut sum = 0.0;
    for k in 0..7 {
        let alone =
            [feeds(0)[0], feeds(0)[1], Feed::new("region", &region[k * 6..][..6]), Feed::new("label", &labels[k..=k])];
        run.forward_feeds(&params, &alone, Mode::Infer).unwrap();
        sum += run.loss("regions").unwrap();
    }
    assert!((all - sum).abs() < 1e-5 && all > 0.0);
    // Without regions there is no loss of them and no gradient, and the rest goes on.
    run.forward_feeds(&params, &feeds(0), Mode::Infer).unwrap();
    assert_eq!((run.loss("regions").unwrap(), run.rows(scores)), (0.0, 0));
    let mut gradient = vec![0.0; params.values().len()];
    run.backward_losses(&params, &mut gradient, 1.0);
    assert!(gradient.iter().all(|g| *g == 0.0));
    // A state that comes out goes in.
    let mut out = vec![0.0; 8];
    out.chunks_exact_mut(4).enumerate().for_each(|(i, row)| run.read(state_wire, i, row).unwrap());
    let again = [Feed::new("image", &image), Feed::new("state", &out), feeds(0)[2], feeds(0)[3]];
    run.forward_feeds(&params, &again, Mode::Infer).unwrap();
    assert!(run.output().iter().all(|v| v.is_finite()) && run.output() != out);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn feeds_that_do_not_fit_are_refused_and_change_nothing() {
    let net = several();
    let params = net.zeros();
    let mut run = Run::new(&net, 2, &Want::outputs());
    let (image, state, region) = ([0.5; 18], [0.0; 8], [0.0; 12]);
    let good = [
        Feed::new("image", &image),
        Feed::new("state", &state),
        Feed::new("region", &region),
        Feed::new("label", &[0.0, 1.0]),
    ];
    run.forward_feeds(&params, &good, Mode::Infer).unwrap();
    let mut refused = |k: usize, feed: Feed<'_>, word: &str| {
        let mut feeds = good;
        feeds[k] = feed;
        let error = run.forward_feeds(&params, &feeds, Mode::Infer).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
        assert_eq!(run.images(), 2);
    };
    refused(0, Feed::new("picture", &image), "picture");
    refused(1, Feed::new("image", &image), "image");
    refused(0, Feed::new("image", &[]), "1 to 2 rows");
    refused(0, Feed::new("image", &[0.0; 27]), "1 to 2 rows");
    refused(0, Feed::new("image", &[0.0; 10]), "whole rows");
    refused(1, Feed::new("state", &[0.0; 4]), "2 rows, as other inputs have");
    refused(2, Feed::new("region", &[0.0; 66]), "0 to 10 rows");
    refused(3, Feed::new("label", &[0.0]), "2 rows");
    refused(3, Feed::new("label", &[0.0, 4.0]), "below 4");
    refused(3, Feed::new("label", &[0.5, 0.0]), "below 4");
    refused(3, Feed::new("label", &[f32::NAN, 0.0]), "below 4");
    assert!(run.forward_feeds(&params, &good[..3], Mode::Infer).unwrap_err().to_string().contains("label"));
    // The call for images alone does not leave the other inputs as they were: it refuses.
    assert!(run.forward(&params, &image, 2, Mode::Infer).unwrap_err().to_string().contains("state"));
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn wirings_that_make_no_sense_are_refused() {
    let mut g = Graph::new();
    assert!(g.port("label", Shape::new(1, 1, 1), Port::Mask(3), Rows::IMAGES).is_err(), "no images yet");
    let x = g.input("image", Shape::new(2, 4, 4)).unwrap();
    assert!(g.input("image", Shape::new(2, 4, 4)).is_err(), "a name twice");
    assert!(g.rows(0).is_err() && g.rows(1 << 20).is_err());
    let own = g.rows(4).unwrap();
    let y = g.port("region", Shape::new(2, 4, 4), Port::Image, own).unwrap();
    assert!(g.port("box", Shape::new(4, 1, 1), Port::Boxes, own).is_err(), "a box is five numbers");
    assert!(g.add("sum", hitofude::nn::layers::add::Add, &[x, y]).is_err(), "rows that differ");
    assert!(g.add("norm", BatchNorm::default(), &[y]).is_err(), "running statistics over other rows");
    assert!(g.loss("loss", Conv::new(2, 1), &[x], 1.0).is_err(), "no loss");
    assert!(g.loss("loss", SquaredError, &[x, x], f32::NAN).is_err(), "a weight that is none");
    assert!(g.loss("loss", MaskCrossEntropy, &[x, x], 1.0).is_err(), "a target of another shape");
    let first = g.add("first", Conv::new(2, 3).pad(1), &[x]).unwrap();
    let norm = g.add("norm", BatchNorm::default(), &[first]).unwrap();
    assert!(g.share("again", norm, &[first]).is_err(), "running statistics");
    let wide = g.add("wide", Conv::new(3, 1), &[x]).unwrap();
    assert!(g.share("again", first, &[wide]).is_err(), "other parameters");
    assert!(g.share("again", x, &[first]).is_err(), "an input");
    g.output("maps", first).unwrap();
    assert!(g.output("maps", norm).is_err(), "an output's name twice");
}

/// One convolution twice.
fn twice(shared: bool) -> Network {
    let mut g = Graph::new();
    let x = g.input("image", Shape::new(2, 4, 3)).unwrap();
    let a = g.add("a", Conv::new(2, 3).pad(1), &[x]).unwrap();
    let a = g.add("bent", Activation::Tanh, &[a]).unwrap();
    let b = match shared {
        true => g.share("b", g.wire("a").unwrap(), &[a]).unwrap(),
        false => g.add("b", Conv::new(2, 3).pad(1), &[a]).unwrap(),
    };
    let target = g.port("target", Shape::new(2, 4, 3), Port::Image, Rows::IMAGES).unwrap();
    g.loss("loss", SquaredError, &[b, target], 1.0).unwrap();
    g.finish(b)
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn the_gradients_of_shared_parameters_add_up() {
    let (shared, apart) = (twice(true), twice(false));
    assert_eq!(2 * shared.parameters(), apart.parameters());
    let mut one = Case::new(&shared, 7);
    let mut two = Case::new(&apart, 7);
    let values = [one.params.values(), one.params.values()].concat();
    two.params.values_mut().copy_from_slice(&values);
    two.feeds.clone_from(&one.feeds);
    let (sum, parts) = (one.gradient(1.0), two.gradient(1.0));
    let (first, second) = parts.split_at(sum.len());
    for ((sum, a), b) in sum.iter().zip(first).zip(second) {
        assert!((sum - (a + b)).abs() <= 1e-5 * (1.0 + sum.abs()), "{sum}, {a} + {b}");
    }
    // What one of its places learns, the parameters learn.
    assert_eq!(shared.fix(&["a"]).unwrap().frozen_views(), [false; 2]);
    assert_eq!(shared.fix(&["a", "b"]).unwrap().frozen_views(), [true; 2]);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn descriptions_carry_inputs_outputs_losses_and_sharing() {
    let weighted = network("huber", Some(Shape::new(1, 4, 3)));
    for net in [several(), twice(true), weighted] {
        let text = description::write(&net);
        let again = description::read(&text).unwrap();
        let told = |net: &Network| {
            format!("{:?} {:?} {:?} {:?} {:?}", net.nodes(), net.views(), net.output(), net.outputs(), net.losses())
        };
        // The first input is always called `input` in a description.
        assert_eq!(told(&again), told(&net).replacen("\"image\"", "\"input\"", 1), "{text}");
    }
    let bad = |layer: &str| {
        let text = format!(r#"{{"input":[1,2,2],"layers":[{{"name":"a","type":"conv","out":1,"kernel":1}},{layer}]}}"#);
        description::read(&text).unwrap_err().to_string()
    };
    assert!(bad(r#"{"name":"t","type":"input","shape":[1,2,2],"holds":"pixels"}"#).contains("holds"));
    assert!(bad(r#"{"name":"t","type":"input","shape":[1,2,2],"holds":"mask"}"#).contains("below"));
    assert!(bad(r#"{"name":"t","type":"input","shape":[1,2,2],"with":"b"}"#).contains('b'));
    assert!(bad(r#"{"name":"t","type":"input","shape":[1,2,2],"rows":0}"#).contains("rows"));
    assert!(bad(r#"{"name":"b","type":"conv","out":2,"kernel":1,"share":"a"}"#).contains("share"));
    assert!(bad(r#"{"name":"b","type":"squared_error","inputs":["a","input"],"weight":-1}"#).contains("weight"));
    assert!(bad(r#"{"name":"b","type":"squared_error","inputs":["a","input"],"share":"a"}"#).contains("share"));
}

/// An autoencoder: its target is its image. No gradient goes back by way of the target, nor any that lay in a buffer before.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_target_passes_no_gradient_and_leaves_no_old_one() {
    let mut g = Graph::new();
    let x = g.input("image", Shape::new(1, 4, 3)).unwrap();
    let seen = g.add("seen", Activation::Tanh, &[x]).unwrap();
    let code = g.add("code", Conv::new(3, 3).pad(1), &[seen]).unwrap();
    let again = g.add("again", Conv::new(1, 3).pad(1), &[code]).unwrap();
    g.loss("loss", SquaredError, &[again, seen], 1.0).unwrap();
    let net = g.finish(again);
    let mut params = net.zeros();
    Init::He.fill(&mut params, 4).unwrap();
    let mut rng = Rng::new(9);
    let images: Vec<Vec<f32>> = (0..2).map(|_| (0..12).map(|_| rng.normal()).collect()).collect();
    for want in [Want::training(), Want::everything()] {
        let gradient = |run: &mut Run, image: &[f32]| {
            let mut gradient = vec![0.0; params.values().len()];
            run.forward(&params, image, 1, Mode::Infer).unwrap();
            run.backward_losses(&params, &mut gradient, 1.0);
            let pixels = run.gradient(x).map(|(dx, _)| dx.to_vec());
            (gradient, pixels)
        };
        let fresh = gradient(&mut Run::new(&net, 1, &want), &images[0]);
        let mut run = Run::new(&net, 1, &want);
        gradient(&mut run, &images[1]);
        assert_eq!(gradient(&mut run, &images[0]), fresh, "{want:?}");
    }
}

/// The trainer of classes, of feeds, and of any number of threads and shards: one step, one rule.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_trainer_of_feeds_takes_the_step_of_a_trainer_of_classes() {
    let net = hitofude::zoo::build("tiny").unwrap();
    let mut params = net.zeros();
    Init::He.fill(&mut params, 5).unwrap();
    let image = |i: usize| (0..784).map(move |k| ((i * 31 + k * 7) % 97) as f32 / 97.0);
    let mut classes = Trainer::new(&net, params.clone(), 8, 4, &Options::DEFAULT).unwrap();
    let one = classes
        .step(7, 1e-3, 3, |i, x, target| {
            x.iter_mut().zip(image(i)).for_each(|(x, v)| *x = v);
            target[i % 10] = 1.0;
        })
        .unwrap();
    let classifier = net.classifier().unwrap();
    let mut feeds = Trainer::new(&classifier, params, 8, 4, &Options::DEFAULT).unwrap();
    let two = feeds
        .step_feeds(7, 1e-3, 3, |images, batch| {
            for i in images {
                batch.rows("input")?.extend(image(i));
                batch.rows("target")?.extend((0..10).map(|c| f32::from(u8::from(c == i % 10))));
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(classes.params().values(), feeds.params().values());
    assert_eq!((one.loss, one.images), (two.loss, two.images));
    let error = feeds.step_feeds(2, 1e-3, 3, |_, batch| batch.rows("labels").map(|_| ())).unwrap_err();
    assert!(error.to_string().contains("labels"), "{error}");
    assert!(feeds.step(2, 1e-3, 3, |_, _, _| ()).is_err(), "losses of its own");
}
