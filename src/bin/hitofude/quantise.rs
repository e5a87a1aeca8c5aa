//! `hitofude quantise`: a model in few bits, with its card. `eval` and `eval-ink` read such files as any other.

use super::eval::{self, ImageReport};
use super::files::{self, Model};
use hitofude::data::idx::{Labelled, Split, load_mnist};
use hitofude::data::ink::PEN;
use hitofude::data::strokes::Drawing;
use hitofude::file::onnx;
use hitofude::kernel::{Level, softmax::softmax};
use hitofude::systems::digits::feed::{self, Drawings};
use hitofude::systems::quantise::{self, Bits, Method, Plan, Runner, layout, search};
use hitofude::systems::recognise::{Calibration, Ink};
use hitofude::train::evaluate::misclassified;
use hitofude::{Error, Result};
use rayon::prelude::*;
use std::path::PathBuf;

/// Arguments of `quantise`.
#[derive(clap::Args)]
pub struct Args {
    /// A name from the pretrained folder, or a file of weights.
    #[arg(long, value_name = "NAME|FILE")]
    model: String,
    /// Bits of the weights: 1 to 8 or ternary, for all layers or one for each with commas between; or mixed:BYTES, which searches
    /// 8, 4 and 2 bits for each layer until the weights take no more than so many. Layers that learnt their bits keep them.
    #[arg(long, value_name = "BITS", default_value = "8")]
    bits: String,
    /// A folder with MNIST's files: activations' ranges are chosen by images of its training part.
    #[arg(long, value_name = "DIR")]
    calibrate: PathBuf,
    /// Pen strokes as JSON lines: ranges are chosen by drawings to learn from, too, and the card judges those of writers left out.
    #[arg(long, value_name = "FILE")]
    strokes: Option<PathBuf>,
    /// How ranges are chosen: minmax, mse, percentile (99.99) or a percentile.
    #[arg(long, value_name = "METHOD", default_value = "minmax")]
    method: String,
    /// Images, and as many drawings, to choose ranges by.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    images: usize,
    /// Where to write the model; a card (FILE.md) beside it.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The folder of shipped weights, if not the checkout's.
    #[arg(long, value_name = "DIR")]
    pretrained: Option<PathBuf>,
}

/// Images in a run.
const BATCH: usize = 25;

/// A model of few bits, from a file.
pub struct Few {
    /// The name in the file, else the file's.
    pub name: String,
    model: quantise::Model,
}

impl Few {
    /// Reads a model by its name or path, if it is one of few bits.
    pub fn find(name_or_path: &str, pretrained: Option<&std::path::Path>) -> Result<Option<Self>> {
        let path = files::find(name_or_path, pretrained)?;
        let file = files::read(&path)?;
        if !layout::is(&file) {
            return Ok(None);
        }
        let model = layout::read(&file)?;
        let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let name = model.metadata.get("name").cloned().unwrap_or(stem);
        Ok(Some(Self { name, model }))
    }

    /// The scores of some images.
    pub fn scores(&self, part: &Labelled) -> Result<Vec<f32>> {
        let each = self.digits()?;
        let run = |runner: &mut Result<Runner>, first: usize| {
            let n = BATCH.min(part.images.n - first);
            let mut images = vec![0.0; n * each];
            for (i, image) in images.chunks_exact_mut(each).enumerate() {
                feed::to_unit(part.images.image(first + i), image);
            }
            runner.as_mut().map_err(|e| e.clone())?.run(&images)
        };
        let starts: Vec<usize> = (0..part.images.n).step_by(BATCH).collect();
        let parts: Result<Vec<Vec<f32>>> =
            starts.into_par_iter().map_init(|| Runner::new(&self.model, BATCH), run).collect();
        Ok(parts?.concat())
    }

    /// The numbers of the images that it misreads.
    pub fn judge(&self, part: &Labelled) -> Result<Vec<usize>> {
        Ok(misclassified(&self.scores(part)?, &part.labels))
    }

    /// Whether each drawing was read right, and whether it was sure.
    pub fn read_ink(&self, drawings: &[Drawing]) -> Result<Vec<(bool, bool)>> {
        self.digits()?;
        let Calibration { temperature, threshold } = Calibration::from_metadata(&self.model.metadata)?;
        let read = |runner: &mut Result<Runner>, drawing: &Drawing| -> Result<(bool, bool)> {
            let runner = runner.as_mut().map_err(|e| e.clone())?;
            let Ok(steps) = (Ink::Strokes { strokes: &drawing.strokes, pen: PEN }).normalise() else {
                return Ok((false, false));
            };
            let mut scores = runner.run(&steps.input.pixels)?;
            scores.iter_mut().for_each(|score| *score /= temperature);
            softmax(Level::new(), &mut scores, eval::CLASSES);
            let best = (0..eval::CLASSES).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap_or(0);
            Ok((best == usize::from(drawing.digit), scores[best] >= threshold))
        };
        drawings.par_iter().map_init(|| Runner::new(&self.model, 1), read).collect()
    }

    /// The model as ONNX in whole numbers of 8 bits.
    pub fn onnx(&self) -> Result<Vec<u8>> {
        Ok(onnx::write(&quantise::onnx::to_onnx(&self.name, &self.model)?))
    }

    /// Numbers in an image, of a model that reads digits.
    fn digits(&self) -> Result<usize> {
        let (input, answers) = (self.model.input(), self.model.answers());
        if (input.c, input.h, input.w) != (1, 28, 28) || answers != eval::CLASSES {
            return Err(Error::shape(&self.name, "1×28×28 in and 10 scores out", format!("{input} and {answers}")));
        }
        Ok(input.len())
    }
}

/// Makes a model of few bits.
pub fn run(args: &Args) -> Result<()> {
    let model = Model::find(&args.model, args.pretrained.as_deref())?;
    let method: Method = args.method.parse()?;
    if !(1..=20_000).contains(&args.images) {
        return Err(Error::value("images", "1 to 20000", args.images));
    }
    let train = load_mnist(&args.calibrate, Split::Train)?;
    let drawings = args.strokes.as_ref().map(|path| files::drawings(path)).transpose()?;
    let drawings = Drawings::split(&drawings.unwrap_or_default());
    let images = ranges(&feed::learning(&train), &drawings, args.images);
    let bits = match args.bits.strip_prefix("mixed:") {
        Some(bytes) => mixed(&model, method, &feed::validation(&train), bytes)?,
        None => args.bits.split(',').map(str::parse).collect::<Result<Vec<Bits>>>()?,
    };
    let mut few = quantise::quantise(&model.net, &model.params, &Plan { bits, method }, &images)?;
    let name = args.out.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    few.metadata.insert("name".into(), name);
    for key in ["temperature", "threshold"] {
        few.metadata.extend(model.metadata.get(key).map(|value| (key.to_string(), value.clone())));
    }
    files::write(&args.out, &layout::write(&few)?)?;
    let written = Few::find(&args.out.to_string_lossy(), None)?
        .ok_or_else(|| Error::format("model", "few bits, as they were written", "another"))?;
    card(args, &written, &feed::validation(&train), &drawings)
}

/// Images to choose ranges by: from those to learn from.
fn ranges(train: &Labelled, drawings: &Drawings, most: usize) -> Vec<f32> {
    let mut images = vec![0.0; train.images.n.min(most) * 784];
    for (i, image) in images.chunks_exact_mut(784).enumerate() {
        feed::to_unit(train.images.image(i), image);
    }
    // Writers come one after another: every so manieth drawing is some writer's.
    let drawn = drawings.train.iter().step_by(drawings.train.len().div_ceil(most).max(1));
    for drawing in drawn {
        let start = images.len();
        images.resize(start + 784, 0.0);
        feed::picture(drawing, &mut images[start..]);
    }
    images
}

/// The bits that a search finds, with each of its steps on stderr.
fn mixed(model: &Model, method: Method, validation: &Labelled, bytes: &str) -> Result<Vec<Bits>> {
    let bytes = bytes.parse().map_err(|_| Error::value("bits", "mixed: and a number of bytes", bytes))?;
    let few = validation.images.n.min(2000);
    let images = ranges(validation, &Drawings::default(), few);
    let part = search::Labelled { images: &images, labels: &validation.labels[..few] };
    let taken = search::greedy(&model.net, &model.params, method, part, bytes)?;
    for search::Choice { bits, bytes, score } in &taken {
        let bits: Vec<String> = bits.iter().map(Bits::to_string).collect();
        let (bits, right) = (bits.join(","), 100.0 * score.accuracy);
        eprintln!("{bits}: {bytes} bytes, {right:.2} % of {few} to choose by, loss {:.5}", score.loss);
    }
    Ok(taken.into_iter().next_back().map(|choice| choice.bits).unwrap_or_default())
}

/// Judges the written file once on what chose nothing, and writes its card.
fn card(args: &Args, few: &Few, validation: &Labelled, drawings: &Drawings) -> Result<()> {
    let file = files::read(&args.out)?;
    let test = load_mnist(&args.calibrate, Split::Test)?;
    let percent = |wrong: usize, all: usize| 100.0 * (1.0 - wrong as f64 / all.max(1) as f64);
    let (kept, wrong) = (few.judge(validation)?.len(), few.judge(&test)?.len());
    let layers: Vec<String> = few.model.filters().map(|(step, f)| format!("{} {}", step.name, f.bits)).collect();
    let strokes = if args.strokes.is_some() { " --strokes FILE" } else { "" };
    let mut text = format!(
        "# {name}\n\n`{from}` in few bits.\n\n| what | value |\n|---|---|\n\
         | command | `hitofude quantise --model {from} --bits {bits} --calibrate DIR{strokes} --method {method} --out {name}.safetensors` |\n\
         | bits of weights | {layers} |\n\
         | MNIST images to choose by | {:.2} % ({kept} of {} misread) |\n\
         | MNIST test set | **{:.2} %** ({wrong} of {} misread) |\n",
        percent(kept, validation.images.n),
        validation.images.n,
        percent(wrong, test.images.n),
        test.images.n,
        name = few.name,
        from = args.model,
        bits = args.bits,
        method = args.method,
        layers = layers.join(", "),
    );
    if !drawings.test.is_empty() {
        let read = few.read_ink(&drawings.test)?;
        let right = read.iter().filter(|r| r.0).count();
        let (sure, both) = (read.iter().filter(|r| r.1).count(), read.iter().filter(|r| r.0 && r.1).count());
        text += &format!(
            "| drawings of writers left out | **{:.2} %** of {} at the first guess; unsure about {}, right on {:.2} % of the others |\n",
            100.0 * right as f64 / read.len() as f64,
            read.len(),
            read.len() - sure,
            100.0 * both as f64 / sure.max(1) as f64,
        );
    }
    text += &format!(
        "| file | packed bits in safetensors, {} bytes, sha256 `{}` |\n\n## Data\n\n\
         MNIST (LeCun, Cortes, Burges; CC BY-SA 3.0). Ranges of activations were chosen by training images; the test set chose nothing.\n",
        file.len(),
        files::sha256(&file),
    );
    files::write(&args.out.with_extension("md"), text.as_bytes())?;
    print!("{text}");
    Ok(())
}

/// What `eval` says of one.
pub fn report(few: &Few, part: &Labelled) -> Result<ImageReport> {
    Ok(ImageReport::new(&few.name, part, few.judge(part)?))
}
