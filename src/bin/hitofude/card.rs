//! The model card that `train` writes beside the weights: how they came to be and what they score.

use super::eval::{self, ImageReport};
use super::files::{self, Model};
use super::train::{Args, Row};
use hitofude::Result;
use hitofude::data::idx::{Split, load_mnist};
use hitofude::data::strokes::Drawing;
use hitofude::systems::digits::feed::{MADE, TEST_DRAWINGS, VALIDATION_DRAWINGS, VALIDATION_IMAGES};
use hitofude::systems::digits::recipe::Recipe;
use hitofude::systems::digits::training::Calibration;
use std::path::Path;

/// Evaluates the written file once on what training never saw, and writes its card.
pub fn write(
    args: &Args,
    epochs: u32,
    calibration: &Calibration,
    rows: &[Row],
    judged: &[Drawing],
    ranks: usize,
) -> Result<()> {
    let recipe = Recipe::named(&args.recipe)?;
    let model = Model::open(&args.out)?;
    let seconds: f64 = rows.iter().map(|r| r.seconds).sum();
    let speed = rows.iter().map(|r| r.speed).sum::<f64>() / rows.len().max(1) as f64;
    let sha = files::sha256(&model.file);
    let mut text = format!(
        "# {name}\n\n{about}.\n\n\
         | what | value |\n|---|---|\n\
         | command | `hitofude train {name}{from} --data {data} --epochs {epochs} --seed {seed} --out {name}.safetensors` |\n\
         | architecture | `{architecture}`, {parameters} parameters |\n",
        name = recipe.name,
        about = recipe.about,
        from = args.from.as_ref().map(|from| format!(" --from {from}")).unwrap_or_default(),
        seed = args.seed,
        architecture = recipe.architecture,
        parameters = model.net.parameters(),
        data = if args.made() { "synth --test DIR" } else { "DIR" },
    );
    if let Some(folder) = args.judged_by() {
        let test = load_mnist(folder, Split::Test)?;
        let wrong = eval::judge(&model, &test)?.len();
        let (n, accuracy) = (test.images.n, 100.0 * (1.0 - wrong as f64 / test.images.n as f64));
        text += &format!("| MNIST test set | **{accuracy:.2} %** ({wrong} of {n} misread) |\n");
    }
    if !judged.is_empty() {
        let ink = eval::judge_ink(&model, judged)?;
        text += &format!(
            "| drawings of writers left out | **{:.2} %** of {} at the first guess; unsure about {} ({:.1} %), \
             right on {:.2} % of the others |\n| scribbles that are no digit | unsure about {:.1} % |\n",
            100.0 * ink.accuracy,
            ink.drawings,
            ink.unsure,
            100.0 * ink.unsure as f64 / ink.drawings as f64,
            100.0 * ink.accuracy_when_sure.unwrap_or(0.0),
            100.0 * calibration.scribbles_unsure,
        );
    }
    text += &format!(
        "| calibration | temperature {:.4}, threshold {:.4}, fitted on validation data |\n\
         | training | {epochs} epochs, seed {}, {seconds:.0} s, {speed:.0} images/s on {} threads{} |\n\
         | file | float16 safetensors, {} bytes, sha256 `{sha}` |\n\n{}",
        calibration.temperature,
        calibration.threshold,
        args.seed,
        rayon::current_num_threads(),
        if ranks > 1 { format!(" of each of {ranks} ranks") } else { String::new() },
        model.file.len(),
        data(args.made(), !judged.is_empty()),
    );
    let path = args.out.with_extension("md");
    files::write(&path, text.as_bytes())?;
    print!("{text}");
    Ok(())
}

/// Writes the card of an ensemble of shipped models: who they are, and what they score alone and together.
pub fn ensemble(
    path: &Path,
    models: &[Model],
    members: &[ImageReport],
    whole: &ImageReport,
    chosen: bool,
) -> Result<()> {
    let part = if chosen { "MNIST images kept to choose by" } else { "MNIST test set" };
    let names: Vec<&str> = members.iter().map(|m| m.model.as_str()).collect();
    let score = |r: &ImageReport| {
        format!("**{:.2} %** ({} of {} misread)", 100.0 * r.accuracy, r.misclassified.len(), r.images)
    };
    let mut text = format!(
        "# ensemble\n\nThe mean of the probabilities of {} networks, each over its calibrated temperature.\n\n\
         | what | value |\n|---|---|\n\
         | command | `hitofude eval --ensemble {}{} --data DIR` |\n| {part} | {} |\n",
        models.len(),
        names.join(","),
        if chosen { " --validation" } else { "" },
        score(whole),
    );
    for (model, report) in models.iter().zip(members) {
        text += &format!("| {}, {} parameters | {} |\n", report.model, model.net.parameters(), score(report));
    }
    files::write(path, text.as_bytes())
}

/// What it learnt from, and whose it is.
fn data(made: bool, ink: bool) -> String {
    let mut text = if made {
        format!(
            "## Data\n\n{MADE} digits made anew for each epoch by `src/data/synth`, and {VALIDATION_IMAGES} to choose by. \
             Its shapes and their spread were drawn beside MNIST's training images; the test set chose nothing, and no \
             image of MNIST was learnt from.\n"
        )
    } else {
        format!(
            "## Data\n\nMNIST (LeCun, Cortes, Burges; CC BY-SA 3.0): 60,000 training images, of which \
             {VALIDATION_IMAGES} were kept to choose by. The test set chose nothing.\n"
        )
    };
    if ink {
        text += &format!(
            "\nPen strokes: UNIPEN `train_r01_v07`, section 1a (International Unipen Foundation; CC BY 4.0), rendered by \
             this project. Writers are disjoint: {:.0} % of the drawings were kept to choose by and {:.0} % to be judged by. \
             Some of their labels are wrong; they were left as they are.\n",
            100.0 * VALIDATION_DRAWINGS,
            100.0 * TEST_DRAWINGS,
        );
    }
    text
}
