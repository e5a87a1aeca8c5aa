//! `hitofude run`: any model file on named arrays.

use super::files;
use hitofude::file::array::Array;
use hitofude::file::{npz, onnx};
use hitofude::nn::{Mode, Run, Want, fold};
use hitofude::systems::imported::{self, Imported};
use hitofude::systems::opened::{Format, Opened, Target};
use hitofude::systems::saved::Saved;
use hitofude::{Error, Result};
use std::path::{Path, PathBuf};

/// Arguments of `run`.
#[derive(clap::Args)]
pub struct Args {
    /// A model: ONNX, TensorFlow.js (model.json or a zip), Keras (.keras, .h5), or weights in safetensors, npz, a pickle of NumPy
    /// arrays or PyTorch's .pth. Pictures are given with their channels first, whoever wrote the model.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Whose weights they are, where the file does not say and they fit more than one network of the catalogue.
    #[arg(long, value_name = "NAME")]
    architecture: Option<String>,
    /// The inputs by name: an .npz of NumPy.
    #[arg(long, value_name = "IN.npz")]
    input: PathBuf,
    /// Where to write the outputs by name.
    #[arg(long, value_name = "OUT.npz")]
    output: PathBuf,
    #[command(flatten)]
    memory: MostMemory,
}

/// How much an ONNX model may take.
#[derive(clap::Args)]
pub struct MostMemory {
    /// MiB that the arrays of an ONNX model may take at once; its operators may work in proportion.
    #[arg(long, value_name = "MIB", default_value_t = (imported::MEMORY >> 20) as u32, value_parser = clap::value_parser!(u32).range(1..))]
    most_memory: u32,
}

impl MostMemory {
    fn allow(&self, model: &mut Imported) {
        model.allow((self.most_memory as usize).saturating_mul(1 << 20));
    }
}

/// Arguments of `describe`.
#[derive(clap::Args)]
pub struct DescribeArgs {
    /// A model, or weights of a network of the catalogue, in any of the formats that `run` takes.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// The sides of an input that the file leaves open, such as `image=1x3x224x224`; may be given several times. Without a name
    /// they are the first input's.
    #[arg(long, value_name = "[INPUT=]SIDES")]
    size: Vec<String>,
    #[command(flatten)]
    memory: MostMemory,
}

/// Says what sizes the inputs of a model have.
fn resize(model: &mut Imported, sizes: &[String]) -> Result<()> {
    for size in sizes {
        let first = model.inputs().first().map(|port| port.name.clone()).unwrap_or_default();
        let (name, sides) = size.rsplit_once('=').unwrap_or((&first, size));
        let sides: Option<Vec<usize>> = sides.split('x').map(|side| side.parse().ok()).collect();
        let sides = sides.ok_or_else(|| Error::value("--size", "sides such as 1x3x224x224, or INPUT=SIDES", size))?;
        model.resize(name, &sides)?;
    }
    Ok(())
}

/// Prints inputs, outputs and every operator with its shape, parameters and cost; then whether it trains here.
pub fn describe(args: &DescribeArgs) -> Result<()> {
    let mut model = open(&args.model)?;
    resize(&mut model, &args.size)?;
    args.memory.allow(&mut model);
    for (what, ports) in [("input", model.inputs()), ("output", model.outputs())] {
        for port in ports {
            let side = |side: &Option<usize>| side.map_or_else(|| "any".into(), |n| n.to_string());
            let sides = port.shape.as_ref().map(|sides| sides.iter().map(side).collect::<Vec<String>>().join(" × "));
            println!("{what} {}: {}", port.name, sides.unwrap_or_else(|| "of any shape".into()));
        }
    }
    let (mut parameters, mut products) = (0, 0);
    println!("{:>12} {:>14}  {:20} operator", "parameters", "multiply-adds", "shape");
    for row in model.operators()? {
        let sides = row.shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×");
        println!("{:>12} {:>14}  {sides:20} {} {}", row.parameters, row.multiply_adds, row.op, row.name);
        (parameters, products) = (parameters + row.parameters, products + row.multiply_adds);
    }
    println!("{parameters:>12} {products:>14}  in all");
    match model.network() {
        Ok((net, _)) => println!("trains here: {} layers, {} parameters", net.nodes().len() - 1, net.parameters()),
        Err(error) => println!("runs, but does not train here: {error}"),
    }
    Ok(())
}

/// Reads, runs, writes, and says on stderr what came out.
pub fn run(args: &Args) -> Result<()> {
    let inputs = npz::read(&files::read(&args.input)?)?;
    let bytes = files::model(&args.model)?;
    let outputs = match Format::of(&bytes)? {
        Format::Onnx => {
            let mut model = from_onnx(&args.model, &bytes)?;
            args.memory.allow(&mut model);
            model.run(&inputs)?
        }
        _ => network(args, &bytes, &inputs)?,
    };
    files::write(&args.output, &npz::write(&outputs)?)?;
    for (name, array) in &outputs {
        eprintln!("{name}: {:?} of {:?}", array.number(), array.shape());
    }
    Ok(())
}

/// Reads a model, whatever its file is called, and the files beside it that hold its weights.
pub fn open(path: &Path) -> Result<Imported> {
    let bytes = files::model(path)?;
    match Format::of(&bytes)? {
        Format::Onnx => from_onnx(path, &bytes),
        _ => Imported::read(&Opened::read(&bytes, "", None)?.write(Target::Onnx)?),
    }
}

fn from_onnx(path: &Path, bytes: &[u8]) -> Result<Imported> {
    let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
    Imported::new(onnx::read_with(bytes, &mut |name| files::read(&folder.join(name)))?)
}

fn network(args: &Args, bytes: &[u8], inputs: &[(String, Array)]) -> Result<Vec<(String, Array)>> {
    let opened = Opened::read(bytes, "", args.architecture.as_deref())?;
    let Saved { net, params, .. } = opened.network()?;
    let (net, params) = fold::for_inference(&net, &params)?;
    let [(_, images)] = inputs else {
        return Err(Error::missing("inputs", "one array of images, NCHW", inputs.len()));
    };
    let images = images.to_real();
    let n = images.shape().first().copied().unwrap_or(0);
    let mut run = Run::new(&net, 1, &Want::outputs());
    let shape = net.node(net.output()).shape;
    let mut out = vec![0.0; n * shape.len()];
    let each = net.input_shape().len();
    if images.len() != n * each {
        return Err(Error::shape("images", format!("n × {}", net.input_shape()), format!("{:?}", images.shape())));
    }
    let numbers = images.as_slice().unwrap_or(&[]);
    for (image, out) in numbers.chunks_exact(each).zip(out.chunks_exact_mut(shape.len())) {
        run.forward(&params, image, 1, Mode::Infer)?;
        run.read(net.output(), 0, out)?;
    }
    let sides = if (shape.h, shape.w) == (1, 1) { vec![n, shape.c] } else { vec![n, shape.c, shape.h, shape.w] };
    let array = ndarray::ArrayD::from_shape_vec(sides, out).map_err(|e| Error::shape("output", shape, e))?;
    Ok(vec![("output".into(), array.into())])
}
